package test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"plasm/test/bin"
	"plasm/test/need"
)

// root is the root of the repository.
const root = ".."

// page is one page of the docs.
type page struct {
	name string // relative to root, such as docs/cache.md
	text string
}

// pages returns the README, and all pages in docs.
func pages(t *testing.T) []page {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	var all []page
	for _, name := range append(names, filepath.Join(root, "README.md")) {
		all = append(all, readPage(t, strings.TrimPrefix(filepath.ToSlash(name), root+"/")))
	}
	return all
}

func readPage(t *testing.T, name string) page {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return page{name, string(text)}
}

// blocks returns the fenced blocks of one language, without the indentation of
// their fences.
func (p page) blocks(language string) []string {
	const fence = "```"
	var all []string
	var block, indent, of string
	inside := false
	for line := range strings.Lines(p.text) {
		text := strings.TrimSpace(line)
		switch {
		case inside && text == fence:
			if of == language {
				all = append(all, block)
			}
			inside = false
		case inside:
			block += strings.TrimPrefix(line, indent)
		case strings.HasPrefix(text, fence):
			indent, _, _ = strings.Cut(line, fence)
			block, of, inside = "", strings.TrimPrefix(text, fence), true
		}
	}
	return all
}

// step is a command that a page shows, and what it prints to both streams.
type step struct{ command, output string }

// steps returns what the console blocks of a page show, from top to bottom.
func (p page) steps(t *testing.T) []step {
	t.Helper()
	var steps []step
	for _, block := range p.blocks("console") {
		if !strings.HasPrefix(block, "$ ") {
			t.Errorf("%s: a console block begins without a command: %.40q", p.name, block)
			continue
		}
		for _, part := range strings.Split("\n"+block, "\n$ ")[1:] {
			command, output, _ := strings.Cut(part, "\n")
			steps = append(steps, step{command, strings.TrimSuffix(output, "\n")})
		}
	}
	return steps
}

// others are the programs that pages start, and not every machine has. A test skips the
// pages whose programs are missing.
var others = []string{"base64", "clang-14", "curl", "jq", "openssl", "php", "wasm-opt"}

// TestPagesRun runs what the pages show, and compares what comes out.
func TestPagesRun(t *testing.T) {
	t.Parallel()
	env := environment(t)
	for _, p := range pages(t) {
		steps := p.steps(t)
		if len(steps) == 0 {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			for _, s := range steps {
				for word := range strings.FieldsSeq(s.command) {
					if slices.Contains(others, word) {
						need.Found(t, word)
					}
				}
			}
			got := terminal(t, env, steps)
			for i, s := range steps {
				pattern := strings.ReplaceAll(regexp.QuoteMeta(s.output), "…", "[^\n]+")
				// A page shows a last line whole that had no line feed.
				output := strings.TrimSuffix(got[i].output, "\n")
				if !regexp.MustCompile(`\A` + pattern + `\z`).MatchString(output) {
					t.Errorf("$ %s\nprints\n%s\nand the page says\n%s", s.command, output, s.output)
				}
				if got[i].status != "0" {
					t.Errorf("$ %s\nends with exit code %s, and the page does not say so", s.command, got[i].status)
				}
			}
		})
	}
}

// environment returns the variables of somebody who has run `make build`, all
// but HOME.
func environment(t *testing.T) []string {
	t.Helper()
	programs := t.TempDir()
	if err := bin.Build(t.Context(), programs, "plasm-run", "plasm-verify", "plasm-discover", "plasm-submit",
		"plasmd"); err != nil {
		t.Fatal(err)
	}
	env := append(bin.Env(), "PATH="+programs+string(filepath.ListSeparator)+os.Getenv("PATH"), "LC_ALL=C")
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH"} { // a page builds a Go program
		value, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		env = append(env, name+"="+strings.TrimSpace(string(value)))
	}
	return env
}

// ending is what a command printed, and its exit code.
type ending struct{ output, status string }

