package wasi

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"math/bits"
	"testing"
	"testing/iotest"

	"golang.org/x/crypto/chacha20"
)

// chacha is RFC 8439, section 2.3, word for word: one block of the key stream,
// for a nonce of zeros.
func chacha(key []byte, counter uint32) []byte {
	var start [16]uint32
	copy(start[:], []uint32{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574})
	for i := range 8 {
		start[4+i] = binary.LittleEndian.Uint32(key[4*i:])
	}
	start[12] = counter
	s := start
	quarter := func(a, b, c, d int) {
		s[a] += s[b]
		s[d] = bits.RotateLeft32(s[d]^s[a], 16)
		s[c] += s[d]
		s[b] = bits.RotateLeft32(s[b]^s[c], 12)
		s[a] += s[b]
		s[d] = bits.RotateLeft32(s[d]^s[a], 8)
		s[c] += s[d]
		s[b] = bits.RotateLeft32(s[b]^s[c], 7)
	}
	for range 10 {
		quarter(0, 4, 8, 12)
		quarter(1, 5, 9, 13)
		quarter(2, 6, 10, 14)
		quarter(3, 7, 11, 15)
		quarter(0, 5, 10, 15)
		quarter(1, 6, 11, 12)
		quarter(2, 7, 8, 13)
		quarter(3, 4, 9, 14)
	}
	var out []byte
	for i := range s {
		out = binary.LittleEndian.AppendUint32(out, s[i]+start[i])
	}
	return out
}

// TestChaCha checks the test's own cipher against RFC 8439, appendix A.1, test
// vectors 1, 2 and 3.
func TestChaCha(t *testing.T) {
	t.Parallel()
	one := make([]byte, 32)
	one[31] = 1
	for _, test := range []struct {
		key     []byte
		counter uint32
		want    string
	}{
		{
			make([]byte, 32), 0,
			"76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7" +
				"da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586",
		},
		{
			make([]byte, 32), 1,
			"9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed" +
				"29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f",
		},
		{
			one, 1,
			"3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a" +
				"8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0",
		},
	} {
		if got := hex.EncodeToString(chacha(test.key, test.counter)); got != test.want {
			t.Errorf("block %d under %x is %s", test.counter, test.key, got)
		}
	}
}

// TestRandomStream compares plasm-random/1, read in pieces of all sizes, with
// what its definition gives.
func TestRandomStream(t *testing.T) {
	t.Parallel()
	for _, seed := range []int64{0, 1, 255, 1 << 40, 1<<53 - 1} {
		name := []byte("plasm-random/1")
		for i := range 8 {
			name = append(name, byte(seed>>(8*i)))
		}
		key := sha256.Sum256(name)
		var want []byte
		for block := range uint32(40) {
			want = append(want, chacha(key[:], block)...)
		}
		r := NewEntropy(false, seed)
		var got []byte
		for size := 1; len(got) < len(want); size++ {
			piece := bytes.Repeat([]byte{0xaa}, min(size, len(want)-len(got))) // what is there before must not count
			if _, err := io.ReadFull(r, piece); err != nil {
				t.Fatal(err)
			}
			got = append(got, piece...)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("seed %d gives another stream, which begins with %x, want %x", seed, got[:16], want[:16])
		}
	}
}

// TestRandomVectors pins the stream in numbers, for who writes another engine.
func TestRandomVectors(t *testing.T) {
	t.Parallel()
	for seed, want := range map[int64]string{
		0:         "cc2cca03b10743f3614d77ca4147d442b06b8e1a818911a9066c6400010d7571",
		1:         "a0956ed007ec77ea695d1a02728cae719352185a7e37cd0caf4cd45159516746",
		1<<53 - 1: "9fc539e8139c7a10fd293f509942bec4ed2c4a2b287d23d40cd18a1c6d365b94",
	} {
		got := make([]byte, 32)
		if _, err := io.ReadFull(NewEntropy(false, seed), got); err != nil {
			t.Fatal(err)
		}
		if hex.EncodeToString(got) != want {
			t.Errorf("seed %d begins with %x, want %s", seed, got, want)
		}
	}
}

// TestRandomStreamEnds reads over the end of the last block that the cipher's
// counter can count.
func TestRandomStreamEnds(t *testing.T) {
	t.Parallel()
	key := make([]byte, 32)
	c, err := chacha20.NewUnauthenticatedCipher(key, make([]byte, chacha20.NonceSize))
	if err != nil {
		t.Fatal(err)
	}
	c.SetCounter(1<<32 - 2)
	got, err := io.ReadAll(iotest.OneByteReader(&stream{cipher: c, left: 128}))
	want := append(chacha(key, 1<<32-2), chacha(key, 1<<32-1)...)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the last two blocks are %x, %v; want %x", got, err, want)
	}
	if n, err := (&stream{cipher: c}).Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("a read behind the end gives %d bytes, %v", n, err)
	}
}

func TestRealEntropy(t *testing.T) {
	t.Parallel()
	a, b := make([]byte, 32), make([]byte, 32)
	for _, p := range [][]byte{a, b} {
		if _, err := io.ReadFull(NewEntropy(true, 7), p); err != nil {
			t.Fatal(err)
		}
	}
	if bytes.Equal(a, b) || bytes.Equal(a, make([]byte, 32)) {
		t.Errorf("two readings are %x and %x", a, b)
	}
}
