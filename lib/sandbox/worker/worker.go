// Package worker is the inside of a worker process: it confines itself, takes
// one job from its supervisor, compiles or runs the job's module, and ends.
// Package wire says what the two tell each other.
package worker

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"plasm/lib/engine"
	"plasm/lib/job"
	"plasm/lib/sandbox/wire"
)

// Descriptors, as package wire assigns them.
const (
	fdStdin   = 0
	fdStderr  = 2
	fdControl = 3
	fdFrames  = 4
)

// Process is the worker's whole life in the process that the supervisor
// started, with this executable's version of plasm and the engine that it holds.
// It returns the exit code.
func Process(version string, e engine.Validator) int {
	return live(&confinement{}, preparing(e), version, e)
}

// ProcessWithC is Process for an executable with the C library in it, whose
// engine reserves so many bytes of address space for a guest's memory, however much
// of that it may use. The C library must keep to one heap (mallopt, M_ARENA_MAX).
// Modules reach it prepared.
func ProcessWithC(reserve uint64, version string, e engine.Engine) int {
	return live(&confinement{native: native{c: true, reserve: reserve}}, nil, version, e)
}

// native is what an executable with the C library in it needs beyond one of pure
// Go.
type native struct {
	c       bool   // the system calls of the C library
	reserve uint64 // address space for a guest's memory, in bytes
}

func live(confined *confinement, prepare preparation, version string, e engine.Engine) int {
	c := &conversation{
		control: wire.NewReader(os.NewFile(fdControl, "control")),
		frames:  wire.NewWriter(os.NewFile(fdFrames, "frames")),
		stdin:   os.NewFile(fdStdin, "stdin"),
		version: version,
		engine:  e,
		spawn:   confined.process,
		assign:  confined.job,
		narrow:  confined.guest,
		receive: receive,
		prepare: prepare,
		gone:    make(chan struct{}),
		fault:   make(chan struct{}),
	}
	done := make(chan error, 1)
	go func() { done <- c.hold(context.Background()) }()
	select {
	case <-c.gone: // the guest may be in a loop that no goroutine can end: the process can
		return 1
	case <-c.fault:
		return 1
	case err := <-done:
		if err != nil {
			_, _ = fmt.Fprintln(os.NewFile(fdStderr, "stderr"), err)
			return 1
		}
		return 0
	}
}

// conversation is one worker's side of the protocol.
type conversation struct {
	control *wire.Reader
	frames  *wire.Writer
	stdin   *os.File
	version string // of plasm
	engine  engine.Engine
	spawn   func() ([]string, error)                        // confinement that no job changes
	assign  func(*wire.Assignment, files) ([]string, error) // confinement for one job, which may have the files
	narrow  func() error                                    // confinement for the guest, once it is loaded
	receive func(expected int) ([]*os.File, error)          // takes the descriptors that came
	prepare preparation                                     // nil: modules come prepared
	gone    chan struct{}                                   // closed when the supervisor is
	fault   chan struct{}                                   // closed when this machine has failed under the guest
}

// hold goes through the protocol. The error is for the supervisor's log: a job's
// own failure has been told in a frame.
func (c *conversation) hold(ctx context.Context) error {
	guards, err := c.spawn()
	if err != nil {
		return fmt.Errorf("confinement: %w", err)
	}
	var a wire.Assignment
	if err := c.expect(wire.Assign, &a); err != nil {
		return err
	}
	if err := c.has(&a); err != nil {
		return c.fail(err)
	}
	f, err := c.files(&a)
	if err != nil {
		return fmt.Errorf("the descriptors: %w", err)
	}
	more, err := c.assign(&a, f)
	if _, told := errors.AsType[*job.Error](err); told {
		return c.fail(err)
	}
	if err != nil {
		return fmt.Errorf("confinement: %w", err)
	}
	if err := c.tell(wire.Ready, wire.Readiness{
		Guards: append(guards, more...), Version: c.version,
		EngineVersion: c.engine.Version(),
	}); err != nil {
		return err
	}
	module, err := c.module(a.Module)
	if err != nil {
		return err
	}
	go c.watch()
	switch {
	case a.Task == wire.Prepare:
		return c.rewrite(ctx, module, &a)
	case f.code == nil:
		return errors.New("no file for the machine code")
	case a.Task == wire.Compile:
		return c.compile(ctx, module, f.code, &a)
	}
	return c.run(ctx, module, f, &a)
}

