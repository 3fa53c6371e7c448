package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"testing"

	"plasm/lib/engine"
	"plasm/lib/job"
	"plasm/lib/sandbox/wire"
)

// toy is an engine that does what its test says.
type toy struct {
	compile func(module []byte, out io.Writer) error
	load    func(module []byte, code *os.File, memoryMB int64) error
	check   func(h engine.Host) error
	run     func(h engine.Host) (engine.Result, error)
}

func (*toy) Name() string       { return "toy" }
func (*toy) Version() string    { return "1" }
func (*toy) Features() []string { return nil }

func (e *toy) Compile(_ context.Context, module []byte, out io.Writer) error {
	return e.compile(module, out)
}

func (e *toy) Load(_ context.Context, module []byte, code *os.File, memoryMB int64) (engine.Program, error) {
	if e.load != nil {
		if err := e.load(module, code, memoryMB); err != nil {
			return nil, err
		}
	}
	if e.check != nil {
		return struct {
			program
			checker
		}{program{e}, checker{e}}, nil
	}
	return program{e}, nil
}

type program struct{ e *toy }

func (p program) Run(_ context.Context, h engine.Host) (engine.Result, error) { return p.e.run(h) }

type checker struct{ e *toy }

func (c checker) Check(h engine.Host) error { return c.e.check(h) }

// frame is one frame as text: its kind and payload.
func frame(kind wire.Kind, payload any) string {
	if text, ok := payload.(string); ok {
		return string(kind) + text
	}
	data, err := json.Marshal(payload)
	if err != nil {
		panic(err) // the payloads of this file can be written
	}
	return string(kind) + string(data)
}

// script is what a supervisor says.
func script(t *testing.T, told ...string) *bytes.Buffer {
	t.Helper()
	var control bytes.Buffer
	say(t, &control, told...)
	return &control
}

func say(t *testing.T, to io.Writer, told ...string) {
	t.Helper()
	w := wire.NewWriter(to)
	for _, f := range told {
		if err := w.Frame(wire.Kind(f[0]), []byte(f[1:])); err != nil {
			t.Fatal(err)
		}
	}
}

// handed is a file that is handed to a worker.
var handed = func() *os.File {
	f, err := os.Open(os.DevNull) // to read: what is written there fails
	if err != nil {
		panic(err)
	}
	return f
}()

// talker is a worker that is confined by nothing.
func talker(control io.Reader, frames io.Writer, e *toy) *conversation {
	return &conversation{
		control: wire.NewReader(control), frames: wire.NewWriter(frames), version: "v", engine: e,
		gone:   make(chan struct{}),
		spawn:  func() ([]string, error) { return nil, nil },
		assign: func(*wire.Assignment, files) ([]string, error) { return nil, nil },
		receive: func(expected int) ([]*os.File, error) {
			return []*os.File{handed, handed, handed}[:expected], nil
		},
		narrow: func() error { return nil },
		prepare: func(_ context.Context, module []byte, _ *wire.Assignment, _ bool) ([]byte, error) {
			return module, nil
		},
	}
}

// talk holds a conversation with a worker that is told the given frames, and
// returns what it says, which steps it takes, and its error.
func talk(t *testing.T, e *toy, told ...string) (said, calls []string, err error) {
	t.Helper()
	var frames bytes.Buffer
	c := talker(script(t, told...), &frames, e)
	c.spawn = func() ([]string, error) { calls = append(calls, "spawn"); return []string{"process"}, nil }
	c.assign = func(a *wire.Assignment, _ files) ([]string, error) {
		calls = append(calls, "assign "+a.Engine)
		return []string{"landlock"}, nil
	}
	c.narrow = func() error { calls = append(calls, "narrow"); return nil }
	if e.run == nil {
		e.run = func(engine.Host) (engine.Result, error) {
			calls = append(calls, "run")
			return engine.Result{Status: job.Exit}, nil
		}
	}
	err = c.hold(t.Context())
	return read(t, &frames), calls, err
}

// read takes a stream of frames apart.
func read(t *testing.T, from io.Reader) []string {
	t.Helper()
	var all []string
	r := wire.NewReader(from)
	for {
		kind, _, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		payload, err := r.Payload()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(kind)+string(payload))
	}
}
