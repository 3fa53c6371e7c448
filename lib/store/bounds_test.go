package store

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"plasm/lib/job"
)

// size is what a job of request is charged once it has run and said nothing: its
// manifest has 41 bytes, the receipt 7.
func size(requester int) int64 {
	return jobCharge + int64(len(request(requester, 1).Manifest)) + 7
}

// isListed says that peers with an even number are listed.
func isListed() func(string) bool {
	all := map[string]bool{}
	for n := 0; n < 100; n += 2 {
		all[peer(n)] = true
	}
	return func(p string) bool { return all[p] }
}

func TestResultsPushedOut(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		jobs int64  // bound
		runs string // requesters, in order; each one's job has its place as ID; even ones are listed
		want string // places of those that are left
	}{
		{"all fit", 4, "0000", "0123"},
		{"oldest first", 4, "000000", "2345"},
		{"whoever they are of", 4, "000222", "2345"},
		{"the unlisted have half", 4, "1111", "23"},
		{"all the unlisted together", 4, "1357", "23"},
		{"the listed push out the unlisted", 4, "112222", "2345"},
		{"the unlisted push out the listed beyond their half", 4, "000011", "2345"},
		{"and no more", 4, "00001111", "2367"},
		{"half is rounded up", 3, "11111", "34"}, // in bytes it is half of 4
	}
	for _, tt := range tests {
		for _, bound := range []string{"entries", "bytes"} {
			t.Run(tt.name+" in "+bound, func(t *testing.T) {
				t.Parallel()
				cfg := Config{Jobs: tt.jobs, Listed: isListed()}
				if bound == "bytes" {
					// 32 KiB and little more each
					cfg = Config{JobBytes: (tt.jobs + tt.jobs%2) * 40_000, Listed: isListed()}
				}
				s, d, clock := onMemory(t, cfg)
				var requests []Request
				for n, c := range tt.runs {
					r := request(int(c-'0'), n)
					requests = append(requests, r)
					runJob(t, s, r, "", "receipt")
					clock.pass(time.Second)
				}
				check := func(s *Store) {
					t.Helper()
					left := ""
					for n, r := range requests {
						if has(t, s, r) {
							left += fmt.Sprint(n)
						}
					}
					if left != tt.want {
						t.Errorf("left %q, want %q", left, tt.want)
					}
					sound(t, s, d)
				}
				check(s)
				check(reopen(t, d, cfg, clock))
			})
		}
	}
}

func TestNoRoom(t *testing.T) {
	t.Parallel()
	const need = jobCharge + 1100 + 3*41
	tests := []struct {
		name    string
		cfg     Config
		running []int // requesters whose jobs run already
		asks    int
		never   bool
	}{
		{"larger than all", Config{JobBytes: need - 1}, nil, 0, true},
		{"larger than the share", Config{JobBytes: 2*need - 2}, nil, 1, true},
		{"all in use", Config{JobBytes: need}, []int{0}, 2, false},
		{"the share in use", Config{JobBytes: 4 * need}, []int{1, 1}, 3, false},
		{"number in use", Config{Jobs: 2}, []int{0, 2}, 0, false},
		{"the share's number in use", Config{Jobs: 2}, []int{1}, 1, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.cfg.Listed = isListed()
			s, d, _ := onMemory(t, tt.cfg)
			var ends []func()
			for n, requester := range tt.running {
				j, run := accept(t, s, request(requester, n))
				ends = append(ends, func() { run.Forget(nil); j.Close() })
			}
			ask := request(tt.asks, 99)
			_, _, err := s.Accept(ask)
			room, ok := errors.AsType[*RoomError](err)
			if !ok || room.Never() != tt.never {
				t.Fatalf("got %v", err)
			}
			wantUserError(t, err, room)
			for _, end := range ends {
				end()
			}
			empty(t, s, d)
			if !tt.never {
				runJob(t, s, ask, "", "receipt")
			}
		})
	}
}

// A result that somebody reads stays, and what it is charged with it.
func TestResultInUseStays(t *testing.T) {
	t.Parallel()
	s, d, clock := onMemory(t, Config{Jobs: 2, UnlistedPercent: 100})
	for n := range 2 {
		runJob(t, s, request(1, n), "out", "receipt")
	}
	j, ok, err := s.Find(peer(1), id(0))
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	clock.pass(1000 * time.Hour)
	if n, err := s.Expire(); n != 1 || err != nil {
		t.Errorf("%d expired, %v", n, err)
	}
	j1, run := accept(t, s, request(1, 2))
	_, _, err = s.Accept(request(1, 3))
	if _, ok := errors.AsType[*RoomError](err); !ok {
		t.Errorf("got %v", err)
	}
	if got, err := io.ReadAll(j.Stdout().Follow(t.Context(), 0)); string(got) != "out" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	j.Close()
	j2, run2 := accept(t, s, request(1, 3))
	if has(t, s, request(1, 0)) {
		t.Error("it stayed when nobody used it")
	}
	for _, end := range []func(){j1.Close, j2.Close} {
		end()
	}
	run.Forget(nil)
	run2.Forget(nil)
	empty(t, s, d)
}