// files are what a worker was handed for its job; nil what it wasn't.
type files struct{ code, pack, scratch *os.File }

// files takes the descriptors of an assignment.
func (c *conversation) files(a *wire.Assignment) (f files, err error) {
	var into []**os.File
	if a.Code {
		into = append(into, &f.code)
	}
	if len(a.Folders) > 0 {
		into = append(into, &f.pack, &f.scratch)
	}
	all, err := c.receive(len(into))
	if err != nil {
		return f, err
	}
	for i := range into {
		*into[i] = all[i]
	}
	return f, nil
}

// expect reads one frame of the given kind.
func (c *conversation) expect(want wire.Kind, into any) error {
	kind, _, err := c.control.Next()
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	if kind != want {
		return fmt.Errorf("control: frame %q where %q was due", kind, want)
	}
	payload, err := c.control.Payload()
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	return json.Unmarshal(payload, into)
}

// module reads the module, expected to be so long, and the Load frame behind it.
func (c *conversation) module(expected int) ([]byte, error) {
	module := engine.Room(min(max(expected, 0), maxModule))
	for {
		kind, _, err := c.control.Next()
		if err != nil {
			return nil, fmt.Errorf("control: %w", err)
		}
		switch kind {
		case wire.Module:
			for {
				some, err := c.control.Some()
				if err != nil {
					return nil, fmt.Errorf("control: %w", err)
				}
				if len(some) == 0 {
					break
				}
				module = append(module, some...)
			}
		case wire.Load:
			return module, nil
		default:
			return nil, fmt.Errorf("control: frame %q between module and load", kind)
		}
	}
}

// watch notices that the supervisor is gone, where no parent-death signal does.
// Nothing else comes on control from here on.
func (c *conversation) watch() {
	_, _, _ = c.control.Next()
	close(c.gone)
}

// has refuses a job for another engine. To prepare a module, any will do.
func (c *conversation) has(a *wire.Assignment) error {
	if a.Task == wire.Prepare || c.engine.Name() == a.Engine {
		return nil
	}
	return &job.Error{Code: job.CodeUnsupported, Message: fmt.Sprintf("engine: %q is not here", a.Engine)}
}

func (c *conversation) tell(kind wire.Kind, v any) error {
	payload, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return c.frames.Frame(kind, payload)
}

// maxMessage is how much of an error is told, in bytes: more than the supervisor
// passes on.
const maxMessage = 4 << 10

// fail tells why the job cannot start.
func (c *conversation) fail(err error) error {
	f := wire.Failure{Code: string(job.CodeInternal), Message: err.Error()}
	if e, ok := errors.AsType[*job.Error](err); ok {
		f = wire.Failure{Code: string(e.Code), Message: e.Message, Hint: e.Hint}
	}
	// A name in the module can make it longer than a frame may be.
	f.Message, f.Hint = f.Message[:min(len(f.Message), maxMessage)], f.Hint[:min(len(f.Hint), maxMessage)]
	return c.tell(wire.Failed, f)
}

// rewrite prepares a module for another worker.
func (c *conversation) rewrite(ctx context.Context, module []byte, a *wire.Assignment) error {
	if c.prepare == nil {
		return c.fail(&job.Error{Code: job.CodeUnsupported, Message: "this worker does not prepare modules"})
	}
	prepared, err := c.prepare(ctx, module, a, false)
	if err != nil {
		return c.fail(err)
	}
	if prepared != nil {
		if err := c.frames.Stream(wire.Prepared, prepared); err != nil {
			return err
		}
	}
	return c.frames.Frame(wire.Loaded, nil)
}

