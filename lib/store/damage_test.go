package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A result that was damaged is gone, and its job can run again.
func TestJobDamaged(t *testing.T) {
	t.Parallel()
	tests := map[string]func(folder string) error{
		"manifest missing":   func(f string) error { return os.Remove(filepath.Join(f, "manifest")) },
		"receipt missing":    func(f string) error { return os.Remove(filepath.Join(f, "receipt")) },
		"stdout missing":     func(f string) error { return os.Remove(filepath.Join(f, "stdout")) },
		"stderr is a link":   func(f string) error { return relink(filepath.Join(f, "stderr"), "/dev/null") },
		"stdout is a folder": func(f string) error { return refolder(filepath.Join(f, "stdout")) },
		"endless receipt":    func(f string) error { return os.Truncate(filepath.Join(f, "receipt"), 1<<30) },
		"folder is a file":   func(f string) error { return errors.Join(os.RemoveAll(f), os.WriteFile(f, nil, 0o600)) },
	}
	for name, damage := range tests {
		for _, restart := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s, dir := onDisk(t)
				r := request(1, 1)
				runJob(t, s, r, "out", "old")
				must(t, damage(filepath.Join(dir, "jobs", r.Requester, r.ID)))
				if restart {
					again, err := Open(Config{Dir: dir})
					must(t, err)
					s = again
				}
				runJob(t, s, r, "out", "new")
				if _, receipt, _ := kept(t, s, r); receipt != "new" {
					t.Errorf("receipt %q", receipt)
				}
				if _, jobs := s.Usage(); jobs.Entries != 1 {
					t.Errorf("usage %+v", jobs)
				}
			})
		}
	}
}

func relink(name, target string) error {
	return errors.Join(os.Remove(name), os.Symlink(target, name))
}

func refolder(name string) error { return errors.Join(os.Remove(name), os.Mkdir(name, 0o700)) }
