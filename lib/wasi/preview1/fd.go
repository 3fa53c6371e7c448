package preview1

import (
	"plasm/lib/wasi"
)

// Flags of descriptors (witx: fdflags).
const (
	flagAppend   = 1 << 0
	flagDsync    = 1 << 1
	flagNonblock = 1 << 2
	flagRsync    = 1 << 3
	flagSync     = 1 << 4
	allFlags     = 1<<5 - 1
)

// Sizes of fdstat, filestat, prestat and dirent, in bytes.
const (
	fdstatSize   = 24
	filestatSize = 64
	prestatSize  = 8
	direntSize   = 24
)

// fdAdvise is fd_advise(fd, offset, len, advice). It has no effect. EBADF: fd is not open,
// or is a folder. ESPIPE: it is a stream. EINVAL: there is no such advice.
func fdAdvise(g *Guest, _ memory, args []uint64) wasi.Errno {
	d, errno := g.open(args[0], rightFdAdvise)
	switch {
	case errno != wasi.Success:
		return errno
	case args[3] > 5:
		return wasi.EINVAL
	case d.IsStream():
		return wasi.ESPIPE
	case !d.IsFile():
		return wasi.EBADF
	}
	return wasi.Success
}

// fdAllocate is fd_allocate(fd, offset, len): it makes a file at least offset+len bytes
// long, with zeros. Errors are those of wasi.Descriptor.Allocate; EBADF also where fd is
// not open, or not for writing.
func fdAllocate(g *Guest, _ memory, args []uint64) wasi.Errno {
	d, errno := g.open(args[0], rightFdAllocate)
	switch {
	case errno != wasi.Success:
		return errno
	case d.IsFile() && d.base&rightFdWrite == 0:
		return wasi.EBADF
	}
	return d.Allocate(args[1], args[2])
}

// fdClose is fd_close(fd). EBADF: it is not open. What else is returned is an error of the
// file system; fd is closed all the same.
func fdClose(g *Guest, _ memory, args []uint64) wasi.Errno {
	d, errno := g.open(args[0], 0)
	if errno != wasi.Success {
		return errno
	}
	g.descriptors.Remove(uint32(args[0]))
	return d.Close()
}

// fdDatasync is fd_datasync(fd), as fdatasync(2). EBADF: fd is not open. EINVAL: it is a
// stream.
func fdDatasync(g *Guest, _ memory, args []uint64) wasi.Errno {
	d, errno := g.open(args[0], rightFdDatasync)
	if errno != wasi.Success {
		return errno
	}
	return d.Sync(true)
}

// fdSync is fd_sync(fd), as fsync(2). EBADF: fd is not open. EINVAL: it is a stream.
func fdSync(g *Guest, _ memory, args []uint64) wasi.Errno {
	d, errno := g.open(args[0], rightFdSync)
	if errno != wasi.Success {
		return errno
	}
	return d.Sync(false)
}

// fdFdstatGet is fd_fdstat_get(fd, stat): it writes the type (1 byte at 0), flags (2 at
// 2), rights (8 at 8) and inheriting rights (8 at 16), 24 bytes. A stream's type is
// unknown, and so it is no terminal. EBADF: fd is not open. EFAULT.
func fdFdstatGet(g *Guest, mem memory, args []uint64) wasi.Errno {
	d, errno := g.open(args[0], 0)
	if errno != wasi.Success {
		return errno
	}
	b, errno := mem.slice(args[1], fdstatSize)
	if errno != wasi.Success {
		return errno
	}
	clear(b)
	b[0] = byte(d.Type())
	le.PutUint16(b[2:], bitsOf(d.Flags))
	le.PutUint64(b[8:], uint64(d.base))
	le.PutUint64(b[16:], uint64(d.inheriting))
	return wasi.Success
}

// fdFdstatSetFlags is fd_fdstat_set_flags(fd, flags). EBADF: fd is not open. EINVAL: there
// is no such flag.
func fdFdstatSetFlags(g *Guest, _ memory, args []uint64) wasi.Errno {
	d, errno := g.open(args[0], rightFdFdstatSetFlags)
	if errno != wasi.Success {
		return errno
	}
	flags, errno := flagsOf(args[1])
	if errno == wasi.Success {
		d.Flags = flags
	}
	return errno
}

