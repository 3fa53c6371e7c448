package job

import (
	"unicode/utf16"
	"unicode/utf8"
)

// enter begins an array or object, whose bracket is the next byte.
func (s *scanner) enter() error {
	if s.depth == MaxDepth {
		return s.fail("nested more than %d deep", MaxDepth)
	}
	s.depth++
	s.pos++
	return nil
}

// separator reads what follows an element: true for a comma, false for end.
func (s *scanner) separator(end byte) (bool, error) {
	c, err := s.next("a comma or " + string(rune(end)))
	if err != nil {
		return false, err
	}
	switch c {
	case ',':
		s.pos++
		return true, nil
	case end:
		s.pos++
		s.depth--
		return false, nil
	}
	return false, s.fail("%s where a comma or %c should be", s.shown(), end)
}

// array reads an array.
func (s *scanner) array(value func() (Value, error)) (Value, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	list := []Value{}
	if s.space() && s.buf[s.pos] == ']' {
		_, err := s.separator(']')
		return list, err
	}
	for more := true; more; {
		v, err := value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if more, err = s.separator(']'); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// object reads an object; value reads the value of each member.
func (s *scanner) object(value func(name string) (Value, error)) (Value, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	o := &Object{}
	if s.space() && s.buf[s.pos] == '}' {
		_, err := s.separator('}')
		return o, err
	}
	for more := true; more; {
		name, err := s.name(o)
		if err != nil {
			return nil, err
		}
		v, err := value(name)
		if err != nil {
			return nil, err
		}
		o.add(name, v)
		if more, err = s.separator('}'); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// name reads a member's name, which o must not have yet, and the colon.
func (s *scanner) name(o *Object) (string, error) {
	c, err := s.next("a member name")
	if err != nil {
		return "", err
	}
	if c != '"' {
		return "", s.fail("%s where a member name should be", s.shown())
	}
	at := s.offset()
	name, err := s.text()
	if err != nil {
		return "", err
	}
	if o.find(name) >= 0 {
		return "", failAt(at, "member name repeated: %s", Quote(name))
	}
	if c, err = s.next("a colon"); err != nil {
		return "", err
	}
	if c != ':' {
		return "", s.fail("%s where a colon should be", s.shown())
	}
	s.pos++
	return name, nil
}

// number reads an integer.
func (s *scanner) number() (Value, error) {
	at := s.offset()
	negative := s.buf[s.pos] == '-'
	if negative {
		s.pos++
	}
	var n int64
	digits := 0
	for ; s.more() && s.buf[s.pos] >= '0' && s.buf[s.pos] <= '9'; s.pos++ {
		if digits > 0 && n == 0 {
			return nil, failAt(at, "a number with a leading zero")
		}
		digits++
		if digits > maxDigits {
			return nil, failAt(at, "an integer beyond ±(2^53-1)")
		}
		n = 10*n + int64(s.buf[s.pos]-'0')
	}
	switch {
	case s.err != nil:
		return nil, s.err
	case digits == 0:
		return nil, failAt(at, "a minus sign without a number")
	case s.pos < s.end && (s.buf[s.pos] == '.' || s.buf[s.pos]|0x20 == 'e'):
		return nil, failAt(at, "a number with a fraction or an exponent")
	case negative && n == 0:
		return nil, failAt(at, "minus zero")
	case n > MaxSafeInt:
		return nil, failAt(at, "an integer beyond ±(2^53-1)")
	case negative:
		n = -n
	}
	return n, nil
}

// text reads a string and returns it unescaped.
func (s *scanner) text() (string, error) {
	at := s.offset()
	s.scratch = s.scratch[:0]
	err := s.pieces(func(piece []byte) error {
		s.scratch = append(s.scratch, piece...)
		return nil
	})
	if err != nil {
		return "", err
	}
	// Escapes stand for whole characters, so they can't complete a broken one:
	// it is enough to look at the whole.
	if !utf8.Valid(s.scratch) {
		return "", failAt(at, "a string that is not UTF-8")
	}
	return string(s.scratch), nil
}

// pieces reads a string, whose opening quote is the next byte, and hands it on
// unescaped, piece by piece. A piece is only valid during the call. That the
// whole is UTF-8 is for the caller to check.
func (s *scanner) pieces(emit func(piece []byte) error) error {
	s.pos++
	for s.more() {
		rest := s.buf[s.pos:s.end]
		n := plain(rest)
		if n > 0 {
			s.pos += n
			if err := emit(rest[:n]); err != nil {
				return err
			}
			continue
		}
		switch rest[0] {
		case '"':
			s.pos++
			return nil
		case '\\':
			if err := s.escape(emit); err != nil {
				return err
			}
		default:
			return s.fail("control character 0x%02x in a string", rest[0])
		}
	}
	return s.missing("the end of a string")
}

// plain returns how many bytes come before a quote, backslash or control character.
func plain(b []byte) int {
	for i, c := range b {
		if c < 0x20 || c == '"' || c == '\\' {
			return i
		}
	}
	return len(b)
}

// escape reads an escape, whose backslash is the next byte.
func (s *scanner) escape(emit func([]byte) error) error {
	at := s.offset()
	s.pos++
	if !s.more() {
		return s.missing("the rest of an escape")
	}
	c := s.buf[s.pos]
	s.pos++
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		r, err := s.character(at)
		if err != nil {
			return err
		}
		return emit(utf8.AppendRune(nil, r))
	default:
		return failAt(at, "unknown escape in a string")
	}
	return emit([]byte{c})
}

// character reads what follows \u, with the second half of a pair.
func (s *scanner) character(at int64) (rune, error) {
	r, err := s.hex4(at)
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	for _, want := range []byte(`\u`) {
		if !s.more() {
			return 0, s.missing("the second half of a surrogate pair")
		}
		if s.buf[s.pos] != want {
			return 0, failAt(at, "unpaired surrogate in a string")
		}
		s.pos++
	}
	low, err := s.hex4(at)
	if err != nil {
		return 0, err
	}
	if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
		return 0, failAt(at, "unpaired surrogate in a string")
	}
	return r, nil
}

// hex4 reads four hexadecimal digits of the escape at offset at.
func (s *scanner) hex4(at int64) (rune, error) {
	var r rune
	for range 4 {
		if !s.more() {
			return 0, s.missing("the rest of an escape")
		}
		c := s.buf[s.pos]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, failAt(at, "\\u without four hexadecimal digits")
		}
		r = r<<4 | rune(c)
		s.pos++
	}
	return r, nil
}
