// Package wasmtime is the engine Wasmtime, by its C interface: an optimising
// compiler, about twice as fast as the engine that is built in. Guests have the WASI of
// package wasi, and cannot tell the two apart by it.
package wasmtime

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	wt "github.com/bytecodealliance/wasmtime-go/v44"

	"plasm/lib/engine"
	"plasm/lib/job"
)

// Reserve is how much address space Wasmtime reserves for a guest's memory, whatever
// it may have, in bytes: 4 GiB, and 32 MiB before and behind, so that no access needs
// a check. More than that would be room for the Go heap, which nothing else bounds.
const Reserve = 4<<30 + 64<<20

// Engine is the Wasmtime engine. Its zero value is ready.
type Engine struct{}

// Name implements engine.Engine.
func (Engine) Name() string { return "wasmtime" }

// Version implements engine.Engine.
func (Engine) Version() string { return engine.WasmtimeVersion }

// Features implements engine.Engine.
func (Engine) Features() []string { return engine.Features() }

// invalid is the error for a module that does not compile. What the system refused is
// not the module's fault, and Rust says of that which error it was.
func invalid(err error) error {
	line, _, _ := strings.Cut(err.Error(), "\n")
	if strings.Contains(err.Error(), "(os error ") {
		return &job.Error{
			Code:    job.CodeInternal,
			Message: "engine: the system refused it what compiling takes: " + line, Err: err,
		}
	}
	return &job.Error{Code: job.CodeBadModule, Message: "invalid module: " + line, Err: err}
}

// Compile implements engine.Engine.
func (Engine) Compile(_ context.Context, module []byte, out io.Writer) error {
	if _, err := engine.CheckModule(module, job.MaxMemoryMB); err != nil {
		return err
	}
	g := newGrowth() // what is compiled with memories of one kind is refused with another
	defer g.close()
	m, err := wt.NewModule(newEngine(g), module)
	if err != nil {
		return invalid(err)
	}
	code, err := m.Serialize()
	if err != nil {
		return fmt.Errorf("wasmtime: %w", err)
	}
	_, err = out.Write(code)
	return err
}

// Load implements engine.Engine.
func (Engine) Load(_ context.Context, module []byte, code *os.File, memoryMB int64) (engine.Program, error) {
	imports, err := engine.CheckModule(module, memoryMB)
	if err != nil {
		return nil, err
	}
	g := newGrowth()
	p := &program{engine: newEngine(g), imports: imports, memoryMB: memoryMB, growth: g}
	if p.thread, err = newThread(); err != nil {
		return nil, err
	}
	if p.module, err = load(p.engine, code); err != nil {
		line, _, _ := strings.Cut(err.Error(), "\n")
		return nil, fmt.Errorf("%w: %s", engine.ErrCode, line)
	}
	return p, nil
}

// load maps the file, which is fastest; by its descriptor, since Wasmtime asks for a
// name. Some of it becomes executable: where the file system, or a service, forbids
// that, the file is read.
func load(e *wt.Engine, code *os.File) (*wt.Module, error) {
	if m, err := wt.NewModuleDeserializeFile(e, fmt.Sprintf("/proc/self/fd/%d", code.Fd())); err == nil {
		return m, nil
	}
	data, err := io.ReadAll(code)
	if err != nil {
		return nil, err
	}
	return wt.NewModuleDeserialize(e, data)
}