func flagsOf(bits uint64) (wasi.Flags, wasi.Errno) {
	if bits&^allFlags != 0 {
		return wasi.Flags{}, wasi.EINVAL
	}
	return wasi.Flags{
		Append: bits&flagAppend != 0, Nonblock: bits&flagNonblock != 0,
		Dsync: bits&flagDsync != 0, Rsync: bits&flagRsync != 0, Sync: bits&flagSync != 0,
	}, wasi.Success
}

func bitsOf(f wasi.Flags) (bits uint16) {
	for _, flag := range []struct {
		set bool
		bit uint16
	}{
		{f.Append, flagAppend},
		{f.Nonblock, flagNonblock},
		{f.Dsync, flagDsync},
		{f.Rsync, flagRsync},
		{f.Sync, flagSync},
	} {
		if flag.set {
			bits |= flag.bit
		}
	}
	return bits
}

// fdFilestatGet is fd_filestat_get(fd, stat): it writes a filestat (see putStat). Of a
// stream all but the type is 0. EBADF: fd is not open. EFAULT.
func fdFilestatGet(g *Guest, mem memory, args []uint64) wasi.Errno {
	d, errno := g.open(args[0], rightFdFilestatGet)
	if errno != wasi.Success {
		return errno
	}
	st, errno := d.Stat()
	if errno != wasi.Success {
		return errno
	}
	return mem.putStat(args[1], st)
}

// putStat writes a filestat: device, inode (8 bytes each), type (1 byte, and 7 of
// padding), links, size in bytes, and times of access, of the content's change and of the
// status' change in nanoseconds since 1970, 0 for what is before (8 bytes each).
func (m memory) putStat(at uint64, st wasi.Stat) wasi.Errno {
	b, errno := m.slice(at, filestatSize)
	if errno != wasi.Success {
		return errno
	}
	for i, v := range [...]uint64{
		st.Device, st.Inode, uint64(st.Type), st.Links, st.Size,
		uint64(max(0, st.Atime)), uint64(max(0, st.Mtime)), uint64(max(0, st.Ctime)),
	} {
		le.PutUint64(b[8*i:], v)
	}
	return wasi.Success
}

// fdFilestatSetSize is fd_filestat_set_size(fd, size), as ftruncate(2). EBADF: fd is not
// open, or is a folder. EINVAL: it is a stream, is not open for writing, or size is above
// 2^63-1. EFBIG, ENOSPC: so much cannot be.
func fdFilestatSetSize(g *Guest, _ memory, args []uint64) wasi.Errno {
	d, errno := g.open(args[0], rightFdFilestatSetSize)
	switch {
	case errno != wasi.Success:
		return errno
	case d.IsFile() && d.base&rightFdWrite == 0:
		return wasi.EINVAL
	}
	return d.SetSize(args[1])
}

// fdFilestatSetTimes is fd_filestat_set_times(fd, atim, mtim, flags): see timesOf. EBADF:
// fd is not open, or is a stream. EINVAL.
func fdFilestatSetTimes(g *Guest, _ memory, args []uint64) wasi.Errno {
	d, errno := g.open(args[0], rightFdFilestatSetTimes)
	if errno != wasi.Success {
		return errno
	}
	t, errno := timesOf(args[1], args[2], args[3])
	if errno != wasi.Success {
		return errno
	}
	return d.SetTimes(t)
}

// timesOf decodes what set_times gets: times in nanoseconds since 1970, and which of them
// to set (1, 4) or to set to the present (2, 8), of access and of the content's change.
// EINVAL: both are said of one, there is no such flag, or a time is above 2^63-1.
func timesOf(atim, mtim, flags uint64) (wasi.Times, wasi.Errno) {
	if flags&^15 != 0 || flags&3 == 3 || flags&12 == 12 {
		return wasi.Times{}, wasi.EINVAL
	}
	of := func(at, flags uint64) wasi.SetTime {
		return wasi.SetTime{Set: flags != 0, Now: flags == 2, At: int64(at)}
	}
	t := wasi.Times{Atime: of(atim, flags&3), Mtime: of(mtim, flags>>2)}
	if t.Atime.Set && t.Atime.At < 0 || t.Mtime.Set && t.Mtime.At < 0 {
		return wasi.Times{}, wasi.EINVAL
	}
	return t, wasi.Success
}

