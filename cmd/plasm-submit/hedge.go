package main

import (
	"time"

	"plasm/lib/batch"
	"plasm/lib/cli"
	"plasm/lib/cli/bulk"
	"plasm/lib/exchange/submit"
	"plasm/lib/job"
)

// addHedge adds the flag.
func (o *options) addHedge(f *cli.Flags) {
	f.MillisOr(&o.hedgeMS, "auto", job.MaxTimeout, cli.Flag{
		Name: "hedge", Category: howLong, Value: "DUR|auto", Default: "never",
		Usage: "without an answer by then, give the job to one node more",
		More: "The first verified answer counts, the other is cancelled and blamed for nothing; the program may run " +
			"twice. `auto`, in a batch: three times the median of its answers, after 10.",
	})
}

// checkHedge refuses what contradicts --hedge.
func (o *options) checkHedge() error {
	switch {
	case o.hedgeMS == 0:
	case o.stream:
		return cli.Usage(name, "--hedge beside --stream: what is passed on as it comes is of one node")
	case o.quorum > 0:
		return cli.Usage(name, "--hedge beside --quorum: a node whose job is cancelled has no vote")
	case o.hedgeMS < 0 && !o.bulk.Given():
		return cli.Usage(name,
			"--hedge auto goes by how long the items of a batch take, and this is one job: give a time")
	}
	return nil
}

// hedge is the time after which a job goes to one node more.
func (o *options) hedge() time.Duration {
	if o.hedgeMS < 0 {
		return batch.HedgeAuto
	}
	return time.Duration(o.hedgeMS) * time.Millisecond
}

// first is what an attempt with result r, failure f or both comes to where another may run:
// nothing is made of it when the other has a result.
func first(a batch.Attempt, r *submit.Result, f *batch.Failure) (*submit.Result, *batch.Failure) {
	if f == nil && a.First() {
		return r, nil
	}
	r.Close()
	if f == nil {
		f = bulk.Outrun()
	}
	return nil, f
}
