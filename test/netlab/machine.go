package netlab

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Machine is a machine of the lab: a network namespace.
type Machine struct {
	lab   *Lab
	space string // the namespace's name
	Addr  string // its IPv4 address, "" where it has none

	Router *Machine // of the site that it is in, nil elsewhere
}

// machine makes a machine whose only interface is lo.
func (l *Lab) machine(name string) *Machine {
	l.t.Helper()
	m := &Machine{lab: l, space: l.prefix + "-" + name}
	l.ip("netns add %s", m.space)
	l.spaces = append(l.spaces, m)
	l.ip("-n %s link set lo up", m.space)
	return m
}

// For returns the machine as a subtest sees it: what it starts there ends with
// the subtest, and what goes wrong is the subtest's failure.
func (m *Machine) For(t *testing.T) *Machine {
	t.Helper()
	lab := *m.lab
	lab.t = t
	return &Machine{lab: &lab, space: m.space, Addr: m.Addr}
}

// Pids returns the processes that run on the machine.
func (m *Machine) Pids() []int {
	m.lab.t.Helper()
	out, err := ip("netns", "pids", m.space).Output()
	if err != nil {
		m.lab.t.Fatalf("ip netns pids %s: %v", m.space, err)
	}
	words := strings.Fields(string(out))
	pids := make([]int, 0, len(words))
	for _, word := range words {
		pid, err := strconv.Atoi(word)
		if err != nil {
			m.lab.t.Fatalf("ip netns pids %s: %q", m.space, out)
		}
		pids = append(pids, pid)
	}
	return pids
}

// Namespace returns the file that stands for the machine's network.
func (m *Machine) Namespace() string { return "/run/netns/" + m.space }

// Command returns the command that runs a program on the machine; the program
// ends with ctx.
func (m *Machine) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", m.space, name}, args...)...)
}

// Set runs ip on the machine, with words separated by white space, such as "link
// set eth0 down".
func (m *Machine) Set(format string, args ...any) {
	m.lab.t.Helper()
	m.lab.ip("-n %s %s", m.space, fmt.Sprintf(format, args...))
}

// Rules loads nftables rules on the machine, beside those that it has.
func (m *Machine) Rules(rules string) {
	m.lab.t.Helper()
	cmd := m.Command(m.lab.t.Context(), "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	if out, err := cmd.CombinedOutput(); err != nil {
		m.lab.t.Fatalf("nft: %v: %s\n%s", err, out, rules)
	}
}

// killAll kills what runs on the machine until nothing does.
func (m *Machine) killAll() {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		out, err := ip("netns", "pids", m.space).Output()
		pids := strings.Fields(string(out))
		if err != nil || len(pids) == 0 {
			return
		}
		for _, pid := range pids {
			if n, err := strconv.Atoi(pid); err == nil {
				_ = syscall.Kill(n, syscall.SIGKILL)
			}
		}
	}
	m.lab.t.Errorf("processes of %s do not end", m.space)
}
