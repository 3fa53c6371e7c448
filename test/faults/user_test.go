//go:build linux

package faults_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/receipt"
	"plasm/test/bin"
	"plasm/test/guest"
	"plasm/test/netlab"
)

// user is somebody who submits jobs, from a machine of the lab.
type user struct {
	t       *testing.T
	machine *netlab.Machine
	dir     string // home, with the key, and tmp
	key     string
	id      string // the requester
}

func newUser(t *testing.T, m *netlab.Machine) *user {
	t.Helper()
	key := identity.Generate()
	u := &user{t: t, machine: m, dir: t.TempDir(), id: key.PeerID()}
	u.key = u.write("key.pem", key.MarshalPEM())
	if err := os.Mkdir(u.dir+"/tmp", 0o700); err != nil {
		t.Fatal(err)
	}
	return u
}

// write writes a file of the user's and returns its path.
func (u *user) write(name string, data []byte) string {
	u.t.Helper()
	path := filepath.Join(u.dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		u.t.Fatal(err)
	}
	return path
}

// work is a job of which is known what comes of it.
type work struct {
	u        *user
	manifest *job.Manifest
	stdout   []byte
	args     []string // of plasm-submit, that say what the job is
	times    int      // submitted
}

// work makes a job of a guest (test/guest) or an example, by name. The manifest is
// what change makes of it.
func (u *user) work(program string, stdin, stdout []byte, change ...func(*job.Manifest)) *work {
	u.t.Helper()
	module, err := os.ReadFile(fmt.Sprintf("../../examples/%s/%[1]s.wasm", program))
	if errors.Is(err, os.ErrNotExist) {
		module, err = guest.Module(program)
	}
	if err != nil {
		u.t.Fatal(err)
	}
	return u.workOf(module, stdin, stdout, change...)
}

func (u *user) workOf(module, stdin, stdout []byte, change ...func(*job.Manifest)) *work {
	u.t.Helper()
	m := job.NewManifest()
	m.ID, m.ModuleHash, m.StdinHash, m.MemoryMB = job.NewID(), job.Sum(module), job.Sum(stdin), 64
	for _, f := range change {
		f(m)
	}
	return &work{u: u, manifest: m, stdout: stdout, args: []string{
		"--manifest", u.write(m.ID+".json", m.Encode()), "--stdin", u.write(m.ID+".in", stdin),
		u.write(m.ID+".wasm", module),
	}}
}

// takes has the work begin with a folder, too.
func (w *work) takes(folder string) {
	u := w.u
	u.t.Helper()
	w.args = append([]string{"--in", folder + "::/in"}, w.args...)
	describe := exec.CommandContext(u.t.Context(), programs+"/plasm-run",
		append([]string{"--print-manifest"}, w.args...)...)
	describe.Env = append(bin.Env(), "HOME="+u.dir)
	document, err := describe.Output()
	if err != nil {
		u.t.Fatal(err)
	}
	if w.manifest, err = job.DecodeManifest(bytes.TrimSpace(document)); err != nil {
		u.t.Fatal(err)
	}
	w.args[slices.Index(w.args, "--manifest")+1] = u.write(w.manifest.ID+".json", document)
}

// submission is one run of plasm-submit.
type submission struct {
	*netlab.Process
	w       *work
	t       *testing.T
	began   time.Time
	receipt string // where it is to be
}

// submit has the work done by the first of the nodes that can, which are tried in
// this order. All of them are trusted.
func (w *work) submit(from *netlab.Machine, nodes ...*job.Node) *submission {
	return w.submitWith(from, nil, nodes...)
}

// submitWith is submit with more flags.
func (w *work) submitWith(from *netlab.Machine, flags []string, nodes ...*job.Node) *submission {
	u := w.u
	u.t.Helper()
	w.times++
	name := fmt.Sprintf("%s.%d", w.manifest.ID, w.times)
	s := &submission{w: w, t: u.t, began: time.Now(), receipt: filepath.Join(u.dir, name+".receipt")}
	var lines []byte
	args := []string{
		"--key", u.key, "--receipt", s.receipt, "--log-level", "info", "--log-format", "json",
		"--mdns=false", "--deadline", "90s",
	}
	for i, n := range nodes {
		n.Slots.Free = int64(len(nodes) - i)
		lines = append(append(lines, n.Encode()...), '\n')
		args = append(args, "--signer", n.PeerID)
	}
	args = slices.Concat(args, []string{"--peers", u.write(name+".peers", lines)}, flags, w.args)
	env := append(bin.Env(), "HOME="+u.dir, "TMPDIR="+u.dir+"/tmp")
	s.Process = from.Start(env, programs+"/plasm-submit", args...)
	return s
}

