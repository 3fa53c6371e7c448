package wazero

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/engine"
	"plasm/lib/job"
	"plasm/test/guest"
	"plasm/test/loading"
)

// codeOf returns the code of a *job.Error, else "".
func codeOf(err error) job.Code {
	if e, ok := errors.AsType[*job.Error](err); ok {
		return e.Code
	}
	return ""
}

func TestBadModules(t *testing.T) {
	t.Parallel()
	tests := []struct {
		guest string
		code  job.Code
		words string // of the message
	}{
		{"empty", job.CodeBadModule, "the file is empty"},
		{"text", job.CodeBadModule, `it begins with "#!/bin/s", not "\x00asm"`},
		{"truncated", job.CodeBadModule, "truncated or damaged module: the section at byte 18 does not end"},
		{"component", job.CodeBadModule, "a WebAssembly component, not a core module"},
		{"version-2", job.CodeBadModule, "WebAssembly binary version 2, not 1"},
		{"no-start", job.CodeBadModule, `no function "_start"`},
		{"start-with-params", job.CodeBadModule, `no function "_start" without parameters`},
		{"start-is-memory", job.CodeBadModule, `no function "_start"`},
		{"bad-body", job.CodeBadModule, "invalid module: "},
		{"import-env", job.CodeBadModule, `imports the function "foo" of "env", which is not WASI preview 1`},
		{"import-global", job.CodeBadModule, `imports the global "g" of "env"`},
		{"import-table", job.CodeBadModule, `imports the table "t" of "env"`},
		{"import-memory", job.CodeBadModule, `imports the memory "memory" of "env"`},
		{"import-unknown-wasi", job.CodeBadModule, `imports the function "nope" of "wasi_snapshot_preview1"`},
		{"import-wasi-unstable", job.CodeBadModule, `imports the function "proc_exit" of "wasi_unstable"`},
		{"import-wasi-global", job.CodeBadModule, `imports the global "fd_write"`},
		{"import-wasi-type", job.CodeBadModule, `imports the function "fd_write" of WASI preview 1 with another type`},
		{"import-odd-name", job.CodeBadModule, `"a\nb\x1b[31mxxx`},
		{"shared-memory", job.CodeBadModule, "invalid module: "},
		{"min-memory-4097", job.CodeModuleRefused, "the module's memory begins at 257 MB, and the job may have 256 MB"},
		{"min-memory-65536", job.CodeModuleRefused, "the module's memory begins at 65536 pages, and the engine can give 65535"},
	}
	for _, test := range tests {
		t.Run(test.guest, func(t *testing.T) {
			t.Parallel()
			module := named(t, test.guest)
			_, err := loading.Load(t, Engine{}, module, 256)
			var e *job.Error
			if !errors.As(err, &e) || e.Code != test.code || !strings.Contains(e.Message, test.words) || strings.Contains(e.Message, "\n") {
				t.Errorf("loading: %q, %v; want %q, …%s…", codeOf(err), err, test.code, test.words)
			}
		})
	}
	for name := range guest.All() {
		if guest.Bad(name) {
			if _, err := loading.Load(t, Engine{}, named(t, name), 256); err == nil {
				t.Errorf("%s was loaded", name)
			}
		}
	}
}

// TestHints checks what the two errors say that a user can do something about.
func TestHints(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"min-memory-4097":  "allow it more with --memory 257",
		"min-memory-65536": "",
		"component":        "compile the program for the target wasm32-wasip1, or take the core module out of the component",
	} {
		_, err := loading.Load(t, Engine{}, named(t, name), 256)
		var e *job.Error
		if !errors.As(err, &e) || e.Hint != want {
			t.Errorf("%s: %v, hint %q", name, err, e.Hint)
		}
	}
}

