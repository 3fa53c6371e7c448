package submit

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"plasm/lib/exchange/wire"
	"plasm/lib/job"
)

// exchange is one connection of an attempt.
type exchange struct {
	a     *attempt
	conn  *wire.Conn
	offer *wire.Offer
	asked int64 // bytes that the node has asked for, as far as that is known; the reader's

	accepted chan *wire.Accept // to the sender; cap 1
	wanted   chan *wire.Want   // likewise
	over     chan struct{}     // closed at the end
	running  sync.WaitGroup
	rejected bool // by the node

	mu       sync.Mutex
	what     string    // took too long, when reading ends by its deadline
	cancelBy time.Time // when a cancelled job must have answered, or zero
}

// exchange offers the job to the node, and returns the envelope that it ends with.
// Errors: a *failure; *wire.BreachError; anything else is a lost connection.
func (a *attempt) exchange(ctx context.Context) ([]byte, error) {
	link, err := a.dial(ctx)
	if err != nil {
		return nil, err
	}
	a.over = link.stream.Conn()
	silent := make(chan context.Context, 1)
	x := &exchange{
		a: a, conn: wire.NewConn(&heard{link.stream, a, silent}, wire.Requester, a.cfg.Wire),
		accepted: make(chan *wire.Accept, 1), wanted: make(chan *wire.Want, 1), over: make(chan struct{}),
	}
	a.cause, a.trace = nil, nil
	x.offer = a.offer(link, a.outputs.stdout.bytes, a.outputs.stderr.bytes, a.outputs.left.bytes)
	x.running.Go(func() { x.send(x.offer) })
	x.running.Go(func() { x.watch(ctx) })
	info := a.c.Info
	x.running.Go(func() { x.seek(silent, a.over, info) })
	envelope, err := x.read(link)
	x.end(err)
	close(x.over)
	x.running.Wait()
	if isLate(err) && ctx.Err() == nil {
		f := late(x.what)
		f.reached = a.accepted
		err = f
	}
	if speaksNot(err) {
		err = noJobs(ctx, err)
	}
	return envelope, err
}

// offer is what the node is asked on a connection, by who has so much of the
// output.
func (a *attempt) offer(l *link, stdout, stderr, folders int64) *wire.Offer {
	o := &wire.Offer{
		Manifest: a.p.manifest, ModuleBytes: int64(len(a.job.Module)), StdinBytes: a.job.StdinBytes,
		StdoutFrom: stdout, StderrFrom: stderr, FoldersFrom: folders, Trees: a.p.folders.sizes,
	}
	if !a.job.inputKnown() {
		o.StdinBytes = wire.StdinUnknown
	}
	a.cfg.only.mark(o)
	o.Sign(a.cfg.Key, a.c.id, l.near)
	return o
}

// end ends the connection as befits how the exchange ended.
func (x *exchange) end(err error) {
	switch {
	case err == nil, errors.Is(err, io.EOF):
		x.conn.Close()
	case x.rejected:
		x.conn.Close()
	case x.a.cfg.only.attaches(): // what has started goes on
		x.conn.Reset()
	case errors.As(err, new(*failure)), isLate(err), x.a.cfg.only == dry:
		x.cancel(cancelTime) // the job must not run on where nobody waits for it
		x.conn.Close()
	default:
		x.conn.Reset()
	}
}

// cancelTime is how long a node has to take the cancel that is the last word to it.
const cancelTime = 200 * time.Millisecond

// cancel sends a cancel, if it can be sent within that time. That it can't, or
// needn't, says the other side.
func (x *exchange) cancel(within time.Duration) (sent bool) {
	done := make(chan struct{})
	x.running.Go(func() {
		defer close(done)
		_ = x.conn.Send(wire.Cancel{})
	})
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	case <-x.over:
		return true
	}
}

// watch cancels the job when ctx ends.
func (x *exchange) watch(ctx context.Context) {
	select {
	case <-x.over:
		return
	case <-ctx.Done():
	}
	if x.a.cfg.only == look {
		x.conn.Reset()
		return
	}
	wait := x.a.cfg.CancelWait
	if cause := context.Cause(ctx); errors.Is(cause, ErrDeadline) || errors.Is(cause, context.DeadlineExceeded) ||
		errors.Is(cause, ErrOutrun) {
		wait = min(wait, cancelTime) // no receipt would be shown
	}
	x.mu.Lock()
	x.cancelBy = time.Now().Add(wait)
	x.conn.ReadBy(x.cancelBy)
	x.mu.Unlock()
	x.a.cfg.Log.Info("job.cancelled", "peer", x.a.c.id, "job", x.a.job.Manifest.ID)
	if !x.cancel(cancelTime) {
		x.a.cancelBeside() // input that nobody takes is in the way
	}
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-x.over:
	case <-timer.C:
		x.a.outputs.interrupt() // whoever takes no output holds up the end
	}
}

// until says how long reading may go on, and what takes too long if it does. The
// zero time is for as long as the connection is alive.
func (x *exchange) until(t time.Time, what string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.what = what
	if x.cancelBy.IsZero() {
		x.conn.ReadBy(t)
	}
}

// read takes what the node says, to its last word.
func (x *exchange) read(l *link) ([]byte, error) {
	answer := time.Now().Add(x.a.cfg.Answer)
	if by := x.a.startBy; !by.IsZero() && by.Before(answer) && !x.a.started {
		answer = by
	}
	x.until(answer, "has not answered the offer in time")
	for {
		kind, err := x.conn.Next()
		if err != nil {
			return nil, err
		}
		if kind.IsData() {
			if err := x.data(kind); err != nil {
				return nil, err
			}
			continue
		}
		m, err := x.conn.Message()
		if err != nil {
			return nil, err
		}
		if r, ok := m.(*wire.Result); ok {
			if x.a.cfg.only == dry {
				return nil, unasked()
			}
			return r.Receipt, nil
		}
		if err := x.message(l, m); err != nil {
			return nil, err
		}
	}
}

