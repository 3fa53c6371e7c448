package wazero

import (
	"context"
	"errors"
	"testing"

	wz "github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"plasm/lib/engine"
	"plasm/lib/wasi/preview1"
	"plasm/test/loading"
)

func BenchmarkHostCall(b *testing.B) {
	f := preview1.Find("clock_time_get")
	loading.BenchmarkCalls(b, Engine{}, func(module []byte) error {
		ctx := b.Context()
		r := wz.NewRuntimeWithConfig(ctx,
			wz.NewRuntimeConfigCompiler().WithCoreFeatures(features).WithDebugInfoEnabled(false))
		host := r.NewHostModuleBuilder(preview1.ModuleName)
		host.NewFunctionBuilder().
			WithGoModuleFunction(api.GoModuleFunc(func(context.Context, api.Module, []uint64) {}), f.Params, f.Results).
			Export(f.Name)
		if _, err := host.Instantiate(ctx); err != nil {
			return err
		}
		mod, err := r.InstantiateWithConfig(ctx, module, wz.NewModuleConfig().WithStartFunctions())
		if err != nil {
			return err
		}
		_, err = mod.ExportedFunction(engine.StartFunction).Call(ctx)
		return errors.Join(err, r.Close(ctx))
	})
}
