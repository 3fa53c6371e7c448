package wasi

import (
	"io"
	"math"
)

// Flags are how a descriptor is used. They are the program's to change.
type Flags struct {
	Append   bool // each write goes to the file's end
	Nonblock bool // reading input that has not come is EAGAIN; files and output never make wait
	Dsync    bool // each write is followed by Sync(true)
	Sync     bool // each write is followed by Sync(false)
	Rsync    bool // without effect: what is read here is what was written
}

// Descriptor is an open stream, file or folder.
type Descriptor struct {
	Flags Flags

	in   *input
	out  io.Writer
	file File
	dir  Dir
	node Node // file or dir

	offset  int64   // of a file
	entries []Entry // of a folder, as they were when it was listed from the start
	listed  bool
	preopen string
}

// NewDescriptor returns a descriptor of an open file or folder, which is its own then.
func NewDescriptor(n Node, f Flags) *Descriptor {
	d := &Descriptor{Flags: f, node: n}
	switch n := n.(type) {
	case File:
		d.file = n
	case Dir:
		d.dir = n
	}
	return d
}

// Dir returns the folder that d is, or nil.
func (d *Descriptor) Dir() Dir { return d.dir }

// IsFile reports whether d is a regular file.
func (d *Descriptor) IsFile() bool { return d.file != nil }

// IsStream reports whether d is a stream: neither file nor folder.
func (d *Descriptor) IsStream() bool { return d.node == nil }

// Preopen returns the path under which the program has begun with d, "" for what it has
// opened itself.
func (d *Descriptor) Preopen() string { return d.preopen }

// Type returns the type of what d is. A stream's is unknown, whatever is at its other end.
func (d *Descriptor) Type() FileType {
	switch {
	case d.file != nil:
		return TypeRegular
	case d.dir != nil:
		return TypeDirectory
	}
	return TypeUnknown
}

// Close lets go of what d is.
func (d *Descriptor) Close() Errno {
	if d.node == nil {
		return Success
	}
	return d.node.Close()
}

// Read reads into p what comes next: see File.ReadAt and input.read. EISDIR: it is a
// folder. EBADF: it is output. EAGAIN: there is nothing yet, and it has Nonblock.
func (d *Descriptor) Read(p []byte) (int, Errno) {
	switch {
	case d.file != nil:
		n, errno := d.file.ReadAt(p, d.offset)
		d.offset += int64(n)
		return n, errno
	case d.in != nil:
		return d.in.read(p, d.Flags.Nonblock)
	case d.dir != nil:
		return 0, EISDIR
	}
	return 0, EBADF
}

// Ready reports whether a read would not wait.
func (d *Descriptor) Ready() bool { return d.in == nil || d.in.wait(0) }

// Write writes p behind what was read or written last, or with Append at the file's end.
// EBADF: it is input or a folder. EIO: the stream's other end is gone.
func (d *Descriptor) Write(p []byte) (n int, errno Errno) {
	switch {
	case d.out != nil && len(p) == 0:
		return 0, Success
	case d.out != nil:
		n, err := d.out.Write(p)
		if err != nil && n == 0 {
			return 0, EIO
		}
		return n, Success
	case d.file == nil:
		return 0, EBADF
	case d.Flags.Append:
		var end int64
		n, end, errno = d.file.Append(p)
		if n > 0 {
			d.offset = end
		}
	default:
		n, errno = d.write(p, d.offset)
		d.offset += int64(n)
	}
	return d.written(n, errno)
}

// write writes at off, of which no sum with len(p) may pass what an offset can be.
func (d *Descriptor) write(p []byte, off int64) (int, Errno) {
	if int64(len(p)) > math.MaxInt64-off {
		return 0, EFBIG
	}
	return d.file.WriteAt(p, off)
}

// written ends a write. An error after some bytes is the next write's to tell.
func (d *Descriptor) written(n int, errno Errno) (int, Errno) {
	switch {
	case n == 0 && errno != Success:
		return 0, errno
	case d.Flags.Sync:
		return n, d.file.Sync(false)
	case d.Flags.Dsync:
		return n, d.file.Sync(true)
	}
	return n, Success
}

