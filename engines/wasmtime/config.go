package wasmtime

/*
#include <stdbool.h>
#include <stdint.h>

// What Wasmtime's C interface has, and its Go interface has not. Both are in one library.
typedef struct wasm_config_t wasm_config_t;
void wasmtime_config_async_stack_size_set(wasm_config_t *, uint64_t);
void wasmtime_config_concurrency_support_set(wasm_config_t *, bool);
void wasmtime_config_shared_memory_set(wasm_config_t *, bool);
void wasmtime_config_wasm_custom_page_sizes_set(wasm_config_t *, bool);
void wasmtime_config_wasm_exceptions_set(wasm_config_t *, bool);
void wasmtime_config_wasm_stack_switching_set(wasm_config_t *, bool);
*/
import "C" //nolint:gocritic // cgo takes it for unsafe, too

import (
	"unsafe" //nolint:gocritic // as above

	wt "github.com/bytecodealliance/wasmtime-go/v44"
)

// What a guest's stack may take, and what its thread has, in bytes. A module that
// counts fuel counts its calls too, and must come to 4 MiB (see package meter).
const (
	guestStack  = 8 << 20
	threadStack = guestStack + 4<<20
)

// newEngine returns an engine with the features of engine.Features, and none that
// would make a guest's result depend on the machine. What can be switched off and is
// not needed is off, whatever its default: each is code that a module would reach. g is
// told of the memories of its guests.
func newEngine(g *growth) *wt.Engine {
	c := wt.NewConfig()
	c.SetStrategy(wt.StrategyCranelift)
	c.SetCraneliftOptLevel(wt.OptLevelSpeed)
	c.SetParallelCompilation(false) // the memory bound is for one compiler
	c.SetWasmThreads(false)
	c.SetWasmRelaxedSIMD(false)
	c.SetWasmMultiMemory(false)
	c.SetWasmMemory64(false)
	c.SetWasmFunctionReferences(false)
	c.SetWasmGC(false)
	c.SetGCSupport(false) // preparation leaves no reference that would need a collector
	c.SetWasmWideArithmetic(false)
	c.SetWasmComponentModel(false)
	c.SetWasmSIMD(true)
	c.SetWasmBulkMemory(true)
	c.SetWasmMultiValue(true)
	c.SetWasmReferenceTypes(true)
	c.SetWasmTailCall(true)
	c.SetMemoryInitCOWSet(false) // it would make a file of memory
	c.SetNativeUnwindInfo(false)
	setMore(c)
	g.watch(c)
	return wt.NewEngineWithConfig(c)
}

// setMore sets what the Go interface has no name for.
func setMore(c *wt.Config) {
	p := pointer(c)
	// Wasmtime refuses a stack larger than that of a kind of call that is not used here.
	C.wasmtime_config_async_stack_size_set(p, guestStack)
	c.SetMaxWasmStack(guestStack)
	C.wasmtime_config_concurrency_support_set(p, false)
	C.wasmtime_config_shared_memory_set(p, false)
	C.wasmtime_config_wasm_custom_page_sizes_set(p, false)
	C.wasmtime_config_wasm_exceptions_set(p, false)
	C.wasmtime_config_wasm_stack_switching_set(p, false)
}

// pointer returns the C interface's configuration, which is all that c holds: a test
// sees to it.
func pointer(c *wt.Config) *C.wasm_config_t {
	return *(**C.wasm_config_t)(unsafe.Pointer(c))
}
