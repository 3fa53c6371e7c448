package virtual

import (
	"plasm/lib/tree"
	"plasm/lib/wasi"
)

// folder is an open folder.
type folder struct{ *inode }

func (d *folder) node() node { return node{d.inode} }

// Stat implements wasi.Node.
func (d *folder) Stat() (wasi.Stat, wasi.Errno) { return d.node().Stat() }

// SetTimes implements wasi.Node.
func (d *folder) SetTimes(t wasi.Times) wasi.Errno { return d.node().SetTimes(t) }

// Sync implements wasi.Node.
func (d *folder) Sync(dataOnly bool) wasi.Errno { return d.node().Sync(dataOnly) }

// Close implements wasi.Node.
func (d *folder) Close() wasi.Errno { return wasi.Success }

// Reopen implements wasi.Dir.
func (d *folder) Reopen() (wasi.Dir, wasi.Errno) { return &folder{d.inode}, wasi.Success }

// Open implements wasi.Dir.
func (d *folder) Open(name string, o wasi.OpenOptions) (wasi.Node, wasi.Errno) {
	changes := o.Write || o.Create || o.Truncate
	n := d.children[name]
	switch {
	case d.v.readOnly && changes && (n == nil || n.v == d.v):
		return nil, wasi.EROFS
	case n == nil && !o.Create:
		return nil, wasi.ENOENT
	case n == nil:
		return d.create(name, o)
	case o.Create && o.Exclusive:
		return nil, wasi.EEXIST
	case n.kind == wasi.TypeSymlink:
		return nil, wasi.ELOOP
	case n.kind == wasi.TypeDirectory && changes:
		return nil, wasi.EISDIR
	case n.kind == wasi.TypeDirectory:
		return &folder{n}, wasi.Success
	case o.Directory:
		return nil, wasi.ENOTDIR
	}
	if o.Truncate {
		if errno := n.setSize(0); errno != wasi.Success {
			return nil, errno
		}
	}
	return n.open(o), wasi.Success
}

// open opens the file n.
func (n *inode) open(o wasi.OpenOptions) *file {
	n.opens++
	return &file{node: node{n}, read: o.Read, write: o.Write}
}

// create makes a file.
func (d *folder) create(name string, o wasi.OpenOptions) (wasi.Node, wasi.Errno) {
	n, errno := d.make(name, func() *inode { return d.v.newInode(wasi.TypeRegular) })
	if errno != wasi.Success {
		return nil, errno
	}
	return n.open(o), wasi.Success
}

// make makes something that has the name, which is vacant.
func (d *folder) make(name string, create func() *inode) (*inode, wasi.Errno) {
	switch {
	case d.v.readOnly:
		return nil, wasi.EROFS
	case d.children[name] != nil:
		return nil, wasi.EEXIST
	case d.removed():
		return nil, wasi.ENOENT
	}
	n := create()
	if errno := d.add(name, n); errno != wasi.Success {
		d.v.nextIno-- // as if it had never been
		return nil, errno
	}
	now := d.now()
	n.setTimes(now)
	d.changed(now)
	return n, wasi.Success
}

// Lstat implements wasi.Dir.
func (d *folder) Lstat(name string) (wasi.Stat, wasi.Errno) {
	n := d.children[name]
	if n == nil {
		return wasi.Stat{}, wasi.ENOENT
	}
	return n.stat(), wasi.Success
}

// Readlink implements wasi.Dir.
func (d *folder) Readlink(name string) (string, wasi.Errno) {
	n := d.children[name]
	switch {
	case n == nil:
		return "", wasi.ENOENT
	case n.kind != wasi.TypeSymlink:
		return "", wasi.EINVAL
	}
	return n.target, wasi.Success
}

// List implements wasi.Dir.
func (d *folder) List() ([]wasi.Entry, wasi.Errno) {
	if d.removed() { // as Linux has it
		return nil, wasi.ENOENT
	}
	names := d.names()
	entries := make([]wasi.Entry, len(names))
	for i, name := range names {
		n := d.children[name]
		entries[i] = wasi.Entry{Name: name, Type: n.kind, Inode: n.ino}
	}
	return entries, wasi.Success
}

// Mkdir implements wasi.Dir.
func (d *folder) Mkdir(name string) wasi.Errno {
	_, errno := d.make(name, func() *inode { return d.v.newInode(wasi.TypeDirectory) })
	return errno
}

// Symlink implements wasi.Dir.
func (d *folder) Symlink(target, name string) wasi.Errno {
	_, errno := d.make(name, func() *inode {
		n := d.v.newInode(wasi.TypeSymlink)
		n.target = target
		return n
	})
	return errno
}

// Link implements wasi.Dir.
func (d *folder) Link(name string, to wasi.Dir, newName string) wasi.Errno {
	other, errno := d.other(to)
	if errno != wasi.Success {
		return errno
	}
	n := d.children[name]
	switch {
	case n == nil || other.removed():
		return wasi.ENOENT
	case other.children[newName] != nil:
		return wasi.EEXIST
	case n.kind == wasi.TypeDirectory:
		return wasi.EPERM
	}
	if errno := other.add(newName, n); errno != wasi.Success {
		return errno
	}
	now := d.now()
	n.ctime = now
	other.changed(now)
	return wasi.Success
}

