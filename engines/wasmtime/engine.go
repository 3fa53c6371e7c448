// Package wasmtime is the engine Wasmtime, by its C interface: an optimising
// compiler, about twice as fast as the engine that is built in. WASI is
// the built-in engine's own, so that a guest cannot tell the two apart by it.
package wasmtime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	wt "github.com/bytecodealliance/wasmtime-go/v44"

	"plasm/lib/engine"
	"plasm/lib/engine/wazero"
	"plasm/lib/job"
)

// entry is the folder of a compiled module. Its number changes with what is done to
// a module before it is compiled.
const entry = "wasmtime-" + engine.WasmtimeVersion + "-1"

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
		return &job.Error{Code: job.CodeInternal, Message: "engine: the system refused it what compiling takes: " + line, Err: err}
	}
	return &job.Error{Code: job.CodeBadModule, Message: "invalid module: " + line, Err: err}
}

// Compile implements engine.Engine.
func (Engine) Compile(ctx context.Context, module []byte, staging string) error {
	w, err := wazero.NewWASI(ctx)
	if err != nil {
		return err
	}
	defer w.Close(ctx)
	m, err := compile(newEngine(), w, module, job.MaxMemoryMB)
	if err != nil {
		return err
	}
	code, err := m.Serialize()
	if err != nil {
		return fmt.Errorf("wasmtime: %w", err)
	}
	dir := filepath.Join(staging, entry)
	err = os.Mkdir(dir, 0o700)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "code"), code, 0o600)
	}
	if err != nil {
		return &job.Error{Code: job.CodeIO, Message: "compile cache: " + err.Error(), Err: err}
	}
	return nil
}

func compile(e *wt.Engine, w *wazero.WASI, module []byte, memoryMB int64) (*wt.Module, error) {
	if err := w.Check(module, memoryMB); err != nil {
		return nil, err
	}
	m, err := wt.NewModule(e, wazero.WithMemory(module))
	if err != nil {
		return nil, invalid(err)
	}
	return m, checkTypes(m, w)
}

// checkTypes refuses a module whose functions have not the types that they must.
func checkTypes(m *wt.Module, w *wazero.WASI) error {
	host := map[string]wazero.Function{}
	for _, f := range w.Functions() {
		host[f.Name] = f
	}
	for _, i := range m.Imports() {
		name := *i.Name() // Check has seen that it is a function of WASI
		if have := i.Type().FuncType(); have == nil || !sameType(have, host[name]) {
			return wazero.WrongType(name)
		}
	}
	for _, x := range m.Exports() {
		if f := x.Type().FuncType(); x.Name() == startFunction && f != nil && len(f.Params())+len(f.Results()) == 0 {
			return nil
		}
	}
	return wazero.NoStart()
}

const startFunction = "_start"

func sameType(have *wt.FuncType, want wazero.Function) bool {
	return slices.EqualFunc(have.Params(), want.Params, sameValue) && slices.EqualFunc(have.Results(), want.Results, sameValue)
}

func sameValue(have *wt.ValType, want byte) bool { return have.Kind() == valType(want).Kind() }

// valType returns the type for its byte in a module.
func valType(b byte) *wt.ValType {
	if b == 0x7e {
		return wt.NewValType(wt.KindI64)
	}
	return wt.NewValType(wt.KindI32)
}

// Load implements engine.Engine. A cached result that this Wasmtime does not take
// is compiled anew.
func (Engine) Load(ctx context.Context, module []byte, cached string, memoryMB int64) (engine.Program, error) {
	w, err := wazero.NewWASI(ctx)
	if err != nil {
		return nil, err
	}
	p := &program{engine: newEngine(), wasi: w, memoryMB: memoryMB}
	if p.thread, err = newThread(); err != nil {
		return nil, err
	}
	if p.module, err = loadCached(p.engine, cached); err == nil {
		err = w.Check(module, memoryMB)
	} else {
		p.module, err = compile(p.engine, w, module, memoryMB)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

var errNoEntry = errors.New("nothing is cached")

func loadCached(e *wt.Engine, dir string) (*wt.Module, error) {
	if dir == "" {
		return nil, errNoEntry
	}
	name := filepath.Join(dir, entry, "code")
	if m, err := wt.NewModuleDeserializeFile(e, name); err == nil {
		return m, nil
	}
	// It maps the file, which is fastest, and makes some of it executable: not where the
	// file system, or a service, forbids that.
	code, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return wt.NewModuleDeserialize(e, code)
}
