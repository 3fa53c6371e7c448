package network

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"testing"
	"testing/iotest"
	"time"

	p2p "github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-msgio"
)

// TestLongQuestion announces messages to the DHT that are longer than any question:
// it doesn't wait for them.
func TestLongQuestion(t *testing.T) {
	t.Parallel()
	node := start(t, Config{Listen: loopback(), Server: true})
	asker := start(t, Config{Listen: loopback()})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := asker.Connect(ctx, at(node)[0]); err != nil {
		t.Fatal(err)
	}
	for _, length := range []uint64{maxQuestion + 1, p2p.MessageSizeMax} {
		s, err := asker.NewStream(ctx, node.ID(), dhtProtocol)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write(append(binary.AppendUvarint(nil, length), 0)); err != nil {
			t.Fatal(err)
		}
		_ = s.SetReadDeadline(time.Now().Add(30 * time.Second)) // half of what the DHT waits for a message
		if _, err := io.ReadAll(s); err == nil || os.IsTimeout(err) {
			t.Errorf("%d bytes announced: %v", length, err)
		}
	}
}

// testStream is a stream of which only reading matters.
type testStream struct {
	p2p.Stream

	r io.Reader
}

func (s testStream) Read(p []byte) (int, error) { return s.r.Read(p) }

// FuzzQuestions reads messages through a question, in pieces of any size, and
// without one.
func FuzzQuestions(f *testing.F) {
	f.Add([]byte("\x03abc\x00\x01x"), false)
	f.Add([]byte("\x80\x80\x01"), true)
	f.Add([]byte("\x81\x80\x01"), true)
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), false)
	f.Add([]byte("\x80\x80\x80\x80\x80\x80"), false)
	f.Fuzz(func(t *testing.T, data []byte, slowly bool) {
		var in io.Reader = bytes.NewReader(data)
		if slowly {
			in = iotest.OneByteReader(in)
		}
		got := msgio.NewVarintReaderSize(&question{Stream: testStream{r: in}}, p2p.MessageSizeMax)
		want := msgio.NewVarintReaderSize(bytes.NewReader(data), maxQuestion)
		for {
			a, errA := got.ReadMsg()
			b, errB := want.ReadMsg()
			if (errA == nil) != (errB == nil) || errA == nil && !bytes.Equal(a, b) {
				t.Fatalf("%q (%v), want %q (%v)", a, errA, b, errB)
			}
			if errA != nil {
				if errors.Is(errB, msgio.ErrMsgTooLarge) && !errors.Is(errA, errQuestion) {
					t.Fatalf("%v for a message that is too long", errA)
				}
				return
			}
		}
	})
}
