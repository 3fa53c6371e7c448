//go:build unix

package wazero

import (
	"math"
	"slices"
	"testing"
	"unsafe"

	"plasm/lib/wasm"
)

func TestReserve(t *testing.T) {
	t.Parallel()
	var told []uint64
	m := reserve{grew: func(n uint64) { told = append(told, n) }}.Allocate(wasm.PageSize, 3*wasm.PageSize)
	t.Cleanup(m.Free)
	var at *byte
	for pages := uint64(1); pages <= 3; pages++ {
		b := m.Reallocate(pages * wasm.PageSize)
		if uint64(len(b)) != pages*wasm.PageSize {
			t.Fatalf("%d pages are %d bytes", pages, len(b))
		}
		if at != nil && unsafe.SliceData(b) != at {
			t.Errorf("memory has moved at %d pages", pages)
		}
		at = unsafe.SliceData(b)
		if b[0] != byte(pages-1) || b[len(b)-1] != 0 {
			t.Errorf("at %d pages the first byte is %d, the last %d", pages, b[0], b[len(b)-1])
		}
		b[0]++
	}
	if b := m.Reallocate(3*wasm.PageSize + 1); b != nil {
		t.Errorf("a byte beyond the limit: %d bytes", len(b))
	}
	if b := m.Reallocate(2 * wasm.PageSize); len(b) != 2*wasm.PageSize || unsafe.SliceData(b) != at {
		t.Errorf("asked for less: %d bytes", len(b))
	}
	if want := []uint64{wasm.PageSize, 2 * wasm.PageSize, 3 * wasm.PageSize}; !slices.Equal(told, want) {
		t.Errorf("was told %v, want %v", told, want)
	}
	m.Free()
	m.Free()
	if b := m.Reallocate(wasm.PageSize); b != nil {
		t.Errorf("after its end: %d bytes", len(b))
	}
}

// TestReserveNothing is for a memory that can never have a page, or that cannot
// be had at all.
func TestReserveNothing(t *testing.T) {
	t.Parallel()
	for _, limit := range []uint64{0, math.MaxUint64} {
		m := reserve{}.Allocate(0, limit)
		if b := m.Reallocate(0); len(b) != 0 {
			t.Errorf("limit %d: %d bytes", limit, len(b))
		}
		if b := m.Reallocate(wasm.PageSize); b != nil {
			t.Errorf("limit %d: a page", limit)
		}
		m.Free()
	}
}

// TestReserveSilent has nobody to tell.
func TestReserveSilent(t *testing.T) {
	t.Parallel()
	m := reserve{}.Allocate(0, wasm.PageSize)
	t.Cleanup(m.Free)
	if b := m.Reallocate(wasm.PageSize); len(b) != wasm.PageSize {
		t.Errorf("%d bytes", len(b))
	}
}
