package packages

import (
	"debug/elf"
	"debug/macho"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"plasm/test/netlab"
)

// unpacked returns the folder of a release's archive.
func unpacked(t *testing.T, system, arch string) string {
	t.Helper()
	dir := t.TempDir()
	name := fmt.Sprintf("plasm-%s-%s-%s", newVersion, system, arch)
	output(t, "tar", "-C", dir, "-xzf", file("new", name+".tar.gz"))
	return filepath.Join(dir, name)
}

// TestRelease types what the page says of checking a release, and finds an altered
// one out.
func TestRelease(t *testing.T) {
	t.Parallel()
	all := only(steps(t, "docs/install.md"), "release")
	dir := filepath.Join(t.TempDir(), "release")
	must(t, os.CopyFS(dir, os.DirFS(file("new", ""))))
	output(t, "openssl", "pkey", "-in", file("", "key.pem"), "-pubout", "-out", filepath.Join(dir, "signer.pem"))
	here(t, dir, all)

	must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("plasm_%s-1_amd64.deb", newVersion)), []byte("another"), 0o600))
	check := brief(t, "sh", "-c", all[0].command)
	check.Dir = dir
	if out, err := check.CombinedOutput(); err == nil {
		t.Errorf("a file was altered, and nobody noticed: %s", out)
	}
	statement, err := os.ReadFile(filepath.Join(dir, "statement"))
	must(t, err)
	commit := strings.TrimSpace(output(t, "git", "rev-parse", "HEAD"))
	if !strings.Contains(string(statement), `"gitCommit":"`+commit+`"`) {
		t.Errorf("the statement is not about commit %s: %s", commit, statement)
	}
}

// TestArchives looks at the programs for each system.
func TestArchives(t *testing.T) {
	t.Parallel()
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		dir := unpacked(t, "linux", arch)
		for name, section := range names {
			f, err := elf.Open(filepath.Join(dir, "bin", name))
			must(t, err)
			if libraries, err := f.ImportedLibraries(); f.Machine != machine || err != nil || len(libraries) > 0 {
				t.Errorf("linux %s: %s is for %v, and needs %v (%v)", arch, name, f.Machine, libraries, err)
			}
			must(t, f.Close())
			if _, err := os.Stat(filepath.Join(dir, "share", "man", "man"+section,
				name+"."+section+".gz")); err != nil {
				t.Error(err)
			}
		}
	}
	dir := unpacked(t, "linux", "amd64")
	checkStatic(t, filepath.Join(dir, "bin", engine), elf.EM_X86_64)
	if _, err := os.Stat(filepath.Join(dir, "share", "doc", engine, "third-party.gz")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(unpacked(t, "linux", "arm64"), "bin", engine)); err == nil {
		t.Error("the archive for arm64 has the engine")
	}
	for arch, cpu := range map[string]macho.Cpu{"amd64": macho.CpuAmd64, "arm64": macho.CpuArm64} {
		dir := unpacked(t, "darwin", arch)
		for name := range names {
			f, err := macho.Open(filepath.Join(dir, "bin", name))
			must(t, err)
			if f.Cpu != cpu {
				t.Errorf("darwin %s: %s is for %v", arch, name, f.Cpu)
			}
			must(t, f.Close())
		}
	}
}

// TestBillOfMaterials compares what a bill says a command is made of with what the
// command says itself.
func TestBillOfMaterials(t *testing.T) {
	t.Parallel()
	dir := unpacked(t, "linux", "amd64")
	for _, name := range append(slices.Collect(maps.Keys(names)), engine) {
		data, err := os.ReadFile(file("new", fmt.Sprintf("plasm-%s-%s.cdx.json", newVersion, name)))
		must(t, err)
		var bill struct {
			Format     string `json:"bomFormat"`
			Components []struct {
				Name    string `json:"name"`
				Version string `json:"version"`
			} `json:"components"`
		}
		must(t, json.Unmarshal(data, &bill))
		listed := map[string]string{}
		for _, c := range bill.Components {
			listed[c.Name] = c.Version
		}
		modules := regexp.MustCompile(`(?m)^\tdep\t(\S+)\t(\S+)`).FindAllStringSubmatch(output(t, "go", "version", "-m",
			filepath.Join(dir, "bin", name)), -1)
		if bill.Format != "CycloneDX" || len(modules) == 0 {
			t.Fatalf("%s: format %q, %d modules", name, bill.Format, len(modules))
		}
		for _, m := range modules {
			if m[1] == "plasm" { // the engine is a module of its own
				m[2] = newVersion
			}
			if listed[m[1]] != m[2] {
				t.Errorf("%s is made of %s %s, and the bill lists %q", name, m[1], m[2], listed[m[1]])
			}
		}
	}
}

