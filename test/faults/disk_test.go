//go:build linux

package faults_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"plasm/test/netlab"
)

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for size := 1 << 20; size > 0; { // and the last bytes one by one
		if _, err := f.Write(make([]byte, size)); err == nil {
			continue
		} else if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		size /= 2
	}
}

// fullDisk says that an event tells of a full disk.
func fullDisk(event map[string]any) bool {
	for _, name := range []string{"error", "cause"} {
		if text, ok := event[name].(string); ok &&
			(strings.Contains(text, syscall.ENOSPC.Error()) || strings.Contains(text, "the disk has no room")) {
			return true
		}
	}
	return false
}

// TestDiskFull: a node's disk is full, from the start or from some moment of a job
// on. The job is done by another node, alone the reason is told; and when there is
// room again, the node works as before.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	for _, at := range []point{"before", accepted, halfway, running} {
		t.Run(string(at), func(t *testing.T) {
			t.Parallel()
			l := netlab.New(t)
			machines := l.LAN("user", "first", "second")
			u := newUser(t, machines[0])
			first := u.nodeStopping(machines[1])
			data := first.dir + "/data"
			smallDisk(t, data)
			first.ready()
			second := u.serve(machines[2])
			filler := data + "/filler"
			for _, beside := range []bool{true, false} {
				w := u.heavy()
				if at == running { // which is about the output
					w = u.ticks()
				}
				if at == "before" {
					fill(t, filler)
				} else {
					first.stopAt(at)
				}
				var got *submission
				if beside {
					got = w.submit(machines[0], first.peer(first.addr("tcp")), second.peer(second.addr("tcp")))
				} else {
					got = w.submitWith(machines[0], []string{"--retries", "0", "--deadline", "60s"},
						first.peer(first.addr("tcp")))
				}
				if at != "before" {
					first.stoppedFor(map[bool]int{true: 1, false: 2}[beside])
					fill(t, filler)
					first.resume()
				}
				switch {
				case beside:
					got.answers(second)
				case at == running: // it has started, and so there is a receipt: cancelled
					if code := got.code(); code != 125 || len(got.Stdout()) > 0 ||
						!strings.Contains(got.words(), "the node's disk is full") {
						t.Errorf("exit %d with %q: %s", code, got.Stdout(), got.words())
					}
				default:
					got.fails(125, first.id, "disk")
				}
				first.Event(patience, "storage failed", fullDisk)
				if at == running {
					first.Event(patience, "job.cancelled", fullDisk)
				}
				if bytes.Contains(first.Stderr(), []byte("panic")) {
					t.Error("it panics")
				}
				if err := os.Remove(filler); err != nil {
					t.Fatal(err)
				}
			}
			first.settle()
			second.settle()
		})
	}
}

// TestDiskFullOfFolders: a node's disk has less room than a job's folder has bytes. The job is
// done by another node, alone the reason is told; nothing of the folder is left there, and the
// node works as before.
func TestDiskFullOfFolders(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	machines := l.LAN("user", "first", "second")
	u := newUser(t, machines[0])
	first := u.node(machines[1])
	data := first.dir + "/data"
	smallDisk(t, data)
	first.ready()
	second := u.serve(machines[2])
	in := t.TempDir()
	for i := range 9 { // of 10 MiB, none like another
		if err := os.WriteFile(filepath.Join(in, strconv.Itoa(i)), bytes.Repeat([]byte{byte(i)}, 10<<20),
			0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := u.work("hello", []byte("abc"), []byte("cba"))
	w.takes(in)
	w.submit(machines[0], first.peer(first.addr("tcp")), second.peer(second.addr("tcp"))).answers(second)
	first.Event(patience, "storage failed", fullDisk)
	flags := []string{"--retries", "0", "--deadline", "60s"}
	w.submitWith(machines[0], flags, first.peer(first.addr("tcp"))).fails(125, first.id, "disk")
	eventually(t, "nothing of it is left", func() string {
		var left int64
		err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil //nolint:nilerr // it is just going
			}
			if info, err := d.Info(); err == nil {
				left += info.Size()
			}
			return nil
		})
		if err != nil || left > 5<<20 {
			return fmt.Sprintf("%d bytes, %v", left, err)
		}
		return ""
	})
	u.work("hello", []byte("abc"), []byte("cba")).submit(machines[0], first.peer(first.addr("tcp"))).answers(first)
	first.settle()
	second.settle()
}

// smallDisk mounts a file system of 64 MiB.
func smallDisk(t *testing.T, at string) {
	t.Helper()
	if err := os.Mkdir(at, 0o700); err != nil {
		t.Fatal(err)
	}
	mount := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=64m,mode=0700", "plasm", at)
	if out, err := mount.CombinedOutput(); err != nil {
		t.Fatalf("mount: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(at, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}