// other returns the folder of the same file system that something is to be moved to.
func (d *folder) other(to wasi.Dir) (*folder, wasi.Errno) {
	o, ok := to.(*folder)
	switch {
	case !ok || o.v != d.v:
		return nil, wasi.EXDEV
	case d.v.readOnly:
		return nil, wasi.EROFS
	}
	return o, wasi.Success
}

// Unlink implements wasi.Dir.
func (d *folder) Unlink(name string) wasi.Errno {
	n, errno := d.mine(name)
	switch {
	case errno != wasi.Success:
		return errno
	case n.kind == wasi.TypeDirectory:
		return wasi.EISDIR
	}
	d.drop(name)
	return wasi.Success
}

// Rmdir implements wasi.Dir.
func (d *folder) Rmdir(name string) wasi.Errno {
	n, errno := d.mine(name)
	switch {
	case errno != wasi.Success:
		return errno
	case n.kind != wasi.TypeDirectory:
		return wasi.ENOTDIR
	case n.pinned(d.inode):
		return wasi.EBUSY
	case len(n.children) > 0:
		return wasi.ENOTEMPTY
	}
	d.drop(name)
	return wasi.Success
}

// pinned reports whether the folder n in d is mounted, or something below it is.
func (n *inode) pinned(d *inode) bool { return n.v != d.v || n.mounts > 0 }

// mine returns what has the name, for something that a read-only folder refuses.
func (d *folder) mine(name string) (*inode, wasi.Errno) {
	n := d.children[name]
	switch {
	case d.v.readOnly:
		return nil, wasi.EROFS
	case n == nil:
		return nil, wasi.ENOENT
	}
	return n, wasi.Success
}

// drop removes a name.
func (d *folder) drop(name string) {
	n := d.children[name]
	d.remove(name)
	now := d.now()
	n.ctime = now
	d.changed(now)
}

// SetTimesOf implements wasi.Dir.
func (d *folder) SetTimesOf(name string, t wasi.Times) wasi.Errno {
	n := d.children[name]
	switch {
	case n != nil:
		return node{n}.SetTimes(t)
	case d.v.readOnly:
		return wasi.EROFS
	}
	return wasi.ENOENT
}

// Rename implements wasi.Dir.
func (d *folder) Rename(name string, to wasi.Dir, newName string) wasi.Errno {
	other, errno := d.other(to)
	if errno != wasi.Success {
		return errno
	}
	n, old := d.children[name], other.children[newName]
	if errno := d.movable(n, other, old); errno != wasi.Success {
		return errno
	}
	if n == old {
		return wasi.Success
	}
	grows, errno := n.moved(d.below(name), other.below(newName))
	if errno != wasi.Success {
		return errno
	}
	entries, document := 0, grows
	if old != nil {
		e := old.entry(other.below(newName))
		entries, document = -1, grows-tree.EntryLen(&e)
	}
	if !other.room(entries, document) {
		return wasi.ENOSPC
	}
	now := d.now()
	if old != nil {
		other.remove(newName)
		old.ctime = now
	}
	d.v.document += grows
	other.settle()
	d.detach(name)
	other.attach(newName, n)
	n.ctime = now
	d.changed(now)
	other.changed(now)
	return wasi.Success
}

// movable returns why n in d can't take the place of old in the folder other.
func (d *folder) movable(n *inode, other *folder, old *inode) wasi.Errno {
	switch {
	case n == nil || other.removed():
		return wasi.ENOENT
	case n.kind == wasi.TypeDirectory && n.pinned(d.inode),
		old != nil && old.kind == wasi.TypeDirectory && old.pinned(other.inode):
		return wasi.EBUSY
	case n.kind == wasi.TypeDirectory && other.inside(n):
		return wasi.EINVAL
	case old == nil || old == n:
		return wasi.Success
	case n.kind == wasi.TypeDirectory && old.kind != wasi.TypeDirectory:
		return wasi.ENOTDIR
	case old.kind == wasi.TypeDirectory && d.inside(old):
		return wasi.ENOTEMPTY
	case n.kind != wasi.TypeDirectory && old.kind == wasi.TypeDirectory:
		return wasi.EISDIR
	case len(old.children) > 0:
		return wasi.ENOTEMPTY
	}
	return wasi.Success
}

// inside reports whether the folder n is the folder child, or in it.
func (n *inode) inside(child *inode) bool {
	for ; n != nil; n = n.parent {
		if n == child {
			return true
		}
	}
	return false
}

// moved returns by how much the document grows when what is at a path, with all below it,
// goes to another, or why that can't be.
func (n *inode) moved(from, to string) (int64, wasi.Errno) {
	if _, errno := n.fits(to); errno != wasi.Success {
		return 0, errno
	}
	grows := int64(tree.TextLen(to) - tree.TextLen(from))
	for name, child := range n.children {
		more, errno := child.moved(from+"/"+name, to+"/"+name)
		if errno != wasi.Success {
			return 0, errno
		}
		grows += more
	}
	return grows, wasi.Success
}
