package control

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
)

// TestMain lets the test program be a node that does nothing but hold its folders.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "hold" {
		_, _ = os.Stderr.WriteString(hold(os.Args[2], os.Args[3]).Error())
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// hold keeps two folders, and a socket and addresses in them, until it is killed.
// It returns only when it cannot.
func hold(data, runtime string) error {
	f, err := OpenFolders(data, runtime)
	if err != nil {
		return err
	}
	if _, err = f.Listen(&fakeNode{}); err == nil {
		err = f.WriteAddrs([]string{addr})
	}
	if err != nil {
		return err
	}
	_, _ = os.Stdout.WriteString("held\n")
	for {
		<-time.After(time.Hour) // a timer, as a program without one that waits is dead to Go
	}
}

func TestDefaultFolders(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		uid           int
		env           map[string]string
		data, runtime string
	}{
		{
			"root", 0,
			map[string]string{"HOME": "/root", "XDG_RUNTIME_DIR": "/run/user/0", "XDG_DATA_HOME": "/x"},
			"/var/lib/plasmd", "/run/plasmd",
		},
		{
			"a service", 0,
			map[string]string{"STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "RUNTIME_DIRECTORY": "/run/a:/run/b"},
			"/var/lib/a", "/run/a",
		},
		{
			"a user in a session", 1000,
			map[string]string{"HOME": "/home/u", "XDG_RUNTIME_DIR": "/run/user/1000", "XDG_DATA_HOME": "/home/u/data"},
			"/home/u/data/plasmd", "/run/user/1000/plasmd",
		},
		{
			"a user without one", 1000,
			map[string]string{"HOME": "/home/u"},
			"/home/u/.local/share/plasmd",
			"/home/u/.local/share/plasmd/run",
		},
		{
			"paths that are not absolute", 1000,
			map[string]string{
				"HOME": "/home/u", "XDG_RUNTIME_DIR": "run", "XDG_DATA_HOME": "data",
				"STATE_DIRECTORY": "state", "RUNTIME_DIRECTORY": "./run",
			},
			"/home/u/.local/share/plasmd", "/home/u/.local/share/plasmd/run",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			u := User{Getenv: func(name string) string { return test.env[name] }, UID: test.uid}
			data, err := u.DataDir()
			must(t, err)
			runtime := u.RuntimeDir(data)
			if data != test.data || runtime != test.runtime {
				t.Errorf("got %s, %s; want %s, %s", data, runtime, test.data, test.runtime)
			}
			if dirs := u.RuntimeDirs(); !cmp.Equal([]string{runtime}, intersection(dirs, runtime)) {
				t.Errorf("a client looks in %q, and not once in %s", dirs, runtime)
			}
			if root := u.RuntimeDirs(); !cmp.Equal([]string{"/run/plasmd"}, intersection(root, "/run/plasmd")) {
				t.Errorf("a client looks in %q, and not once in root's", root)
			}
		})
	}
	_, err := User{Getenv: func(string) string { return "" }, UID: 1000}.DataDir()
	if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeUsage {
		t.Errorf("nobody's data: %v", err)
	}
}

func intersection(list []string, with string) []string {
	var both []string
	for _, s := range list {
		if s == with {
			both = append(both, s)
		}
	}
	return both
}

func TestFoldersAreMadeAndLocked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, runtime := filepath.Join(dir, "new", "data"), filepath.Join(dir, "new", "data", "run")
	f, err := OpenFolders(data, runtime)
	must(t, err)
	for path, want := range map[string]fs.FileMode{data: 0o700, runtime: 0o755} {
		if got := mode(t, path); got != want|fs.ModeDir {
			t.Errorf("%s has mode %v, want %v", path, got, want)
		}
	}
	for _, other := range [][2]string{{data, filepath.Join(dir, "other")}, {filepath.Join(dir, "another"), runtime}} {
		_, err := OpenFolders(other[0], other[1])
		e, ok := errors.AsType[*job.Error](err)
		want := "another plasmd runs in this folder: "
		if !ok || !strings.HasPrefix(e.Message, want) ||
			!strings.HasSuffix(e.Message, " (process "+strconv.Itoa(os.Getpid())+")") {
			t.Errorf("a second node: %v", err)
		}
	}
	f.Close()
	for _, folder := range []string{data, filepath.Join(dir, "nowhere")} {
		if got, running, err := HolderOf(folder); err != nil || running {
			t.Errorf("who runs in %s: %+v, %v, %v", folder, got, running, err)
		}
	}
	freed(t, data, runtime)
	freed(t, data, data)
}

