package identity

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"
)

// rfc8032 is the first test of RFC 8032, section 7.1.
var rfc8032 = [32]byte(unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))

const rfc8032PeerID = "12D3KooWQK1wnefoLrcVHbbnf5tLzbopUd3K3bFAoJpA7YJgL5pV"

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func TestPeerIDVectors(t *testing.T) {
	t.Parallel()
	// The IDs were computed with another base58; the last key and ID are the
	// example of an Ed25519 peer ID in libp2p's specification.
	for _, v := range []struct{ public, id string }{
		{"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", rfc8032PeerID},
		{
			"1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e",
			"12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq",
		},
		{strings.Repeat("00", 32), "12D3KooW9pNAk8aiBuGVQtWRdbkLmo5qVL3e2h5UxbN2Nz9ttwiw"},
		{strings.Repeat("ff", 32), "12D3KooWT3gYEvLJyx1FyyHqrmvdy1tMjpgxmu9aSeKMEuafQtyC"},
		{
			"2ffa35a99d3a3cfbb17bb7c1dc5561b18a8dcca4df38dc613ea859c37eb1336b",
			"12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA",
		},
	} {
		if got := PeerIDOf(unhex(v.public)); got != v.id {
			t.Errorf("PeerIDOf(%s) = %s, want %s", v.public, got, v.id)
		}
		if got, err := ParsePeerID(v.id); err != nil || hex.EncodeToString(got) != v.public {
			t.Errorf("ParsePeerID(%s) = %x, %v, want %s", v.id, got, err, v.public)
		}
	}
}

// base58Of is base58 by the book: a big number divided by 58.
func base58Of(data []byte) string {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	n, digit := new(big.Int).SetBytes(data), new(big.Int)
	var out []byte
	for n.Sign() > 0 {
		n.DivMod(n, big.NewInt(58), digit)
		out = append([]byte{alphabet[digit.Int64()]}, out...)
	}
	zeros := len(data) - len(bytes.TrimLeft(data, "\x00"))
	return strings.Repeat("1", zeros) + string(out)
}

func TestPeerIDIsProtobufInMultihash(t *testing.T) {
	t.Parallel()
	for seed := range byte(32) {
		key := FromSeed([32]byte{seed})
		message := append([]byte{0x08, 0x01, 0x12, 32}, key.Public()...)
		want := base58Of(append([]byte{0x00, 36}, message...))
		if key.PeerID() != want {
			t.Errorf("seed %d: peer ID %s, want %s", seed, key.PeerID(), want)
		}
	}
}

func TestParsePeerIDRefuses(t *testing.T) {
	t.Parallel()
	raw := func(prefix string, n int) string { return base58Of(append(unhex(prefix), make([]byte, n)...)) }
	for name, id := range map[string]string{
		"empty":                  "",
		"short":                  rfc8032PeerID[:51],
		"long":                   rfc8032PeerID + "1",
		"leading one":            "1" + rfc8032PeerID[:51],
		"leading space":          " " + rfc8032PeerID[1:],
		"not base58":             rfc8032PeerID[:51] + "0",
		"not ASCII":              rfc8032PeerID[:50] + "é",
		"sha256 multihash":       raw("1220", 32),
		"padded to its length":   "111111" + raw("1220", 32),
		"secp256k1 key":          raw("002408021220", 32),
		"wrong multihash length": raw("002508011220", 32),
		"fields swapped":         raw("002412200801", 32),
		"CID":                    "bafzaajaiaejcbpltl6nzhpwkyeb3jdcmo7cdm4vhgzjlz67smb3ypi5d5wa7pgmh",
		"huge":                   strings.Repeat("1", 1<<20),
	} {
		if key, err := ParsePeerID(id); err == nil {
			t.Errorf("%s: accepted as %x", name, key)
		} else if len(err.Error()) > 200 {
			t.Errorf("%s: message of %d bytes", name, len(err.Error()))
		}
	}
}

func TestSignVerifiesUnderPublic(t *testing.T) {
	t.Parallel()
	key := FromSeed(rfc8032)
	// The signature of the empty message in RFC 8032.
	want := "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555" +
		"fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
	if got := hex.EncodeToString(key.Sign(nil)); got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
	if !ed25519.Verify(key.Public(), []byte("x"), key.Sign([]byte("x"))) {
		t.Error("a signature does not verify")
	}
	if one, other := Generate(), Generate(); one.PeerID() == other.PeerID() {
		t.Error("two generated keys are the same")
	}
}

func FuzzParsePeerID(f *testing.F) {
	f.Add(rfc8032PeerID)
	f.Add("12D3KooW9pNAk8aiBuGVQtWRdbkLmo5qVL3e2h5UxbN2Nz9ttwiw")
	f.Add("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N")
	f.Add("")
	f.Fuzz(func(t *testing.T, id string) {
		key, err := ParsePeerID(id)
		if err != nil {
			return
		}
		if again := PeerIDOf(key); again != id || len(key) != ed25519.PublicKeySize {
			t.Errorf("%q names %x, whose ID is %q", id, key, again)
		}
	})
}
