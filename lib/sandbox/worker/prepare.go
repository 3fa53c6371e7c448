package worker

import (
	"context"
	"runtime"

	"golang.org/x/sys/cpu"

	"plasm/lib/engine"
	"plasm/lib/job"
	"plasm/lib/meter"
	"plasm/lib/sandbox/wire"
)

// preparation prepares a module for a job, as preparing does. It returns nil for a
// module that is to stay as it is.
type preparation func(ctx context.Context, module []byte, a *wire.Assignment, known bool) ([]byte, error)

// preparing returns the preparation of modules whose validity e checks.
func preparing(e engine.Validator) preparation {
	return func(ctx context.Context, module []byte, a *wire.Assignment, known bool) ([]byte, error) {
		return prepare(ctx, e, module, a, known)
	}
}

// prepare holds a stranger's module against the static limits, before an engine
// spends time on it, and rewrites it where the job wants fuel counted or NaNs
// made canonical, or the module uses what engines differ in, or the engine's remainders
// are wrong. known says that the same module was compiled for the cache: then it is
// within the limits, and valid.
func prepare(ctx context.Context, e engine.Validator, module []byte, a *wire.Assignment, known bool) ([]byte, error) {
	options := rewriting(a)
	if known && !options.Fuel && !options.CanonicalNaN { // the rest is in bodies, which are not read again
		return meter.RewriteHead(module, options.Limits), nil
	}
	rewrite := options.Fuel || options.CanonicalNaN || options.Remainders || options.Zeros
	if !known {
		if err := engine.CheckHeader(module); err != nil {
			return nil, err
		}
		changes, err := meter.Inspect(module, options.Limits)
		if err != nil {
			return nil, err
		}
		if rewrite = rewrite || changes; rewrite {
			if err := e.Validate(ctx, module); err != nil {
				return nil, err
			}
		}
	}
	if !rewrite {
		return nil, nil
	}
	return meter.Rewrite(module, options)
}

// guest runs the guest, unless its instantiation is known to trap: then no engine is
// asked, as engines differ in what they do with it.
func (c *conversation) guest(ctx context.Context, p engine.Program, module []byte,
	host engine.Host,
) (engine.Result, error) {
	begins, err := meter.Instantiate(module)
	if err != nil || begins.Trap == "" { // what cannot be read is the engine's to judge
		return p.Run(ctx, host)
	}
	c.memoryGrew(begins.MemoryBytes)
	return engine.Result{Status: job.Trap, Trap: begins.Trap}, nil
}

// rewriting says what is to be done to a module for a job.
func rewriting(a *wire.Assignment) meter.Options {
	return meter.Options{
		Fuel: a.Fuel > 0, CanonicalNaN: a.NaN, Limits: limits(),
		Remainders: runtime.GOARCH == "arm64" && a.Engine == wazero,
		Zeros:      runtime.GOARCH == "amd64" && a.Engine == wazero && !cpu.X86.HasBMI1,
	}
}

// wazero is the engine that up to 1.12.0 may lose a number where registers are short: on
// arm64 an integer remainder before it is used; on amd64 processors that cannot count
// zeros in one instruction, as before 2013 and as virtual machines may show them, a
// number whose zeros are counted. See lib/meter/mended.go for what is always rewritten.
const wazero = "wazero"

// maxModule is the longest module that a worker takes, in bytes. Who hands it one
// may allow less.
const maxModule = 64 << 20

func limits() meter.Limits {
	l := meter.DefaultLimits()
	l.ModuleBytes = maxModule
	return l
}

// metering returns how the engine is to drive the module, nil where it counts
// nothing.
func metering(a *wire.Assignment) *engine.Meter {
	if a.Fuel == 0 {
		return nil
	}
	return &engine.Meter{
		Fuel: a.Fuel, FuelGlobal: meter.FuelGlobal, StackGlobal: meter.StackGlobal,
		Start: meter.StartExport,
	}
}
