//go:build linux

package wasi_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/test/bin"
	"plasm/test/need"
)

// both are the jobs that are simulated, by default, and those with real time.
var both = []string{"--deterministic", "--deterministic=false"}

// TestStreams runs a C program that reads, writes, seeks and waits on its streams, with a
// folder and without.
func TestStreams(t *testing.T) {
	t.Parallel()
	module := compile(t, "posix/streams.c")
	var input, want strings.Builder
	for i := range 1500 {
		input.WriteByte(byte('a' + i%26))
	}
	for i := range 1000 {
		want.WriteByte(byte('0' + i%10))
	}
	input.WriteString("rest")
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			needEngine(t, engine)
			for _, flag := range both {
				for _, flags := range [][]string{nil, {"--dir", t.TempDir() + "::/folder"}} {
					stdin := filepath.Join(t.TempDir(), "stdin")
					must(t, os.WriteFile(stdin, []byte(input.String()), 0o600))
					j := job{module: module, flags: append([]string{flag, "--stdin", stdin}, flags...)}
					if got := j.succeeds(t, engine); got != want.String() {
						t.Errorf("%s: wrote %.200q", flag, got)
					}
				}
			}
		})
	}
}

// TestFiles runs C programs that do with a folder what programs do by POSIX and what Rust's
// standard library does; each leaves it empty.
func TestFiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"posix/files", "posix/folders", "posix/paths", "rust/std"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			module := compile(t, name+".c")
			for _, engine := range engines {
				t.Run(engine, func(t *testing.T) {
					t.Parallel()
					needEngine(t, engine)
					dir := t.TempDir()
					j := job{module: module, flags: []string{"--no-stdin", "--dir", dir + "::/"}}
					j.succeeds(t, engine)
					if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
						t.Errorf("left: %v, %v", left, err)
					}
				})
			}
		})
	}
}

// TestLikeLinux runs a C program that works on files by chance, as a guest of each engine
// and as a program of this machine, and compares what it says of each call.
func TestLikeLinux(t *testing.T) {
	t.Parallel()
	module, program := compile(t, "posix/random.c"), compileNative(t, "posix/random.c")
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			needEngine(t, engine)
			for seed := range 8 {
				args := []string{strconv.Itoa(seed), "1000"}
				native := exec.CommandContext(t.Context(), program, args...)
				native.Dir = t.TempDir()
				want, err := native.Output()
				must(t, err)
				j := job{module: module, args: args, flags: []string{"--no-stdin", "--dir", t.TempDir() + "::/"}}
				if diff := cmp.Diff(string(want), j.succeeds(t, engine)); diff != "" {
					t.Errorf("seed %d (-Linux +guest):\n%s", seed, diff)
				}
			}
		})
	}
}

// TestReadOnly runs a C program that tries to change a folder which is read-only.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	module := compile(t, "posix/readonly.c")
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			needEngine(t, engine)
			dir := fixture(t, map[string]string{"dir/file": "text", "empty/": ""})
			must(t, os.Symlink("file", filepath.Join(dir, "dir", "link")))
			j := job{module: module, flags: []string{"--no-stdin", "--dir", dir + "::/:ro"}}
			if got := j.succeeds(t, engine); got != "unchanged\n" {
				t.Errorf("wrote %q", got)
			}
		})
	}
}

// TestMounts runs a C program that has three folders.
func TestMounts(t *testing.T) {
	t.Parallel()
	module := compile(t, "posix/mounts.c")
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			needEngine(t, engine)
			j := job{module: module, flags: []string{"--no-stdin"}}
			for _, guest := range []string{"/one", "/two/deep", "/three:ro"} {
				j.flags = append(j.flags, "--dir", fixture(t, map[string]string{"file": "text"})+"::"+guest)
			}
			j.succeeds(t, engine)
		})
	}
}

// TestGo runs a Go program, with a folder and without.
func TestGo(t *testing.T) {
	t.Parallel()
	module := golang(t)
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			needEngine(t, engine)
			for _, flag := range both {
				dir := t.TempDir()
				plain := job{module: module, flags: []string{flag, "--env", "NAME=value"}, stdin: "sixteen letters\n"}
				files := plain
				files.args, files.flags = []string{"files"},
					append([]string{"--dir", dir + "::/folder"}, plain.flags...)
				for _, j := range []job{plain, files} {
					if r := j.run(t, engine); r.code != 7 || r.stderr != "" || r.stdout != j.stdin {
						t.Errorf("%s %v: exit code %d, stdout %q, stderr %q", flag, j.args, r.code, r.stdout, r.stderr)
					}
				}
				if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
					t.Errorf("left: %v, %v", left, err)
				}
			}
		})
	}
}

