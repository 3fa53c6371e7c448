package wazero

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	wz "github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	wasi "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"plasm/lib/engine"
	"plasm/lib/job"
)

// WASI is WASI preview 1 for a guest that another engine runs: the very functions
// that this engine's guests call, so that no two engines differ in them. Nothing
// of the guest is run here. The functions are called through a small module of
// ours, in wazero's interpreter, whose memory is the guest's.
//
// It is used by one goroutine, the guest's.
type WASI struct {
	p         *program
	functions []Function
	close     func()
	h         engine.Host
	cfg       wz.ModuleConfig
	mod       api.Module
	funcs     []api.Function
	memory    *lent
}

// Function is a function of WASI preview 1. All its values are i32 or i64.
type Function struct {
	Name    string
	Params  []api.ValueType
	Results []api.ValueType
}

// ErrExited says that the guest has called proc_exit: none of its instructions may
// follow.
var ErrExited = errors.New("the guest has exited")

// NewWASI returns the functions, without a guest.
func NewWASI(ctx context.Context) (*WASI, error) {
	r := wz.NewRuntimeWithConfig(ctx, wz.NewRuntimeConfigInterpreter().WithCoreFeatures(features).WithDebugInfoEnabled(false))
	w := &WASI{p: &program{runtime: r}}
	if err := w.p.host(ctx); err != nil {
		return nil, errors.Join(err, r.Close(ctx))
	}
	for _, name := range slices.Sorted(maps.Keys(w.p.wasi)) {
		def := w.p.wasi[name]
		w.functions = append(w.functions, Function{name, def.ParamTypes(), def.ResultTypes()})
	}
	return w, nil
}

// Functions lists the functions by name: all, and after Check those that the module
// imports. Call takes their index.
func (w *WASI) Functions() []Function { return w.functions }

// MostMemory returns how much linear memory a guest may have that was given memoryMB
// units of 2^20 bytes, in bytes: of 4 GiB the last page cannot be had in this engine,
// and so not in another.
func MostMemory(memoryMB int64) int64 { return min(memoryMB<<20, mostPages*pageSize) }

// Check refuses a module that is no core module, begins with more memory than
// memoryMB units of 2^20 bytes, or imports what is not WASI preview 1. Errors are
// as with engine.Engine.Compile.
func (w *WASI) Check(module []byte, memoryMB int64) error {
	parsed, err := parse(module, uint32(MostMemory(memoryMB)/pageSize))
	if err == nil {
		err = checkImports(parsed.imports, w.p.wasi)
	}
	if err != nil {
		return err
	}
	w.functions = slices.DeleteFunc(w.functions, func(f Function) bool {
		return !slices.ContainsFunc(parsed.imports, func(i imported) bool { return i.name == f.Name })
	})
	return nil
}

// MemoryExport is the name under which WithMemory exports linear memory. A module
// that has a name like it is refused before an engine sees it (see package meter).
const MemoryExport = "plasm:memory"

// WithMemory returns a module that Check has passed, with its linear memory
// exported, where it has one: WASI's functions work on it whether or not the module
// lets others see it.
func WithMemory(module []byte) []byte {
	all, err := sections(module)
	has := slices.ContainsFunc(all, func(s section) bool {
		r := reader{data: s.content}
		return s.id == sectionMemory && r.u32() > 0
	})
	at := slices.IndexFunc(all, func(s section) bool { return s.id == sectionExport })
	if err != nil || !has || at < 0 {
		return module // or the engine will refuse it
	}
	r := reader{data: all[at].content}
	n := r.u32()
	content := append(leb(nil, n+1), all[at].content[r.at:]...)
	content = append(append(leb(content, uint32(len(MemoryExport))), MemoryExport...), importMemory, 0)
	full := append([]byte{}, module[:all[at].start]...)
	full = append(leb(append(full, sectionExport), uint32(len(content))), content...)
	return append(full, module[all[at].end:]...)
}

// WrongType is the error for a module that imports the named function with another
// type than it has.
func WrongType(name string) error {
	return &job.Error{
		Code:    job.CodeBadModule,
		Message: fmt.Sprintf("the module imports the function %q of WASI preview 1 with another type than it has", name),
		Hint:    "compile the program with a toolchain for the target wasm32-wasip1",
	}
}

// NoStart is the error for a module that is not a command.
func NoStart() error {
	return &job.Error{
		Code:    job.CodeBadModule,
		Message: `the module exports no function "_start" without parameters and results`,
		Hint:    "build it as a command (with a main function), not as a library",
	}
}

