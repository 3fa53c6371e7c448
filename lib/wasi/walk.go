package wasi

import (
	"strings"
	"unicode/utf8"
)

// maxLinks is how many symbolic links one path may lead through, as on Linux.
const maxLinks = 40

// walk follows a path from an open folder, element by element, as openat(2) does: a
// path is never shortened as text, so that "link/.." is the folder above what link
// leads to, and "missing/.." is nothing.
//
// No path leads above the folder that it begins in: neither by "..", nor by a symbolic
// link, nor by exchanging one for another meanwhile, for each folder is entered by the
// descriptor of the one before and without following links, and ".." goes back to
// the descriptor that was there.
type walk struct {
	base    Dir
	entered []Dir // below base
	links   int
}

// place is where a path ends: name in dir, or dir itself where name is "".
type place struct {
	dir   Dir
	name  string
	slash bool // it must be a folder: a slash follows
	dots  bool // it ended in "..", not in "."; with name ""
}

// close lets go of what was entered. What place says is no longer to be used then.
func (w *walk) close() {
	for _, d := range w.entered {
		_ = d.Close()
	}
	w.entered = nil
}

func (w *walk) at() Dir {
	if n := len(w.entered); n > 0 {
		return w.entered[n-1]
	}
	return w.base
}

// checkPath refuses what no path is.
func checkPath(path string) Errno {
	switch {
	case path == "":
		return ENOENT
	case len(path) > MaxPath:
		return ENAMETOOLONG
	case strings.IndexByte(path, 0) >= 0:
		return EINVAL
	case path[0] == '/':
		return EPERM
	case !utf8.ValidString(path):
		return EILSEQ
	}
	return Success
}

// to goes along path up to its last element.
func (w *walk) to(path string) (place, Errno) {
	if errno := checkPath(path); errno != Success {
		return place{}, errno
	}
	return w.along(path)
}

func (w *walk) along(rest string) (place, Errno) {
	for {
		name, after, slash := strings.Cut(rest, "/")
		after = strings.TrimLeft(after, "/")
		switch {
		case len(name) > MaxName:
			return place{}, ENAMETOOLONG
		case name == "..":
			if errno := w.up(); errno != Success {
				return place{}, errno
			}
		case name != "." && after == "":
			return place{dir: w.at(), name: name, slash: slash}, Success
		case name != ".":
			target, errno := w.enter(name)
			if errno != Success {
				return place{}, errno
			}
			if target != "" {
				after = target + "/" + after
			}
		}
		if after == "" {
			return place{dir: w.at(), slash: true, dots: name == ".."}, Success
		}
		rest = after
	}
}

// up is "..".
func (w *walk) up() Errno {
	n := len(w.entered)
	if n == 0 {
		return EPERM
	}
	_ = w.entered[n-1].Close()
	w.entered = w.entered[:n-1]
	return Success
}

// enter goes into the folder name, or returns where it points if it is a link.
func (w *walk) enter(name string) (target string, errno Errno) {
	node, errno := w.at().Open(name, OpenOptions{Directory: true})
	if errno == ELOOP {
		return w.target(name)
	}
	if errno != Success {
		return "", errno
	}
	dir, ok := node.(Dir)
	if !ok {
		_ = node.Close()
		return "", ENOTDIR
	}
	w.entered = append(w.entered, dir)
	return "", Success
}

// target returns where the link name points, in this folder.
func (w *walk) target(name string) (string, Errno) {
	w.links++
	if w.links > maxLinks {
		return "", ELOOP
	}
	target, errno := w.at().Readlink(name)
	if errno == EINVAL { // it was one a moment ago
		errno = ENOENT
	}
	if errno == Success {
		errno = checkPath(target)
	}
	return target, errno
}

// follow goes on from p, which is a symbolic link.
func (w *walk) follow(p place) (place, Errno) {
	target, errno := w.target(p.name)
	if errno != Success {
		return place{}, errno
	}
	if p.slash {
		target += "/"
	}
	return w.along(target)
}

// find goes to what path names: with follow, or where a slash follows, through symbolic
// links. It returns the place and what is there.
func (w *walk) find(path string, follow bool) (place, Stat, Errno) {
	p, errno := w.to(path)
	for errno == Success {
		if p.name == "" {
			st, errno := p.dir.Stat()
			return p, st, errno
		}
		st, missing := p.dir.Lstat(p.name)
		switch {
		case missing != Success:
			return p, Stat{}, missing
		case st.Type == TypeSymlink && (follow || p.slash):
			p, errno = w.follow(p)
		case p.slash && st.Type != TypeDirectory:
			return p, st, ENOTDIR
		default:
			return p, st, Success
		}
	}
	return place{}, Stat{}, errno
}

// Open opens path, which begins in dir. With follow, what a symbolic link leads to is
// opened; otherwise a link is ELOOP, or ENOTDIR with o.Directory. Errors are those of Dir.Open and of any path:
// ENOENT (also for ""), ENOTDIR, ELOOP, ENAMETOOLONG, EINVAL (a NUL), EILSEQ (it is not
// UTF-8), and EPERM where it would lead out of dir or is absolute.
func Open(dir Dir, path string, follow bool, o OpenOptions) (Node, Errno) {
	if o.Create && o.Directory {
		return nil, EINVAL
	}
	w := walk{base: dir}
	defer w.close()
	p, errno := w.to(path)
	for errno == Success {
		switch {
		case p.name == "" && o.Create && o.Exclusive:
			return nil, EEXIST
		case p.name == "" && o.changes(), p.slash && o.Create:
			return nil, EISDIR
		case p.name == "":
			return reopened(p.dir)
		case p.slash:
			o.Directory, follow = true, true
		}
		node, errno := p.dir.Open(p.name, o)
		switch {
		case errno == ELOOP && !follow && o.Directory:
			return nil, ENOTDIR
		case errno != ELOOP || !follow:
			return node, errno
		}
		if p, errno = w.follow(p); errno != Success {
			return nil, errno
		}
	}
	return nil, errno
}

