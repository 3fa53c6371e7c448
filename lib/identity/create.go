package identity

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"plasm/lib/job"
)

// LoadOrCreate reads the private key in the file path as Load does, and makes
// one there when there is no file, with the folders above it. It reports whether
// it did. Callers that start at once, in this process or another, end with the
// same key. An error that is not Load's is a job.CodeIO.
func LoadOrCreate(path, credentials string) (key *Key, created bool, err error) {
	key, err = Load(path, credentials)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, false, err
	}
	key = Generate()
	err = install(path, key.MarshalPEM())
	if errors.Is(err, fs.ErrExist) { // somebody else was first
		key, err = Load(path, credentials)
		return key, false, err
	}
	if err != nil {
		return nil, false, &job.Error{
			Code:    job.CodeIO,
			Message: fmt.Sprintf("key file cannot be made: %s: %v", path, cause(err)),
			Fact:    job.FactKeyFile,
			Err:     err,
		}
	}
	return key, true, nil
}

// install puts data into the new file path, mode 0600, all of it or nothing. It
// fails with fs.ErrExist when there is such a file. A link and not a rename puts
// the file in place, because a rename would replace somebody else's key.
func install(path string, data []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".key-*")
	if err != nil {
		return err
	}
	err = fill(f, data)
	if err == nil {
		err = os.Link(f.Name(), path)
	}
	if gone := os.Remove(f.Name()); err != nil || gone != nil {
		return errors.Join(err, gone)
	}
	return syncDir(dir)
}

// fill writes data to f, makes it last, and closes f.
func fill(f *os.File, data []byte) error {
	_, err := f.Write(data)
	return errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close())
}

// syncDir makes the names in the folder dir last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
