package bulk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"plasm/lib/batch"
	"plasm/lib/cli"
	"plasm/lib/cli/reuse"
	"plasm/lib/job"
	"plasm/lib/tree"
)

// Task is an item's job, described.
type Task struct {
	*cli.Item

	Of       *batch.Item
	Deadline time.Duration // from its first attempt on; 0: any time
	Own      io.Closer     // what Command.Attempt keeps from one attempt to the next, or nil

	c  *Command
	mu sync.Mutex // held while an attempt begins: two may run at once
}

// begin gives the task's manifest its ID, which is the same in all attempts.
func (t *Task) begin(a batch.Attempt) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.Manifest.ID != a.ID {
		t.Manifest.ID = a.ID
	}
}

// Pack returns the folders that the task begins with, nil where there are none. It may be
// called by two attempts at once.
func (t *Task) Pack() (*tree.Pack, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.Travel.Open(t.Manifest)
}

// Close lets go of what the task has open.
func (t *Task) Close() {
	if t.Own != nil {
		_ = t.Own.Close() // of no use any more
	}
	t.Item.Close()
}

// Name is what messages call the task in an attempt.
func (t *Task) Name(a batch.Attempt) string { return t.c.about(t.Of, a) }

// about names an item and, where there was one, the job and its place.
func (c *Command) about(it *batch.Item, a batch.Attempt) string {
	text := fmt.Sprintf("%s: item %d", c.Name, it.Index)
	if it.Label != "" {
		text += " (" + it.Label + ")"
	}
	if a.ID != "" {
		text += ", job " + a.ID
	}
	if a.Place != "" {
		text += ", node " + c.called(a.Place)
	}
	return text
}

// called is what words for people call a place.
func (c *Command) called(place string) string {
	if c.Called == nil {
		return place
	}
	return c.Called(place)
}

// runner is the batch.Runner of a command.
type runner struct{ c *Command }

// Describe reads what an item's job is made of.
func (r runner) Describe(ctx context.Context, it *batch.Item) (batch.Job, error) {
	t := &Task{Of: it, c: r.c}
	err := cli.Interruptible(ctx, func() (err error) {
		t.Item, err = r.c.shared.Describe(ctx, it.Line)
		return err
	})
	if err != nil {
		return nil, err
	}
	t.Deadline = r.c.Deadline(t.Manifest)
	return jobOf{t}, nil
}

// Failed returns what is printed of an item without a result.
func (r runner) Failed(it *batch.Item, a batch.Attempt, err error) batch.Printed {
	if errors.Is(err, r.c.Expired) && cli.AsError(err).Code != job.CodeDeadline {
		err = &job.Error{
			Code: job.CodeDeadline, Message: "the deadline has passed",
			Hint: "allow it more with --deadline", Err: err,
		}
	}
	e := *cli.AsError(err)
	e.Message, e.Hint = cli.OneLine(e.Message), cli.OneLine(e.Hint)
	p := batch.Printed{Stderr: func(w io.Writer) error {
		var words bytes.Buffer
		for _, n := range e.Nodes {
			_, _ = fmt.Fprintf(&words, "%s: %s: %s\n", r.c.about(it, batch.Attempt{}), r.c.called(n.PeerID),
				cli.OneLine(string(n.Rejection.Code)+": "+n.Rejection.Message))
		}
		cli.Fail(&words, r.c.about(it, a), &e)
		_, err := w.Write(words.Bytes())
		return err
	}}
	if r.c.Job.JSON {
		p.Stdout = func(w io.Writer) error {
			_, err := w.Write(job.EncodeItemError(it.Index, it.Label, &e))
			return err
		}
	}
	return p
}

// jobOf is a task as package batch wants it.
type jobOf struct{ t *Task }

func (j jobOf) Work() job.Digest        { return j.t.Manifest.WorkDigest() }
func (j jobOf) Deadline() time.Duration { return j.t.Deadline }
func (j jobOf) Check(again bool) error  { return j.t.Look(again) }
func (j jobOf) Close()                  { j.t.Close() }

func (j jobOf) Attempt(ctx context.Context, a batch.Attempt, started func()) (*batch.Result, *batch.Failure) {
	j.t.begin(a)
	if hit := j.t.c.Shelf.Find(j.t.Manifest); hit != nil {
		defer hit.Close()
		return j.t.reuse(ctx, a, hit)
	}
	return j.t.c.Attempt(ctx, j.t, a, started)
}

// reuse is the attempt that needs no run.
func (t *Task) reuse(ctx context.Context, a batch.Attempt, hit *reuse.Hit) (*batch.Result, *batch.Failure) {
	if a.First != nil && !a.First() {
		return nil, Outrun()
	}
	out, err := t.Open(ctx, a)
	if err != nil {
		return nil, Failure(err)
	}
	if err := hit.Write(out.Outputs); err != nil {
		out.Discard()
		return nil, Failure(err)
	}
	return out.Done(hit.Outcome, nil, job.Sum(hit.Receipt), func() ([]byte, error) { return hit.Receipt, nil }), nil
}

