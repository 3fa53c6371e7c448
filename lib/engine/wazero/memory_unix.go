//go:build unix

package wazero

import (
	"errors"
	"math"

	"github.com/tetratelabs/wazero/experimental"
	"golang.org/x/sys/unix"

	"plasm/lib/engine"
)

// errOutOfMemory says that the worker ran into its memory bound.
var errOutOfMemory = errors.New("the worker's memory bound is reached")

// reserve allocates linear memories as one reservation of their maximum, of
// which the kernel backs only pages that were touched: growing copies nothing
// and moves nothing. wazero's own allocator appends to a slice, which for a
// memory that grows page by page costs several times its size.
type reserve struct {
	grew func(bytes uint64)    // may be nil
	made func(memory *mapping) // is told of each memory; may be nil
}

// Allocate implements experimental.MemoryAllocator.
func (a reserve) Allocate(_, limit uint64) experimental.LinearMemory {
	m := &mapping{grew: a.grew}
	if limit > 0 && limit <= math.MaxInt {
		var err error
		m.all, err = unix.Mmap(-1, 0, int(limit), unix.PROT_NONE, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err != nil {
			panic(errOutOfMemory) // Run recovers it
		}
		engine.PreferLargePages(m.all)
	}
	if a.made != nil {
		a.made(m)
	}
	return m
}

// mapping is one such reservation.
type mapping struct {
	all  []byte
	used int
	grew func(bytes uint64)
}

// Reallocate implements experimental.LinearMemory. It never moves the memory. A
// guest that grows within its limit is never told that it cannot, because the
// host happens to be short: its job ends instead.
func (m *mapping) Reallocate(size uint64) []byte {
	if size > uint64(len(m.all)) {
		return nil
	}
	if n := int(size); n > m.used {
		if unix.Mprotect(m.all[m.used:n], unix.PROT_READ|unix.PROT_WRITE) != nil {
			panic(errOutOfMemory) // wazero, or Run, recovers it
		}
		m.used = n
		if m.grew != nil {
			m.grew(size)
		}
	}
	return m.all[:size:len(m.all)]
}

// bytes returns the memory as it is now; of an empty one no bytes, but not nil.
func (m *mapping) bytes() []byte {
	if m.used == 0 {
		return []byte{}
	}
	return m.all[:m.used:m.used]
}

// Free implements experimental.LinearMemory.
func (m *mapping) Free() {
	if m.all != nil {
		_ = unix.Munmap(m.all)
		m.all, m.used = nil, 0
	}
}
