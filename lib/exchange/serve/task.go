package serve

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"plasm/lib/exchange/queue"
	"plasm/lib/exchange/wire"
	"plasm/lib/job"
	"plasm/lib/receipt"
	"plasm/lib/sandbox"
	"plasm/lib/store"
)

// phase is how far a task has come.
type phase int

const (
	waiting  phase = iota // for a slot
	accepted              // has slot and room, and lacks module or input, or is compiled
	running               // the guest's first instruction may have run
	over
)

// task is one job between its first offer and its end, or one from the store.
type task struct {
	s           *Server
	key         jobKey
	client      queue.Client
	peer        string // at the other end of the connection that brought the first offer
	manifest    *job.Manifest
	document    []byte          // the manifest as it came
	moduleBytes int64           // as the first offer says
	stdinBytes  int64           // as above; wire.StdinUnknown
	trees       []wire.TreeSize // as above
	offered     time.Time
	cancel      context.CancelCauseFunc // of live's context
	gone        chan struct{}           // closed when the task is not in Server.tasks any more
	done        chan struct{}           // closed when it is over
	touched     atomic.Int64            // when the last byte of an upload came, in nanoseconds since offered

	mu       sync.Mutex
	changed  chan struct{} // closed at the next change, if somebody waits for one
	phase    phase
	sealed   bool // nobody can join: it is about to be gone
	sessions int
	refs     int // sessions, and live; who has one may use job
	position int // in the queue
	wait     time.Duration
	job      *store.Job // from accepted on; nil when it never came to that
	module   []byte     // from when it is there until it has run
	input    input      // from accepted on
	folders  *folders   // likewise; nil of a job that begins with none
	started  time.Time
	ran      time.Duration   // of one that is over
	finished time.Time       // of one that is over
	report   *sandbox.Report // of one that started and is over
	detached bool            // its requester may come back without what it began with
	ending   ending          // of one that is over
}

// ending is what came of a job: a receipt, or else a verdict.
type ending struct {
	receipt []byte         // the envelope of a job that started
	cause   *job.Rejection // why the node has ended such a job; nil: it has not
	trace   []string       // of a trap, where it is known
	verdict *job.Rejection // why there is no receipt
}

// newTask starts a task for what a session has offered, joined by it; Server.mu is
// held, and live counts it.
func newTask(s *Server, x *session, k jobKey) *task {
	ctx, cancel := context.WithCancelCause(context.Background())
	t := &task{
		s: s, key: k, client: x.client, peer: x.transport, manifest: x.manifest, document: x.offer.Manifest,
		moduleBytes: x.offer.ModuleBytes, stdinBytes: x.offer.StdinBytes, trees: x.offer.Trees, offered: time.Now(),
		cancel: cancel, gone: make(chan struct{}), done: make(chan struct{}), sessions: 1, refs: 2,
		detached: x.offer.Detach,
	}
	go t.live(ctx)
	return t
}

// storedTask is the task of a job that is done, joined. It takes j over, unless
// there is a rejection.
func (s *Server) storedTask(j *store.Job, x *session) (*task, *job.Rejection) {
	m, err := job.DecodeManifest(j.Manifest())
	if err != nil {
		s.log.Error("stored manifest is none", "job", x.manifest.ID, "error", err)
		return nil, internal("the node's storage does not work")
	}
	if !m.Equal(x.manifest) {
		return nil, conflict(m.ID, "manifest")
	}
	t := &task{s: s, manifest: m, job: j, phase: over, sessions: 1, refs: 1, done: make(chan struct{})}
	close(t.done)
	t.ending.receipt = j.Receipt()
	if claims, err := receipt.Claims(t.ending.receipt); err == nil { // our own: it is one
		t.ran = time.Duration(claims.Outcome.WallTimeUS) * time.Microsecond
	}
	return t, nil
}

// same says whether what a session has offered is this very job.
func (t *task) same(x *session) *job.Rejection {
	switch {
	case !t.manifest.Equal(x.manifest):
		return conflict(t.manifest.ID, "manifest")
	case x.offer.Attach:
		return nil
	case t.moduleBytes != x.offer.ModuleBytes || t.stdinBytes != x.offer.StdinBytes:
		return conflict(t.manifest.ID, "size of module or input")
	case !slices.Equal(t.trees, x.offer.Trees):
		return conflict(t.manifest.ID, "size of trees")
	}
	return nil
}

