// Package virtual is the file system of folders that travel with a job: trees as they came,
// from a pack that is only read, and what the program writes, in a scratch file. It is the
// same on every machine: what a program sees depends on the trees and on what it does.
//
// Of the host it has two open files and no path. Names, and where contents are, are in
// memory: at most tree.MaxEntries names and tree.MaxDocument bytes of document in each
// folder, and tree.MaxRuns rows of blocks in all of them.
//
// A folder can hold what a tree can: a call that would make something else fails, with
// EILSEQ for a name that isn't UTF-8, ENAMETOOLONG for a long one, EPERM for a link that leads
// out, and ENOSPC for what goes beyond the limits.
//
// Entries are sorted by name. Inode numbers are 1 for the folder, then the positions in the
// tree, then as files are made; the number of the folder is its device. What came has the time
// of wasi.Epoch, what is made or changed that of the job's clock; reading changes no time.
// A folder has the size 0, and one link.
//
// Folders may be in one another: then the inner one is mounted in the outer one, which lists
// it; it can be neither removed nor renamed (EBUSY), and nothing can be moved or linked
// across (EXDEV).
package virtual

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"plasm/lib/tree"
	"plasm/lib/wasi"
)

// Scratch is the file that a program's writing goes to, such as an *os.File.
type Scratch interface {
	io.ReaderAt
	io.WriterAt
}

// Folder is a folder that a program has.
type Folder struct {
	Guest    string // absolute path in the program
	ReadOnly bool
	Tree     *tree.Tree // what is in it at the beginning; valid
}

// Config is what a System is made of.
type Config struct {
	Folders []Folder // no Guest twice
	// Find returns where in Pack a content of a tree is, of the size that the tree gives.
	Find    func(e *tree.Entry) (offset int64, ok bool)
	Pack    io.ReaderAt  // nil: no tree has a file with content
	Scratch Scratch      // nil: every folder is read-only
	Disk    int64        // bytes, a multiple of 2^18: what the files of all folders that aren't read-only may have
	Now     func() int64 // nanoseconds since 1970
	// Failed is told when Pack or Scratch could not be read or written: the job is to end. The
	// program's call returns EIO if Failed returns.
	Failed func(error)
}

// System is the folders of one program. It is for one goroutine, the guest's.
type System struct {
	c       Config
	disk    disk
	used    int64 // blocks of Disk
	volumes []*volume
}

// volume is one folder.
type volume struct {
	s        *System
	guest    string
	readOnly bool
	device   uint64
	root     *inode
	nextIno  uint64
	entries  int   // names
	document int64 // bytes of its document
}

// New returns the folders of c. An error says what in c breaks a rule, or that what is in the
// folders is more than Disk.
func New(c Config) (*System, error) {
	s := &System{c: c, disk: disk{pack: c.Pack, scratch: c.Scratch, space: space{limit: c.Disk / blockSize}}}
	for i := range c.Folders {
		f := &c.Folders[i]
		if !f.ReadOnly && c.Scratch == nil {
			return nil, errors.New("a folder that can be written, and no scratch file")
		}
		v := &volume{s: s, guest: f.Guest, readOnly: f.ReadOnly, device: uint64(i) + 1, nextIno: 2}
		v.root = &inode{v: v, kind: wasi.TypeDirectory, ino: 1, links: 1, children: map[string]*inode{}}
		v.root.setTimes(wasi.Epoch)
		v.document = tree.EmptyDocument
		if err := v.load(f.Tree); err != nil {
			return nil, fmt.Errorf("folder %s: %w", f.Guest, err)
		}
		s.volumes = append(s.volumes, v)
	}
	if s.used > s.c.Disk/blockSize {
		return nil, fmt.Errorf("the folders begin with %d bytes, more than the disk of %d", s.used*blockSize, s.c.Disk)
	}
	if err := s.mount(); err != nil {
		return nil, err
	}
	return s, nil
}

// load makes the inodes of a tree.
func (v *volume) load(t *tree.Tree) error {
	dirs := map[string]*inode{"": v.root}
	for i := range t.Entries {
		e := &t.Entries[i]
		at := strings.LastIndexByte(e.Path, '/')
		parent := dirs[e.Path[:max(0, at)]]
		if parent == nil {
			return fmt.Errorf("%q has no parent", e.Path)
		}
		n := v.newInode(typeOf(e.Type))
		n.setTimes(wasi.Epoch)
		n.executable, n.target = e.Executable, e.Target
		switch e.Type {
		case tree.Dir:
			dirs[e.Path] = n
		case tree.Link:
		case tree.File:
			n.content.size = e.Size
			if e.Size > 0 {
				offset, ok := v.s.c.Find(e)
				if !ok {
					return fmt.Errorf("%q: its content is not there", e.Path)
				}
				n.content.base, n.content.baseLength = offset, e.Size
			}
			if !v.readOnly {
				v.s.used += tree.Blocks(e.Size)
			}
		}
		parent.attach(e.Path[at+1:], n)
		v.entries++
		v.document += tree.EntryLen(e)
	}
	return nil
}

func typeOf(t tree.Type) wasi.FileType {
	switch t {
	case tree.Dir:
		return wasi.TypeDirectory
	case tree.Link:
		return wasi.TypeSymlink
	default:
		return wasi.TypeRegular
	}
}

// mount puts each folder that is in another one in its place there.
func (s *System) mount() error {
	for _, v := range s.volumes {
		outer := s.around(v)
		if outer == nil {
			continue
		}
		rest := strings.Split(strings.TrimPrefix(strings.TrimPrefix(v.guest, outer.guest), "/"), "/")
		at := outer.root
		for _, name := range rest[:len(rest)-1] {
			child := at.children[name]
			if child == nil {
				child = outer.newInode(wasi.TypeDirectory)
				child.setTimes(wasi.Epoch)
				child.implied = true
				at.attach(name, child)
			}
			if child.kind != wasi.TypeDirectory || child.v != outer {
				return fmt.Errorf("folder %s: %q in folder %s is no folder", v.guest, name, outer.guest)
			}
			at = child
		}
		name := rest[len(rest)-1]
		if at.children[name] != nil {
			return fmt.Errorf("folder %s is in folder %s already", v.guest, outer.guest)
		}
		at.attach(name, v.root)
		for ; at != nil; at = at.parent {
			at.mounts++
		}
	}
	return nil
}

// around returns the innermost folder that v is in, or nil.
func (s *System) around(v *volume) *volume {
	var best *volume
	for _, o := range s.volumes {
		inside := o != v && strings.HasPrefix(v.guest, strings.TrimSuffix(o.guest, "/")+"/")
		if inside && (best == nil || len(o.guest) > len(best.guest)) {
			best = o
		}
	}
	return best
}

// Preopens returns the folders, in the order of Config.
func (s *System) Preopens() []wasi.Preopen {
	all := make([]wasi.Preopen, 0, len(s.volumes))
	for _, v := range s.volumes {
		all = append(all, wasi.Preopen{Guest: v.guest, Dir: &folder{v.root}})
	}
	return all
}

// failed tells that the host failed, and returns what the program learns of it.
func (s *System) failed(err error) wasi.Errno {
	s.c.Failed(err)
	return wasi.EIO
}