// terminal runs the commands of one page one after the other in one shell, as a user
// would who has run `make build` and stands in the repository's root. The pages are for
// a user without root's rights: where root runs the tests they have another number, and
// own what root does, in a user namespace.
func terminal(t *testing.T, env []string, steps []step) []ending {
	t.Helper()
	const mark = "\x1e" // goes before and after the exit code
	var script strings.Builder
	for _, s := range steps {
		script.WriteString(s.command + "\nprintf '\\036%d\\036' $?\n")
	}
	script.WriteString("id -u\n")
	line := bin.AsUser("sh", "-c", script.String())
	shell := exec.CommandContext(t.Context(), line[0], line[1:]...)
	// Where that can be, a network of the page's own, in which its nodes meet no others and end with it.
	apart := []string{
		"--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c",
		`ip link set lo up; exec "$@"`, "sh",
	}
	if exec.CommandContext(t.Context(), "unshare", append(apart, "true")...).Run() == nil {
		shell = exec.CommandContext(t.Context(), "unshare", append(apart, line...)...)
	}
	home := t.TempDir()
	shell.Dir = checkout(t)
	shell.Env = slices.Concat(env, []string{
		"HOME=" + home, "STATE_DIRECTORY=" + filepath.Join(home, "state"),
		"RUNTIME_DIRECTORY=" + filepath.Join(home, "run"),
	})
	var out bytes.Buffer
	shell.Stdout, shell.Stderr = &out, &out
	if err := shell.Run(); err != nil {
		t.Fatalf("sh: %v\n%s", err, &out)
	}
	parts := strings.Split(out.String(), mark)
	if len(parts) != 2*len(steps)+1 {
		t.Fatalf("%d commands printed %d parts:\n%s", len(steps), len(parts), &out)
	}
	if parts[2*len(steps)] == "0\n" {
		t.Error("the page was followed by root")
	}
	var all []ending
	for pair := range slices.Chunk(parts[:2*len(steps)], 2) {
		all = append(all, ending{pair[0], pair[1]})
	}
	return all
}

// checkout returns a folder with what the pages use of the repository, that may
// be written to.
func checkout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "examples"), os.DirFS(filepath.Join(root, "examples"))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"go.mod", "go.sum", "README.md", "LICENSE"} {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestNothingOfOursIsShownUnrun: blocks for the shell that are not run start no
// command of ours.
func TestNothingOfOursIsShownUnrun(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob(filepath.Join(root, "examples", "*", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	all := append(pages(t), readPage(t, "examples/README.md"))
	for _, name := range names {
		all = append(all, readPage(t, strings.TrimPrefix(filepath.ToSlash(name), root+"/")))
	}
	command := regexp.MustCompile(`\bplasm(d|-(run|verify|discover|submit))\b`)
	for _, p := range all {
		for _, language := range []string{"sh", "bash", "shell"} {
			for _, block := range p.blocks(language) {
				if command.MatchString(block) {
					t.Errorf("%s: this block is not run; make it a console block:\n%s", p.name, block)
				}
			}
		}
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	unslug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors returns what the headings of a page are linked by.
func (p page) anchors() []string {
	var all []string
	for _, m := range heading.FindAllStringSubmatch(p.text, -1) {
		all = append(all, strings.ReplaceAll(unslug.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return all
}

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	for _, p := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(p.text, -1) {
			if strings.HasPrefix(m[1], "https://") {
				continue
			}
			if err := follow(t, p, m[1]); err != nil {
				t.Errorf("%s: link %s: %v", p.name, m[1], err)
			}
		}
	}
}

// follow returns why a link leads nowhere.
func follow(t *testing.T, from page, to string) error {
	t.Helper()
	file, anchor, hasAnchor := strings.Cut(to, "#")
	target := from
	if file != "" {
		name := filepath.Join(filepath.Dir(from.name), file)
		info, err := os.Stat(filepath.Join(root, name))
		if err != nil {
			return err
		}
		if info.IsDir() || !strings.HasSuffix(name, ".md") {
			return nil
		}
		target = readPage(t, name)
	}
	if hasAnchor && !slices.Contains(target.anchors(), anchor) {
		return fmt.Errorf("%s has no such heading", target.name)
	}
	return nil
}

func TestPagesNameNoMachine(t *testing.T) {
	t.Parallel()
	path := regexp.MustCompile(`(?m)(^|[^\w.:/-])/(work|root|farm|home|tmp|Users|private)\b`)
	for _, p := range pages(t) {
		if at := path.FindString(p.text); at != "" {
			t.Errorf("%s names a path of some machine: %q", p.name, at)
		}
	}
}
