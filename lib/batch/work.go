package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"plasm/lib/job"
)

// end is how an item has ended.
type end struct {
	Printed

	ok     bool
	resume bool   // it had ended before
	record *Entry // what is logged once all is printed; nil: nothing
}

// work brings an item to its end.
func (b *Batch) work(ctx context.Context, it *Item, t turn) {
	defer b.stirred()
	defer b.running.Add(-1)
	e := b.finish(ctx, it)
	if e == nil { // stopped, not ended
		b.left.Store(true)
		b.printer.skip(t)
		return
	}
	if !e.ok && b.cfg.Halt {
		b.close()
	}
	b.printer.put(t, e.Printed, func(err error) { b.printed(e, err) })
}

// printed takes note of an item whose output is out, or could not be written.
func (b *Batch) printed(e *end, err error) {
	if err != nil {
		b.fatal(err)
		b.left.Store(true)
		return
	}
	if e.resume {
		b.resumed.Add(1)
	}
	if e.ok {
		b.succeeded.Add(1)
	} else {
		b.failed.Add(1)
	}
	if e.record != nil {
		b.append(e.record)
	}
}

// fatal breaks the batch off.
func (b *Batch) fatal(err error) {
	b.close()
	b.stop(err)
}

// append logs an event, and reports whether that could be done.
func (b *Batch) append(e *Entry) bool {
	e.Time = time.Now()
	err := b.cfg.Log.append(e)
	if err != nil {
		b.fatal(err)
	}
	return err == nil
}

// finish describes and runs an item's job. It returns nil where that was broken off.
func (b *Batch) finish(ctx context.Context, it *Item) *end {
	if it.Err != nil {
		return b.failure(it, nil, Attempt{}, it.Err)
	}
	j, err := b.cfg.Runner.Describe(ctx, it)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil
	case err != nil:
		return b.failure(it, nil, Attempt{}, err)
	}
	t := &trial{b: b, it: it, j: j, record: Entry{Index: it.Index, Label: it.Label, Input: j.Work(), Job: job.NewID()}}
	defer t.close()
	wanted, again := "", false
	if past, ok := b.cfg.Log.past(it.Index); ok {
		switch {
		case past.work != workOf(t.record.Input):
			b.cfg.Note(fmt.Sprintf("item %d is not what it was when it was logged: it is a new job", it.Index))
		case past.event == Ended:
			return &end{ok: past.ok, resume: true}
		case past.event == Started:
			t.record.Job, wanted, again = past.id(), past.node, true
		}
	}
	if err := j.Check(again); err != nil {
		return b.failure(it, nil, Attempt{}, err)
	}
	t.search = b.cfg.Fleet.seek(wanted)
	return t.run(ctx)
}

// trial is the search for a result of one item.
type trial struct {
	b       *Batch
	it      *Item
	j       Job
	record  Entry // what is logged of it
	search  *search
	last    *Failure
	offered bool
	counted int

	deadline *time.Timer
	racing   sync.WaitGroup // attempts with Config.Hedge
}

// close ends the trial, and lets go of the job once no attempt needs it any more.
func (t *trial) close() {
	if t.b.pace == nil {
		t.j.Close()
	} else {
		t.b.working.Go(func() {
			t.racing.Wait()
			t.j.Close()
		})
	}
	t.forget()
	if t.deadline != nil {
		t.deadline.Stop()
	}
}

// forget lets go of what there was to show.
func (t *trial) forget() {
	if t.last != nil && t.last.Result != nil && t.last.Result.Close != nil {
		t.last.Result.Close()
	}
}

// run runs the job until there is a result or no hope.
func (t *trial) run(ctx context.Context) *end {
	b := t.b
	ctx, expire := context.WithCancelCause(ctx)
	defer expire(nil)
	for {
		p, err := b.cfg.Fleet.take(ctx, t.search, b.cfg.Patience)
		if err != nil {
			return t.nowhere(ctx, err)
		}
		if d := t.j.Deadline(); d > 0 && !t.offered {
			t.deadline = time.AfterFunc(d, func() { expire(b.cfg.Expired) })
		}
		t.offered = true
		attempt := t.attempt
		if b.pace != nil {
			attempt = t.race
		}
		end := attempt(ctx, p)
		t.record.Node = end.p.name
		f := end.failure
		switch {
		case f == nil && end.result == nil:
			return nil
		case f == nil:
			return t.result(ctx, end.result)
		}
		t.failed(end)
		if ctx.Err() != nil || f.final() || t.counted > b.cfg.Retries {
			return t.nowhere(ctx, f.Err)
		}
	}
}

