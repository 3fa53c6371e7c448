package control

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
)

const addr = "/ip4/192.0.2.7/tcp/7527/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// user is this one, without an environment.
func user() User { return User{Getenv: func(string) string { return "" }, UID: os.Geteuid()} }

// folders returns the locked folders of a node.
func folders(t *testing.T) *Folders {
	t.Helper()
	dir := t.TempDir()
	f, err := OpenFolders(filepath.Join(dir, "data"), filepath.Join(dir, "run"))
	must(t, err)
	t.Cleanup(f.Close)
	return f
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	must(t, err)
	return info.Mode()
}

func TestAddrsComeBack(t *testing.T) {
	t.Parallel()
	f := folders(t)
	want := []string{addr, "/ip6/2001:db8::7/udp/7527/quic-v1/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"}
	for range 2 { // the second time in place of the first
		must(t, f.WriteAddrs(want))
		got, err := user().ReadAddrs(f.Runtime)
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("addresses (-want +got):\n%s", diff)
		}
	}
	if got := mode(t, filepath.Join(f.Runtime, "addrs")); got != 0o644 {
		t.Errorf("addrs has mode %v", got)
	}
	left, err := filepath.Glob(filepath.Join(f.Runtime, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	must(t, f.RemoveAddrs())
	if _, err := user().ReadAddrs(f.Runtime); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after removal: %v", err)
	}
	must(t, f.RemoveAddrs())
}

func TestAddrsThatAreNone(t *testing.T) {
	t.Parallel()
	f := folders(t)
	for name, bad := range map[string]string{
		"no slash":    "ip4/192.0.2.7",
		"nothing":     "",
		"line break":  addr + "\n" + addr + "\nx",
		"escape":      "/ip4/\x1b[2J",
		"space":       "/ip4/ 192.0.2.7",
		"not ASCII":   "/dns4/é",
		"too long":    "/" + strings.Repeat("x", maxAddr),
		"only slash":  "/",
		"in brackets": "[" + addr + "]",
	} {
		err := f.WriteAddrs([]string{addr, bad})
		if e, ok := errors.AsType[*job.Error](err); !ok || strings.ContainsAny(e.Message, "\n\x1b") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Lstat(filepath.Join(f.Runtime, "addrs")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a file was written: %v", name, err)
		}
	}
	must(t, os.WriteFile(filepath.Join(f.Runtime, "addrs"), bytes.Repeat([]byte(addr+"\n"), maxAddrs/len(addr)+1),
		0o644))
	if _, err := user().ReadAddrs(f.Runtime); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("a file that is too long: %v", err)
	}
}

