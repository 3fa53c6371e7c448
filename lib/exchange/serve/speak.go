package serve

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"plasm/lib/exchange/wire"
	"plasm/lib/job"
	"plasm/lib/store"
)

// speak tells the requester how its job stands, from its place in the queue to the
// result. An error: the stream is of no more use.
func (x *session) speak(ctx context.Context) error {
	now, err := x.untilAccepted(ctx)
	switch {
	case err != nil:
		return err
	case now.phase == over && now.ending.receipt == nil:
		return x.last(now.ending)
	}
	if accepted, err := x.accept(); !accepted || err != nil {
		return err
	}
	now, err = x.untilStarted(ctx)
	refused, isRefusal := errors.AsType[*refusalError](err)
	switch {
	case isRefusal:
		return x.reject(refused.why)
	case err != nil:
		return err
	case !now.started:
		return x.last(now.ending)
	}
	if err := x.conn.Send(&wire.Started{RunningMS: milliseconds(now.running, job.MaxTimeout)}); err != nil {
		return err
	}
	if err := x.output(ctx); err != nil {
		if refused, ok := errors.AsType[*refusalError](err); ok {
			return x.reject(refused.why)
		}
		return err
	}
	select {
	case <-x.task.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	now, _ = x.task.look()
	return x.last(now.ending)
}

// milliseconds is a time as messages have it, 0 to most.
func milliseconds(d time.Duration, most int64) int64 {
	return min(max(d.Milliseconds(), 0), most)
}

// queuedEvery is the least time between two queued frames.
const queuedEvery = 500 * time.Millisecond

// untilAccepted tells of the place in the queue until there is none any more.
func (x *session) untilAccepted(ctx context.Context) (view, error) {
	tick := time.NewTicker(queuedEvery)
	defer tick.Stop()
	var told wire.Queued
	due := true
	for {
		now, changed := x.task.look()
		if now.phase != waiting {
			return now, nil
		}
		place := wire.Queued{Position: int64(now.position), WaitMS: milliseconds(now.wait, job.MaxTimeout)}
		if due && now.position > 0 && place != told {
			if err := x.conn.Send(&place); err != nil {
				return now, err
			}
			told, due = place, false
		}
		select {
		case <-changed:
		case <-tick.C:
			due = true
		case <-ctx.Done():
			return now, context.Cause(ctx)
		}
	}
}

// accept says what the job lacks. False: that doesn't fit through a relay, and the
// requester was told.
func (x *session) accept() (bool, error) {
	a := x.task.needs(x.offer, x.attached)
	if r := x.overRelay(a); r != nil {
		if !x.attached {
			x.task.abandon()
		}
		return false, x.reject(r)
	}
	x.takes, x.stdinFrom, x.accepted = a.Module, a.StdinFrom, true
	x.trees, x.wants, x.lacking = a.Trees, a.Want, x.offer.Lacking(a)
	x.s.cfg.Observe.Offered("accepted")
	x.s.log.Info("job.accepted", "requester", x.offer.Requester, "job", x.manifest.ID, "peer", x.transport, "attached",
		a.Attached,
		"module", a.Module, "trees", len(a.Trees), "stdin", a.Stdin, "duration", time.Since(x.opened))
	return true, x.conn.Send(a)
}

// untilStarted waits for the job to start, or to end without.
func (x *session) untilStarted(ctx context.Context) (view, error) {
	for {
		now, changed := x.task.look()
		if now.started || now.phase == over {
			return now, nil
		}
		if x.wants {
			if err := x.tellWant(); err != nil {
				return now, err
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return now, context.Cause(ctx)
		}
	}
}

// tellWant says what contents the job lacks, once that is known.
func (x *session) tellWant() error {
	w := x.task.folders.want()
	if w == nil {
		return nil
	}
	x.wants = false
	if need := x.lacking + w.Bytes; x.budget != wire.NoLimit && need > x.budget {
		if !x.attached {
			x.task.abandon()
		}
		return &refusalError{wire.RelayLimited(need, x.budget)}
	}
	x.asked.Store(w)
	return x.conn.Send(w)
}

// last sends the last frame. Who has cancelled a job before it started is told
// nothing more.
func (x *session) last(end ending) error {
	switch {
	case end.receipt != nil:
		if end.cause != nil {
			if err := x.conn.Send(&wire.Cause{Rejection: *end.cause}); err != nil {
				return err
			}
		}
		if len(end.trace) > 0 {
			if err := x.conn.Send(&wire.Trace{Functions: end.trace}); err != nil {
				return err
			}
		}
		return x.conn.Send(&wire.Result{Receipt: end.receipt})
	case x.cancelled.Load():
		return nil
	}
	return x.reject(end.verdict)
}

// output sends both outputs to their ends.
func (x *session) output(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var stdout, stderr, folders int64
	if x.attached {
		stdout, stderr, folders = x.offer.StdoutFrom, x.offer.StderrFrom, x.offer.FoldersFrom
	}
	follow := func(kind wire.Kind, spool *store.Spool, from int64) {
		if err := x.follow(kind, spool.Follow(ctx, from)); err != nil {
			cancel(err)
		}
	}
	var streams sync.WaitGroup
	streams.Go(func() { follow(wire.KindStderr, x.task.job.Stderr(), stderr) })
	if spool := x.task.job.Folders(); spool != nil {
		streams.Go(func() { follow(wire.KindFolders, spool, folders) })
	}
	follow(wire.KindStdout, x.task.job.Stdout(), stdout)
	streams.Wait()
	return context.Cause(ctx)
}

// errSlow says that a result was not taken in time.
var errSlow = errors.New("the other end takes the output too slowly")

// follow sends one output as it comes. What lies beyond its end is nothing.
func (x *session) follow(kind wire.Kind, r io.Reader) error {
	buffer, _ := x.s.buffers.Get().(*[]byte)
	defer x.s.buffers.Put(buffer)
	var since time.Time // since when all of it could be taken
	var sent int64
	for {
		n, err := r.Read(*buffer)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, store.ErrOffset):
			return nil
		case err != nil:
			return err
		}
		if err := x.sendOutput(kind, (*buffer)[:n]); err != nil {
			return err
		}
		select {
		case <-x.task.done:
			if since.IsZero() {
				since = time.Now()
			}
			if sent += int64(n); time.Since(since) > x.s.cfg.Flush+x.s.atRate(sent) {
				return errSlow
			}
		default:
		}
	}
}

// sendOutput sends a piece of output, if it fits through.
func (x *session) sendOutput(kind wire.Kind, p []byte) error {
	if sent := x.sent.Add(int64(len(p)) + relayFrame); x.budget != wire.NoLimit && sent > x.budget {
		return &refusalError{wire.RelayLimited(sent, x.budget)}
	}
	if err := x.conn.SendData(kind, p); err != nil {
		return err
	}
	x.s.cfg.Observe.Moved(kind.String(), len(p))
	return nil
}
