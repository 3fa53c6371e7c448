package tree

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"plasm/lib/job"
)

// A stream is what a node sends of the folders that a job has written, and keeps of them: the
// documents of their trees, in the order of the manifest, and the contents of their files.
//
//	each tree:  8  length of the document, unsigned, little-endian
//	            then the document
//	            which contents follow: a bit for each of Blobs, the lowest bit of the
//	            first byte first, the bits beyond them 0
//	            then these contents, one after the other, in the order of Blobs
//
// What does not follow is what the requester has described in the same job.

// MaxStreamDocuments is how many bytes the documents of a stream have at most together.
const MaxStreamDocuments = 128 << 20

// ErrStream says that something is no such stream, or not one that may be.
var ErrStream = errors.New("not the folders of the job")

// Part is a tree with the contents of its files.
type Part struct {
	Tree     *Tree
	Contents Contents
}

// Parts returns what a program has written as parts.
func Parts(outputs []*Output) []Part {
	parts := make([]Part, len(outputs))
	for i, o := range outputs {
		parts[i] = Part{Tree: o.Tree, Contents: o.Contents}
	}
	return parts
}

// MaxStream returns how long a stream of so many trees can be, in bytes, whose contents have
// together at most that many.
func MaxStream(trees int, contents int64) int64 {
	if trees == 0 {
		return 0
	}
	return min(contents, job.MaxSafeInt/2) + MaxStreamDocuments + int64(trees)*(8+MaxEntries/8+1)
}

// WriteStream writes parts to w. Contents that known says the other end has don't follow. An
// error is ctx's, w's, that of contents, or ErrStream, where the documents are too long.
func WriteStream(ctx context.Context, w io.Writer, parts []Part, known func(job.Digest) bool) error {
	out := bufio.NewWriterSize(w, 256<<10)
	trees := make([]*Tree, len(parts))
	from := map[job.Digest]Contents{}
	left := int64(MaxStreamDocuments)
	for i, p := range parts {
		document := p.Tree.Encode()
		if left -= int64(len(document)); left < 0 {
			return fmt.Errorf("%w: their trees have more than %d bytes", ErrStream, MaxStreamDocuments)
		}
		trees[i] = p.Tree
		for j := range p.Tree.Entries {
			if e := &p.Tree.Entries[j]; e.Type == File {
				from[e.Digest] = p.Contents
			}
		}
		_, _ = out.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(document)))) // Flush says what went wrong
		_, _ = out.Write(document)
	}
	blobs, err := Blobs(trees...)
	if err != nil {
		return err
	}
	bits := make([]byte, (len(blobs)+7)/8)
	for i := range blobs {
		if !known(blobs[i].Digest) {
			bits[i/8] |= 1 << (i % 8)
		}
	}
	_, _ = out.Write(bits)
	buf := make([]byte, 256<<10)
	for i, b := range blobs {
		if bits[i/8]&(1<<(i%8)) == 0 {
			continue
		}
		r, err := from[b.Digest](b.Digest)
		if err != nil {
			return err
		}
		r = io.LimitReader(&contextReader{ctx: ctx, r: r, name: string(b.Digest)}, b.Size)
		n, err := io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{r}, buf)
		if err == nil && n != b.Size {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
	}
	return out.Flush()
}

// StreamReader reads a stream that comes piece by piece. Whoever sent it may have sent
// anything. It is for one goroutine; after an error it is of no more use.
type StreamReader struct {
	trees    int   // that are still to come
	most     int64 // bytes of contents that may still be told of
	left     int64 // bytes of documents that may still come
	packer   *Packer
	head     []byte // of a length, a document or the bits, as far as it has come
	need     int64  // bytes of that
	document bool   // it is a document, not its length
	decoded  []*Tree
	blobs    []Blob
	bits     []byte
	at       int   // of blobs: the one that comes
	come     int64 // bytes of that
}