// fdPrestatGet is fd_prestat_get(fd, prestat): of a folder that the program has begun with
// it writes that it is one (0, 1 byte and 3 of padding), and the length of its path in
// bytes (4). EBADF: fd is none. EFAULT.
func fdPrestatGet(g *Guest, mem memory, args []uint64) wasi.Errno {
	d, errno := g.preopen(args[0])
	if errno != wasi.Success {
		return errno
	}
	return mem.putU64(args[1], uint64(len(d.Preopen()))<<32)
}

// fdPrestatDirName is fd_prestat_dir_name(fd, path, path_len): it writes the folder's
// path, without a NUL. EBADF: fd is none that the program has begun with. ENAMETOOLONG:
// path_len is less than its length. EFAULT.
func fdPrestatDirName(g *Guest, mem memory, args []uint64) wasi.Errno {
	d, errno := g.preopen(args[0])
	if errno != wasi.Success {
		return errno
	}
	path := d.Preopen()
	if args[2] < uint64(len(path)) {
		return wasi.ENAMETOOLONG
	}
	b, errno := mem.slice(args[1], uint64(len(path)))
	copy(b, path)
	return errno
}

func (g *Guest) preopen(fd uint64) (*descriptor, wasi.Errno) {
	d, errno := g.open(fd, 0)
	if errno == wasi.Success && d.Preopen() == "" {
		errno = wasi.EBADF
	}
	return d, errno
}

// fdRead is fd_read(fd, iovs, iovs_len, nread): it reads into the buffers, one after the
// other, and writes how many bytes there were, 4 bytes; 0 at the end. Fewer than fit are
// read from a stream that has no more at the moment. EBADF: fd is not open for reading.
// EISDIR: it is a folder. EAGAIN: see wasi.Flags. EIO. EFAULT.
func fdRead(g *Guest, mem memory, args []uint64) wasi.Errno {
	d, errno := g.transfers(args[0], rightFdRead)
	if errno != wasi.Success {
		return errno
	}
	return mem.transfer(args[1], args[2], args[3], func(p []byte, done uint64) (int, wasi.Errno) {
		if done > 0 && !d.Ready() {
			return 0, wasi.EAGAIN
		}
		return d.Read(p)
	})
}

// fdPread is fd_pread(fd, iovs, iovs_len, offset, nread): fd_read from a place, which
// leaves fd's own alone. ESPIPE: fd is a stream. EINVAL: offset is above 2^63-1.
func fdPread(g *Guest, mem memory, args []uint64) wasi.Errno {
	d, errno := g.transfers(args[0], rightFdRead)
	if errno != wasi.Success {
		return errno
	}
	return mem.transfer(args[1], args[2], args[4], func(p []byte, done uint64) (int, wasi.Errno) {
		return d.ReadAt(p, args[3]+done)
	})
}

// fdWrite is fd_write(fd, iovs, iovs_len, nwritten): it writes the buffers, one after the
// other, and then how many bytes these were, 4 bytes. Fewer than all are written where a
// file system has no more room. EBADF: fd is not open for writing. EROFS, ENOSPC, EFBIG,
// EDQUOT, EIO. EFAULT.
func fdWrite(g *Guest, mem memory, args []uint64) wasi.Errno {
	d, errno := g.transfers(args[0], rightFdWrite)
	if errno != wasi.Success {
		return errno
	}
	return mem.transfer(args[1], args[2], args[3], func(p []byte, _ uint64) (int, wasi.Errno) { return d.Write(p) })
}

// fdPwrite is fd_pwrite(fd, iovs, iovs_len, offset, nwritten): fd_write to a place, also
// of a file in append mode, which leaves fd's own alone. ESPIPE: fd is a stream. EINVAL:
// offset is above 2^63-1.
func fdPwrite(g *Guest, mem memory, args []uint64) wasi.Errno {
	d, errno := g.transfers(args[0], rightFdWrite)
	if errno != wasi.Success {
		return errno
	}
	return mem.transfer(args[1], args[2], args[4], func(p []byte, done uint64) (int, wasi.Errno) {
		return d.WriteAt(p, args[3]+done)
	})
}

// transfer calls do with the n buffers of the list at iovs, and writes the sum of what was
// done.
func (m memory) transfer(iovs, n, result uint64, do func(p []byte, done uint64) (int, wasi.Errno)) wasi.Errno {
	v, errno := m.vectors(iovs, n)
	if errno != wasi.Success || !m.has(result, 4) {
		return wasi.EFAULT
	}
	done, errno := v.each(do)
	if errno != wasi.Success {
		return errno
	}
	return m.putU32(result, done)
}