// TestPlantedAddrs is about what others than a node's user can do to its runtime
// folder. Each case begins with a folder, base/run, and addrs in it, all of which
// belong to this user, who is not necessarily the one who asks.
func TestPlantedAddrs(t *testing.T) {
	t.Parallel()
	base := filepath.Dir
	file := func(dir string) string { return filepath.Join(dir, "addrs") }
	remake := func(t *testing.T, dir string, node func(string) error) {
		t.Helper()
		must(t, os.Remove(file(dir)))
		must(t, node(file(dir)))
	}
	tests := []struct {
		name  string
		plant func(t *testing.T, dir string)
		want  string // in the error; "" where the addresses are believed
	}{
		{"as it should be", func(*testing.T, string) {}, ""},
		{"a world-writable folder above, with the sticky bit", func(t *testing.T, dir string) {
			t.Helper()
			must(t, os.Chmod(base(dir), 0o777|fs.ModeSticky))
		}, ""},
		{"a world-writable folder above", func(t *testing.T, dir string) {
			t.Helper()
			must(t, os.Chmod(base(dir), 0o777))
		}, "others than its owner may write to"},
		{"a world-writable folder", func(t *testing.T, dir string) {
			t.Helper()
			must(t, os.Chmod(dir, 0o777))
		}, "others than its owner may write to"},
		{"a world-writable file", func(t *testing.T, dir string) {
			t.Helper()
			must(t, os.Chmod(file(dir), 0o666))
		}, "others than its owner may write to"},
		{"a link in place of the file", func(t *testing.T, dir string) {
			t.Helper()
			must(t, os.Rename(file(dir), filepath.Join(dir, "real")))
			must(t, os.Symlink("real", file(dir)))
		}, "symbolic link"},
		{"a link to a folder", func(t *testing.T, dir string) {
			t.Helper()
			must(t, os.Rename(dir, filepath.Join(base(dir), "real")))
			must(t, os.Symlink("../"+filepath.Base(base(dir))+"/./real", dir))
		}, ""},
		{"a link to a folder in a world-writable one", func(t *testing.T, dir string) {
			t.Helper()
			must(t, os.Mkdir(filepath.Join(base(dir), "open"), 0o777))
			must(t, os.Chmod(filepath.Join(base(dir), "open"), 0o777))
			must(t, os.Rename(dir, filepath.Join(base(dir), "open", "real")))
			must(t, os.Symlink(filepath.Join(base(dir), "open", "real"), dir))
		}, "others than its owner may write to"},
		{"a link to itself", func(t *testing.T, dir string) {
			t.Helper()
			must(t, os.RemoveAll(dir))
			must(t, os.Symlink("run", dir))
		}, "too many levels of symbolic links"},
		{"a file in place of the folder", func(t *testing.T, dir string) {
			t.Helper()
			must(t, os.RemoveAll(dir))
			must(t, os.WriteFile(dir, nil, 0o644))
		}, "not a directory"},
		{"a named pipe", func(t *testing.T, dir string) {
			t.Helper()
			remake(t, dir, func(name string) error { return syscall.Mkfifo(name, 0o644) })
		}, "not a regular file"},
		{"a folder in place of the file", func(t *testing.T, dir string) {
			t.Helper()
			remake(t, dir, func(name string) error { return os.Mkdir(name, 0o755) })
		}, "not a regular file"},
		{"a huge file", func(t *testing.T, dir string) {
			t.Helper()
			must(t, os.Truncate(file(dir), 1<<40))
		}, "longer than"},
		{"not addresses", func(t *testing.T, dir string) {
			t.Helper()
			must(t, os.WriteFile(file(dir), []byte("\x7fELF\x00\n"), 0o644))
		}, "line 1 is not a multiaddress"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := planted(t)
			test.plant(t, dir)
			checkBelieved(t, user(), dir, test.want)
		})
	}
}

// planted makes a runtime folder with addresses, two folders below the test's own.
func planted(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "base", "run")
	must(t, os.MkdirAll(dir, 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "addrs"), []byte(addr+"\n"), 0o644))
	return dir
}

// checkBelieved checks what u makes of a runtime folder, without waiting for ever.
func checkBelieved(t *testing.T, u User, dir, want string) {
	t.Helper()
	type answer struct {
		addrs []string
		err   error
	}
	got := make(chan answer, 1)
	go func() {
		addrs, err := u.ReadAddrs(dir)
		got <- answer{addrs, err}
	}()
	select {
	case a := <-got:
		switch {
		case want == "" && (a.err != nil || !cmp.Equal(a.addrs, []string{addr})):
			t.Errorf("got %v, %v; the address was to be believed", a.addrs, a.err)
		case want != "" && (a.err == nil || !strings.Contains(a.err.Error(), want)):
			t.Errorf("got %v, %v; want an error with %q", a.addrs, a.err, want)
		}
	case <-time.After(time.Minute):
		t.Fatal("still reading")
	}
}