// prepared returns the module as the engine is to get it. known is as for prepare.
func (c *conversation) prepared(ctx context.Context, module []byte, a *wire.Assignment, known bool) ([]byte, error) {
	if c.prepare == nil {
		return module, nil
	}
	changed, err := c.prepare(ctx, module, a, known)
	if changed == nil {
		return module, err
	}
	return changed, err
}

func (c *conversation) compile(ctx context.Context, module []byte, code io.Writer, a *wire.Assignment) error {
	module, err := c.prepared(ctx, module, a, false)
	out := &codeWriter{to: code}
	if err == nil {
		err = c.engine.Compile(ctx, module, out)
	}
	if out.failed != nil { // and not the module
		err = &job.Error{Code: job.CodeIO, Message: "writing the machine code: " + out.failed.Error(), Err: out.failed}
	}
	if err != nil {
		return c.fail(err)
	}
	return c.frames.Frame(wire.Loaded, nil)
}

// codeWriter remembers why machine code could not be written.
type codeWriter struct {
	to     io.Writer
	failed error
}

func (w *codeWriter) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	if err != nil {
		w.failed = err
	}
	return n, err
}

// run runs a module whose machine code is there: so it is within the limits, and valid.
func (c *conversation) run(ctx context.Context, module []byte, f files, a *wire.Assignment) error {
	given := module
	module, err := c.prepared(ctx, given, a, true)
	if err != nil {
		return c.fail(err)
	}
	p, err := c.engine.Load(ctx, module, f.code, a.MemoryMB)
	if errors.Is(err, engine.ErrCode) {
		return c.tell(wire.Failed, wire.Failure{
			Code:    wire.StaleCode,
			Message: err.Error()[:min(len(err.Error()), maxMessage)],
		})
	}
	if err != nil {
		return c.fail(err)
	}
	if err := c.frames.Frame(wire.Loaded, nil); err != nil {
		return err
	}
	host := engine.Host{
		Args: a.Args, Env: a.Env, Dirs: a.Dirs, Real: a.Real, Seed: a.Seed,
		Stdin: c.stdin, StdinKnown: a.StdinKnown,
		Stdout:     output{c.frames, wire.Stdout},
		Stderr:     output{c.frames, wire.Stderr},
		Meter:      metering(a),
		MemoryGrew: c.memoryGrew,
	}
	folders, err := c.folders(&host, f, a)
	if err != nil {
		return c.fail(err)
	}
	if checker, ok := p.(engine.Checker); ok {
		if err := checker.Check(host); err != nil {
			return c.fail(err)
		}
	}
	if err := c.narrow(); err != nil {
		err = fmt.Errorf("confinement: %w", err)
		return errors.Join(err, c.fail(err))
	}
	if err := c.frames.Frame(wire.Started, nil); err != nil {
		return err
	}
	result, err := c.guest(ctx, p, module, host)
	if err != nil {
		return err
	}
	if folders != nil && result.Status.HasDirs() {
		if err := folders.WriteLists(output{c.frames, wire.Lists}); err != nil {
			return err
		}
	}
	end := wire.End{
		Status: string(result.Status), ExitCode: result.ExitCode, Trap: result.Trap,
		FuelUsed: result.FuelUsed,
	}
	if result.Status == job.Trap {
		end.Trace = engine.Trace(given, result.Running)
	}
	return c.tell(wire.Ended, end)
}

func (c *conversation) memoryGrew(size uint64) {
	// An error here is one at the next write too, and there it can be told.
	_ = c.frames.Frame(wire.Memory, binary.LittleEndian.AppendUint64(nil, size))
}

// output is one of the guest's output streams.
type output struct {
	frames *wire.Writer
	kind   wire.Kind
}

var _ io.Writer = output{}

func (o output) Write(p []byte) (int, error) {
	if err := o.frames.Stream(o.kind, p); err != nil {
		return 0, err
	}
	return len(p), nil
}
