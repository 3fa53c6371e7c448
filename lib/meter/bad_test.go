package meter_test

import (
	"bytes"
	"testing"

	"plasm/lib/job"
	"plasm/lib/meter"
	"plasm/lib/wasm"
	"plasm/test/guest"
)

// TestBadModules has modules that cannot be parsed, and those that name what
// would be there only after rewriting.
func TestBadModules(t *testing.T) {
	t.Parallel()
	withGlobal := func(body guest.Code) []byte {
		return (&guest.Builder{
			Globals: []guest.Global{{Type: i64, Mutable: true, Init: guest.Long(0)}},
			Funcs:   []guest.Func{{Locals: types{i32}, Body: body}},
		}).Bytes()
	}
	tests := []struct {
		name, words string
		module      []byte
	}{
		{"empty", "does not begin", nil},
		{"a component", "does not begin", []byte("\x00asm\x0d\x00\x01\x00")},
		{"cut", "bytes of a section", function(one)[:20]},
		{"unknown section", "unknown section 14", raw([]byte{14})},
		{"sections out of order", "out of order", raw([]byte{3, 0}, []byte{1, 0})},
		{"a section twice", "out of order", raw([]byte{1, 0}, []byte{1, 0})},
		{"bytes behind a section", "are left in section 1", raw([]byte{1, 0, 0})},
		{"a number too long", "longer than 32 bits", raw([]byte{1, 0x80, 0x80, 0x80, 0x80, 0x10})},
		{
			"names that are no text", "not UTF-8",
			(&guest.Builder{Funcs: []guest.Func{{}}, Exports: []guest.Export{{Name: "\xff"}}}).Bytes(),
		},
		{"bodies without functions", "bodies", raw([]byte{10, 1, 2, 0, 0x0b})},
		{"functions without bodies", "1 functions have 0 bodies", raw([]byte{1, 1, 0x60, 0, 0}, []byte{3, 1, 0})},
		{"code behind the end", "behind a body's end", function(guest.Seq(guest.Code{0x0b}, one))},
		{"no end", "ends too early", function(guest.Code{0x02, 0x40})},
		{"threads", "unknown opcode 0xfe (threads)", function(guest.Code{0xfe, 0x03, 0})},
		{"exceptions", "unknown opcode 0x06 (exceptions)", function(guest.Code{0x06, 0x40, 0x0b})},
		{"relaxed SIMD", "unknown opcode 0xfd 0x100 (relaxed SIMD)", function(guest.Code{0xfd, 0x80, 0x02})},
		{"garbage collection", "unknown opcode 0xfb (garbage collection)", function(guest.Code{0xfb, 0})},
		{"a hole in SIMD", "unknown opcode 0xfd 0x9a", function(guest.Code{0xfd, 0x9a, 0x01})},
		{"beyond the bulk operations", "unknown opcode 0xfc 0x12", function(guest.Code{0xfc, 18})},
		{"an opcode that is none", "unknown opcode 0x27 at byte ", function(guest.Code{0x27})},
		{
			"shared memory", "limits 0x03 of a memory",
			(&guest.Builder{Memory: &guest.Limits{Min: 1, Max: 1, Shared: true}}).Bytes(),
		},
		{"two memories", "second memory", raw([]byte{5, 2, 0, 1, 0, 1})},
		{"a tag", "unknown kind 4", (&guest.Builder{Imports: []guest.Import{{Kind: guest.KindTag}}}).Bytes()},
		{"code in a constant", "opcode 0x10 in a constant", (&guest.Builder{
			Imports: []guest.Import{{Kind: guest.KindFunc}},
			Globals: []guest.Global{{Type: i32, Init: guest.Call(0)}},
		}).Bytes()},
		{"the fuel", "global 1 of 1", withGlobal(guest.Seq(guest.Long(1<<40), guest.Code{0x24, 1}))},
		{"the stack", "global 2 of 1", withGlobal(guest.Seq(guest.Int(1<<30), guest.Code{0x24, 2}))},
		{"a scratch local", "local 1 of 1", withGlobal(guest.Seq(guest.Long(1<<40), guest.Code{0x21, 1}))},
		{
			"the fuel in a constant", "global 1 of 0",
			(&guest.Builder{Globals: []guest.Global{{Type: i64, Init: guest.Code{0x23, 1}}}}).Bytes(),
		},
		{"a type that is added", "type 1 of 1", function(guest.Code{0x02, 1, 0x0b})},
		{"a label beyond the body", "label 1 in 1 blocks", function(guest.Br(1))},
		{"a function that is not there", "function 1 of 1", function(guest.Call(1))},
		{
			"an export with a reserved name", `is named "plasm:fuel"`,
			(&guest.Builder{Funcs: []guest.Func{{}}, Exports: []guest.Export{{Name: meter.FuelGlobal}}}).Bytes(),
		},
		{
			"an export with another reserved name", `names that begin with "plasm:" are taken`,
			(&guest.Builder{Funcs: []guest.Func{{}}, Exports: []guest.Export{{Name: "plasm:x"}}}).Bytes(),
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			wantCode(t, meter.Check(test.module, meter.Limits{}), job.CodeBadModule, test.words)
			_, err := meter.Rewrite(test.module, meter.Options{Fuel: true})
			wantCode(t, err, job.CodeBadModule, test.words)
		})
	}
}

