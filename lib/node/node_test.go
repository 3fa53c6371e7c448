package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"plasm/lib/capability"
	"plasm/lib/control"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/network"
	"plasm/test/bin"
)

// worker is the plasm-run that the tests build. TestMain sets it, before any test
// runs.
var worker string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "node-test-")
		if err == nil {
			defer func() { _ = os.RemoveAll(dir) }()
			err = bin.Build(context.Background(), dir, "plasm-run")
		}
		if err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			return 1
		}
		worker = filepath.Join(dir, "plasm-run")
		return m.Run()
	}())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// config is that of a node on the loopback with folders of its own.
func config(t *testing.T) Config {
	t.Helper()
	dir := t.TempDir()
	machine, err := capability.Measure()
	must(t, err)
	return Config{
		Version: "dev", User: control.User{Getenv: func(string) string { return "" }, UID: os.Geteuid()},
		DataDir: filepath.Join(dir, "data"), RuntimeDir: filepath.Join(dir, "run"),
		Network: network.Config{Listen: []string{"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"}},
		Machine: machine, Slots: 3,
		Limits: job.NodeLimits{MemoryMB: 1, TimeoutMS: 1, ModuleBytes: 1},
		Worker: worker, AllowFile: filepath.Join(dir, "allow"), Metrics: "127.0.0.1:0",
		Ready: func([]string) error { return nil },
	}
}

// TestNothingIsLeft starts nodes one after the other, each of which is asked and
// ends. It is not parallel: it counts goroutines.
func TestNothingIsLeft(t *testing.T) {
	t.Setenv("WATCHDOG_USEC", "10000000")
	cfg := config(t)
	live := func() {
		ctx, cancel := context.WithCancelCause(t.Context())
		asked := make(chan error, 1)
		cfg.Ready = func(addrs []string) error {
			if len(addrs) != 2 || !strings.HasPrefix(addrs[0], "/ip4/127.0.0.1/") {
				t.Errorf("ready at %q", addrs)
			}
			go func() { asked <- ask(ctx, &cfg); cancel(errors.New("enough")) }()
			return nil
		}
		must(t, Run(ctx, cfg))
		must(t, <-asked)
	}
	live() // whatever libraries keep for ever is there after the first
	before := runtime.NumGoroutine()
	for range 3 {
		live()
	}
	// Those that have done all their work may still be on their last step.
	for late := time.After(time.Minute); runtime.NumGoroutine() > before; runtime.Gosched() {
		select {
		case <-late:
			var stacks bytes.Buffer
			must(t, pprof.Lookup("goroutine").WriteTo(&stacks, 1))
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks.String())
		default:
		}
	}
	left, err := os.ReadDir(cfg.RuntimeDir)
	if err != nil || len(left) != 1 || left[0].Name() != "lock" {
		t.Errorf("left in the runtime folder: %v %v", left, err)
	}
}

// ask asks a node for its status and has it reload.
func ask(ctx context.Context, cfg *Config) error {
	c, err := cfg.User.Client(cfg.RuntimeDir)
	if err != nil {
		return err
	}
	s, err := c.Status(ctx)
	if err != nil {
		return err
	}
	if err := s.Node.Validate(); err != nil {
		return err
	}
	if s.State != control.StateReady || s.Node.Slots != (job.Slots{Total: 3, Free: 3}) ||
		s.Allow.File != cfg.AllowFile {
		return fmt.Errorf("status %+v", s)
	}
	return c.Reload(ctx)
}

// TestEndsWhileItStarts ends nodes at each of their steps.
func TestEndsWhileItStarts(t *testing.T) {
	t.Parallel()
	cfg := config(t)
	cfg.Ready = func([]string) error { return errors.New("no reader") }
	if err := Run(t.Context(), cfg); err == nil || err.Error() != "no reader" {
		t.Errorf("got %v", err)
	}
	if _, err := cfg.User.ReadAddrs(cfg.RuntimeDir); err == nil {
		t.Error("a node that is not ready has left its addresses")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	must(t, Run(ctx, cfg))
}

func TestKeyThatCannotBeMade(t *testing.T) {
	t.Parallel()
	err := keyError(&job.Error{Code: job.CodeBadKey, Message: "no", Fact: job.FactKeyFile})
	if e, ok := errors.AsType[*job.Error](err); !ok || e.Message != "no" || e.Fact != job.FactFolder ||
		e.Detail != "data" {
		t.Errorf("got %#v", err)
	}
	chmod := &job.Error{Code: job.CodeBadKey, Message: "no", Hint: "chmod 600 x"}
	if got := keyError(chmod); !errors.Is(got, chmod) {
		t.Errorf("got %#v", got)
	}
}

func TestRequesters(t *testing.T) {
	t.Parallel()
	a, b := identity.Generate().PeerID(), identity.Generate().PeerID()
	file := filepath.Join(t.TempDir(), "allow")
	r, err := newRequesters(file, []string{a})
	must(t, err)
	check := func(everybody bool, peers ...string) {
		t.Helper()
		now := r.now()
		for _, id := range peers {
			if !now.peers[id] {
				t.Errorf("%s is not listed", id)
			}
		}
		if now.any != everybody || len(now.peers) != len(peers) {
			t.Errorf("listed: %+v", now)
		}
	}
	check(false, a)
	must(t, os.WriteFile(file, []byte("# x\n"+b+"\n"+a+"\nany\n"), 0o600))
	check(false, a)
	must(t, r.reload())
	check(true, a, b)
	for _, bad := range []string{"nonsense", "any\x00"} {
		must(t, os.WriteFile(file, []byte(bad), 0o600))
		if err := r.reload(); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%q: %v", bad, err)
		}
		check(true, a, b)
	}
	must(t, os.Remove(file))
	must(t, os.Mkdir(file, 0o700))
	if err := r.reload(); err == nil || !strings.HasSuffix(err.Error(), file+": not a regular file") {
		t.Errorf("a folder: %v", err)
	}
	must(t, os.Remove(file))
	must(t, r.reload())
	check(false, a)
	everybody, err := newRequesters(file, []string{"any"})
	must(t, err)
	if !everybody.now().any {
		t.Error("any is not everybody")
	}
}

// TestHealthyIsTheLoop shows that a node whose loop is stuck is not healthy.
func TestHealthyIsTheLoop(t *testing.T) {
	t.Parallel()
	n := &Node{calls: make(chan func()), log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if n.healthy(ctx) {
		t.Error("healthy without a loop")
	}
	late, end := context.WithCancel(t.Context())
	stuck, free := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(free)
		<-n.calls // and does not come to it
		end()
		<-stuck
	}()
	if err := n.do(late, func() {}); !errors.Is(err, context.Canceled) {
		t.Errorf("with a loop that is stuck: %v", err)
	}
	close(stuck)
	<-free
}
