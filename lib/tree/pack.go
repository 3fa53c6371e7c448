package tree

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"

	"plasm/lib/job"
)

// A pack is one file with the trees of a job and the contents of their files, each content
// once. All numbers are unsigned, little-endian.
//
//	offset  bytes
//	0       8      the letters "plasmpk1"
//	8       8      offset of the index: the contents end there
//	16      8      length of the index
//	24      8      0
//	32             the contents, one after the other
//
//	index:  4      number of trees
//	        each:  4 length of the document, then the document
//	        4      number of contents
//	        each:  32 SHA-256, 8 offset in the pack, 8 length; strictly ascending by SHA-256
//
// The index ends the pack.
const (
	packMagic  = "plasmpk1"
	packHeader = 32
	blobEntry  = sha256.Size + 8 + 8
	maxIndex   = 1 << 31 // bytes; 16 trees and their contents take less
)

// extent is where a content is in a pack.
type extent struct{ offset, size int64 }

// PackFile is what a pack is written to, such as an *os.File.
type PackFile interface {
	io.WriterAt
	io.ReaderAt
}

// Packer writes a pack. It is a Sink. After an error it is of no more use. It is for one
// goroutine.
type Packer struct {
	f     PackFile
	end   int64 // of the contents so far
	blobs map[job.Digest]extent
	sum   hash.Hash
	buf   []byte
	piece int64 // bytes of the content that comes piece by piece
}

// NewPacker returns a packer that writes to f, which is empty.
func NewPacker(f PackFile) *Packer {
	return &Packer{f: f, end: packHeader, blobs: map[job.Digest]extent{}, sum: sha256.New(), buf: make([]byte, 256<<10)}
}

// Put implements Sink: it adds the content r, unless it is there already. An error is r's,
// or a *job.Error with job.CodeIO.
func (p *Packer) Put(r io.Reader) (job.Digest, int64, error) {
	p.sum.Reset()
	w := &offsetWriter{w: p.f, at: p.end}
	if _, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(w, p.sum)}, struct{ io.Reader }{r},
		p.buf); err != nil {
		return "", 0, err
	}
	digest, size := job.DigestOf(p.sum.Sum(nil)), w.at-p.end
	if _, ok := p.blobs[digest]; !ok {
		p.blobs[digest] = extent{p.end, size}
		p.end = w.at
	}
	return digest, size, nil
}

// Append adds p to a content that comes piece by piece; Settle ends it. Put must not come
// between. An error is a *job.Error with job.CodeIO.
func (p *Packer) Append(b []byte) error {
	if p.piece == 0 {
		p.sum.Reset()
	}
	p.sum.Write(b)
	w := offsetWriter{w: p.f, at: p.end + p.piece}
	if _, err := w.Write(b); err != nil {
		return err
	}
	p.piece += int64(len(b))
	return nil
}

// Settle ends a content that came by Append, and reports whether it is the one of that digest;
// else it is forgotten.
func (p *Packer) Settle(want job.Digest) bool {
	size := p.piece
	if size == 0 {
		p.sum.Reset()
	}
	p.piece = 0
	if job.DigestOf(p.sum.Sum(nil)) != want {
		return false
	}
	if _, ok := p.blobs[want]; !ok {
		p.blobs[want] = extent{p.end, size}
		p.end += size
	}
	return true
}

// Pending returns how many bytes have come of a content that is not settled.
func (p *Packer) Pending() int64 { return p.piece }

// Has reports whether a content is there.
func (p *Packer) Has(d job.Digest) bool {
	_, ok := p.blobs[d]
	return ok
}

// Blob returns a content that is there, and whether it is.
func (p *Packer) Blob(d job.Digest) (*io.SectionReader, bool) {
	x, ok := p.blobs[d]
	if !ok {
		return nil, false
	}
	return io.NewSectionReader(p.f, x.offset, x.size), true
}

// PackSize returns how long a pack is whose trees have documents of so many bytes together,
// and so many contents of so many bytes.
func PackSize(trees, documents, blobs, contents int64) int64 {
	return packHeader + contents + 4 + 4*trees + documents + 4 + blobEntry*blobs
}