// attempt runs the job once at a place.
func (t *trial) attempt(ctx context.Context, p *place) tried {
	if !t.logged(p) {
		return tried{p: p}
	}
	return t.b.attempt(ctx, t.j, p, Attempt{ID: t.record.Job, Place: p.name})
}

// logged logs that the job is about to be offered to p. Where that can't be done the batch
// is over.
func (t *trial) logged(p *place) bool {
	if !t.search.first(p) {
		return true
	}
	started := t.record
	started.Node, started.Event = p.name, Started
	if t.b.append(&started) {
		return true
	}
	p.release(&Failure{}, 0)
	return false
}

// attempt makes an attempt at a place.
func (b *Batch) attempt(ctx context.Context, j Job, p *place, a Attempt) tried {
	began := time.Now()
	result, f := j.Attempt(ctx, a, func() { b.worked.Store(true); p.started() })
	took := time.Since(began)
	if f == nil && !result.Reused {
		b.pace.add(took)
	}
	p.release(f, took)
	return tried{p, result, f}
}

// failed takes note of a failed attempt.
func (t *trial) failed(one tried) {
	f := one.failure
	if f.Counted {
		t.counted++
	}
	if f.Result == nil && t.last != nil {
		f.Result = t.last.Result // which is as true as it was
	} else {
		t.forget()
	}
	t.last = f
	t.search.avoid(one.p, f.Kind, t.b.worked.Load())
}

// final reports whether no other place would do better.
func (f *Failure) final() bool { return f.Kind == Final || f.Kind == Hopeless }

// nowhere is the end of an item that no place has brought to a result, because of err:
// the result that there is all the same, or a failure.
func (t *trial) nowhere(ctx context.Context, err error) *end {
	b := t.b
	if b.broken(ctx) {
		if t.offered {
			t.record.Event = Failed
			b.append(&t.record)
		}
		return nil
	}
	if t.last != nil && t.last.Result != nil {
		result := t.last.Result
		t.last.Result = nil
		return t.result(ctx, result)
	}
	if errors.Is(err, ErrStarved) {
		b.fatal(err)
		return nil
	}
	lost := errors.Is(err, ErrNoPlace)
	if lost && t.last == nil {
		err = b.cfg.Fleet.refusal()
	}
	if t.last != nil {
		if lost {
			err = t.last.Err
		}
		lost = lost && (t.last.Kind == Unreached || t.last.Kind == Closed) || t.last.Kind == Hopeless
	}
	if lost && !b.worked.Load() { // no other item will fare better
		b.fatal(err)
		return nil
	}
	if !t.offered {
		return b.failure(t.it, nil, Attempt{}, err)
	}
	return b.failure(t.it, &t.record, Attempt{ID: t.record.Job, Place: t.record.Node}, err)
}

// broken reports whether ctx has ended for another reason than the item's deadline.
func (b *Batch) broken(ctx context.Context) bool {
	return ctx.Err() != nil && (b.cfg.Expired == nil || !errors.Is(context.Cause(ctx), b.cfg.Expired))
}

// failure is the end of an item that has no result.
func (b *Batch) failure(it *Item, record *Entry, a Attempt, err error) *end {
	if record != nil {
		record.Event = Failed
	}
	return &end{Printed: b.cfg.Runner.Failed(it, a, err), record: record}
}

// result is the end of an item that has one.
func (t *trial) result(ctx context.Context, r *Result) *end {
	t.record.Status, t.record.ExitCode, t.record.Receipt = r.Status, r.ExitCode, r.Receipt
	t.record.Event = Failed
	if r.ended() {
		t.record.Event = Ended
	}
	if r.Status == job.Cancelled && t.b.broken(ctx) { // with the batch, and so not over
		if r.Close != nil {
			r.Close()
		}
		t.b.append(&t.record)
		return nil
	}
	return &end{Printed: r.Printed, ok: r.succeeded(), record: &t.record}
}

// write writes all that an item prints.
func (p Printed) write(stdout, stderr io.Writer) error {
	if p.Stderr != nil {
		if err := p.Stderr(stderr); err != nil {
			return err
		}
	}
	if p.Stdout != nil {
		return p.Stdout(stdout)
	}
	return nil
}
