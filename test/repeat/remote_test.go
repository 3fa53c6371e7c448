package repeat_test

import (
	"bufio"
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
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

// serve starts a node on loopback that takes jobs from anybody, and returns its
// address.
func serve(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	node := command(context.WithoutCancel(t.Context()), []string{filepath.Join(built, "plasmd")}, "serve", "--listen", "/ip4/127.0.0.1/tcp/0", "--mdns=false",
		"--data-dir", dir, "--runtime-dir", filepath.Join(dir, "run"), "--allow", "any")
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
