package wazero

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero/api"

	"plasm/lib/engine"
	"plasm/lib/job"
)

// metered runs a module that counts its own fuel.
func (p *program) metered(ctx context.Context, mod api.Module, m *engine.Meter) (engine.Result, error) {
	fuel, ok := mod.ExportedGlobal(m.FuelGlobal).(api.MutableGlobal)
	stack := mod.ExportedGlobal(m.StackGlobal)
	if !ok || stack == nil {
		return engine.Result{}, fmt.Errorf("the module counts no fuel: %q and %q are not there", m.FuelGlobal,
			m.StackGlobal)
	}
	fuel.Set(api.EncodeI64(m.Fuel))
	var err error
	if start := mod.ExportedFunction(m.Start); start != nil {
		_, err = start.Call(ctx)
	}
	if err == nil {
		_, err = mod.ExportedFunction(engine.StartFunction).Call(ctx)
	}
	result, err := p.result(err)
	left := int64(fuel.Get())
	result.FuelUsed = m.Fuel - max(left, 0)
	switch {
	case err != nil || result.Status != job.Trap:
	case left < 0:
		result.Status, result.Trap = job.OutOfFuel, ""
	case int32(stack.Get()) < 0:
		result.Trap = job.TrapStackOverflow
	}
	return result, err
}
