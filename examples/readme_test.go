package examples

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"plasm/test/bin"
	"plasm/test/need"
)

// goExamples are the modules that are not committed.
var goExamples = []string{"csvstat", "thumbnails"}

// pythonModule is CPython, which is fetched.
const pythonModule = "python-wasi-3.12.0.wasm"

// step is a command that a page shows, and the output below it.
type step struct{ command, output string }

// TestReadmes runs every command that the READMEs show, as it stands, and
// compares what comes out with what they show.
func TestReadmes(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("*/README.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	home, env := commands(t)
	for _, page := range pages {
		t.Run(filepath.Dir(page), func(t *testing.T) {
			t.Parallel()
			var python string
			if filepath.Dir(page) == "python" {
				python = need.Module(t, pythonModule)
			}
			steps := shown(t, page)
			if len(steps) == 0 {
				t.Fatal("the page shows no command")
			}
			folder := tree(t, home)
			if python != "" {
				modules := filepath.Join(folder, ".tools", "modules")
				if err := errors.Join(os.MkdirAll(modules, 0o755),
					os.Symlink(python, filepath.Join(modules, pythonModule))); err != nil {
					t.Fatal(err)
				}
			}
			for _, s := range steps {
				words := bin.AsUser("sh", "-c", s.command)
				shell := exec.CommandContext(t.Context(), words[0], words[1:]...)
				shell.Dir, shell.Env = folder, env
				var stderr bytes.Buffer
				shell.Stderr = &stderr
				stdout, err := shell.Output()
				if err != nil || stderr.Len() > 0 {
					t.Errorf("%s: %v, stderr %q", s.command, err, &stderr)
				}
				// The page shows a last line whole that had no newline.
				if got := strings.TrimSuffix(string(stdout), "\n"); got != s.output {
					t.Errorf("%s: the output is\n%s\nand the page says\n%s", s.command, got, s.output)
				}
			}
		})
	}
}

// shown returns the steps in a page's console blocks.
func shown(t *testing.T, page string) []step {
	t.Helper()
	file, err := os.Open(page)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var steps []step
	inside := false
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := lines.Text()
		switch command, isCommand := strings.CutPrefix(line, "$ "); {
		case strings.HasPrefix(line, "```"):
			inside = line == "```console"
		case inside && isCommand:
			steps = append(steps, step{command: command})
		case inside && len(steps) > 0:
			last := &steps[len(steps)-1]
			last.output = strings.TrimPrefix(last.output+"\n"+line, "\n")
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}

// commands builds plasm-run, and the modules that are not committed, into a fresh
// home folder, and returns the environment in which that is home and plasm-run
// is found.
func commands(t *testing.T) (home string, env []string) {
	t.Helper()
	home = t.TempDir()
	if err := bin.Build(t.Context(), filepath.Join(home, "bin"), "plasm-run", "plasm-verify"); err != nil {
		t.Fatal(err)
	}
	for _, name := range goExamples {
		if err := bin.BuildGuest(t.Context(), "plasm/examples/"+name, filepath.Join(home, name+".wasm")); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(home, "bin") + string(filepath.ListSeparator) + os.Getenv("PATH")
	return home, append(bin.Env(), "HOME="+home, "PATH="+path)
}

// tree returns a folder that looks like the root of the repository to someone
// who has run `make examples`, and may be written to.
func tree(t *testing.T, home string) string {
	t.Helper()
	root := t.TempDir()
	if err := os.CopyFS(filepath.Join(root, "examples"), os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"../LICENSE": "LICENSE"}
	for _, name := range goExamples {
		files[filepath.Join(home, name+".wasm")] = filepath.Join("examples", name, name+".wasm")
	}
	for from, to := range files {
		data, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(root, to), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}
