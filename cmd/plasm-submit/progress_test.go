package main

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"plasm/lib/cli"
	"plasm/lib/job"
)

const someNode = "12D3KooWJRj8YvXyTQV1NcLBLLZWKsr1fE8TWBqn7HCZGJbQjU9b"

// screen is what a terminal would be sent.
type screen struct {
	mu sync.Mutex
	bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Buffer.Write(b)
}

// shown is what has been written since the last call.
func (s *screen) shown() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.Reset()
	return s.String()
}

func TestProgressOfSending(t *testing.T) {
	t.Parallel()
	s := &screen{}
	p := &progress{stderr: s, called: cli.PeerEnd}
	p.begin("reading the job", 0)
	defer p.stop()
	for _, sent := range []int64{1 << 20, 5 << 20, 9 << 20} {
		p.sending(someNode, sent, 10<<20)
		want := fmt.Sprintf("%d%%", sent*100/(10<<20))
		if got := s.shown(); !strings.Contains(got, want) || !strings.Contains(got, "…GJbQjU9b: sending") ||
			strings.Contains(got, "\n") {
			t.Errorf("%d bytes: %q", sent, got)
		}
	}
	p.sending(someNode, 10<<20, 10<<20)
	if p.total != 0 || !strings.Contains(p.text, "has the job") {
		t.Errorf("all is sent: %d, %q", p.total, p.text)
	}
}

// TestProgressOfRunning: how long a program has run, of the time that it has, until something
// else is to be said.
func TestProgressOfRunning(t *testing.T) {
	t.Parallel()
	for ran, want := range map[time.Duration]string{
		0:                       "running: 0s of at most 2m, 0 %",
		30*time.Second + 1e8:    "running: 30s of at most 2m, 25 %",
		2*time.Minute + 1:       "running: 2m0s of at most 2m, 100 %",
		123 * time.Second / 100: "running: 1s of at most 2m, 1 %",
	} {
		if got := shareOf(ran, 2*time.Minute); got != want {
			t.Errorf("%v: %q, want %q", ran, got, want)
		}
	}
	s := &screen{}
	p := &progress{stderr: s, called: cli.PeerEnd}
	p.begin("reading the job", 0)
	defer p.stop()
	p.say(someNode, "has started the job")
	p.timing(&job.Manifest{TimeoutMS: 3_600_000})()
	for !strings.Contains(s.shown(), "…GJbQjU9b: running: ") { // each tick draws it
		runtime.Gosched()
	}
	p.say(someNode, "connection lost; attaching to the job again")
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.limit != 0 || !strings.Contains(p.text, "lost") {
		t.Errorf("%v, %q", p.limit, p.text)
	}
}

func TestProgressMakesWay(t *testing.T) {
	t.Parallel()
	s := &screen{}
	p := &progress{stderr: s, called: cli.PeerEnd}
	p.begin("reading the job", 0)
	p.sending(someNode, 1, 10)
	s.shown()
	_, _ = io.WriteString(p, "words\n")
	if got := s.shown(); !strings.HasPrefix(got, clearLine+"words\n") {
		t.Errorf("words: %q", got)
	}
	p.sending(someNode, 2, 10)
	p.stop()
	if got := s.shown(); !strings.HasSuffix(got, clearLine) {
		t.Errorf("stopped: %q", got)
	}
	p.sending(someNode, 3, 10)
	p.say("", "late")
	p.stop()
	_, _ = io.WriteString(p, "words\n")
	if got := s.shown(); got != "words\n" {
		t.Errorf("after the end: %q", got)
	}
}

// TestProgressOfStrangers holds that what a node says is one line, and fits.
func TestProgressOfStrangers(t *testing.T) {
	t.Parallel()
	p := &progress{stderr: &screen{}, called: cli.PeerEnd}
	p.begin("reading the job", 0)
	defer p.stop()
	p.say(someNode, "a\nb\x1b[31m\u009b"+strings.Repeat("ü", 300))
	if n := len([]rune(p.text)); n > 80 || strings.ContainsAny(p.text, "\n\x1b\u009b") {
		t.Errorf("%d characters: %q", n, p.text)
	}
}
