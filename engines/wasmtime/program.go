package wasmtime

import (
	"context"
	"errors"
	"fmt"
	"strings"

	wt "github.com/bytecodealliance/wasmtime-go/v44"

	"plasm/lib/engine"
	"plasm/lib/job"
	"plasm/lib/wasi/preview1"
)

// program is a loaded module.
type program struct {
	engine   *wt.Engine
	module   *wt.Module
	imports  []*preview1.Function
	memoryMB int64
	thread   *thread

	growth *growth
	guest  *preview1.Guest // while it runs
	wrong  error           // what the guest did that no function can serve
}

// Check implements engine.Checker.
func (p *program) Check(h engine.Host) error { return engine.CheckHost(h) }

// Run implements engine.Program.
func (p *program) Run(_ context.Context, h engine.Host) (result engine.Result, err error) {
	p.thread.run(func() { result, err = p.run(h) })
	return result, err
}

func (p *program) run(h engine.Host) (engine.Result, error) {
	var err error
	if p.guest, err = engine.NewGuest(h); err != nil {
		return engine.Result{}, err
	}
	defer p.guest.Close()
	p.growth.grew = h.MemoryGrew
	defer p.growth.close()
	store := wt.NewStore(p.engine)
	store.Limiter(engine.MostMemory(p.memoryMB), -1, 1, -1, 1)
	instance, err := p.instantiate(store)
	if err != nil {
		return p.result(err)
	}
	engine.PreferLargePages(p.growth.reserved(p.memoryMB << 20))
	if h.Meter != nil {
		return p.metered(store, instance, h.Meter)
	}
	_, err = instance.GetFunc(store, engine.StartFunction).Call(store)
	return p.result(err)
}

func (p *program) instantiate(store *wt.Store) (*wt.Instance, error) {
	linker := wt.NewLinker(p.engine)
	for _, f := range p.imports {
		if err := linker.FuncNew(preview1.ModuleName, f.Name, funcType(f), p.function(f)); err != nil {
			return nil, err
		}
	}
	return linker.Instantiate(store, p.module)
}

func funcType(f *preview1.Function) *wt.FuncType {
	list := func(bytes []preview1.ValType) []*wt.ValType {
		types := make([]*wt.ValType, 0, len(bytes))
		for _, b := range bytes {
			kind := wt.KindI32
			if b == preview1.I64 {
				kind = wt.KindI64
			}
			types = append(types, wt.NewValType(kind))
		}
		return types
	}
	return wt.NewFuncType(list(f.Params), list(f.Results))
}

// function returns what calls f for the guest.
func (p *program) function(f *preview1.Function) func(*wt.Caller, []wt.Val) ([]wt.Val, *wt.Trap) {
	stack := make([]uint64, max(len(f.Params), len(f.Results)))
	results := make([]wt.Val, len(f.Results))
	return func(_ *wt.Caller, args []wt.Val) ([]wt.Val, *wt.Trap) {
		if p.growth.refused.Load() {
			return nil, wt.NewTrap("out of memory")
		}
		for n, v := range args {
			if v.Kind() == wt.KindI64 {
				stack[n] = uint64(v.I64())
			} else {
				stack[n] = uint64(uint32(v.I32()))
			}
		}
		if err := p.guest.Call(f, p.growth.memory(), stack); err != nil {
			if !errors.Is(err, preview1.ErrExited) {
				p.wrong = err
			}
			return nil, wt.NewTrap(err.Error())
		}
		for i := range results { // an errno is all that any of them returns
			results[i] = wt.ValI32(int32(uint32(stack[i])))
		}
		return results, nil
	}
}

// result tells from the error of the call how the guest ended.
func (p *program) result(err error) (engine.Result, error) {
	if p.growth.refused.Load() { // what the guest made of it is the machine's doing
		return engine.Result{Status: job.OutOfMemory}, nil
	}
	if code, exited := p.guest.Exited(); exited {
		return engine.Result{Status: job.Exit, ExitCode: code}, nil
	}
	if err == nil {
		return engine.Result{Status: job.Exit}, nil
	}
	if p.wrong != nil {
		return engine.Result{Status: job.Trap, Trap: job.TrapOther, Running: running(err)}, nil //nolint:nilerr // it is the guest's end
	}
	if trap, ok := errors.AsType[*wt.Trap](err); ok && trap.Code() != nil {
		if name, ok := traps[*trap.Code()]; ok {
			return engine.Result{Status: job.Trap, Trap: name, Running: running(err)}, nil
		}
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return engine.Result{}, fmt.Errorf("wasmtime: %s", line)
}

// running returns the innermost functions that were running at a trap.
func running(err error) []uint32 {
	trap, ok := errors.AsType[*wt.Trap](err)
	if !ok {
		return nil
	}
	frames := trap.Frames()
	functions := make([]uint32, 0, job.MaxTrace)
	for _, f := range frames[:min(len(frames), job.MaxTrace)] {
		functions = append(functions, f.FuncIndex())
	}
	return functions
}

// traps maps what Wasmtime calls a trap to what we do.
var traps = map[wt.TrapCode]string{
	wt.StackOverflow:          job.TrapStackOverflow,
	wt.MemoryOutOfBounds:      job.TrapMemory,
	wt.HeapMisaligned:         job.TrapUnaligned,
	wt.TableOutOfBounds:       job.TrapTable,
	wt.IndirectCallToNull:     job.TrapTable, // as the built-in engine calls it
	wt.BadSignature:           job.TrapIndirectCall,
	wt.IntegerOverflow:        job.TrapIntegerOverflow,
	wt.IntegerDivisionByZero:  job.TrapDivideByZero,
	wt.BadConversionToInteger: job.TrapConversion,
	wt.UnreachableCodeReached: job.TrapUnreachable,
}

// metered runs a module that counts its own fuel.
func (p *program) metered(store *wt.Store, instance *wt.Instance, m *engine.Meter) (engine.Result, error) {
	fuel, stack := instance.GetExport(store, m.FuelGlobal), instance.GetExport(store, m.StackGlobal)
	if fuel == nil || fuel.Global() == nil || stack == nil || stack.Global() == nil {
		return engine.Result{}, fmt.Errorf("the module counts no fuel: %q and %q are not there", m.FuelGlobal,
			m.StackGlobal)
	}
	if err := fuel.Global().Set(store, wt.ValI64(m.Fuel)); err != nil {
		return engine.Result{}, fmt.Errorf("wasmtime: %w", err)
	}
	var err error
	if start := instance.GetFunc(store, m.Start); start != nil {
		_, err = start.Call(store)
	}
	if err == nil {
		_, err = instance.GetFunc(store, engine.StartFunction).Call(store)
	}
	result, err := p.result(err)
	left := fuel.Global().Get(store).I64()
	result.FuelUsed = m.Fuel - max(left, 0)
	switch {
	case err != nil || result.Status != job.Trap:
	case left < 0:
		result.Status, result.Trap = job.OutOfFuel, ""
	case stack.Global().Get(store).I32() < 0:
		result.Trap = job.TrapStackOverflow
	}
	return result, err
}