// TestContinuousIntegration runs the commands of the snippets that the page has for
// the services, on a machine with what a checkout there would have.
func TestContinuousIntegration(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "install.md"))
	must(t, err)
	m := boot(t, "ci", netlab.New(t).Alone("ci"))
	m.prepare("new")
	for service, line := range map[string]string{"github": `(?m)^ +- run: (.*)$`, "gitlab": `(?m)^    - (.*)$`} {
		block := regexp.MustCompile("\n```yaml " + service + "\n((?s:.*?))```\n").FindSubmatch(page)
		if len(block) != 2 {
			t.Fatalf("the page has no snippet for %s", service)
		}
		commands := regexp.MustCompile(line).FindAllSubmatch(block[1], -1)
		if len(commands) != 3 {
			t.Errorf("%s: %d commands", service, len(commands))
		}
		m.sh("cd /root && rm -f *.json output.txt && echo hello > input.txt")
		for _, command := range commands {
			if strings.Contains(string(command[1]), "plasm-run --stdin") {
				m.do("cp", hello, "/root/job.wasm")
			}
			m.sh("cd /root && " + string(command[1]))
		}
		if out := m.do("cat", "/root/output.txt"); out != "olleh" {
			t.Errorf("%s: the job wrote %q", service, out)
		}
		m.do("apt-get", "purge", "--yes", "--quiet", "plasm")
	}
}

// TestContainerImage builds the image, and runs a node and a job in it.
func TestContainerImage(t *testing.T) {
	t.Parallel()
	needMachines(t)
	work := t.TempDir()
	repository := filepath.Join(work, "repository")
	must(t, os.CopyFS(filepath.Join(repository, "bin"), os.DirFS(filepath.Join(unpacked(t, "linux", "amd64"), "bin"))))
	must(t, os.CopyFS(filepath.Join(repository, "packaging"), os.DirFS(filepath.Join("..", "..", "packaging"))))
	output(t, "cp", filepath.Join("..", "..", "LICENSE"), repository)
	buildah := func(words ...string) string {
		t.Helper()
		return strings.TrimSpace(output(t,
			append([]string{
				"buildah", "--storage-driver", "vfs", "--root", filepath.Join(work, "root"), "--runroot",
				filepath.Join(work, "run"),
			}, words...)...))
	}
	buildah("build", "--quiet", "--isolation", "chroot", "--tag", "plasm", "--file",
		filepath.Join(repository, "packaging", "Containerfile"), repository)
	container := buildah("from", "--pull-never", "localhost/plasm")
	t.Cleanup(func() {
		if err := exec.Command("buildah", "--storage-driver", "vfs", "--root", filepath.Join(work, "root"), "--runroot",
			filepath.Join(work, "run"), "rm", "--all").Run(); err != nil {
			t.Error(err)
		}
	})
	root := buildah("mount", container)
	module, err := os.ReadFile(filepath.Join("..", "..", "examples", "hello", "hello.wasm"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(root, "hello.wasm"), module, 0o644))
	// the other engine, which lay beside them
	if listed, err := filepath.Glob(filepath.Join(root, "usr", "bin", "*")); err != nil || len(listed) != len(names)+1 {
		t.Errorf("programs in the image: %v, %v", listed, err)
	}
	run := []string{"run", "--isolation", "chroot", container, "--"}
	buildah(append(run, "/usr/bin/plasm-run", "--no-stdin", "--receipt", "/run/plasmd/receipt.json", "/hello.wasm")...)
	id := buildah(append(run, "/usr/bin/plasm-run", "--identity")...)
	buildah(append(run, "/usr/bin/plasm-run", "--engine", "wasmtime", "--no-stdin", "--require-guards", "nnp,seccomp",
		"/hello.wasm")...)
	buildah(append(run, "/usr/bin/plasm-verify", "--signer", id, "--require-guards", "nnp,seccomp",
		"/run/plasmd/receipt.json")...)
	if owner := output(t, "stat", "--format=%u",
		filepath.Join(root, "run", "plasmd", "receipt.json")); strings.TrimSpace(owner) != "65532" {
		t.Errorf("what ran there is user %s", owner)
	}
	doctor := brief(t, "buildah",
		append([]string{
			"--storage-driver", "vfs", "--root", filepath.Join(work, "root"), "--runroot",
			filepath.Join(work, "run"),
		},
			append(run, "/usr/bin/plasmd", "doctor")...)...)
	out, _ := doctor.CombinedOutput() // no node runs, which it says
	for _, want := range []string{"ok       worker ", "ok       guards "} {
		if !strings.Contains(string(out), want) {
			t.Errorf("plasmd doctor in the image does not say %q:\n%s", want, out)
		}
	}
}