// Output is where the output of one attempt goes.
type Output struct {
	*cli.Outputs

	Words []string // what people are to know of how the result came about, one line each

	// Deliver puts the folders of the job in place, and returns those for the document of
	// --json; nil: it has none. tell is told what people are to know.
	Deliver func(tell func(line string)) (*job.Carried, error)

	t              *Task
	a              batch.Attempt
	stdout, stderr *cli.Spool // for what goes to no file
	line           *cli.Spool // the document about it, where that can be read only now
}

// Open opens where a task's output goes. Done or Discard must follow.
func (t *Task) Open(ctx context.Context, a batch.Attempt) (*Output, error) {
	o := &Output{t: t, a: a, line: cli.ItemSpool(), stdout: cli.ItemSpool(), stderr: cli.ItemSpool()}
	var err error
	if o.Outputs, err = t.c.shared.Open(ctx, t.Of.Line, o.stdout, o.stderr); err != nil {
		return nil, err
	}
	return o, nil
}

// Done puts the files of a job that has started in place, and returns its result. cause
// is why it was cancelled or the engine failed. receipt is called only where one is
// wanted; id is its digest, where it is known without.
func (o *Output) Done(outcome *job.Outcome, cause error, id job.Digest, receipt func() ([]byte, error)) *batch.Result {
	var words bytes.Buffer
	name := o.t.Name(o.a)
	for _, line := range o.Words {
		_, _ = fmt.Fprintf(&words, "%s: %s\n", name, cli.OneLine(line))
	}
	cli.TellOutcome(&words, name, o.t.Manifest, outcome, cause, o.Trace)
	if outcome.Status == job.Exit && *outcome.ExitCode != 0 {
		_, _ = fmt.Fprintf(&words, "%s: exit code %d\n", name, *outcome.ExitCode)
	}
	r := &batch.Result{Status: outcome.Status, ExitCode: outcome.ExitCode, Receipt: id, Reused: o.Reused}
	err := o.Finish(func() ([]byte, error) {
		signed, err := receipt()
		if err == nil {
			r.Receipt = job.Sum(signed)
		}
		return signed, err
	})
	if err == nil && !o.Reused {
		o.t.c.Shelf.Put(o.t.Manifest, outcome, o.Outputs)
	}
	if o.Deliver != nil {
		folders, undelivered := o.Deliver(func(line string) {
			_,
				_ = fmt.Fprintf(&words, "%s: %s\n", name, cli.OneLine(line))
		})
		o.Folders, err = folders, errors.Join(err, undelivered)
	}
	if err != nil {
		r.Failed = true
		cli.Fail(&words, name, err)
	}
	r.Close = o.release
	r.Stderr = func(w io.Writer) error { return errors.Join(copySpool(w, o.stderr), writeAll(w, words.Bytes())) }
	r.Stdout = func(w io.Writer) error { return copySpool(w, o.stdout) }
	if o.t.c.Job.JSON {
		r.Stderr = func(w io.Writer) error { return writeAll(w, words.Bytes()) }
		r.Stdout = func(w io.Writer) error { return o.document(w, err) }
		if o.Folders != nil { // their contents are gone once the attempt is over
			written := o.document(o.line, err)
			r.Stdout = func(w io.Writer) error { return errors.Join(written, copySpool(w, o.line)) }
		}
	}
	return r
}

// document writes the item's line of --json. err is why files, or the receipt, could not
// be written.
func (o *Output) document(w io.Writer, err error) error {
	if o.Printable() {
		return o.PrintItem(w, o.t.Of.Index, o.t.Of.Label)
	}
	return writeAll(w, job.EncodeItemError(o.t.Of.Index, o.t.Of.Label, cli.AsError(err)))
}

// Discard lets go of everything; files do not appear.
func (o *Output) Discard() {
	o.Outputs.Discard()
	o.release()
}

// release lets go of what was to be printed.
func (o *Output) release() {
	o.Release()
	_ = o.stdout.Close() // of no use any more
	_ = o.stderr.Close()
	_ = o.line.Close()
}

func copySpool(w io.Writer, s *cli.Spool) error {
	r, err := s.Reader()
	if err == nil {
		_, err = io.Copy(w, r)
	}
	return err
}

func writeAll(w io.Writer, p []byte) error {
	if len(p) == 0 {
		return nil
	}
	_, err := w.Write(p)
	return err
}

// Outrun is the failure of an attempt that another of the same item was faster than.
func Outrun() *batch.Failure {
	return &batch.Failure{Kind: batch.Outrun, Err: errors.New("another node has answered first")}
}

// Failure is the failure of an attempt on which no other would improve. One that blames
// the module, or what all items ask for, ends a batch that has not got anywhere.
func Failure(err error) *batch.Failure {
	f := &batch.Failure{Kind: batch.Final, Err: err}
	switch cli.AsError(err).Code {
	case job.CodeBadModule, job.CodeModuleRefused, job.CodeCompileLimit, job.CodeGuards, job.CodeUnsupported:
		f.Kind = batch.Hopeless
	default:
	}
	return f
}
