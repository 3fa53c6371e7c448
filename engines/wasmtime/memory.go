package wasmtime

// #include "memory.h"
import "C" //nolint:gocritic // cgo takes it for unsafe, too

import (
	"runtime/cgo"
	"sync/atomic"
	"unsafe" //nolint:gocritic // as above

	wt "github.com/bytecodealliance/wasmtime-go/v44"
)

// growth is what becomes of a guest's linear memory. Wasmtime's own memories tell nobody
// when they grow, and give a guest -1 when the system refuses what its limit allows: its
// result would be the machine's.
type growth struct {
	handle  cgo.Handle
	grew    func(bytes uint64) // may be nil
	base    unsafe.Pointer     // of the memory, which never moves; nil where there is none
	size    uint64             // of the memory, in bytes
	refused atomic.Bool        // by the system, within the guest's limit
}

// newGrowth returns a growth that memories can be told of, until it is closed.
func newGrowth() *growth {
	g := &growth{}
	g.handle = cgo.NewHandle(g)
	return g
}

// close ends it. No memory may grow from then on.
func (g *growth) close() { g.handle.Delete() }

// watch has engines of this configuration make memories that tell g.
func (g *growth) watch(c *wt.Config) {
	if !C.plasm_memory(pointer(c), C.uintptr_t(g.handle)) {
		panic("wasmtime: no memory for a configuration") // as Go does, short of it
	}
}

//export plasmGrew
func plasmGrew(handle C.uintptr_t, base unsafe.Pointer, size C.size_t) {
	g := cgo.Handle(handle).Value().(*growth) //nolint:errcheck,forcetypeassert // newGrowth has made it
	g.base, g.size = base, uint64(size)
	if g.grew != nil {
		g.grew(g.size)
	}
}

//export plasmRefused
func plasmRefused(handle C.uintptr_t) {
	cgo.Handle(handle).Value().(*growth).refused.Store(true) //nolint:errcheck,forcetypeassert // as above
}

// memory returns the guest's linear memory as it is now, nil where it has none.
func (g *growth) memory() []byte { return g.reserved(int64(g.size)) }

// reserved returns n bytes of what is reserved for the guest's memory, nil where it has
// none.
func (g *growth) reserved(n int64) []byte {
	if g.base == nil {
		return nil
	}
	return unsafe.Slice((*byte)(g.base), n)
}
