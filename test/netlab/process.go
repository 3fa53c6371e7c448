package netlab

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Process is a program that runs on a machine of the lab. It is killed with the
// lab.
type Process struct {
	machine *Machine
	cmd     *exec.Cmd
	stdout  *record
	stderr  *record
	over    chan struct{} // closed when it has ended and all it wrote is recorded
	err     error         // how it ended; after over
}

// Start starts a program on the machine, with env as its whole environment.
func (m *Machine) Start(env []string, name string, args ...string) *Process {
	t := m.lab.t
	t.Helper()
	p := &Process{machine: m, stdout: newRecord(), stderr: newRecord(), over: make(chan struct{})}
	p.cmd = m.Command(t.Context(), name, args...)
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.over)
		p.err = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.over
		if t.Failed() {
			t.Logf("%s on %s:\n%s%s", name, m.space, p.stdout.all(), p.stderr.all())
		}
	})
	return p
}

// Line waits for a line of stdout that fits, and returns it without its end.
func (p *Process) Line(patience time.Duration, fits func(line []byte) bool) []byte {
	p.machine.lab.t.Helper()
	return p.wait(p.stdout, "line of stdout", patience, fits)
}

// Event waits for an event in the JSON log on stderr that fits, and returns its
// members.
func (p *Process) Event(patience time.Duration, name string, fits func(event map[string]any) bool) map[string]any {
	p.machine.lab.t.Helper()
	var event map[string]any
	p.wait(p.stderr, name, patience, func(line []byte) bool {
		event = nil
		return json.Unmarshal(line, &event) == nil && event["msg"] == name && (fits == nil || fits(event))
	})
	return event
}

// Pid returns the program's process ID.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Signal sends the program a signal. That it has ended already is no failure.
func (p *Process) Signal(signal syscall.Signal) { _ = p.cmd.Process.Signal(signal) }

// Stop sends a signal and waits for the end, which err describes as
// exec.Cmd.Wait does.
func (p *Process) Stop(signal syscall.Signal, patience time.Duration) error {
	p.machine.lab.t.Helper()
	_ = p.cmd.Process.Signal(signal)
	return p.End(patience)
}

// End waits for the program's end.
func (p *Process) End(patience time.Duration) error {
	p.machine.lab.t.Helper()
	select {
	case <-p.over:
	case <-time.After(patience):
		p.machine.lab.t.Fatalf("%v has not ended after %v", p.cmd.Args, patience)
	}
	return p.err
}

// Stdout returns what the program has written to stdout so far.
func (p *Process) Stdout() []byte { return p.stdout.all() }

// Stderr returns what the program has written to stderr so far.
func (p *Process) Stderr() []byte { return p.stderr.all() }

// wait reads a record from its beginning until a line fits.
func (p *Process) wait(r *record, what string, patience time.Duration, fits func([]byte) bool) []byte {
	p.machine.lab.t.Helper()
	late := time.After(patience)
	for from := 0; ; {
		data, more := r.from(from)
		for {
			line, _, whole := bytes.Cut(data, []byte("\n"))
			if !whole {
				break
			}
			from += len(line) + 1
			data = data[len(line)+1:]
			if fits(line) {
				return line
			}
		}
		select {
		case <-more:
		case <-p.over:
			if data, _ := r.from(from); !bytes.Contains(data, []byte("\n")) {
				p.machine.lab.t.Fatalf("%v ended (%v) without the %s", p.cmd.Args, p.err, what)
			}
		case <-late:
			p.machine.lab.t.Fatalf("no %s of %v within %v", what, p.cmd.Args, patience)
		}
	}
}

// record keeps what is written and tells who waits for more.
type record struct {
	mu   sync.Mutex
	data []byte
	more chan struct{} // closed when data grows
}

func newRecord() *record { return &record{more: make(chan struct{})} }

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.data = append(r.data, p...)
	close(r.more)
	r.more = make(chan struct{})
	return len(p), nil
}

// from returns what was written after the first n bytes, and what is closed when
// there is more.
func (r *record) from(n int) ([]byte, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.data[n:len(r.data):len(r.data)], r.more
}

func (r *record) all() []byte {
	data, _ := r.from(0)
	return data
}
