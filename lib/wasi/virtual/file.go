package virtual

import (
	"math"

	"plasm/lib/tree"
	"plasm/lib/wasi"
)

// node is what open files and folders have in common.
type node struct{ *inode }

// Stat implements wasi.Node.
func (n node) Stat() (wasi.Stat, wasi.Errno) { return n.stat(), wasi.Success }

// SetTimes implements wasi.Node.
func (n node) SetTimes(t wasi.Times) wasi.Errno {
	if n.v.readOnly {
		return wasi.EROFS
	}
	if !t.Atime.Set && !t.Mtime.Set {
		return wasi.Success
	}
	now := n.now()
	set := func(to *int64, t wasi.SetTime) {
		switch {
		case t.Set && t.Now:
			*to = now
		case t.Set:
			*to = t.At
		}
	}
	set(&n.atime, t.Atime)
	set(&n.mtime, t.Mtime)
	n.ctime = now
	return wasi.Success
}

// Sync implements wasi.Node. There is nothing that a program could lose.
func (n node) Sync(bool) wasi.Errno { return wasi.Success }

// file is an open file.
type file struct {
	node
	read, write bool
}

// Close implements wasi.Node.
func (f *file) Close() wasi.Errno {
	f.opens--
	if f.opens == 0 && f.links == 0 {
		f.v.s.used -= tree.Blocks(f.content.size)
		f.free()
	}
	return wasi.Success
}

// ReadAt implements wasi.File.
func (f *file) ReadAt(p []byte, off int64) (int, wasi.Errno) {
	if !f.read {
		return 0, wasi.EBADF
	}
	n, err := f.v.s.disk.read(&f.content, p, off)
	if err != nil {
		return n, f.v.s.failed(err)
	}
	return n, wasi.Success
}

// WriteAt implements wasi.File.
func (f *file) WriteAt(p []byte, off int64) (int, wasi.Errno) {
	switch {
	case f.v.readOnly:
		return 0, wasi.EROFS
	case !f.write:
		return 0, wasi.EBADF
	case len(p) == 0:
		return 0, wasi.Success
	case off > math.MaxInt64-int64(len(p)):
		return 0, wasi.EFBIG
	}
	errno := wasi.Success
	if most := f.most(); int64(len(p)) > most-off {
		if most <= off {
			return 0, wasi.ENOSPC
		}
		p, errno = p[:most-off], wasi.ENOSPC
	}
	was := f.content.size
	if !f.resize(max(was, off+int64(len(p)))) {
		return 0, wasi.ENOSPC
	}
	n, err := f.v.s.disk.write(&f.content, p, off)
	if err != nil {
		return n, f.v.s.failed(err)
	}
	if n > 0 {
		f.changed(f.now())
	}
	if n == len(p) {
		return n, errno
	}
	size := was // there are too many runs
	if n > 0 {
		size = max(was, off+int64(n))
	}
	if errno := f.cut(size); errno != wasi.Success {
		return n, errno
	}
	return n, wasi.ENOSPC
}

// Append implements wasi.File.
func (f *file) Append(p []byte) (n int, end int64, errno wasi.Errno) {
	n, errno = f.WriteAt(p, f.content.size)
	return n, f.content.size, errno
}

// SetSize implements wasi.File.
func (f *file) SetSize(size int64) wasi.Errno {
	switch {
	case f.v.readOnly:
		return wasi.EROFS
	case !f.write:
		return wasi.EINVAL
	}
	return f.setSize(size)
}

// setSize cuts or extends a file that may be changed.
func (n *inode) setSize(size int64) wasi.Errno {
	if size < n.content.size {
		if errno := n.cut(size); errno != wasi.Success {
			return errno
		}
	} else if !n.resize(size) {
		return wasi.ENOSPC
	}
	n.changed(n.now())
	return wasi.Success
}

// most is the largest size that a file can grow to.
func (n *inode) most() int64 {
	s := n.v.s
	free := max(0, s.c.Disk/blockSize-s.used)
	return (tree.Blocks(n.content.size) + free/n.shares()) * blockSize
}

// resize gives a file another size, if there is room for it.
func (n *inode) resize(size int64) bool {
	s, v := n.v.s, n.v
	blocks := n.shares() * (tree.Blocks(size) - tree.Blocks(n.content.size))
	document := n.links * (tree.SizeLen(size) - tree.SizeLen(n.content.size))
	if blocks > s.c.Disk/blockSize-s.used && blocks > 0 || v.document+document > tree.MaxDocument && document > 0 {
		return false
	}
	s.used += blocks
	v.document += document
	n.content.size = size
	return true
}

// cut makes a file shorter, or leaves it as it is.
func (n *inode) cut(size int64) wasi.Errno {
	was := n.content.size
	if err := n.v.s.disk.cut(&n.content, size); err != nil {
		return n.v.s.failed(err)
	}
	n.content.size = was
	n.resize(size) // there is always room for less
	return wasi.Success
}
