package repeat_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plasm/test/bin"
	"plasm/test/need"
)

// traveller is a user who has folders processed on a node.
type traveller struct {
	t            *testing.T
	dir          string // with the program folders.wasm, and the folder src
	node, signer string
	engine       string   // on which the node is to run it
	env          []string // of commands here, beside what all have
}

// onEngines tests with a node that has no other engine than its own, and on wasmtime with
// one that has.
func onEngines(t *testing.T, test func(x *traveller), flags ...string) {
	t.Helper()
	t.Run("wazero", func(t *testing.T) {
		t.Parallel()
		test(newTraveller(t, flags...))
	})
	t.Run("wasmtime", func(t *testing.T) {
		t.Parallel()
		need.Compiler(t)
		dir := t.TempDir()
		must(t, bin.BuildEngines(t.Context(), dir))
		x := newTraveller(t, append(slices.Clone(flags), "--engines", dir)...)
		x.engine, x.env = "wasmtime", []string{"PLASM_ENGINES=" + dir} // for --rerun
		test(x)
	})
}

func newTraveller(t *testing.T, flags ...string) *traveller {
	t.Helper()
	x := &traveller{t: t, dir: t.TempDir(), node: serve(t, flags...)}
	_, x.signer, _ = strings.Cut(x.node, "/p2p/")
	must(t, bin.BuildGuest(t.Context(), root+"/lib/sandbox/testdata/folders", x.file("folders.wasm")))
	for name, text := range map[string]string{
		"src/a": "a\n", "src/same": "a\n", "src/empty": "", "src/sub/c": "c\n",
		"src/big": strings.Repeat("0123456789abcdef", 40_000),
	} {
		x.write(name, text)
	}
	must(t, os.Symlink("a", x.file("src/link")))
	return x
}

func (x *traveller) file(name string) string { return filepath.Join(x.dir, name) }

func (x *traveller) write(name, text string) {
	x.t.Helper()
	must(x.t, os.MkdirAll(filepath.Dir(x.file(name)), 0o755))
	must(x.t, os.WriteFile(x.file(name), []byte(text), 0o644))
}

// run runs a command in the folder; what it wrote is returned.
func (x *traveller) run(want int, name string, args ...string) (stdout, stderr string) {
	x.t.Helper()
	cmd := command(x.t.Context(), []string{filepath.Join(built, name)}, args...)
	cmd.Dir, cmd.Env = x.dir, append(cmd.Env, x.env...)
	var out, words strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &words
	_ = cmd.Run() // what it exits with is compared
	if code := cmd.ProcessState.ExitCode(); code != want {
		x.t.Fatalf("%s %q: exit code %d, want %d\n%s%s", name, args, code, want, out.String(), words.String())
	}
	return out.String(), words.String()
}

// submit submits a job to the node.
func (x *traveller) submit(want int, args ...string) (stdout, stderr string) {
	x.t.Helper()
	line := []string{"--mdns=false", "--peer", x.node}
	if x.engine != "" {
		line = append(line, "--engine", x.engine)
	}
	return x.run(want, "plasm-submit", append(line, args...)...)
}

// same compares two folders.
func (x *traveller) same(a, b string) {
	x.t.Helper()
	if out, err := exec.CommandContext(x.t.Context(), "diff", "-r", "--no-dereference", x.file(a),
		x.file(b)).CombinedOutput(); err != nil {
		x.t.Errorf("%v\n%.500s", err, out)
	}
}

// gone checks that a name isn't there.
func (x *traveller) gone(name string) {
	x.t.Helper()
	if _, err := os.Lstat(x.file(name)); err == nil {
		x.t.Errorf("%s is there", name)
	}
}

// TestFoldersTravel sends a folder to a node and gets one back, in the receipt; what the node
// has is not sent again.
func TestFoldersTravel(t *testing.T) {
	t.Parallel()
	onEngines(t, foldersTravel)
}

