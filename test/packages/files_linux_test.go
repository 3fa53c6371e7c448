package packages

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// names are the commands, and the section of each one's manual page.
var names = map[string]string{
	"plasm-run": "1", "plasm-submit": "1", "plasm-discover": "1", "plasm-verify": "1",
	"plasmd": "8",
}

// pages are all manual pages of the package plasm, and the section of each.
func pages() map[string]string {
	all := maps.Clone(names)
	for _, sub := range []string{"serve", "identity", "status", "allow", "jobs", "cancel", "drain", "check", "doctor"} {
		all["plasmd-"+sub] = "8"
	}
	all["plasmd.toml"] = "5"
	return all
}

// output runs a command that must succeed, and returns its stdout.
func output(t *testing.T, words ...string) string {
	t.Helper()
	cmd := brief(t, words[0], words[1:]...)
	var problem bytes.Buffer
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(words, " "), err, out, &problem)
	}
	return string(out)
}

// file is the path of a package that was built.
func file(folder, name string) string { return filepath.Join(built(), folder, name) }

// engine is the package of the other engine, and its program.
const engine = "plasm-engine-wasmtime"

// packages are all that are built, and for which processors.
func packages() map[string][]string {
	return map[string][]string{"plasm": {"amd64", "arm64"}, engine: {"amd64"}}
}

// others are the names that rpm and apk have for processors.
func others() map[string]string { return map[string]string{"amd64": "x86_64", "arm64": "aarch64"} }

func debFile(name, arch string) string {
	return file("new", fmt.Sprintf("%s_%s-1_%s.deb", name, newVersion, arch))
}

// extracted unpacks debs and returns the folder.
func extracted(t *testing.T, arch string, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		output(t, "dpkg-deb", "--extract", debFile(name, arch), dir)
	}
	return dir
}

// content is what must be in a package, as regular expressions of paths.
func content(name string) []string {
	if name == engine {
		return []string{
			"/usr/bin/" + engine, `/lib/systemd/system/plasmd\.service\.d/engine-wasmtime\.conf`,
			"/usr/share/man/man1/" + engine + `\.1\.gz`,
			"/usr/share/doc/" + engine + "/copyright", "/usr/share/doc/" + engine + `/third-party\.gz`,
			"/usr/share/doc/" + engine + `/changelog\.Debian\.gz`,
		}
	}
	all := []string{
		`/etc/plasmd/plasmd\.toml`, `/lib/systemd/system/plasmd\.service`, `/usr/lib/sysusers\.d/plasmd\.conf`,
		`/usr/share/plasm/schemas/receipt\.schema\.json`, `/usr/share/plasm/grafana\.json`,
		`/usr/share/doc/plasm/examples/hello/hello\.wasm`, `/usr/share/doc/plasm/examples/hello/hello\.c`,
		`/usr/share/doc/plasm/copyright`, `/usr/share/doc/plasm/third-party\.gz`, `/usr/share/doc/plasm/changelog\.gz`,
		`/usr/share/doc/plasm/changelog\.Debian\.gz`,
		`/usr/share/doc/plasm/README\.md`, `/usr/share/doc/plasm/docs/security\.md`,
		`/usr/share/doc/plasm/docs/architecture\.svg`,
	}
	for page, section := range pages() {
		all = append(all, fmt.Sprintf(`/usr/share/man/man%s/%s\.%s\.gz`, section, regexp.QuoteMeta(page), section))
	}
	for name := range names {
		all = append(all, "/usr/bin/"+name, "/usr/share/bash-completion/completions/"+name,
			"/usr/share/zsh/vendor-completions/_"+name, "/usr/share/fish/vendor_completions.d/"+name+`\.fish`)
	}
	return all
}

// contents lists what is in each format of a package.
func contents(t *testing.T, name string) map[string]string {
	t.Helper()
	lists := map[string]string{}
	for _, arch := range packages()[name] {
		lists["deb "+arch] = output(t, "dpkg-deb", "--contents", debFile(name, arch))
		arch = others()[arch]
		lists["rpm "+arch] = output(t, "rpm", "--query", "--list", "--package",
			file("new", fmt.Sprintf("%s-%s-1.%s.rpm", name, newVersion, arch)))
		lists["apk "+arch] = output(t, "tar", "--warning=no-unknown-keyword", "-tzf",
			file("new", fmt.Sprintf("%s_%s-r1_%s.apk", name, newVersion, arch)))
	}
	return lists
}

// TestContents is about what every package has.
func TestContents(t *testing.T) {
	t.Parallel()
	for name := range packages() {
		for format, list := range contents(t, name) {
			for _, want := range content(name) {
				if name == engine && strings.HasPrefix(format, "apk") && strings.Contains(want, "systemd") {
					continue // there is none on Alpine
				}
				if !regexp.MustCompile(`(?m)^\S*( .* )?\.?/?` + strings.TrimPrefix(want, "/") + `$`).MatchString(list) {
					t.Errorf("%s %s: no %s", name, format, want)
				}
			}
			if strings.Contains(list, "/var/") {
				t.Errorf("%s %s: a node's state is nobody's file:\n%s", name, format, list)
			}
		}
	}
}

// TestDebian is about what Debian asks of a package.
func TestDebian(t *testing.T) {
	t.Parallel()
	for name, archs := range packages() {
		for _, arch := range archs {
			deb := debFile(name, arch)
			output(t, "lintian", "--allow-root", "--fail-on", "error,warning", deb)
			checkModes(t, deb)
		}
	}
	for _, arch := range []string{"amd64", "arm64"} {
		control := t.TempDir()
		output(t, "dpkg-deb", "--control", debFile("plasm", arch), control)
		conffiles, err := os.ReadFile(filepath.Join(control, "conffiles"))
		must(t, err)
		if diff := cmp.Diff("/etc/plasmd/plasmd.toml", strings.TrimSpace(string(conffiles))); diff != "" {
			t.Errorf("%s: conffiles (-want +got):\n%s", arch, diff)
		}
	}
}

