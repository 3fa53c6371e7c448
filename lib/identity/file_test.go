package identity

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"plasm/lib/job"
)

// code returns the job.Code of err, "" for none.
func code(err error) job.Code {
	if e, ok := errors.AsType[*job.Error](err); ok {
		return e.Code
	}
	return ""
}

func fact(err error) job.Fact {
	if e, ok := errors.AsType[*job.Error](err); ok {
		return e.Fact
	}
	return ""
}

func hint(err error) string {
	if e, ok := errors.AsType[*job.Error](err); ok {
		return e.Hint
	}
	return ""
}

func writeKey(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(rfc8032PEM), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestDefaultPath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ data, home, want string }{
		{"/data", "/home/u", "/data/plasm/key.pem"},
		{"", "/home/u", "/home/u/.local/share/plasm/key.pem"},
		{"relative", "/home/u", "/home/u/.local/share/plasm/key.pem"},
		{"/data", "", "/data/plasm/key.pem"},
		{"", "", ""},
		{"", "relative", ""},
	} {
		got, err := DefaultPath(func(name string) string {
			return map[string]string{"XDG_DATA_HOME": c.data, "HOME": c.home}[name]
		})
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("XDG_DATA_HOME=%q HOME=%q: %q, %v, want %q", c.data, c.home, got, err, c.want)
		}
		if err != nil && fact(err) != job.FactNoHome {
			t.Errorf("fact %q", fact(err))
		}
	}
}

func TestLoadOrCreateMakesAPrivateFile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	path := filepath.Join(dir, "key.pem")
	key, created, err := LoadOrCreate(path, "")
	if err != nil || !created {
		t.Fatalf("created %v, %v", created, err)
	}
	for name, want := range map[string]fs.FileMode{path: 0o600, dir: 0o700, filepath.Dir(dir): 0o700} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v, want %v", name, info.Mode(), err, want)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("something was left beside the key: %v, %v", entries, err)
	}
	again, created, err := LoadOrCreate(path, "")
	if err != nil || created || again.PeerID() != key.PeerID() {
		t.Errorf("second call: created %v, %v", created, err)
	}
	loaded, err := Load(path, "")
	if err != nil || loaded.PeerID() != key.PeerID() {
		t.Errorf("Load: %v", err)
	}
}

func TestLoadOrCreateAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "plasm", "key.pem")
	const callers = 16
	ids := make([]string, callers)
	makers := make([]bool, callers)
	var ready, done sync.WaitGroup
	ready.Add(callers)
	for i := range callers {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			key, created, err := LoadOrCreate(path, "")
			if err != nil {
				t.Error(err)
				return
			}
			ids[i], makers[i] = key.PeerID(), created
		})
	}
	done.Wait()
	made := 0
	for i := range ids {
		if ids[i] != ids[0] {
			t.Errorf("caller %d has key %s, caller 0 has %s", i, ids[i], ids[0])
		}
		if makers[i] {
			made++
		}
	}
	if made != 1 {
		t.Errorf("%d callers made the key, want 1", made)
	}
}