func reopened(dir Dir) (Node, Errno) {
	d, errno := dir.Reopen()
	if errno != Success {
		return nil, errno
	}
	return d, Success
}

// StatPath describes path, which begins in dir. Errors are those of any path, as of Open.
func StatPath(dir Dir, path string, follow bool) (Stat, Errno) {
	w := walk{base: dir}
	defer w.close()
	_, st, errno := w.find(path, follow)
	return st, errno
}

// SetTimesPath sets the times of path, which begins in dir.
func SetTimesPath(dir Dir, path string, follow bool, t Times) Errno {
	w := walk{base: dir}
	defer w.close()
	p, _, errno := w.find(path, follow)
	switch {
	case errno != Success:
		return errno
	case p.name == "":
		return p.dir.SetTimes(t)
	}
	return p.dir.SetTimesOf(p.name, t)
}

// ReadlinkPath returns where the symbolic link path points. EINVAL: it is something else.
func ReadlinkPath(dir Dir, path string) (string, Errno) {
	w := walk{base: dir}
	defer w.close()
	p, _, errno := w.find(path, false)
	switch {
	case errno != Success:
		return "", errno
	case p.name == "":
		return "", EINVAL
	}
	return p.dir.Readlink(p.name)
}

// MkdirPath makes a folder. EEXIST: there is something.
func MkdirPath(dir Dir, path string) Errno {
	w := walk{base: dir}
	defer w.close()
	p, errno := w.to(path)
	switch {
	case errno != Success:
		return errno
	case p.name == "":
		return EEXIST
	}
	return p.dir.Mkdir(p.name)
}

// SymlinkPath makes a symbolic link that points to target. EPERM: target is absolute.
// ENOENT: target is empty, or a slash follows the new name.
func SymlinkPath(target string, dir Dir, path string) Errno {
	if errno := checkPath(target); errno != Success {
		return errno
	}
	w := walk{base: dir}
	defer w.close()
	p, errno := w.vacant(path)
	if errno != Success {
		return errno
	}
	return p.dir.Symlink(target, p.name)
}

// vacant goes to where something that is no folder is to get its name.
func (w *walk) vacant(path string) (place, Errno) {
	p, errno := w.to(path)
	switch {
	case errno != Success:
		return p, errno
	case p.name == "":
		return p, EEXIST
	case p.slash:
		return p, p.taken()
	}
	return p, Success
}

// taken returns why a name that is there cannot be made, and what is wrong otherwise.
func (p place) taken() Errno {
	if _, errno := p.dir.Lstat(p.name); errno != Success {
		return errno
	}
	return EEXIST
}

// LinkPath gives the file or symbolic link path, which begins in dir, another name.
// EPERM: it is a folder, and the new name is not there. EXDEV: the new name is in another
// file system.
func LinkPath(dir Dir, path string, to Dir, newPath string) Errno {
	w, v := walk{base: dir}, walk{base: to}
	defer w.close()
	defer v.close()
	p, st, errno := w.find(path, false)
	if errno != Success {
		return errno
	}
	q, errno := v.vacant(newPath)
	switch {
	case errno != Success:
		return errno
	case st.Type == TypeDirectory:
		if errno := q.taken(); errno != ENOENT {
			return errno
		}
		return EPERM
	}
	return p.dir.Link(p.name, q.dir, q.name)
}

// RenamePath is rename(2), from path in dir to newPath in to. EBUSY: either ends in "."
// or "..".
func RenamePath(dir Dir, path string, to Dir, newPath string) Errno {
	w, v := walk{base: dir}, walk{base: to}
	defer w.close()
	defer v.close()
	p, errno := w.to(path)
	if errno != Success {
		return errno
	}
	q, errno := v.to(newPath)
	switch {
	case errno != Success:
		return errno
	case p.name == "" || q.name == "":
		return EBUSY
	case p.slash || q.slash: // then both are to be folders
		st, errno := p.dir.Lstat(p.name)
		switch {
		case errno != Success:
			return errno
		case st.Type != TypeDirectory:
			return ENOTDIR
		}
	}
	return p.dir.Rename(p.name, q.dir, q.name)
}

// UnlinkPath removes a name that is no folder. EISDIR: it is one. ENOTDIR: it is none,
// and a slash follows.
func UnlinkPath(dir Dir, path string) Errno {
	w := walk{base: dir}
	defer w.close()
	p, errno := w.to(path)
	switch {
	case errno != Success:
		return errno
	case p.name == "":
		return EISDIR
	case p.slash:
		st, errno := p.dir.Lstat(p.name)
		switch {
		case errno != Success:
			return errno
		case st.Type != TypeDirectory: // a link to one, too
			return ENOTDIR
		}
	}
	return p.dir.Unlink(p.name)
}

// RmdirPath removes an empty folder. EINVAL: path ends in ".". ENOTEMPTY: it has entries,
// or path ends in "..".
func RmdirPath(dir Dir, path string) Errno {
	w := walk{base: dir}
	defer w.close()
	p, errno := w.to(path)
	switch {
	case errno != Success:
		return errno
	case p.name == "" && p.dots:
		return ENOTEMPTY
	case p.name == "":
		return EINVAL
	}
	return p.dir.Rmdir(p.name)
}
