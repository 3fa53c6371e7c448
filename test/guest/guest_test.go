package guest_test

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"plasm/lib/engine"
	"plasm/test/guest"
)

// TestGuestsAreValid checks that each guest that is meant to run decodes, and
// links with WASI.
func TestGuestsAreValid(t *testing.T) {
	t.Parallel()
	for name, module := range guest.All() {
		if guest.Bad(name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			r := runtime(ctx, t)
			// Names that are no names make no module invalid, and wazero refuses them.
			compiled, err := r.CompileModule(ctx, engine.WithoutNames(module))
			if err != nil {
				t.Fatal(err)
			}
			start := compiled.ExportedFunctions()["_start"]
			if start == nil || len(start.ParamTypes()) > 0 || len(start.ResultTypes()) > 0 {
				t.Errorf("_start is %v", start)
			}
			wasi, err := wasi_snapshot_preview1.NewBuilder(r).Compile(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range compiled.ImportedFunctions() {
				module, name, _ := f.Import()
				host := wasi.ExportedFunctions()[name]
				if module != wasi_snapshot_preview1.ModuleName || host == nil ||
					!slices.Equal(host.ParamTypes(), f.ParamTypes()) ||
					!slices.Equal(host.ResultTypes(), f.ResultTypes()) {
					t.Errorf("the import %s of %s is not what WASI has: %v", name, module, f.ParamTypes())
				}
			}
		})
	}
}

// TestGuestsDoWhatTheySay runs the guests whose output needs no host of ours.
func TestGuestsDoWhatTheySay(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, stdin, stdout, stderr string }{
		{"nothing", "", "", ""},
		{"start-section", "", "start\nmain\n", ""},
		{"both", "", "out\n", "err\n"},
		{"not-read", "input", "done\n", ""},
		{"cat", "some\ninput", "some\ninput", ""},
		{"cat-small", "some\ninput", "some\ninput", ""},
		{"read-one", "input", "i", ""},
		{"readsizes", "12345", "5\n0\n", ""},
		{"write-0", "", "", ""},
		{"write-1", "", "x", ""},
		{"write-40000", "", string(bytes.Repeat([]byte("x"), 40000)), ""},
		{"min-memory-7", "", "7\n", ""},
		{"grow-to-5", "", "5\n", ""},
		{"args", "", "module\x00one\x00", ""},
		{"env", "", "A=b\x00", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			module, err := guest.Module(test.name)
			if err != nil {
				t.Fatal(err)
			}
			var stdout, stderr bytes.Buffer
			ctx := t.Context()
			r := runtime(ctx, t)
			wasi_snapshot_preview1.MustInstantiate(ctx, r)
			// The guest's exit code comes as an error, 0 too.
			_, _ = r.InstantiateWithConfig(ctx, module,
				wazero.NewModuleConfig().WithArgs("module", "one").WithEnv("A", "b").
					WithStdin(bytes.NewReader([]byte(test.stdin))).WithStdout(&stdout).WithStderr(&stderr))
			if stdout.String() != test.stdout || stderr.String() != test.stderr {
				t.Errorf("wrote %.80q and %.80q, want %.80q and %.80q", stdout.String(), stderr.String(), test.stdout,
					test.stderr)
			}
		})
	}
}

func TestUnknownGuest(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"", "nope", "exit-", "exit--1", "exit-4294967296", "write-4294967295", "nope-1",
		"-1",
	} {
		if module, err := guest.Module(name); err == nil {
			t.Errorf("there is a guest %q of %d bytes", name, len(module))
		}
	}
}

func runtime(ctx context.Context, t *testing.T) wazero.Runtime {
	t.Helper()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().
		WithCoreFeatures(api.CoreFeaturesV2|experimental.CoreFeaturesTailCall|experimental.CoreFeaturesExtendedConst))
	t.Cleanup(func() {
		if err := r.Close(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	})
	return r
}
