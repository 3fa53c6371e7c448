package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"plasm/lib/control"
	"plasm/lib/job"
	"plasm/test/bin"
)

// The users of these tests, whom the system need not list: the one whose node was
// taken over, and one who may ask it.
const (
	serviceUID = 61234
	askerUID   = 61235
)

const somePeer = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"

// hostile is a node that was taken over: its folders belong to the service's user, and
// what answers at its socket says what it likes.
type hostile struct {
	t                            *testing.T
	dir, state, run, marks, root string // root: what is root's alone
	mu                           sync.Mutex
	status                       control.Status // says changes it once the node answers
}

// newHostile makes one. Only root, who is attacked, can.
func newHostile(t *testing.T) *hostile {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("not as root, whom a node may attack")
	}
	dir := filepath.Join(programs, "h"+rand.Text()[:6])
	h := &hostile{t: t, dir: dir, state: dir + "/state", run: dir + "/run", marks: dir + "/marks", root: dir + "/root"}
	must(t, os.Mkdir(dir, 0o755))
	must(t, os.Mkdir(h.root, 0o700))
	for path, mode := range map[string]fs.FileMode{h.state: 0o700, h.run: 0o755, h.marks: 0o777} {
		must(t, os.Mkdir(path, mode))
		must(t, os.Chmod(path, mode))
		must(t, os.Chown(path, serviceUID, serviceUID))
	}
	must(t, bin.Script(h.marks+"/worker", "id -u >> "+h.marks+"/ran\nls /proc/$$/fd >> "+h.marks+
		"/open\ntrue < /dev/tty && echo tty >> "+h.marks+"/open\n"))
	must(t, os.Chmod(h.marks+"/worker", 0o755))
	h.status = control.Status{
		PID: 1, State: control.StateReady, DataDir: h.state, RuntimeDir: h.run, Worker: h.marks + "/worker",
		Node:     job.Node{PeerID: somePeer, Addrs: []string{}, MemoryMB: 1024, Slots: job.Slots{Total: 1}},
		Allow:    control.Allow{File: h.state + "/allow"},
		Contacts: []control.Contact{},
	}
	return h
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// says changes what the node says.
func (h *hostile) says(change func(*control.Status)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change(&h.status)
}

// answer has the socket answer with what status is by then.
func (h *hostile) answer() {
	h.t.Helper()
	listener := h.listen(h.run + "/control.sock")
	server := &http.Server{
		ReadHeaderTimeout: deadline,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			h.says(func(s *control.Status) { _ = json.NewEncoder(w).Encode(s) }) // who asked may be gone
		}),
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	h.t.Cleanup(func() { _ = server.Close(); <-done })
}

// listen opens a socket of the service's user.
func (h *hostile) listen(path string) net.Listener {
	h.t.Helper()
	listener, err := net.Listen("unix", path)
	must(h.t, err)
	must(h.t, os.Chown(path, serviceUID, serviceUID))
	must(h.t, os.Chmod(path, 0o660))
	return listener
}

