package wazero

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/engine"
	"plasm/lib/job"
	"plasm/lib/wasi/preview1"
	"plasm/lib/wasm"
	"plasm/test/guest"
	"plasm/test/loading"
)

func TestEnds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		guest  string
		code   uint32
		stdout string
	}{
		{"nothing", 0, ""},
		{"exit-0", 0, ""},
		{"exit-3", 3, ""},
		{"exit-256", 256, ""},
		// To wazero these two are a cancel and a deadline.
		{"exit-4294967295", 0xffffffff, ""},
		{"exit-4026531839", 0xefffffff, ""},
		{"exit-and-on", 5, ""},
		{"start-section", 0, "start\nmain\n"},
		{"start-exit", 3, ""},
		{"start-exit-0", 0, ""},
		{"close-stdout", 8, ""}, // EBADF,
	}
	for _, test := range tests {
		t.Run(test.guest, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(exited(test.code, test.stdout),
				play(t, named(t, test.guest), nil, engine.Host{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTraps(t *testing.T) {
	t.Parallel()
	tests := []struct{ guest, trap, stdout string }{
		{"unreachable", job.TrapUnreachable, "before\n"},
		{"start-trap", job.TrapUnreachable, ""},
		{"divzero", job.TrapDivideByZero, "before\n"},
		{"overflow", job.TrapIntegerOverflow, "before\n"},
		{"conversion", job.TrapConversion, "before\n"},
		{"oob-load", job.TrapMemory, "before\n"},
		{"oob-store", job.TrapMemory, "before\n"},
		{"oob-offset", job.TrapMemory, "before\n"},
		{"oob-data", job.TrapMemory, ""},
		{"stackoverflow", job.TrapStackOverflow, "before\n"},
		{"indirect-mismatch", job.TrapIndirectCall, "before\n"},
		{"indirect-null", job.TrapTable, "before\n"},
		{"indirect-oob", job.TrapTable, "before\n"},
		{"no-memory", job.TrapOther, ""},
	}
	for _, test := range tests {
		t.Run(test.guest, func(t *testing.T) {
			t.Parallel()
			got := play(t, named(t, test.guest), nil, engine.Host{})
			got.Memory = 0
			want := ending{Result: engine.Result{Status: job.Trap, Trap: test.trap}, Stdout: test.stdout}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTrapNames holds our names together with the closed set.
func TestTrapNames(t *testing.T) {
	t.Parallel()
	for text, trap := range traps {
		o := job.Outcome{Status: job.Trap, Trap: trap, StdinHash: job.EmptyDigest}
		if err := o.Validate(); err != nil {
			t.Errorf("%q is the trap %q: %v", text, trap, err)
		}
	}
}

// TestNoTrap is for errors of wazero that no guest can cause.
func TestNoTrap(t *testing.T) {
	t.Parallel()
	for _, err := range []error{errors.New("some trouble\nsecond line"), io.ErrUnexpectedEOF} {
		if result, err := (&program{guest: new(preview1.Guest)}).result(err); err == nil ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v, %v: not one line of error", result, err)
		}
	}
}

func TestStreams(t *testing.T) {
	t.Parallel()
	tests := []struct {
		guest, stdin   string
		known          bool
		stdout, stderr string
		code           uint32
	}{
		{"both", "", true, "out\n", "err\n", 7},
		{"cat", "some input", true, "some input", "", 0},
		{"cat", "some input", false, "some input", "", 0},
		{"cat-small", "some input", true, "some input", "", 0},
		{"read-one", "some input", false, "s", "", 0},
		{"read-one", "", true, "", "", 0},
		{"not-read", "some input", true, "done\n", "", 0},
		{"readsizes", strings.Repeat("x", 5000), true, "4096\n904\n0\n", "", 0},
		{"write-100000", "", true, strings.Repeat("x", 100_000), "", 0},
		{"huge-iov", "", true, "21\n21\n21\n21\n21\n", "", 0},
		{"fd-exhaust", "", true, "0\n8\n", "", 0},
		{"tick", "", true, strings.Repeat("tick\n", 20), "", 0},
		{"args", "", true, "module\x00one\x00two three\x00\x00", "", 0},
		{"env", "", true, "A=b\x00EMPTY=\x00EQUALS=a=b\x00", "", 0},
	}
	for _, test := range tests {
		t.Run(test.guest, func(t *testing.T) {
			t.Parallel()
			got := play(t, named(t, test.guest), nil, engine.Host{
				Args: []string{"one", "two three", ""}, Env: []string{"A=b", "EMPTY=", "EQUALS=a=b"},
				Stdin: inputFile(t, test.stdin), StdinKnown: test.known,
			})
			want := exited(test.code, test.stdout)
			want.Stderr = test.stderr
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestZeroHost runs guests that ask for everything with a host that gives
// nothing.
func TestZeroHost(t *testing.T) {
	t.Parallel()
	for name, module := range guest.All() {
		if guest.Bad(name) || guest.Endless(name) || strings.HasPrefix(name, "min-memory") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := loading.Load(t, Engine{}, module, job.NewManifest().MemoryMB)
			must(t, err)
			if _, err := p.Run(t.Context(), engine.Host{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestDeterministic pins what guests see of time, chance and input: receipts of
// other machines are compared with ours.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	tests := []struct {
		guest string
		seed  int64
		want  string
	}{
		{"clocks", 0, "946684800000000000\n1000\n946684800000002000\n3000\n946684800000004000\n5000\n1000\n1000\n"},
		{"random", 0, "cc2cca03b10743f3614d77ca4147d442b06b8e1a818911a9066c6400010d7571\n"},
		{"random", 1, "a0956ed007ec77ea695d1a02728cae719352185a7e37cd0caf4cd45159516746\n"},
		// Each look at the clock takes 1 µs, also that of a subscription to it.
		{"sleep", 0, "0\n100002000\n200004000\n"},
	}
	for _, test := range tests {
		t.Run(test.guest, func(t *testing.T) {
			t.Parallel()
			for range 2 {
				begun := time.Now()
				got := play(t, named(t, test.guest), nil, engine.Host{Seed: test.seed})
				if got.Stdout != test.want {
					t.Errorf("wrote %q, want %q", got.Stdout, test.want)
				}
				if took := time.Since(begun); took > 30*time.Second {
					t.Errorf("took %v: it has slept", took)
				}
			}
		})
	}
	t.Run("an hour", func(t *testing.T) {
		t.Parallel()
		play(t, named(t, "sleep-hour"), nil, engine.Host{})
	})
}

func TestReal(t *testing.T) {
	t.Parallel()
	h := engine.Host{Real: true}
	a, b := play(t, named(t, "random"), nil, h), play(t, named(t, "random"), nil, h)
	if raw, err := hex.DecodeString(strings.TrimSpace(a.Stdout)); err != nil || len(raw) != 32 || a.Stdout == b.Stdout {
		t.Errorf("random bytes are %q and %q", a.Stdout, b.Stdout)
	}
	before := time.Now().UnixNano()
	times := numbers(t, play(t, named(t, "clocks"), nil, h).Stdout)
	if len(times) != 8 || times[0] < before || times[4] > time.Now().UnixNano() || times[6] != 1 || times[7] != 1 {
		t.Errorf("the clocks say %v", times)
	}
	slept := numbers(t, play(t, named(t, "sleep"), nil, h).Stdout)
	if len(slept) != 3 || slept[1]-slept[0] < 100e6 || slept[2]-slept[1] < 100e6-1e6 {
		t.Errorf("the clock around two sleeps of 100 ms says %v", slept)
	}
}

// numbers reads lines of numbers.
func numbers(t *testing.T, text string) []int64 {
	t.Helper()
	var all []int64
	for line := range strings.Lines(text) {
		n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
		must(t, err)
		all = append(all, n)
	}
	return all
}

// TestPollStdinGuest is poll_oneoff as a guest meets it.
func TestPollStdinGuest(t *testing.T) {
	t.Parallel()
	module := named(t, "poll-stdin")
	known := play(t, module, nil, engine.Host{Stdin: inputFile(t, ""), StdinKnown: true})
	quiet, _ := inputPipe(t)
	waited := play(t, module, nil, engine.Host{Stdin: quiet})
	full, w := inputPipe(t)
	_, err := w.WriteString("x")
	must(t, err)
	came := play(t, module, nil, engine.Host{Stdin: full})
	if known.Stdout != "stdin\n" || waited.Stdout != "clock\n" || came.Stdout != "stdin\n" {
		t.Errorf("known input %q, a quiet pipe %q, a full one %q", known.Stdout, waited.Stdout, came.Stdout)
	}
}

// TestMemory grows to the limit and not beyond it.
func TestMemory(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		guest    string
		memoryMB int64
		want     string
		code     uint32
		peak     uint64
	}{
		{"grow", 1, "16\n", 0, 1 << 20},
		{"grow-touch", 16, "256\n", 0, 16 << 20},
		{"grow", 300, "4800\n", 0, 300 << 20},
		{"grow-to-16", 1, "16\n", 0, 1 << 20},
		{"grow-to-17", 1, "1\n", 1, wasm.PageSize},
		{"min-memory-16", 1, "16\n", 0, 1 << 20},
		// All that wazero can give of the 65536 pages that the job may have.
		{"grow-to-65535", 4096, "65535\n", 0, 4<<30 - wasm.PageSize},
		{"grow-to-65536", 4096, "1\n", 1, wasm.PageSize},
		{"min-memory-65535", 4096, "65535\n", 0, 4<<30 - wasm.PageSize},
	} {
		t.Run(test.guest, func(t *testing.T) {
			t.Parallel()
			p, err := loading.Load(t, Engine{}, named(t, test.guest), test.memoryMB)
			must(t, err)
			var stdout bytes.Buffer
			var peak uint64
			result, err := p.Run(t.Context(), engine.Host{Stdout: &stdout, MemoryGrew: func(size uint64) {
				if size <= peak {
					t.Errorf("memory was %d bytes and grew to %d", peak, size)
				}
				peak = size
			}})
			must(t, err)
			if stdout.String() != test.want || result.Status != job.Exit || result.ExitCode != test.code ||
				peak != test.peak {
				t.Errorf("wrote %q, ended with %+v, peak %d; want %q, %d, %d",
					stdout.String(), result, peak, test.want, test.code, test.peak)
			}
		})
	}
}

// TestDirs gives a guest a folder, and one that is not there.
func TestDirs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	with := func(host string) engine.Host {
		return engine.Host{Dirs: []engine.Dir{
			{Host: dir, Dir: job.Dir{Guest: "/a"}},
			{Host: host, Dir: job.Dir{Guest: "/b", ReadOnly: true}},
		}}
	}
	p, err := loading.Load(t, Engine{}, named(t, "nothing"), 1)
	must(t, err)
	checker, ok := p.(engine.Checker)
	if !ok {
		t.Fatal("the program cannot check its host")
	}
	if err := checker.Check(with(dir)); err != nil {
		t.Errorf("with two folders: %v", err)
	}
	if err := checker.Check(with(dir + "/missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("with a folder that is not there: %v", err)
	}
	if result, err := p.Run(t.Context(), with(dir)); err != nil || result.Status != job.Exit {
		t.Errorf("with two folders: %+v, %v", result, err)
	}
	p, err = loading.Load(t, Engine{}, named(t, "nothing"), 1)
	must(t, err)
	if result, err := p.Run(t.Context(), with(dir+"/missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("with a folder that is not there: %+v, %v", result, err)
	}
}
