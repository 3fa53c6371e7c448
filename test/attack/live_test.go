//go:build linux

package attack_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"plasm/lib/identity"
	"plasm/test/attack"
)

// live is a supervisor whose worker is in the middle of its job.
type live struct {
	supervisor int
	worker     int
	done       func() attack.Report // lets the job end
}

// begin starts a job whose guest tells its process number and waits.
func (g *ground) begin(t *testing.T, w world, j attack.Job) live {
	t.Helper()
	j.Plan, j.Guards = attack.Plan{Stage: attack.Run, Attack: "nothing", Wait: true}, w.guards
	j.Input = filepath.Join(g.folder(t, w), "input")
	must(t, unix.Mkfifo(j.Input, 0o600))
	g.give(t, w, j.Input)
	order, err := json.Marshal(j)
	must(t, err)
	cmd := g.supervise(t, w)
	if w.reaped {
		cmd.Path, cmd.Args = built(attacker), append([]string{built(attacker), "reap"}, cmd.Args...)
	}
	cmd.Stdin = bytes.NewReader(order)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	input, err := os.OpenFile(j.Input, os.O_WRONLY, 0) // as soon as the supervisor has opened it
	must(t, err)
	reports := json.NewDecoder(out)
	next := func() (r attack.Report) {
		if err := reports.Decode(&r); err != nil {
			t.Fatalf("no report: %v", err)
		}
		return r
	}
	first := next()
	worker, err := strconv.Atoi(first.Stdout)
	if err != nil {
		t.Fatalf("the job did not start: %+v", first)
	}
	supervisor := 0
	for line := range strings.Lines(read(t, proc(worker, "status"))) {
		if _, err := fmt.Sscanf(line, "PPid: %d", &supervisor); err == nil {
			break
		}
	}
	return live{supervisor: supervisor, worker: worker, done: func() attack.Report {
		must(t, input.Close())
		r := next()
		must(t, cmd.Wait())
		return r
	}}
}

func proc(pid int, name string) string { return fmt.Sprintf("/proc/%d/%s", pid, name) }

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	return string(text)
}

// TestWorkerFromOutside looks at a worker in the middle of its job: what it was
// started with, and what it has left.
func TestWorkerFromOutside(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	for _, w := range worlds(t) {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			l := g.begin(t, w, attack.Job{Leak: true})
			checkLimits(t, read(t, proc(l.worker, "limits")))
			if score := read(t, proc(l.worker, "oom_score_adj")); score != "1000\n" {
				t.Errorf("oom_score_adj: %s", score)
			}
			threads, err := filepath.Glob(proc(l.worker, "task/*/status"))
			must(t, err)
			for _, thread := range threads {
				status := read(t, thread)
				for _, want := range []string{"\nNoNewPrivs:\t1\n", "\nSeccomp:\t2\n"} {
					if !strings.Contains(status, want) {
						t.Errorf("a thread lacks %q: %s", want, status)
					}
				}
			}
			if len(threads) < 2 {
				t.Errorf("%d threads", len(threads))
			}
			if os.Geteuid() == 0 {
				if env := read(t, proc(l.worker,
					"environ")); env != "GODEBUG=containermaxprocs=0,updatemaxprocs=0\x00" {
					t.Errorf("environment: %q", env)
				}
			}
			// Stopped and continued, it goes on: the kernel makes a call of its own then.
			must(t, unix.Kill(l.worker, unix.SIGSTOP))
			must(t, unix.Kill(l.worker, unix.SIGCONT))
			if r := l.done(); r.Status != "exit" {
				t.Errorf("%+v", r)
			}
		})
	}
}

// checkLimits looks at each resource limit of a worker, soft and hard, by itself:
// some hold what others would.
func checkLimits(t *testing.T, limits string) {
	t.Helper()
	most := map[string]uint64{ // docs/security.md and docs/limits.md
		"Max core file size": 0, "Max open files": 256, "Max stack size": 8 << 20, "Max file size": 0,
		"Max data size": 2 << 30, "Max address space": 8 << 30, // with 256 MB of linear memory
	}
	for line := range strings.Lines(limits) {
		for name, bound := range most {
			rest, ok := strings.CutPrefix(line, name+" ")
			if !ok {
				continue
			}
			delete(most, name)
			values := strings.Fields(rest)[:2]
			for _, value := range values {
				if n, err := strconv.ParseUint(value, 10, 64); err != nil || n > bound {
					t.Errorf("%s: %v, may be %d", name, values, bound)
				}
			}
		}
	}
	if len(most) > 0 {
		t.Errorf("no word on %v in:\n%s", most, limits)
	}
}

