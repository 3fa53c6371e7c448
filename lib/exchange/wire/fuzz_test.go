package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// said returns all that one end says in each vector.
func said(from Role) [][]byte {
	var all [][]byte
	for _, v := range cases() {
		var b []byte
		for _, f := range v.Frames {
			if f.From == from.String() {
				b = append(b, must(hex.DecodeString(f.Hex))...)
			}
		}
		all = append(all, b)
	}
	return all
}

// isRefusal reports whether err is one that a stranger's bytes may cause.
func isRefusal(err error) bool {
	b, ok := errors.AsType[*BreachError](err)
	return ok && b.Rule != "" && b.Detail != "" || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// listen reads what one end says as the other does: with the turns, after what
// that has said itself.
func listen(t *testing.T, data []byte, from Role, before ...Message) {
	t.Helper()
	for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, func(r io.Reader) io.Reader { return r }} {
		var o Order
		for _, m := range before {
			if err := o.Message(m); err != nil {
				t.Fatal(err)
			}
		}
		r := NewReader(wrap(bytes.NewReader(data)), from)
		var err error
		var again []byte // the frames, written again
		for err == nil {
			again, err = hearFuzzed(t, &o, r, again)
		}
		if !isRefusal(err) {
			t.Fatalf("%v is no refusal", err)
		}
		if !bytes.HasPrefix(data, again) {
			t.Fatalf("%d bytes of frames are other bytes when they are written again", len(again))
		}
	}
}

func hearFuzzed(t *testing.T, o *Order, r *Reader, again []byte) ([]byte, error) {
	t.Helper()
	kind, n, err := r.Next()
	if err != nil {
		return again, err
	}
	if rule, _ := kind.rule(); n > rule.max {
		t.Fatalf("%s of %d bytes", kind, n)
	}
	payload, err := r.Payload()
	if err != nil {
		return again, err
	}
	again = appendFrame(again, kind, payload)
	if kind.IsData() {
		return again, o.Data(kind, n)
	}
	m, err := Decode(kind, payload)
	if err != nil {
		return again, err
	}
	encoded, err := Encode(m)
	if err != nil {
		t.Fatalf("read, but cannot be written: %v", err)
	}
	twice, err := Decode(kind, encoded)
	if err != nil || !cmp.Equal(m, twice) {
		t.Fatalf("written and read again, it differs: %v\n%s", err, cmp.Diff(m, twice))
	}
	if offer, ok := m.(*Offer); ok {
		if err := offer.Verify(nodeKey().PeerID(), transportKey().PeerID()); err != nil {
			return again, err
		}
		// Nobody but the tests has the key.
		if offer.Requester != requesterKey().PeerID() {
			t.Fatalf("an offer that nobody has signed: %s", offer.Requester)
		}
	}
	if err := o.Message(m); err != nil {
		return again, err
	}
	if _, ok := m.(*Offer); ok {
		_ = o.Message(needAll()) // refused when there is no input
	}
	return again, nil
}

// FuzzNode is what a node does with a stranger's bytes.
func FuzzNode(f *testing.F) {
	for _, b := range said(Requester) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) { listen(t, data, Requester) })
}

// FuzzRequester is what a requester does with a node's bytes.
func FuzzRequester(f *testing.F) {
	for _, b := range said(Node) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) { listen(t, data, Node, streamOffer()) })
}

// FuzzDecode takes the shorter way to the payloads.
func FuzzDecode(f *testing.F) {
	for _, v := range cases() {
		for _, frame := range v.Frames {
			if data := must(hex.DecodeString(frame.Hex)); len(data) > 3 && frame.Kind != "" {
				f.Add(data[0], data[2:])
				f.Add(data[0], data[3:])
			}
		}
	}
	f.Fuzz(func(t *testing.T, kind byte, payload []byte) {
		m, err := Decode(Kind(kind), payload)
		if err != nil {
			if !isRefusal(err) {
				t.Fatalf("%v is no refusal", err)
			}
			return
		}
		if _, err := Encode(m); err != nil {
			t.Fatalf("read, but cannot be written: %v", err)
		}
		if offer, ok := m.(*Offer); ok {
			_, _ = offer.DecodeManifest() // must only not panic
		}
	})
}
