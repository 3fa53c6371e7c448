package job

import (
	"errors"
	"fmt"
	"io"
)

// bufferSize is how much of a stream is held at a time.
const bufferSize = 64 << 10

// maxDigits is how many digits 2^53-1 has.
const maxDigits = 16

// scanner reads the profile from a slice or, through a buffer of fixed size,
// from a stream. It stops at the first error.
type scanner struct {
	r    io.Reader // nil when buf holds the whole document
	max  int64     // bytes that may be read from r
	what string    // what is read from r, for messages

	buf      []byte
	pos, end int   // buf[pos:end] is read and not yet consumed
	base     int64 // offset of buf[0] in the document
	readErr  error // what r returned with the bytes in buf
	err      error // why there is no more; nil at the plain end

	depth   int
	scratch []byte // the string being read
	raw     *capture
}

// capture collects the bytes of a value as they stand in the document.
type capture struct {
	buf  []byte
	from int // where in the scanner's buffer the bytes not yet collected begin
	max  int
}

// newScanner returns a scanner of data, which it doesn't change.
func newScanner(data []byte) *scanner {
	return &scanner{buf: data, end: len(data)}
}

// newStream returns a scanner of r, which refuses more than limit bytes.
func newStream(r io.Reader, what string, limit int64) *scanner {
	return &scanner{r: r, what: what, max: limit, buf: make([]byte, bufferSize)}
}

// offset returns the place of the next byte.
func (s *scanner) offset() int64 { return s.base + int64(s.pos) }

// fail makes the error for something wrong at the next byte.
func (s *scanner) fail(format string, args ...any) error {
	return failAt(s.offset(), format, args...)
}

func failAt(offset int64, format string, args ...any) error {
	return &SyntaxError{Offset: offset, Reason: fmt.Sprintf(format, args...)}
}

// more makes at least one byte available, or returns false.
func (s *scanner) more() bool {
	return s.pos < s.end || s.fill()
}

// fill replaces the buffer, all of which is consumed, by what comes next. It
// returns false at the end of the document and when reading fails.
func (s *scanner) fill() bool {
	if s.r == nil || s.err != nil {
		return false
	}
	if s.err = s.collect(); s.err != nil {
		return false
	}
	s.base += int64(s.end)
	s.pos, s.end = 0, 0
	for range 100 {
		if s.readErr != nil {
			break
		}
		var n int
		n, s.readErr = s.r.Read(s.buf)
		if s.base+int64(n) > s.max {
			s.err = badDocument(tooMuch(s.what, s.max))
			return false
		}
		if n > 0 {
			s.end = n
			return true
		}
	}
	switch {
	case s.readErr == nil:
		s.err = ioError("reading the "+s.what, io.ErrNoProgress)
	case !errors.Is(s.readErr, io.EOF):
		s.err = ioError("reading the "+s.what, s.readErr)
	}
	return false
}

// missing is the error when the document ends where more of it must come.
func (s *scanner) missing(what string) error {
	if s.err != nil {
		return s.err
	}
	return s.fail("ends where %s should be", what)
}

// collect moves consumed bytes into the capture, if there is one.
func (s *scanner) collect() error {
	c := s.raw
	if c == nil {
		return nil
	}
	if len(c.buf)+s.pos-c.from > c.max {
		return errCapture
	}
	c.buf = append(c.buf, s.buf[c.from:s.pos]...)
	c.from = 0
	return nil
}

// errCapture says that a captured value is larger than it may be.
var errCapture = errors.New("too many bytes")

// captured reads a value and returns it, and its bytes as they stand in the
// document, at most limit of them.
func (s *scanner) captured(limit int) (Value, []byte, error) {
	if _, err := s.next("a value"); err != nil {
		return nil, nil, err
	}
	s.raw = &capture{from: s.pos, max: limit}
	v, err := s.value()
	if err == nil {
		err = s.collect()
	}
	raw := s.raw.buf
	s.raw = nil
	return v, raw, err
}

// document reads one value and the end.
func (s *scanner) document() (Value, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	v, err := s.value()
	if err == nil {
		err = s.finish()
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

// begin refuses a byte order mark, with a name for what would else be any wrong byte.
func (s *scanner) begin() error {
	if s.more() && s.buf[s.pos] == 0xEF {
		return s.fail("a byte order mark, or text that is not JSON")
	}
	return nil
}

// finish checks that nothing but white space is left.
func (s *scanner) finish() error {
	if s.space() {
		return s.fail("something after the value: %s", s.shown())
	}
	return s.err
}

// space skips white space and reports whether anything follows.
func (s *scanner) space() bool {
	for s.more() {
		switch s.buf[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return true
		}
	}
	return false
}

// next skips white space and returns the byte that follows, unconsumed; what
// is what should follow.
func (s *scanner) next(what string) (byte, error) {
	if !s.space() {
		return 0, s.missing(what)
	}
	return s.buf[s.pos], nil
}

// shown is the next byte as a message shows it.
func (s *scanner) shown() string {
	if c := s.buf[s.pos]; c > ' ' && c < 0x7f {
		return fmt.Sprintf("%q", c)
	}
	return fmt.Sprintf("byte 0x%02x", s.buf[s.pos])
}

// value reads the next value.
func (s *scanner) value() (Value, error) {
	c, err := s.next("a value")
	if err != nil {
		return nil, err
	}
	switch c {
	case '{':
		return s.object(func(string) (Value, error) { return s.value() })
	case '[':
		return s.array(s.value)
	case '"':
		return s.text()
	case 't':
		return true, s.literal("true")
	case 'f':
		return false, s.literal("false")
	case 'n':
		at := s.offset()
		if err := s.literal("null"); err != nil {
			return nil, err
		}
		return nil, failAt(at, "null, which no document has")
	default:
		if c == '-' || c >= '0' && c <= '9' {
			return s.number()
		}
		return nil, s.fail("%s where a value should be", s.shown())
	}
}

// literal reads a word.
func (s *scanner) literal(word string) error {
	for i := range len(word) {
		if !s.more() {
			return s.missing("the rest of " + word)
		}
		if s.buf[s.pos] != word[i] {
			return s.fail("%s where the rest of %s should be", s.shown(), word)
		}
		s.pos++
	}
	return nil
}
