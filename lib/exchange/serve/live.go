package serve

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"plasm/lib/exchange/queue"
	"plasm/lib/exchange/wire"
	"plasm/lib/job"
	"plasm/lib/receipt"
	"plasm/lib/sandbox"
	"plasm/lib/store"
)

// live takes a task from its offer to its end.
func (t *task) live(ctx context.Context) {
	defer t.s.live.Done()
	defer t.release()
	end := t.pursue(ctx)
	t.unstarted(context.Cause(ctx), end)
	t.s.mu.Lock()
	delete(t.s.tasks, t.key)
	t.change(func() { t.phase, t.ending, t.module, t.finished = over, end, nil, time.Now() })
	t.s.remember(t)
	t.s.mu.Unlock()
	close(t.gone)
	t.cancel(nil)
	close(t.done)
}

// unstarted tells of the end of a job that has not started, unless a session will: each
// says what it rejects.
func (t *task) unstarted(cause error, end ending) {
	t.mu.Lock()
	started, heard := !t.started.IsZero(), t.sessions > 0
	t.mu.Unlock()
	attrs := []any{"requester", t.key.requester, "job", t.key.id, "peer", t.peer, "duration", time.Since(t.offered)}
	switch {
	case started:
	case errors.Is(cause, errCancelled), errors.Is(cause, errAbandoned):
		t.s.log.Info("job.cancelled", append(attrs, "cause", cause)...)
	case !heard:
		t.s.log.Info("job.rejected", append(attrs, "code", string(end.verdict.Code), "reason",
			job.Quote(end.verdict.Message))...)
	}
}

// pursue does what there is to do for a job, and returns its end, which is in the
// store by then, if it is kept. From then on nobody can join.
func (t *task) pursue(ctx context.Context) ending {
	defer t.seal()
	ticket, r := t.s.cfg.Queue.Offer(t.client, t.claim())
	if r != nil {
		return ending{verdict: r}
	}
	defer ticket.Release()
	var space reservation
	if r := t.await(ctx, ticket, &space); r != nil {
		space.giveUp()
		return *r
	}
	run, r := t.settle(ctx, &space)
	if r != nil {
		return ending{verdict: r}
	}
	defer t.forget(run)
	defer t.seal()
	t.change(func() { t.phase = accepted })
	t.touch()
	if end := t.gather(ctx, ticket); end != nil {
		return *end
	}
	if !ticket.Started() {
		return withdrawn(ticket)
	}
	return t.run(ctx, ticket, run)
}

func (t *task) seal() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sealed = true
}

// forget gives up what is in the store of a job that has no end to be kept.
func (t *task) forget(run *store.Run) {
	t.input.close()
	t.folders.close()
	run.Forget(nil)
}

// claim is what the job needs of the queue.
func (t *task) claim() queue.Job {
	upload := t.moduleBytes + max(t.stdinBytes, 0)
	for _, s := range t.trees {
		upload = min(upload+s.DocumentBytes+s.Bytes, job.MaxSafeInt)
	}
	return queue.Job{
		MemoryMB:   t.manifest.MemoryMB,
		Timeout:    time.Duration(t.manifest.TimeoutMS)*time.Millisecond + t.s.cfg.Compile,
		ReserveFor: t.s.cfg.Reserve + t.s.atRate(upload),
	}
}

// atRate is how long so many bytes take at the slowest speed that is put up with.
func (s *Server) atRate(bytes int64) time.Duration {
	return time.Duration(bytes/s.cfg.Rate+1) * time.Second
}

// tellWait is how often those who wait are told how long they still will.
const tellWait = 2 * time.Second

// await waits for a slot. Nil: it is there. A job that is among the next gets its room
// in the store meanwhile, so that no slot waits for the disk; where there is none yet,
// there may be when its turn has come. Of folders, which take much room, none is kept
// free for one that waits.
func (t *task) await(ctx context.Context, ticket *queue.Ticket, space *reservation) *ending {
	for {
		status, moved := ticket.Status()
		switch status.State {
		case queue.Granted, queue.Started:
			return nil
		case queue.Ended:
			return &ending{verdict: status.Rejection}
		case queue.Waiting:
			t.change(func() { t.position, t.wait = status.Position, status.Wait })
			if status.Next && !space.tried && !t.travels() {
				_ = t.reserve(space) // it is tried again
				continue
			}
		}
		timer := time.NewTimer(tellWait)
		select {
		case <-moved:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			end := stopped(context.Cause(ctx))
			return &end
		}
	}
}

