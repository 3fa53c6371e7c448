package tree

import (
	"context"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"plasm/lib/job"
)

// Source is a file or folder of this machine that goes into a job.
type Source struct {
	Path  string // of this machine
	Guest string // absolute path in the guest
}

// Folder is a folder that a job begins with.
type Folder struct {
	Guest    string
	ReadOnly bool
	Tree     *Tree
}

// Gather reads sources into the folders of a job. The folders named in outputs can be
// written, and begin as the sources of the same path, or empty; the others are read-only. A
// file is in the nearest folder around it, else in one that is its parent. A read-only folder
// in a read-only one is part of that; where either of two can be written the inner one is a
// folder of its own. The folders are sorted by Guest.
//
// Contents go to sink. An error is a *job.Error: job.CodeUsage for a path in the guest that
// two sources have, and those of Builder.
func Gather(ctx context.Context, sources []Source, outputs []string, sink Sink, x *Exclude) ([]Folder, error) {
	g := gatherer{writable: map[string]bool{}, sources: map[string][]Source{}}
	for _, guest := range outputs {
		if !job.ValidGuest(guest) {
			return nil, badGuest(guest)
		}
		if g.writable[guest] {
			return nil, usage("%s is written to twice", shown(guest))
		}
		g.writable[guest] = true
		g.sources[guest] = nil
	}
	if err := g.sort(sources); err != nil {
		return nil, err
	}
	var folders []Folder
	for _, guest := range g.guests() {
		b := NewBuilder(sink, x)
		for _, s := range g.sources[guest] {
			at := strings.TrimPrefix(strings.TrimPrefix(s.Guest, guest), "/")
			if err := b.Add(ctx, s.Path, at); err != nil {
				return nil, err
			}
		}
		t, err := b.Tree()
		if err != nil {
			return nil, err
		}
		folders = append(folders, Folder{Guest: guest, ReadOnly: !g.writable[guest], Tree: t})
	}
	return folders, checkMounts(folders)
}

// gatherer says which sources are in which folder.
type gatherer struct {
	writable map[string]bool
	sources  map[string][]Source // by the folder they are in
}

func (g *gatherer) guests() []string {
	guests := make([]string, 0, len(g.sources))
	for guest := range g.sources {
		guests = append(guests, guest)
	}
	slices.Sort(guests)
	return guests
}

// sort puts folders before files, and what is read-only into what is around it.
func (g *gatherer) sort(sources []Source) error {
	var files []Source
	for _, s := range sources {
		if !job.ValidGuest(s.Guest) {
			return badGuest(s.Guest)
		}
		info, err := os.Stat(s.Path)
		if err != nil {
			return readError(s.Path, err)
		}
		if !info.IsDir() {
			files = append(files, s)
			continue
		}
		g.sources[s.Guest] = append(g.sources[s.Guest], s)
	}
	for _, s := range files {
		if s.Guest == "/" {
			return usage("%s is a file, and cannot be /", shown(s.Path))
		}
		folder, ok := g.around(s.Guest)
		if !ok {
			folder = path.Dir(s.Guest)
		}
		g.sources[folder] = append(g.sources[folder], s)
	}
	for _, guest := range g.guests() {
		outer, ok := g.around(guest)
		if ok && !g.writable[guest] && !g.writable[outer] {
			g.sources[outer] = append(g.sources[outer], g.sources[guest]...)
			delete(g.sources, guest)
		}
	}
	return nil
}

// around returns the innermost folder that a path in the guest is in.
func (g *gatherer) around(guest string) (string, bool) {
	for guest != "/" {
		guest = path.Dir(guest)
		if _, ok := g.sources[guest]; ok {
			return guest, true
		}
	}
	return "", false
}

// checkMounts refuses a folder whose place in the one around it is taken.
func checkMounts(folders []Folder) error {
	for _, inner := range folders {
		var outer *Folder
		for i := range folders { // sorted: the innermost is the last
			if f := &folders[i]; f.Guest != inner.Guest && Nested(f.Guest, inner.Guest) &&
				len(f.Guest) < len(inner.Guest) {
				outer = f
			}
		}
		if outer == nil {
			continue
		}
		at := strings.TrimPrefix(strings.TrimPrefix(inner.Guest, outer.Guest), "/")
		for _, e := range outer.Tree.Entries {
			if e.Path == at || e.Type != Dir && strings.HasPrefix(at, e.Path+"/") {
				err := usage("%s is in the folder %s already", shown(inner.Guest), shown(outer.Guest))
				err.Fact = job.FactTwice
				return err
			}
		}
	}
	return nil
}

func badGuest(guest string) error {
	return usage("%s is not an absolute path in UTF-8 without empty, . or .. parts or a final /", job.Quote(guest))
}

func usage(format string, args ...any) *job.Error {
	return &job.Error{Code: job.CodeUsage, Message: fmt.Sprintf(format, args...)}
}
