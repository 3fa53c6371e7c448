package wazero

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	wz "github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"

	"plasm/lib/engine"
	"plasm/lib/job"
	"plasm/lib/wasi/preview1"
)

// program is a loaded module.
type program struct {
	runtime  wz.Runtime
	compiled wz.CompiledModule

	guest  *preview1.Guest // while it runs
	memory *mapping        // the guest's, nil where it has none
	wrong  error           // what the guest did that no function can serve
}

// host makes the module that guests import, with the functions that this one does.
func (p *program) host(ctx context.Context, imports []*preview1.Function) error {
	if len(imports) == 0 {
		return nil
	}
	b := p.runtime.NewHostModuleBuilder(preview1.ModuleName)
	for _, f := range imports {
		b.NewFunctionBuilder().WithGoFunction(p.function(f), f.Params, f.Results).Export(f.Name)
	}
	if _, err := b.Instantiate(ctx); err != nil {
		return fmt.Errorf("WASI: %w", err)
	}
	return nil
}

// function returns what calls f for the guest.
func (p *program) function(f *preview1.Function) api.GoFunc {
	return func(_ context.Context, stack []uint64) {
		var memory []byte
		if p.memory != nil {
			memory = p.memory.bytes()
		}
		if err := p.guest.Call(f, memory, stack); err != nil {
			if !errors.Is(err, preview1.ErrExited) {
				p.wrong = err
				panic(err)
			}
			panic(sys.NewExitError(0)) // so that no instruction follows: the number is not looked at
		}
	}
}

// Run implements engine.Program.
func (p *program) Run(ctx context.Context, h engine.Host) (result engine.Result, err error) {
	defer func() {
		if r := recover(); r != nil {
			if e, ok := r.(error); !ok || !errors.Is(e, errOutOfMemory) {
				panic(r)
			}
			result, err = engine.Result{Status: job.OutOfMemory}, nil
		}
	}()
	defer func() { _ = p.runtime.Close(ctx) }()
	if p.guest, err = engine.NewGuest(h); err != nil {
		return engine.Result{}, err
	}
	defer p.guest.Close()
	ctx = experimental.WithMemoryAllocator(ctx, reserve{grew: h.MemoryGrew, made: func(m *mapping) { p.memory = m }})
	mod, err := p.runtime.InstantiateModule(ctx, p.compiled, wz.NewModuleConfig().WithStartFunctions())
	if h.Meter == nil {
		if err == nil {
			_, err = mod.ExportedFunction(engine.StartFunction).Call(ctx)
		}
		return p.result(err)
	}
	if err != nil { // before any instruction
		return p.result(err)
	}
	return p.metered(ctx, mod, h.Meter)
}

// Check implements engine.Checker.
func (p *program) Check(h engine.Host) error { return engine.CheckHost(h) }

// result tells from the error of the call how the guest ended.
func (p *program) result(err error) (engine.Result, error) {
	if code, exited := p.guest.Exited(); exited {
		return engine.Result{Status: job.Exit, ExitCode: code}, nil
	}
	switch {
	case p.wrong != nil:
		return engine.Result{Status: job.Trap, Trap: job.TrapOther, Running: running(err)}, nil //nolint:nilerr // it is the guest's end
	case err == nil:
		return engine.Result{Status: job.Exit}, nil
	case errors.Is(err, errOutOfMemory):
		return engine.Result{Status: job.OutOfMemory}, nil
	}
	if trap := trapOf(err); trap != "" {
		return engine.Result{Status: job.Trap, Trap: trap, Running: running(err)}, nil
	}
	return engine.Result{}, fmt.Errorf("wazero: %s", firstLine(err))
}

// traps maps what wazero calls a trap to what we do.
var traps = map[string]string{
	"unreachable":                   job.TrapUnreachable,
	"stack overflow":                job.TrapStackOverflow,
	"out of bounds memory access":   job.TrapMemory,
	"invalid table access":          job.TrapTable,
	"indirect call type mismatch":   job.TrapIndirectCall,
	"null reference":                job.TrapNullReference,
	"integer divide by zero":        job.TrapDivideByZero,
	"integer overflow":              job.TrapIntegerOverflow,
	"invalid conversion to integer": job.TrapConversion,
	"uncaught exception":            job.TrapUncaughtException,
	"unaligned atomic":              job.TrapUnaligned,
}

// running returns the functions of the stack trace in a trap's error. wazero names them
// ".$INDEX(", as it gets modules without their names.
func running(err error) []uint32 {
	if err == nil {
		return nil
	}
	_, stack, _ := strings.Cut(err.Error(), "\nwasm stack trace:\n")
	var functions []uint32
	for line := range strings.Lines(stack) {
		text, isFunction := strings.CutPrefix(line, "\t.$")
		digits, _, isFunction2 := strings.Cut(text, "(")
		if index, err := strconv.ParseUint(digits, 10, 32); err == nil && isFunction && isFunction2 {
			functions = append(functions, uint32(index))
		}
	}
	return functions
}

// trapOf returns the trap that err stands for, or "" when it is none. wazero's
// trap errors have no exported type or value: the innermost error's text is all
// there is to go by, and a guest cannot write it.
func trapOf(err error) string {
	text := err.Error()
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	if trap, ok := traps[err.Error()]; ok {
		return trap
	}
	switch {
	case strings.Contains(text, "data[") || strings.Contains(text, "out of bounds memory"): // while instantiating
		return job.TrapMemory
	case strings.Contains(text, "element["), strings.Contains(text, "table access"):
		return job.TrapTable
	}
	return ""
}
