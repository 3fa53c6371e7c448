package engine

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
	"plasm/lib/wasm"
	"plasm/test/guest"
)

func TestImports(t *testing.T) {
	t.Parallel()
	b := guest.Builder{Imports: []guest.Import{
		{Module: "a", Name: "f", Kind: guest.KindFunc},
		{Module: "b", Name: "t", Kind: guest.KindTable, Limits: guest.Limits{Min: 1, Max: 500}},
		{Module: "c", Name: "m", Kind: guest.KindMemory, Limits: guest.Limits{Min: 300}},
		{Module: "d", Name: "g", Kind: guest.KindGlobal, Global: guest.Global{Type: guest.I32}},
		{Module: "e", Name: "x", Kind: guest.KindTag},
		{Module: "f", Name: "behind a tag", Kind: guest.KindFunc},
	}}
	want := [][]imported{
		{{"a", "f", wasm.KindFunc, 0}, {"b", "t", wasm.KindTable, 0}},
		{{"b", "t", wasm.KindTable, 0}},
		{{"c", "m", wasm.KindMemory, 0}},
		{{"d", "g", wasm.KindGlobal, 0}},
		{{"e", "x", 4, 0}},
	}
	for n := range want {
		content := section(t, b.Bytes(), wasm.SectionImport)
		got := imports(wasm.NewReader(content))
		if diff := cmp.Diff(want[n], got, cmp.AllowUnexported(imported{})); diff != "" {
			t.Errorf("imports (-want +got):\n%s", diff)
		}
		for cut := range content {
			if found := imports(wasm.NewReader(content[:cut])); len(found) > len(want[n]) {
				t.Errorf("the first %d bytes give %v", cut, found)
			}
		}
		b.Imports = b.Imports[1:]
	}
	if text := (imported{"e", "x", 4, 0}).String(); text != `the unknown thing "x" of "e"` {
		t.Errorf("a tag is %s", text)
	}
}

// section returns the content of the module's section with an ID.
func section(t *testing.T, module []byte, id byte) []byte {
	t.Helper()
	all, err := wasm.Sections(module)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if s.ID == id {
			return module[s.Start:s.End]
		}
	}
	t.Fatalf("no section %d", id)
	return nil
}

func TestFirstMemory(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]uint32{
		"": 0, "\x00": 0, "\x01": 0, "\x01\x00\x05": 5, "\x01\x01\x05\x09": 5, "\x01\x00\x80": 0,
		"\x01\x00\x80\x80\x04": 65536,
	} {
		if got := firstMemory(wasm.NewReader([]byte(content))); got != want {
			t.Errorf("% x asks for %d pages, want %d", content, got, want)
		}
	}
}

// TestCheckModule is about what can be told before a module is compiled: none of these has
// code that an engine would take.
func TestCheckModule(t *testing.T) {
	t.Parallel()
	i32, i64 := guest.I32, guest.I64
	start := guest.Export{Name: "_start"}
	clock := guest.FuncType{Params: []guest.ValType{i32, i64, i32}, Results: []guest.ValType{i32}}
	imports := func(name string, f guest.FuncType) []guest.Import {
		return []guest.Import{{Module: "wasi_snapshot_preview1", Name: name, Kind: guest.KindFunc, Func: f}}
	}
	tests := []struct {
		name string
		b    guest.Builder
		want string
	}{
		{"command", guest.Builder{Exports: []guest.Export{start}}, ""},
		{
			"reactor",
			guest.Builder{Exports: []guest.Export{{Name: "_initialize"}}},
			"the module is a reactor: it exports \"_initialize\"",
		},
		{"both", guest.Builder{Exports: []guest.Export{{Name: "_initialize"}, start}}, ""},
		{"neither", guest.Builder{Exports: []guest.Export{{Name: "run"}}}, `exports no function "_start"`},
		{
			"an index beyond",
			guest.Builder{Exports: []guest.Export{{Name: "_start", Index: 9}}},
			`exports no function "_start"`,
		},
		{"memory", guest.Builder{
			Memory:  &guest.Limits{},
			Exports: []guest.Export{{Name: "_start", Kind: guest.KindMemory}},
		}, `no function "_start"`},
		{"imported start", guest.Builder{
			Imports: imports("sched_yield", guest.FuncType{Results: []guest.ValType{i32}}),
			Exports: []guest.Export{start},
		}, `no function "_start"`},
		{"behind an import", guest.Builder{
			Imports: imports("clock_time_get", clock),
			Exports: []guest.Export{{Name: "_start", Index: 1}},
		}, ""},
		{
			"wrong type",
			guest.Builder{
				Imports: imports("clock_time_get", guest.FuncType{}),
				Exports: []guest.Export{{Name: "_start", Index: 1}},
			},
			`the function "clock_time_get" of WASI preview 1 with another type`,
		},
		{"unknown", guest.Builder{
			Imports: imports("fd_fly", clock),
			Exports: []guest.Export{{Name: "_start", Index: 1}},
		}, `imports the function "fd_fly"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.b.Funcs = append(test.b.Funcs, guest.Func{Body: guest.Code{0xff}})
			_, err := CheckModule(test.b.Bytes(), job.MaxMemoryMB)
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e, ok := errors.AsType[*job.Error](err)
			if !ok || e.Code != job.CodeBadModule || !strings.Contains(e.Message, test.want) || e.Hint == "" {
				t.Errorf("%+v, want %s", err, test.want)
			}
		})
	}
}

// FuzzCheckModule reads a stranger's bytes: they are taken, or refused in one line.
func FuzzCheckModule(f *testing.F) {
	for _, module := range guest.All() {
		f.Add(module)
	}
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x02\xff\xff\xff\xff\x0f"))
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x05\x04\x01\x00\xff\xff"))
	f.Fuzz(func(t *testing.T, module []byte) {
		_, err := CheckModule(module, job.MaxMemoryMB)
		if err != nil {
			e, ok := errors.AsType[*job.Error](err)
			if !ok || e.Code != job.CodeBadModule && e.Code != job.CodeModuleRefused ||
				strings.Contains(err.Error(), "\n") {
				t.Error(err)
			}
		}
	})
}
