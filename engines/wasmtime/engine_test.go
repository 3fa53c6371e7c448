package wasmtime

import (
	"os"
	"strings"
	"testing"

	"plasm/lib/engine"
	"plasm/lib/engine/wazero"
	"plasm/lib/job"
	"plasm/test/guest"
	"plasm/test/loading"
)

// TestVersion holds the version in receipts and the one that is linked together:
// wasmtime-go has the number of its Wasmtime.
func TestVersion(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if want := "github.com/bytecodealliance/wasmtime-go/v44 v" + engine.WasmtimeVersion + "\n"; !strings.Contains(string(mod), want) {
		t.Errorf("go.mod does not name %s", want)
	}
}

// TestForeignMemory runs a module that uses the name of linear memory for something
// else, as only a worker that has been taken over would hand it on.
func TestForeignMemory(t *testing.T) {
	t.Parallel()
	module := (&guest.Builder{
		Funcs:   []guest.Func{{}},
		Exports: []guest.Export{{Name: "_start"}, {Name: wazero.MemoryExport}},
	}).Bytes()
	p, err := loading.Load(t, Engine{}, module, 1)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := p.Run(t.Context(), engine.Host{}); err != nil || r.Status != job.Exit {
		t.Errorf("%+v, %v", r, err)
	}
}
