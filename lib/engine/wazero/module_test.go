package wazero

import (
	"errors"
	"io"
	"strings"
	"testing"

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
		{"truncated", job.CodeBadModule, "truncated or damaged module: a section does not end at byte 18"},
		{"component", job.CodeBadModule, "a WebAssembly component, not a core module"},
		{"version-2", job.CodeBadModule, "WebAssembly binary version 2, not 1"},
		{"no-start", job.CodeBadModule, `no function "_start"`},
		{"reactor", job.CodeBadModule, "the module is a reactor"},
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
		{
			"min-memory-65536", job.CodeModuleRefused,
			"the module's memory begins at 65536 pages, and the engine can give 65535",
		},
	}
	for _, test := range tests {
		t.Run(test.guest, func(t *testing.T) {
			t.Parallel()
			module := named(t, test.guest)
			_, err := loading.Load(t, Engine{}, module, 256)
			var e *job.Error
			if !errors.As(err, &e) || e.Code != test.code || !strings.Contains(e.Message, test.words) ||
				strings.Contains(e.Message, "\n") {
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
		"component": "compile the program for the target wasm32-wasip1, or take the core module out of the " +
			"component",
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
	for _, name := range []string{
		"empty", "text", "truncated", "component", "version-2", "no-start", "bad-body",
		"min-memory-65536",
	} {
		if err := (Engine{}).Compile(t.Context(), named(t, name), io.Discard); codeOf(err) != job.CodeBadModule &&
			codeOf(err) != job.CodeModuleRefused {
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