// TestCompileRefuses refuses the same when it compiles, but for what depends on
// the job: its memory, and what it may import, are looked at when it is loaded.
func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"empty", "text", "truncated", "component", "version-2", "no-start", "bad-body", "min-memory-65536"} {
		if err := (Engine{}).Compile(t.Context(), named(t, name), io.Discard); codeOf(err) != job.CodeBadModule && codeOf(err) != job.CodeModuleRefused {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTruncated cuts a module behind each of its bytes. Its code comes last, so
// that no piece is a module.
func TestTruncated(t *testing.T) {
	t.Parallel()
	module := named(t, "exit-3")
	for n := range module {
		if _, err := loading.Load(t, Engine{}, module[:n], 1); codeOf(err) != job.CodeBadModule {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
}

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
	want := []imported{
		{"a", "f", importFunc, 0}, {"b", "t", importTable, 0}, {"c", "m", importMemory, 300}, {"d", "g", importGlobal, 0}, {"e", "x", 4, 0},
	}
	all, err := sections(b.Bytes())
	must(t, err)
	got := imports(all[1].content)
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(imported{})); diff != "" || all[1].id != sectionImport {
		t.Errorf("imports (-want +got):\n%s", diff)
	}
	if text := got[4].String(); text != `the unknown thing "x" of "e"` {
		t.Errorf("a tag is %s", text)
	}
	for n := range all[1].content {
		if cut := imports(all[1].content[:n]); len(cut) > len(want) {
			t.Errorf("the first %d bytes give %v", n, cut)
		}
	}
}

func TestReader(t *testing.T) {
	t.Parallel()
	tests := []struct {
		data []byte
		want uint32
		bad  bool
	}{
		{[]byte{0}, 0, false},
		{[]byte{0x7f}, 127, false},
		{[]byte{0x80, 1}, 128, false},
		{[]byte{0x80, 0}, 0, false}, // longer than needed, and allowed
		{[]byte{0xff, 0xff, 0xff, 0xff, 0x0f}, math.MaxUint32, false},
		{[]byte{0xff, 0xff, 0xff, 0xff, 0x1f}, math.MaxUint32, true},
		{[]byte{0x80, 0x80, 0x80, 0x80, 0x80, 0}, 0, true},
		{[]byte{0x80}, 0, true},
		{nil, 0, true},
	}
	for _, test := range tests {
		r := reader{data: test.data}
		if got := r.u32(); r.bad != test.bad || (!test.bad && got != test.want) {
			t.Errorf("% x is %d, bad %v; want %d, %v", test.data, got, r.bad, test.want, test.bad)
		}
		if !test.bad && r.at != len(test.data) {
			t.Errorf("% x: %d bytes were read", test.data, r.at)
		}
	}
	r := reader{data: []byte{1, 2, 3}}
	if got := r.take(math.MaxUint32); got != nil || !r.bad || r.byte() != 0 || r.take(0) != nil {
		t.Error("a reader past its end goes on reading")
	}
	for _, v := range []uint32{0, 1, 127, 128, 300, 1 << 20, math.MaxUint32} {
		r := reader{data: leb(nil, v)}
		if got := r.u32(); got != v || r.bad || r.at != len(r.data) {
			t.Errorf("%d is written as % x and read as %d", v, r.data, got)
		}
	}
}

func TestMinMemory(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]uint32{
		"": 0, "\x00": 0, "\x01": 0, "\x01\x00\x05": 5, "\x01\x01\x05\x09": 5, "\x01\x00\x80": 0, "\x01\x00\x80\x80\x04": 65536,
	} {
		if got := minMemory([]byte(content)); got != want {
			t.Errorf("% x asks for %d pages, want %d", content, got, want)
		}
	}
}

// addGuests seeds a fuzz target with the catalogue.
func addGuests(f *testing.F) {
	f.Helper()
	for _, module := range guest.All() {
		f.Add(module)
	}
}

// FuzzParse reads a stranger's bytes: they are refused in one line, or taken
// apart into sections that together are the module.
func FuzzParse(f *testing.F) {
	addGuests(f)
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x02\xff\xff\xff\xff\x0f"))
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x05\x04\x01\x00\xff\xff"))
	f.Fuzz(func(t *testing.T, module []byte) {
		p, err := parse(module, mostPages)
		if err != nil {
			if code := codeOf(err); code != job.CodeBadModule && code != job.CodeModuleRefused || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q, %v", code, err)
			}
			return
		}
		all, err := sections(module)
		if err != nil {
			t.Fatalf("parsed and not: %v, %v", p, err)
		}
		again := append([]byte{}, module[:engine.HeaderSize]...)
		for _, s := range all {
			if !bytes.HasSuffix(module[s.start:s.end], s.content) || module[s.start] != s.id {
				t.Errorf("section %+v is not what stands there", s)
			}
			again = append(again, module[s.start:s.end]...)
		}
		if !bytes.Equal(again, module) {
			t.Errorf("the sections are % x", again)
		}
	})
}
