package tree

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"plasm/lib/job"
)

// A list is what a worker says is in a folder that its program could write: the names, and
// where the contents of the files are in the pack and in the scratch file of the job. The
// supervisor digests these contents itself. A list is a stranger's word: ReadList is the one
// place where it is read.
//
// All numbers are unsigned, little-endian. The scratch file is divided into blocks of
// BlockSize bytes.
//
//	4  number of entries; then each, in the order of a tree:
//	   1  kind: 1 dir, 2 file, 3 executable file, 4 link, 5 another name of a file
//	   2  length of the path, then the path
//	   kinds 2 and 3:
//	      8  size
//	      8  offset in the pack of the content that the file began with, and
//	      8  how many bytes of that are still its first ones; both 0 when there are none
//	      4  number of runs; then each, ascending:
//	         4  block of the file, from 0
//	         4  block of the scratch file, from 0
//	         4  number of blocks
//	   kind 4:
//	      2  length of the target, then the target
//	   kind 5:
//	      4  number of the entry, from 0, that the file has been described in
//
// What is in no run is what the file began with, and beyond that zeros.

// BlockSize is the unit in bytes of a job's scratch file, and in which its size counts.
const BlockSize = 4096

// MaxRuns is the largest number of runs in the lists of a job together.
const MaxRuns = 1 << 19

// Blocks returns how many blocks hold size bytes.
func Blocks(size int64) int64 { return size/BlockSize + min(1, size%BlockSize) }

// Run says that Count blocks of a file, from block At on, are those of the scratch file from
// block From on.
type Run struct{ At, From, Count uint32 }

// ListEntry is one name in a list.
type ListEntry struct {
	Entry            // without Digest
	Same       int   // with a file: the number of the entry that describes it, its own unless it is another name
	BaseOffset int64 // in the pack
	BaseLength int64 // bytes
	Runs       []Run
}

// List is what is in a folder.
type List struct {
	Entries []ListEntry
}

// kinds of entries in a list.
const (
	kindDir = iota + 1
	kindFile
	kindExecutable
	kindLink
	kindSame
)

// ListWriter writes a list, entry by entry.
type ListWriter struct {
	w   *bufio.Writer
	buf []byte
	n   int // entries so far
}

// NewListWriter writes the beginning of a list of n entries to w.
func NewListWriter(w io.Writer, n int) *ListWriter {
	l := &ListWriter{w: bufio.NewWriterSize(w, 64<<10)}
	_, _ = l.w.Write(binary.LittleEndian.AppendUint32(nil, uint32(n))) // Close tells
	return l
}

// Add writes the next entry, in the order of a tree.
func (l *ListWriter) Add(e *ListEntry) {
	l.buf = appendListEntry(l.buf[:0], e, l.n)
	_, _ = l.w.Write(l.buf) // Close tells
	l.n++
}

// Close writes what is left. An error is the writer's.
func (l *ListWriter) Close() error { return l.w.Flush() }

func appendListEntry(b []byte, e *ListEntry, i int) []byte {
	kind := byte(kindDir)
	switch {
	case e.Type == Link:
		kind = kindLink
	case e.Type == File && e.Same != i:
		kind = kindSame
	case e.Type == File && e.Executable:
		kind = kindExecutable
	case e.Type == File:
		kind = kindFile
	}
	b = append(b, kind)
	b = appendShort(b, e.Path)
	switch kind {
	case kindLink:
		b = appendShort(b, e.Target)
	case kindSame:
		b = binary.LittleEndian.AppendUint32(b, uint32(e.Same))
	case kindFile, kindExecutable:
		for _, n := range []int64{e.Size, e.BaseOffset, e.BaseLength} {
			b = binary.LittleEndian.AppendUint64(b, uint64(n))
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(len(e.Runs)))
		for _, r := range e.Runs {
			b = binary.LittleEndian.AppendUint32(b, r.At)
			b = binary.LittleEndian.AppendUint32(b, r.From)
			b = binary.LittleEndian.AppendUint32(b, r.Count)
		}
	}
	return b
}

func appendShort(b []byte, s string) []byte {
	b = binary.LittleEndian.AppendUint16(b, uint16(len(s)))
	return append(b, s...)
}

// Bounds hold the lists of one job together to what the job has. The zero value allows
// nothing.
type Bounds struct {
	Contents int64 // where the contents of the pack end
	Scratch  int64 // bytes of the scratch file
	Disk     int64 // bytes that all files may have, in whole blocks

	taken []uint64 // a bit for each block of the scratch file that a run has
	runs  int
	used  int64 // of Disk
}

// ErrList says that something is no list of a job's folder.
var ErrList = errors.New("not a list of a job's folder")

func badList(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrList, fmt.Sprintf(format, args...))
}

