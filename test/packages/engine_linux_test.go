package packages

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
	"plasm/lib/receipt"
	"plasm/test/netlab"
)

// engineDeb is where a machine has the engine's package.
func engineDeb(folder, version string) string {
	return fmt.Sprintf("/packages/%s/%s_%s-1_amd64.deb", folder, engine, version)
}

// TestEngineDepends: the engine's package asks for plasm of its version, and for
// nothing else; the program needs no library.
func TestEngineDepends(t *testing.T) {
	t.Parallel()
	for _, arch := range packages()[engine] {
		other := others()[arch]
		got := []string{
			output(t, "dpkg-deb", "--field", debFile(engine, arch), "Depends"),
			output(t, "dpkg-deb", "--field", debFile("plasm", arch), "Recommends"),
			output(t, "rpm", "--query", "--requires", "--package",
				file("new", fmt.Sprintf("%s-%s-1.%s.rpm", engine, newVersion, other))),
			output(t, "rpm", "--query", "--recommends", "--package",
				file("new", fmt.Sprintf("plasm-%s-1.%s.rpm", newVersion, other))),
		}
		want := []string{"plasm (= 0.10.0-1)\n", engine + "\n", "plasm = 0.10.0-1\n", engine + "\n"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", arch, diff)
		}
		info := output(t, "tar", "--warning=no-unknown-keyword", "-xzOf",
			file("new", fmt.Sprintf("%s_%s-r1_%s.apk", engine, newVersion, other)), ".PKGINFO")
		if !strings.Contains(info, "\ndepend = plasm=0.10.0-r1\n") {
			t.Errorf("apk %s: %s", arch, info)
		}
		checkStatic(t, filepath.Join(extracted(t, arch, engine), "usr", "bin", engine), elf.EM_X86_64)
	}
}

// TestNoEngineForArm64: no package and no archive has it, as it has a known fault
// there, and plasm does not recommend it.
func TestNoEngineForArm64(t *testing.T) {
	t.Parallel()
	for _, of := range []string{"arm64", "aarch64"} {
		if found, err := filepath.Glob(file("new", engine+"*"+of+"*")); err != nil || len(found) > 0 {
			t.Errorf("%v, %v", found, err)
		}
	}
	if got := output(t, "dpkg-deb", "--field", debFile("plasm", "arm64"), "Recommends"); strings.TrimSpace(got) != "" {
		t.Errorf("plasm for arm64 recommends %q", got)
	}
	rpm := file("new", fmt.Sprintf("plasm-%s-1.aarch64.rpm", newVersion))
	if got := output(t, "rpm", "--query", "--recommends", "--package", rpm); strings.TrimSpace(got) != "" {
		t.Errorf("plasm for aarch64 recommends %q", got)
	}
}

// checkStatic looks at a program: it needs no library, and names no folder of the
// machine where it was built.
func checkStatic(t *testing.T, program string, machine elf.Machine) {
	t.Helper()
	f, err := elf.Open(program)
	must(t, err)
	libraries, err := f.ImportedLibraries()
	if f.Machine != machine || err != nil || len(libraries) > 0 || f.Section(".interp") != nil {
		t.Errorf("%s is for %v, and needs %v (%v)", program, f.Machine, libraries, err)
	}
	must(t, f.Close())
	data, err := os.ReadFile(program)
	must(t, err)
	here, err := filepath.Abs(filepath.Join("..", ".."))
	must(t, err)
	for _, folder := range append(strings.Fields(output(t, "go", "env", "GOMODCACHE", "GOCACHE")), here,
		"/tmp/go-build", "/tmp/go-link") {
		if bytes.Contains(data, []byte(folder+"/")) {
			t.Errorf("%s names the folder %s", program, folder)
		}
	}
}

// engines are those that the machine's node has.
func (m *machine) engines() (names string) {
	m.t.Helper()
	for _, e := range m.status().Node.Engines {
		names += " " + e.Name
	}
	return names
}

// ranOn is the engine that a receipt on the machine names, with which each guard was
// active.
func (m *machine) ranOn(file string) string {
	m.t.Helper()
	s, err := receipt.Claims([]byte(m.do("cat", file)))
	must(m.t, err)
	if diff := cmp.Diff(job.Guards(), s.Node.Guards); diff != "" {
		m.t.Errorf("%s: guards (-want +got):\n%s", file, diff)
	}
	return s.Node.Engine.Name
}

// checkEngines runs jobs, on the command line and on the machine's own node, and
// compares which engine ran them.
func (m *machine) checkEngines(want string) {
	m.t.Helper()
	m.sh("plasm-run --no-stdin --receipt /root/run.json " + hello)
	m.sh(`plasm-submit --mdns=false --no-stdin --signer "$(plasmd identity)" --receipt /root/submit.json ` + hello)
	if run, submitted := m.ranOn("/root/run.json"), m.ranOn("/root/submit.json"); run != want || submitted != want {
		m.t.Errorf("plasm-run runs on %s, the node on %s, want %s", run, submitted, want)
	}
}

