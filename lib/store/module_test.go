package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"plasm/lib/job"
)

func TestModule(t *testing.T) {
	t.Parallel()
	s, dir := onDisk(t)
	module := bytes.Repeat([]byte("module"), 1000)
	m, err := upload(s, 1, module)
	must(t, err)
	defer m.Close()
	check := func(s *Store) {
		t.Helper()
		m, ok, err := s.Module(peer(1), job.Sum(module))
		must(t, err)
		if !ok {
			t.Fatal("not there")
		}
		defer m.Close()
		got, err := m.Load()
		if err != nil || !bytes.Equal(got, module) || m.Bytes() != int64(len(module)) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if hasModule(t, s, 2, module) {
			t.Error("somebody else's is told")
		}
	}
	check(s)
	again, err := Open(Config{Dir: dir})
	must(t, err)
	check(again)
	if modules, _ := again.Usage(); modules.Bytes != contentCharge+6000 || modules.Entries != 1 {
		t.Errorf("usage %+v", modules)
	}
	if left := names(t, filepath.Join(dir, "unfinished")); left != nil {
		t.Errorf("unfinished: %q", left)
	}
}

func TestUploadRefused(t *testing.T) {
	t.Parallel()
	module := []byte("module")
	tests := []struct {
		name   string
		digest job.Digest
		most   int64
		cfg    Config
		want   error
	}{
		{"other bytes", job.Sum([]byte("other")), 100, Config{}, ErrMismatch},
		{"fewer bytes", job.Sum([]byte("modul")), 100, Config{}, ErrMismatch},
		{"too many bytes", job.Sum(module), 5, Config{}, ErrTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, d, _ := onMemory(t, tt.cfg)
			u, err := s.Upload(peer(1), tt.digest, tt.most)
			must(t, err)
			_, err = u.Write(module)
			if err == nil {
				_, err = u.Commit()
			}
			wantUserError(t, err, tt.want)
			u.Close()
			empty(t, s, d)
		})
	}
}

func TestUploadClosed(t *testing.T) {
	t.Parallel()
	s, d, _ := onMemory(t, Config{})
	u, err := s.Upload(peer(1), job.EmptyDigest, 100)
	must(t, err)
	u.Close()
	u.Close()
	if _, err := u.Write([]byte("x")); err == nil {
		t.Error("written")
	}
	_, err = u.Commit()
	wantUserError(t, err, os.ErrClosed)
	empty(t, s, d)
}

// Two who send one module at once end with one.
func TestUploadTwice(t *testing.T) {
	t.Parallel()
	s, d, _ := onMemory(t, Config{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			m, err := upload(s, 1, []byte("module"))
			if err != nil {
				t.Error(err)
				return
			}
			defer m.Close()
			if got, err := m.Load(); err != nil || string(got) != "module" {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	all.Wait()
	if modules, _ := s.Usage(); modules.Entries != 1 || modules.Bytes != contentCharge+6 {
		t.Errorf("usage %+v", modules)
	}
	sound(t, s, d)
}

func TestModuleDamaged(t *testing.T) {
	t.Parallel()
	module := []byte("module")
	tests := map[string]func(name string) error{
		"other bytes": func(n string) error { return os.WriteFile(n, []byte("Module"), 0o600) },
		"cut":         func(n string) error { return os.Truncate(n, 5) },
		"longer":      func(n string) error { return os.Truncate(n, 1<<40) },
		"missing":     os.Remove,
		"a link":      func(n string) error { return relink(n, "/dev/zero") },
		"a folder":    refolder,
		"a full pit": func(n string) error {
			return errors.Join(refolder(n),
				os.WriteFile(filepath.Join(n, "x"), nil, 0o600))
		},
	}
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, dir := onDisk(t)
			m, err := upload(s, 1, module)
			must(t, err)
			defer m.Close()
			other, _, err := s.Module(peer(1), job.Sum(module))
			must(t, err)
			defer other.Close()
			must(t, damage(filepath.Join(dir, "content", peer(1), job.Sum(module).Hex())))
			for _, m := range []*Module{m, other} {
				_, err := m.Load()
				wantUserError(t, err, ErrMismatch)
				if hasModule(t, s, 1, module) {
					t.Error("still there")
				}
			}
		})
	}
}
