package virtual

import (
	"io"
	"slices"
	"strings"

	"plasm/lib/tree"
	"plasm/lib/wasi"
)

// WriteLists writes what is in each folder that the program could write, as tree.ReadList
// reads it, in the order of Config. An error is w's.
func (s *System) WriteLists(w io.Writer) error {
	for _, v := range s.volumes {
		if v.readOnly {
			continue
		}
		l := lister{v: v, w: tree.NewListWriter(w, v.entries), numbers: map[*inode]int{}}
		l.folder(v.root, "")
		if err := l.w.Close(); err != nil {
			return err
		}
	}
	return nil
}

type lister struct {
	v       *volume
	w       *tree.ListWriter
	n       int
	numbers map[*inode]int // of files with more than one name
}

// step is a name in a folder, or what is below it. They are sorted as paths are: "a" comes
// before "a-b", and that before "a/b".
type step struct {
	key  string // the name; of what is below it, with a slash
	node *inode
}

// folder writes what is below the folder d, whose path is followed by a slash in prefix.
func (l *lister) folder(d *inode, prefix string) {
	steps := make([]step, 0, len(d.children))
	for name, n := range d.children {
		if n.v != l.v { // mounted
			continue
		}
		if !n.implied {
			steps = append(steps, step{name, n})
		}
		if n.kind == wasi.TypeDirectory {
			steps = append(steps, step{name + "/", n})
		}
	}
	slices.SortFunc(steps, func(a, b step) int { return strings.Compare(a.key, b.key) })
	for _, s := range steps {
		if strings.HasSuffix(s.key, "/") {
			l.folder(s.node, prefix+s.key)
		} else {
			l.name(s.node, prefix+s.key)
		}
	}
}

// name writes an entry.
func (l *lister) name(n *inode, path string) {
	e := tree.ListEntry{Entry: n.entry(path), Same: l.n}
	e.Digest = ""
	if n.kind == wasi.TypeRegular {
		first, again := l.numbers[n]
		switch {
		case again:
			e.Same = first
		case n.links > 1:
			l.numbers[n] = l.n
		}
		e.Runs = n.content.runs
		if n.content.baseLength > 0 {
			e.BaseOffset, e.BaseLength = n.content.base, n.content.baseLength
		}
	}
	l.w.Add(&e)
	l.n++
}
