package submit

import (
	"bytes"
	"context"

	"plasm/lib/exchange/wire"
	"plasm/lib/job"
)

// Plan is what would become of a job.
type Plan struct {
	Node  string       // peer ID of the one that would get it
	Addr  string       // where that was reached, or ""
	Queue *wire.Queued // its place in the node's queue, and then the rest is not known; nil: it has a slot
	Send  Sizes        // what would be sent
	There Sizes        // what the node has already
}

// Sizes are amounts of what a job begins with, in bytes.
type Sizes struct{ Module, Input, Folders int64 }

// DryRun finds the node that would get a job, and what that lacks of it, as Run does, and
// leaves it there. The node is sent the documents of trees that it lacks, which say what
// files there are, and nothing else of the job. The job's input must be known. Errors are
// those of Run.
func DryRun(ctx context.Context, cfg Config, j *Job, source Source) (*Plan, error) {
	cfg.only = dry
	m, trial := *j.Manifest, *j
	m.ID, trial.Manifest = job.NewID(), &m // of its own: the job itself is not touched
	if j.StdinBytes == 0 {
		// A job that lacks nothing is started: this one lacks a byte, which never comes.
		lacks := []byte{0}
		m.StdinHash, trial.Stdin, trial.StdinBytes = job.Sum(lacks), bytes.NewReader(lacks), 1
	}
	r, err := Run(ctx, cfg, &trial, source)
	if err != nil {
		return nil, err
	}
	if r.plan.Queue == nil {
		r.plan.Send.Input = j.StdinBytes
	}
	return r.plan, nil
}

// planned notes what a node lacks, and reports whether that is all that there is to know.
func (a *attempt) planned(m *wire.Accept) bool {
	a.plan = Plan{} // of an earlier connection
	module := &a.plan.There.Module
	if m.Module {
		module = &a.plan.Send.Module
	}
	*module = int64(len(a.job.Module))
	all := a.p.folders.bytes()
	for _, d := range m.Trees {
		a.plan.Send.Folders += int64(len(a.job.Pack.Document(d)))
	}
	a.plan.There.Folders = all - a.plan.Send.Folders
	return !m.Want
}

// lacks notes which contents a node lacks.
func (a *attempt) lacks(m *wire.Want) {
	a.plan.Send.Folders += m.Bytes
	a.plan.There.Folders -= m.Bytes
}

// unasked is the failure of a node that says it has run what it was not given.
func unasked() *failure {
	f := failed(tryOther, job.CodeUnverified, "says that it runs a job whose input it does not have")
	f.leave = true
	return f
}
