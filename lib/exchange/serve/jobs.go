package serve

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"plasm/lib/control"
	"plasm/lib/job"
)

// Jobs returns the jobs that have not ended, and those that ended last.
func (s *Server) Jobs() *control.Jobs {
	s.mu.Lock()
	tasks := make([]*task, 0, len(s.tasks))
	for _, t := range s.tasks {
		tasks = append(tasks, t)
	}
	ended := slices.Clone(s.ended)
	s.mu.Unlock()
	slices.Reverse(ended)
	jobs := &control.Jobs{Current: make([]control.Job, 0, len(tasks)), Ended: ended}
	for _, t := range tasks {
		if one := t.entry(); one.State != control.JobEnded { // else it is just going
			jobs.Current = append(jobs.Current, one)
		}
	}
	slices.SortFunc(jobs.Current, byProgress)
	jobs.Current = jobs.Current[:min(len(jobs.Current), control.MaxCurrent)]
	return jobs
}

// byProgress orders jobs as control.Jobs says.
func byProgress(a, b control.Job) int {
	rank := map[string]int{
		control.JobRunning: 0, control.JobPreparing: 1, control.JobReceiving: 1,
		control.JobWaiting: 2,
	}
	return cmp.Or(cmp.Compare(rank[a.State], rank[b.State]), cmp.Compare(a.Position, b.Position),
		cmp.Compare(a.StartedAt, b.StartedAt), cmp.Compare(a.OfferedAt, b.OfferedAt), cmp.Compare(a.ID, b.ID))
}

// maxCancelled is how many jobs that the owner has cancelled are remembered.
const maxCancelled = 1024

// Cancel stops a job in the name of the node's owner, and returns how it stands when it
// has ended, or when ctx ends. One that has started ends in a receipt with the status
// cancelled. It is not taken again when its requester tries once more. An error is a
// *job.Error: there is no such job.
func (s *Server) Cancel(ctx context.Context, requester, id string) (*control.Job, error) {
	k := jobKey{requester, id}
	s.mu.Lock()
	t := s.tasks[k]
	if t != nil && !slices.Contains(s.cancelled, k) {
		s.cancelled = append(s.cancelled, k)
		s.cancelled = s.cancelled[max(len(s.cancelled)-maxCancelled, 0):]
	}
	s.mu.Unlock()
	if t == nil {
		return nil, &job.Error{
			Code:    job.CodeNotFound,
			Message: fmt.Sprintf("no such job runs or waits here: %s/%s", requester, id),
		}
	}
	t.abort(errOwner)
	select {
	case <-t.done:
	case <-ctx.Done():
	}
	one := t.entry()
	return &one, nil
}

// remember keeps what is told of a job that has ended, unless it was never accepted:
// refusals are many, and say nothing of a job. Server.mu is held.
func (s *Server) remember(t *task) {
	one := t.entry()
	if t.job == nil {
		return
	}
	if len(s.ended) == control.MaxEnded {
		s.ended = slices.Delete(s.ended, 0, 1)
	}
	s.ended = append(s.ended, one)
	if len(t.ending.trace) > 0 {
		s.trapped = append(s.trapped, trapped{t.key, t.ending.trace})
		s.trapped = s.trapped[max(0, len(s.trapped)-control.MaxEnded):]
	}
}

// trapped is where a job has trapped, which the store does not know.
type trapped struct {
	key   jobKey
	trace []string
}

// traceOf returns where a job from the store has trapped, if that is still known.
func (s *Server) traceOf(k jobKey) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range slices.Backward(s.trapped) {
		if one.key == k {
			return one.trace
		}
	}
	return nil
}

// entry returns how the job stands.
func (t *task) entry() control.Job {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.manifest
	one := control.Job{
		ID: t.key.id, Requester: t.key.requester, Peer: t.peer, Listed: t.client.Listed, State: control.JobWaiting,
		ModuleHash: m.ModuleHash, Engine: m.Engine, MemoryMB: m.MemoryMB, TimeoutMS: m.TimeoutMS,
		OfferedAt: job.FormatTime(t.offered),
	}
	if t.input != nil {
		one.StdinBytes, _ = t.input.come()
	}
	if t.job != nil {
		one.StdoutBytes, _ = t.job.Stdout().Size()
		one.StderrBytes, _ = t.job.Stderr().Size()
	}
	if !t.started.IsZero() {
		one.StartedAt = job.FormatTime(t.started)
	}
	switch t.phase {
	case waiting:
		one.Position, one.WaitMS = t.position, t.wait.Milliseconds()
	case accepted:
		one.State = control.JobPreparing
		if t.module == nil || !t.input.ready() {
			one.State = control.JobReceiving
		}
	case running:
		one.State, one.RunMS = control.JobRunning, time.Since(t.started).Milliseconds()
	case over:
		t.conclude(&one)
	}
	return one
}

// conclude fills in how the job ended; mu is held.
func (t *task) conclude(one *control.Job) {
	one.State, one.EndedAt, one.RunMS = control.JobEnded, job.FormatTime(t.finished), t.ran.Milliseconds()
	if t.ending.receipt == nil {
		one.Rejection = t.ending.verdict.Code
		return
	}
	o := &t.report.Outcome
	one.Status, one.ExitCode, one.Trap, one.Engine = o.Status, o.ExitCode, o.Trap, t.report.Engine.Name
	one.StdinBytes, one.StdoutBytes, one.StderrBytes = o.StdinBytes, o.StdoutBytes, o.StderrBytes
}
