package packages

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"plasm/test/bin"
	"plasm/test/netlab"
)

// commands returns a folder with the commands of packages, as one has them in the
// PATH: those for another processor by way of the emulator.
func commands(t *testing.T, arch string, packages ...string) string {
	t.Helper()
	real := filepath.Join(extracted(t, arch, packages...), "usr", "bin")
	if arch == "amd64" {
		return real
	}
	qemu, err := exec.LookPath(bin.Emulator)
	must(t, err)
	dir := t.TempDir()
	programs, err := os.ReadDir(real)
	must(t, err)
	for _, p := range programs {
		must(t, bin.Script(filepath.Join(dir, p.Name()), bin.Emulation(qemu, filepath.Join(real, p.Name()))))
	}
	return dir
}

// with runs a program with the commands of a folder in its PATH, and a home of its
// own.
func with(t *testing.T, dir, home, name string, args ...string) *exec.Cmd {
	t.Helper()
	return in(brief(t, name, args...), dir, home)
}

// in has a command find the commands of a folder in its PATH.
func in(cmd *exec.Cmd, dir, home string) *exec.Cmd {
	cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + home}
	return cmd
}

// node starts a node of a package, and returns its address.
func node(t *testing.T, dir string, args ...string) string {
	t.Helper()
	home := t.TempDir()
	ctx, stop := context.WithCancel(context.Background())
	cmd := in(inGroup(ctx, t, filepath.Join(dir, "plasmd"), append([]string{
		"serve", "--listen", "/ip4/127.0.0.1/tcp/0", "--mdns=false", "--allow", "any", "--memory", "1024", "--data-dir",
		filepath.Join(home, "data"),
		"--runtime-dir", filepath.Join(home, "run"), "--worker", filepath.Join(dir, "plasm-run"),
	}, args...)...), dir, home)
	var log bytes.Buffer
	cmd.Stderr = &log
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	late := time.AfterFunc(patience, stop)
	must(t, cmd.Start())
	t.Cleanup(func() {
		defer time.AfterFunc(patience, stop).Stop()
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the node: %v", err)
		}
		if t.Failed() {
			t.Logf("%s", &log)
		}
	})
	address, err := bufio.NewReader(stdout).ReadString('\n')
	late.Stop()
	if err != nil {
		t.Fatalf("the node is not ready: %v", err)
	}
	return strings.TrimSpace(address)
}

// TestFewDescriptors starts the commands for either processor where Go's runtime would
// end plasmd before it begins.
func TestFewDescriptors(t *testing.T) {
	t.Parallel()
	for arch, emulator := range map[string][]string{"amd64": nil, "arm64": {bin.Emulator}} {
		dir := filepath.Join(extracted(t, arch, "plasm"), "usr", "bin")
		for name := range names {
			line := append(append([]string{"--nofile=6"}, emulator...), filepath.Join(dir, name))
			out, err := with(t, dir, t.TempDir(), "prlimit", line...).CombinedOutput()
			const want = ": the limit on open files is too low: it is 6, and "
			if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 125 ||
				!strings.HasPrefix(string(out), name+want+name+" needs ") {
				t.Errorf("%s for %s: %v: %s", name, arch, err, out)
			}
		}
	}
}

// TestProcessors has a requester of either processor submit one job to a node of
// either, on amd64 with the other engine too: all get the same output and the same
// fuel, with a receipt.
func TestProcessors(t *testing.T) {
	t.Parallel()
	amd64, arm64 := commands(t, "amd64", "plasm"), commands(t, "arm64", "plasm")
	for name := range names {
		if out, err := with(t, arm64, t.TempDir(), filepath.Join(arm64, name),
			"--version").CombinedOutput(); err != nil || string(out) != name+" "+newVersion+"\n" {
			t.Errorf("%s --version for arm64: %v: %s", name, err, out)
		}
	}
	here, there := node(t, amd64), node(t, arm64, "--require-guards", "none")
	compare := filepath.Join("..", "..", "examples", "cross-arch", "compare")
	results := map[string]bool{}
	fastHere := node(t, commands(t, "amd64", "plasm", engine))
	for _, run := range []struct{ requester, here, there string }{
		{amd64, here, there}, {arm64, here, there}, {amd64, fastHere, there},
	} {
		out, err := with(t, run.requester, t.TempDir(), compare, run.here, run.there).CombinedOutput()
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if err != nil || len(lines) != 2 {
			t.Fatalf("compare: %v: %s", err, out)
		}
		for i, processor := range []string{"amd64", "arm64"} {
			got, result, _ := strings.Cut(lines[i], "\t")
			if got != processor {
				t.Errorf("line %d is from %s, want %s: %s", i, got, processor, out)
			}
			results[result] = true
		}
	}
	if len(results) != 1 {
		t.Errorf("they differ: %v", results)
	}
	if statement := receiptFrom(t, amd64, fastHere); !strings.Contains(statement, `"arch":"amd64"`) ||
		!strings.Contains(statement, `"engine":{"name":"wasmtime"`) {
		t.Errorf("the receipt of the node with the other engine says %s", statement)
	}
	// What the emulator does not know was not claimed.
	if guards := receiptFrom(t, amd64, there); strings.Contains(guards, `"landlock"`) ||
		strings.Contains(guards, `"seccomp"`) || !strings.Contains(guards, `"guards":[`) {
		t.Errorf("the receipt of the emulated node says %s", guards)
	}
}

// receiptFrom submits a job to a node, and returns the statement in its receipt.
func receiptFrom(t *testing.T, dir, address string) string {
	t.Helper()
	home := t.TempDir()
	receipt := filepath.Join(home, "receipt.json")
	submit := with(t, dir, home, filepath.Join(dir, "plasm-submit"), "--no-stdin", "--peer", address, "--receipt",
		receipt, filepath.Join("..", "..", "examples", "hello", "hello.wasm"))
	if out, err := submit.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	statement, err := with(t, dir, home, filepath.Join(dir, "plasm-verify"), "--signer", peerID.FindString(address),
		"--print", "statement", receipt).Output()
	must(t, err)
	return string(statement)
}

// TestDemo types what the page has for a Mac and an Ubuntu machine, the Mac being an
// arm64 machine here.
func TestDemo(t *testing.T) {
	t.Parallel()
	lan := netlab.New(t).LAN("ubuntu", "mac")
	ubuntu, mac := boot(t, "ubuntu", lan[0]), boot(t, "mac", lan[1])
	ubuntu.prepare("new")
	qemu, err := exec.LookPath(bin.Emulator)
	must(t, err)
	output(t, "cp", qemu, filepath.Join(mac.disk, "usr", "bin", bin.Emulator))
	must(t, os.CopyFS(filepath.Join(mac.disk, "opt", "plasm"),
		os.DirFS(filepath.Join(extracted(t, "arm64", "plasm"), "usr", "bin"))))
	for name := range names {
		must(t, bin.Script(filepath.Join(mac.disk, "usr", "bin", name),
			bin.Emulation("/usr/bin/"+bin.Emulator, "/opt/plasm/"+name)))
	}
	mac.addPerson()
	home := filepath.Join("home", person)
	must(t, os.CopyFS(filepath.Join(mac.disk, home, "examples"), os.DirFS(filepath.Join("..", "..", "examples"))))
	mac.sh("chmod -R a+rX /opt && chmod 755 /usr/bin/plasm* /usr/bin/" + bin.Emulator + " && chown -R " + person +
		": /" + home)
	follow(t, steps(t, "docs/demo.md"), map[string]*machine{"ubuntu": ubuntu, "mac": mac})
}
