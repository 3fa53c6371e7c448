package batch

import (
	"fmt"
	"io"
	"os"

	"plasm/lib/job"
)

// bookBytes is from which size on a book of the shelf gets nothing more, in bytes.
const bookBytes = 16 << 20

// shelf keeps what items have to print, on disk: in files of the temporary folder that
// have no name there, each for as long as something in it is wanted. It is used by one
// goroutine at a time, but for reading.
type shelf struct {
	open  *book // that takes more; nil: none
	books map[*book]bool
}

// book is one file.
type book struct {
	file   *os.File
	size   int64
	wanted int // pieces in it that are
}

// kept is what one item has to print.
type kept struct {
	book *book
	at   int64
	errs int64 // bytes for stderr, and then
	outs int64 // bytes for stdout
}

// put keeps what an item prints. It returns nil with an error.
func (s *shelf) put(what Printed) (*kept, error) {
	if s.open == nil {
		b, err := newBook()
		if err != nil {
			return nil, err
		}
		if s.books == nil {
			s.books = map[*book]bool{}
		}
		s.open, s.books[b] = b, true
	}
	b := s.open
	k := &kept{book: b, at: b.size}
	errs, outs := &section{book: b}, &section{book: b}
	if err := what.write(outs, errs); err != nil {
		b.size = k.at // what is behind is overwritten
		return nil, err
	}
	k.errs, k.outs = errs.bytes, outs.bytes
	b.wanted++
	if b.size >= bookBytes {
		s.open = nil
	}
	return k, nil
}

// drop lets go of what was kept.
func (s *shelf) drop(k *kept) {
	b := k.book
	b.wanted--
	if b.wanted > 0 {
		return
	}
	if b == s.open && b.file.Truncate(0) == nil {
		b.size = 0
		return
	}
	s.remove(b)
}

func (s *shelf) remove(b *book) {
	if s.open == b {
		s.open = nil
	}
	delete(s.books, b)
	_ = b.file.Close() // nothing in it is wanted
}

// close lets go of everything.
func (s *shelf) close() {
	for b := range s.books {
		s.remove(b)
	}
}

func newBook() (*book, error) {
	f, err := os.CreateTemp("", "plasm-")
	if err == nil {
		err = os.Remove(f.Name())
	}
	if err != nil {
		return nil, shelfError(err)
	}
	return &book{file: f}, nil
}

// section is what is being written of one stream.
type section struct {
	book  *book
	bytes int64
}

// Write appends p.
func (s *section) Write(p []byte) (int, error) {
	n, err := s.book.file.WriteAt(p, s.book.size)
	s.book.size += int64(n)
	s.bytes += int64(n)
	if err != nil {
		return n, shelfError(err)
	}
	return n, nil
}

func (k *kept) stderr(w io.Writer) error { return k.copy(w, k.at, k.errs) }
func (k *kept) stdout(w io.Writer) error { return k.copy(w, k.at+k.errs, k.outs) }

func (k *kept) copy(w io.Writer, at, n int64) error {
	_, err := io.Copy(w, io.NewSectionReader(k.book.file, at, n))
	return err
}

func shelfError(err error) error {
	return &job.Error{
		Code: job.CodeIO, Message: fmt.Sprintf("results that wait for their turn, in %s: %v", os.TempDir(), err),
		Hint: "set TMPDIR to a folder with room, or print results as they end with --unordered", Err: err,
	}
}
