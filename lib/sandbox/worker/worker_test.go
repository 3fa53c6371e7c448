package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/engine"
	"plasm/lib/job"
	"plasm/lib/sandbox/wire"
)

// The frames of an ordinary job, as a supervisor sends them.
var (
	assignRun     = frame(wire.Assign, wire.Assignment{Task: wire.Run, Engine: "toy", Code: true, MemoryMB: 7})
	assignCompile = frame(wire.Assign, wire.Assignment{Task: wire.Compile, Engine: "toy", Code: true})
	load          = frame(wire.Load, "")
)

const readied = `r{"guards":["process","landlock"],"version":"v","engine_version":"1"}`

func TestRun(t *testing.T) {
	t.Parallel()
	e := &toy{
		load: func(module []byte, code *os.File, memoryMB int64) error {
			if string(module) != "the module" || code != handed || memoryMB != 7 {
				t.Errorf("loads %q, %v, %d", module, code, memoryMB)
			}
			return nil
		},
		run: func(h engine.Host) (engine.Result, error) {
			h.MemoryGrew(1 << 16)
			_, err := io.WriteString(h.Stdout, "out")
			_, err2 := io.WriteString(h.Stderr, "error")
			_, err3 := h.Stdout.Write(nil)
			return engine.Result{Status: job.Exit, ExitCode: 1<<32 - 1}, errors.Join(err, err2, err3)
		},
	}
	said, calls, err := talk(t, e, assignRun, frame(wire.Module, "the "), frame(wire.Module, ""),
		frame(wire.Module, "module"), load)
	want := []string{
		readied, "l", "s", "m\x00\x00\x01\x00\x00\x00\x00\x00", "oout", "eerror",
		`x{"status":"exit","exit_code":4294967295}`,
	}
	if diff := cmp.Diff(want, said); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if diff := cmp.Diff([]string{"spawn", "assign toy", "narrow"}, calls); diff != "" {
		t.Error(diff)
	}
}

