package meter_test

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"slices"
	"testing"

	"plasm/lib/job"
	"plasm/lib/meter"
	"plasm/lib/wasm"
	"plasm/test/guest"
)

func nested(n int, opcode byte) guest.Code {
	return guest.Seq(bytes.Repeat([]byte{opcode, 0x40}, n), bytes.Repeat([]byte{0x0b}, n))
}

// jump is a br_table with n targets besides the default.
func jump(n int) guest.Code {
	return guest.Seq(guest.Int(0), binary.AppendUvarint(guest.Code{0x0e}, uint64(n)), make(guest.Code, n+1))
}

func function(body guest.Code) []byte {
	return (&guest.Builder{Funcs: []guest.Func{{Body: body}}}).Bytes()
}

// raw is a module of sections: the ID and the content of each.
func raw(sections ...[]byte) []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range sections {
		out = append(binary.AppendUvarint(append(out, s[0]), uint64(len(s)-1)), s[1:]...)
	}
	return out
}

// manyLocals claims n i32 locals in a few bytes.
func manyLocals(n uint64) []byte {
	body := append(binary.AppendUvarint([]byte{1}, n), 0x7f, 0x0b)
	code := slices.Concat([]byte{10, 1, byte(len(body))}, body)
	return raw([]byte{1, 1, 0x60, 0, 0}, []byte{3, 1, 0}, code)
}

// manyValues has n values: those of loops of a type with many parameters and
// results, then constants. Each loop has its type's twice, two more at its
// beginning, and its results at its end.
func manyValues(n int) []byte {
	const wide = 1000
	const each = 4*wide + 2
	many := slices.Repeat(types{i32}, wide)
	const own = 2 * wide // the parameters are values, and handed on at the end
	n -= own
	loops := guest.Code(nil)
	for i := range wide {
		loops = binary.AppendUvarint(append(loops, 0x20), uint64(i))
	}
	loops = append(loops, bytes.Repeat([]byte{0x03, 0, 0x0b}, n/each)...)
	body := guest.Seq(loops, bytes.Repeat(guest.Seq(guest.Int(0), guest.Code{wasm.OpDrop}), n%each))
	return (&guest.Builder{Funcs: []guest.Func{{
		Type: guest.FuncType{Params: many, Results: many},
		Body: body,
	}}}).Bytes()
}

func growing(limits guest.Limits) []byte {
	return (&guest.Builder{
		Table: &limits,
		Funcs: []guest.Func{{Body: guest.Seq(guest.Code{0xd0, 0x70}, guest.Int(1),
			guest.Code{0xfc, 15, 0, wasm.OpDrop})}},
	}).Bytes()
}

func exports(n int) []byte {
	b := guest.Builder{Funcs: []guest.Func{{}}}
	for i := range n {
		b.Exports = append(b.Exports, guest.Export{Name: string(rune('a'+i%26)) + string(rune(0x4e00+i))})
	}
	return b.Bytes()
}

// bounds is, for each limit, a module that needs a number of what it limits, and
// how the refusal names it.
func bounds() []struct {
	limit, words string
	make         func(n int) []byte
} {
	globals := func(n int) []byte {
		return (&guest.Builder{Globals: slices.Repeat([]guest.Global{{Type: i32, Init: guest.Int(0)}}, n)}).Bytes()
	}
	typed := func(t guest.FuncType) []byte {
		return (&guest.Builder{Funcs: []guest.Func{{Type: t, Body: guest.Code{0}}}}).Bytes()
	}
	vec := func(id byte, n int, item ...byte) []byte {
		return slices.Concat(binary.AppendUvarint([]byte{id}, uint64(n)), bytes.Repeat(item, n))
	}
	return []struct {
		limit, words string
		make         func(n int) []byte
	}{
		{"ModuleBytes", "bytes", func(n int) []byte { return append(raw(), make([]byte, n-8)...) }},
		{"Types", "types", func(n int) []byte { return raw(vec(1, n, 0x60, 0, 0)) }},
		{"Params", "parameters in type 0", func(n int) []byte {
			return raw(slices.Concat(binary.AppendUvarint([]byte{1, 1, 0x60}, uint64(n)), bytes.Repeat([]byte{0x7f}, n),
				[]byte{0}))
		}},
		{
			"Results", "results in type 0",
			func(n int) []byte { return typed(guest.FuncType{Results: slices.Repeat(types{i32}, n)}) },
		},
		{"Imports", "imports", func(n int) []byte { return raw(vec(2, n, 0, 0, 3, 0x7f, 0)) }},
		{"Exports", "exports", exports},
		{"Functions", "functions", func(n int) []byte {
			return raw([]byte{1, 1, 0x60, 0, 0}, vec(3, n, 0), vec(10, n, 2, 0, 0x0b))
		}},
		{"Tables", "tables", func(n int) []byte { return raw(vec(4, n, 0x70, 0, 0)) }},
		{
			"TableElements", "minimum in table 0",
			func(n int) []byte { return (&guest.Builder{Table: &guest.Limits{Min: uint32(n)}}).Bytes() },
		},
		{
			"TableElements", "maximum in growing table 0",
			func(n int) []byte { return growing(guest.Limits{Max: uint32(n)}) },
		},
		{"Globals", "globals", globals},
		{"Segments", "segments of data and elements", func(n int) []byte { return raw(vec(11, n, 1, 0)) }},
		{"BodyBytes", "bytes in function 0", func(n int) []byte { return function(bytes.Repeat([]byte{1}, n-2)) }},
		{"Locals", "locals in function 0", func(n int) []byte { return manyLocals(uint64(n)) }},
		{"Nesting", "nested blocks in function 0", func(n int) []byte { return function(nested(n, 0x02)) }},
		{"LoopNesting", "nested loops in function 0", func(n int) []byte { return function(nested(n, 0x03)) }},
		{
			"Blocks", "blocks in function 0",
			func(n int) []byte { return function(bytes.Repeat([]byte{0x02, 0x40, 0x0b}, n)) },
		},
		{"BlockLocals", "blocks times locals in function 0", func(n int) []byte {
			const locals = 1000
			return (&guest.Builder{Funcs: []guest.Func{{
				Locals: slices.Repeat(types{i32}, locals),
				Body:   bytes.Repeat([]byte{0x02, 0x40, 0x0b}, (n+locals-1)/locals),
			}}}).Bytes()
		}},
		{"LoopLocals", "nested loops times locals in function 0", func(n int) []byte {
			const locals = 1000
			return (&guest.Builder{Funcs: []guest.Func{{
				Locals: slices.Repeat(types{i32}, locals),
				Body:   nested((n+locals-1)/locals, 0x03),
			}}}).Bytes()
		}},
		{"Values", "values in function 0", manyValues},
		{"BranchTargets", "br_table targets in function 0", func(n int) []byte { return function(jump(n)) }},
		{"FunctionTargets", "br_table targets of all in function 0", func(n int) []byte {
			const each = 5000
			return function(guest.Seq(bytes.Repeat(jump(each), n/each), jump(n%each)))
		}},
	}
}

