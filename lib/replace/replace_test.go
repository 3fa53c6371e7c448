package replace_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"plasm/lib/replace"
)

func TestFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "list")
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.WriteFile(elsewhere, []byte("as it was"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, path); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []fs.FileMode{0o600, 0o644} {
		if err := replace.File(path, mode, []byte("new")); err != nil {
			t.Fatal(err)
		}
		info, err := os.Lstat(path)
		if err != nil || info.Mode() != mode || info.Size() != 3 {
			t.Errorf("%v, %v", info, err)
		}
	}
	if data, err := os.ReadFile(elsewhere); err != nil || string(data) != "as it was" {
		t.Errorf("where the link led is %q now, %v", data, err)
	}
	if err := replace.File(filepath.Join(dir, "none", "list"), 0o600, nil); err == nil {
		t.Error("a file in a folder that is not there")
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := replace.File(filepath.Join(dir, "folder"), 0o600, []byte("x")); err == nil {
		t.Error("a file in the place of a folder")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestAtOnce has several replace a file, which is of one of them at any time.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "list")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 20 {
				if err := replace.File(path, 0o600, bytes.Repeat([]byte{byte(i)}, 10_000)); err != nil {
					t.Error(err)
				}
				data, err := os.ReadFile(path)
				if err != nil || len(data) != 10_000 || !bytes.Equal(data, bytes.Repeat(data[:1], len(data))) {
					t.Errorf("%d bytes, %v", len(data), err)
				}
			}
		})
	}
	all.Wait()
}