// positioned returns why d has no offsets, or 0.
func (d *Descriptor) positioned(folder Errno) Errno {
	switch {
	case d.IsStream():
		return ESPIPE
	case d.dir != nil:
		return folder
	}
	return Success
}

// ReadAt reads from off, and leaves the offset alone. ESPIPE: it is a stream. EINVAL: off
// is above 2^63-1.
func (d *Descriptor) ReadAt(p []byte, off uint64) (int, Errno) {
	if errno := d.positioned(EISDIR); errno != Success {
		return 0, errno
	}
	if off > math.MaxInt64 {
		return 0, EINVAL
	}
	return d.file.ReadAt(p, int64(off))
}

// WriteAt writes at off, also with Append, and leaves the offset alone. Errors are those
// of Write and ReadAt.
func (d *Descriptor) WriteAt(p []byte, off uint64) (int, Errno) {
	if errno := d.positioned(EBADF); errno != Success {
		return 0, errno
	}
	if off > math.MaxInt64 {
		return 0, EINVAL
	}
	return d.written(d.write(p, int64(off)))
}

// Reposition sets the offset: by off from the start, from where it is, or from the file's end,
// for io.SeekStart, io.SeekCurrent and io.SeekEnd. ESPIPE: it is a stream. EBADF: it is a
// folder. EINVAL: the offset would be negative, or there is no such whence. EOVERFLOW: it
// would be above 2^63-1.
func (d *Descriptor) Reposition(off int64, whence int) (int64, Errno) {
	if errno := d.positioned(EBADF); errno != Success {
		return 0, errno
	}
	var from int64
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		from = d.offset
	case io.SeekEnd:
		st, errno := d.file.Stat()
		if errno != Success {
			return 0, errno
		}
		from = int64(min(st.Size, math.MaxInt64))
	default:
		return 0, EINVAL
	}
	switch {
	case off > math.MaxInt64-from:
		return 0, EOVERFLOW
	case from+off < 0:
		return 0, EINVAL
	}
	d.offset = from + off
	return d.offset, Success
}

// Stat describes what d is. Of a stream nothing is known but its type.
func (d *Descriptor) Stat() (Stat, Errno) {
	if d.IsStream() {
		return Stat{Type: TypeUnknown}, Success
	}
	return d.node.Stat()
}

// SetSize cuts or extends a file. EINVAL: it is a stream, or size is above 2^63-1. EBADF:
// it is a folder.
func (d *Descriptor) SetSize(size uint64) Errno {
	switch {
	case d.dir != nil:
		return EBADF
	case d.file == nil || size > math.MaxInt64:
		return EINVAL
	}
	return d.file.SetSize(int64(size))
}

// Allocate makes a file at least so long that the n bytes from off are in it. ESPIPE: it
// is a stream. EBADF: it is a folder. EINVAL: n is 0. EFBIG: the end is above 2^63-1.
func (d *Descriptor) Allocate(off, n uint64) Errno {
	if errno := d.positioned(EBADF); errno != Success {
		return errno
	}
	switch {
	case n == 0:
		return EINVAL
	case off > math.MaxInt64 || n > math.MaxInt64-off:
		return EFBIG
	}
	st, errno := d.file.Stat()
	if errno != Success || st.Size >= off+n {
		return errno
	}
	return d.file.SetSize(int64(off + n))
}

// SetTimes sets the times of a file or folder. EBADF: it is a stream.
func (d *Descriptor) SetTimes(t Times) Errno {
	if d.IsStream() {
		return EBADF
	}
	return d.node.SetTimes(t)
}

// Sync makes what was written durable. EINVAL: it is a stream.
func (d *Descriptor) Sync(dataOnly bool) Errno {
	if d.IsStream() {
		return EINVAL
	}
	return d.node.Sync(dataOnly)
}

// List returns the entries of a folder: from the start as they are now, else as they were
// at the last start. ENOTDIR: it is something else.
func (d *Descriptor) List(start bool) ([]Entry, Errno) {
	if d.dir == nil {
		return nil, ENOTDIR
	}
	if start || !d.listed {
		entries, errno := d.dir.List()
		if errno != Success {
			return nil, errno
		}
		d.entries, d.listed = entries, true
	}
	return d.entries, Success
}