// as runs plasmd as a user, with a file open that is root's alone, and returns what it
// wrote to both streams, and how it ended.
func (h *hostile) as(uid uint32, args ...string) (string, int) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(programs, "plasmd"), args...)
	cmd.Dir = h.dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + h.root, "STATE_DIRECTORY=" + h.state,
		"RUNTIME_DIRECTORY=" + h.run,
	}
	if os.Getenv("GOCOVERDIR") != "" {
		cover := h.dir + "/cover"
		if err := os.Mkdir(cover, 0o700); err == nil {
			must(h.t, os.Chmod(cover, 0o777))
		}
		cmd.Env = append(cmd.Env, "GOCOVERDIR="+cover)
	}
	open, err := os.Create(h.root + "/open")
	must(h.t, err)
	defer func() { _ = open.Close() }()
	cmd.ExtraFiles = []*os.File{open}
	if uid != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{
			Uid: uid, Gid: uid,
			Groups: []uint32{serviceUID},
		}}
	}
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ctx.Err() != nil || err != nil && (!ok || exit.ExitCode() < 0) {
		h.t.Fatalf("plasmd %s: %v: %s", strings.Join(args, " "), err, out)
	}
	if strings.Contains(string(out), "goroutine ") {
		h.t.Errorf("plasmd %s:\n%s", strings.Join(args, " "), out)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// secret puts a file into root's folder, and returns a check that it is as it was, and
// that nothing else is there.
func (h *hostile) secret(content string) (path string, intact func()) {
	h.t.Helper()
	path = h.root + "/secret"
	must(h.t, os.WriteFile(path, []byte(content), 0o600))
	return path, func() {
		h.t.Helper()
		info, err := os.Lstat(path)
		must(h.t, err)
		data, err := os.ReadFile(path)
		st, ok := info.Sys().(*syscall.Stat_t)
		if err != nil || string(data) != content || !ok || st.Uid != 0 || info.Mode() != 0o600 {
			h.t.Errorf("root's file is %v, of %+v, with %q: %v", info.Mode(), st, data, err)
		}
		entries, err := os.ReadDir(h.root)
		must(h.t, err)
		for _, e := range entries {
			if e.Name() != "secret" && e.Name() != "open" && e.Name() != "plasm.sock" {
				h.t.Errorf("%s was made in root's folder", e.Name())
			}
		}
	}
}

// commands are those that an administrator runs at a node.
func rootCommands() [][]string {
	return [][]string{
		{"status"},
		{"status", "--json"},
		{"identity"},
		{"allow", "--list"},
		{"allow", somePeer},
		{"allow", "--remove", somePeer},
		{"doctor"},
		{"doctor", "--json"},
	}
}

// TestHostileWorker: what the node names as its worker is never started with root's
// rights, nor with what root has open; and not at all by another user.
func TestHostileWorker(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	h.answer()
	h.as(askerUID, "doctor")
	if _, err := os.Stat(h.marks + "/ran"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what the node names was started by a user who asked it: %v", err)
	}
	for _, args := range rootCommands() {
		h.as(0, args...)
	}
	for _, args := range [][]string{{
		"doctor", "--config", h.state + "/toml", "--data-dir", h.root, "--runtime-dir",
		h.root,
	}, {"serve", "--worker", h.marks + "/worker", "--data-dir", h.root, "--runtime-dir", h.root}} {
		must(t, os.WriteFile(h.state+"/toml", []byte("worker = \""+h.marks+"/worker\"\n"), 0o644))
		h.as(0, args...)
	}
	ran, err := os.ReadFile(h.marks + "/ran")
	must(t, err)
	for uid := range strings.FieldsSeq(string(ran)) {
		if uid != fmt.Sprint(serviceUID) {
			t.Errorf("what the node names was run by user %s", uid)
		}
	}
	open, err := os.ReadFile(h.marks + "/open")
	must(t, err)
	for fd := range strings.FieldsSeq(string(open)) {
		if fd == "3" || fd == "tty" {
			t.Errorf("what the node names has what root had open: %s", fd)
		}
	}
}

// TestHostileAllowFile: whatever the node says that its allow file is, and whatever
// lies there, nothing of root's is written, shown or waited for.
func TestHostileAllowFile(t *testing.T) {
	t.Parallel()
	for name, plant := range map[string]func(h *hostile, secret string){
		"named":  func(h *hostile, secret string) { h.status.Allow.File = secret },
		"new":    func(h *hostile, _ string) { h.status.Allow.File = h.root + "/new" },
		"folder": func(h *hostile, _ string) { h.status.Allow.File = h.root },
		"link":   func(h *hostile, secret string) { must(h.t, os.Symlink(secret, h.state+"/allow")) },
		"to new": func(h *hostile, _ string) { must(h.t, os.Symlink(h.root+"/new", h.state+"/allow")) },
		"through": func(h *hostile, _ string) {
			must(h.t, os.Symlink(h.root, h.state+"/way"))
			h.status.Allow.File = h.state + "/way/secret"
		},
		"pipe": func(h *hostile, _ string) { must(h.t, syscall.Mkfifo(h.state+"/allow", 0o666)) },
		"none": func(*hostile, string) {},
	} {
		for _, running := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s %v", name, running), func(t *testing.T) {
				t.Parallel()
				h := newHostile(t)
				secret, intact := h.secret("any\ns3same:x\n")
				plant(h, secret)
				if running {
					h.answer()
				}
				for _, args := range rootCommands() {
					out, _ := h.as(0, args...)
					if strings.Contains(out, "s3same") {
						t.Errorf("plasmd %v shows what is root's: %s", args, out)
					}
				}
				intact()
				if info, err := os.Lstat(h.state + "/allow"); err == nil && info.Mode().IsRegular() {
					if st, ok := info.Sys().(*syscall.Stat_t); !ok || st.Uid != serviceUID {
						t.Errorf("the allow file belongs to %+v", st)
					}
				}
			})
		}
	}
}

