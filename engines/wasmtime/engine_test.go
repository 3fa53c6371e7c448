package wasmtime

import (
	"os"
	"strings"
	"testing"

	"plasm/lib/engine"
)

// TestVersion holds the version in receipts and the one that is linked together:
// wasmtime-go has the number of its Wasmtime.
func TestVersion(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if want := "github.com/bytecodealliance/wasmtime-go/v44 v" + engine.WasmtimeVersion +
		"\n"; !strings.Contains(string(mod), want) {
		t.Errorf("go.mod does not name %s", want)
	}
}
