package wazero

import (
	"context"
	"errors"
	"fmt"
	"io"
	goruntime "runtime"
	"strings"

	wz "github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/experimental/sysfs"
	wasi "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"plasm/lib/engine"
	"plasm/lib/job"
)

// program is a loaded module. The host functions that are ours alone reach the
// running guest's clock, input and exit code through it.
type program struct {
	runtime  wz.Runtime
	compiled wz.CompiledModule
	wasi     map[string]api.FunctionDefinition

	clock  engine.Clock
	stdin  *input
	dirs   bool // whether the guest has folders
	exited bool
	code   uint32
}

// host makes the module that guests import: wazero's WASI preview 1, but with
// poll_oneoff and proc_exit of our own.
func (p *program) host(ctx context.Context) error {
	b := p.runtime.NewHostModuleBuilder(wasi.ModuleName)
	wasi.NewFunctionExporter().ExportFunctions(b)
	i32 := api.ValueTypeI32
	b.NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(p.pollOneoff), []api.ValueType{i32, i32, i32, i32}, []api.ValueType{i32}).
		WithName("poll_oneoff").Export("poll_oneoff")
	b.NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(p.procExit), []api.ValueType{i32}, nil).
		WithName("proc_exit").Export("proc_exit")
	host, err := b.Compile(ctx)
	if err != nil {
		return fmt.Errorf("WASI: %w", err)
	}
	p.wasi = host.ExportedFunctions()
	_, err = p.runtime.InstantiateModule(ctx, host, wz.NewModuleConfig())
	return err
}

// procExit notes the exit code before wazero sees it: to wazero 0xffffffff and
// 0xefffffff are a cancel and a deadline, and a guest may say either.
func (p *program) procExit(ctx context.Context, mod api.Module, stack []uint64) {
	p.exited, p.code = true, uint32(stack[0])
	_ = mod.CloseWithExitCode(ctx, p.code)
	panic(sys.NewExitError(p.code)) // so that no instruction follows: how wazero's own does it
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
	p.clock = engine.NewClock(h.Real)
	p.stdin = &input{file: h.Stdin, known: h.StdinKnown}
	p.dirs = len(h.Dirs) > 0
	cfg, closeDirs, err := p.config(h)
	if err != nil {
		return engine.Result{}, err
	}
	defer closeDirs()
	ctx = experimental.WithMemoryAllocator(ctx, reserve{grew: h.MemoryGrew})
	mod, err := p.runtime.InstantiateModule(ctx, p.compiled, cfg)
	if h.Meter == nil {
		if err == nil {
			_, err = mod.ExportedFunction(startFunction).Call(ctx)
		}
		return p.result(err)
	}
	if err != nil { // before any instruction
		return p.result(err)
	}
	return p.metered(ctx, mod, h.Meter)
}

func (p *program) config(h engine.Host) (wz.ModuleConfig, func(), error) {
	cfg := wz.NewModuleConfig().
		WithStartFunctions(). // Run calls _start, after InstantiateModule
		WithArgs(append([]string{"module"}, h.Args...)...).
		WithStdin(p.stdin).
		WithStdout(orDiscard(h.Stdout)).
		WithStderr(orDiscard(h.Stderr)).
		WithRandSource(engine.NewEntropy(h.Real, h.Seed)).
		WithWalltime(func() (int64, int32) {
			now := p.clock.Realtime()
			return now / 1e9, int32(now % 1e9)
		}, sys.ClockResolution(p.clock.Resolution())).
		WithNanotime(p.clock.Monotonic, sys.ClockResolution(p.clock.Resolution())).
		WithNanosleep(p.clock.Sleep)
	if h.Real {
		cfg = cfg.WithOsyield(goruntime.Gosched)
	}
	for _, pair := range h.Env {
		name, value, _ := strings.Cut(pair, "=")
		cfg = cfg.WithEnv(name, value)
	}
	fs, closeDirs, err := mount(h.Dirs)
	if err != nil {
		return nil, nil, err
	}
	return cfg.WithFSConfig(fs), closeDirs, nil
}

// Check implements engine.Checker.
func (p *program) Check(h engine.Host) error {
	_, closeDirs, err := mount(h.Dirs)
	if err != nil {
		return err
	}
	closeDirs()
	return nil
}

// mount opens the folders that the guest may use.
func mount(dirs []engine.Dir) (wz.FSConfig, func(), error) {
	fs := wz.NewFSConfig()
	var open []*dirFS
	closeAll := func() {
		for _, d := range open {
			_ = d.Close()
		}
	}
	for _, d := range dirs {
		dir, err := newDirFS(d.Host, d.ReadOnly)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		open = append(open, dir)
		mounting, ok := fs.(sysfs.FSConfig) // as its documentation says that it is
		if !ok {
			closeAll()
			return nil, nil, fmt.Errorf("wazero: %T cannot mount a folder", fs)
		}
		fs = mounting.WithSysFSMount(dir, d.Guest)
	}
	return fs, closeAll, nil
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}

// result tells from the error of the call how the guest ended.
func (p *program) result(err error) (engine.Result, error) {
	switch {
	case p.exited:
		return engine.Result{Status: job.Exit, ExitCode: p.code}, nil
	case err == nil:
		return engine.Result{Status: job.Exit}, nil
	case errors.Is(err, errOutOfMemory):
		return engine.Result{Status: job.OutOfMemory}, nil
	}
	if trap := trapOf(err); trap != "" {
		return engine.Result{Status: job.Trap, Trap: trap}, nil
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
	case isRuntimeError(err): // a host function was handed what it cannot use, such as no memory
		return job.TrapOther
	case strings.Contains(text, "data[") || strings.Contains(text, "out of bounds memory"): // while instantiating
		return job.TrapMemory
	case strings.Contains(text, "element["), strings.Contains(text, "table access"):
		return job.TrapTable
	}
	return ""
}

func isRuntimeError(err error) bool {
	var e goruntime.Error
	return errors.As(err, &e)
}
