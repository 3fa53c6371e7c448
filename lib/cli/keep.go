package cli

import (
	"errors"
	"io"
	"time"

	"plasm/lib/job"
)

// Keep says how much of a folder of results is kept: at most Bytes, where that is not 0,
// and what was used within Age, where that is not 0.
type Keep struct {
	Bytes int64
	Age   time.Duration
}

// keep is a flag value: an amount of bytes, or a duration.
type keep struct {
	text string
	into *Keep
}

func (k *keep) String() string { return k.text }

func (k *keep) Set(s string) error {
	var bytes, ms int64
	*k.into = Keep{}
	if err := (amount{&bytes, Byte, 1, job.MaxSafeInt}).Set(s); err == nil {
		k.into.Bytes = bytes
	} else if err := (millis{&ms, maxKeepMS}).Set(s); err == nil {
		k.into.Age = time.Duration(ms) * time.Millisecond
	} else {
		return errors.New("neither an amount such as 10G nor a duration such as 720h")
	}
	k.text = s
	return nil
}

// maxKeepMS is the longest time to keep results, in milliseconds: a hundred years.
const maxKeepMS = 100 * 366 * 24 * 3600 * 1000

// addResults adds the flags about results that are used again.
func (j *JobFlags) addResults(f *Flags) {
	f.Path(&j.Results, Flag{
		Name: "results", Category: TheOutput, Value: "DIR",
		Usage: "use a result in this folder again where it is of the same job and verifies now, else put it there",
		More: "Deterministic jobs that ended by themselves, with all input known; the folder is made if it is not " +
			"there. The receipt is then the old one, and `--json` says `reused`.",
		Complete: Completion{Folders: true},
	})
	f.define(Flag{
		Name: "results-keep", Category: TheOutput, Value: "BYTES|DUR",
		Usage: "keep this much of the folder of --results, or what was used in this time",
		More:  "`10G`, `720h`; without it all is kept.",
	}, Text, &keep{into: &j.ResultsKeep})
}

// tee is an output of which a copy is kept.
type tee struct {
	io.Writer
	copy   *Spool
	failed error // of the copy, which then is of no use
}

// Write writes p. That the copy cannot be kept does not fail it.
func (t *tee) Write(p []byte) (int, error) {
	n, err := t.Writer.Write(p)
	if t.failed == nil {
		_, t.failed = t.copy.Write(p[:n])
	}
	return n, err
}

// SetWriteDeadline ends a Write that a reader holds up, where that can be done.
func (t *tee) SetWriteDeadline(at time.Time) error {
	if d, ok := t.Writer.(interface{ SetWriteDeadline(t time.Time) error }); ok {
		return d.SetWriteDeadline(at)
	}
	return nil
}

// keepCopies has a copy of both outputs kept, where nothing else keeps one.
func (o *Outputs) keepCopies() {
	if o.flags.Results == "" || o.flags.JSON {
		return
	}
	for i, w := range []*io.Writer{&o.Stdout, &o.Stderr} {
		o.copies[i] = &tee{Writer: *w, copy: &Spool{limit: o.flags.spooled}}
		*w = o.copies[i]
	}
}

// Kept returns the result of a job with --results, and readers of its outputs from their
// beginnings. Finish comes before it, and Print after it. The result is nil where no
// receipt could be made.
func (o *Outputs) Kept() (r *job.Result, stdout, stderr io.Reader, err error) {
	if o.receipt == nil {
		return nil, nil, nil, nil
	}
	spools := o.spooled
	for _, t := range o.copies {
		if t == nil {
			continue
		}
		if t.failed != nil {
			return nil, nil, nil, t.failed
		}
		spools = append(spools, t.copy)
	}
	var readers [2]io.Reader
	for i, s := range spools {
		if readers[i], err = s.Reader(); err != nil {
			return nil, nil, nil, err
		}
	}
	return &job.Result{Envelope: o.receipt, Trace: o.Trace}, readers[0], readers[1], nil
}

// Whole reads input that is still to come to its end, and puts its digest into the manifest.
// An error is a *job.Error.
func (d *Description) Whole() error {
	if d.Input.Hash != "" && !d.Input.unseen {
		return nil
	}
	spool := &Spool{}
	if _, err := io.Copy(spool, d.Input.Reader); err != nil {
		_ = spool.Close() // the other error is the one to tell
		return inputError(err)
	}
	whole, err := spooledInput(spool)
	if err != nil {
		return err
	}
	d.Input.Close()
	d.Input = whole
	return bind(whole, d.Manifest)
}
