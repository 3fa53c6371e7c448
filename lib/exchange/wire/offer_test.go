package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"plasm/lib/job"
)

// TestSigned spells out the bytes under a signature.
func TestSigned(t *testing.T) {
	t.Parallel()
	o := &Offer{Manifest: []byte("{}")}
	want := "plasm-offer/1" + "\x04\x00\x00\x00\x00\x00\x00\x00node" + "\x02\x00\x00\x00\x00\x00\x00\x00me" +
		"\x02\x00\x00\x00\x00\x00\x00\x00{}"
	if got := string(o.signed("node", "me")); got != want {
		t.Errorf("signed is\n%q, want\n%q", got, want)
	}
	o.Manifest = make([]byte, 0x010203)
	if got := binary.LittleEndian.Uint64(o.signed("", "")[len(signedPrefix)+16:]); got != 0x010203 {
		t.Errorf("the manifest has length %d", got)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	node, transport := nodeKey().PeerID(), transportKey().PeerID()
	if err := plainOffer().Verify(node, transport); err != nil {
		t.Error(err)
	}
	// What is not signed may change, such as how far the output has come.
	resumed := plainOffer()
	resumed.StdoutFrom = 9
	if err := resumed.Verify(node, transport); err != nil {
		t.Errorf("resumed: %v", err)
	}
	// A name that is spelled like a peer ID and isn't one.
	o := plainOffer()
	o.Requester = "12D3KooW" + strings.Repeat("z", 44)
	err := o.Verify(node, transport)
	if b, ok := errors.AsType[*BreachError](err); !ok || b.Rule != RuleSignature {
		t.Errorf("an ID that names no key: %v", err)
	}
}

func TestOfferDecodeManifest(t *testing.T) {
	t.Parallel()
	input := func(d job.Digest) func(*job.Manifest) { return func(m *job.Manifest) { m.StdinHash = d } }
	some := job.Sum([]byte("x"))
	tests := []struct {
		name  string
		offer *Offer
		want  string // in the error
	}{
		{"no input", sampleOffer(0, input(job.EmptyDigest)), ""},
		{"an input", sampleOffer(1, input(some)), ""},
		{"an input of unknown length", sampleOffer(StdinUnknown, input("")), ""},
		{
			"a length without a digest", sampleOffer(1, input("")),
			"offer.stdin_bytes: 1, but the manifest has no stdin_hash",
		},
		{
			"length 0 without a digest", sampleOffer(0, input("")),
			"offer.stdin_bytes: 0, but the manifest has no stdin_hash",
		},
		{
			"a digest without a length", sampleOffer(StdinUnknown, input(some)),
			"offer.stdin_bytes: missing, and the manifest has a stdin_hash",
		},
		{
			"the digest of nothing with a length", sampleOffer(1, input(job.EmptyDigest)),
			"offer.stdin_bytes: 1, but the manifest's stdin_hash is sha256:e3b0",
		},
		{
			"length 0 with the digest of something", sampleOffer(0, input(some)),
			"offer.stdin_bytes: 0, but the manifest's stdin_hash is sha256:2d71",
		},
		{"no manifest", &Offer{Manifest: []byte("{}")}, "manifest.version: missing"},
	}
	for _, test := range tests {
		m, err := test.offer.DecodeManifest()
		if test.want == "" {
			if err != nil || !bytes.Equal(m.Encode(), test.offer.Manifest) {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		e, ok := errors.AsType[*job.Error](err)
		if !ok || e.Code != job.CodeBadManifest || !strings.HasPrefix(e.Message, test.want) {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
}