// TestOtherOwners needs root: files of several users are made.
func TestOtherOwners(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Log("not as root: only root can give files away")
		return
	}
	const root, caller, service, stranger = 0, 1000, 999, 1001
	tests := []struct {
		name            string
		base, dir, file int         // their owners
		baseMode        fs.FileMode // 0: 0755
		dirMode         fs.FileMode // 0: 0755
		want            string
	}{
		{"all root's", root, root, root, 0, 0, ""},
		{"all the caller's", caller, caller, caller, 0, 0, ""},
		{"a service's folder", root, service, service, 0, 0, ""},
		{"a service's two folders", service, service, service, 0, 0, ""},
		{"root's file in a service's folder", root, service, root, 0, 0, ""},
		{"a stranger's file in root's folder", root, root, stranger, 0, 0, "belongs to user 1001"},
		{"a stranger's file in the caller's folder", caller, caller, stranger, 0, 0, "belongs to user 1001"},
		{"a stranger's file in a service's folder", root, service, stranger, 0, 0, "belongs to user 1001"},
		{
			"a stranger's file in a sticky folder", root, root, stranger, 0, 0o777 | fs.ModeSticky,
			"belongs to user 1001",
		},
		{"root's file in a sticky folder", root, root, root, 0, 0o777 | fs.ModeSticky, ""},
		{
			"a stranger's folder in a sticky one", root, stranger, stranger, 0o777 | fs.ModeSticky, 0,
			"belongs to user 1001",
		},
		{"the caller's folder in a sticky one", root, caller, caller, 0o777 | fs.ModeSticky, 0, ""},
		{"a service's folder in a stranger's", stranger, service, service, 0, 0, "belongs to user 999"},
		{
			"the caller's file in a stranger's sticky folder", root, stranger, caller, 0o777 | fs.ModeSticky,
			0o777 | fs.ModeSticky, "belongs to user 1001",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := planted(t)
			base := filepath.Dir(dir)
			must(t, os.Chown(filepath.Join(dir, "addrs"), test.file, test.file))
			must(t, os.Chown(dir, test.dir, test.dir))
			must(t, os.Chown(base, test.base, test.base))
			if test.baseMode != 0 {
				must(t, os.Chmod(base, test.baseMode))
			}
			if test.dirMode != 0 {
				must(t, os.Chmod(dir, test.dirMode))
			}
			checkBelieved(t, User{Getenv: os.Getenv, UID: caller}, dir, test.want)
		})
	}
}

func TestLocalAddrsLooksEverywhere(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	env := map[string]string{
		"HOME":              home,
		"XDG_RUNTIME_DIR":   filepath.Join(home, "xdg"),
		"RUNTIME_DIRECTORY": filepath.Join(home, "service"),
		"STATE_DIRECTORY":   filepath.Join(home, "state"),
	}
	u := User{Getenv: func(name string) string { return env[name] }, UID: os.Geteuid()}
	var want []string
	for i, dir := range []string{"service", "xdg/plasmd", "state/run", ".local/share/plasmd/run"} {
		dir = filepath.Join(home, dir)
		must(t, os.MkdirAll(dir, 0o755))
		want = append(want, addr+strings.Repeat("x", i))
		must(t, os.WriteFile(filepath.Join(dir, "addrs"), []byte(want[i]+"\n"), 0o644))
	}
	must(t, os.Chmod(filepath.Join(home, "service"), 0o777)) // one that is not believed
	addrs, refused := u.LocalAddrs()
	got := addrs[:0:0]
	for _, a := range addrs { // this machine may have a node
		if strings.HasPrefix(a, addr) {
			got = append(got, a)
		}
	}
	if diff := cmp.Diff(want[1:], got); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	if len(refused) == 0 || !strings.Contains(refused[0].Error(), filepath.Join(home, "service", "addrs")) {
		t.Errorf("not believed: %v", refused)
	}
}

func FuzzParseAddrs(f *testing.F) {
	f.Add([]byte(addr + "\n" + addr))
	f.Add([]byte("\n"))
	f.Add([]byte("/\x00\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		addrs, err := parseAddrs(data)
		if err != nil {
			return
		}
		if text := strings.Join(addrs, "\n"); strings.TrimSuffix(string(data), "\n") != text {
			t.Errorf("%q was read as %q", data, addrs)
		}
		for _, a := range addrs {
			if len(a) < 2 || len(a) > maxAddr || a[0] != '/' {
				t.Errorf("%q is an address", a)
			}
		}
	})
}
