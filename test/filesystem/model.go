package filesystem

import (
	"maps"
	"slices"

	"plasm/lib/wasi"
)

// inode is a file, folder or link of the model: a map, a slice or a string, and what POSIX
// says of them.
type inode struct {
	kind     wasi.FileType
	children map[string]*inode
	data     []byte
	target   string
	links    int
	parent   *inode
}

func newInode(kind wasi.FileType) *inode {
	return &inode{kind: kind, children: map[string]*inode{}}
}

// put gives n a name in d.
func (n *inode) put(name string, child *inode) {
	n.children[name] = child
	child.links++
	if child.kind == wasi.TypeDirectory {
		child.parent = n
	}
}

// take removes a name from d.
func (n *inode) take(name string) {
	n.children[name].links--
	delete(n.children, name)
}

// gone reports whether n was removed. The root has one link.
func (n *inode) gone() bool { return n.links == 0 }

func (n *inode) names() []string { return slices.Sorted(maps.Keys(n.children)) }

func (n *inode) open(name string, o wasi.OpenOptions) (*inode, wasi.Errno) {
	child := n.children[name]
	changes := o.Write || o.Create || o.Truncate
	switch {
	case child == nil && (!o.Create || n.gone()):
		return nil, wasi.ENOENT
	case child == nil:
		child = newInode(wasi.TypeRegular)
		n.put(name, child)
	case o.Create && o.Exclusive:
		return nil, wasi.EEXIST
	case child.kind == wasi.TypeSymlink:
		return nil, wasi.ELOOP
	case child.kind == wasi.TypeDirectory && changes:
		return nil, wasi.EISDIR
	case child.kind == wasi.TypeRegular && o.Directory:
		return nil, wasi.ENOTDIR
	}
	if o.Truncate {
		child.data = nil
	}
	return child, wasi.Success
}

// make makes something new.
func (n *inode) make(name string, child *inode) wasi.Errno {
	switch {
	case n.children[name] != nil:
		return wasi.EEXIST
	case n.gone():
		return wasi.ENOENT
	}
	n.put(name, child)
	return wasi.Success
}

func (n *inode) link(name string, to *inode, newName string) wasi.Errno {
	child := n.children[name]
	switch {
	case child == nil || to.gone():
		return wasi.ENOENT
	case to.children[newName] != nil:
		return wasi.EEXIST
	case child.kind == wasi.TypeDirectory:
		return wasi.EPERM
	}
	to.put(newName, child)
	return wasi.Success
}

func (n *inode) unlink(name string) wasi.Errno {
	child := n.children[name]
	switch {
	case child == nil:
		return wasi.ENOENT
	case child.kind == wasi.TypeDirectory:
		return wasi.EISDIR
	}
	n.take(name)
	return wasi.Success
}

func (n *inode) rmdir(name string) wasi.Errno {
	child := n.children[name]
	switch {
	case child == nil:
		return wasi.ENOENT
	case child.kind != wasi.TypeDirectory:
		return wasi.ENOTDIR
	case len(child.children) > 0:
		return wasi.ENOTEMPTY
	}
	n.take(name)
	return wasi.Success
}

// inside reports whether n is child, or below it.
func (n *inode) inside(child *inode) bool {
	for ; n != nil; n = n.parent {
		if n == child {
			return true
		}
	}
	return false
}

func (n *inode) rename(name string, to *inode, newName string) wasi.Errno {
	child, old := n.children[name], to.children[newName]
	dir := func(child *inode) bool { return child.kind == wasi.TypeDirectory }
	switch {
	case child == nil || to.gone():
		return wasi.ENOENT
	case dir(child) && to.inside(child):
		return wasi.EINVAL
	case child == old:
		return wasi.Success
	case old == nil:
	case dir(child) && !dir(old):
		return wasi.ENOTDIR
	case dir(old) && n.inside(old):
		return wasi.ENOTEMPTY
	case !dir(child) && dir(old):
		return wasi.EISDIR
	case dir(old) && len(old.children) > 0:
		return wasi.ENOTEMPTY
	}
	if old != nil {
		to.take(newName)
	}
	n.take(name)
	to.put(newName, child)
	return wasi.Success
}

func (n *inode) read(size int, off int64) []byte {
	if off >= int64(len(n.data)) {
		return nil
	}
	return n.data[off:min(int64(len(n.data)), off+int64(size))]
}

func (n *inode) write(p []byte, off int64) {
	if len(p) == 0 {
		return
	}
	n.resize(max(int64(len(n.data)), off+int64(len(p))))
	copy(n.data[off:], p)
}

func (n *inode) resize(size int64) {
	if more := size - int64(len(n.data)); more > 0 {
		n.data = append(n.data, make([]byte, more)...)
	}
	n.data = n.data[:size:size]
}
