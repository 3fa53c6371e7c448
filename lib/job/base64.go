package job

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
)

// Base64 in documents is that of RFC 4648 section 4, padded, without line
// breaks, the unused bits of the last group zero: bytes have one spelling.

const (
	groupsAtOnce = bufferSize / 4
	plainAtOnce  = 3 * groupsAtOnce // bytes that fill one buffer of base64
)

var errNotBase64 = errors.New("not base64: the standard alphabet, padded, without line breaks and stray bits")

// base64Writer takes base64 in pieces of any length and writes the bytes it
// stands for to w. Close must follow the last piece.
type base64Writer struct {
	w     io.Writer
	name  string  // what w gets, for messages
	carry [4]byte // a group that is not whole yet
	n     int     // bytes in carry
	ended bool    // whether padding was seen
	out   []byte  // plainAtOnce bytes
}

func newBase64Writer(w io.Writer, name string) *base64Writer {
	return &base64Writer{w: w, name: name, out: make([]byte, plainAtOnce)}
}

// Write returns errNotBase64, or an *Error with CodeIO when w fails.
func (b *base64Writer) Write(piece []byte) (int, error) {
	size := len(piece)
	if b.n > 0 {
		n := copy(b.carry[b.n:], piece)
		b.n += n
		piece = piece[n:]
		if b.n < len(b.carry) {
			return size, nil
		}
		b.n = 0
		if err := b.groups(b.carry[:]); err != nil {
			return 0, err
		}
	}
	whole := len(piece) &^ 3
	for at := 0; at < whole; at += bufferSize {
		if err := b.groups(piece[at:min(at+bufferSize, whole)]); err != nil {
			return 0, err
		}
	}
	b.n = copy(b.carry[:], piece[whole:])
	return size, nil
}

// groups decodes whole groups, no more than fill one buffer.
func (b *base64Writer) groups(in []byte) error {
	// The decoder passes over line breaks, which may come in as escapes.
	if b.ended || bytes.IndexByte(in, '\n') >= 0 || bytes.IndexByte(in, '\r') >= 0 {
		return errNotBase64
	}
	n, err := base64.StdEncoding.Strict().Decode(b.out, in)
	if err != nil {
		return errNotBase64
	}
	b.ended = n < len(in)/4*3
	if _, err = b.w.Write(b.out[:n]); err != nil {
		return ioError("writing "+b.name, err)
	}
	return nil
}

// Close reports whether the base64 was whole.
func (b *base64Writer) Close() error {
	if b.n > 0 {
		return errNotBase64
	}
	return nil
}

// copyBase64 writes all of r, which messages call name, to w as base64.
func copyBase64(w io.Writer, r io.Reader, name string) error {
	in, out := make([]byte, plainAtOnce), make([]byte, bufferSize)
	for {
		n, err := io.ReadFull(r, in)
		if n > 0 {
			base64.StdEncoding.Encode(out, in[:n])
			if _, err := w.Write(out[:base64.StdEncoding.EncodedLen(n)]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return ioError("reading "+name, err)
		}
	}
}
