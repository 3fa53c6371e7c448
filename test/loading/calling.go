package loading

import (
	"testing"

	"golang.org/x/sys/unix"

	"plasm/lib/engine"
	"plasm/lib/wasm"
	"plasm/test/guest"
)

// hostCalls is how often the module of Calls calls its host.
const hostCalls = 10_000_000

// Calls returns a module that asks for the time ten million times.
func Calls() []byte {
	const clock, times = 0, 0
	i32, i64 := guest.I32, guest.I64
	b := guest.Builder{
		Imports: []guest.Import{{
			Module: "wasi_snapshot_preview1", Name: "clock_time_get", Kind: guest.KindFunc,
			Func: guest.FuncType{Params: []guest.ValType{i32, i64, i32}, Results: []guest.ValType{i32}},
		}},
		Memory: &guest.Limits{Min: 1},
		Funcs: []guest.Func{{Locals: []guest.ValType{i32}, Body: guest.Loop(
			guest.Op(wasm.OpDrop, guest.Call(clock, guest.Int(0), guest.Long(0), guest.Int(8))),
			guest.Increase(times, 1),
			guest.BrIf(0, guest.Op(wasm.OpI32LtU, guest.Get(times), guest.Int(hostCalls))),
		)}},
		Exports: []guest.Export{{Name: "_start", Index: 1}},
	}
	return b.Bytes()
}

// BenchmarkCalls times a call of the host by a guest of e, and for comparison one of a
// function that does nothing, which empty has the same guest call as often.
func BenchmarkCalls(b *testing.B, e engine.Engine, empty func(module []byte) error) {
	b.Helper()
	module := Calls()
	per := func(b *testing.B, do func() error) {
		b.Helper()
		begun := processorTime(b)
		for b.Loop() {
			if err := do(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(processorTime(b)-begun)/float64(b.N)/hostCalls, "cpu-ns/call")
	}
	b.Run("clock_time_get", func(b *testing.B) {
		code, err := Code(b, e, module)
		if err != nil {
			b.Fatal(err)
		}
		per(b, func() error {
			Rewind(b, code)
			p, err := e.Load(b.Context(), module, code, 1)
			if err != nil {
				return err
			}
			_, err = p.Run(b.Context(), engine.Host{})
			return err
		})
	})
	b.Run("empty", func(b *testing.B) { per(b, func() error { return empty(module) }) })
}

// processorTime returns what this process has taken of the processor, in nanoseconds.
func processorTime(tb testing.TB) int64 {
	tb.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