// Finish writes the index, and returns the size of the pack. What lies behind it in the file
// is the caller's to cut off. An error is a *job.Error with job.CodeIO, or a *MissingError.
func (p *Packer) Finish(trees ...*Tree) (int64, error) {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(trees)))
	for _, t := range trees {
		for i := range t.Entries {
			e := &t.Entries[i]
			if x, ok := p.blobs[e.Digest]; e.Type == File && (!ok || x.size != e.Size) {
				return 0, &MissingError{Path: e.Path, Digest: e.Digest, Size: e.Size}
			}
		}
		document := t.Encode()
		b = binary.LittleEndian.AppendUint32(b, uint32(len(document))) // at most MaxDocument
		b = append(b, document...)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(p.blobs)))
	for _, digest := range slices.Sorted(maps.Keys(p.blobs)) {
		sum, err := hex.DecodeString(digest.Hex())
		if err != nil {
			panic(err) // a Digest of ours or of a valid tree
		}
		b = append(b, sum...)
		b = binary.LittleEndian.AppendUint64(b, uint64(p.blobs[digest].offset))
		b = binary.LittleEndian.AppendUint64(b, uint64(p.blobs[digest].size))
	}
	h := append([]byte(packMagic), make([]byte, packHeader-len(packMagic))...)
	binary.LittleEndian.PutUint64(h[8:], uint64(p.end))
	binary.LittleEndian.PutUint64(h[16:], uint64(len(b)))
	if _, err := p.f.WriteAt(b, p.end); err != nil {
		return 0, packError(err)
	}
	if _, err := p.f.WriteAt(h, 0); err != nil {
		return 0, packError(err)
	}
	return p.end + int64(len(b)), nil
}

func packError(err error) error {
	return &job.Error{Code: job.CodeIO, Message: "writing the pack of the job's folders: " + err.Error(), Err: err}
}

// MissingError says that a tree has a file whose content, of that size, isn't there.
type MissingError struct {
	Path   string
	Digest job.Digest
	Size   int64
}

// Error names the file and its content.
func (e *MissingError) Error() string {
	return fmt.Sprintf("the content of %s is not there: %s of %d bytes", shown(e.Path), e.Digest, e.Size)
}

// offsetWriter writes from an offset on.
type offsetWriter struct {
	w  io.WriterAt
	at int64
}

func (o *offsetWriter) Write(b []byte) (int, error) {
	n, err := o.w.WriteAt(b, o.at)
	o.at += int64(n)
	if err != nil {
		err = packError(err)
	}
	return n, err
}

// Pack is a pack that is read. It may be used by several goroutines.
type Pack struct {
	r        io.ReaderAt
	contents int64 // where they end
	trees    map[job.Digest][]byte
	blobs    []byte // the second half of the index
}

// ErrPack says that something is no pack.
var ErrPack = errors.New("not a pack")

// OpenPack reads the index of a pack of size bytes. The memory that it takes, and that Pack
// keeps, is that of the index.
func OpenPack(r io.ReaderAt, size int64) (*Pack, error) {
	var h [packHeader]byte
	if err := readAt(r, h[:], 0); err != nil {
		return nil, err
	}
	at, length := binary.LittleEndian.Uint64(h[8:]), binary.LittleEndian.Uint64(h[16:])
	switch {
	case string(h[:8]) != packMagic || binary.LittleEndian.Uint64(h[24:]) != 0:
		return nil, ErrPack
	case size < packHeader || at < packHeader || at > uint64(size) || length != uint64(size)-at || length > maxIndex:
		return nil, ErrPack
	}
	index := make([]byte, length)
	if err := readAt(r, index, int64(at)); err != nil {
		return nil, err
	}
	p := &Pack{r: r, contents: int64(at), trees: map[job.Digest][]byte{}}
	c := cursor{b: index}
	for range c.u32() {
		document := c.bytes(c.u32())
		if c.bad {
			return nil, ErrPack
		}
		p.trees[job.Sum(document)] = document
	}
	n := c.u32()
	p.blobs = c.b
	if c.bad || uint64(n)*blobEntry != uint64(len(p.blobs)) {
		return nil, ErrPack
	}
	for i := range int(n) {
		if _, ok := p.blob(i); !ok || i > 0 && bytes.Compare(p.sum(i-1), p.sum(i)) >= 0 {
			return nil, ErrPack
		}
	}
	return p, nil
}

func readAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	switch {
	case n == len(b):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return ErrPack
	}
	return err
}

// Contents is where the contents end.
func (p *Pack) Contents() int64 { return p.contents }

func (p *Pack) sum(i int) []byte { return p.blobs[i*blobEntry:][:sha256.Size] }

// blob returns where the content of that position in the index is, if it lies where it must.
func (p *Pack) blob(i int) (extent, bool) {
	e := p.blobs[i*blobEntry+sha256.Size:]
	offset, size := binary.LittleEndian.Uint64(e), binary.LittleEndian.Uint64(e[8:])
	if offset < packHeader || offset > uint64(p.contents) || size > uint64(p.contents)-offset {
		return extent{}, false
	}
	return extent{int64(offset), int64(size)}, true
}

// Tree returns a tree of the pack; the empty tree is in every one. A nil Tree without an
// error says that the pack doesn't have it.
func (p *Pack) Tree(digest job.Digest) (*Tree, error) {
	if digest == Empty {
		return &Tree{}, nil
	}
	document, ok := p.trees[digest]
	if !ok {
		return nil, nil //nolint:nilnil // as documented
	}
	return Decode(document)
}

// Document returns the document of a tree, nil when the pack doesn't have it. It is not to be
// changed.
func (p *Pack) Document(digest job.Digest) []byte { return p.trees[digest] }

// Check reads all contents, and reports by its error whether each still has its digest:
// ErrDamaged, ctx's, or one of reading.
func (p *Pack) Check(ctx context.Context) error {
	for i := range len(p.blobs) / blobEntry {
		x, _ := p.blob(i) // OpenPack has looked at it
		want := job.DigestOf(p.sum(i))
		got, _, err := Discard.Put(&contextReader{
			ctx: ctx, r: io.NewSectionReader(p.r, x.offset, x.size),
			name: string(want),
		})
		if err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("%w: %s is now %s", ErrDamaged, want, got)
		}
	}
	return nil
}

// ErrDamaged says that a content of a pack has no longer the digest that names it.
var ErrDamaged = errors.New("a pack is damaged")

// Find returns where in the pack a content is, and whether it is there.
func (p *Pack) Find(digest job.Digest) (offset, size int64, ok bool) {
	sum, err := hex.DecodeString(digest.Hex())
	if err != nil {
		return 0, 0, false
	}
	low, high := 0, len(p.blobs)/blobEntry
	for low < high {
		middle := (low + high) / 2
		switch bytes.Compare(p.sum(middle), sum) {
		case 0:
			x, _ := p.blob(middle) // OpenPack has looked at it
			return x.offset, x.size, true
		case -1:
			low = middle + 1
		default:
			high = middle
		}
	}
	return 0, 0, false
}

// extents returns what is where.
func (p *Pack) extents() map[extent]job.Digest {
	n := len(p.blobs) / blobEntry
	all := make(map[extent]job.Digest, n)
	for i := range n {
		x, _ := p.blob(i) // OpenPack has looked at it
		all[x] = job.DigestOf(p.sum(i))
	}
	return all
}

// Blob returns a content, and whether it is there. That it still has its digest is for the
// reader to check.
func (p *Pack) Blob(digest job.Digest) (*io.SectionReader, bool) {
	offset, size, ok := p.Find(digest)
	if !ok {
		return nil, false
	}
	return io.NewSectionReader(p.r, offset, size), true
}

// cursor takes numbers and bytes from the front of a slice; once there are too few it is
// bad, and gives zeros.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) bytes(n uint32) []byte {
	if c.bad || uint64(n) > uint64(len(c.b)) {
		c.bad = true
		return nil
	}
	b := c.b[:n:n]
	c.b = c.b[n:]
	return b
}

func (c *cursor) u32() uint32 {
	b := c.bytes(4)
	if b == nil {
		return 0
	}
	return binary.LittleEndian.Uint32(b)
}
