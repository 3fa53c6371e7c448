package wasmtime

import (
	"context"
	"errors"
	"fmt"
	"strings"

	wt "github.com/bytecodealliance/wasmtime-go/v44"

	"plasm/lib/engine"
	"plasm/lib/engine/wazero"
	"plasm/lib/job"
)

// program is a loaded module.
type program struct {
	engine   *wt.Engine
	module   *wt.Module
	wasi     *wazero.WASI
	memoryMB int64
	thread   *thread

	growth *growth
	memory *wt.Memory
	failed error // of the last call of a function
}

// Check implements engine.Checker.
func (p *program) Check(h engine.Host) error { return p.wasi.CheckHost(h) }

// Run implements engine.Program.
func (p *program) Run(ctx context.Context, h engine.Host) (result engine.Result, err error) {
	p.thread.run(func() { result, err = p.run(ctx, h) })
	return result, err
}

func (p *program) run(ctx context.Context, h engine.Host) (engine.Result, error) {
	defer p.wasi.Close(ctx)
	if err := p.wasi.Begin(h); err != nil {
		return engine.Result{}, err
	}
	p.growth.grew = h.MemoryGrew
	defer p.growth.close()
	store := wt.NewStore(p.engine)
	store.Limiter(wazero.MostMemory(p.memoryMB), -1, 1, -1, 1)
	instance, err := p.instantiate(ctx, store)
	if err != nil {
		return p.result(err)
	}
	if x := instance.GetExport(store, wazero.MemoryExport); x != nil {
		p.memory = x.Memory()
	}
	if p.memory != nil { // who prepared the module may have used the name for something else
		engine.PreferLargePages(bytes(p.memory, store, p.memoryMB<<20))
	}
	if h.Meter != nil {
		return p.metered(store, instance, h.Meter)
	}
	_, err = instance.GetFunc(store, startFunction).Call(store)
	return p.result(err)
}

func (p *program) instantiate(ctx context.Context, store *wt.Store) (*wt.Instance, error) {
	linker := wt.NewLinker(p.engine)
	for i, f := range p.wasi.Functions() {
		if err := linker.FuncNew("wasi_snapshot_preview1", f.Name, funcType(f), p.function(ctx, i, f)); err != nil {
			return nil, err
		}
	}
	return linker.Instantiate(store, p.module)
}

func funcType(f wazero.Function) *wt.FuncType {
	list := func(bytes []byte) []*wt.ValType {
		types := make([]*wt.ValType, 0, len(bytes))
		for _, b := range bytes {
			types = append(types, valType(b))
		}
		return types
	}
	return wt.NewFuncType(list(f.Params), list(f.Results))
}

// function returns what calls function i of WASI for the guest.
func (p *program) function(ctx context.Context, i int, f wazero.Function) func(*wt.Caller, []wt.Val) ([]wt.Val, *wt.Trap) {
	stack := make([]uint64, max(len(f.Params), len(f.Results)))
	return func(c *wt.Caller, args []wt.Val) ([]wt.Val, *wt.Trap) {
		if p.memory == nil { // the module's start function is at work
			if x := c.GetExport(wazero.MemoryExport); x != nil {
				p.memory = x.Memory()
			}
		}
		for n, v := range args {
			if v.Kind() == wt.KindI64 {
				stack[n] = uint64(v.I64())
			} else {
				stack[n] = uint64(uint32(v.I32()))
			}
		}
		if p.growth.refused.Load() {
			return nil, wt.NewTrap("out of memory")
		}
		var data []byte
		if p.memory != nil {
			data = p.memory.UnsafeData(c)
		}
		if err := p.wasi.Call(ctx, i, data, stack); err != nil {
			p.failed = err
			return nil, wt.NewTrap(err.Error())
		}
		if len(f.Results) == 0 {
			return nil, nil
		}
		return []wt.Val{wt.ValI32(int32(uint32(stack[0])))}, nil // an errno is all that any of them returns
	}
}

// result tells from the error of the call how the guest ended.
func (p *program) result(err error) (engine.Result, error) {
	if p.growth.refused.Load() { // what the guest made of it is the machine's doing
		return engine.Result{Status: job.OutOfMemory}, nil
	}
	if code, exited := p.wasi.Exited(); exited {
		return engine.Result{Status: job.Exit, ExitCode: code}, nil
	}
	if err == nil {
		return engine.Result{Status: job.Exit}, nil
	}
	if p.failed != nil { // the guest handed a function what it cannot use
		return engine.Result{Status: job.Trap, Trap: job.TrapOther}, nil //nolint:nilerr // it is the guest's end
	}
	if trap, ok := errors.AsType[*wt.Trap](err); ok && trap.Code() != nil {
		if name, ok := traps[*trap.Code()]; ok {
			return engine.Result{Status: job.Trap, Trap: name}, nil
		}
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return engine.Result{}, fmt.Errorf("wasmtime: %s", line)
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
		return engine.Result{}, fmt.Errorf("the module counts no fuel: %q and %q are not there", m.FuelGlobal, m.StackGlobal)
	}
	if err := fuel.Global().Set(store, wt.ValI64(m.Fuel)); err != nil {
		return engine.Result{}, fmt.Errorf("wasmtime: %w", err)
	}
	var err error
	if start := instance.GetFunc(store, m.Start); start != nil {
		_, err = start.Call(store)
	}
	if err == nil {
		_, err = instance.GetFunc(store, startFunction).Call(store)
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
