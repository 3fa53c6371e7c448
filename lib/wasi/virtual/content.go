package virtual

import (
	"io"
	"slices"
	"sort"

	"plasm/lib/tree"
)

const blockSize = tree.BlockSize

// content is what is in a file: in the blocks of runs what was written, elsewhere what the
// file began with, from the pack, and beyond that zeros.
type content struct {
	size       int64
	base       int64      // offset in the pack
	baseLength int64      // bytes of it that are still the file's first ones
	runs       []tree.Run // ascending by At, none over another
}

// disk is where contents are, for all files of a job.
type disk struct {
	pack    io.ReaderAt // may be nil where no file begins with a content
	scratch Scratch     // may be nil where nothing can be written
	space   space
	runs    int // in all files
	zeros   [blockSize]byte
	edge    [blockSize]byte
}

// find returns the position in runs of the first one that ends behind block.
func (c *content) find(block int64) int {
	return sort.Search(len(c.runs), func(i int) bool { return int64(c.runs[i].At)+int64(c.runs[i].Count) > block })
}

// piece says where what a file has at an offset is: in the scratch file from an offset on,
// or, with scratch false, in the pack or nowhere. It goes on so for up to n bytes, n > 0.
func (c *content) piece(off int64) (scratch bool, from, n int64) {
	block := off / blockSize
	i := c.find(block)
	if i < len(c.runs) && int64(c.runs[i].At) <= block {
		start := int64(c.runs[i].At) * blockSize
		return true, int64(c.runs[i].From)*blockSize + off - start, start + int64(c.runs[i].Count)*blockSize - off
	}
	n = 1<<62 - off
	if i < len(c.runs) {
		n = int64(c.runs[i].At)*blockSize - off
	}
	return false, 0, n
}

// read fills p from off on, as far as the file goes. An error is the host's.
func (d *disk) read(c *content, p []byte, off int64) (int, error) {
	if off >= c.size {
		return 0, nil
	}
	p = p[:min(int64(len(p)), c.size-off)]
	for done := 0; done < len(p); {
		at := off + int64(done)
		scratch, from, n := c.piece(at)
		part := p[done : done+int(min(n, int64(len(p)-done)))]
		switch {
		case scratch:
			if err := readFull(d.scratch, part, from); err != nil {
				return done, err
			}
		case at < c.baseLength:
			part = part[:min(int64(len(part)), c.baseLength-at)]
			if err := readFull(d.pack, part, c.base+at); err != nil {
				return done, err
			}
		default:
			clear(part)
		}
		done += len(part)
	}
	return len(p), nil
}

func readFull(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	switch {
	case n == len(p):
		return nil
	case err == nil || err == io.EOF:
		return io.ErrUnexpectedEOF
	}
	return err
}

// write writes p at off, and returns fewer than len(p) when there is no more room. The size
// is the caller's to set.
func (d *disk) write(c *content, p []byte, off int64) (int, error) {
	for done := 0; done < len(p); {
		at := off + int64(done)
		scratch, from, n := c.piece(at)
		part := p[done:]
		if scratch {
			part = part[:min(n, int64(len(part)))]
			if _, err := d.scratch.WriteAt(part, from); err != nil {
				return done, err
			}
			done += len(part)
			continue
		}
		n, err := d.writeNew(c, part[:min(n, int64(len(part)))], at)
		if err != nil || n == 0 {
			return done, err
		}
		done += int(n)
	}
	return len(p), nil
}

// writeNew writes p, or the beginning of it, where the file has no blocks yet: whole blocks,
// with what the file has in those of them that p doesn't fill.
func (d *disk) writeNew(c *content, p []byte, off int64) (int64, error) {
	if d.runs >= tree.MaxRuns {
		return 0, nil
	}
	first, last := off/blockSize, (off+int64(len(p))-1)/blockSize
	from, count, ok := d.space.take(d.goal(c, first), last-first+1)
	if !ok {
		return 0, nil
	}
	if err := d.fill(c, p, off, from, count); err != nil {
		d.space.give(from, count)
		return 0, err
	}
	d.insert(c, tree.Run{At: uint32(first), From: uint32(from), Count: uint32(count)})
	return min(int64(len(p)), (first+count)*blockSize-off), nil
}

// fill writes count blocks of the scratch file, which begin with the one that off is in.
func (d *disk) fill(c *content, p []byte, off, from, count int64) error {
	first := off / blockSize
	for i := int64(0); i < count; {
		start := (first + i) * blockSize
		if start >= off && start+blockSize <= off+int64(len(p)) { // whole ones at once
			whole := min(count-i, (off+int64(len(p))-start)/blockSize)
			if _, err := d.scratch.WriteAt(p[start-off:][:whole*blockSize], (from+i)*blockSize); err != nil {
				return err
			}
			i += whole
			continue
		}
		n, err := d.read(c, d.edge[:], start)
		if err != nil {
			return err
		}
		clear(d.edge[n:])
		copy(d.edge[max(0, off-start):], p[max(0, start-off):])
		if _, err := d.scratch.WriteAt(d.edge[:], (from+i)*blockSize); err != nil {
			return err
		}
		i++
	}
	return nil
}

// goal is the block of the scratch file that goes on where the blocks before a file's block
// first are, 0 when there are none.
func (d *disk) goal(c *content, first int64) int64 {
	i := c.find(first - 1)
	if first > 0 && i < len(c.runs) && int64(c.runs[i].At) < first {
		return int64(c.runs[i].From) + int64(c.runs[i].Count)
	}
	return 0
}

// insert adds a run whose blocks no run has.
func (d *disk) insert(c *content, r tree.Run) {
	i := c.find(int64(r.At))
	if i > 0 {
		if before := &c.runs[i-1]; before.At+before.Count == r.At && before.From+before.Count == r.From {
			before.Count += r.Count
			return
		}
	}
	c.runs = slices.Insert(c.runs, i, r)
	d.runs++
}

// cut makes a file shorter.
func (d *disk) cut(c *content, size int64) error {
	if rest := size % blockSize; rest != 0 { // what is cut off must not come back when the file grows
		if scratch, from, _ := c.piece(size); scratch {
			if _, err := d.scratch.WriteAt(d.zeros[rest:], from); err != nil {
				return err
			}
		}
	}
	keep := tree.Blocks(size)
	for len(c.runs) > 0 {
		r := &c.runs[len(c.runs)-1]
		if int64(r.At)+int64(r.Count) <= keep {
			break
		}
		if left := max(0, keep-int64(r.At)); left > 0 {
			d.space.give(int64(r.From)+left, int64(r.Count)-left)
			r.Count = uint32(left)
			break
		}
		d.space.give(int64(r.From), int64(r.Count))
		c.runs = c.runs[:len(c.runs)-1]
		d.runs--
	}
	c.size = size
	c.baseLength = min(c.baseLength, size)
	return nil
}
