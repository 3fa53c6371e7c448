//go:build linux

package test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"plasm/lib/sandbox/wire"
	"plasm/test/bin"
)

// message is what one side of the exchange says until the other one does.
type message struct {
	fromWorker bool
	data       []byte
}

// exchange reads the block of docs/worker-protocol.md that shows one.
func exchange(t *testing.T) []message {
	t.Helper()
	blocks := readPage(t, "docs/worker-protocol.md").blocks("exchange")
	if len(blocks) != 1 {
		t.Fatalf("%d exchanges", len(blocks))
	}
	var all []message
	for line := range strings.Lines(blocks[0]) {
		line, _, _ = strings.Cut(strings.TrimSuffix(line, "\n"), " ;")
		data, err := spelled(line[1:])
		if err != nil || (line[0] != '<' && line[0] != '>') {
			t.Fatalf("%q: %v", line, err)
		}
		if n := len(all); n == 0 || all[n-1].fromWorker != (line[0] == '<') {
			all = append(all, message{fromWorker: line[0] == '<'})
		}
		last := &all[len(all)-1]
		last.data = append(last.data, data...)
	}
	return all
}

// spelled returns the bytes that hex digits and quoted text stand for.
func spelled(text string) ([]byte, error) {
	var all []byte
	for _, word := range regexp.MustCompile(`'[^']*'|\S+`).FindAllString(text, -1) {
		if word[0] == '\'' {
			all = append(all, word[1:len(word)-1]...)
			continue
		}
		data, err := hex.DecodeString(word)
		if err != nil || len(data) != 1 {
			return nil, fmt.Errorf("%q is not a byte in hex", word)
		}
		all = append(all, data...)
	}
	return all, nil
}

// TestExchange has with a worker the conversation that the page shows.
func TestExchange(t *testing.T) {
	t.Parallel()
	programs := t.TempDir()
	if err := bin.Build(t.Context(), programs, "plasm-run"); err != nil {
		t.Fatal(err)
	}
	controlRead, control := openPipe(t)
	frames, framesWrite := openPipe(t)
	command := bin.Worker(programs)
	worker := exec.CommandContext(t.Context(), command[0], command[1:]...)
	worker.Env = []string{}
	worker.ExtraFiles = []*os.File{controlRead, framesWrite, sending(t, codeOf(t, programs, exchange(t)))}
	var stderr bytes.Buffer
	worker.Stderr = &stderr
	runtime.LockOSThread() // the worker ends with the thread
	defer runtime.UnlockOSThread()
	worker.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	for _, theirs := range worker.ExtraFiles {
		if err := theirs.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, m := range exchange(t) {
		if !m.fromWorker {
			if _, err := control.Write(m.data); err != nil {
				t.Fatalf("writing %q: %v\n%s", m.data, err, &stderr)
			}
			continue
		}
		got := make([]byte, len(m.data))
		if n, err := io.ReadFull(frames, got); err != nil || !bytes.Equal(got, m.data) {
			t.Fatalf("the worker says %q (%v), and the page\n%q\n%s", got[:n], err, m.data, &stderr)
		}
	}
	rest, err := io.ReadAll(frames)
	if err != nil || len(rest) > 0 {
		t.Errorf("the worker adds %q, %v", rest, err)
	}
	if err := worker.Wait(); err != nil {
		t.Errorf("the worker ends with %v\n%s", err, &stderr)
	}
}

// codeOf returns the machine code of the module in an exchange.
func codeOf(t *testing.T, programs string, all []message) *os.File {
	t.Helper()
	var sent bytes.Buffer
	for _, m := range all {
		if !m.fromWorker {
			sent.Write(m.data)
		}
	}
	frames := wire.NewReader(&sent)
	for {
		kind, _, err := frames.Next()
		if err != nil {
			t.Fatal(err)
		}
		if kind != wire.Module {
			continue
		}
		module, err := frames.Payload()
		if err != nil {
			t.Fatal(err)
		}
		return kept(t, programs, module)
	}
}

// kept opens the machine code that plasm-run keeps of a module.
func kept(t *testing.T, programs string, module []byte) *os.File {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "module.wasm")
	err := os.WriteFile(file, module, 0o600)
	if err == nil {
		run := exec.CommandContext(t.Context(), filepath.Join(programs, "plasm-run"), "--cache-dir",
			filepath.Join(dir, "cache"), "--no-stdin", file)
		run.Env = []string{"HOME=" + dir}
		err = run.Run()
	}
	found, _ := filepath.Glob(filepath.Join(dir, "cache", "*", "code")) // the pattern is sound
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	code, err := os.Open(found[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = code.Close() })
	return code
}

// sending returns a socket to which a descriptor has been sent.
func sending(t *testing.T, f *os.File) *os.File {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.Sendmsg(pair[0], []byte{0}, unix.UnixRights(int(f.Fd())), nil, 0)
	}
	if err == nil {
		err = unix.Close(pair[0])
	}
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(pair[1]), "socket")
}

func openPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = r.Close() // one of the two ends is closed already
		_ = w.Close()
	})
	return r, w
}
