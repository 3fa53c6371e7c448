//go:build linux && cgo

package main

/*
#include <malloc.h>

// One heap, as an engine's worker has (see engines/wasmtime).
__attribute__((constructor)) static void one_heap(void) {
	mallopt(M_ARENA_MAX, 1);
}
*/
import "C"

import "plasm/lib/sandbox/worker"

// reserve is the address space that an engine may want, in bytes: Wasmtime's.
const reserve = 4<<30 + 64<<20

func work(e engine) int { return worker.ProcessWithC(reserve, "", e) }
