package sandbox

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"plasm/lib/job"
)

// begun are the steps up to a running guest.
const begun = "ready=process module loaded started "

// TestLiarsBeforeTheStart is for workers with which no job starts.
func TestLiarsBeforeTheStart(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, mode string
		code       job.Code
		words      string // of the message
	}{
		{
			"dies at once", "say=boom exit=3", job.CodeInternal,
			"the worker died before it took the job: exit code 3: boom",
		},
		{
			"dies behind an empty line", "say= say=boom exit=2", job.CodeInternal,
			"the worker died before it took the job: exit code 2: boom",
		},
		{"is killed at once", "kill", job.CodeInternal, "the worker died before it took the job: signal 9"},
		{
			"exits when ready", "ready=process", job.CodeCompileLimit,
			"died while it compiled or loaded the module: exit code 0",
		},
		{"dies with the module", "ready=process module say=boom exit=2", job.CodeCompileLimit, "exit code 2: boom"},
		{
			"is killed with the module", "ready=process module kill", job.CodeInternal,
			"the worker was killed: signal 9 (killed)",
		},
		{"dies when loaded", "ready=process module loaded exit=4", job.CodeCompileLimit, "exit code 4"},
		{
			"text for ready", ":hello, world;hang", job.CodeInternal,
			`broke the protocol: frame 'h' of 1869376613 bytes: longer than a frame may be`,
		},
		{"half a frame", `:r\x05\x00\x00`, job.CodeInternal, "the worker died before it took the job"},
		{"no JSON in ready", `:r\x01\x00\x00\x00{;hang`, job.CodeInternal, "broke the protocol: frame 'r'"},
		{"loaded before ready", "loaded hang", job.CodeInternal, "broke the protocol: frame 'l' where 'r' was due"},
		{"started before loaded", "ready=process module started hang", job.CodeInternal, "frame 's' where 'l' was due"},
		{
			"output before started", "ready=process module loaded out=x hang", job.CodeInternal,
			"frame 'o' where 's' was due",
		},
		{
			"ended before started", "ready=process module loaded ended hang", job.CodeInternal,
			"frame 'x' where 's' was due",
		},
		{"unknown kind", `:?\x00\x00\x00\x00;hang`, job.CodeInternal, "frame '?' where 'r' was due"},
		{
			"fails for the module", "ready=process module failed=bad_module,it-is-bad hang", job.CodeBadModule,
			"it-is-bad",
		},
		{"fails before ready", "failed=unsupported,not-here hang", job.CodeUnsupported, "not-here"},
		{"fails when loaded", "ready=process module loaded failed=io,no-folder hang", job.CodeIO, "no-folder"},
		{"blames others", "ready=process module failed=guards,not-my-word hang", job.CodeInternal, "not-my-word"},
		{"an unknown code", "ready=process module failed=nonsense,x hang", job.CodeInternal, "x"},
		{
			"a long message", "ready=process module failed=bad_module," + strings.Repeat("x", 5000) + " hang",
			job.CodeBadModule, "xxx",
		},
		{"no JSON in failed", `:f\x01\x00\x00\x00{;hang`, job.CodeInternal, "broke the protocol: frame 'f'"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			report, err := supervisor(t, fakeConfig(t, test.mode)).Run(t.Context(), described(t, "nothing"))
			e, ok := errors.AsType[*job.Error](err)
			if !ok || e.Code != test.code || !strings.Contains(e.Message, test.words) || len(e.Message) > 3<<10 {
				t.Errorf("%+v, %#v; want %s, …%s…", report, err, test.code, test.words)
			}
			if died := test.code == job.CodeCompileLimit; errors.Is(err, ErrDied) != died {
				t.Errorf("%v says that the worker died: %v", err, !died)
			}
		})
	}
}

