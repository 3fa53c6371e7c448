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

	"plasm/lib/sandbox/wire"
)

// What an entry of the cache consists of.
const (
	codeFile = "code"
	sumFile  = "sum"
)

// get opens the machine code of key, if there is a sound entry; a damaged one is
// removed.
func (c *cache) get(key string) (*os.File, bool) {
	entry := filepath.Join(c.dir, key)
	info, err := os.Lstat(entry)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false
	}
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s: not a folder", entry)
	}
	if err == nil {
		err = oursAlone(entry, info, false)
	}
	var code *os.File
	if err == nil {
		code, err = openEntry(key, entry)
	}
	if err != nil {
		c.remove(key)
		return nil, false
	}
	now := time.Now()
	_ = os.Chtimes(entry, now, now) // the least recently used goes first: see evict
	return code, true
}

// openEntry opens the machine code of a sound entry.
func openEntry(key, entry string) (*os.File, error) {
	want, err := readSum(entry)
	if err != nil {
		return nil, err
	}
	code, err := openRegular(filepath.Join(entry, codeFile))
	if err != nil {
		return nil, err
	}
	h := digestOf(key)
	_, err = io.Copy(h, io.NewSectionReader(code, 0, wire.MaxCode)) // which leaves the file at its beginning
	if err == nil && hex.EncodeToString(h.Sum(nil)) != want {
		err = fmt.Errorf("%s: damaged", entry)
	}
	if err != nil {
		return nil, errors.Join(err, code.Close())
	}
	return code, nil
}

// readSum returns what an entry says its digest is.
func readSum(entry string) (string, error) {
	f, err := openRegular(filepath.Join(entry, sumFile))
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	var sum [2 * sha256.Size]byte
	_, err = io.ReadFull(f, sum[:])
	return string(sum[:]), err
}

// openRegular opens a regular file that only root and this user can change, to read. It
// neither follows a link nor blocks.
func openRegular(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
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

// digestOf begins the digest of the entry for key: what is in the place of another entry
// is damaged.
func digestOf(key string) hash.Hash {
	h := sha256.New()
	_, _ = io.WriteString(h, key) // a hash takes everything
	return h
}

// install makes an entry of what a compiling worker, now dead, has left, and opens its
// machine code.
func (c *cache) install(key string, code *os.File) (*os.File, error) {
	staging, unlock, err := c.stage()
	if err != nil {
		return nil, err
	}
	defer unlock()
	entry := filepath.Join(staging, "entry")
	if err := os.Mkdir(entry, 0o700); err != nil {
		return nil, err
	}
	h := digestOf(key)
	name := filepath.Join(entry, codeFile)
	if err := writeSync(name, io.TeeReader(io.NewSectionReader(code, 0, wire.MaxCode), h)); err != nil {
		return nil, err
	}
	if err := writeSync(filepath.Join(entry, sumFile), strings.NewReader(hex.EncodeToString(h.Sum(nil)))); err != nil {
		return nil, err
	}
	kept, err := openRegular(name)
	if err != nil {
		return nil, err
	}
	final := filepath.Join(c.dir, key)
	err = os.Rename(entry, final)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ENOTEMPTY) {
		if other, ok := c.get(key); ok { // another process was as fast
			err = other.Close()
		} else {
			err = os.Rename(entry, final)
		}
	}
	if err != nil {
		return nil, errors.Join(err, kept.Close())
	}
	c.evict(key)
	return kept, nil
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
