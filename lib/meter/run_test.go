package meter_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	wz "github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	wasi "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"plasm/lib/job"
	"plasm/lib/meter"
)

// plenty is fuel that no test uses up.
const plenty = 1 << 50

// backends are the two ways in which wazero runs a module.
func backends() map[string]wz.RuntimeConfig {
	const features = api.CoreFeaturesV2 | experimental.CoreFeaturesTailCall | experimental.CoreFeaturesExtendedConst
	return map[string]wz.RuntimeConfig{
		"compiler":    wz.NewRuntimeConfigCompiler().WithCoreFeatures(features),
		"interpreter": wz.NewRuntimeConfigInterpreter().WithCoreFeatures(features),
	}
}

// instance is a module that is instantiated and has not begun.
type instance struct {
	t   testing.TB
	mod api.Module
}

func instantiate(tb testing.TB, cfg wz.RuntimeConfig, module []byte, mc wz.ModuleConfig) *instance {
	tb.Helper()
	ctx := context.Background()
	rt := wz.NewRuntimeWithConfig(ctx, cfg)
	tb.Cleanup(func() {
		if err := rt.Close(ctx); err != nil {
			tb.Error(err)
		}
	})
	wasi.MustInstantiate(ctx, rt)
	mod, err := rt.InstantiateWithConfig(ctx, module, mc.WithStartFunctions())
	if err != nil {
		tb.Fatal(err)
	}
	return &instance{tb, mod}
}

// fuel sets what may be used.
func (i *instance) fuel(n int64) {
	i.t.Helper()
	g, ok := i.mod.ExportedGlobal(meter.FuelGlobal).(api.MutableGlobal)
	if !ok {
		i.t.Fatal("no fuel global")
	}
	g.Set(api.EncodeI64(n))
}

// left is what is left of the fuel.
func (i *instance) left() int64 { return int64(i.mod.ExportedGlobal(meter.FuelGlobal).Get()) }

// stack is what is left of the stack budget.
func (i *instance) stack() int32 {
	return api.DecodeI32(i.mod.ExportedGlobal(meter.StackGlobal).Get())
}

// call calls an export, and says how that ended: "" or the trap or exit.
func (i *instance) call(name string, args ...uint64) ([]uint64, string) {
	i.t.Helper()
	f := i.mod.ExportedFunction(name)
	if f == nil {
		i.t.Fatalf("no function %q", name)
	}
	results, err := f.Call(context.Background(), args...)
	return results, ending(err)
}

func ending(err error) string {
	if err == nil {
		return ""
	}
	if exit, ok := errors.AsType[*sys.ExitError](err); ok {
		return exit.Error()
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	if _, trap, ok := strings.Cut(first, "wasm error: "); ok {
		return trap
	}
	return first
}

// outcome is all that a command did.
type outcome struct {
	Stdout, Stderr, End string
	Fuel                int64
}

// command runs a command with input on stdin. A module that is metered gets plenty.
func command(t *testing.T, cfg wz.RuntimeConfig, module []byte, metered bool, input string, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	i := instantiate(t, cfg, module, wz.NewModuleConfig().WithArgs(append([]string{"module"}, args...)...).
		WithStdin(strings.NewReader(input)).WithStdout(&stdout).WithStderr(&stderr))
	var end string
	var used int64
	if metered {
		i.fuel(plenty)
		if i.mod.ExportedFunction(meter.StartExport) != nil {
			_, end = i.call(meter.StartExport)
		}
	}
	if end == "" {
		_, end = i.call("_start")
	}
	if metered {
		used = plenty - i.left()
	}
	return outcome{stdout.String(), stderr.String(), end, used}
}

func rewrite(tb testing.TB, module []byte, o meter.Options) []byte {
	tb.Helper()
	out, err := meter.Rewrite(module, o)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// wantCode checks that an error is a *job.Error of that code whose message has
// all the words.
func wantCode(t *testing.T, err error, code job.Code, words ...string) {
	t.Helper()
	e, ok := errors.AsType[*job.Error](err)
	if !ok || e.Code != code {
		t.Fatalf("got %v, want an error with code %s", err, code)
	}
	for _, word := range words {
		if !strings.Contains(e.Message, word) {
			t.Errorf("%q does not say %q", e.Message, word)
		}
	}
}
