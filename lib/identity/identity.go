// Package identity is who somebody is: Ed25519 keys, the files they live in,
// and the peer IDs that name them.
//
// # Peer IDs
//
// A peer ID is the public key itself in the form that libp2p prints, base58
// (Bitcoin's alphabet) over 38 bytes:
//
//	0x00 0x24             multihash: identity, 36 bytes
//	0x08 0x01             protobuf field 1 (key type), 1 = Ed25519
//	0x12 0x20             protobuf field 2 (key data), 32 bytes
//	32 bytes              the Ed25519 public key
//
// It always begins with "12D3KooW". Other forms that libp2p knows (CIDs, hashes
// of RSA keys) name nobody here, so an ID has exactly one spelling and IDs are
// compared as strings.
//
// # Key files
//
// A private key is a PEM file of one block, "PRIVATE KEY", holding PKCS#8, as
// `openssl genpkey -algorithm ed25519` writes it. Its mode is 0600.
package identity

import (
	"crypto/ed25519"
	"crypto/rand"
)

// Key is a private Ed25519 key. It is immutable and safe for concurrent use.
type Key struct {
	private ed25519.PrivateKey
	peerID  string
}

// Generate draws a new key.
func Generate() *Key {
	var seed [ed25519.SeedSize]byte
	_, _ = rand.Read(seed[:]) // never fails: crypto/rand ends the program first
	return FromSeed(seed)
}

// FromSeed returns the key whose 32-byte seed (RFC 8032, section 5.1.5) is seed.
func FromSeed(seed [ed25519.SeedSize]byte) *Key {
	return newKey(ed25519.NewKeyFromSeed(seed[:]))
}

func newKey(private ed25519.PrivateKey) *Key {
	k := &Key{private: private}
	k.peerID = PeerIDOf(k.Public())
	return k
}

// PeerID returns the key's peer ID, "12D3KooW…".
func (k *Key) PeerID() string { return k.peerID }

// Public returns the public key. The caller must not change it.
func (k *Key) Public() ed25519.PublicKey {
	return ed25519.PublicKey(k.private[ed25519.SeedSize:])
}

// Private returns the private key, for a library that must sign with it by itself.
// The caller must not change it, nor let it out of the process.
func (k *Key) Private() ed25519.PrivateKey { return k.private }

// Sign returns the 64-byte Ed25519 signature of message.
func (k *Key) Sign(message []byte) []byte {
	return ed25519.Sign(k.private, message)
}