func foldersTravel(x *traveller) {
	t := x.t
	t.Helper()
	copied := func(out, receipt string) string {
		_, stderr := x.submit(0, "--verbose", "--in", "src::/in", "--out", "/out::"+out, "--receipt", receipt,
			"folders.wasm", "copy")
		return stderr
	}
	if stderr := copied("one", "one.json"); !strings.Contains(stderr,
		"lacks 3 of 3 contents of files: 625 KiB to be sent\n") {
		t.Errorf("the first time: %s", stderr)
	}
	x.same("src", "one")
	verify := []string{"--signer", x.signer, "--in", "src::/in", "--out", "/out::one"}
	x.run(0, "plasm-verify", append(verify, "one.json")...)
	x.run(0, "plasm-verify", append(verify, "--rerun", "--module", "folders.wasm", "one.json")...)

	if stderr := copied("two", "two.json"); !strings.Contains(stderr, "and needs nothing of it\n") {
		t.Errorf("the second time: %s", stderr)
	}
	x.same("src", "two")
	x.write("src/new", "new\n")
	if stderr := copied("three", "three.json"); !strings.Contains(stderr,
		"lacks 1 of 4 contents of files: 4 B to be sent, 625 KiB there already\n") {
		t.Errorf("with one more file: %s", stderr)
	}
	x.same("src", "three")
	x.write("one/a", "other\n")
	if _, stderr := x.run(1, "plasm-verify", append(verify, "one.json")...); !strings.Contains(stderr, "dirs") {
		t.Errorf("a changed folder: %s", stderr)
	}
}

// TestFoldersOfManyJobs has folders go with each item of a batch.
func TestFoldersOfManyJobs(t *testing.T) {
	t.Parallel()
	x := newTraveller(t)
	var list strings.Builder
	for i := range 6 {
		x.write(fmt.Sprintf("item/%d/a", i), fmt.Sprint("item ", i))
		_, _ = fmt.Fprintf(&list, "{\"in\":[\"item/%d::/in\"],\"out\":[\"/out::done/%d\"]}\n", i, i)
	}
	must(t, os.Mkdir(x.file("done"), 0o755))
	x.write("list", list.String())
	x.submit(0, "--batch", "list", "folders.wasm", "copy")
	x.same("item", "done")
	must(t, os.Mkdir(x.file("each"), 0o755))
	x.write("lines", "0\n1\n")
	x.submit(0, "--each", "lines", "--in", "item/{}::/in", "--out", "/out::each/{}", "folders.wasm", "copy")
	x.same("item/1", "each/1")
}

// TestFoldersAsTheContractHasIt is what plasm-run does with folders, on a node.
func TestFoldersAsTheContractHasIt(t *testing.T) {
	t.Parallel()
	onEngines(t, foldersAsTheContractHasIt, "--max-disk", "8", "--max-tree", "1000000")
}

func foldersAsTheContractHasIt(x *traveller) {
	t := x.t
	t.Helper()
	x.submit(0, "--disk", "8", "--in", "src::/out", "--exclude", "big", "--out", "/out::changed", "folders.wasm",
		"change")
	if text, err := os.ReadFile(x.file("changed/sub/c")); err != nil || string(text) != "changed" {
		t.Errorf("%q %v", text, err)
	}
	x.gone("changed/big")
	if _, stderr := x.submit(125, "--disk", "8", "--in", "src::/in", "--out", "/out::changed", "folders.wasm",
		"copy"); !strings.Contains(stderr, "--replace") {
		t.Errorf("a folder that is there: %s", stderr)
	}
	x.submit(0, "--disk", "8", "--replace", "--in", "src::/in", "--out", "/out::changed", "folders.wasm", "copy")
	x.same("src", "changed")
	x.submit(0, "--disk", "8", "--in", "src/a::/in/b", "--out", "/out::file", "folders.wasm", "copy")
	if text, err := os.ReadFile(x.file("file/b")); err != nil || string(text) != "a\n" {
		t.Errorf("%q %v", text, err)
	}
	if stdout, _ := x.submit(0, "--disk", "1", "--out", "/out::full", "folders.wasm", "fill"); !strings.Contains(stdout,
		"o space left") {
		t.Errorf("a disk of 1 MB: %s", stdout)
	}
	x.submit(2, "--disk", "8", "--out", "/out::trapped", "folders.wasm", "trap")
	if text, err := os.ReadFile(x.file("trapped/before")); err != nil || string(text) != "before" {
		t.Errorf("%q %v", text, err)
	}
	x.submit(124, "--timeout", "1ms", "--disk", "8", "--out", "/out::late", "folders.wasm", "copy")
	x.gone("late")

	// A document brings them, and takes them.
	job, _ := x.run(0, "plasm-run", "--print-job", "--disk", "8", "--in", "src::/in", "--out", "/out::unused",
		"folders.wasm", "copy")
	x.write("job.json", job)
	if _, stderr := x.submit(125, "--job", "job.json"); !strings.Contains(stderr,
		"say with --out /out::PATH where it goes, or take --json") {
		t.Errorf("a folder that goes nowhere: %s", stderr)
	}
	result, _ := x.submit(0, "--job", "job.json", "--json")
	x.write("result.json", result)
	x.run(0, "plasm-verify", "--signer", x.signer, "--in", "src::/in", "--out", "/out::changed", "result.json")

	// What the node does not give.
	if _, stderr := x.submit(125, "--disk", "9", "--out", "/out::none", "folders.wasm",
		"fill"); !strings.Contains(stderr, "disk: ") {
		t.Errorf("more disk than there is: %s", stderr)
	}
	x.write("src/more", strings.Repeat("x", 400_000))
	if _, stderr := x.submit(125, "--disk", "8", "--in", "src::/in", "--out", "/out::none", "folders.wasm",
		"copy"); !strings.Contains(stderr, "tree_too_large: ") {
		t.Errorf("more files than it takes: %s", stderr)
	}
	x.gone("none")
}

