package control

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plasm/lib/job"
)

// Bounds of Jobs.
const (
	MaxCurrent = 4096 // jobs that have not ended
	MaxEnded   = 256  // jobs that have
)

// minPrefix is the shortest beginning of an ID that names a job, in characters.
const minPrefix = 8

// Jobs are the jobs of a running node. They name no arguments, environment or input:
// those are between the requester and the guest.
type Jobs struct {
	// not ended: those that run, the longest first, then those that prepare, then the line in its
	// order; at most MaxCurrent
	Current []Job `json:"current"`
	Ended   []Job `json:"ended"` // since the node started, the newest first, at most MaxEnded
}

// Job is one job of a node.
type Job struct {
	ID        string `json:"job"`
	Requester string `json:"requester"`                // peer ID of the key that asked
	Name      string `json:"requester_name,omitempty"` // that the allow file gives the requester
	// peer ID at the other end of the connection that brought the first offer
	Peer     string `json:"peer"`
	Listed   bool   `json:"listed"` // the requester is listed
	State    string `json:"state"`  // one of the states below
	Position int    `json:"position,omitempty"`
	WaitMS   int64  `json:"wait_ms,omitempty"` // expected until it gets a slot; of one that waits

	ModuleHash job.Digest `json:"module_hash"`
	Engine     string     `json:"engine,omitempty"` // that ran it; before, that it asks for
	MemoryMB   int64      `json:"memory_mb"`        // may use; 2^20 bytes each
	TimeoutMS  int64      `json:"timeout_ms"`       // may run

	OfferedAt string `json:"offered_at"`           // as documents write times
	StartedAt string `json:"started_at,omitempty"` // "" before
	EndedAt   string `json:"ended_at,omitempty"`
	RunMS     int64  `json:"run_ms,omitempty"` // for how long it has run

	StdinBytes  int64 `json:"stdin_bytes"`  // so far
	StdoutBytes int64 `json:"stdout_bytes"` // so far
	StderrBytes int64 `json:"stderr_bytes"` // so far

	Status    job.Status     `json:"status,omitempty"`    // of one that started and ended
	ExitCode  *uint32        `json:"exit_code,omitempty"` // with status exit
	Trap      string         `json:"trap,omitempty"`      // with status trap
	Rejection job.RejectCode `json:"rejection,omitempty"` // of one that was accepted and ended without starting
}

// States of a job.
const (
	JobWaiting   = "waiting"   // for a slot
	JobReceiving = "receiving" // has a slot; module or input are on their way
	JobPreparing = "preparing" // has all; its module is compiled or loaded
	JobRunning   = "running"
	JobEnded     = "ended"
)

// Ending says in a word or two how a job ended: "exit 0", "trap unreachable",
// "timeout", "rejected busy".
func (j *Job) Ending() string {
	switch {
	case j.Rejection != "":
		return "rejected " + string(j.Rejection)
	case j.ExitCode != nil:
		return fmt.Sprintf("%s %d", j.Status, *j.ExitCode)
	}
	return strings.TrimSpace(string(j.Status) + " " + j.Trap)
}

// Share is what one requester's jobs hold of a node, or wait for.
type Share struct {
	Requester string
	Name      string // that the allow file gives it; "" for none
	Listed    bool
	Slots     int   // held
	MemoryMB  int64 // held
	Waiting   int   // jobs
}

// Shares returns what each requester has of the node, who holds most first.
func (j *Jobs) Shares() []Share {
	of := map[string]*Share{}
	var shares []*Share
	for i := range j.Current {
		one := &j.Current[i]
		s := of[one.Requester]
		if s == nil {
			s = &Share{Requester: one.Requester, Name: one.Name, Listed: one.Listed}
			of[one.Requester] = s
			shares = append(shares, s)
		}
		if one.State == JobWaiting {
			s.Waiting++
			continue
		}
		s.Slots++
		s.MemoryMB += one.MemoryMB
	}
	slices.SortStableFunc(shares, func(a, b *Share) int {
		return cmp.Or(cmp.Compare(b.Slots, a.Slots), cmp.Compare(b.MemoryMB, a.MemoryMB),
			cmp.Compare(b.Waiting, a.Waiting), cmp.Compare(a.Requester, b.Requester))
	})
	all := make([]Share, 0, len(shares))
	for _, s := range shares {
		all = append(all, *s)
	}
	return all
}

// Find returns the job that has not ended and that name names: its ID, REQUESTER/ID, or
// the beginning of the ID with at least 8 characters, with REQUESTER/ or without. An error is a
// *job.Error: a usage error for what is no such name or names several jobs, not_found for
// none.
func (j *Jobs) Find(name string) (*Job, error) {
	requester, prefix, both := strings.Cut(name, "/")
	if !both {
		requester, prefix = "", name
	}
	if len(prefix) < minPrefix || strings.Trim(prefix, "0123456789abcdef") != "" {
		return nil, &job.Error{
			Code:    job.CodeUsage,
			Message: fmt.Sprintf("%s names no job", job.Quote(name)),
			Fact:    job.FactNoJobName, Detail: strconv.Itoa(minPrefix),
		}
	}
	var found []*Job
	for i := range j.Current {
		if one := &j.Current[i]; strings.HasPrefix(one.ID, prefix) && (!both || one.Requester == requester) {
			found = append(found, one)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		for i := range j.Ended {
			if one := &j.Ended[i]; strings.HasPrefix(one.ID, prefix) && (!both || one.Requester == requester) {
				return nil, &job.Error{
					Code:    job.CodeNotFound,
					Message: fmt.Sprintf("job %s has ended already: %s", one.ID, one.Ending()),
				}
			}
		}
		return nil, &job.Error{
			Code: job.CodeNotFound, Message: "no such job runs or waits here: " + job.Quote(name),
			Fact: job.FactNoJob,
		}
	}
	names := make([]string, 0, len(found))
	for _, one := range found {
		names = append(names, one.Requester+"/"+one.ID)
	}
	return nil, &job.Error{
		Code: job.CodeUsage, Message: fmt.Sprintf("%s names %d jobs", job.Quote(name), len(found)),
		Hint: "say which one: " + strings.Join(names[:min(len(names), 4)], ", "),
	}
}