// NewStreamReader returns a reader of a stream of so many trees, whose contents have together
// at most so many bytes. The contents go to packer, each when it has the digest that names it.
func NewStreamReader(trees int, contents int64, packer *Packer) *StreamReader {
	return &StreamReader{trees: trees, most: contents, left: MaxStreamDocuments, packer: packer, need: 8}
}

// Write takes the next piece. An error wraps ErrStream, or is the packer's, a *job.Error.
func (s *StreamReader) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		var err error
		switch {
		case s.trees > 0 || s.bits == nil && s.blobs != nil:
			p, err = s.header(p)
		case s.at < len(s.blobs):
			p, err = s.content(p)
		default:
			err = fmt.Errorf("%w: more than they are", ErrStream)
		}
		if err != nil {
			return 0, err
		}
	}
	return n, nil
}

// header takes from p what it needs of a length, a document or the bits.
func (s *StreamReader) header(p []byte) ([]byte, error) {
	take := min(int64(len(p)), s.need-int64(len(s.head)))
	s.head = append(s.head, p[:take]...)
	p = p[take:]
	if int64(len(s.head)) < s.need {
		return p, nil
	}
	whole := s.head
	s.head = nil
	switch {
	case s.trees == 0:
		return p, s.choose(whole)
	case !s.document:
		length := binary.LittleEndian.Uint64(whole)
		if length == 0 || length > uint64(min(s.left, MaxDocument)) {
			return nil, fmt.Errorf("%w: a tree of %d bytes", ErrStream, length)
		}
		s.left -= int64(length)
		s.need, s.document = int64(length), true
		return p, nil
	}
	t, err := Decode(whole)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStream, err)
	}
	s.decoded = append(s.decoded, t)
	s.need, s.document = 8, false
	s.trees--
	if s.trees > 0 {
		return p, nil
	}
	return p, s.index()
}

// index knows all trees, and so what contents there are.
func (s *StreamReader) index() error {
	blobs, err := Blobs(s.decoded...)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStream, err)
	}
	if n := BlobBytes(blobs); n > s.most {
		return fmt.Errorf("%w: files of %d bytes, and the job may write %d", ErrStream, n, s.most)
	}
	s.blobs, s.need = blobs, int64(len(blobs)+7)/8
	if len(blobs) == 0 {
		s.blobs, s.bits = []Blob{}, []byte{}
	}
	return nil
}

// choose learns which contents follow.
func (s *StreamReader) choose(bits []byte) error {
	for i := len(s.blobs); i < 8*len(bits); i++ {
		if bits[i/8]&(1<<(i%8)) != 0 {
			return fmt.Errorf("%w: a content that no file has", ErrStream)
		}
	}
	s.bits = bits
	s.skip()
	return nil
}

func (s *StreamReader) follows(i int) bool { return s.bits[i/8]&(1<<(i%8)) != 0 }

// skip passes over what doesn't follow.
func (s *StreamReader) skip() {
	for s.at < len(s.blobs) && !s.follows(s.at) {
		s.at++
	}
}

// content takes from p what belongs to the content that comes.
func (s *StreamReader) content(p []byte) ([]byte, error) {
	b := s.blobs[s.at]
	take := min(int64(len(p)), b.Size-s.come)
	if err := s.packer.Append(p[:take]); err != nil {
		return nil, err
	}
	if s.come += take; s.come == b.Size {
		if !s.packer.Settle(b.Digest) {
			return nil, fmt.Errorf("%w: a content is not %s", ErrStream, b.Digest)
		}
		s.at, s.come = s.at+1, 0
		s.skip()
	}
	return p[take:], nil
}

// End returns the trees, and the contents that did not follow. The error, when the stream has
// not come to its end, wraps ErrStream.
func (s *StreamReader) End() (trees []*Tree, omitted []Blob, err error) {
	if s.bits == nil || s.at < len(s.blobs) {
		return nil, nil, fmt.Errorf("%w: they are cut short", ErrStream)
	}
	for i, b := range s.blobs {
		if !s.follows(i) {
			omitted = append(omitted, b)
		}
	}
	return s.decoded, omitted, nil
}
