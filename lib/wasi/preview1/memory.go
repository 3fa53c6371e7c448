package preview1

import (
	"encoding/binary"

	"plasm/lib/wasi"
)

// memory is a program's linear memory. Addresses and lengths are 32 bits wide, held in
// 64, so that no sum of two and no product with a structure's size wraps.
type memory []byte

var le = binary.LittleEndian

// slice returns n bytes from at. EFAULT: they are not all there.
func (m memory) slice(at, n uint64) ([]byte, wasi.Errno) {
	if at > uint64(len(m)) || n > uint64(len(m))-at {
		return nil, wasi.EFAULT
	}
	return m[at : at+n : at+n], wasi.Success
}

// has reports whether n bytes from at are there: for results, before what cannot be
// undone is done.
func (m memory) has(at, n uint64) bool { return at <= uint64(len(m)) && n <= uint64(len(m))-at }

// putU32 writes v at at.
func (m memory) putU32(at uint64, v uint32) wasi.Errno {
	b, errno := m.slice(at, 4)
	if errno == wasi.Success {
		le.PutUint32(b, v)
	}
	return errno
}

// putU64 writes v at at.
func (m memory) putU64(at, v uint64) wasi.Errno {
	b, errno := m.slice(at, 8)
	if errno == wasi.Success {
		le.PutUint64(b, v)
	}
	return errno
}

// string returns the string of n bytes at at.
func (m memory) string(at, n uint64) (string, wasi.Errno) {
	b, errno := m.slice(at, n)
	if errno == wasi.Success && n > wasi.MaxPath {
		errno = wasi.ENAMETOOLONG
	}
	if errno != wasi.Success {
		return "", errno
	}
	return string(b), wasi.Success
}

// vectors is a list of iovec or ciovec: n times the address and length of a buffer.
type vectors struct {
	mem  memory
	list []byte
}

// vectorSize is that of an iovec, in bytes.
const vectorSize = 8

// vectors returns the list of n buffers at at. EFAULT: one of them, or the list, is not
// all there.
func (m memory) vectors(at, n uint64) (vectors, wasi.Errno) {
	list, errno := m.slice(at, n*vectorSize)
	if errno != wasi.Success {
		return vectors{}, errno
	}
	v := vectors{m, list}
	for i := range v.len() {
		if _, errno := v.at(i); errno != wasi.Success {
			return vectors{}, errno
		}
	}
	return v, wasi.Success
}

func (v vectors) len() int { return len(v.list) / vectorSize }

// at returns buffer i. It is checked each time: the list may lie in a buffer that was
// read into.
func (v vectors) at(i int) ([]byte, wasi.Errno) {
	e := v.list[i*vectorSize:]
	return v.mem.slice(uint64(le.Uint32(e)), uint64(le.Uint32(e[4:])))
}

// each calls do with the buffers in turn, until one is not done in full, and returns the
// sum of what was done, in at most 32 bits. An error after some bytes is the next call's
// to tell.
func (v vectors) each(do func(p []byte, done uint64) (int, wasi.Errno)) (uint32, wasi.Errno) {
	if v.len() == 0 {
		_, errno := do(nil, 0) // which may have something against it all the same
		return 0, errno
	}
	var done uint64
	for i := range v.len() {
		p, errno := v.at(i)
		if errno != wasi.Success {
			return uint32(done), unless(done > 0, errno)
		}
		p = p[:min(uint64(len(p)), maxTransfer-done)]
		n, errno := do(p, done)
		done += uint64(n)
		if errno != wasi.Success || n < len(p) {
			return uint32(done), unless(done > 0, errno)
		}
	}
	return uint32(done), wasi.Success
}

// unless returns errno, but where something was done.
func unless(done bool, errno wasi.Errno) wasi.Errno {
	if done {
		return wasi.Success
	}
	return errno
}

// maxTransfer is how many bytes one call reads or writes at most: the number must fit
// where it is put, and buffers may overlap.
const maxTransfer = 1<<32 - 1
