package batch

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"plasm/lib/job"
)

// MaxLine is how long a line of a list may be, in bytes, without its end.
const MaxLine = 1 << 20

// Lines is the list of --each: an item for each line, which Put makes of it.
type Lines struct {
	lines *lineReader
	put   func(line string, number int64) (*Item, error)
}

// NewLines returns the list of the lines of r, which end is behind each of, the last
// too, unless it has none. put makes the item of a line, which is UTF-8 without NUL; its
// error is the item's.
func NewLines(r io.Reader, end byte, put func(line string, number int64) (*Item, error)) *Lines {
	return &Lines{lines: newLineReader(r, end), put: put}
}

// Read returns how many bytes of the list have been read. It may be called at any time.
func (l *Lines) Read() int64 { return l.lines.read.Load() }

// Next returns the next item.
func (l *Lines) Next() (*Item, error) {
	text, err := l.lines.next()
	if err != nil && !errors.Is(err, errLong) {
		return nil, err
	}
	if err == nil && !isText(string(text)) {
		err = notText(len(text))
	}
	var it *Item
	if err == nil {
		it, err = l.put(string(text), l.lines.number)
	}
	return itemOr(it, l.lines.number, err), nil
}

// Objects is the list of --batch: an item for each line with something in it.
type Objects struct {
	lines *lineReader
	put   func(*Line, int64) (*Item, error)
}

// NewObjects returns the list of the objects of r. put makes an item of what its line
// says; its error is the item's.
func NewObjects(r io.Reader, put func(line *Line, number int64) (*Item, error)) *Objects {
	return &Objects{lines: newLineReader(r, '\n'), put: put}
}

// Read returns how many bytes of the list have been read. It may be called at any time.
func (o *Objects) Read() int64 { return o.lines.read.Load() }

// Next returns the next item.
func (o *Objects) Next() (*Item, error) {
	for {
		text, err := o.lines.next()
		if err != nil && !errors.Is(err, errLong) {
			return nil, err
		}
		if err == nil && blank(text) {
			continue
		}
		var line *Line
		if err == nil {
			line, err = DecodeLine(text)
		}
		var it *Item
		if err == nil {
			it, err = o.put(line, o.lines.number)
		}
		return itemOr(it, o.lines.number, err), nil
	}
}

// itemOr returns an item, or one for what is wrong with its line.
func itemOr(it *Item, number int64, err error) *Item {
	if it == nil {
		it = &Item{Index: number}
	}
	if err != nil {
		it.Err = err
	}
	return it
}

// blank reports whether a line has nothing but white space.
func blank(text []byte) bool {
	for _, c := range text {
		if c != ' ' && c != '\t' && c != '\r' {
			return false
		}
	}
	return true
}

// errLong is the error of a line of more than MaxLine bytes.
var errLong = &job.Error{
	Code:    job.CodeBadManifest,
	Message: fmt.Sprintf("longer than %d bytes, the most that a line may have", MaxLine),
}

// lineReader reads lines of any length in bounded memory.
type lineReader struct {
	r      *bufio.Reader
	end    byte
	number int64 // of the line that next has returned, from 1
	line   []byte
	read   atomic.Int64 // bytes, without what is read ahead
}

func newLineReader(r io.Reader, end byte) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, 64<<10), end: end}
}

// next returns the next line without its end, valid until the next call, errLong for one
// that is too long, and io.EOF behind the last. Another error is one of reading.
func (l *lineReader) next() ([]byte, error) {
	l.line = l.line[:0]
	var long, some bool
	for {
		piece, err := l.r.ReadSlice(l.end)
		l.read.Add(int64(len(piece)))
		some = some || len(piece) > 0
		if err == nil {
			piece = piece[:len(piece)-1]
		}
		if long = long || len(l.line)+len(piece) > MaxLine; !long {
			l.line = append(l.line, piece...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && !some:
			return nil, io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		}
		l.number++
		if long {
			l.line = nil
			return nil, errLong
		}
		return l.line, nil
	}
}
