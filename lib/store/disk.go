package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// disk is the file operations that a store is made of. Names are relative to its
// folder, with slashes; each operation is one step, done or not done at a crash.
// A symbolic link is followed by none, but the folder itself may be one.
type disk interface {
	create(name string) (file, error)      // new, 0600, to read and write
	open(name string) (file, error)        // a regular file, to read
	mkdir(name string) error               // 0700
	chmod(name string) error               // makes a folder 0700
	rename(from, to string) error          // the new name isn't taken
	remove(name string) error              // a file or an empty folder
	removeAll(name string) error           // in many steps; that it isn't there is no error
	readDir(name string) ([]string, error) // in no order
	stat(name string) (info, error)        // of the name itself
	touch(name string, t time.Time) error  // sets the modification time
	syncDir(name string) error             // makes the names in a folder last
	free() (int64, error)                  // bytes that this user may still write
}

// file is an open file. ReadAt may be used beside WriteAt.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Sync() error // makes the bytes last
	size() (int64, error)
}

// info is what stat says.
type info struct {
	size    int64
	changed time.Time // modification time
	dir     bool
	regular bool
}

// osDisk is a folder of this machine.
type osDisk struct{ dir string }

func (d *osDisk) path(name string) string { return filepath.Join(d.dir, filepath.FromSlash(name)) }

func (d *osDisk) create(name string) (file, error) {
	f, err := os.OpenFile(d.path(name), os.O_RDWR|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (d *osDisk) open(name string) (file, error) {
	f, err := os.OpenFile(d.path(name), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: f.Name(), Err: errNotRegular}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return osFile{f}, nil
}

// errNotRegular says that something else stands where a file should.
var errNotRegular = errors.New("not a regular file")

func (d *osDisk) mkdir(name string) error {
	if name == "." {
		return os.MkdirAll(d.dir, 0o700)
	}
	return os.Mkdir(d.path(name), 0o700)
}

func (d *osDisk) chmod(name string) error {
	return os.Chmod(d.path(name), 0o700) //nolint:gosec // a folder, which is of no use without x
}

func (d *osDisk) rename(from, to string) error { return os.Rename(d.path(from), d.path(to)) }

func (d *osDisk) remove(name string) error { return os.Remove(d.path(name)) }

func (d *osDisk) removeAll(name string) error { return os.RemoveAll(d.path(name)) }

func (d *osDisk) readDir(name string) ([]string, error) {
	f, err := os.Open(d.path(name))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return f.Readdirnames(-1)
}

func (d *osDisk) stat(name string) (info, error) {
	fi, err := os.Lstat(d.path(name))
	if err != nil {
		return info{}, err
	}
	return info{size: fi.Size(), changed: fi.ModTime(), dir: fi.IsDir(), regular: fi.Mode().IsRegular()}, nil
}

func (d *osDisk) touch(name string, t time.Time) error { return os.Chtimes(d.path(name), t, t) }

func (d *osDisk) syncDir(name string) error {
	f, err := os.Open(d.path(name))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (d *osDisk) free() (int64, error) {
	var st unix.Statfs_t
	for {
		err := unix.Statfs(d.dir, &st)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return 0, &fs.PathError{Op: "statfs", Path: d.dir, Err: err}
		}
		break
	}
	free := uint64(st.Bavail) * uint64(st.Bsize) //nolint:unconvert // their types differ between systems
	return int64(min(free, 1<<62)), nil
}

type osFile struct{ *os.File }

func (f osFile) size() (int64, error) {
	fi, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return fi.Size(), nil
}

// readSmall returns what the file name holds, if it is at most most bytes.
func readSmall(d disk, name string, most int64) ([]byte, error) {
	f, err := d.open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	size, err := f.size()
	if err != nil {
		return nil, err
	}
	if size > most {
		return nil, fmt.Errorf("%s: %d bytes: %w", name, size, errUnsound)
	}
	data := make([]byte, size)
	if n, err := f.ReadAt(data, 0); int64(n) != size {
		return nil, err
	}
	return data, nil
}

// errUnsound says that what the store kept isn't what it wrote.
var errUnsound = errors.New("not what was kept")

// writeSmall makes the file name. It isn't synced.
func writeSmall(d disk, name string, data []byte) (file, error) {
	f, err := d.create(name)
	if err != nil {
		return nil, err
	}
	if _, err := f.WriteAt(data, 0); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
