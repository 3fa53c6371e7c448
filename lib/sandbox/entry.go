package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// What an entry of the cache consists of.
const (
	codeDir = "code"
	sumFile = "sum"

	// maxEntry is the longest file that is taken from a compiling worker, in
	// bytes.
	maxEntry = 512 << 20
)

// get returns the folder to load key from, if there is a sound entry; a damaged
// one is removed.
func (c *cache) get(key string) (string, bool) {
	entry := filepath.Join(c.dir, key)
	if _, err := os.Lstat(entry); errors.Is(err, fs.ErrNotExist) {
		return "", false
	}
	code := filepath.Join(entry, codeDir)
	want, err := readSum(entry)
	var got string
	if err == nil {
		got, err = digestEntry(key, code)
	}
	if err != nil || got != want {
		c.remove(key)
		return "", false
	}
	now := time.Now()
	_ = os.Chtimes(entry, now, now) // the least recently used goes first: see evict
	return code, true
}

// readSum returns what an entry says its digest is.
func readSum(entry string) (string, error) {
	f, err := openRegular(os.OpenFile, filepath.Join(entry, sumFile))
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	var sum [2 * sha256.Size]byte
	_, err = io.ReadFull(f, sum[:])
	return string(sum[:]), err
}

// openRegular opens a regular file to read, and neither follows a link nor waits
// for anybody.
func openRegular(open func(name string, flag int, perm fs.FileMode) (*os.File, error), name string) (*os.File, error) {
	f, err := open(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: not a regular file", name)
	}
	if err == nil {
		err = oursAlone(name, info, false)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// openFolder opens a folder, and neither follows a link nor waits for anybody.
func openFolder(dir string) (*os.Root, error) {
	info, err := os.Lstat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s: not a folder", dir)
	}
	return os.OpenRoot(dir)
}

// digestOf begins the digest of the entry for key: what is in the place of another entry
// is damaged.
func digestOf(key string) hash.Hash {
	h := sha256.New()
	_, _ = io.WriteString(h, key) // a hash takes everything
	return h
}

// digestEntry returns the digest of the one file below dir.
func digestEntry(key, dir string) (string, error) {
	root, err := openFolder(dir)
	if err != nil {
		return "", err
	}
	defer func() { _ = root.Close() }()
	name, _, err := onlyFile(root)
	if err != nil {
		return "", err
	}
	f, err := openRegular(root.OpenFile, name)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	h := digestOf(key)
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// isPlain reports whether a name from a compiling worker is one that may be used
// as it is: letters, digits, and - _ . within.
func isPlain(name string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	return name != "" && len(name) <= 128 && name[0] != '.' && strings.Trim(name, letters+"._-") == ""
}

// onlyFile returns the name of the one regular file in the one sub-folder that
// an engine's compiler leaves; anything else beside it is an error.
func onlyFile(root *os.Root) (name string, size int64, err error) {
	dir := root.FS()
	var found []string
	for name := "."; len(found) < 2; name = strings.Join(found, "/") {
		entries, err := fs.ReadDir(dir, name)
		if err != nil {
			return "", 0, err
		}
		if len(entries) != 1 || !isPlain(entries[0].Name()) || entries[0].IsDir() != (len(found) == 0) {
			return "", 0, fmt.Errorf("the folder %q of a compiled module holds something else", name)
		}
		found = append(found, entries[0].Name())
	}
	name = strings.Join(found, "/")
	info, err := root.Lstat(name)
	switch {
	case err != nil:
		return "", 0, err
	case !info.Mode().IsRegular():
		return "", 0, fmt.Errorf("%s: not a regular file", name)
	case info.Size() > maxEntry:
		return "", 0, fmt.Errorf("%s: %d bytes is more than %d", name, info.Size(), int64(maxEntry))
	}
	return name, info.Size(), nil
}

// install makes an entry of what a compiling worker, now dead, has left in work,
// and returns the folder to load it from.
func (c *cache) install(staging, work, key string) (string, error) {
	entry := filepath.Join(staging, "entry")
	sum, err := copyEntry(key, work, filepath.Join(entry, codeDir))
	if err != nil {
		return "", err
	}
	if err := writeSync(filepath.Join(entry, sumFile), strings.NewReader(sum)); err != nil {
		return "", err
	}
	final := filepath.Join(c.dir, key)
	err = os.Rename(entry, final)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ENOTEMPTY) {
		if _, ok := c.get(key); ok { // somebody else was as fast
			err = nil
		} else {
			err = os.Rename(entry, final)
		}
	}
	if err != nil {
		return "", err
	}
	c.evict(key)
	return filepath.Join(final, codeDir), nil
}

// copyEntry copies the one file below from to the same place below to and
// returns its digest as the entry for key.
func copyEntry(key, from, to string) (string, error) {
	root, err := openFolder(from)
	if err != nil {
		return "", err
	}
	defer func() { _ = root.Close() }()
	name, size, err := onlyFile(root)
	if err != nil {
		return "", err
	}
	in, err := openRegular(root.OpenFile, name)
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }()
	target := filepath.Join(to, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return "", err
	}
	h := digestOf(key)
	if err := writeSync(target, io.TeeReader(io.LimitReader(in, size), h)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// writeSync writes a new read-only file and waits until it is on disk.
func writeSync(name string, r io.Reader) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o400)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Sync(), f.Close())
}

// remove removes an entry: out of the way in one step, then file by file.
func (c *cache) remove(key string) {
	gone, unlock, err := c.stage()
	if err != nil {
		return
	}
	defer unlock()
	_ = os.Rename(filepath.Join(c.dir, key), filepath.Join(gone, "gone"))
}