// agreed runs plasm-submit. A machine that has much else to do may need several tries to
// compile a large module within the minute that it has for that.
func (x *traveller) agreed(line []string) []byte {
	x.t.Helper()
	const mostTries = 20
	for range mostTries {
		cmd := command(x.t.Context(), []string{filepath.Join(built, "plasm-submit")}, line...)
		cmd.Dir = x.dir
		var words strings.Builder
		cmd.Stderr = &words
		out, err := cmd.Output()
		if err == nil {
			return out
		}
		if !strings.Contains(words.String(), "compil") {
			x.t.Fatalf("%v\n%s%s", err, out, &words)
		}
		x.t.Logf("again: %s", &words)
	}
	x.t.Fatalf("not compiled in %d tries", mostTries)
	return nil
}

// TestFolderExamples runs the examples with folders on two nodes, which must agree on what
// is in the folder that comes back.
func TestFolderExamples(t *testing.T) {
	t.Parallel()
	one, other := newTraveller(t), serve(t)
	examples, err := filepath.Abs(filepath.Join(root, "examples"))
	must(t, err)
	must(t, bin.BuildGuest(t.Context(), "plasm/examples/thumbnails", one.file("thumbnails.wasm")))
	for _, test := range []struct {
		name string
		line func(t *testing.T) []string
		want string // on stdout
		made string // in the folder
	}{
		{"thumbnails", func(*testing.T) []string {
			return []string{
				"--in", filepath.Join(examples, "mandelbrot", "mandelbrot.png") + "::/in/mandelbrot.png",
				one.file("thumbnails.wasm"), "16",
			}
		}, "mandelbrot.png 640x400 -> 16x10\n", "mandelbrot.png"},
		{"python", func(t *testing.T) []string {
			t.Helper()
			return []string{
				"--in", filepath.Join(examples, "python", "report.py") + "::/app/report.py",
				"--in", filepath.Join(examples, "csvstat", "planets.csv") + "::/in/planets.csv",
				need.Module(t, "python-wasi-3.12.0.wasm"), "/app/report.py",
			}
		}, "planets.csv: 8 rows, 3 columns of numbers\n", "planets.json"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			x := *one
			x.t = t
			line := append([]string{
				"--mdns=false", "--peer", one.node, "--peer", other, "--quorum", "2", "--json", "--out",
				"/out::" + test.name,
			}, test.line(t)...)
			var result struct {
				Receipts []any
				Stdout   []byte
			}
			must(t, json.Unmarshal(x.agreed(line), &result))
			if string(result.Stdout) != test.want || len(result.Receipts) != 2 {
				t.Errorf("stdout %q of %d nodes", result.Stdout, len(result.Receipts))
			}
			if _, err := os.Stat(one.file(filepath.Join(test.name, test.made))); err != nil {
				t.Error(err)
			}
		})
	}
}
