package meter_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"

	wz "github.com/tetratelabs/wazero"

	"plasm/lib/meter"
	"plasm/test/guest"
)

// open lists the instructions for which the specification leaves the bits of a NaN
// open, by the size of a float.
func open() map[int][]string {
	hex := func(prefix string, ops ...int) (out []string) {
		for _, op := range ops {
			name := fmt.Sprintf("%s%02x", prefix, op)
			if prefix != "" && op > 0x7f {
				name += "01"
			}
			out = append(out, name)
		}
		return out
	}
	return map[int][]string{
		4: slices.Concat(hex("", 0x8d, 0x8e, 0x8f, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0xb6),
			hex("fd", 0x5e, 0x67, 0x68, 0x69, 0x6a, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9)),
		8: slices.Concat(hex("", 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xbb),
			hex("fd", 0x5f, 0x74, 0x75, 0x7a, 0x94, 0xef, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5)),
	}
}

// operands are values of a type of which many make NaNs: NaNs with all kinds of
// bits, infinities, zeros, negative numbers.
func nanOperands(t guest.ValType) []guest.Code {
	f32s := []uint32{
		0x7fc12345, 0xffc12345, 0x7f812345, 0xff812345, 0x7fc00000, 0xffc00000, 0x7f800000, 0xff800000, 0,
		1 << 31, 0x3fc00000, 0xbfc00000,
	}
	f64s := []uint64{
		0x7ff8123456789abc, 0xfff8123456789abc, 0x7ff0123456789abc, 0xfff0123456789abc, 0x7ff8 << 48,
		0xfff8 << 48, 0x7ff0 << 48, 0xfff0 << 48, 0, 1 << 63, math.Float64bits(1.5), math.Float64bits(-1.5),
	}
	var out []guest.Code
	for i := range f32s {
		switch t {
		case f32:
			out = append(out, binary.LittleEndian.AppendUint32(guest.Code{0x43}, f32s[i]))
		case f64:
			out = append(out, binary.LittleEndian.AppendUint64(guest.Code{0x44}, f64s[i]))
		case v128:
			narrow := guest.Code{0xfd, 0x0c}
			wide := guest.Code{0xfd, 0x0c}
			for lane := range 4 {
				narrow = binary.LittleEndian.AppendUint32(narrow, f32s[(i+lane)%len(f32s)])
			}
			for lane := range 2 {
				wide = binary.LittleEndian.AppendUint64(wide, f64s[(i+lane)%len(f64s)])
			}
			out = append(out, narrow, wide)
		case i32:
			return []guest.Code{guest.Int(0), guest.Int(0x7fc12345), guest.Int(17)}
		case i64:
			return []guest.Code{guest.Long(0), guest.Long(0x7ff8123456789abc)}
		default:
			return []guest.Code{{0xd2, 0}}
		}
	}
	return out
}

// tried is a module that does one instruction on all pairs of operands, and writes
// each result to memory, 16 bytes apart.
func tried(result guest.ValType, s signature) (module []byte, results int) {
	store := map[guest.ValType]guest.Code{
		i32: {0x36}, i64: {0x37}, f32: {0x38}, f64: {0x39},
		v128: {0xfd, 0x0b},
	}[result]
	tail := slices.Clone(s.opcode)
	if s.memory {
		tail = append(tail, 0, 0)
	}
	if s.lanes > 0 {
		tail = append(tail, bytes.Repeat([]byte{1}, s.lanesCount())...)
	}
	combined := []guest.Code{nil}
	for _, t := range s.operands {
		var next []guest.Code
		for i, before := range combined {
			for j, operand := range nanOperands(t) {
				if len(s.operands) < 3 || (i+j)%7 == 0 {
					next = append(next, guest.Seq(before, operand))
				}
			}
		}
		combined = next
	}
	var body guest.Code
	for i, operands := range combined {
		body = append(body, guest.Seq(guest.Int(int64(1<<16+16*i)), operands, tail, store, guest.Code{0, 0})...)
	}
	return (&guest.Builder{
		Memory: &guest.Limits{Min: 4},
		Table:  &guest.Limits{Min: 1, Max: 2},
		Funcs:  []guest.Func{{Body: body}},
		Elems:  []guest.Elem{{Offset: guest.Int(0), Funcs: []uint32{0}}},
		Data: []guest.Data{{
			Offset: guest.Int(0),
			Bytes:  []byte("\x45\x23\x81\x7f\xff\xff\xff\xff\x45\x23\x81\xff\x12\x34\xf0\xff"),
		}},
		Exports: []guest.Export{{Name: "run"}, {Name: "memory", Kind: guest.KindMemory}},
	}).Bytes(), len(combined)
}

func resultsOf(t *testing.T, cfg wz.RuntimeConfig, module []byte, n int) ([]byte, string) {
	t.Helper()
	i := instantiate(t, cfg, module, wz.NewModuleConfig())
	_, end := i.call("run")
	out, _ := i.mod.Memory().Read(1<<16, uint32(16*n))
	return bytes.Clone(out), end
}

// canonicalise gives the NaNs in results the canonical bits, and counts those
// whose bits were others.
func canonicalise(results []byte, size, width int) (out []byte, changed int) {
	out = bytes.Clone(results)
	for at := 0; at < len(out); at += 16 {
		for lane := at; lane < at+width; lane += size {
			if size == 4 {
				if n := binary.LittleEndian.Uint32(out[lane:]); n&0x7fffffff > 0x7f800000 && n != 0x7fc00000 {
					binary.LittleEndian.PutUint32(out[lane:], 0x7fc00000)
					changed++
				}
			} else if n := binary.LittleEndian.Uint64(out[lane:]); n&(1<<63-1) > 0x7ff0<<48 && n != 0x7ff8<<48 {
				binary.LittleEndian.PutUint64(out[lane:], 0x7ff8<<48)
				changed++
			}
		}
	}
	return out, changed
}

// TestCanonicalNaNs tries every instruction that leaves a number. Where the
// specification leaves the bits of a NaN open, they are canonical and nothing else
// changes; everywhere else nothing changes at all.
func TestCanonicalNaNs(t *testing.T) {
	t.Parallel()
	sizes := map[string]int{}
	for size, names := range open() {
		for _, name := range names {
			sizes[name] = size
		}
	}
	seen := 0
	for result, all := range signatures() {
		for _, s := range all {
			name := fmt.Sprintf("%x", []byte(s.opcode))
			size := sizes[name]
			if size > 0 {
				seen++
			}
			module, n := tried(result, s)
			rewritten := rewrite(t, module, meter.Options{CanonicalNaN: true})
			for backend, cfg := range backends() {
				before, end := resultsOf(t, cfg, module, n)
				after, endAfter := resultsOf(t, cfg, rewritten, n)
				want, changed := before, 0
				if size > 0 {
					want, changed = canonicalise(before, size, map[guest.ValType]int{f32: 4, f64: 8, v128: 16}[result])
				}
				if !bytes.Equal(after, want) || end != endAfter {
					t.Errorf("%s: %s: the results differ: ends %q and %q", backend, name, end, endAfter)
				}
				if size > 0 && changed == 0 {
					t.Errorf("%s: %s: no NaN had other bits, so that this shows nothing", backend, name)
				}
			}
		}
	}
	if seen != len(sizes) {
		t.Errorf("%d of %d instructions were tried", seen, len(sizes))
	}
}
