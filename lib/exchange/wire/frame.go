package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

const (
	// maxLength is how many bytes the length of MaxPayload takes.
	maxLength = 3
	// chunk is the most of a stream that goes into one frame: the others that
	// want to send wait no longer than that takes.
	chunk = 64 << 10
	// readSize is how much of what came is held ahead of its reader, once streams
	// of data come, and firstReadSize before.
	readSize      = 64 << 10
	firstReadSize = 4 << 10
	// firstPayload is how much room a payload has before its bytes have come.
	firstPayload = 4 << 10
)

// appendFrame appends one frame to b. The payload must be of a length that its
// kind allows.
func appendFrame(b []byte, kind Kind, payload []byte) []byte {
	b = append(b, byte(kind))
	b = binary.AppendUvarint(b, uint64(len(payload)))
	return append(b, payload...)
}

// AppendMessage appends the frame of m to b. It refuses what the other end would.
func AppendMessage(b []byte, m Message) ([]byte, error) {
	payload, err := Encode(m)
	if err != nil {
		return nil, err
	}
	return appendFrame(b, m.Kind(), payload), nil
}

// Reader reads the frames of one end, and keeps their order out of it. It is not
// safe for concurrent use. After an error there is no more to be had.
type Reader struct {
	r    *bufio.Reader
	wide bool // r is readSize long
	from Role
	kind Kind
	left int // of the payload that was not taken yet
	held func(bytes int) error
}

// NewReader returns a Reader of what comes from one end.
func NewReader(r io.Reader, from Role) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, firstReadSize), from: from, held: func(int) error { return nil }}
}

// Next returns the kind of the next frame, and the length of its payload, having
// skipped what was not taken of the one before. It returns io.EOF only between
// two frames, and a *BreachError for a frame that this end may not send.
func (r *Reader) Next() (Kind, int, error) {
	for r.left > 0 { // not Discard, which would have to be resumed after an error
		if _, err := r.Some(); err != nil {
			return 0, 0, err
		}
	}
	kind, err := r.r.ReadByte()
	if err != nil {
		return 0, 0, err
	}
	r.kind = Kind(kind)
	if _, ok := r.kind.rule(); !ok { // before any byte that may not be a length
		return 0, 0, r.kind.check(r.from, 0)
	}
	n, err := r.length()
	if err != nil {
		return 0, 0, err
	}
	if err := r.kind.check(r.from, n); err != nil {
		return 0, 0, err
	}
	r.left = n
	if r.kind.IsData() && !r.wide {
		r.r, r.wide = bufio.NewReaderSize(r.r, readSize), true
	}
	return r.kind, n, nil
}

// length reads the length of a payload.
func (r *Reader) length() (int, error) {
	n := 0
	for i := range maxLength {
		b, err := r.r.ReadByte()
		if err != nil {
			return 0, unexpected(err)
		}
		n |= int(b&0x7f) << (7 * i)
		if b < 0x80 {
			if b == 0 && i > 0 {
				return 0, breach(RuleLength, "%s: the length is not in its shortest form", r.kind)
			}
			return n, nil
		}
	}
	return 0, breach(RuleLength, "%s: the length has more than %d bytes", r.kind, maxLength)
}

// Payload returns what is left of the frame's payload. It takes memory as the
// bytes come, at most twice as much as has come, whatever length was announced.
func (r *Reader) Payload() ([]byte, error) {
	p := make([]byte, 0, min(r.left, firstPayload))
	for r.left > 0 {
		piece, err := r.Some()
		if err != nil {
			return nil, err
		}
		if need := len(p) + len(piece); need > cap(p) {
			size := min(max(need, 2*cap(p)), need+r.left)
			if err := r.held(size); err != nil {
				return nil, err
			}
			p = append(make([]byte, 0, size), p...)
		}
		p = append(p, piece...)
	}
	return p, nil
}

// Some returns the next bytes of the payload, at least one and as many as are at
// hand, or none at the payload's end. They are valid until the next call.
func (r *Reader) Some() ([]byte, error) {
	if r.left == 0 {
		return nil, nil
	}
	if _, err := r.r.Peek(1); err != nil {
		return nil, unexpected(err)
	}
	n := min(r.left, r.r.Buffered())
	p, err := r.r.Peek(n)
	if err != nil {
		return nil, unexpected(err)
	}
	_, _ = r.r.Discard(n) // cannot fail: they are buffered
	r.left -= n
	return p, nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
