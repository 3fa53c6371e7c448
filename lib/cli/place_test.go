package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestFileBehindLink: where a link and ".." lead, the file system says.
func TestFileBehindLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "deep", "er"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("deep/er", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(dir+"/link/../out", []byte("x")); err != nil ||
		names(t, filepath.Join(dir, "deep")) != "er out" {
		t.Errorf("%v; there is %s", err, names(t, filepath.Join(dir, "deep")))
	}
	if err := WriteFile(dir+"/new/", []byte("x")); err == nil || names(t, dir) != "deep link" {
		t.Errorf("a name with a final slash: %v, %s", err, names(t, dir))
	}
}

// TestFileOfDescriptor: a descriptor is written on from where it stands, and its file
// stays the one that others have open.
func TestFileOfDescriptor(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "out")
	write(t, name, "before\n")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for _, dir := range []string{"/dev/fd/", "/proc/self/fd/"} {
		if _, err := os.Stat(dir); err != nil {
			continue
		}
		if err := WriteFile(dir+itoa(f.Fd()), []byte(dir+"\n")); err != nil {
			t.Error(err)
		}
	}
	if _, err := f.WriteString("after\n"); err != nil {
		t.Error(err)
	}
	if got := content(t, name); !strings.HasPrefix(got, "before\n/dev/fd/\n") || !strings.HasSuffix(got, "after\n") {
		t.Errorf("the file has %q", got)
	}
	r, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if f, err := CreateFile(t.Context(), "/dev/fd/"+itoa(r.Fd())); err == nil {
		f.Discard()
		t.Error("a descriptor that is only read can be written to")
	}
}

func itoa(fd uintptr) string { return strconv.Itoa(int(fd)) }

// TestFileInFixedFolder: a file whose folder cannot be written to is written over when
// its content is known, and keeps its inode.
func TestFileInFixedFolder(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 { // who may write everywhere
		asNobody(t)
		return
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "out")
	write(t, name, "old content")
	before := inode(t, name)
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	if err := WriteFile(name, []byte("new")); err != nil || content(t, name) != "new" || inode(t, name) != before {
		t.Errorf("%v; it has %q", err, content(t, name))
	}
	if err := WriteFile(filepath.Join(dir, "other"), []byte("new")); err == nil {
		t.Error("a new file is there")
	}
}

// asNobody runs the test as a user without rights.
func asNobody(t *testing.T) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = []string{"TMPDIR=/tmp"} // open to all
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v: %s", err, out)
	}
}

func inode(t *testing.T, name string) uint64 {
	t.Helper()
	var s syscall.Stat_t
	if err := syscall.Stat(name, &s); err != nil {
		t.Fatal(err)
	}
	return s.Ino
}