// withdrawn is the end of a job whose reservation the queue took back.
func withdrawn(ticket *queue.Ticket) ending {
	status, _ := ticket.Status()
	return ending{verdict: status.Rejection}
}

// reservation is a job's room in the store.
type reservation struct {
	tried bool
	job   *store.Job // nil: there is none
	run   *store.Run
}

func (r *reservation) giveUp() {
	if r.job != nil {
		r.run.Forget(nil)
		r.job.Close()
		r.job = nil
	}
}

// reserve takes room in the store for the job.
func (t *task) reserve(space *reservation) *job.Rejection {
	space.tried = true
	m := t.manifest
	tooLarge := job.RejectOutputTooLarge
	if t.stdinBytes > m.OutputLimitBytes {
		tooLarge = job.RejectInputTooLarge
	}
	scratch := int64(0)
	if len(m.Outputs()) > 0 {
		tooLarge, scratch = job.RejectDisk, max(m.DiskMB<<20, 1)
	}
	j, run, err := t.s.cfg.Store.Accept(store.Request{
		Requester: t.key.requester, ID: t.key.id, Manifest: t.document,
		Input: max(t.stdinBytes, 0), Output: m.OutputLimitBytes, Scratch: scratch, Folders: wire.FoldersMost(m),
	})
	if err != nil {
		return t.s.storeRejection(err, tooLarge)
	}
	if run == nil { // it ran to its end just before this task began
		j.Close()
		return &job.Rejection{Code: job.RejectBusy, Message: "the job has just ended", RetryAfterMS: 1}
	}
	space.job, space.run = j, run
	return nil
}

