package receipt

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"

	"filippo.io/edwards25519"
)

func TestPreAuthenticationEncoding(t *testing.T) {
	t.Parallel()
	// The example in DSSE's own protocol.md.
	if got := string(encoding("http://example.com/HelloWorld", []byte("hello world"))); got !=
		"DSSEv1 29 http://example.com/HelloWorld 11 hello world" {
		t.Errorf("encoding: %q", got)
	}
	if got := string(encoding(PayloadType, nil)); got != "DSSEv1 28 application/vnd.in-toto+json 0 " {
		t.Errorf("encoding of nothing: %q", got)
	}
}

// TestCornersAreReal makes sure that the forged signatures of the vectors are
// refused for what they show, and not because they are broken.
func TestCornersAreReal(t *testing.T) {
	t.Parallel()
	message := encoding(PayloadType, payload())
	for name, c := range map[string]struct {
		key ed25519.PublicKey
		sig []byte
	}{
		"key of small order":                {neutral(), forge()},
		"key of small order, not canonical": {neutralOtherwise(), forge()},
		"R of small order":                  {nodeKey().Public(), smallR([32]byte{1}, neutral(), message)},
	} {
		if !ed25519.Verify(c.key, message, c.sig) {
			t.Errorf("%s: not even crypto/ed25519 accepts it", name)
		}
		if verifies(c.key, message, c.sig) {
			t.Errorf("%s: accepted", name)
		}
	}
	sig := nodeKey().Sign(message)
	plus := plusOrder(sig)
	wide, err := edwards25519.NewScalar().SetUniformBytes(append(plus[32:64:64], make([]byte, 32)...))
	if err != nil || !bytes.Equal(wide.Bytes(), sig[32:]) || bytes.Equal(plus, sig) {
		t.Errorf("S plus the order is not S: %x, %x, %v", plus, sig, err)
	}
	if !verifies(nodeKey().Public(), message, sig) {
		t.Error("a good signature is refused")
	}
	if verifies(nodeKey().Public()[:31], message, sig) {
		t.Error("a key of 31 bytes is accepted")
	}
}

// TestSmallOrderPoints goes through every encoding of every point of small
// order, the list that libsodium has.
func TestSmallOrderPoints(t *testing.T) {
	t.Parallel()
	order8 := unhex(t, "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
	p, err := new(edwards25519.Point).SetBytes(order8)
	if err != nil {
		t.Fatal(err)
	}
	q, seen := edwards25519.NewIdentityPoint(), map[string]bool{}
	for range 8 {
		seen[string(q.Bytes())] = true
		if soundPoint(q.Bytes()) {
			t.Errorf("%x is sound", q.Bytes())
		}
		q.Add(q, p)
	}
	if len(seen) != 8 {
		t.Errorf("%d points, want 8", len(seen))
	}
	for _, b := range []string{
		"0100000000000000000000000000000000000000000000000000000000000080", // -0
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = p
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = p + 1
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = p + 3: not small, not canonical
	} {
		if soundPoint(unhex(t, b)) {
			t.Errorf("%s is sound", b)
		}
	}
	if !soundPoint(nodeKey().Public()) {
		t.Error("a real key is not sound")
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b := make([]byte, len(s)/2)
	for i := range b {
		hi, lo := strings.IndexByte("0123456789abcdef", s[2*i]), strings.IndexByte("0123456789abcdef", s[2*i+1])
		b[i] = byte((hi<<4 | lo) & 0xff)
	}
	return b
}