// TestDeadline has a Go program give up waiting for input, which then comes.
func TestDeadline(t *testing.T) {
	t.Parallel()
	module := golang(t)
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			needEngine(t, engine)
			for _, flag := range both {
				cmd := job{
					module: module, args: []string{"wait"},
					flags: []string{flag, "--env", "NAME=value"},
				}.command(t, engine)
				stdin, err := cmd.StdinPipe()
				must(t, err)
				stdout, err := cmd.StdoutPipe()
				must(t, err)
				must(t, cmd.Start())
				lines := bufio.NewReader(stdout)
				if line, err := lines.ReadString('\n'); line != "nothing came\n" {
					t.Errorf("%s: %q, %v", flag, line, err)
				}
				_, err = stdin.Write([]byte("sixteen letters\n"))
				must(t, err)
				must(t, stdin.Close())
				rest, err := io.ReadAll(lines)
				must(t, err)
				_ = cmd.Wait() // the exit code is below
				if code := cmd.ProcessState.ExitCode(); code != 7 || string(rest) != "sixteen letters\n" {
					t.Errorf("%s: exit code %d, stdout %q", flag, code, rest)
				}
			}
		})
	}
}

// golang compiles the Go program, once.
func golang(t *testing.T) string {
	t.Helper()
	must(t, buildGolang())
	return filepath.Join(builtDir, "golang.wasm")
}

var buildGolang = sync.OnceValue(func() error {
	return bin.BuildGuest(context.Background(), "./testdata/golang", filepath.Join(builtDir, "golang.wasm"))
})

// TestPython runs CPython 3.12, with a folder and without. It is not parallel to others, as
// a job is given a minute to compile, of which this module takes much.
func TestPython(t *testing.T) { //nolint:tparallel // see above
	module := need.Module(t, "python-wasi-3.12.0.wasm")
	library, files := read(t, "testdata/python/library.py"), read(t, "testdata/python/files.py")
	const wrong = "def f():\n  raise ValueError('wrong')\nf()"
	const traceback = `Traceback (most recent call last):
  File "<string>", line 3, in <module>
  File "<string>", line 2, in f
ValueError: wrong
`
	tests := []struct {
		name   string
		args   []string
		folder bool
		want   result
	}{
		{
			"library",
			[]string{"-c", library, "one", "zwei €"},
			false,
			result{stdout: "tsrif\ndnoces\n", stderr: "done\n", code: 3},
		},
		{"traceback", []string{"-c", wrong}, false, result{stderr: traceback, code: 1}},
		{"files", []string{"/folder/files.py"}, true, result{stdout: "all well\n"}},
	}
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			needEngine(t, engine)
			compileFor(t, engine, module)
			for _, test := range tests {
				for _, flag := range both {
					j := job{
						module: module, args: test.args, flags: []string{flag, "--env", "NAME=value"},
						stdin: "first\nsecond\n",
					}
					if test.folder {
						j.flags = append(j.flags, "--dir", fixture(t, map[string]string{"files.py": files})+"::/folder")
					}
					if diff := cmp.Diff(test.want, j.run(t, engine), cmp.AllowUnexported(result{})); diff != "" {
						t.Errorf("%s %s (-want +got):\n%s", test.name, flag, diff)
					}
				}
			}
		})
	}
}

// compileFor has the engine compile CPython, which is kept. A machine that has much else
// to do may need several tries.
func compileFor(t *testing.T, engine, module string) {
	t.Helper()
	const mostTries = 20
	for range mostTries {
		r := job{module: module, args: []string{"--version"}, flags: []string{"--no-stdin"}}.run(t, engine)
		if r.stdout == "Python 3.12.0\n" {
			return
		}
		if !strings.Contains(r.stderr, "compiling the module took more than") {
			t.Fatalf("exit code %d, stdout %q, stderr %q", r.code, r.stdout, r.stderr)
		}
	}
	t.Fatalf("not compiled in %d tries", mostTries)
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	return string(text)
}
