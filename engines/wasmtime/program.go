package wasmtime

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unsafe"

	wt "github.com/bytecodealliance/wasmtime-go/v44"

	"golang.org/x/sys/unix"

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

	host   engine.Host
	memory *wt.Memory
	told   uint64 // the size of memory that was told last, in bytes
	failed error  // of the last call of a function
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
	p.host = h
	store := wt.NewStore(p.engine)
	store.Limiter(wazero.MostMemory(p.memoryMB), -1, 1, -1, 1)
	p.toldOf(p.wasi.FirstMemory()) // nobody can ask when it traps while it is made
	instance, err := p.instantiate(ctx, store)
	if err != nil {
		return p.result(store, err)
	}
	if x := instance.GetExport(store, wazero.MemoryExport); x != nil {
		p.memory = x.Memory()
	}
	if p.memory != nil { // who prepared the module may have used the name for something else
		engine.PreferLargePages(unsafe.Slice((*byte)(p.memory.Data(store)), p.memoryMB<<20)) //nolint:gosec // Wasmtime reserves 4 GiB there, and nothing is read
	}
	p.tell(store)
	if h.Meter != nil {
		return p.metered(store, instance, h.Meter)
	}
	_, err = instance.GetFunc(store, startFunction).Call(store)
	return p.result(store, err)
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
		var data []byte
		if p.memory != nil {
			p.tell(c)
			data = p.memory.UnsafeData(c)
		}
		if err := p.wasi.Call(ctx, i, data, func() bool { return p.room(c) }, stack); err != nil {
			p.failed = err
			return nil, wt.NewTrap(err.Error())
		}
		if len(f.Results) == 0 {
			return nil, nil
		}
		return []wt.Val{wt.ValI32(int32(uint32(stack[0])))}, nil // an errno is all that any of them returns
	}
}

// room reports whether linear memory can become as large as it may, by the bounds of
// this process. It is tried where it would be: there is no address space for as much
// beside what Wasmtime has reserved, and linear memory never moves.
func (p *program) room(store wt.Storelike) bool {
	if p.memory == nil {
		return true
	}
	limit := uint64(wazero.MostMemory(p.memoryMB))
	if bounded, pages := p.memory.Type(store).Maximum(); bounded {
		limit = min(limit, pages*pageSize)
	}
	size := uint64(p.memory.DataSize(store))
	if size >= limit {
		return true
	}
	rest := unsafe.Slice((*byte)(unsafe.Add(p.memory.Data(store), size)), limit-size) //nolint:gosec // reserved by Wasmtime, and not read
	return unix.Mprotect(rest, unix.PROT_READ|unix.PROT_WRITE) == nil && unix.Mprotect(rest, unix.PROT_NONE) == nil
}

// pageSize is that of linear memory, in bytes.
const pageSize = 64 << 10

// tell tells the size of linear memory, where it has grown. Wasmtime tells nobody
// when it grows: that is seen when the guest calls a function, and when it ends.
func (p *program) tell(store wt.Storelike) {
	if p.memory == nil {
		return
	}
	p.toldOf(uint64(p.memory.DataSize(store)))
}

func (p *program) toldOf(size uint64) {
	if size <= p.told {
		return
	}
	p.told = size
	if p.host.MemoryGrew != nil {
		p.host.MemoryGrew(size)
	}
}

// result tells from the error of the call how the guest ended.
func (p *program) result(store wt.Storelike, err error) (engine.Result, error) {
	p.tell(store)
	if code, exited := p.wasi.Exited(); exited {
		return engine.Result{Status: job.Exit, ExitCode: code}, nil
	}
	if err == nil {
		return engine.Result{Status: job.Exit}, nil
	}
	if errors.Is(p.failed, wazero.ErrOutOfMemory) {
		return engine.Result{Status: job.OutOfMemory}, nil
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
	result, err := p.result(store, err)
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
