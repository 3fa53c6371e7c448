package virtual

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"plasm/lib/tree"
	"plasm/lib/wasi"
)

// inode is a file, folder or symbolic link.
type inode struct {
	v                   *volume
	kind                wasi.FileType
	ino                 uint64
	atime, mtime, ctime int64
	links               int64 // names

	// Of a folder.
	parent   *inode // nil of a root that isn't mounted, and of a folder that was removed
	name     string // in parent
	children map[string]*inode
	sorted   []string // names of children; nil when they have changed
	mounts   int      // folders that are mounted somewhere below
	implied  bool     // it is there only because something is mounted below

	// Of a file.
	content    content
	executable bool
	opens      int64

	// Of a link.
	target string
}

func (v *volume) newInode(kind wasi.FileType) *inode {
	n := &inode{v: v, kind: kind, ino: v.nextIno}
	v.nextIno++
	if kind == wasi.TypeDirectory {
		n.children = map[string]*inode{}
	}
	return n
}

func (n *inode) setTimes(now int64) { n.atime, n.mtime, n.ctime = now, now, now }

// changed says that what is in n has changed.
func (n *inode) changed(now int64) { n.mtime, n.ctime = now, now }

func (n *inode) now() int64 { return n.v.s.c.Now() }

// attach gives child the name in the folder n.
func (n *inode) attach(name string, child *inode) {
	n.children[name] = child
	n.sorted = nil
	if child.kind == wasi.TypeDirectory {
		child.parent, child.name, child.links = n, name, 1
		return
	}
	child.links++
}

// detach takes the name out of the folder n.
func (n *inode) detach(name string) {
	child := n.children[name]
	delete(n.children, name)
	n.sorted = nil
	child.links--
	if child.kind == wasi.TypeDirectory {
		child.parent = nil
	}
}

// names returns the names in the folder n, sorted.
func (n *inode) names() []string {
	if n.sorted == nil {
		n.sorted = slices.Sorted(maps.Keys(n.children))
	}
	return n.sorted
}

// path returns the path of the folder n in its volume, "" of the root.
func (n *inode) path() string {
	var parts []string
	for ; n != n.v.root; n = n.parent {
		parts = append(parts, n.name)
	}
	slices.Reverse(parts)
	return strings.Join(parts, "/")
}

// removed reports whether the folder n has no name any more.
func (n *inode) removed() bool { return n.links == 0 }

// below returns the path of a name in the folder n.
func (n *inode) below(name string) string {
	if path := n.path(); path != "" {
		return path + "/" + name
	}
	return name
}

func (n *inode) stat() wasi.Stat {
	st := wasi.Stat{
		Device: n.v.device, Inode: n.ino, Type: n.kind, Links: uint64(n.links),
		Atime: n.atime, Mtime: n.mtime, Ctime: n.ctime,
	}
	switch n.kind {
	case wasi.TypeRegular:
		st.Size = uint64(n.content.size)
	case wasi.TypeSymlink:
		st.Size = uint64(len(n.target))
	default: // a folder
	}
	return st
}

// entry returns what a tree has of n at a path.
func (n *inode) entry(path string) tree.Entry {
	switch n.kind {
	case wasi.TypeDirectory:
		return tree.Entry{Path: path, Type: tree.Dir}
	case wasi.TypeSymlink:
		return tree.Entry{Path: path, Type: tree.Link, Target: n.target}
	default:
		return tree.Entry{
			Path: path, Type: tree.File, Size: n.content.size, Digest: tree.Empty, // a digest, for its length
			Executable: n.executable,
		}
	}
}

// fits returns why n can't be at a path of its volume, which would have it beside what is
// there already.
func (n *inode) fits(path string) (document int64, errno wasi.Errno) {
	if errno := pathErrno(path); errno != wasi.Success {
		return 0, errno
	}
	if n.kind == wasi.TypeSymlink {
		if errno := pathErrno(n.target); errno != wasi.Success {
			return 0, errno
		}
		if tree.TargetProblem(path, n.target) != "" {
			return 0, wasi.EPERM
		}
	}
	e := n.entry(path)
	return tree.EntryLen(&e), wasi.Success
}

func pathErrno(path string) wasi.Errno {
	switch {
	case !utf8.ValidString(path):
		return wasi.EILSEQ
	case len(path) > tree.MaxPath:
		return wasi.ENAMETOOLONG
	}
	return wasi.Success
}

// add gives child the name in the folder n, if there is room for it.
func (n *inode) add(name string, child *inode) wasi.Errno {
	v := n.v
	document, errno := child.fits(n.below(name))
	switch {
	case errno != wasi.Success:
		return errno
	case !n.room(1, document):
		return wasi.ENOSPC
	case child.kind == wasi.TypeRegular && !v.s.charge(tree.Blocks(child.content.size)):
		return wasi.ENOSPC
	}
	v.entries++
	v.document += document
	n.settle()
	n.attach(name, child)
	return wasi.Success
}

// room reports whether the folder n can have so many more entries and bytes of document.
func (n *inode) room(entries int, document int64) bool {
	for p := n; p.implied; p = p.parent { // these will count, too
		e := p.entry(p.path())
		entries, document = entries+1, document+tree.EntryLen(&e)
	}
	return n.v.entries+entries <= tree.MaxEntries && n.v.document+document <= tree.MaxDocument
}

// settle makes the folder n part of the tree, now that something is in it.
func (n *inode) settle() {
	for ; n.implied; n = n.parent {
		e := n.entry(n.path())
		n.v.entries++
		n.v.document += tree.EntryLen(&e)
		n.implied = false
	}
}

// remove takes a name out of the folder n.
func (n *inode) remove(name string) {
	child := n.children[name]
	e := child.entry(n.below(name))
	n.v.entries--
	n.v.document -= tree.EntryLen(&e)
	n.detach(name)
	if child.kind == wasi.TypeRegular {
		child.letGo()
	}
}

// A file's blocks count once for each name, and once while it has none but is open.

// shares is how often the blocks of a file count.
func (n *inode) shares() int64 {
	if n.links == 0 && n.opens > 0 {
		return 1
	}
	return n.links
}

// letGo follows the removal of a name of a file: its blocks count once less, unless that was
// the last name and it is open.
func (n *inode) letGo() {
	if n.links == 0 && n.opens > 0 {
		return
	}
	n.v.s.used -= tree.Blocks(n.content.size)
	if n.links == 0 {
		n.free()
	}
}

// free gives the blocks of a file back that nothing can reach any more.
func (n *inode) free() {
	for _, r := range n.content.runs {
		n.v.s.disk.space.give(int64(r.From), int64(r.Count))
		n.v.s.disk.runs--
	}
	n.content = content{}
}

// charge counts blocks against the disk, if they fit.
func (s *System) charge(blocks int64) bool {
	if blocks > s.c.Disk/blockSize-s.used {
		return false
	}
	s.used += blocks
	return true
}
