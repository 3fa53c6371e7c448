package store

import (
	"io"
	"io/fs"
	"slices"
	"syscall"
)

// memFile is an open file of a memDisk.
type memFile struct {
	disk   *memDisk
	node   *node
	name   string
	closed bool
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	err := f.disk.begin("read", f.name)
	defer f.disk.mu.Unlock()
	switch {
	case err != nil:
		return 0, err
	case f.closed:
		return 0, fs.ErrClosed
	case off >= int64(len(f.node.data)):
		return 0, io.EOF
	}
	n := copy(p, f.node.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	err := f.disk.begin("write", f.name)
	defer f.disk.mu.Unlock()
	switch {
	case f.closed:
		return 0, fs.ErrClosed
	case err != nil: // half of it is there
		p = p[:len(p)/2]
		if f.disk.dead {
			p = nil
		}
	case int64(len(p)) > f.disk.room:
		p, err = p[:f.disk.room], pathError("write", f.name, syscall.ENOSPC)
	}
	end := int(off) + len(p)
	if end > len(f.node.data) {
		f.disk.room -= int64(end - len(f.node.data))
		f.node.data = append(f.node.data, make([]byte, end-len(f.node.data))...)
	}
	copy(f.node.data[off:], p)
	f.node.changed = f.disk.clock.wall()
	return len(p), err
}

func (f *memFile) Sync() error {
	err := f.disk.begin("sync", f.name)
	defer f.disk.mu.Unlock()
	if err == nil {
		f.node.safe = slices.Clone(f.node.data)
	}
	return err
}

func (f *memFile) Close() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.closed {
		return fs.ErrClosed
	}
	f.closed = true
	f.disk.opened--
	return nil
}

func (f *memFile) size() (int64, error) {
	err := f.disk.begin("fstat", f.name)
	defer f.disk.mu.Unlock()
	return int64(len(f.node.data)), err
}