// TestHost hands on all that an assignment says.
func TestHost(t *testing.T) {
	t.Parallel()
	a := wire.Assignment{
		Task: wire.Run, Engine: "toy", Code: true, Args: []string{"a"}, Env: []string{"A=b"}, StdinKnown: true,
		Real: true, Seed: 9,
		Dirs: []engine.Dir{{Host: "/h", Dir: job.Dir{Guest: "/g", ReadOnly: true}}},
	}
	var got engine.Host
	_, _, err := talk(t, &toy{run: func(h engine.Host) (engine.Result, error) {
		got = h
		return engine.Result{Status: job.Trap, Trap: job.TrapOther}, nil
	}}, frame(wire.Assign, a), load)
	got.Stdout, got.Stderr, got.MemoryGrew = nil, nil, nil
	want := engine.Host{Args: a.Args, Env: a.Env, StdinKnown: true, Real: true, Seed: 9, Dirs: a.Dirs}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestCompile(t *testing.T) {
	t.Parallel()
	said, calls, err := talk(t, &toy{compile: func(module []byte, _ io.Writer) error {
		if string(module) != "m" {
			t.Errorf("compiles %q", module)
		}
		return nil
	}}, assignCompile, frame(wire.Module, "m"), load)
	if diff := cmp.Diff([]string{readied, "l"}, said); diff != "" || err != nil || len(calls) != 2 {
		t.Errorf("%v, %v\n%s", err, calls, diff)
	}
}

// TestPrepare hands a module back where it was rewritten, and loads nothing.
func TestPrepare(t *testing.T) {
	t.Parallel()
	bad := &job.Error{Code: job.CodeModuleRefused, Message: "too much"}
	doubled := func(_ context.Context, module []byte, _ *wire.Assignment, known bool) ([]byte, error) {
		if known {
			t.Error("what comes to be prepared is known")
		}
		return append(module, module...), nil
	}
	kept := func(context.Context, []byte, *wire.Assignment, bool) ([]byte, error) { return nil, nil }
	refused := func(context.Context, []byte, *wire.Assignment, bool) ([]byte, error) { return nil, bad }
	tests := []struct {
		name    string
		a       wire.Assignment
		prepare preparation
		want    []string
	}{
		{"nothing to rewrite", wire.Assignment{}, kept, []string{"l"}},
		{"rewritten", wire.Assignment{}, doubled, []string{"pmm", "l"}},
		{"refused", wire.Assignment{Fuel: 1}, refused, []string{`f{"code":"module_refused","message":"too much"}`}},
		{
			"no such worker",
			wire.Assignment{Fuel: 1},
			nil,
			[]string{`f{"code":"unsupported","message":"this worker does not prepare modules"}`},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var frames bytes.Buffer
			test.a.Task = wire.Prepare
			c := talker(script(t, frame(wire.Assign, test.a), frame(wire.Module, "m"), load), &frames, &toy{})
			c.prepare = test.prepare
			err := c.hold(t.Context())
			if diff := cmp.Diff(append([]string{`r{"guards":null,"version":"v","engine_version":"1"}`}, test.want...),
				read(t, &frames)); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// TestComesPrepared is a worker that does not prepare: it compiles and runs what it
// is given.
func TestComesPrepared(t *testing.T) {
	t.Parallel()
	for _, assign := range []string{
		frame(wire.Assign, wire.Assignment{Task: wire.Compile, Engine: "toy", Code: true, Fuel: 1, NaN: true}),
		frame(wire.Assign, wire.Assignment{Task: wire.Run, Engine: "toy", Code: true, Fuel: 1, NaN: true}),
	} {
		var got []string
		c := talker(script(t, assign, frame(wire.Module, "m"), load), io.Discard, &toy{
			compile: func(module []byte, _ io.Writer) error { got = append(got, string(module)); return nil },
			load:    func(module []byte, _ *os.File, _ int64) error { got = append(got, string(module)); return nil },
			run: func(h engine.Host) (engine.Result, error) {
				if h.Meter == nil || h.Meter.Fuel != 1 {
					t.Errorf("the meter is %+v", h.Meter)
				}
				return engine.Result{Status: job.Exit}, nil
			},
		})
		c.prepare = nil
		if err := c.hold(t.Context()); err != nil || !slices.Equal(got, []string{"m"}) {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// TestFailures tells why a job cannot start, and says no more.
func TestFailures(t *testing.T) {
	t.Parallel()
	bad := &job.Error{Code: job.CodeBadModule, Message: "a bad one", Hint: "take another"}
	const badFrame = `f{"code":"bad_module","message":"a bad one","hint":"take another"}`
	tests := []struct {
		name   string
		engine *toy
		assign string
		want   []string
	}{
		{"load", &toy{load: func([]byte, *os.File, int64) error { return bad }}, assignRun, []string{badFrame}},
		{
			"load, wrapped", &toy{load: func([]byte, *os.File, int64) error { return fmt.Errorf("x: %w", bad) }},
			assignRun,
			[]string{badFrame},
		},
		{
			"load, without a code",
			&toy{load: func([]byte, *os.File, int64) error { return io.ErrUnexpectedEOF }},
			assignRun,
			[]string{`f{"code":"internal","message":"unexpected EOF"}`},
		},
		{"compile", &toy{compile: func([]byte, io.Writer) error { return bad }}, assignCompile, []string{badFrame}},
		{
			"load, with code that is of no use",
			&toy{load: func([]byte, *os.File, int64) error { return fmt.Errorf("%w: %w", engine.ErrCode, bad) }},
			assignRun,
			[]string{`f{"code":"stale_code","message":"the compiled code is of no use here: a bad one"}`},
		},
		{
			"compile, without room",
			&toy{compile: func(_ []byte, out io.Writer) error {
				_, err := out.Write([]byte("code"))
				return errors.Join(bad, err)
			}},
			assignCompile,
			[]string{`f{"code":"io","message":"writing the machine code: write /dev/null: bad file descriptor"}`},
		},
		{"check", &toy{check: func(engine.Host) error { return bad }}, assignRun, []string{"l", badFrame}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			said, _, err := talk(t, test.engine, test.assign, load)
			if diff := cmp.Diff(append([]string{readied}, test.want...), said); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// TestAnotherEngine is not what the worker can be ready for.
func TestAnotherEngine(t *testing.T) {
	t.Parallel()
	said, calls, err := talk(t, &toy{}, frame(wire.Assign, wire.Assignment{Task: wire.Run, Engine: "other"}), load)
	want := []string{`f{"code":"unsupported","message":"engine: \"other\" is not here"}`}
	if diff := cmp.Diff(want, said); diff != "" || err != nil || len(calls) != 1 {
		t.Errorf("%v, %v\n%s", err, calls, diff)
	}
}

// TestCheckPasses runs a program that can say no, and does not.
func TestCheckPasses(t *testing.T) {
	t.Parallel()
	said, _, err := talk(t, &toy{check: func(engine.Host) error { return nil }}, assignRun, load)
	if err != nil || len(said) != 4 {
		t.Errorf("%q, %v", said, err)
	}
}

// TestOutOfTurn ends at frames that no supervisor sends.
func TestOutOfTurn(t *testing.T) {
	t.Parallel()
	module := frame(wire.Module, "m")
	tests := []struct {
		name string
		told []string
		want string // of the error
		said int    // frames before it
	}{
		{"nothing", nil, "control: EOF", 0},
		{"module first", []string{module}, `control: frame 'M' where 'A' was due`, 0},
		{"load first", []string{load}, `control: frame 'L' where 'A' was due`, 0},
		{"no JSON in the assignment", []string{"A{"}, "unexpected end of JSON input", 0},
		{"gone when ready", []string{assignRun}, "control: EOF", 1},
		{"gone in the module", []string{assignRun, module}, "control: EOF", 1},
		{"assigned again", []string{assignRun, module, assignRun}, "control: frame 'A' between module and load", 1},
		{"its own word", []string{assignRun, frame(wire.Started, "")}, "control: frame 's' between module and load", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			said, calls, err := talk(t, &toy{}, test.told...)
			if err == nil || err.Error() != test.want || len(said) != test.said ||
				strings.Contains(strings.Join(calls, " "), "run") {
				t.Errorf("%v, said %q, called %v; want %s", err, said, calls, test.want)
			}
		})
	}
}

// TestCutControl cuts what a supervisor says behind each byte: nothing but the
// whole makes the guest run.
func TestCutControl(t *testing.T) {
	t.Parallel()
	all := script(t, assignRun, frame(wire.Module, "module"), load).Bytes()
	for n := range all {
		if err := talker(bytes.NewReader(all[:n]), io.Discard, &toy{}).hold(t.Context()); err == nil {
			t.Errorf("the first %d bytes are enough", n)
		}
	}
}

// TestConfinementFails is for a step that could not be taken: then nothing that
// comes after it is.
func TestConfinementFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("the kernel says no")
	for step, said := range map[string]int{"spawn": 0, "assign": 0, "narrow": 3} {
		var frames bytes.Buffer
		c := talker(script(t, assignRun, load), &frames, &toy{run: func(engine.Host) (engine.Result, error) {
			t.Errorf("%s: the guest runs", step)
			return engine.Result{}, nil
		}})
		switch step {
		case "spawn":
			c.spawn = func() ([]string, error) { return nil, broken }
		case "assign":
			c.assign = func(*wire.Assignment, files) ([]string, error) { return nil, broken }
		default:
			c.narrow = func() error { return broken }
		}
		if err := c.hold(t.Context()); !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "confinement: ") {
			t.Errorf("%s: %v", step, err)
		}
		if got := read(t, &frames); len(got) != said {
			t.Errorf("%s: said %q", step, got)
		}
	}
}

// TestEngineFails is for an engine that could not do its work: there is no end,
// and the error is for the supervisor to see.
func TestEngineFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("the engine is broken")
	said, _, err := talk(t, &toy{run: func(engine.Host) (engine.Result, error) { return engine.Result{}, broken }},
		assignRun, load)
	if diff := cmp.Diff([]string{readied, "l", "s"}, said); diff != "" || !errors.Is(err, broken) {
		t.Errorf("%v\n%s", err, diff)
	}
}

// TestSupervisorGone notices it while the guest runs, which itself will never end.
func TestSupervisorGone(t *testing.T) {
	t.Parallel()
	in, out := io.Pipe()
	running, end := make(chan struct{}), make(chan struct{})
	c := talker(in, io.Discard, &toy{run: func(engine.Host) (engine.Result, error) {
		close(running)
		<-end
		return engine.Result{Status: job.Exit}, nil
	}})
	held := make(chan error)
	go func() { held <- c.hold(t.Context()) }()
	say(t, out, assignRun, load)
	<-running
	select {
	case <-c.gone:
		t.Error("gone before it was")
	default:
	}
	_ = out.Close() // it cannot fail
	<-c.gone
	close(end)
	if err := <-held; err != nil {
		t.Error(err)
	}
}

// refusing takes so many writes and no more.
type refusing struct{ left int }

func (r *refusing) Write(p []byte) (int, error) {
	r.left--
	if r.left < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

// TestNobodyListens cannot send one frame after the other: the guest sees its
// output refused, and the worker ends with an error wherever it was.
func TestNobodyListens(t *testing.T) {
	t.Parallel()
	for n := range 5 {
		c := talker(script(t, assignRun, load), &refusing{left: n},
			&toy{run: func(h engine.Host) (engine.Result, error) {
				if _, err := h.Stdout.Write([]byte("x")); (err == nil) != (n > 3) {
					t.Errorf("after %d frames: %v", n, err)
				}
				return engine.Result{Status: job.Exit}, nil
			}})
		if err := c.hold(t.Context()); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("after %d frames: %v", n, err)
		}
	}
}