// TestHostileSwap: what is swapped while root's command works gets the service nothing.
func TestHostileSwap(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	secret, intact := h.secret("any\n")
	h.answer()
	must(t, os.Symlink(secret, h.state+"/link"))
	must(t, os.Symlink(h.root, h.dir+"/away"))
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			_ = os.Symlink(secret, h.state+"/swap")
			_ = os.Rename(h.state+"/swap", h.state+"/allow")
			_ = os.WriteFile(h.state+"/swap", nil, 0o4777)
			_ = os.Rename(h.state+"/swap", h.state+"/allow")
		}
	}()
	for range 20 {
		h.as(0, "allow", somePeer)
		h.as(0, "allow", "--list")
	}
	close(stop)
	<-stopped
	intact()
}

// TestHostileSocket: root speaks to no other socket than the node's, and a silent one
// keeps it waiting for a while only.
func TestHostileSocket(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	roots, err := net.Listen("unix", h.root+"/plasm.sock")
	must(t, err)
	spoken := make(chan struct{})
	go func() {
		if conn, err := roots.Accept(); err == nil {
			_ = conn.Close()
			close(spoken)
		}
	}()
	must(t, os.Symlink(h.root+"/plasm.sock", h.run+"/control.sock"))
	for _, args := range rootCommands() {
		h.as(0, args...)
	}
	must(t, roots.Close())
	select {
	case <-spoken:
		t.Error("root spoke to a socket of its own")
	default:
	}
	must(t, os.Remove(h.run+"/control.sock"))
	silent := h.listen(h.run + "/control.sock")
	defer func() { _ = silent.Close() }()
	if out, code := h.as(0, "status"); code != 125 || !strings.Contains(out, "asking the node in") {
		t.Errorf("a silent node: %d: %s", code, out)
	}
	must(t, os.Chmod(h.run, 0o775))
	if out, code := h.as(0, "status"); code != 125 || !strings.Contains(out, "others than its owner may write to") {
		t.Errorf("a folder of a group: %d: %s", code, out)
	}
}

// TestHostileWords: what a node says of itself types nothing into a terminal, and ends
// in no trace.
func TestHostileWords(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	const evil = "\x1b]0;x\x07\u009b2J\nplasmd: \u007f"
	h.status = control.Status{
		State: evil, StartedAt: evil, DataDir: "/" + evil, RuntimeDir: evil, Worker: evil,
		Node: job.Node{
			PeerID: evil, Version: evil, OS: evil, Arch: evil, Addrs: []string{evil},
			Guards: []string{evil}, Engines: []job.NodeEngine{{Name: evil, Version: evil}},
		},
		Network:  control.Network{Reachability: evil, Relays: []string{evil}, Keys: []string{evil}, AnnouncedAt: evil},
		Allow:    control.Allow{File: "/" + evil},
		Contacts: []control.Contact{{PeerID: evil, Source: "bootstrap", State: "failed", Error: evil}},
	}
	h.answer()
	for _, args := range rootCommands() {
		out, _ := h.as(0, args...)
		if i := strings.IndexFunc(out, func(r rune) bool {
			return r < ' ' && r != '\n' || r >= 0x7f &&
				r < 0xa0
		}); i >= 0 {
			t.Errorf("plasmd %v writes a control character: %q", args, out)
		}
		if args[0] == "identity" && !strings.Contains(out, "does not say who it is") {
			t.Errorf("an identity that is none: %q", out)
		}
	}
}

