package meter_test

import (
	"testing"

	"plasm/lib/job"
	"plasm/lib/meter"
)

// TestInstantiate reads instantiations that trap, and their neighbours that do not;
// test/hostile has them run by every engine.
func TestInstantiate(t *testing.T) {
	t.Parallel()
	table, memory := []byte{4, 1, 0x70, 0, 2}, []byte{5, 1, 0, 1}
	element := func(n int8, functions byte) []byte {
		return append([]byte{9, 1, 0, 0x41, byte(n) & 0x7f, 0x0b, functions}, make([]byte, functions)...)
	}
	data := func(content ...byte) []byte {
		return append([]byte{11, 1, 0, 0x41, 0xff, 0xff, 3, 0x0b, byte(len(content))}, content...)
	}
	types, funcs := []byte{1, 1, 0x60, 0, 0}, []byte{3, 1, 0}
	for name, c := range map[string]struct {
		sections [][]byte
		trap     string
	}{
		"fits":             {[][]byte{element(1, 1)}, ""},
		"too long":         {[][]byte{element(1, 2)}, job.TrapTable},
		"empty at the end": {[][]byte{element(2, 0)}, ""},
		"empty beyond":     {[][]byte{element(3, 0)}, job.TrapTable},
		"negative":         {[][]byte{element(-1, 1)}, job.TrapTable},
		"data fits":        {[][]byte{data('a')}, ""},
		"data too long":    {[][]byte{data('a', 'b')}, job.TrapMemory},
		"elements first":   {[][]byte{element(3, 0), data('a', 'b')}, job.TrapTable},
	} {
		module := raw(append([][]byte{types, funcs, table, memory}, c.sections...)...)
		got, err := meter.Instantiate(module)
		if want := (meter.Instantiation{Trap: c.trap, MemoryBytes: 1 << 16}); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
		}
	}
}
