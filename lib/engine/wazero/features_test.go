package wazero

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/wasm"
	"plasm/test/guest"
	"plasm/test/loading"
)

// TestVersion holds the version in receipts together with the one that is built
// in.
func TestVersion(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile("../../../go.mod")
	must(t, err)
	found := regexp.MustCompile(`(?m)^\s*github\.com/tetratelabs/wazero v(\S+)`).FindSubmatch(mod)
	if len(found) < 2 || string(found[1]) != (Engine{}).Version() {
		t.Errorf("the engine says version %s, and go.mod has %q", Engine{}.Version(), found)
	}
	if name := (Engine{}).Name(); name != "wazero" {
		t.Errorf("the engine's name is %q", name)
	}
}

// body is a command whose _start has that body, with a memory, a table, a global
// that others may change, and one i32 local.
func body(code guest.Code) guest.Builder {
	return guest.Builder{
		Funcs:   []guest.Func{{Locals: []guest.ValType{guest.I32}, Body: code}},
		Table:   &guest.Limits{Min: 1},
		Memory:  &guest.Limits{Min: 1},
		Globals: []guest.Global{{Type: guest.I32, Mutable: true, Init: guest.Int(0)}},
		Exports: []guest.Export{{Name: "_start"}},
	}
}

// using is, for each feature, a module that needs it.
func using() map[string]guest.Builder {
	drop := func(code guest.Code) guest.Code { return guest.Op(wasm.OpDrop, code) }
	global := body(nil)
	global.Exports = append(global.Exports, guest.Export{Name: "g", Kind: guest.KindGlobal})
	multi := body(drop(drop(guest.Call(1))))
	multi.Funcs = append(multi.Funcs, guest.Func{
		Type: guest.FuncType{Results: []guest.ValType{guest.I32, guest.I32}},
		Body: guest.Seq(guest.Int(1), guest.Int(2)),
	})
	extended := body(nil)
	extended.Globals = append(extended.Globals, guest.Global{
		Type: guest.I32,
		Init: guest.Op(wasm.OpI32Add, guest.Int(1), guest.Int(2)),
	})
	return map[string]guest.Builder{
		"bulk-memory":              body(guest.MemoryFill(guest.Int(0), guest.Int(0), guest.Int(1))),
		"extended-const":           extended,
		"multi-value":              multi,
		"mutable-global":           global,
		"nontrapping-float-to-int": body(drop(guest.Seq(guest.Float(1), guest.Code{0xfc, 0}))),
		"reference-types":          body(drop(guest.Code{0xd0, byte(guest.FuncRef)})),
		"sign-extension":           body(drop(guest.Op(0xc0, guest.Int(1)))),
		"simd128":                  body(drop(append(guest.Code{0xfd, 0x0c}, make([]byte, 16)...))),
		"tail-call":                body(guest.Code{0x12, 0}),
	}
}

// TestFeaturesOn compiles a module that uses each feature that is announced.
func TestFeaturesOn(t *testing.T) {
	t.Parallel()
	modules := using()
	announced := (Engine{}).Features()
	if !slices.IsSorted(announced) || len(announced) != len(modules) {
		t.Errorf("announced are %v", announced)
	}
	for _, feature := range announced {
		b, ok := modules[feature]
		if !ok {
			t.Errorf("no module uses %s", feature)
			continue
		}
		if _, err := loading.Load(t, Engine{}, b.Bytes(), 1); err != nil {
			t.Errorf("%s: %v", feature, err)
		}
	}
}

// TestFeaturesOff refuses what would end determinism, or that wazero cannot do
// by itself.
func TestFeaturesOff(t *testing.T) {
	t.Parallel()
	drop := func(code guest.Code) guest.Code { return guest.Op(wasm.OpDrop, code) }
	vector := append(guest.Code{0xfd, 0x0c}, make([]byte, 16)...)
	tests := map[string]guest.Code{
		"threads":      {0xfe, 0x03, 0x00}, // atomic.fence
		"atomics":      drop(guest.Load(0x10, 0, guest.Seq(guest.Int(0), guest.Code{0xfe}))),
		"exceptions":   {0x1f, 0x40, 0x00, 0x0b}, // an empty try_table
		"relaxed-simd": drop(guest.Seq(vector, vector, vector, guest.Code{0xfd, 0x85, 0x02})),
		"gc":           drop(guest.Seq(guest.Int(1), guest.Code{0xfb, 0x1c})),
		"wide":         drop(drop(guest.Seq(guest.Long(1), guest.Long(1), guest.Code{0xfc, 0x15}))),
	}
	for feature, code := range tests {
		b := body(code)
		if _, err := loading.Load(t, Engine{}, b.Bytes(), 1); codeOf(err) != "bad_module" {
			t.Errorf("%s: %v", feature, err)
		}
	}
	memory64 := body(nil)
	module := memory64.Bytes()
	const sectionMemory = 5
	at := slices.Index(module, sectionMemory)
	module[at+3] = 4 // flags: an index of 64 bits
	if _, err := loading.Load(t, Engine{}, module, 1); codeOf(err) != "bad_module" {
		t.Errorf("memory64: %v", err)
	}
	if diff := cmp.Diff([]byte{sectionMemory, 3, 1, 4, 1}, module[at:at+5]); diff != "" {
		t.Errorf("that was no memory section: %s", diff)
	}
}
