package virtual

import (
	"fmt"
	"math/bits"

	"plasm/lib/tree"
	"plasm/lib/wasi"
)

// Check compares what s keeps count of with what it has. open are the files that are open.
func (s *System) Check(open ...wasi.Node) error {
	files := map[*inode]bool{}
	for _, n := range open {
		if f, ok := n.(*file); ok {
			files[f.inode] = true
		}
	}
	for _, v := range s.volumes {
		entries, document := 0, tree.EmptyDocument
		var walk func(d *inode, prefix string)
		walk = func(d *inode, prefix string) {
			for name, n := range d.children {
				if n.v != v {
					continue
				}
				if !n.implied {
					e := n.entry(prefix + name)
					entries, document = entries+1, document+tree.EntryLen(&e)
				}
				if n.kind == wasi.TypeRegular {
					files[n] = true
				}
				walk(n, prefix+name+"/")
			}
		}
		walk(v.root, "")
		if entries != v.entries || document != v.document {
			return fmt.Errorf("%d entries of %d bytes, counted are %d of %d", entries, document, v.entries, v.document)
		}
	}
	return s.checkFiles(files)
}

func (s *System) checkFiles(files map[*inode]bool) error {
	var used, blocks int64
	var runs int
	taken := map[uint32]bool{}
	for n := range files {
		if !n.v.readOnly {
			used += n.shares() * tree.Blocks(n.content.size)
		}
		runs += len(n.content.runs)
		for _, r := range n.content.runs {
			for i := range r.Count {
				if taken[r.From+i] {
					return fmt.Errorf("block %d twice", r.From+i)
				}
				taken[r.From+i] = true
				blocks++
			}
		}
	}
	var marked int64
	for _, w := range s.disk.space.words {
		marked += int64(bits.OnesCount64(w))
	}
	if used != s.used || blocks != marked || runs != s.disk.runs {
		return fmt.Errorf("%d blocks in %d runs, %d that count; kept are %d, %d and %d",
			blocks, runs, used, marked, s.disk.runs, s.used)
	}
	return nil
}

// SetRuns has s behave as if its files had so many more runs.
func (s *System) SetRuns(n int) { s.disk.runs += n }