// TestHostileKey: the key is no pipe that root waits at, and no way to what is root's.
func TestHostileKey(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	secret, intact := h.secret("s3same:x\n")
	for _, plant := range []func(string) error{
		func(path string) error { return syscall.Mkfifo(path, 0o600) },
		func(path string) error { return os.Symlink(secret, path) },
		func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		for _, file := range []string{"key.pem", "peers", "lock", "toml"} {
			must(t, os.RemoveAll(h.state+"/"+file))
			must(t, plant(h.state+"/"+file))
		}
		for _, args := range append(rootCommands(), []string{"doctor", "--config", h.state + "/toml"},
			[]string{"serve", "--config", h.state + "/toml"}) {
			if out, _ := h.as(0, args...); strings.Contains(out, "s3same") {
				t.Errorf("plasmd %v shows what is root's: %s", args, out)
			}
		}
	}
	intact()
}

// TestRootServesNobody: root runs no node on what another user can change.
func TestRootServesNobody(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	must(t, os.WriteFile(h.state+"/file", nil, 0o644))
	must(t, os.Chown(h.state+"/file", serviceUID, serviceUID))
	must(t, os.Mkdir(h.state+"/roots", 0o700)) // whose name the service can give to another
	must(t, os.Symlink(h.state+"/roots", h.root+"/link"))
	own := []string{
		"serve", "--listen", "/ip4/127.0.0.1/tcp/0", "--mdns=false", "--data-dir", h.root + "/d",
		"--runtime-dir", h.root + "/r",
	}
	for _, args := range [][]string{
		{"--data-dir", h.state},
		{"--data-dir", h.state + "/roots"},
		{"--data-dir", h.state + "/new"},
		{"--data-dir", h.root + "/link"},
		{"--runtime-dir", h.run},
		{"--config", h.state + "/file"},
		{"--config", h.state + "/file", "--print-config"},
		{"--allow-file", h.state + "/file"},
		{"--allow-file", h.state + "/new"},
		{"--network-key", h.state + "/file"},
		{"--worker", h.marks + "/worker"},
	} {
		out, code := h.as(0, append(own, args...)...)
		if code != 125 || !strings.Contains(out, "cannot be used by root") &&
			!strings.Contains(out, "others than its owner may write to") {
			t.Errorf("serve %v: %d: %s", args, code, out)
		}
		if args[0] == "--data-dir" && !strings.Contains(out, fmt.Sprintf("in the hands of user %d", serviceUID)) {
			t.Errorf("serve %v: %s", args, out)
		}
	}
	if _, err := os.Lstat(h.state + "/new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder was made at another user's: %v", err)
	}
}

// TestNodeOfAnotherUser: what root does at another user's node is that user's, and who
// may only ask edits nothing.
func TestNodeOfAnotherUser(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	h.answer()
	if out, code := h.as(0, "allow", somePeer); code != 0 || out != "plasmd: "+h.state+"/allow: added "+somePeer+"\n" {
		t.Errorf("root allows a peer: %d: %s", code, out)
	}
	info, err := os.Lstat(h.state + "/allow")
	must(t, err)
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || st.Uid != serviceUID || info.Mode() != 0o644 {
		t.Errorf("the allow file is %v, of %+v", info.Mode(), st)
	}
	if out, code := h.as(0, "allow", "--list"); code != 0 || out != somePeer+"\n" {
		t.Errorf("root lists who may submit: %d: %s", code, out)
	}
	if out, code := h.as(0, "identity"); code != 0 || out != somePeer+"\n" {
		t.Errorf("root asks who the node is: %d: %s", code, out)
	}
	own := h.marks + "/askers"
	must(t, os.WriteFile(own, nil, 0o600))
	must(t, os.Chown(own, askerUID, askerUID))
	h.says(func(s *control.Status) { s.Allow.File = own })
	if out, code := h.as(askerUID, "allow", somePeer); code != 125 || !strings.Contains(out, "sudo plasmd allow") {
		t.Errorf("another user edits what the node names: %d: %s", code, out)
	}
	if data, err := os.ReadFile(own); err != nil || len(data) > 0 {
		t.Errorf("what the node named now holds %q: %v", data, err)
	}
}
