package custody

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestPrivateGroups: a group is a user's own only where nobody else is in it.
func TestPrivateGroups(t *testing.T) {
	t.Parallel()
	const users = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/:/bin/sh\nbob:x:1001:1001::/:/bin/sh\n" +
		"cid:x:1002:100::/:/bin/sh\nshort\n"
	const groups = "root:x:0:\nusers:x:100:\nann:x:1000:ann\nbob:x:1001:ann, bob\nempty:x:1003:\n"
	for _, test := range []struct {
		uid, gid int
		want     bool
	}{
		{1000, 1000, true},
		{1001, 1001, false}, // ann is in it
		{1002, 100, true},
		{1000, 1001, false},
		{1000, 1003, false}, // nobody's
		{1000, 1004, false}, // not listed
		{1005, 1005, false},
	} {
		if got := privateIn([]byte(users), []byte(groups), test.uid, test.gid); got != test.want {
			t.Errorf("group %d is user %d's own: %v", test.gid, test.uid, got)
		}
	}
	if privateIn([]byte(users+"dan:x:1006:1000::/:/bin/sh\n"), []byte(groups), 1000, 1000) {
		t.Error("a group of two users is one's own")
	}
	for uid, want := range map[int]string{
		0: "root 65534 []", 1000: "ann 1000 [1000 1001]", 1001: "bob 1001 [1001]",
		1002: "cid 100 []", 7: " 65534 []",
	} {
		name, gid, all := accountIn([]byte(users), []byte(groups), uid)
		if got := fmt.Sprint(name, " ", gid, " ", all); got != want {
			t.Errorf("user %d is %s, want %s", uid, got, want)
		}
	}
	if private(0, 0) {
		t.Error("root's group is one user's own")
	}
}

// TestGroupsThatMayWrite: a folder in which a group may replace what is there is as bad
// as one that is open to everybody; and so is a file that a group may write to.
func TestGroupsThatMayWrite(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	must(t, os.MkdirAll(dir, 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "file"), []byte("words"), 0o644))
	above := filepath.Dir(dir)
	if os.Geteuid() == 0 { // a group that is not this user's own
		for _, path := range []string{above, dir, filepath.Join(dir, "file")} {
			must(t, os.Chown(path, -1, 61234))
		}
	} else if private(os.Getuid(), os.Getgid()) {
		t.Log("this user's group is private: nothing is open to others")
		return
	}
	for _, test := range []struct {
		path string
		mode fs.FileMode
		want string
	}{
		{"", 0, ""},
		{dir, 0o775, "others than its owner may write to " + dir + " (mode 0775)"},
		{above, 0o775, "others than its owner may write to " + above + " (mode 0775)"},
		{above, 0o775 | fs.ModeSticky, ""},
		{filepath.Join(dir, "file"), 0o664, "others than its owner may write to " + filepath.Join(dir, "file") +
			" (mode 0664)"},
	} {
		if test.path != "" {
			must(t, os.Chmod(test.path, test.mode))
		}
		f, err := Open(os.Geteuid(), dir)
		if err == nil {
			_, err = f.ReadFile("file", 10)
			f.Close()
		}
		if test.want == "" && err != nil || test.want != "" &&
			(err == nil || !strings.HasSuffix(err.Error(), test.want)) {
			t.Errorf("%s %v: %v, want %q", test.path, test.mode, err, test.want)
		}
		if test.path != "" {
			must(t, os.Chmod(test.path, 0o755))
		}
	}
}

// TestOf needs root: files of several users are made.
func TestOf(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Log("not as root: only root can give files away")
		return
	}
	const service = 61234
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "service", "sub"), 0o755))
	must(t, os.Chown(filepath.Join(dir, "service"), service, service))
	must(t, os.Mkdir(filepath.Join(dir, "root"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "root", "given"), nil, 0o644))
	must(t, os.Chown(filepath.Join(dir, "root", "given"), service, service))
	must(t, os.Symlink("../service/sub/x", filepath.Join(dir, "root", "in")))
	must(t, os.Symlink(filepath.Join(dir, "root"), filepath.Join(dir, "service", "out")))
	must(t, os.Symlink("loop", filepath.Join(dir, "root", "loop")))
	for path, want := range map[string]int{
		"root": Nobody, "root/none": Nobody, "root/none/none": Nobody, "root/given": service,
		"service": service, "service/none/none": service, "service/sub": service, "root/in": service,
		"service/out": service, "service/out/none": service,
		"root/in/..": service, "service/..": service, // by way of what the service can change
	} {
		if got, err := Of(0, filepath.Join(dir, "root", "..")+"/"+path); err != nil || got != want {
			t.Errorf("%s is in the hands of %d, %v; want %d", path, got, err, want)
		}
	}
	if _, err := Of(0, filepath.Join(dir, "root", "loop")); err == nil {
		t.Error("a link to itself is in somebody's hands")
	}
	for path, want := range map[string]string{
		"root/in": "service/sub x", "root/given": "root given",
		"service/out/new": "root new", "root": " root",
	} {
		f, name, err := Find(0, filepath.Join(dir, path))
		must(t, err)
		if got := strings.TrimPrefix(strings.TrimPrefix(f.Path(), dir), "/") + " " + name; got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
		f.Close()
	}
}
