package receipt

import (
	"bytes"
	"crypto/ed25519"

	"filippo.io/edwards25519"
)

// verifies reports whether sig is key's signature of message, as strictly as the
// package comment says. crypto/ed25519 sees to S and to the equation, and so to
// R being canonical; it takes any encoding of any point for A.
func verifies(key ed25519.PublicKey, message, sig []byte) bool {
	return len(key) == ed25519.PublicKeySize && len(sig) == ed25519.SignatureSize &&
		soundPoint(key) && soundPoint(sig[:32]) && ed25519.Verify(key, message, sig)
}

// soundPoint reports whether b is the canonical encoding of a point that is not
// of small order. A key of small order signs everything: nobody's secret is
// behind it.
func soundPoint(b []byte) bool {
	p, err := new(edwards25519.Point).SetBytes(b)
	if err != nil || !bytes.Equal(p.Bytes(), b) {
		return false
	}
	return new(edwards25519.Point).MultByCofactor(p).Equal(edwards25519.NewIdentityPoint()) == 0
}