// settle gives the job its room in the store, its module, if this requester's is
// there, and what it needs for its folders.
func (t *task) settle(ctx context.Context, space *reservation) (*store.Run, *job.Rejection) {
	if space.job == nil {
		if r := t.reserve(space); r != nil {
			return nil, r
		}
	}
	module, r := t.storedModule()
	var begin *folders
	if r == nil && t.travels() {
		begin, r = newFolders(ctx, t)
	}
	if r != nil {
		space.giveUp()
		return nil, r
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.job, t.module, t.folders = space.job, module, begin
	if t.streamed() {
		t.input = newPipe(t.s.cfg.Node().Limits.InputBytes)
	} else {
		t.input = newSpooled(t.job.Stdin(), t.stdinBytes, t.manifest.StdinHash)
	}
	return space.run, nil
}

// travels reports whether the job has folders.
func (t *task) travels() bool { return len(t.manifest.Dirs) > 0 }

// storedModule returns the job's module if its requester has sent it before, else nil.
func (t *task) storedModule() ([]byte, *job.Rejection) {
	m, ok, err := t.s.cfg.Store.Module(t.key.requester, t.manifest.ModuleHash)
	if err != nil {
		return nil, t.s.storeRejection(err, job.RejectInternal)
	}
	if !ok {
		return nil, nil
	}
	defer m.Close()
	module, err := m.Load()
	if err != nil { // damaged: it is sent again
		t.s.log.Warn("stored module cannot be used", "module", t.manifest.ModuleHash, "error", err)
		return nil, nil
	}
	return module, nil
}

// gather waits until module and input are there. Nil: they are.
func (t *task) gather(ctx context.Context, ticket *queue.Ticket) *ending {
	t.s.cfg.Warm()
	idle := time.NewTimer(t.s.cfg.Idle)
	defer idle.Stop()
	for {
		now, changed := t.look()
		status, moved := ticket.Status()
		switch {
		case ctx.Err() != nil:
			end := stopped(context.Cause(ctx))
			return &end
		case status.State != queue.Granted:
			return &ending{verdict: status.Rejection}
		case !now.lacking:
			return nil
		}
		select {
		case <-changed:
		case <-moved:
		case <-ctx.Done():
		case <-idle.C:
			quiet := t.quiet()
			if quiet >= t.s.cfg.Idle {
				return &ending{verdict: &job.Rejection{
					Code:    job.RejectExpired,
					Message: fmt.Sprintf("nothing of the folders, the module or the input came for %v", t.s.cfg.Idle),
				}}
			}
			idle.Reset(t.s.cfg.Idle - quiet)
		}
	}
}

// run has the job run, and returns its end, kept if it is to be.
func (t *task) run(ctx context.Context, ticket *queue.Ticket, run *store.Run) ending {
	unwatch := context.AfterFunc(ctx, t.input.close) // whoever reads it waits no longer
	defer unwatch()
	begin, err := t.sandboxed()
	if err != nil {
		return t.s.startRejection(ctx, err)
	}
	defer begin.Close()
	report, err := t.s.cfg.Run(ctx, &sandbox.Job{
		Manifest: t.manifest, Module: t.module, Requester: t.key.requester,
		Input:  sandbox.Input{Reader: t.input.reader(ctx), Hash: t.manifest.StdinHash},
		Stdout: t.job.Stdout(), Stderr: t.job.Stderr(), Folders: begin,
		RequireGuards: t.s.cfg.RequireGuards, Started: t.begun,
	})
	t.input.close()
	ticket.Release()  // what follows is the disk's, and needs no slot
	runtime.Gosched() // the job that has the slot now goes first
	if err != nil {
		return t.s.startRejection(ctx, err)
	}
	t.begun()
	t.ended(report)
	if err := t.left(ctx, begin, report.Outputs); err != nil {
		return ending{verdict: t.s.storeRejection(err, job.RejectInternal)}
	}
	return t.attest(report, run)
}

// begun is called when the guest's first instruction may have run, once or twice.
func (t *task) begun() {
	first := false
	t.change(func() {
		if first = t.phase == accepted; first {
			t.phase, t.started = running, time.Now()
		}
	})
	if first {
		waited := t.started.Sub(t.offered)
		t.s.cfg.Observe.Started(waited)
		t.s.log.Info("job.started", "requester", t.key.requester, "job", t.key.id, "peer", t.peer, "duration", waited)
	}
}

// ended tells of the end of a job that started.
func (t *task) ended(r *sandbox.Report) {
	took := time.Duration(r.Outcome.WallTimeUS) * time.Microsecond
	t.change(func() { t.ran, t.report = took, r })
	t.s.cfg.Observe.Ended(r.Outcome.Status, took)
	attrs := r.Outcome.Attrs("requester", t.key.requester, "job", t.key.id, "peer", t.peer, "engine", r.Engine.Name)
	if r.Cause != nil {
		attrs = append(attrs, "cause", r.Cause)
	}
	if r.Outcome.Status == job.Cancelled {
		t.s.log.Info("job.cancelled", attrs...)
	} else {
		t.s.log.Info("job.finished", attrs...)
	}
}

// attest signs what happened, and keeps it where the job itself caused its end and
// all that it was asked with is known.
func (t *task) attest(r *sandbox.Report, run *store.Run) ending {
	t.seal() // an offer from now on waits for what becomes of this
	t.job.Stdout().End(nil)
	t.job.Stderr().End(nil)
	if folders := t.job.Folders(); folders != nil {
		folders.End(nil)
	}
	statement := r.Statement(t.manifest, t.s.cfg.Receipt)
	statement.Requester = t.key.requester
	envelope, err := receipt.Sign(t.s.cfg.Key, statement)
	if err != nil {
		t.s.log.Error("receipt could not be made", "job", t.key.id, "error", err)
		return ending{verdict: internal("the node could not make a receipt")}
	}
	trace := r.Trace
	if r.Cause != nil {
		trace = nil // the cause is told
	}
	if t.streamed() || r.Cause != nil || !kept(r.Outcome.Status) {
		run.Forget(envelope)
		return ending{receipt: envelope, cause: t.s.causeOf(r), trace: trace}
	}
	if err := run.Finish(envelope); err != nil { // and so nobody may see the receipt
		return ending{verdict: t.s.storeRejection(err, job.RejectInternal)}
	}
	return ending{receipt: envelope, trace: trace}
}

// kept reports whether a job that ended so caused that itself.
func kept(s job.Status) bool {
	return slices.Contains([]job.Status{
		job.Exit, job.Trap, job.Timeout, job.OutOfFuel, job.OutOfMemory,
		job.OutputLimit,
	}, s)
}