// TestEngine is the life of the engine's package beside the other one, on a machine
// whose node runs all the time.
func TestEngine(t *testing.T) {
	t.Parallel()
	m := boot(t, "engine", netlab.New(t).Alone("engine"))
	before := m.tree()
	m.install(deb("old", oldVersion))
	m.sh(`plasmd allow "$(plasm-run --identity)"`)
	m.checkEngines("wazero")

	m.install(engineDeb("old", oldVersion))
	if got := m.engines(); got != " wasmtime wazero" {
		t.Errorf("with the engine installed the node has%s", got)
	}
	m.checkEngines("wasmtime")
	m.sh("plasm-run --engine wazero --no-stdin --receipt /root/other.json " + hello)
	if got := m.ranOn("/root/other.json"); got != "wazero" {
		t.Errorf("--engine wazero ran on %s", got)
	}
	m.sh("plasmd doctor | grep -q '^ok *engines *wasmtime 44.0.0, '")
	m.sh("! journalctl --unit=plasmd --grep='level=(WARN|ERROR)' --no-pager --quiet")
	m.checkUnit()

	// plasm alone becomes another version: apt takes the engine away. Then somebody
	// forces the old one back.
	m.install(deb("new", newVersion))
	m.sh("! test -e /usr/bin/" + engine)
	m.checkEngines("wazero")
	m.do("dpkg", "--install", "--force-depends", engineDeb("old", oldVersion))
	if got := m.engines(); got != " wazero" || m.status().Node.Version != newVersion {
		t.Errorf("with an engine of another version the node, %s, has%s", m.status().Node.Version, got)
	}
	m.checkEngines("wazero")
	m.sh("journalctl --unit=plasmd --grep='engine left out.*" + oldVersion + "' --no-pager --quiet")
	m.sh("plasmd doctor | grep -A1 '^warning *engines *.*plasm-engine-wasmtime is there' | grep -q 'hint: journalctl'")
	m.do("dpkg", "--install", engineDeb("new", newVersion))
	if got := m.engines(); got != " wasmtime wazero" {
		t.Errorf("with the engine of its version the node has%s", got)
	}
	m.checkEngines("wasmtime")

	// Not the engine's file without what the package says of it.
	m.do("cp", "/usr/bin/"+engine, "/root/kept")
	m.do("apt-get", "remove", "--yes", "--quiet", engine)
	if got := m.engines(); got != " wazero" {
		t.Errorf("with the engine removed the node has%s", got)
	}
	m.checkEngines("wazero")
	m.do("install", "-m", "0755", "/root/kept", "/usr/bin/"+engine)
	m.do("systemctl", "restart", "plasmd")
	if got := m.engines(); got != " wazero" {
		t.Errorf("with a file that the service may not start the node has%s", got)
	}
	m.sh("rm /usr/bin/" + engine + " /root/kept")

	m.do("apt-get", "purge", "--yes", "--quiet", "plasm", engine)
	if left := difference(m.tree(), before); len(left) > 0 {
		t.Errorf("purging leaves\n%s", strings.Join(left, "\n"))
	}
}

// checkUnit has the service say what it may start.
func (m *machine) checkUnit() {
	m.t.Helper()
	got := strings.Fields(m.do("systemctl", "show", "--property=ExecPaths", "--value", "plasmd"))
	if diff := cmp.Diff([]string{"/usr/bin/plasmd", "/usr/bin/plasm-run", "/usr/bin/" + engine}, got); diff != "" {
		m.t.Errorf("the service may start (-want +got):\n%s", diff)
	}
	if pid := m.do("systemctl", "show", "--property=MainPID", "--value", "plasmd"); m.children(pid) != engine {
		m.t.Errorf("the node keeps spare workers of %q", m.children(pid))
	}
}

// children are the names of a process's children, each once.
func (m *machine) children(pid string) string {
	m.t.Helper()
	out, err := m.try("sh", "-c", "for child in $(cat /proc/"+pid+
		"/task/*/children); do basename $(readlink /proc/$child/exe); done | sort -u")
	if err != nil {
		m.t.Error(errors.Join(err, errors.New("no children")))
	}
	return strings.Join(strings.Fields(out), " ")
}

// TestNoCompiler: a release is not made without the engine.
func TestNoCompiler(t *testing.T) {
	t.Parallel()
	cmd := brief(t, filepath.Join("..", "..", "scripts", "package"))
	cmd.Env = append(os.Environ(), "VERSION="+newVersion, "DIST="+t.TempDir(), "ARCHS=amd64", "CC=no-compiler",
		"ENGINE=required")
	out, err := cmd.CombinedOutput()
	want := "package: no plasm-engine-wasmtime for amd64: there is no no-compiler\npackage: hint: make deps " +
		"installs what it takes, on Debian\n"
	if err == nil || string(out) != want {
		t.Errorf("%v: %s", err, out)
	}
}
