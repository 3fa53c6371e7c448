// Package netlab builds small networks out of network namespaces: a stretch of
// public internet, routers that translate addresses, LANs behind them. Programs
// run in it as they would on machines of their own.
//
// It needs Linux, root, and the commands ip and nft; Missing says what is not
// there. Everything is removed when the test ends, processes first.
package netlab

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// Lab is one network. Its methods fail the test when they cannot do what they
// are asked; they are called by the test's own goroutine.
type Lab struct {
	t      *testing.T
	prefix string
	spaces []*Machine
	sites  int // LANs so far: the second number of their addresses
	wires  int
}

// labs counts the labs of this process, so that their namespaces differ.
var labs atomic.Int64

// Missing says why there can be no lab here, or returns nil.
var Missing = sync.OnceValue(missing)

func missing() error {
	for _, command := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(command); err != nil {
			return err
		}
	}
	name := "plasm-try-" + strconv.Itoa(os.Getpid())
	if out, err := ip("netns", "add", name).CombinedOutput(); err != nil {
		return fmt.Errorf("ip netns add: %w: %s", err, bytes.TrimSpace(out))
	}
	return ip("netns", "del", name).Run()
}

// New returns an empty lab, which is removed when the test ends. Where there can
// be none it skips the test and says why.
func New(t *testing.T) *Lab {
	t.Helper()
	if err := Missing(); err != nil {
		t.Skipf("no network namespaces here: %v", err)
	}
	l := &Lab{t: t, prefix: fmt.Sprintf("plasm-%d-%d", os.Getpid(), labs.Add(1))}
	t.Cleanup(l.remove)
	return l
}

// remove ends every process of the lab and takes its namespaces away.
func (l *Lab) remove() {
	for _, m := range l.spaces {
		m.killAll()
	}
	for _, m := range l.spaces {
		if out, err := ip("netns", "del", m.space).CombinedOutput(); err != nil {
			l.t.Errorf("ip netns del %s: %v: %s", m.space, err, out)
		}
	}
}

// ip is the command ip, without a context: what it runs is over at once, and
// cleaning up outlives the test's context.
func ip(args ...string) *exec.Cmd {
	return exec.CommandContext(context.Background(), "ip", args...)
}

// ip runs the command ip with words separated by white space.
func (l *Lab) ip(format string, args ...any) {
	l.t.Helper()
	words := strings.Fields(fmt.Sprintf(format, args...))
	if out, err := ip(words...).CombinedOutput(); err != nil {
		l.t.Fatalf("ip %s: %v: %s", strings.Join(words, " "), err, out)
	}
}
