package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"plasm/lib/wasm"
	"plasm/test/guest"
	"plasm/test/variant"
)

// unconfined builds a plasm-run whose worker confines itself by nothing, and is
// not tied to its parent's life.
func unconfined(b *testing.B, h *house) string {
	b.Helper()
	none, err := os.ReadFile(filepath.Join("testdata", "unconfined.go"))
	if err != nil {
		b.Fatal(err)
	}
	out := filepath.Join(h.dir, "unconfined")
	err = variant.Build(b.Context(), out, "",
		variant.Edit{File: "lib/sandbox/worker/confine_linux.go", New: string(none)},
		variant.Edit{File: "lib/sandbox/sys_linux.go", Old: ", Pdeathsig: syscall.SIGKILL", New: ""},
	)
	if err != nil {
		b.Fatal(err)
	}
	return out
}

// BenchmarkConfinement tells what confinement adds to a job: the same command with
// and without it, in turns.
func BenchmarkConfinement(b *testing.B) {
	h := build(b)
	without := unconfined(b, h)
	b.Run("start", func(b *testing.B) { start(b, h, without) })
	b.Run("bytes", func(b *testing.B) {
		const size = 256 << 20
		zeros := filepath.Join(h.dir, "zeros")
		if err := os.WriteFile(zeros, nil, 0o600); err != nil {
			b.Fatal(err)
		}
		if err := os.Truncate(zeros, size); err != nil {
			b.Fatal(err)
		}
		grows(b, h, without, "--stdin", zeros, "--output-limit", strconv.Itoa(size), "--stdout", os.DevNull,
			example("cat"))
	})
	for name, module := range map[string][]byte{"clock": clocks(10_000_000), "write": writes(1_000_000)} {
		path := h.module(b, name, module)
		b.Run("calls/"+name, func(b *testing.B) { grows(b, h, without, "--no-stdin", "--stdout", os.DevNull, path) })
	}
}

// start reports what confinement adds to a small job, in starts of an empty
// program.
func start(b *testing.B, h *house, without string) {
	b.Helper()
	const rounds = 200
	hello := func(program string) *exec.Cmd { return h.command(program, "--no-stdin", example("hello")) }
	took(b, hello(h.run))
	var confined, bare, empty []float64
	for b.Loop() {
		for range rounds {
			confined = append(confined, float64(took(b, hello(h.run))))
			bare = append(bare, float64(took(b, hello(without))))
			empty = append(empty, float64(took(b, h.command(h.empty))))
		}
	}
	b.ReportMetric(median(confined)/median(bare), "x-unconfined")
	atMost(b, (median(confined)-median(bare))/median(empty), "empty-programs-added", 0.5)
	if b.Failed() {
		b.Logf("%.2f ms, %.2f without, and %.2f for an empty program", median(confined)/1e6, median(bare)/1e6,
			median(empty)/1e6)
	}
}

// grows reports how much longer a long job takes with confinement than without:
// what its start takes longer is lost in it, and the rest must be noise.
func grows(b *testing.B, h *house, without string, args ...string) {
	b.Helper()
	const rounds = 11
	var confined, bare []float64
	for b.Loop() {
		for range rounds {
			confined = append(confined, float64(took(b, h.command(h.run, args...))))
			bare = append(bare, float64(took(b, h.command(without, args...))))
		}
	}
	b.ReportMetric(median(bare)/1e6, "ms-unconfined")
	atMost(b, median(confined)/median(bare), "x-unconfined", 1.05)
	if b.Failed() {
		b.Logf("%.1f ms, and %.1f without", median(confined)/1e6, median(bare)/1e6)
	}
}

// clocks asks for the time n times: calls that make no system call.
func clocks(n int64) []byte {
	return calling("clock_time_get", []guest.ValType{guest.I32, guest.I64, guest.I32}, n,
		guest.Int(0), guest.Long(1), guest.Int(16))
}

// writes writes a byte n times: calls that each make a system call.
func writes(n int64) []byte {
	return calling("fd_write", slices.Repeat([]guest.ValType{guest.I32}, 4), n,
		guest.Int(1), guest.Int(0), guest.Int(1), guest.Int(16))
}

// calling calls a WASI function n times; one buffer of one byte is at 0.
func calling(name string, params []guest.ValType, n int64, args ...guest.Code) []byte {
	return command(name, params, guest.Seq(
		guest.Store(wasm.OpI32Store, 0, guest.Int(0), guest.Int(32)),
		guest.Store(wasm.OpI32Store, 4, guest.Int(0), guest.Int(1)),
		guest.Set(0, guest.Int(n)),
		guest.Loop(
			guest.Op(wasm.OpDrop, guest.Call(0, args...)),
			guest.Increase(0, -1),
			guest.BrIf(0, guest.Get(0)),
		),
	))
}

// command is a program that imports one WASI function, number 0, and has a memory
// of one page and one local, an i32.
func command(name string, params []guest.ValType, main guest.Code) []byte {
	b := guest.Builder{
		Imports: []guest.Import{{
			Module: "wasi_snapshot_preview1", Name: name,
			Func: guest.FuncType{Params: params, Results: []guest.ValType{guest.I32}},
		}},
		Memory:  &guest.Limits{Min: 1},
		Exports: []guest.Export{{Name: "memory", Kind: guest.KindMemory}, {Name: "_start", Index: 1}},
		Funcs:   []guest.Func{{Locals: []guest.ValType{guest.I32}, Body: main}},
	}
	return b.Bytes()
}