// ReadList reads a list. No block of the scratch file may be in two runs, in this list and
// those that were read with the same bounds before. It allocates at most 128 MiB, with what
// bounds keep. An error is r's, or ErrList.
func ReadList(r io.Reader, bounds *Bounds) (*List, error) {
	d := listDecoder{r: bufio.NewReaderSize(r, 64<<10), bounds: bounds}
	n := d.u32()
	if d.err == nil && n > MaxEntries {
		d.err = badList("%d entries", n)
	}
	l := &List{}
	if d.err == nil {
		l.Entries = make([]ListEntry, 0, n)
	}
	c := newChecker()
	for range n {
		if d.err != nil {
			break
		}
		e := d.entry(l.Entries)
		if d.err != nil {
			break
		}
		checked := e.Entry
		if e.Type == File {
			checked.Digest = job.EmptyDigest // a digest like any other, to this check
		}
		if err := c.add(&checked); err != nil {
			d.err = badList("%v", err)
			break
		}
		l.Entries = append(l.Entries, e)
	}
	if d.err != nil {
		return nil, d.err
	}
	return l, nil
}

type listDecoder struct {
	r      *bufio.Reader
	bounds *Bounds
	err    error
	buf    [MaxPath]byte
}

// take reads n bytes, at most MaxPath. The result is valid until the next call.
func (d *listDecoder) take(n int) []byte {
	b := d.buf[:n]
	if d.err == nil {
		_, d.err = io.ReadFull(d.r, b)
		if errors.Is(d.err, io.EOF) || errors.Is(d.err, io.ErrUnexpectedEOF) {
			d.err = badList("it is cut")
		}
	}
	if d.err != nil {
		clear(b)
	}
	return b
}

func (d *listDecoder) u32() uint32 { return binary.LittleEndian.Uint32(d.take(4)) }

// size reads a number of at most limit.
func (d *listDecoder) size(what string, limit int64) int64 {
	n := binary.LittleEndian.Uint64(d.take(8))
	if d.err == nil && n > uint64(max(0, limit)) {
		d.err = badList("%s of %d bytes where there are %d", what, n, limit)
		return 0
	}
	return int64(n)
}

// text reads a length and as many bytes.
func (d *listDecoder) text() string {
	n := int(binary.LittleEndian.Uint16(d.take(2)))
	if d.err == nil && n > MaxPath {
		d.err = badList("a path of %d bytes", n)
	}
	if d.err != nil {
		return ""
	}
	return string(d.take(n))
}

// entry reads an entry that follows those before.
func (d *listDecoder) entry(before []ListEntry) ListEntry {
	kind := d.take(1)[0]
	e := ListEntry{Entry: Entry{Path: d.text()}, Same: len(before)}
	switch kind {
	case kindDir:
		e.Type = Dir
	case kindFile, kindExecutable:
		e.Type, e.Executable = File, kind == kindExecutable
		d.content(&e)
	case kindLink:
		e.Type, e.Target = Link, d.text()
	case kindSame:
		same := d.u32()
		if d.err == nil && (same >= uint32(len(before)) || before[same].Type != File ||
			before[same].Same != int(same)) {
			d.err = badList("another name of entry %d, which describes no file", same)
		}
		if d.err == nil {
			first := &before[same]
			e.Type, e.Executable, e.Size, e.Same = File, first.Executable, first.Size, int(same)
			d.charge(e.Size)
		}
	default:
		if d.err == nil {
			d.err = badList("kind %d", kind)
		}
	}
	return e
}

// charge counts a name's size.
func (d *listDecoder) charge(size int64) {
	b := d.bounds
	if b.used += Blocks(size) * BlockSize; b.used > b.Disk && d.err == nil {
		d.err = badList("files of more than %d bytes", b.Disk)
	}
}

// content reads where the content of a file is.
func (d *listDecoder) content(e *ListEntry) {
	b := d.bounds
	e.Size = d.size("a file", b.Disk)
	d.charge(e.Size)
	e.BaseOffset = d.size("a pack", b.Contents)
	e.BaseLength = d.size("a content", min(e.Size, b.Contents-e.BaseOffset))
	n := d.u32()
	if b.runs += int(n); n > MaxRuns || b.runs > MaxRuns {
		d.err = badList("more than %d runs", MaxRuns)
	}
	if d.err != nil {
		return
	}
	e.Runs = make([]Run, 0, n)
	next, blocks := uint64(0), uint64(Blocks(e.Size))
	for range n {
		r := Run{At: d.u32(), From: d.u32(), Count: d.u32()}
		if d.err != nil {
			return
		}
		at, count := uint64(r.At), uint64(r.Count)
		if count == 0 || at < next || at+count > blocks {
			d.err = badList("a run of blocks %d to %d of a file of %d, after %d", at, at+count, blocks, next)
			return
		}
		if d.err = b.claim(r); d.err != nil {
			return
		}
		next = at + count
		e.Runs = append(e.Runs, r)
	}
}