// TestRewriteFindsMissingOperands has what Check does not look at.
func TestRewriteFindsMissingOperands(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]guest.Code{
		"add":  {wasm.OpI32Add},
		"call": guest.Call(1),
		"else": {0x02, 0x40, 0x05, 0x0b},
	} {
		module := (&guest.Builder{Funcs: []guest.Func{
			{Body: body},
			{Type: guest.FuncType{Params: types{i32}}},
		}}).Bytes()
		_, err := meter.Rewrite(module, meter.Options{Fuel: true})
		if err == nil {
			t.Errorf("%s is rewritten", name)
			continue
		}
		wantCode(t, err, job.CodeBadModule)
	}
}

// TestEveryGuestIsChecked holds the catalogue's modules against the limits, and
// rewrites them.
func TestEveryGuestIsChecked(t *testing.T) {
	t.Parallel()
	for name, module := range guest.All() {
		if guest.Bad(name) {
			continue
		}
		if err := meter.Check(module, meter.DefaultLimits()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if again := rewrite(t, module, meter.Options{}); !bytes.Equal(again, module) {
			t.Errorf("%s: no option changes it", name)
		}
		rewrite(t, module, meter.Options{Fuel: true, CanonicalNaN: true})
	}
}

func seeds(f *testing.F) {
	f.Helper()
	for _, module := range guest.All() {
		if len(module) < 10_000 {
			f.Add(module)
		}
	}
	for seed := range uint64(10) {
		g := &generator{data: randomBytes(seed, 600)}
		f.Add(g.module())
	}
	f.Add(manyLocals(1 << 31))
	f.Add(function(jump(1000)))
}

func FuzzCheck(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, module []byte) {
		if err := meter.Check(module, meter.Limits{}); err != nil {
			return
		}
		// What passes needs no more than it has.
		limits := meter.DefaultLimits()
		limits.ModuleBytes, limits.BodyBytes = len(module), len(module)
		if err := meter.Check(module, limits); err != nil {
			t.Error(err)
		}
	})
}

// FuzzRewrite also checks that what comes out is a module for this pass too, and
// that rewriting is repeatable.
func FuzzRewrite(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, module []byte) {
		for _, fuel := range []bool{false, true} {
			o := meter.Options{Fuel: fuel, CanonicalNaN: true}
			out, err := meter.Rewrite(module, o)
			if err != nil {
				continue
			}
			if again := rewrite(t, module, o); !bytes.Equal(out, again) {
				t.Error("rewritten twice, it is not the same")
			}
			_, err = meter.Rewrite(out, meter.Options{CanonicalNaN: true})
			if taken := o.Fuel; taken != (err != nil) && len(out) < 100_000 {
				t.Errorf("%+v: the copy is refused: %v", o, err)
			}
		}
	})
}