// freed checks that the folders can be taken again. A program that another test
// starts at that moment holds what was open until it runs, and so the lock.
func freed(t *testing.T, data, runtime string) {
	t.Helper()
	for late := time.After(time.Minute); ; {
		f, err := OpenFolders(data, runtime)
		if err == nil {
			f.Close()
			return
		}
		select {
		case <-time.After(time.Millisecond):
		case <-late:
			t.Fatal(err)
		}
	}
}

func TestFoldersThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	must(t, os.Mkdir(filepath.Join(dir, "open"), 0o777))
	must(t, os.Chmod(filepath.Join(dir, "open"), 0o777|fs.ModeSticky))
	must(t, os.MkdirAll(filepath.Join(dir, "linked"), 0o700))
	must(t, os.Symlink("../file", filepath.Join(dir, "linked", "lock")))
	for data, want := range map[string]string{
		"file": "--data-dir: folder cannot be written: " + filepath.Join(dir, "file") + ": not a directory",
		"file/below": "--data-dir: folder cannot be used: " + filepath.Join(dir, "file", "below") +
			": not a directory",
		"open": "others than its owner may write to this folder: " + filepath.Join(dir, "open") + " (mode 0777)",
		"linked": "--data-dir: folder cannot be written: " + filepath.Join(dir, "linked") +
			": too many levels of symbolic links",
		"/proc/plasm": "--data-dir: folder cannot be used: /proc/plasm: no such file or directory",
	} {
		path := data
		if !filepath.IsAbs(data) {
			path = filepath.Join(dir, data)
		}
		_, err := OpenFolders(path, filepath.Join(dir, "run"))
		e, ok := errors.AsType[*job.Error](err)
		if !ok || e.Code != job.CodeIO || e.Message != want || e.Fact == "" || e.Detail != "data" {
			t.Errorf("%s: %v", data, err)
		}
	}
}

// TestAfterKill shows that nothing that a killed node left hinders the next one,
// nor is believed.
func TestAfterKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, runtime := filepath.Join(dir, "d"), filepath.Join(dir, "r")
	self, err := os.Executable()
	must(t, err)
	node := exec.Command("sh", "-c", `umask 077; exec "$0" "$@"`, self, "hold", data, runtime) // which changes no mode
	node.Stderr = os.Stderr
	stdout, err := node.StdoutPipe()
	must(t, err)
	must(t, node.Start())
	_, err = stdout.Read(make([]byte, 5))
	must(t, err)
	if nodes, unheard := user().Running(t.Context(), []string{runtime}); len(nodes) != 1 || len(unheard) != 0 {
		t.Errorf("a living node: %v %v", nodes, unheard)
	}
	for path, want := range map[string]fs.FileMode{
		data: 0o700 | fs.ModeDir, runtime: 0o755 | fs.ModeDir,
		filepath.Join(runtime, "addrs"): 0o644, filepath.Join(runtime, "control.sock"): 0o660 | fs.ModeSocket,
	} {
		if got := mode(t, path); got != want {
			t.Errorf("%s has mode %v, want %v", path, got, want)
		}
	}
	if _, err := OpenFolders(data, runtime); err == nil ||
		!strings.Contains(err.Error(), strconv.Itoa(node.Process.Pid)) {
		t.Errorf("beside a living node: %v", err)
	}
	for _, folder := range []string{data, runtime} {
		if got, running, err := HolderOf(folder); err != nil || !running || got != (Holder{node.Process.Pid, runtime}) {
			t.Errorf("who runs in %s: %+v, %v, %v", folder, got, running, err)
		}
	}
	must(t, node.Process.Kill())
	_ = node.Wait()

	for late := time.After(time.Minute); ; { // a program that another test starts may hold the lock until it runs
		got, running, err := HolderOf(data)
		must(t, err)
		if !running {
			break
		}
		select {
		case <-time.After(time.Millisecond):
		case <-late:
			t.Fatalf("a dead node runs: %+v", got)
		}
	}
	if nodes, unheard := user().Running(t.Context(), []string{runtime}); len(nodes)+len(unheard) > 0 {
		t.Errorf("of a dead node: %v %v", nodes, unheard)
	}
	f, err := OpenFolders(data, runtime)
	must(t, err)
	defer f.Close()
	if _, err := user().ReadAddrs(runtime); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the dead node's addresses: %v", err)
	}
	s, err := f.Listen(&fakeNode{})
	must(t, err)
	if nodes, unheard := user().Running(t.Context(), []string{runtime}); len(nodes) != 1 || len(unheard) != 0 {
		t.Errorf("the next node: %v %v", nodes, unheard)
	}
	must(t, s.Close())
}