// checkModes looks at owner and permissions of all that is in a deb.
func checkModes(t *testing.T, deb string) {
	t.Helper()
	for line := range strings.Lines(output(t, "dpkg-deb", "--contents", deb)) {
		want := "-rw-r--r-- root/root"
		if strings.HasPrefix(line, "d") {
			want = "drwxr-xr-x root/root"
		} else if strings.Contains(line, " ./usr/bin/") || strings.HasSuffix(line, "/examples/cross-arch/compare\n") {
			want = "-rwxr-xr-x root/root"
		}
		if !strings.HasPrefix(line, want) {
			t.Errorf("%s: %s", deb, line)
		}
	}
}

// TestSameBytesTwice compares two builds of one tree.
func TestSameBytesTwice(t *testing.T) {
	t.Parallel()
	built, err := filepath.Glob(file("again", "*"))
	if err != nil || len(built) != 6 {
		t.Fatalf("%v, %v", built, err)
	}
	for _, again := range built {
		first := file("new", filepath.Base(again))
		if out, err := brief(t, "cmp", first, again).CombinedOutput(); err != nil {
			t.Errorf("%s", out)
		}
	}
}

// TestManualPages compares the pages with --help, and asks groff what it thinks.
func TestManualPages(t *testing.T) {
	t.Parallel()
	dir := extracted(t, "amd64", "plasm", engine)
	flag := regexp.MustCompile(`(?m)^ {2}(?:-\w, )?(--[a-z-]+)`)
	all := pages()
	all[engine] = "1"
	for name, section := range all {
		page := filepath.Join(dir, "usr", "share", "man", "man"+section, name+"."+section+".gz")
		cmd := brief(t, "man", "--warnings=w", "--local-file", "--encoding=UTF-8", page)
		cmd.Env = append(os.Environ(), "MANWIDTH=100", "LC_ALL=C.UTF-8", "MAN_KEEP_FORMATTING=", "TERM=dumb",
			"GROFF_NO_SGR=1")
		var text, warnings bytes.Buffer
		cmd.Stdout, cmd.Stderr = &text, &warnings
		if err := cmd.Run(); err != nil || warnings.Len() > 0 {
			t.Errorf("%s: %v: %s", page, err, &warnings)
		}
		words := []string{name}
		if sub, ok := strings.CutPrefix(name, "plasmd-"); ok {
			words = []string{"plasmd", sub}
		}
		plain := regexp.MustCompile(`.\x08`).ReplaceAllString(text.String(), "")
		if name != engine && name != "plasmd.toml" { // not for people, and no command
			help := output(t, append([]string{filepath.Join(dir, "usr", "bin", words[0])},
				append(words[1:], "--help")...)...)
			for _, m := range flag.FindAllStringSubmatch(help, -1) {
				if !strings.Contains(plain, m[1]) {
					t.Errorf("%s: no %s", name, m[1])
				}
			}
		}
		if !strings.Contains(plain, "plasm "+newVersion) {
			t.Errorf("%s does not say which version it is about", name)
		}
	}
}

// TestCompletions has the shells read the completions, and bash use them.
func TestCompletions(t *testing.T) {
	t.Parallel()
	share := filepath.Join(extracted(t, "amd64", "plasm"), "usr", "share")
	for name := range names {
		output(t, "bash", "-n", filepath.Join(share, "bash-completion", "completions", name))
		output(t, "zsh", "-n", filepath.Join(share, "zsh/vendor-completions/_"+name))
		output(t, "fish", "--no-execute", filepath.Join(share, "fish", "vendor_completions.d", name+".fish"))
	}
	trust := filepath.Join(t.TempDir(), "trust")
	must(t, os.WriteFile(trust, []byte("12D3KooWabc lab/one # ours\nany\n"), 0o600))
	for line, want := range map[string]string{
		"plasm-run --rec":                "--receipt",
		"plasm-run --log-format ":        "text json",
		"plasmd ":                        "serve identity status allow jobs cancel drain check doctor",
		"plasmd serve --reach":           "--reachability",
		"plasmd serve --reachability pr": "private",
		"plasmd allow --": "--remove --list --data-dir --runtime-dir --log-level --log-format " +
			"--help --version",
		"plasm-verify --print st":             "stdout stderr statement",
		"plasm-discover --require-guards lan": "landlock",
		"plasm-run --engine w":                "wasmtime wazero",
		"plasm-run --memory ":                 "",
		"plasm-submit --peer la":              "lab/one",
		"plasm-submit --signer la":            "lab/one",
		"plasm-verify --signer la":            "lab/one",
	} {
		name, _, _ := strings.Cut(line, " ")
		words := strings.Split(line, " ")
		script := fmt.Sprintf(`PLASM_TRUST=%s; . %s; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _%s; echo `+
			`"${COMPREPLY[@]}"`,
			trust, filepath.Join(share, "bash-completion", "completions", name), strings.ReplaceAll(name, "-", "_"))
		got := strings.TrimSpace(output(t, append([]string{"bash", "-c", script, "bash"}, words...)...))
		if got != want {
			t.Errorf("%q is completed to %q, want %q", line, got, want)
		}
	}
	got := output(t, "fish", "--no-config", "-c",
		"source "+filepath.Join(share, "fish", "vendor_completions.d", "plasmd.fish")+
			"; complete --do-complete 'plasmd serve --reachability pr'")
	if !strings.HasPrefix(got, "private\t") {
		t.Errorf("fish completes %q", got)
	}
}