// TestLimits makes, for each limit, a module that just passes and one that does
// not. Most of the first kind an engine would refuse: that is not Check's affair.
func TestLimits(t *testing.T) {
	t.Parallel()
	tried := map[string]bool{"RewrittenBytes": true} // by TestRewrittenBytes
	for _, b := range bounds() {
		tried[b.limit] = true
		t.Run(b.limit, func(t *testing.T) {
			t.Parallel()
			limits := reflect.ValueOf(meter.DefaultLimits())
			bound := int(limits.FieldByName(b.limit).Int())
			if b.limit == "ModuleBytes" {
				_, err := meter.Rewrite(b.make(bound+1), meter.Options{Fuel: true})
				wantCode(t, err, job.CodeModuleRefused,
					"module refused: bytes: 16777217, more than the 16777216 allowed")
				return
			}
			if err := meter.Check(b.make(bound), meter.Limits{}); err != nil {
				t.Errorf("%d: %v", bound, err)
			}
			err := meter.Check(b.make(bound+1), meter.DefaultLimits())
			wantCode(t, err, job.CodeModuleRefused, "module refused: "+b.words+": ", "more than the ", " allowed")
		})
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[meter.Limits]()) {
		if !tried[f.Name] {
			t.Errorf("no module is beyond %s", f.Name)
		}
	}
}

func TestUnboundedTableThatGrows(t *testing.T) {
	t.Parallel()
	wantCode(t, meter.Check(growing(guest.Limits{}), meter.Limits{}), job.CodeModuleRefused,
		"maximum in growing table 0: none")
	if err := meter.Check(growing(guest.Limits{Max: 10}), meter.Limits{}); err != nil {
		t.Error(err)
	}
}

// TestRewrittenBytes rewrites a module that grows much.
func TestRewrittenBytes(t *testing.T) {
	t.Parallel()
	limits := meter.DefaultLimits()
	limits.RewrittenBytes = 100_000
	module := function(bytes.Repeat(guest.Seq(guest.Int(0), guest.Code{0x0d, 0}), 10_000))
	_, err := meter.Rewrite(module, meter.Options{Fuel: true, Limits: limits})
	wantCode(t, err, job.CodeModuleRefused, "bytes after rewriting")
	if _, err := meter.Rewrite(module, meter.Options{Fuel: true}); err != nil {
		t.Error(err)
	}
}

// TestClaims has numbers that claim what is not there: the answer takes no memory.
func TestClaims(t *testing.T) {
	huge := []byte{0xff, 0xff, 0xff, 0xff, 0x0f}
	for id := byte(1); id <= 11; id++ {
		module := raw(append([]byte{id}, huge...))
		if id == 8 {
			continue
		}
		wantCode(t, meter.Check(module, meter.Limits{}), job.CodeBadModule, " at byte ")
		if n := testing.AllocsPerRun(10, func() { _ = meter.Check(module, meter.Limits{}) }); n > 20 {
			t.Errorf("section %d: %v allocations", id, n)
		}
	}
	wantCode(t, meter.Check(manyLocals(1<<32-1), meter.Limits{}), job.CodeModuleRefused,
		"locals in function 0: 4294967295")
}