// Begin grants h to the guest that is about to start. Close ends it.
func (w *WASI) Begin(h engine.Host) error {
	w.p.clock = engine.NewClock(h.Real)
	w.p.stdin = &input{file: h.Stdin, known: h.StdinKnown}
	w.p.dirs = len(h.Dirs) > 0
	var err error
	w.cfg, w.close, err = w.p.config(h)
	w.h = h
	return err
}

// CheckHost implements what engine.Checker asks for.
func (w *WASI) CheckHost(h engine.Host) error { return w.p.Check(h) }

// Close lets go of what Begin has opened.
func (w *WASI) Close(ctx context.Context) {
	if w.close != nil {
		w.close()
	}
	_ = w.p.runtime.Close(ctx)
}

// Exited returns the exit code, once the guest has called proc_exit.
func (w *WASI) Exited() (code uint32, exited bool) { return w.p.code, w.p.exited }

// Call calls function i with its parameters in stack, where the result will be.
// memory is the guest's linear memory as it is now, nil where it has none. The error is
// ErrExited, or that the guest handed the function what it cannot use.
func (w *WASI) Call(ctx context.Context, i int, memory []byte, stack []uint64) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("WASI: %v", r)
		}
	}()
	if w.mod == nil {
		if err := w.lend(ctx, memory); err != nil {
			return err
		}
	}
	if grown := len(memory) - len(w.memory.data); grown > 0 {
		w.memory.data = memory
		if _, ok := w.mod.Memory().Grow(uint32(grown / pageSize)); !ok {
			return errors.New("WASI: the guest's memory is longer than can be")
		}
	}
	err = w.funcs[i].CallWithStack(ctx, stack)
	if w.p.exited {
		return ErrExited
	}
	return err
}

// lend instantiates the module that stands for the guest.
func (w *WASI) lend(ctx context.Context, memory []byte) error {
	w.memory = &lent{memory}
	compiled, err := w.p.runtime.CompileModule(ctx, standIn(w.functions, memory))
	if err != nil {
		return fmt.Errorf("WASI: %w", err)
	}
	w.mod, err = w.p.runtime.InstantiateModule(experimental.WithMemoryAllocator(ctx, w.memory), compiled, w.cfg)
	if err != nil {
		return fmt.Errorf("WASI: %w", err)
	}
	for _, f := range w.functions {
		w.funcs = append(w.funcs, w.mod.ExportedFunction(f.Name))
	}
	return nil
}

// lent is another engine's linear memory. It never moves.
type lent struct{ data []byte }

// Allocate implements experimental.MemoryAllocator.
func (l *lent) Allocate(_, _ uint64) experimental.LinearMemory { return l }

// Reallocate implements experimental.LinearMemory.
func (l *lent) Reallocate(size uint64) []byte {
	if size > uint64(len(l.data)) {
		return nil
	}
	return l.data[:size:size]
}

// Free implements experimental.LinearMemory: it is not ours.
func (l *lent) Free() {}

// standIn returns a module that exports for each function one that calls it, so
// that the memory which the function sees is this module's.
func standIn(functions []Function, memory []byte) []byte {
	name := func(b []byte, s string) []byte { return append(leb(b, uint32(len(s))), s...) }
	n := uint32(len(functions))
	types, imports, own, exports, code := leb(nil, n), leb(nil, n), leb(nil, n), leb(nil, n), leb(nil, n)
	for i, f := range functions {
		at := uint32(i)
		types = append(leb(append(types, 0x60), uint32(len(f.Params))), f.Params...)
		types = append(leb(types, uint32(len(f.Results))), f.Results...)
		imports = leb(append(name(name(imports, wasi.ModuleName), f.Name), importFunc), at)
		own = leb(own, at)
		exports = leb(append(name(exports, f.Name), importFunc), n+at)
		body := []byte{0} // no locals
		for p := range f.Params {
			body = leb(append(body, 0x20), uint32(p)) // local.get
		}
		body = append(leb(append(body, 0x10), at), 0x0b) // call, end
		code = append(leb(code, uint32(len(body))), body...)
	}
	module := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, content []byte) {
		module = append(leb(append(module, id), uint32(len(content))), content...)
	}
	section(1, types)
	section(2, imports)
	section(3, own)
	if memory != nil {
		section(5, leb([]byte{1, 0}, uint32(len(memory)/pageSize)))
	}
	section(7, exports)
	section(10, code)
	return module
}
