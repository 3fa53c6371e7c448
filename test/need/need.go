// Package need says what a test needs of the machine beside Go: a program, a compiler.
// Where that is missing the test is skipped, and says why; tools/gate counts such tests
// and, where nothing may be left out, fails for them.
package need

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Time skips a test that takes much longer than it tells, where tests are to be short.
func Time(tb testing.TB) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("takes long, make test runs it")
	}
}

// Found skips the test unless there is a program of that name, which cannot be asked for
// more: it does its work at once.
func Found(tb testing.TB, name string) {
	tb.Helper()
	if _, err := exec.LookPath(name); err != nil {
		tb.Skip(err)
	}
}

// Program skips the test unless a program starts with those arguments and succeeds.
func Program(tb testing.TB, name string, args ...string) {
	tb.Helper()
	if out, err := exec.CommandContext(tb.Context(), name, args...).CombinedOutput(); err != nil {
		tb.Skip(because(name+" is not here", out, err))
	}
}

// Compiler skips the test unless the C compiler that Go uses makes a static program that
// runs. The engine and programs with cgo need it.
func Compiler(tb testing.TB) {
	tb.Helper()
	if why := compiler(); why != "" {
		tb.Skip(why)
	}
}

var compiler = sync.OnceValue(func() string {
	return try("no C compiler with a static library", `"${CC:-$(go env CC)}" -static -o try try.c && ./try`)
})

// MayMount says whether a file system can be mounted here.
var MayMount = sync.OnceValue(func() bool {
	return try("", "mkdir at && mount -t tmpfs plasm at && umount at") == ""
})

// Cross skips the test unless there is a C compiler for arm64.
func Cross(tb testing.TB) {
	tb.Helper()
	if why := cross(); why != "" {
		tb.Skip(why)
	}
}

var cross = sync.OnceValue(func() string {
	return try("no C compiler for arm64", "aarch64-linux-gnu-gcc -static -o try try.c")
})

// Clang returns a clang that compiles and links for WASI, by the name in CLANG, else
// Debian 12's or the machine's own; without one the test is skipped.
func Clang(tb testing.TB) string {
	tb.Helper()
	names := []string{"clang-14", "clang"}
	if name := os.Getenv("CLANG"); name != "" {
		names = []string{name}
	}
	for _, name := range names {
		if clang(name) == "" {
			return name
		}
	}
	tb.Skip(clang(names[len(names)-1]))
	return ""
}

var tried sync.Map // of clang: its name to func() string

func clang(name string) string {
	once, _ := tried.LoadOrStore(name, sync.OnceValue(func() string {
		return try("no clang that compiles for wasm32-wasi", name+" --target=wasm32-wasi -o try.wasm try.c")
	}))
	return once.(func() string)() //nolint:errcheck,forcetypeassert // what is stored above
}

// Module returns the path of a WebAssembly module that scripts/modules has fetched, by its
// name; without it the test is skipped.
func Module(tb testing.TB, name string) string {
	tb.Helper()
	mod, err := exec.CommandContext(tb.Context(), "go", "env", "GOMOD").Output()
	if err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(filepath.Dir(string(mod)), ".tools", "modules", name)
	if _, err := os.Stat(path); err != nil {
		tb.Skip("no " + name + ", which scripts/modules fetches by npm")
	}
	return path
}

// try runs a script for sh beside try.c, an empty program, and says what is wrong if it
// does not succeed.
func try(what, script string) string {
	dir, err := os.MkdirTemp("", "need-*")
	if err != nil {
		return err.Error()
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.WriteFile(filepath.Join(dir, "try.c"), []byte("int main(void) { return 0; }\n"), 0o600); err != nil {
		return err.Error()
	}
	cmd := exec.CommandContext(context.Background(), "sh", "-euc", script) //nolint:gosec // the scripts above
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return because(what, out, err)
	}
	return ""
}

// because is one line: what is missing, and the last that was said of it.
func because(what string, out []byte, err error) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return fmt.Sprintf("%s: %s", what, last)
	}
	return fmt.Sprintf("%s: %v", what, err)
}