// fdReaddir is fd_readdir(fd, buf, buf_len, cookie, bufused): it writes a folder's entries
// from the one that cookie stands for, and how many bytes they take. An entry is its
// cookie, the one of the entry behind it (8 bytes), its inode (8), the length of its name
// (4), its type (1, and 3 of padding), and the name. What does not fit is cut off, so that
// fewer bytes than buf_len are the end.
//
// Entries are ".", "..", whose inode is not told, and then the names, sorted by their
// bytes, as they were when cookie 0 was last asked for: a cookie is an entry's place among
// them. EBADF: fd is not open. ENOTDIR: it is no folder. EFAULT.
func fdReaddir(g *Guest, mem memory, args []uint64) wasi.Errno {
	d, errno := g.open(args[0], rightFdReaddir)
	if errno != wasi.Success {
		return errno
	}
	buf, errno := mem.slice(args[1], args[2])
	if errno != wasi.Success || !mem.has(args[4], 4) {
		return wasi.EFAULT
	}
	cookie := args[3]
	entries, errno := d.List(cookie == 0)
	if errno != wasi.Success {
		return errno
	}
	used := 0
	for ; used < len(buf) && cookie < uint64(len(entries))+2; cookie++ {
		e, errno := d.entry(entries, cookie)
		if errno != wasi.Success {
			return errno
		}
		used += putDirent(buf[used:], cookie+1, e)
	}
	return mem.putU32(args[4], uint32(used))
}

// entry returns the entry that a cookie stands for.
func (d *descriptor) entry(entries []wasi.Entry, cookie uint64) (wasi.Entry, wasi.Errno) {
	switch cookie {
	case 0:
		st, errno := d.Stat()
		return wasi.Entry{Name: ".", Type: wasi.TypeDirectory, Inode: st.Inode}, errno
	case 1:
		return wasi.Entry{Name: "..", Type: wasi.TypeDirectory}, wasi.Success
	}
	return entries[cookie-2], wasi.Success
}

// putDirent writes an entry as far as it fits, and returns how many bytes that are.
func putDirent(b []byte, next uint64, e wasi.Entry) int {
	var head [direntSize]byte
	le.PutUint64(head[:], next)
	le.PutUint64(head[8:], e.Inode)
	le.PutUint32(head[16:], uint32(len(e.Name)))
	head[20] = byte(e.Type)
	n := copy(b, head[:])
	return n + copy(b[n:], e.Name)
}

// fdRenumber is fd_renumber(fd, to): what to was is closed, and what fd was is to's from
// then on. A folder that the program has begun with can be either. EBADF: one of them is
// not open.
func fdRenumber(g *Guest, _ memory, args []uint64) wasi.Errno {
	from, to := uint32(args[0]), uint32(args[1])
	if _, errno := g.open(args[0], 0); errno != wasi.Success {
		return errno
	}
	old, errno := g.open(args[1], 0)
	if errno != wasi.Success || from == to {
		return errno
	}
	g.descriptors.Move(from, to)
	return old.Close()
}

// fdSeek is fd_seek(fd, offset, whence, newoffset): it moves where fd_read and fd_write
// work, by offset bytes from the start (whence 0), from where that is (1) or from the
// file's end (2), and writes where it is then, 8 bytes. Errors are those of
// wasi.Descriptor.Reposition, and EFAULT.
func fdSeek(g *Guest, mem memory, args []uint64) wasi.Errno {
	d, errno := g.open(args[0], rightFdSeek)
	switch {
	case errno != wasi.Success:
		return errno
	case !mem.has(args[3], 8):
		return wasi.EFAULT
	}
	at, errno := d.Reposition(int64(args[1]), int(args[2]))
	if errno != wasi.Success {
		return errno
	}
	return mem.putU64(args[3], uint64(at))
}

// fdTell is fd_tell(fd, offset): it writes where fd_read and fd_write work, 8 bytes.
// EBADF: fd is not open, or is a folder. ESPIPE: it is a stream. EFAULT.
func fdTell(g *Guest, mem memory, args []uint64) wasi.Errno {
	d, errno := g.open(args[0], rightFdTell)
	if errno != wasi.Success {
		return errno
	}
	at, errno := d.Reposition(0, 1)
	if errno != wasi.Success {
		return errno
	}
	return mem.putU64(args[1], uint64(at))
}