// TestLiarsAfterTheStart is for workers that cannot be believed once their guest
// runs: the job has started, so there is a report.
func TestLiarsAfterTheStart(t *testing.T) {
	t.Parallel()
	memory := func(n uint64) string {
		var b []byte
		for range 8 {
			b, n = append(b, byte(n)), n>>8
		}
		return `:m\x08\x00\x00\x00` + strings.Trim(strconv.QuoteToASCII(string(b)), `"`)
	}
	frame := func(kind, payload string) string {
		return ":" + kind + `\x` + strconv.FormatInt(int64(len(payload)|0x100), 16)[1:] + `\x00\x00\x00` +
			strings.Trim(strconv.Quote(payload), `"`)
	}
	tests := []struct {
		name, mode string
		status     job.Status
		cause      string
		stdout     string
	}{
		{"dies", "say=boom exit=3", job.EngineFailed, "the worker died: exit code 3: boom", ""},
		{"goes without a word", "", job.EngineFailed, "the worker died: exit code 0", ""},
		{"is killed", "out=before kill", job.EngineFailed, "signal 9 (killed)", "before"},
		{"dies in a frame", `:o\x09\x00\x00\x00before`, job.EngineFailed, "exit code 0", "before"},
		{"ready again", `:r\x02\x00\x00\x00{}`, job.EngineFailed, "frame 'r' while the guest runs", ""},
		{"loaded again", "loaded hang", job.EngineFailed, "frame 'l' while the guest runs", ""},
		{"started again", "out=x started hang", job.EngineFailed, "frame 's' while the guest runs", "x"},
		{"failed", "failed=bad_module,x hang", job.EngineFailed, "frame 'f' while the guest runs", ""},
		{
			"a frame of the other direction", `:M\x00\x00\x00\x00`, job.EngineFailed, "frame 'M' while the guest runs",
			"",
		},
		{"a long frame", `:o\x01\x00\x10\x00`, job.EngineFailed, "longer than a frame may be", ""},
		{"a very long frame", `:o\xff\xff\xff\xff`, job.EngineFailed, "longer than a frame may be", ""},
		{"text", ":hello, world", job.EngineFailed, "longer than a frame may be", ""},
		{"an end with a status of ours", "end=timeout hang", job.EngineFailed, `an end with status "timeout"`, ""},
		{
			"an end with engine_failed", "end=engine_failed hang", job.EngineFailed,
			`an end with status "engine_failed"`,
			"",
		},
		{"an end with cancelled", "end=cancelled hang", job.EngineFailed, `an end with status "cancelled"`, ""},
		{"an end without status", "end= hang", job.EngineFailed, `an end with status ""`, ""},
		{"an unknown trap", "end=trap,bogus hang", job.EngineFailed, `trap "bogus"`, ""},
		{"a trap without a name", "end=trap hang", job.EngineFailed, `trap ""`, ""},
		{"a trap at an exit", "end=exit,unreachable hang", job.EngineFailed, `status "exit", trap "unreachable"`, ""},
		{"17 functions", "traps=f,17 hang", job.EngineFailed, "trace: 17 functions, not 1 to 16", ""},
		{"a function without a name", "traps=,1 hang", job.EngineFailed, "trace[0]: \"\" is not 1 to 128 bytes", ""},
		{"a long name", "traps=" + strings.Repeat("x", 129) + ",1 hang", job.EngineFailed, "is not 1 to 128 bytes", ""},
		{"a name that moves the cursor", "traps=\x1b[2J,1 hang", job.EngineFailed, "trace[0]: \"\\x1b[2J\" is not", ""},
		{"functions at an exit", "exits=f hang", job.EngineFailed, `an end with status "exit", and a trace`, ""},
		{"no JSON in ended", frame("x", "{"), job.EngineFailed, "broke the protocol: frame 'x'", ""},
		{
			"an exit code too large", frame("x", `{"status":"exit","exit_code":4294967296}`), job.EngineFailed,
			"frame 'x'", "",
		},
		{"more memory than there is", memory(256<<20 + 1), job.EngineFailed, "linear memory of 268435457 bytes", ""},
		{
			"more memory than numbers", memory(1<<64 - 1), job.EngineFailed,
			"linear memory of 18446744073709551615 bytes",
			"",
		},
		{"memory of seven bytes", frame("m", "1234567"), job.EngineFailed, "frame 'm' of 7 bytes", ""},
		// What a worker may do.
		{"a trap", "end=trap,unreachable", job.Trap, "", ""},
		{"a trap in 16 functions", "traps=f,16", job.Trap, "", ""},
		{"out of memory", "end=out_of_memory", job.OutOfMemory, "", ""},
		{
			"dies of its memory bound", "say=fatal_error:_runtime:_cannot_allocate_memory exit=2", job.OutOfMemory, "",
			"",
		},
		{
			"dies of its memory bound, told otherwise", "say=runtime:_out_of_memory exit=3", job.EngineFailed,
			"exit code 3", "",
		},
		{"output after its end", "out=before ended out=after", job.Exit, "", "before"},
		{"nonsense after its end", "out=before ended :hello, world", job.Exit, "", "before"},
		{"floods its stderr", "flood ended", job.Exit, "", ""},
		{"frames without output", "out= out=x out= ended", job.Exit, "", "x"},
		{"does not exit", "out=x ended hang", job.Exit, "", "x"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			from := time.Now()
			r := play(t.Context(), t, supervisor(t, fakeConfig(t, begun+test.mode)), described(t, "nothing"))
			r.wantStatus(t, test.status, test.cause)
			if r.stdout.String() != test.stdout {
				t.Errorf("stdout is %q, want %q", r.stdout.String(), test.stdout)
			}
			if took := time.Since(from); took > time.Minute {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestLiarsDeathIsQuick is for a worker that has been killed for its nonsense:
// nobody waits for it to exit by itself.
func TestLiarsDeathIsQuick(t *testing.T) {
	t.Parallel()
	punctual(t, func(t *testing.T) time.Duration {
		t.Helper()
		r := play(t.Context(), t, supervisor(t, fakeConfig(t, begun+"started hang")), described(t, "nothing"))
		r.wantStatus(t, job.EngineFailed, "")
		return time.Duration(r.Outcome.WallTimeUS) * time.Microsecond
	})
}

// TestMemoryPeak takes the largest size that a worker tells.
func TestMemoryPeak(t *testing.T) {
	t.Parallel()
	mode := begun +
		`:m\x08\x00\x00\x00\x00\x00\x10\x00\x00\x00\x00\x00m\x08\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00` +
		`x\x11\x00\x00\x00{\"status\":\"exit\"}`
	r := play(t.Context(), t, supervisor(t, fakeConfig(t, mode)), described(t, "nothing"))
	r.wantExit(t, 0)
	if r.Outcome.MemoryBytes != 1<<20 {
		t.Errorf("peak memory is %d", r.Outcome.MemoryBytes)
	}
}

// TestGuardsClaimed believes no guard that it has never heard of.
func TestGuardsClaimed(t *testing.T) {
	t.Parallel()
	j := described(t, "nothing")
	j.RequireGuards = []string{"rlimits", "process"}
	r := play(t.Context(), t,
		supervisor(t,
			fakeConfig(t, "ready=seccomp,bogus,rlimits,,process,rlimits,PROCESS module loaded started ended")), j)
	r.wantExit(t, 0)
	if want := []string{"process", "rlimits", "seccomp"}; !slices.Equal(r.Guards, want) {
		t.Errorf("guards are %v, want %v", r.Guards, want)
	}
}

// TestGuardsMissing refuses before the worker has seen a byte.
func TestGuardsMissing(t *testing.T) {
	t.Parallel()
	j := described(t, "nothing")
	j.RequireGuards = []string{"process", "seccomp"}
	_, err := supervisor(t, fakeConfig(t, "ready=process,rlimits module say=saw exit=1")).Run(t.Context(), j)
	e, ok := errors.AsType[*job.Error](err)
	if !ok || e.Code != job.CodeGuards || e.Fact != job.FactGuard || !strings.Contains(e.Message, `"seccomp"`) ||
		!strings.Contains(e.Message, "[process rlimits]") {
		t.Errorf("%#v", err)
	}
}

// TestWorkerChildren is for a worker that starts another process, which keeps
// its pipes open: in the worker's group it dies with it, outside it nobody waits
// for it.
func TestWorkerChildren(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"child", "orphan"} {
		for _, then := range []string{"ended", "exit=3", "say=bye kill"} {
			t.Run(how+" "+then, func(t *testing.T) {
				t.Parallel()
				r := play(t.Context(), t, supervisor(t, fakeConfig(t, begun+how+" "+then)), described(t, "nothing"))
				if then == "ended" {
					r.wantExit(t, 0)
				} else {
					r.wantStatus(t, job.EngineFailed, "the worker ")
				}
				pid, err := strconv.Atoi(r.stdout.String())
				must(t, err)
				if how == "orphan" {
					must(t, unix.Kill(pid, unix.SIGKILL)) // it must still be there
					return
				}
				waitGone(t, pid)
			})
		}
	}
}

// waitGone waits until there is no process of that number, or only a dead one
// that its new parent has not reaped yet.
func waitGone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			if unix.Kill(pid, 0) != nil || err == nil {
				return
			}
		}
		select {
		case <-deadline:
			t.Fatalf("process %d is still there: %s", pid, stat)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestNoWorker(t *testing.T) {
	t.Parallel()
	for _, command := range [][]string{{"/nowhere/plasm-run", "--worker"}, {t.TempDir()}} {
		s := supervisor(t, Config{Worker: command})
		for _, warm := range []bool{true, false} {
			if warm {
				s.Warm()
			}
			_, err := s.Run(t.Context(), described(t, "nothing"))
			if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeInternal ||
				!strings.Contains(e.Message, "starting a worker: ") {
				t.Errorf("%v: %#v", command, err)
			}
		}
	}
}

// TestCompileTimeout is for workers that take for ever, at each step before the
// start. Before they have confined themselves no module can be to blame.
func TestCompileTimeout(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{
		"hang", "ready=process hang", "ready=process module hang",
		"ready=process module loaded hang",
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			cfg := fakeConfig(t, mode)
			cfg.CompileTimeout = 10 * time.Second // in which a worker is ready, where it says so
			want, words := job.CodeCompileLimit, "took more than 10s"
			if mode == "hang" {
				want, words = job.CodeInternal, "a worker did not confine itself within 10s"
			}
			_, err := supervisor(t, cfg).Run(t.Context(), described(t, "nothing"))
			e, ok := errors.AsType[*job.Error](err)
			if !ok || e.Code != want || !strings.Contains(e.Message, words) {
				t.Errorf("%#v", err)
			}
		})
	}
}
