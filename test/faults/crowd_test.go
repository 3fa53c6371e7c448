//go:build linux

package faults_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"slices"
	"sync"
	"testing"
	"time"

	"plasm/test/netlab"
)

// crowd is how many jobs TestCrowd submits at once. Where it is given the figures are
// told, and must hold, which wants a machine that does nothing else.
var crowd = flag.Int("crowd", 0, "submit so many jobs at once, and hold the figures to their bars")

const (
	usualCrowd = 40
	mostPace   = 1.5 // times the node's own pace
	mostIdle   = 0.1 // of the slots, while a requester waits
)

// TestCrowd: a fresh node, of which nothing is known yet, is offered many more jobs at
// once than it has slots. Nobody is sent away to come again later, so nobody sleeps
// while a slot is idle: each job is offered once, and answered.
func TestCrowd(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	machines := l.LAN("user", "node")
	u := newUser(t, machines[0])
	n := u.node(machines[1])
	n.start()
	jobs := cmp.Or(*crowd, usualCrowd)
	began := time.Now()
	u.each(n, jobs, jobs)
	took := time.Since(began)
	seen := map[string]int{}
	for _, e := range n.events() {
		seen[e.Name]++
	}
	if seen["job.offered"] != jobs || seen["job.rejected"] > 0 {
		t.Errorf("of %d jobs: %v", jobs, seen)
	}
	if *crowd == 0 {
		return
	}
	idle := n.idle()
	began = time.Now()
	u.each(n, jobs, n.slots) // as many at a time as it runs
	pace := float64(took) / float64(time.Since(began))
	t.Logf("%d jobs at once took %v, %.2f of the node's own pace; slots were idle for %.1f %% of the time in which "+
		"a requester waited",
		jobs, took, pace, 100*idle)
	if pace > mostPace || idle > mostIdle {
		t.Errorf("that is more than %.2f of its pace, or %.0f %%", mostPace, 100*mostIdle)
	}
}

// each submits so many jobs, so many at a time, which must be answered.
func (u *user) each(n *node, jobs, atOnce int) {
	u.t.Helper()
	works := make([]*work, jobs)
	for i := range works {
		works[i] = u.work("hello", []byte("abc"), []byte("cba"))
	}
	var all sync.WaitGroup
	free := make(chan struct{}, atOnce)
	for _, w := range works {
		free <- struct{}{}
		s := w.submit(u.machine, n.peer(n.addr("tcp")))
		all.Go(func() {
			defer func() { <-free }()
			if code := s.code(); code != 0 || !bytes.Equal(s.Stdout(), w.stdout) {
				u.t.Errorf("exit %d with %q: %s", code, s.Stdout(), s.words())
			}
		})
	}
	all.Wait()
}

// event is what a node's log says of a job.
type event struct {
	Name string    `json:"msg"`
	Time time.Time `json:"time"`
}

// events are those about jobs, in the order of time.
func (n *node) events() []event {
	var all []event
	for line := range bytes.Lines(n.Stderr()) {
		var e event
		if json.Unmarshal(line, &e) == nil && len(e.Name) > 4 && e.Name[:4] == "job." {
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b event) int { return a.Time.Compare(b.Time) })
	return all
}

// idle is which share of the node's slots had no job while one that was offered waited
// for one.
func (n *node) idle() float64 {
	var waiting, held int
	var idle, all time.Duration
	var last time.Time
	for _, e := range n.events() {
		if waiting > 0 && !last.IsZero() {
			all += time.Duration(n.slots) * e.Time.Sub(last)
			idle += time.Duration(max(n.slots-held, 0)) * e.Time.Sub(last)
		}
		last = e.Time
		switch e.Name {
		case "job.offered":
			waiting++
		case "job.accepted":
			waiting--
			held++
		case "job.finished", "job.cancelled":
			held--
		}
	}
	return float64(idle) / float64(max(all, 1))
}
