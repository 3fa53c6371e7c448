package identity

import (
	"bytes"
	"crypto/ed25519"
	"fmt"

	"github.com/mr-tron/base58"

	"plasm/lib/job"
)

// peerIDPrefix is what stands before the key in a decoded peer ID; the package
// comment takes it apart.
var peerIDPrefix = []byte{0x00, 0x24, 0x08, 0x01, 0x12, 0x20}

// peerIDLength is how many characters every peer ID has: base58 of 38 bytes of
// which the first is 0 and the second is not.
const peerIDLength = 52

// PeerIDOf returns the peer ID of public, which must be 32 bytes long.
func PeerIDOf(public ed25519.PublicKey) string {
	return base58.Encode(append(bytes.Clone(peerIDPrefix), public...))
}

// ParsePeerID returns the public key that id names. It checks the spelling and
// not that the 32 bytes are a point on the curve: who verifies a signature does.
func ParsePeerID(id string) (ed25519.PublicKey, error) {
	if len(id) != peerIDLength {
		return nil, notPeerID(id, "12D3KooW… and 52 characters in all")
	}
	raw, err := base58.Decode(id)
	if err != nil || len(raw) != len(peerIDPrefix)+ed25519.PublicKeySize {
		return nil, notPeerID(id, "base58 of 38 bytes")
	}
	public := ed25519.PublicKey(raw[len(peerIDPrefix):])
	if PeerIDOf(public) != id { // compares the six bytes before the key too
		return nil, notPeerID(id, "of an Ed25519 key")
	}
	return public, nil
}

func notPeerID(id, must string) error {
	return fmt.Errorf("%s is not a peer ID: must be %s", job.Quote(id), must)
}
