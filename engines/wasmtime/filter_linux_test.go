package wasmtime

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	wt "github.com/bytecodealliance/wasmtime-go/v44"

	"plasm/lib/sandbox/seccomp"
)

// contendVar makes the test program contend.
const contendVar = "PLASM_TEST_CONTEND"

func TestMain(m *testing.M) {
	if os.Getenv(contendVar) == "" {
		os.Exit(m.Run())
	}
	if err := contend(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// contend has threads wait for each other in Wasmtime, under the filter of a worker.
// A worker has the guest's thread, and that which frees what the collector finds.
func contend() error {
	if err := seccomp.Apply(seccomp.Load.WithC(), seccomp.Files{}); err != nil {
		return err
	}
	e := newEngine(newGrowth())
	var threads sync.WaitGroup
	for range 8 {
		threads.Go(func() {
			for n := range 3000 {
				types := make([]*wt.ValType, n%40)
				for i := range types {
					types[i] = wt.NewValType(wt.KindI64)
				}
				store := wt.NewStore(e)
				wt.NewFunc(store, wt.NewFuncType(types, nil),
					func(*wt.Caller, []wt.Val) ([]wt.Val, *wt.Trap) { return nil, nil })
				store.Close()
			}
		})
	}
	threads.Wait()
	return nil
}

// TestContention waits in Wasmtime's own way, which the filter must let it.
func TestContention(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = []string{contendVar + "=yes", "GODEBUG=containermaxprocs=0,updatemaxprocs=0"} // as a worker has it
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
