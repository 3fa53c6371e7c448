package identity

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"plasm/lib/job"
)

// maxPEM is the most that a key file may hold, in bytes; a real one has 119.
const maxPEM = 16 << 10

const (
	privateBlock = "PRIVATE KEY"
	publicBlock  = "PUBLIC KEY"
)

// MarshalPEM returns the key as a PEM file, as `openssl genpkey` would write it.
func (k *Key) MarshalPEM() []byte {
	// An Ed25519 private key can always be encoded; the error is for other kinds.
	der, _ := x509.MarshalPKCS8PrivateKey(k.private)
	return pem.EncodeToMemory(&pem.Block{Type: privateBlock, Bytes: der})
}

// ParsePEM reads a private key: exactly one block, PKCS#8, Ed25519.
func ParsePEM(data []byte) (*Key, error) {
	der, err := decodePEM(data, privateBlock)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("holds a damaged private key, or one of an unknown kind")
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("holds another kind of key than Ed25519: %s", kind(key))
	}
	return newKey(private), nil
}

// ParsePublicPEM reads a public key: exactly one block, "PUBLIC KEY" (SPKI),
// Ed25519, as `openssl pkey -pubout` writes it.
func ParsePublicPEM(data []byte) (ed25519.PublicKey, error) {
	der, err := decodePEM(data, publicBlock)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, errors.New("holds a damaged public key, or one of an unknown kind")
	}
	public, ok := key.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("holds another kind of key than Ed25519: %s", kind(key))
	}
	return public, nil
}

// decodePEM returns the bytes of the one block of data, whose type must be want.
// pem.Decode alone would skip over what it does not like until it finds a
// block, and two programs could then disagree about which key a file holds.
func decodePEM(data []byte, want string) ([]byte, error) {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return nil, errors.New("is empty")
	case len(data) > maxPEM:
		return nil, fmt.Errorf("is too large for a key file: more than %d bytes", maxPEM)
	case !bytes.HasPrefix(bytes.TrimSpace(data), []byte("-----BEGIN ")):
		return nil, errors.New("is not a PEM file")
	case bytes.Count(data, []byte("-----BEGIN")) > 1:
		return nil, errors.New("holds more than one PEM block")
	}
	block, rest := pem.Decode(data)
	switch {
	case block == nil:
		return nil, errors.New("is a damaged PEM file")
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, errors.New("has something after its PEM block")
	case block.Type != want:
		return nil, wrongBlock(block.Type, want)
	case len(block.Headers) > 0:
		return nil, errors.New("has headers in its PEM block")
	}
	return block.Bytes, nil
}

// wrongBlock says what a block of type got is, where want was needed.
func wrongBlock(got, want string) error {
	switch {
	case got == publicBlock:
		return errors.New("holds a public key; the private one is needed")
	case got == privateBlock:
		return errors.New("holds a private key; the public one is needed (openssl pkey -pubout)")
	case got == "ENCRYPTED PRIVATE KEY":
		return errors.New("holds an encrypted key; plasm needs it in the clear (openssl pkey)")
	case strings.HasSuffix(got, " PRIVATE KEY"):
		return fmt.Errorf("holds %s; an Ed25519 key in PKCS#8 is needed (openssl genpkey -algorithm ed25519)",
			job.Quote(got))
	}
	return fmt.Errorf("holds %s where %s is needed", job.Quote(got), want)
}

// kind names the type of a key that x509 made, such as "rsa".
func kind(key any) string {
	name := strings.TrimPrefix(fmt.Sprintf("%T", key), "*")
	name, _, _ = strings.Cut(name, ".")
	return name
}
