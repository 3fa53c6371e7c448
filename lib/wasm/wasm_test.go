package wasm_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"plasm/lib/wasm"
	"plasm/test/guest"
)

func TestU32(t *testing.T) {
	t.Parallel()
	tests := []struct {
		data []byte
		want uint32
		ok   bool
	}{
		{[]byte{0}, 0, true},
		{[]byte{0x7f}, 127, true},
		{[]byte{0x80, 1}, 128, true},
		{[]byte{0x80, 0}, 0, true}, // longer than needed, and allowed
		{[]byte{0xff, 0xff, 0xff, 0xff, 0x0f}, math.MaxUint32, true},
		{[]byte{0xff, 0xff, 0xff, 0xff, 0x1f}, 0, false},
		{[]byte{0x80, 0x80, 0x80, 0x80, 0x80, 0}, 0, false},
		{[]byte{0x80}, 0, false},
		{nil, 0, false},
	}
	for _, test := range tests {
		r := wasm.NewReader(test.data)
		if got := r.U32(); r.OK() != test.ok || got != test.want || r.Left() != 0 {
			t.Errorf("% x is %d, ok %v, and %d bytes are left; want %d, %v", test.data, got, r.OK(), r.Left(),
				test.want, test.ok)
		}
	}
	for _, n := range []uint32{0, 1, 127, 128, 300, 1 << 20, math.MaxUint32} {
		r := wasm.NewReader(wasm.AppendU32(nil, n))
		if got := r.U32(); got != n || !r.OK() || r.Left() != 0 {
			t.Errorf("%d is written as % x and read as %d", n, r.Data, got)
		}
	}
}

func TestSigned(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		data []byte
		bits uint
		want int64
		ok   bool
	}{
		{[]byte{0x7f}, 32, -1, true},
		{[]byte{0xff, 0xff, 0xff, 0xff, 0x07}, 32, math.MaxInt32, true},
		{[]byte{0x80, 0x80, 0x80, 0x80, 0x78}, 32, math.MinInt32, true},
		{[]byte{0x80, 0x80, 0x80, 0x80, 0x08}, 32, 0, false}, // above the sign
		{[]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, 32, 0, false},
		{[]byte{0x40}, 33, -64, true},
		{nil, 64, 0, false},
	} {
		r := wasm.NewReader(test.data)
		if got := r.Signed(test.bits); got != test.want || r.OK() != test.ok {
			t.Errorf("% x is %d, ok %v", test.data, got, r.OK())
		}
	}
	for _, n := range []int64{0, 63, 64, -64, -65, math.MaxInt32, math.MaxInt64, math.MinInt64} {
		r := wasm.NewReader(wasm.AppendSigned(nil, n))
		if got := r.Signed(64); got != n || !r.OK() || r.Left() != 0 {
			t.Errorf("%d is written as % x and read as %d", n, r.Data, got)
		}
	}
}

// TestReaderStays stays where it failed first, whatever is asked of it then.
func TestReaderStays(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		read func(r *wasm.Reader)
		want string
	}{
		"bytes":    {func(r *wasm.Reader) { r.Bytes(math.MaxUint32) }, "4294967291 bytes are missing at byte 0"},
		"count":    {func(r *wasm.Reader) { r.Count("types") }, "77 types where 3 bytes are left at byte 0"},
		"type":     {func(r *wasm.Reader) { r.ValueType() }, "unknown value type 0x4d at byte 0"},
		"ref":      {func(r *wasm.Reader) { r.RefType() }, "unknown reference type 0x4d at byte 0"},
		"limits":   {func(r *wasm.Reader) { r.Limits("table") }, "unknown limits 0x4d of a table at byte 0"},
		"global":   {func(r *wasm.Reader) { r.Skip(2); r.GlobalType() }, "unknown mutability 77 at byte 3"},
		"no UTF-8": {func(r *wasm.Reader) { r.Skip(1); r.Name() }, "a name is not UTF-8 at byte 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := []byte{0x4d, 1, 0x7f, 0x4d}
			if name == "no UTF-8" {
				data[2] = 0xff
			}
			r := wasm.NewReader(data)
			test.read(r)
			first := r.Err()
			if r.OK() || first.Error() != test.want {
				t.Fatalf("%v, want %s", first, test.want)
			}
			r.Fail(0, "another")
			if r.Byte() != 0 || r.U32() != 0 || r.Bytes(0) != nil || r.Left() != 0 || r.Err() != first {
				t.Error("it goes on reading")
			}
		})
	}
}

func TestAppendOp(t *testing.T) {
	t.Parallel()
	for op, want := range map[int]string{
		wasm.OpEnd: "\x0b", wasm.OpMemoryFill: "\xfc\x0b", wasm.OpV128Const: "\xfd\x0c", 0xfdae: "\xfd\xae\x01",
	} {
		if got := string(wasm.AppendOp(nil, op)); got != want {
			t.Errorf("%#x is written as % x, want % x", op, got, want)
		}
	}
}

// FuzzSections takes a stranger's bytes apart: the sections together are the module, and
// written again they are what was read.
func FuzzSections(f *testing.F) {
	for _, module := range guest.All() {
		f.Add(module)
	}
	f.Add([]byte(wasm.Header + "\x02\xff\xff\xff\xff\x0f"))
	f.Fuzz(func(t *testing.T, module []byte) {
		if !strings.HasPrefix(string(module), wasm.Header) {
			return
		}
		all, damage := wasm.Sections(module)
		if damage != nil {
			return
		}
		end := wasm.HeaderSize
		for _, s := range all {
			if s.At != end || module[s.At] != s.ID || s.Start <= s.At || s.End < s.Start {
				t.Fatalf("%+v behind byte %d", s, end)
			}
			end = s.End
			r := wasm.NewReader(wasm.AppendSection(nil, s.ID, module[s.Start:s.End]))
			again := r.Section()
			if again.ID != s.ID || !bytes.Equal(r.Data[again.Start:again.End], module[s.Start:s.End]) || r.Left() != 0 {
				t.Errorf("%+v is written and read as %+v", s, again)
			}
		}
		if end != len(module) {
			t.Errorf("%d of %d bytes are in sections", end, len(module))
		}
	})
}