// message takes one message that isn't the end.
func (x *exchange) message(l *link, m wire.Message) error {
	switch m := m.(type) {
	case *wire.Queued:
		return x.queued(m)
	case *wire.Accept:
		return x.accept(l, m)
	case *wire.Want:
		return x.want(l, m)
	case *wire.Reject:
		x.rejected = true
		return rejected(m.Rejection)
	case *wire.Started:
		if x.a.cfg.only == dry {
			return unasked()
		}
		x.started(m)
		if x.a.cfg.only == detach {
			return errEnough
		}
	case *wire.Cause:
		x.a.cause = &m.Rejection
	case *wire.Trace:
		x.a.trace = m.Functions
	}
	return nil
}

// queued stays in a node's queue, unless others may be quicker.
func (x *exchange) queued(q *wire.Queued) error {
	a := x.a
	if a.cfg.only == look {
		a.state = wire.Waiting
		return errEnough
	}
	if !a.c.leftQueue && a.p.othersUntried() {
		a.c.leftQueue = true
		f := failed(trySame, job.CodeRefused, "is busy: place %d in its queue; others first", q.Position)
		f.rejection.Code, f.rejection.RetryAfterMS, f.elsewhere = job.RejectBusy, q.WaitMS, true
		return f
	}
	a.cfg.Tell(a.c.id, queuePlace(q))
	if a.cfg.only == dry {
		a.plan.Queue = q
		return errEnough
	}
	x.until(a.startBy, "has not started the job in time")
	return nil
}

// accept takes note of what the node still needs.
func (x *exchange) accept(l *link, m *wire.Accept) error {
	a := x.a
	if !m.Attached && (a.outputs.any() || a.sentStdin) && a.job.Live != nil {
		return failed(giveUp, job.CodeRefused, "the node has lost the job, whose streams can't be sent again: "+
			"leave out --stream")
	}
	switch {
	case !m.Attached && a.accepted: // it runs anew
		a.outputs.reset()
		a.resumed, a.started = false, false
		a.startBy = time.Now().Add(a.cfg.AttemptTimeout) // where that is 0, see below
	case a.outputs.any():
		a.resumed = true
	}
	if !a.accepted {
		a.cfg.Log.Info("job.accepted", "peer", a.c.id, "job", a.job.Manifest.ID)
	}
	a.accepted = true
	a.lostAt = time.Time{}
	a.keep, a.state = time.Duration(m.KeepMS)*time.Millisecond, m.State
	if a.cfg.only == look {
		return errEnough
	}
	if _, r := x.offer.OverRelay(l.budget, m); r != nil { // what it would break off isn't sent
		return rejected(*r)
	}
	if a.cfg.only == dry && a.planned(m) {
		return errEnough
	}
	x.asked = x.offer.Lacking(m)
	a.cfg.Tell(a.c.id, accepted(m, x.asked, a.job))
	switch {
	case a.started:
		x.until(time.Now().Add(a.cfg.Answer), "knows nothing any more of the job that had started")
	case a.cfg.AttemptTimeout == 0:
		a.startBy = time.Now().Add(a.p.startTime())
		fallthrough
	default:
		x.until(a.startBy, "has not started the job in time")
	}
	x.accepted <- m
	return nil
}

// want takes note of the contents that the node still needs.
func (x *exchange) want(l *link, m *wire.Want) error {
	a := x.a
	if err := a.p.folders.check(m); err != nil {
		return err
	}
	x.asked += m.Bytes
	if budget, _ := x.offer.OverRelay(l.budget, &wire.Accept{}); budget != wire.NoLimit && x.asked > budget {
		return rejected(*wire.RelayLimited(x.asked, budget))
	}
	a.cfg.Tell(a.c.id, a.p.folders.tell(m))
	if a.cfg.only == dry {
		a.lacks(m)
		return errEnough
	}
	x.wanted <- m
	return nil
}

// started takes note that the program runs, and when it must have ended.
func (x *exchange) started(m *wire.Started) {
	a := x.a
	if !a.started {
		a.cfg.Tell(a.c.id, "has started the job")
		a.cfg.Log.Info("job.started", "peer", a.c.id, "job", a.job.Manifest.ID)
		a.cfg.Started()
	}
	a.started = true
	left := max(a.job.Manifest.TimeoutMS-m.RunningMS, 0)
	a.endBy = time.Now().Add(time.Duration(left) * time.Millisecond)
	x.progress()
}

// progress puts off the moment at which a started job is given up: output that
// comes takes its time, and the node has to have it all on its disk before it sends
// the result.
func (x *exchange) progress() {
	by := x.a.endBy
	if now := time.Now(); by.Before(now) {
		by = now
	}
	wait := x.a.cfg.Grace + atLeastRate(x.a.outputs.stdout.bytes+x.a.outputs.stderr.bytes+x.a.outputs.left.bytes)
	x.until(by.Add(wait), "has not ended the job in its time")
}

// data takes the output of one frame.
func (x *exchange) data(kind wire.Kind) error {
	for {
		p, err := x.conn.Some()
		if err != nil || len(p) == 0 {
			return err
		}
		if kind == wire.KindFolders {
			if err := x.a.outputs.left.write(p); err != nil {
				return err
			}
		} else if err := x.a.outputs.write(kind, p); err != nil {
			x.a.fail(err) // the rest is only digested
		}
		x.progress()
	}
}