func TestInstallNeverReplaces(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key.pem")
	writeKey(t, path, 0o600)
	if err := install(path, []byte("other")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("install over a file: %v", err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != rfc8032PEM {
		t.Errorf("the file was changed: %q, %v", data, err)
	}
}

func TestLoadRefusesOpenModes(t *testing.T) {
	t.Parallel()
	for mode, ok := range map[fs.FileMode]bool{
		0o600: true, 0o400: true, 0o700: true,
		0o640: false, 0o604: false, 0o644: false, 0o660: false, 0o602: false, 0o666: false,
	} {
		path := filepath.Join(t.TempDir(), "it's key.pem") // each its own: one of 0400 cannot be written again
		writeKey(t, path, mode)
		key, err := Load(path, "")
		if ok {
			if err != nil || key.PeerID() != rfc8032PeerID {
				t.Errorf("mode %o: %v", mode, err)
			}
			continue
		}
		if code(err) != job.CodeBadKey || !strings.Contains(err.Error(), path) {
			t.Errorf("mode %o: %v", mode, err)
		}
		if want := "chmod 600 '" + strings.Replace(path, "'", `'\''`, 1) + "'"; hint(err) != want {
			t.Errorf("mode %o: hint %q, want %q", mode, hint(err), want)
		}
		if _, _, err := LoadOrCreate(path, ""); code(err) != job.CodeBadKey {
			t.Errorf("mode %o: LoadOrCreate: %v", mode, err)
		}
	}
}

func TestLoadBelowCredentials(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	credentials, inside := filepath.Join(root, "credentials"), filepath.Join(root, "credentials", "key")
	beside := filepath.Join(root, "credentials-not", "key")
	for _, path := range []string{inside, beside} {
		if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		writeKey(t, path, 0o440)
	}
	into, outOf := filepath.Join(root, "into"), filepath.Join(credentials, "out")
	if err := errors.Join(os.Symlink(inside, into), os.Symlink(beside, outOf)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path, credentials string
		ok                bool
	}{
		{inside, credentials, true},
		{inside, credentials + "/", true},
		{into, credentials, true},
		{inside, "", false},
		{inside, ".", false},
		{inside, filepath.Join(root, "missing"), false},
		{inside, inside, false},
		{beside, credentials, false},
		{outOf, credentials, false},
		{filepath.Join(credentials, "..", "credentials-not", "key"), credentials, false},
	} {
		if _, err := Load(c.path, c.credentials); (err == nil) != c.ok {
			t.Errorf("Load(%s, %s): %v, want ok %v", c.path, c.credentials, err, c.ok)
		}
	}
}

func TestLoadRefusesWhatIsNoKeyFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, data string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{dir, "not a regular file"},
		{fifo, "not a regular file"},
		{file("empty", ""), "is empty"},
		{file("large", strings.Repeat("x", maxPEM+1)), "too large"},
		{file("text", "hello"), "not a PEM file"},
		{filepath.Join(file("file", "x"), "key"), "not a directory"},
	} {
		_, err := Load(c.path, "")
		if code(err) != job.CodeBadKey || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), c.path) {
			t.Errorf("%s: %s %v, want bad_key, %q", c.path, code(err), err, c.want)
		}
	}
}

func TestLoadMissing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "none")
	if _, err := Load(path, ""); code(err) != job.CodeNotFound || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: %v", code(err), err)
	}
}

func TestKeyErrorForbidden(t *testing.T) {
	t.Parallel() // root may read everything, so the error is made by hand
	err := keyError("key.pem", &fs.PathError{Op: "open", Path: "key.pem", Err: syscall.EACCES})
	if code(err) != job.CodeBadKey || err.Error() != "key file may not be read: key.pem" ||
		fact(err) != job.FactKeyFile {
		t.Errorf("%s: %v (%s)", code(err), err, hint(err))
	}
}

func TestLoadOrCreateWhereNothingCanBeMade(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/proc/plasm/key.pem", "/proc/key.pem", "/dev/null/plasm/key.pem"} {
		_, created, err := LoadOrCreate(path, "")
		if err == nil || created || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: created %v, %v", path, created, err)
		}
		if strings.HasPrefix(path, "/proc") && (code(err) != job.CodeIO || fact(err) != job.FactKeyFile) {
			t.Errorf("%s: %s: %v (%s)", path, code(err), err, hint(err))
		}
	}
}

func TestLoadOrCreateDanglingLink(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key.pem")
	if err := os.Symlink("nowhere", path); err != nil {
		t.Fatal(err)
	}
	if _, created, err := LoadOrCreate(path, ""); code(err) != job.CodeNotFound || created {
		t.Errorf("created %v, %v", created, err)
	}
}
