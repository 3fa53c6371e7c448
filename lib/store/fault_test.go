package store

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
)

// Each operation of the scenario fails once, in each way, and then the disk is
// well again. What fails is told, nothing is left behind, what was kept stays.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range []error{syscall.ENOSPC, syscall.EIO, syscall.EROFS} {
		t.Run(fault.Error(), func(t *testing.T) {
			t.Parallel()
			steps := 0
			for fail := 1; fail == 1 || steps >= fail; fail++ {
				steps = faultAt(t, fail, fault)
			}
			if steps < 100 {
				t.Errorf("%d steps", steps)
			}
		})
	}
}

// faultAt lets one step fail and returns how many there were.
func faultAt(t *testing.T, fail int, fault error) int {
	t.Helper()
	s, d, clock := onMemory(t, scenarioConfig(""))
	d.step = 0
	what := ""
	d.fault = func(step int, op, name string) error {
		if step == fail {
			what = fmt.Sprintf("step %d, %s %s", step, op, name)
			return fault
		}
		return nil
	}
	have := map[string]Request{}
	told := 0
	scenario(s, func(r Request) { have[r.ID] = r }, func(err error) {
		told++
		wantUserError(t, err, fault)
	})
	steps := d.step
	d.fault = nil
	quiet := what != "" && told == 0
	if quiet && !mayFailQuietly(what) {
		t.Errorf("%s: nobody was told", what)
	}
	check := func(s *Store) {
		t.Helper()
		for n := range 5 {
			r := request(1, n)
			if n == 4 {
				r = request(3, n)
			}
			_, receipt, ok := kept(t, s, r)
			_, finished := have[r.ID]
			if ok && (!finished || receipt != receiptOf(r)) {
				t.Errorf("%s: job %d is kept, receipt %q", what, n, receipt)
			}
			if !ok && finished && n != 1 && len(have) == 3 { // 1 may go only for the third
				t.Errorf("%s: job %d is lost", what, n)
			}
		}
	}
	check(s)
	if !quiet {
		sound(t, s, d)
	}
	s = reopen(t, d, scenarioConfig(""), clock)
	check(s)
	sound(t, s, d)
	if t.Failed() {
		t.Fatalf("that was %s", what)
	}
	return steps
}

// mayFailQuietly reports whether an operation is one whose failure changes nothing
// for anybody: a removal, which the next Open makes up for, or a time.
func mayFailQuietly(what string) bool {
	for _, op := range []string{"remove", "readdir", "touch"} {
		var step int
		var got string
		if _, err := fmt.Sscanf(what, "step %d, %s", &step, &got); err == nil && got == op {
			return true
		}
	}
	return false
}

// A disk that fails while a store is opened, and works the next time.
func TestOpenFaults(t *testing.T) {
	t.Parallel()
	for fail := 1; ; fail++ {
		s, d, clock := onMemory(t, scenarioConfig(""))
		var have []Request
		scenario(s, func(r Request) { have = append(have, r) }, func(err error) { t.Error(err) })
		_, _, err := s.Accept(request(1, 9)) // left running by a crash
		must(t, err)
		d.step = 0
		d.fault = func(step int, _, _ string) error {
			if step == fail {
				return syscall.EIO
			}
			return nil
		}
		_, err = open(scenarioConfig(""), d, clock.clock())
		if err != nil {
			wantUserError(t, err, syscall.EIO)
		}
		if d.step < fail {
			return // it got through
		}
		d.fault = nil
		s, err = open(scenarioConfig(""), d, clock.clock())
		must(t, err)
		sound(t, s, d)
	}
}

// One who waits for a job that then cannot be begun begins it itself.
func TestAcceptAfterFailedAccept(t *testing.T) {
	t.Parallel()
	clock := newFakeClock()
	d := &gateDisk{disk: newMemDisk(clock.clock()), making: make(chan struct{}), let: make(chan struct{})}
	s, err := open(Config{}, d, clock.clock())
	must(t, err)
	d.armed.Store(true)
	first := make(chan error)
	go func() {
		_, _, err := s.Accept(request(1, 1))
		first <- err
	}()
	<-d.making
	second := make(chan *Run)
	go func() {
		j, run, err := s.Accept(request(1, 1))
		if err != nil {
			t.Error(err)
		}
		j.Close()
		second <- run
	}()
	for waits := false; !waits; runtime.Gosched() {
		s.mu.Lock()
		e := s.jobs.items[key{peer(1), id(1)}]
		waits = e != nil && e.pins == 3
		s.mu.Unlock()
	}
	close(d.let)
	wantUserError(t, <-first, syscall.EIO)
	run := <-second
	if run == nil {
		t.Fatal("nobody may run it")
	}
	must(t, run.Finish([]byte("receipt")))
	if _, jobs := s.Usage(); jobs.Entries != 1 {
		t.Errorf("usage %+v", jobs)
	}
}

// gateDisk holds the first mkdir up once it is armed, and then lets it fail.
type gateDisk struct {
	disk
	armed       atomic.Bool
	making, let chan struct{}
}

func (d *gateDisk) mkdir(name string) error {
	if d.armed.CompareAndSwap(true, false) {
		close(d.making)
		<-d.let
		return syscall.EIO
	}
	return d.disk.mkdir(name)
}

// Both the sync and the way back fail: whatever the disk has then, the job has no
// second outcome.
func TestFinishCannotGoBack(t *testing.T) {
	t.Parallel()
	s, d, clock := onMemory(t, Config{})
	r := request(1, 1)
	j, run := accept(t, s, r)
	broken := false
	d.fault = func(_ int, op, name string) error {
		broken = broken || op == "syncdir" && name == jobsDir+"/"+r.Requester
		if broken {
			return syscall.EIO
		}
		return nil
	}
	wantUserError(t, run.Finish([]byte("never shown")), syscall.EIO)
	<-j.Done()
	if j.Receipt() != nil {
		t.Error("a receipt for a job that was given up")
	}
	j.Close()
	d.fault = nil
	if has(t, s, r) {
		t.Error("it is there")
	}
	j, run = accept(t, s, r)
	err := run.Finish([]byte("second"))
	j.Close()
	if err == nil {
		t.Fatal("there are two")
	}
	if errors.Is(err, ErrOver) {
		t.Error(err)
	}
	_ = reopen(t, d, Config{}, clock)
}