func TestDiskFullAtAccept(t *testing.T) {
	t.Parallel()
	s, d, _ := onMemory(t, Config{UnlistedPercent: 100})
	const need = jobCharge + 1100 + 3*41
	runJob(t, s, request(1, 0), strings.Repeat("x", 500), "receipt")
	d.room = need - 1 // other programs' files
	j, run := accept(t, s, request(1, 1))
	if has(t, s, request(1, 0)) {
		t.Error("the old result did not make room")
	}
	_, _, err := s.Accept(request(1, 2)) // the first one's room is promised
	wantUserError(t, err, syscall.ENOSPC)
	for spool, n := range map[*Spool]int{j.Stdin(): 100, j.Stdout(): 1000} {
		_, err := spool.Write(make([]byte, n))
		must(t, err)
	}
	must(t, run.Finish([]byte("receipt")))
	j.Close()
	sound(t, s, d)
}

// Where the disk is smaller than the bounds, an unlisted requester's job pushes out
// no result of a listed one that has no more than its part.
func TestDiskFullSparesListed(t *testing.T) {
	t.Parallel()
	s, d, _ := onMemory(t, Config{Listed: isListed()})
	runJob(t, s, request(0, 0), "", "receipt")
	d.room = jobCharge
	_, _, err := s.Accept(request(1, 1))
	wantUserError(t, err, syscall.ENOSPC)
	if !has(t, s, request(0, 0)) {
		t.Fatal("the listed one's result is gone")
	}
	runJob(t, s, request(2, 2), "", "receipt")
	if has(t, s, request(0, 0)) {
		t.Error("nor did it make room for a listed one")
	}
}

func TestModulesPushedOut(t *testing.T) {
	t.Parallel()
	s, d, clock := onMemory(t, Config{ContentBytes: 3 * (contentCharge + 500), Listed: isListed()})
	module := func(n int) []byte { return []byte(strings.Repeat(fmt.Sprint(n), 400)) }
	for n := range 3 {
		send(t, s, 0, module(n))
		clock.pass(time.Second)
	}
	if !hasModule(t, s, 0, module(0)) { // which makes it the last used
		t.Fatal("not there")
	}
	m, _, err := s.Module(peer(0), job.Sum(module(1)))
	must(t, err) // in use
	clock.pass(time.Second)
	send(t, s, 0, module(3))
	for n, want := range []bool{true, true, false, true} {
		if got := hasModule(t, s, 0, module(n)); got != want {
			t.Errorf("module %d: %v", n, got)
		}
	}
	m.Close()
	_, err = upload(s, 0, make([]byte, 4*contentCharge))
	if room, ok := errors.AsType[*RoomError](err); !ok || !room.Never() {
		t.Errorf("got %v", err)
	}
	sound(t, s, d)
}

// The order of use survives a restart.
func TestModulesPushedOutAfterRestart(t *testing.T) {
	t.Parallel()
	cfg := Config{Contents: 3, UnlistedPercent: 100}
	s, d, clock := onMemory(t, cfg)
	for n := range 3 {
		send(t, s, 1, []byte{byte(n)})
		clock.pass(time.Second)
	}
	_ = hasModule(t, s, 1, []byte{0})
	s = reopen(t, d, cfg, clock)
	send(t, s, 1, []byte{9})
	for n, want := range []bool{true, false, true} {
		if got := hasModule(t, s, 1, []byte{byte(n)}); got != want {
			t.Errorf("module %d: %v", n, got)
		}
	}
}

// Whoever sends many tiny things gets a few of them kept.
func TestTinyThingsAreBounded(t *testing.T) {
	t.Parallel()
	s, d, _ := onMemory(t, Config{JobBytes: 1 << 20, ContentBytes: 1 << 20})
	for n := range 300 {
		r := request(n, n)
		runJob(t, s, r, "", "")
		send(t, s, n, []byte(fmt.Sprint(n)))
	}
	if files := d.files(); len(files) > 1<<20/2/jobCharge*4+1<<20/2/contentCharge {
		t.Errorf("%d files", len(files))
	}
	sound(t, s, d)
}

// Bounds that have become smaller hold from the start.
func TestOpenWithSmallerBounds(t *testing.T) {
	t.Parallel()
	s, d, clock := onMemory(t, Config{Listed: isListed()})
	for n := range 10 {
		runJob(t, s, request(n, n), "", "receipt")
		send(t, s, n, []byte{byte(n)})
		clock.pass(time.Second)
	}
	s = reopen(t, d, Config{Listed: isListed(), Jobs: 4, Contents: 2}, clock)
	sound(t, s, d)
	left := ""
	for n := range 10 {
		if has(t, s, request(n, n)) {
			left += fmt.Sprint(n)
		}
	}
	if left != "6789" {
		t.Errorf("left %q", left)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	s, _, _ := onMemory(t, Config{JobBytes: 1 << 20, Jobs: 7})
	j, run := accept(t, s, request(1, 1))
	_, got := s.Usage()
	if want := (Usage{
		Bytes: jobCharge + 1100 + 3*int64(len(j.Manifest())), MostBytes: 1 << 20, Entries: 1,
		MostEntries: 7,
	}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	must(t, run.Finish([]byte("receipt")))
	j.Close()
	if _, got = s.Usage(); got.Bytes != size(1) {
		t.Errorf("got %+v, want %d", got, size(1))
	}
}
