package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"plasm/lib/identity"
	"plasm/lib/job"
)

// fakeClock is both clocks of a store; a test moves them.
type fakeClock struct {
	wall time.Time
	mono time.Duration
}

func newFakeClock() *fakeClock {
	return &fakeClock{wall: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func (c *fakeClock) clock() clock {
	return clock{wall: func() time.Time { return c.wall }, mono: func() time.Duration { return c.mono }}
}

// pass lets time pass on both.
func (c *fakeClock) pass(d time.Duration) { c.wall, c.mono = c.wall.Add(d), c.mono+d }

// peer returns the n-th of any number of peer IDs.
func peer(n int) string {
	var seed [32]byte
	copy(seed[:], fmt.Sprint(n))
	return identity.FromSeed(seed).PeerID()
}

// id returns the n-th of any number of job IDs.
func id(n int) string { return fmt.Sprintf("%032x", n) }

func request(requester, n int) Request {
	return Request{
		Requester: peer(requester), ID: id(n), Manifest: []byte(fmt.Sprintf(`{"id":%q}`, id(n))), Input: 100,
		Output: 1000,
	}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// onMemory returns a store in memory; the clock doesn't move by itself.
func onMemory(tb testing.TB, cfg Config) (*Store, *memDisk, *fakeClock) {
	tb.Helper()
	c := newFakeClock()
	d := newMemDisk(c.clock())
	return reopen(tb, d, cfg, c), d, c
}

func reopen(tb testing.TB, d *memDisk, cfg Config, c *fakeClock) *Store {
	tb.Helper()
	s, err := open(cfg, d, c.clock())
	must(tb, err)
	return s
}

// accept makes a job that must be new.
func accept(tb testing.TB, s *Store, r Request) (*Job, *Run) {
	tb.Helper()
	j, run, err := s.Accept(r)
	must(tb, err)
	if run == nil {
		tb.Fatalf("job %s was there already", r.ID)
	}
	return j, run
}

// runJob runs a job to its end with what it writes, and closes it.
func runJob(tb testing.TB, s *Store, r Request, stdout, receipt string) {
	tb.Helper()
	j, run := accept(tb, s, r)
	defer j.Close()
	_, err := io.WriteString(j.Stdout(), stdout)
	must(tb, err)
	must(tb, run.Finish([]byte(receipt)))
}

// kept returns stdout and receipt of a job that must be kept, if it is there.
func kept(tb testing.TB, s *Store, r Request) (stdout, receipt string, ok bool) {
	tb.Helper()
	j, ok, err := s.Find(r.Requester, r.ID)
	must(tb, err)
	if !ok {
		return "", "", false
	}
	defer j.Close()
	out, err := io.ReadAll(j.Stdout().Follow(context.Background(), 0))
	must(tb, err)
	if !bytes.Equal(j.Manifest(), r.Manifest) {
		tb.Errorf("manifest of %s is %q, not %q", r.ID, j.Manifest(), r.Manifest)
	}
	return string(out), string(j.Receipt()), true
}

func has(tb testing.TB, s *Store, r Request) bool {
	tb.Helper()
	_, _, ok := kept(tb, s, r)
	return ok
}

// send uploads a module that must be taken, and lets go of it.
func send(tb testing.TB, s *Store, requester int, module []byte) {
	tb.Helper()
	m, err := upload(s, requester, module)
	must(tb, err)
	m.Close()
}

func upload(s *Store, requester int, module []byte) (*Module, error) {
	u, err := s.Upload(peer(requester), job.Sum(module), 1<<20)
	if err != nil {
		return nil, err
	}
	defer u.Close()
	for chunk := module; len(chunk) > 0; {
		n, err := u.Write(chunk[:min(len(chunk), 1000)])
		if err != nil {
			return nil, err
		}
		chunk = chunk[n:]
	}
	return u.Commit()
}

func hasModule(tb testing.TB, s *Store, requester int, module []byte) bool {
	tb.Helper()
	m, ok, err := s.Module(peer(requester), job.Sum(module))
	must(tb, err)
	if ok {
		m.Close()
	}
	return ok
}

// wantUserError checks that an error is one line for users that wraps the target.
func wantUserError(tb testing.TB, err, target error) {
	tb.Helper()
	e, ok := errors.AsType[*job.Error](err)
	if !ok {
		tb.Fatalf("got %v, which is not a *job.Error", err)
	}
	if !errors.Is(err, target) {
		tb.Errorf("got %v, which does not wrap %v", err, target)
	}
	if strings.Contains(e.Message, "\n") || !e.Code.Valid() {
		tb.Errorf("message %q, code %q", e.Message, e.Code)
	}
}

// onDisk returns a store in a folder of this machine.
func onDisk(tb testing.TB) (*Store, string) {
	tb.Helper()
	dir := tb.TempDir()
	s, err := Open(Config{Dir: dir})
	must(tb, err)
	return s, dir
}

func names(tb testing.TB, dir string) []string {
	tb.Helper()
	entries, err := os.ReadDir(dir)
	must(tb, err)
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}
