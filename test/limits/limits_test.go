//go:build linux

// Package limits_test runs each command under resource limits that are too low, and
// under some that are just enough: either it works, or it says which limit is too low
// and ends with 125. It never shows a trace of Go's.
package limits_test

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"plasm/lib/job"
	"plasm/test/attack/clone"
	"plasm/test/bin"
	"plasm/test/guest"
)

// programs is the folder with the commands under test.
var programs = filepath.Join(os.TempDir(), fmt.Sprintf("plasm-limits-%d", os.Getpid()))

// patience bounds what would hang.
const patience = 3 * time.Minute

// hogMode makes the test program one that takes all threads that its user may have,
// until its input ends.
const hogMode = "hog"

func hog() int {
	flags := map[string]uintptr{"amd64": 0xd0f00, "arm64": 0x50f00}[runtime.GOARCH]
	made, err := clone.Threads(flags, 1<<20)
	_, _ = fmt.Fprintln(os.Stdout, made, err)
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == hogMode {
		os.Exit(hog())
	}
	os.Exit(func() int {
		defer func() { _ = os.RemoveAll(programs) }()
		err := errors.Join(os.Unsetenv(bin.CoverDir), os.Mkdir(programs, 0o755)) // the commands as they are shipped
		if err == nil {
			err = bin.Build(context.Background(), programs, "plasm-run", "plasm-verify", "plasm-discover",
				"plasm-submit", "plasmd")
		}
		if err == nil {
			err = bin.BuildEngines(context.Background(), programs)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ground is a user's folder, with a module, a receipt and a node.
type ground struct {
	dir, module, loop, receipt, signer, addr string
}

func newGround(t *testing.T) *ground {
	t.Helper()
	dir := t.TempDir()
	g := &ground{
		dir: dir, module: filepath.Join(dir, "both.wasm"), loop: filepath.Join(dir, "loop.wasm"),
		receipt: filepath.Join(dir, "receipt.json"),
	}
	for name, file := range map[string]string{"nothing": g.module, "loop": g.loop} {
		module, err := guest.Module(name)
		must(t, err)
		must(t, os.WriteFile(file, module, 0o644))
	}
	first := g.run(t, "", "plasm-run", "--receipt", g.receipt, "-n", g.module)
	identity := g.run(t, "", "plasm-run", "--identity")
	if first.code != 0 || identity.code != 0 {
		t.Fatalf("without limits: %+v, %+v", first, identity)
	}
	g.signer = strings.TrimSpace(identity.stdout)
	g.addr = g.serve(t, "", g.node()...)
	return g
}

// command is a command with arguments, under the limits that prlimit(1) takes.
func (g *ground) command(ctx context.Context, limits, name string, args ...string) *exec.Cmd {
	line := append([]string{filepath.Join(programs, name)}, args...)
	if limits != "" {
		line = append(append([]string{"prlimit"}, strings.Fields(limits)...), line...)
	}
	c := exec.CommandContext(ctx, line[0], line[1:]...)
	c.Env = append(bin.Env(), "PATH="+os.Getenv("PATH"), "HOME="+g.dir, "XDG_RUNTIME_DIR="+g.dir)
	return c
}

// serve starts a node under limits and returns its address.
func (g *ground) serve(t *testing.T, limits string, args ...string) string {
	t.Helper()
	c := g.command(t.Context(), limits, "plasmd", args...)
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Signal(os.Interrupt)
		_ = c.Wait()
	})
	line := make([]byte, 4096)
	n, err := out.Read(line)
	must(t, err)
	addr, _, _ := strings.Cut(string(line[:n]), "\n")
	return addr
}

// node are the arguments of a node in folders of its own.
func (g *ground) node() []string {
	dir, err := os.MkdirTemp(g.dir, "node")
	if err != nil {
		panic(err)
	}
	return []string{
		"serve", "--listen", "/ip4/127.0.0.1/tcp/0", "--mdns=false", "--allow", "any", "--slots", "1", "--memory",
		"600", "--data-dir", filepath.Join(dir, "data"), "--runtime-dir", filepath.Join(dir, "run"),
	}
}

// ended is how a command ended.
type ended struct {
	code           int
	stdout, stderr string
}

// run runs a command to its end. A node that is ready is ended.
func (g *ground) run(t *testing.T, limits, name string, args ...string) ended {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := g.command(ctx, limits, name, args...)
	var stdout, stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	piece := make([]byte, 1<<16)
	for {
		n, err := out.Read(piece)
		stdout.Write(piece[:n])
		if err != nil {
			break
		}
		if name == "plasmd" && strings.Contains(stdout.String(), "/p2p/") {
			_ = c.Process.Signal(os.Interrupt)
		}
	}
	err = c.Wait()
	if ctx.Err() != nil {
		t.Errorf("%s under %s hangs: %s", name, limits, &stderr)
	}
	e := ended{0, stdout.String(), stderr.String()}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		e.code = exit.ExitCode()
	} else if err != nil {
		t.Errorf("%s under %s: %v", name, limits, err)
	}
	return e
}

// commands are the commands under test, each of which does something real.
func (g *ground) commands() map[string][]string {
	return map[string][]string{
		"plasm-run":      {"--no-cache", "--timeout", "30s", "-n", g.module},
		"plasm-run-go":   {"--engine", "wazero", "--no-cache", "--timeout", "30s", "-n", g.module},
		"plasm-verify":   {"--signer", g.signer, "--rerun", "--module", g.module, "--timeout", "30s", g.receipt},
		"plasm-discover": {"--mdns=false", "--timeout", "5s", "--bootstrap", g.addr},
		"plasm-submit":   {"--mdns=false", "--peer", g.addr, "-n", g.module},
		"plasmd":         g.node(),
	}
}

// TestLimits runs each command under each limit.
func TestLimits(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	for _, limits := range []string{
		"--as=1100000000", "--as=1610612735", "--as=1610612736", "--as=2000000000", "--as=3000000000",
		"--as=8000000000", "--data=100000000", "--data=268435455", "--data=268435456", "--data=603979775",
		"--data=603979776", "--data=1000000000", "--nofile=16", "--nofile=63", "--nofile=64", "--nofile=80",
		"--nofile=300", "--sigpending=0", "--sigpending=1", "--sigpending=20", "--sigpending=200",
		"--cpu=1", "--cpu=2", "--cpu=29", "--cpu=30", "--cpu=300",
		"--stack=131072", "--stack=262144", "--fsize=0", "--fsize=1000", "--fsize=100000", "--rss=0", "--memlock=0",
		"--core=0",
	} {
		t.Run(limits, func(t *testing.T) {
			t.Parallel()
			for name, args := range g.commands() {
				program := strings.TrimSuffix(name, "-go")
				g.judge(t, name+" under "+limits, program, g.run(t, limits, program, args...))
			}
		})
	}
}

// TestBeforeTheRuntime runs each command under limits under which Go's runtime would end
// it before it begins.
func TestBeforeTheRuntime(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	for _, limits := range []string{
		"--as=200000000", "--as=500000000", "--as=700000000", "--as=800000000", "--as=1000000000",
		"--data=50000000", "--data=70000000", "--data=80000000",
		"--nofile=0", "--nofile=1", "--nofile=3", "--nofile=6", "--nofile=7", "--nofile=8",
		"--stack=16384", "--stack=20480", "--stack=32768", "--stack=65536",
	} {
		t.Run(limits, func(t *testing.T) {
			t.Parallel()
			for name, args := range g.commands() {
				program := strings.TrimSuffix(name, "-go")
				e := g.run(t, limits, program, args...)
				g.judge(t, name+" under "+limits, program, e)
				if e.code != 125 {
					t.Errorf("%s under %s: exit code %d", name, limits, e.code)
				}
			}
		})
	}
	t.Run("soft", func(t *testing.T) { // the runtime raises it
		t.Parallel()
		if e := g.run(t, "--nofile=3:1000", "plasm-run", "-n", g.module); e.code != 0 || e.stderr != "" {
			t.Errorf("with 3 of 1000 descriptors: %+v", e)
		}
	})
}

// TestHardlyThere runs each command under limits under which its program itself is too
// large for the kernel, and under some just above: it says what is wrong, or the kernel
// ends it.
func TestHardlyThere(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	for name, args := range g.commands() {
		program := strings.TrimSuffix(name, "-go")
		all, writable := size(t, filepath.Join(programs, program))
		for _, limit := range []struct {
			flag string
			n    uint64
			runs bool
		}{
			{"as", 0, false},
			{"as", all / 2, false},
			{"as", all + 2<<20, true},
			{"data", 0, false},
			{"data", writable / 2, false},
			{"data", writable + 1<<20, true},
			{"stack", 0, false},
			{"stack", 4096, false},
			{"stack", 8192, false},
		} {
			limits := fmt.Sprintf("--%s=%d", limit.flag, limit.n)
			e := g.run(t, limits, program, args...)
			if ended := e == (ended{code: -1}); ended && !limit.runs {
				continue
			}
			g.judge(t, name+" under "+limits, program, e)
			if e.code != 125 {
				t.Errorf("%s under %s: exit code %d", name, limits, e.code)
			}
		}
	}
}

// size returns how much memory a program takes before it begins, and how much of that
// may be written to.
func size(t *testing.T, program string) (all, writable uint64) {
	t.Helper()
	file, err := elf.Open(program)
	must(t, err)
	defer func() { _ = file.Close() }()
	for _, p := range file.Progs {
		if p.Type == elf.PT_LOAD {
			all += p.Memsz
			if p.Flags&elf.PF_W != 0 {
				writable += p.Memsz
			}
		}
	}
	return all, writable
}

// TestErrorDocument compares what is written with --json with the words.
func TestErrorDocument(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	for _, limits := range []string{"--nofile=6", "--as=500000000"} {
		for _, line := range [][]string{
			{"plasm-run", "--json", "-n", g.module},
			{"plasm-run", "--timeout", "5s", "--json", g.module},
			{"plasm-verify", "--json", g.receipt},
			{"plasm-submit", "--json", "--peer", g.addr, g.module},
			{"plasm-discover", "--json"},
			{"plasmd", "status", "--json"},
		} {
			e := g.run(t, limits, line[0], line[1:]...)
			doc, err := job.DecodeError([]byte(e.stdout))
			if err != nil || doc.Code != job.CodeUnsupported || e.code != 125 {
				t.Errorf("%v under %s: %v, exit code %d: %q", line, limits, err, e.code, e.stdout)
				continue
			}
			if want := line[0] + ": " + doc.Message + "\n" + line[0] + ": hint: " + doc.Hint + "\n"; e.stderr != want {
				t.Errorf("%v under %s says %q, and on stdout %q", line, limits, e.stderr, e.stdout)
			}
		}
		e := g.run(t, limits, "plasm-run", "-n", g.module, "--json")
		g.judge(t, "a module's --json", "plasm-run", e)
	}
}

// judge checks how a command under limits ended.
func (g *ground) judge(t *testing.T, what, program string, e ended) {
	t.Helper()
	for _, trace := range []string{"goroutine ", "fatal error", "panic:", "SIG"} {
		if strings.Contains(e.stderr, trace) {
			t.Errorf("%s: a trace: %.600s", what, e.stderr)
			return
		}
	}
	switch e.code {
	case 0:
	case 125:
		if !strings.Contains(e.stderr, program+": ") || !named(e.stderr) {
			t.Errorf("%s does not name the limit: %q", what, e.stderr)
		}
		if e.stdout != "" {
			t.Errorf("%s writes %q", what, e.stdout)
		}
	case 1: // no verdict, which is what became of running the job again
		if program != "plasm-verify" || !strings.Contains(e.stderr, "not_repeatable") || !named(e.stderr) {
			t.Errorf("%s: exit code 1: %q", what, e.stderr)
		}
	default:
		t.Errorf("%s: exit code %d: %q", what, e.code, e.stderr)
	}
}

// named reports whether words say which limit it is.
func named(words string) bool {
	return strings.Contains(words, "the limit on ") || strings.Contains(words, "file too large")
}

// open lets another user into the ground.
func (g *ground) open(t *testing.T) {
	t.Helper()
	for _, dir := range []string{g.dir, filepath.Dir(g.dir)} {
		must(t, os.Chmod(dir, 0o755))
	}
}

// TestTooFewProcesses runs the commands as a user who may start few processes more.
func TestTooFewProcesses(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("it takes a user of its own, which root can become")
	}
	g := newGround(t)
	g.open(t)
	for i, limit := range []int{0, 1, 3, 10, 20, 49, 60, 400} {
		t.Run(strconv.Itoa(limit), func(t *testing.T) {
			t.Parallel()
			uid := strconv.Itoa(64700 + i)
			home := filepath.Join(g.dir, uid)
			must(t, os.Mkdir(home, 0o700))
			must(t, os.Chown(home, 64700+i, 64700+i))
			for name, args := range g.commands() {
				if name == "plasmd" {
					args = append(args[:len(args)-4], "--data-dir", filepath.Join(home, "data"), "--runtime-dir",
						filepath.Join(home, "run"))
				}
				if name == "plasm-verify" {
					continue // the receipt is another user's
				}
				program := strings.TrimSuffix(name, "-go")
				user := &ground{dir: home}
				e := user.run(t, fmt.Sprintf("--nproc=%d setpriv --reuid=%s --regid=%s --clear-groups", limit, uid,
					uid), program, args...)
				if program == "plasm-submit" && strings.Contains(e.stderr, "not trusted") {
					e.code = 0
				}
				g.judge(t, name, program, e)
				if small := limit < 50; small != (e.code == 125) && program != "plasmd" {
					t.Errorf("%s with %d processes: exit code %d: %s", name, limit, e.code, e.stderr)
				}
			}
		})
	}
}

