package receipt

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/identity"
)

func FuzzVerify(f *testing.F) {
	list := cases()
	for i := range list {
		if list[i].PadTo == 0 {
			f.Add(list[i].bytes())
		}
	}
	known := bytes.Join(payloads(list), nil)
	trusted := []ed25519.PublicKey{nodeKey().Public(), neutral()}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Verify(data, trusted)
		if r, ok := errors.AsType[*RefusalError](err); err != nil && (!ok || r.Detail == "") {
			t.Errorf("%v is no refusal", err)
		}
		if err != nil {
			if claimed, err := Claims(data); err == nil && claimed == nil {
				t.Error("neither claims nor a reason")
			}
			return
		}
		// Nobody but the tests has the key: what verifies was signed by them.
		if v.Node.PeerID != nodeKey().PeerID() || !bytes.Contains(known, v.Payload) {
			t.Errorf("verified what nobody signed: %s", v.Payload)
		}
	})
}

// payloads returns the payload of every case whose envelope can be opened.
func payloads(list []vector) [][]byte {
	var all [][]byte
	for i := range list {
		if e, err := open(list[i].bytes()); err == nil {
			all = append(all, e.payload)
		}
	}
	return all
}

func FuzzDecode(f *testing.F) {
	f.Add(payload())
	for _, p := range payloads(cases()) {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Decode(data)
		if err != nil {
			return
		}
		encoded, err := s.Encode()
		if err != nil {
			t.Fatalf("read, but cannot be written: %v", err)
		}
		again, err := Decode(encoded)
		if err != nil || !cmp.Equal(s, again) {
			t.Errorf("written and read again, it differs: %v\n%s", err, cmp.Diff(s, again))
		}
		if _, err := identity.ParsePeerID(s.Node.PeerID); err != nil {
			t.Error(err)
		}
	})
}
