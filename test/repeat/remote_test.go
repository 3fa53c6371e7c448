package repeat_test

import (
	"bufio"
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"plasm/test/bin"
	"plasm/test/need"
)

// TestRemote runs each example here and on a node. All that a receipt says of the
// job must be the same but for who asked and who ran it; and running it here once
// more must confirm the node's receipt.
func TestRemote(t *testing.T) {
	t.Parallel()
	addr := serve(t)
	_, id, _ := strings.Cut(addr, "/p2p/")
	submit := []string{filepath.Join(built, "plasm-submit"), "--mdns=false", "--peer", addr}
	for _, r := range runs(examples(t)) {
		t.Run(r.String(), func(t *testing.T) {
			t.Parallel()
			local := play(t, here(), r).lasting(t).without(t, "node")
			remote, document := played(t, submit, r)
			if remote.Predicate == nil {
				t.Fatalf("no receipt: %v\n%s", remote.Error, remote.Stderr)
			}
			same(t, "on a node", local, remote.lasting(t).without(t, "node", "requester"))
			line := []string{"--rerun", "--signer", id, "--module", r.module}
			if r.stdin != "" {
				line = append(line, "--stdin", r.stdin)
			}
			verify := command(t.Context(), []string{filepath.Join(built, "plasm-verify")}, append(line, "-")...)
			verify.Stdin = bytes.NewReader(document)
			if out, err := verify.CombinedOutput(); err != nil || !strings.Contains(string(out), "verified") {
				t.Errorf("plasm-verify %v: %v\n%s", line, err, out)
			}
		})
	}
}

// TestEnginesOfANode runs a job on each engine that a node has, of which one is an
// executable of its own: the receipt names the engine, and nothing else differs. A
// job that names none gets the fastest.
func TestEnginesOfANode(t *testing.T) {
	t.Parallel()
	need.Compiler(t)
	dir := t.TempDir()
	must(t, bin.BuildEngines(t.Context(), dir))
	submit := []string{filepath.Join(built, "plasm-submit"), "--mdns=false", "--peer", serve(t, "--engines", dir)}
	all := examples(t)
	job := run{&all[slices.IndexFunc(all, func(s subject) bool { return s.name == "example sha256" })], true}
	var first *ran
	for flag, want := range map[string]string{"auto": "wasmtime", "wasmtime": "wasmtime", "wazero": "wazero"} {
		r := play(t, submit, job, "--engine", flag)
		if r.Predicate == nil {
			t.Fatalf("--engine %s: %v\n%s", flag, r.Error, r.Stderr)
		}
		engine, _ := r.part("node")["engine"].(object)
		if engine["name"] != want {
			t.Errorf("--engine %s: ran on %v", flag, engine)
		}
		rest := r.lasting(t).without(t, "node", "manifest")
		if first == nil {
			first = rest
		}
		same(t, "on another engine", first, rest)
	}
	if r := play(t, submit, job, "--engine", "other"); r.Predicate != nil ||
		!strings.Contains(r.Stderr, "engine: this node does not have the engine other") {
		t.Errorf("an engine that is not there: %v\n%s", r.Error, r.Stderr)
	}
}

// serve starts a node on loopback that takes jobs from anybody, and returns its
// address.
func serve(t *testing.T, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	node := command(context.WithoutCancel(t.Context()), []string{filepath.Join(built, "plasmd")}, append([]string{
		"serve", "--listen", "/ip4/127.0.0.1/tcp/0", "--mdns=false",
		"--data-dir", dir, "--runtime-dir", filepath.Join(dir, "run"), "--allow", "any",
	}, flags...)...)
	var log bytes.Buffer
	node.Stderr = &log
	stdout, err := node.StdoutPipe()
	must(t, err)
	must(t, node.Start())
	t.Cleanup(func() {
		_ = node.Process.Signal(syscall.SIGTERM) // it may have ended
		if err := node.Wait(); err != nil {
			t.Errorf("plasmd: %v\n%s", err, log.Bytes())
		}
	})
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("plasmd: %v", err)
	}
	return strings.TrimSpace(addr)
}
