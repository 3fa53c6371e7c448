// Package replace puts whole files in the place of what has their name: who reads one
// sees the old content or the new, whenever the process or the machine ends.
package replace

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// File puts data at path, with mode whatever the umask, in the place of a file or link
// that is there. What it writes first, a sibling whose name begins with a dot, is gone
// when it returns. The folder's entry is not synced: after a crash of the machine the old
// file may be there. Several at once leave the file of one of them.
func File(path string, mode fs.FileMode, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