// TestWorkerDiesWithItsSupervisor kills a supervisor whose worker cannot notice
// by itself.
func TestWorkerDiesWithItsSupervisor(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	for _, w := range worlds(t) {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			w.reaped = true
			l := g.begin(t, w, attack.Job{})
			must(t, unix.Kill(l.worker, unix.SIGSTOP))
			for !stopped(t, l.worker) {
				runtime.Gosched()
			}
			must(t, unix.Kill(l.supervisor, unix.SIGKILL))
			for unix.Kill(l.supervisor, 0) == nil {
				runtime.Gosched()
			}
			_ = unix.Kill(l.worker, unix.SIGCONT) // to end by itself, if it has not been killed
			if r := l.done(); r.Status != "signal 9" {
				t.Errorf("the worker's end: %+v", r)
			}
		})
	}
}

// stopped reports whether each thread of a process has stopped.
func stopped(t *testing.T, pid int) bool {
	t.Helper()
	threads, err := filepath.Glob(proc(pid, "task/*/status"))
	must(t, err)
	return !slices.ContainsFunc(threads,
		func(thread string) bool { return !strings.Contains(read(t, thread), "\nState:\tT") })
}

// TestEnvironmentAndDescriptors looks from inside.
func TestEnvironmentAndDescriptors(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	for _, w := range worlds(t) {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			reports := g.reports(t, w, []attack.Job{
				{Plan: attack.Plan{Stage: attack.Run, Attack: "environment"}, Leak: true},
				{Plan: attack.Plan{Stage: attack.Run, Attack: "descriptors"}, Leak: true},
			})
			for i, want := range []string{"GODEBUG=containermaxprocs=0,updatemaxprocs=0", "took: "} {
				if got := came(reports[i]); got != want {
					t.Errorf("%q, want %q", got, want)
				}
			}
		})
	}
}

// TestSupervisorCannotBeLookedInto tries to attach to supervisor and worker, as
// another process of the same user.
func TestSupervisorCannotBeLookedInto(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	w := world{name: "own user"}
	if os.Geteuid() == 0 {
		w = world{name: "nobody", user: nobody} // root may look into everything
	}
	other := g.supervise(t, w) // waits for jobs, and has not shielded itself yet
	hold, err := other.StdinPipe()
	must(t, err)
	must(t, other.Start())
	l := g.begin(t, w, attack.Job{})
	for _, test := range []struct {
		name string
		pid  int
		want string
	}{
		{"a process of no interest", other.Process.Pid, "^(done|EPERM) done$"}, // Yama may keep others from attaching
		{"supervisor", l.supervisor, "^EPERM EACCES$"},
		{"worker", l.worker, "^EPERM EACCES$"},
	} {
		out, err := g.command(t, w, "look", strconv.Itoa(test.pid)).Output()
		got := strings.TrimSpace(string(out))
		if err != nil || !regexp.MustCompile(test.want).MatchString(got) {
			t.Errorf("%s: %s, %v, want %s", test.name, got, err, test.want)
		}
	}
	must(t, hold.Close())
	_ = other.Wait() // it has been seized, or not
	l.done()
}

// TestKeyIsNotInTheWorker looks for the key in all memory of a worker whose
// supervisor holds it.
func TestKeyIsNotInTheWorker(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // nobody but root can read a worker's memory: see TestSupervisorCannotBeLookedInto
	}
	g := newGround(t)
	w := world{guards: allGuards}
	path := filepath.Join(g.dir, "key.pem")
	_, _, err := identity.LoadOrCreate(path, "")
	must(t, err)
	der, err := base64.StdEncoding.DecodeString(strings.Split(read(t, path), "\n")[1])
	must(t, err)
	seed := der[len(der)-32:] // RFC 8410
	secrets := [][]byte{
		seed, []byte(base64.StdEncoding.EncodeToString(der))[:40],
		[]byte(base64.StdEncoding.EncodeToString(der))[40:60],
	}
	l := g.begin(t, w, attack.Job{Key: path})
	if !contains(t, l.supervisor, secrets[:1]) {
		t.Error("not even the supervisor has it: the search finds nothing")
	}
	if contains(t, l.worker, secrets) {
		t.Error("the key is in the worker")
	}
	l.done()
}

// contains reports whether one of the texts is in a process's memory.
func contains(t *testing.T, pid int, texts [][]byte) bool {
	t.Helper()
	mem, err := os.Open(proc(pid, "mem"))
	must(t, err)
	defer func() { _ = mem.Close() }()
	looked := 0
	for line := range strings.Lines(read(t, proc(pid, "maps"))) {
		var from, to uint64
		var access string
		if n, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &access); n != 3 || err != nil || access[0] != 'r' ||
			to > 1<<63 {
			continue
		}
		const step, overlap = 1 << 20, 64
		for at := from; at < to; at += step {
			chunk := make([]byte, min(step+overlap, to-at))
			n, err := mem.ReadAt(chunk, int64(at))
			looked += n
			if err != nil && n == 0 && err != io.EOF {
				continue // pages that are nobody's, such as the kernel's vvar
			}
			if slices.ContainsFunc(texts, func(text []byte) bool { return bytes.Contains(chunk[:n], text) }) {
				return true
			}
		}
	}
	if looked < 1<<20 {
		t.Errorf("only %d bytes of memory could be read", looked)
	}
	return false
}