// claim takes the blocks of a run, which nothing may have had.
func (b *Bounds) claim(r Run) error {
	end := uint64(r.From) + uint64(r.Count)
	if end > uint64(b.Scratch/BlockSize) {
		return badList("blocks up to %d of a scratch file of %d bytes", end, b.Scratch)
	}
	if b.taken == nil {
		b.taken = make([]uint64, b.Scratch/BlockSize/64+1)
	}
	for at := uint64(r.From); at < end; {
		word, shift := at/64, at%64
		n := min(64-shift, end-at)
		mask := (^uint64(0) >> (64 - n)) << shift
		if both := b.taken[word] & mask; both != 0 {
			return badList("block %d of the scratch file twice", word*64+uint64(bits.TrailingZeros64(both)))
		}
		b.taken[word] |= mask
		at += n
	}
	return nil
}

// Output is a folder that a program has written, with its contents.
type Output struct {
	Tree *Tree

	list    *List
	scratch io.ReaderAt
	pack    *Pack                 // nil when there is none
	blobs   map[extent]job.Digest // what is where in the pack
	files   map[job.Digest]int    // entries of list
}

// Digest digests the contents of the files of l: those in runs are read from scratch, the
// others from pack, which may be nil where no file began with a content. An error is
// ctx's, or one of reading.
func (l *List) Digest(ctx context.Context, scratch io.ReaderAt, pack *Pack) (*Output, error) {
	o := &Output{Tree: &Tree{}, list: l, scratch: scratch, pack: pack, files: map[job.Digest]int{}}
	o.Tree.Entries = make([]Entry, len(l.Entries))
	if pack != nil {
		o.blobs = pack.extents()
	}
	for i := range l.Entries {
		e := &l.Entries[i]
		out := e.Entry
		switch {
		case e.Type != File:
		case e.Same != i:
			out.Digest = o.Tree.Entries[e.Same].Digest
		default:
			var err error
			if out.Digest, err = o.digest(ctx, e); err != nil {
				return nil, err
			}
			o.files[out.Digest] = i
		}
		o.Tree.Entries[i] = out
	}
	return o, nil
}

func (o *Output) digest(ctx context.Context, e *ListEntry) (job.Digest, error) {
	if len(e.Runs) == 0 && e.BaseLength == e.Size { // what it began with, which is known
		if d, ok := o.blobs[extent{e.BaseOffset, e.Size}]; ok {
			return d, nil
		}
	}
	d, n, err := Discard.Put(&contextReader{ctx: ctx, r: o.open(e), name: e.Path})
	if err == nil && n != e.Size {
		err = fmt.Errorf("reading %s: %w", shown(e.Path), io.ErrUnexpectedEOF)
	}
	return d, err
}

// Contents implements Contents for the files of the tree.
func (o *Output) Contents(d job.Digest) (io.Reader, error) {
	i, ok := o.files[d]
	if !ok {
		return nil, &job.Error{Code: job.CodeInternal, Message: "no file of the folder has the content " + string(d)}
	}
	return o.open(&o.list.Entries[i]), nil
}

// open returns the content of a file.
func (o *Output) open(e *ListEntry) io.Reader {
	return &contentReader{e: e, runs: e.Runs, o: o}
}

// contentReader reads a file that is in runs and in what it began with.
type contentReader struct {
	o    *Output
	e    *ListEntry
	runs []Run // not yet passed
	at   int64
}

func (c *contentReader) Read(p []byte) (int, error) {
	if c.at >= c.e.Size {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), c.e.Size-c.at)]
	block := c.at / BlockSize
	for len(c.runs) > 0 && int64(c.runs[0].At)+int64(c.runs[0].Count) <= block {
		c.runs = c.runs[1:]
	}
	var from io.ReaderAt
	var offset int64
	switch {
	case len(c.runs) > 0 && int64(c.runs[0].At) <= block:
		r := c.runs[0]
		start := int64(r.At) * BlockSize
		p = p[:min(int64(len(p)), start+int64(r.Count)*BlockSize-c.at)]
		from, offset = c.o.scratch, int64(r.From)*BlockSize+c.at-start
	default:
		if len(c.runs) > 0 {
			p = p[:min(int64(len(p)), int64(c.runs[0].At)*BlockSize-c.at)]
		}
		if c.at < c.e.BaseLength {
			p = p[:min(int64(len(p)), c.e.BaseLength-c.at)]
			if c.o.pack == nil {
				return 0, io.ErrUnexpectedEOF
			}
			from, offset = c.o.pack.r, c.e.BaseOffset+c.at
		}
	}
	if from == nil {
		clear(p)
	} else if n, err := from.ReadAt(p, offset); n < len(p) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return 0, err
	}
	c.at += int64(len(p))
	return len(p), nil
}
