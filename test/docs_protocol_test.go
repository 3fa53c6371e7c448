//go:build linux

package test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

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
	worker.ExtraFiles = []*os.File{controlRead, framesWrite}
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