// code waits for the end and returns the exit code. A command leaves nothing
// behind.
func (s *submission) code() int {
	s.t.Helper()
	err := s.End(2 * patience)
	if names, _ := filepath.Glob(s.w.u.dir + "/tmp/*"); len(names) > 0 {
		s.t.Errorf("temporary files are left: %v", names)
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return 128 + int(status.Signal())
		}
		return exit.ExitCode()
	}
	if err != nil {
		s.t.Error(err)
	}
	return 0
}

// answers checks that the submission ends with the right answer, by one of the
// nodes, and returns the receipt, which is about it.
func (s *submission) answers(by ...*node) []byte {
	s.t.Helper()
	code, stdout := s.code(), s.Stdout()
	if code != 0 || !bytes.Equal(stdout, s.w.stdout) {
		s.t.Fatalf("exit %d with %d bytes, want %d: %.200q\n%s", code, len(stdout), len(s.w.stdout), stdout, s.Stderr())
	}
	envelope, err := os.ReadFile(s.receipt)
	if err != nil {
		s.t.Fatal(err)
	}
	v, err := receipt.Verify(envelope, keysOf(s.t, by))
	if err != nil {
		s.t.Fatalf("%v\n%s", err, s.Stderr())
	}
	err = v.Check(&receipt.Expect{
		Manifest: s.w.manifest, Stdout: []receipt.Content{contentOf(stdout)}, ExitCodes: []uint32{0},
	})
	if err != nil || v.Requester != s.w.u.id {
		s.t.Fatalf("for %s: %v", v.Requester, err)
	}
	return envelope
}

// fails checks that the submission ends with an error: that exit code, no output,
// no receipt, and a message that says so much.
func (s *submission) fails(code int, says ...string) {
	s.t.Helper()
	if got := s.code(); got != code {
		s.t.Errorf("exit %d, want %d", got, code)
	}
	if len(s.Stdout()) > 0 {
		s.t.Errorf("output of a job that failed: %.200q", s.Stdout())
	}
	if _, err := os.Stat(s.receipt); !errors.Is(err, os.ErrNotExist) {
		s.t.Errorf("a receipt of a job that failed: %v", err)
	}
	words := s.words()
	for _, text := range says {
		if !strings.Contains(words, text) {
			s.t.Errorf("stderr does not say %q: %s", text, words)
		}
	}
}

// words is what stderr says but events: text, and the error that the command ends with, which is a line of the log.
func (s *submission) words() string {
	var words strings.Builder
	for line := range strings.Lines(string(s.Stderr())) {
		var e struct {
			Level, Code, Msg, Hint string
			Nodes                  []struct {
				PeerID    string `json:"peer_id"`
				Rejection struct{ Code, Message string }
			}
		}
		switch err := json.Unmarshal([]byte(line), &e); {
		case err != nil:
			words.WriteString(line)
		case e.Level == "ERROR" && e.Code != "":
			for _, n := range e.Nodes {
				fmt.Fprintf(&words, "%s: %s: %s\n", n.PeerID, n.Rejection.Code, n.Rejection.Message)
			}
			fmt.Fprintf(&words, "%s\nhint: %s\n", e.Msg, e.Hint)
		}
	}
	return words.String()
}

// keysOf returns the keys of nodes.
func keysOf(t *testing.T, nodes []*node) []ed25519.PublicKey {
	t.Helper()
	keys := make([]ed25519.PublicKey, 0, len(nodes))
	for _, n := range nodes {
		key, err := identity.ParsePeerID(n.id)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	return keys
}

func contentOf(data []byte) receipt.Content {
	return receipt.Content{Digest: job.Sum(data), Bytes: int64(len(data))}
}
