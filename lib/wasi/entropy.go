package wasi

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"io"

	"golang.org/x/crypto/chacha20"
)

// NewEntropy returns the operating system's entropy, or plasm-random/1: the key
// stream of ChaCha20 (RFC 8439: a nonce of 12 zero bytes, counter from 0) under
// the key SHA-256("plasm-random/1" ‖ seed as 8 bytes little-endian), taken in
// order. The stream is 2^38 bytes long; past its end reads return io.EOF.
func NewEntropy(real bool, seed int64) io.Reader {
	if real {
		return rand.Reader
	}
	key := sha256.Sum256(binary.LittleEndian.AppendUint64([]byte("plasm-random/1"), uint64(seed)))
	c, err := chacha20.NewUnauthenticatedCipher(key[:], make([]byte, chacha20.NonceSize))
	if err != nil {
		panic(err) // impossible: both lengths are right
	}
	return &stream{cipher: c, left: 1 << 38}
}

type stream struct {
	cipher *chacha20.Cipher
	left   int64
}

func (s *stream) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), s.left)]
	clear(p)
	s.cipher.XORKeyStream(p, p)
	s.left -= int64(len(p))
	return len(p), nil
}