// join counts a session in, unless the task is about to be gone. Of a session that
// detaches, see task.detached.
func (t *task) join(detaches bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sealed {
		return false
	}
	t.sessions++
	t.refs++
	t.detached = t.detached || detaches
	return true
}

// leave counts a session out. A task that still waits for a slot has no reason to
// without one.
func (t *task) leave() {
	t.mu.Lock()
	t.sessions--
	if t.phase == waiting && t.sessions == 0 {
		t.sealed = true
		t.cancel(errAbandoned)
	}
	t.mu.Unlock()
	t.release()
}

// release gives a reference back.
func (t *task) release() {
	t.mu.Lock()
	t.refs--
	last := t.refs == 0
	t.mu.Unlock()
	if last && t.job != nil {
		t.job.Close()
	}
}

// abort stops the job, however far it has come. One that is over stays as it is.
func (t *task) abort(cause error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.phase == over || t.cancel == nil {
		return
	}
	t.sealed = true
	t.cancel(cause)
}

// abandon stops the job if it has one session only, and has not started.
func (t *task) abandon() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.phase == accepted && t.sessions == 1 {
		t.sealed = true
		t.cancel(errAbandoned)
	}
}

// refuse stops a job because of what is wrong with it.
func (t *task) refuse(why *job.Rejection) { t.abort(&refusalError{why}) }

// change changes the task and tells those who look at it.
func (t *task) change(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f()
	if t.changed != nil {
		close(t.changed)
		t.changed = nil
	}
}

// view is what sessions see of a task at one moment.
type view struct {
	phase    phase
	position int
	wait     time.Duration
	lacking  bool // module or input
	started  bool
	running  time.Duration // for how long, or how long it ran
	ending   ending
}

// look returns how the task stands, and a channel that is closed when that changes.
func (t *task) look() (view, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.changed == nil {
		t.changed = make(chan struct{})
	}
	v := view{
		phase: t.phase, position: t.position, wait: t.wait, lacking: t.module == nil,
		started: t.phase == running || t.ending.receipt != nil, running: t.ran, ending: t.ending,
	}
	if t.phase == running {
		v.running = time.Since(t.started)
	}
	if t.input != nil && !t.input.ready() {
		v.lacking = true
	}
	if t.folders != nil && t.phase == accepted && !t.folders.ready() {
		v.lacking = true
	}
	return v, t.changed
}

// needs returns what a session is to be told when the job is accepted.
func (t *task) needs(o *wire.Offer, attached bool) *wire.Accept {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := &wire.Accept{Attached: attached}
	if o.Attach || o.Detach {
		a.State, a.KeepMS = t.state(), milliseconds(t.job.Keep(), wire.MaxKeep)
	}
	if t.phase == over || o.Attach {
		return a
	}
	a.Module = t.phase == accepted && t.module == nil
	if t.folders != nil && t.phase == accepted {
		a.Trees, a.Want = t.folders.lacking()
	}
	come, complete := t.input.come()
	a.Stdin = !complete
	if a.Stdin && attached {
		a.StdinFrom = come
	}
	return a
}

// state is how far the job has come; mu is held.
func (t *task) state() wire.State {
	switch t.phase {
	case running:
		return wire.Running
	case over:
		return wire.Ended
	default:
		return wire.Waiting
	}
}

// setModule hands the task its module.
func (t *task) setModule(module []byte) {
	t.change(func() {
		if t.module == nil && t.phase == accepted {
			t.module = module
		}
	})
}

// poke tells those who look that the input is whole.
func (t *task) poke() { t.change(func() {}) }

// touch notes that something of an upload came.
func (t *task) touch() { t.touched.Store(int64(time.Since(t.offered))) }

// quiet is for how long nothing of an upload came.
func (t *task) quiet() time.Duration { return time.Since(t.offered) - time.Duration(t.touched.Load()) }

// streamed reports whether the input ends when it ends.
func (t *task) streamed() bool { return t.stdinBytes == wire.StdinUnknown }