// TestNodeOutlivesThreads takes all threads that a node's user may have, while it runs.
// It goes on: jobs are refused for as long as that lasts, and run again later.
func TestNodeOutlivesThreads(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("it takes a user of its own, which root can become")
	}
	g := newGround(t)
	g.open(t)
	const uid = 64720
	home := filepath.Join(g.dir, "node")
	must(t, os.Mkdir(home, 0o700))
	must(t, os.Chown(home, uid, uid))
	as := fmt.Sprintf("--nproc=300 setpriv --reuid=%d --regid=%d --clear-groups", uid, uid)
	args := g.node()
	args = append(args[:len(args)-4], "--data-dir", filepath.Join(home, "data"), "--runtime-dir",
		filepath.Join(home, "run"))
	addr := (&ground{dir: home}).serve(t, as, args...)
	submit := func() ended {
		return g.run(t, "", "plasm-submit", "--mdns=false", "--retries", "0", "--peer", addr, "-n", g.module)
	}
	if e := submit(); e.code != 0 {
		t.Fatalf("before: %+v", e)
	}

	self, err := os.Executable()
	must(t, err)
	hogs := filepath.Join(programs, "hog")
	data, err := os.ReadFile(self) // where the user may start it
	must(t, err)
	must(t, os.WriteFile(hogs, data, 0o755))
	c := g.command(t.Context(), as, "hog", hogMode)
	in, err := c.StdinPipe()
	must(t, err)
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	var made int
	if _, err := fmt.Fscanf(out, "%d resource temporarily unavailable", &made); err != nil || made < 100 {
		t.Fatalf("the hog has %d threads: %v", made, err)
	}
	for name, args := range map[string][]string{
		"plasm-run": {"-n", g.module}, "plasm-verify": {"--help"},
		"plasm-discover": nil, "plasm-submit": {"-n", g.module}, "plasmd": {"status"},
	} {
		e := (&ground{dir: home}).run(t, as, name, args...)
		g.judge(t, name+" without a thread", name, e)
		if e.code != 125 {
			t.Errorf("%s without a thread: %+v", name, e)
		}
	}
	refused, all := 0, make(chan ended)
	for range 8 { // at a time
		go func() { all <- submit() }()
	}
	for range 8 { // a worker that waits may still take one
		e := <-all
		if e.code == 125 && (strings.Contains(e.stderr, "could not start the job") ||
			strings.Contains(e.stderr, "engine_failed")) {
			refused++
		} else if e.code != 0 && !strings.Contains(e.stderr, "busy") {
			t.Errorf("while there are no threads: %+v", e)
		}
	}
	if refused == 0 {
		t.Error("no job was refused")
	}
	must(t, in.Close())
	must(t, c.Wait())
	if e := submit(); e.code != 0 {
		t.Errorf("after that: %+v", e)
	}
}
