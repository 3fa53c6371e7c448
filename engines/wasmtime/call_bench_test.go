package wasmtime

import (
	"testing"

	wt "github.com/bytecodealliance/wasmtime-go/v44"

	"plasm/lib/engine"
	"plasm/lib/wasi/preview1"
	"plasm/test/loading"
)

func BenchmarkHostCall(b *testing.B) {
	f := preview1.Find("clock_time_get")
	loading.BenchmarkCalls(b, Engine{}, func(module []byte) error {
		g := newGrowth()
		defer g.close()
		e := newEngine(g)
		m, err := wt.NewModule(e, module)
		if err != nil {
			return err
		}
		store, linker := wt.NewStore(e), wt.NewLinker(e)
		results := []wt.Val{wt.ValI32(0)}
		empty := func(*wt.Caller, []wt.Val) ([]wt.Val, *wt.Trap) { return results, nil }
		if err := linker.FuncNew(preview1.ModuleName, f.Name, funcType(f), empty); err != nil {
			return err
		}
		instance, err := linker.Instantiate(store, m)
		if err != nil {
			return err
		}
		_, err = instance.GetFunc(store, engine.StartFunction).Call(store)
		return err
	})
}
