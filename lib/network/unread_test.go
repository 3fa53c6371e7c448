package network

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
)

// counted counts what is written.
type counted struct {
	net.Conn

	bytes atomic.Int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.bytes.Add(int64(n))
	return n, err
}

// TestUnread: of a connection over which nothing has been proved a little is taken
// ahead of the streams that read it, then what they read and what is forgotten, and
// everything when it has proved itself.
func TestUnread(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const streams, each, headers = 8, 100 << 10, 1 << 10
		f := newFair(&network.NullResourceManager{}, maxStrangersConns, slog.New(slog.DiscardHandler))
		scope := &network.NullScope{}
		f.peers[scope.Peer()] = &place{conns: 1}
		here, there := net.Pipe()
		node, err := muxer{yamux.DefaultTransport, f}.NewConn(here, true, scope)
		if err != nil {
			t.Fatal(err)
		}
		sent := &counted{Conn: there}
		other, err := yamux.DefaultTransport.NewConn(sent, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		var opened, taken []network.MuxedStream
		for range streams {
			s, err := other.OpenStream(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			in, err := node.AcceptStream()
			if err != nil {
				t.Fatal(err)
			}
			opened, taken = append(opened, s), append(taken, in)
		}
		for _, s := range opened {
			go func() { _, _ = s.Write(make([]byte, each)) }() // ends with the connection, or before
		}
		within := func(when string, least, most int64) {
			t.Helper()
			synctest.Wait()
			if n := sent.bytes.Load(); n < least || n > most+headers {
				t.Errorf("%s: %d bytes are taken, not %d to %d", when, n, least, most)
			}
		}
		within("at first", maxUnread/2, 2*maxUnread) // one message may be on its way
		before := sent.bytes.Load()
		<-time.After(10 * time.Second)
		within("later", before+unreadForgotten, before+10*unreadForgotten+maxUnread)
		before = sent.bytes.Load()
		read := 0
		for _, s := range taken {
			if err := s.SetReadDeadline(time.Now()); err != nil {
				t.Fatal(err)
			}
			n, _ := s.Read(make([]byte, each)) // none of those that have got nothing yet
			read += n
			if read > maxUnread {
				break
			}
		}
		within("after a read", before+maxUnread/2, before+int64(read)+maxUnread)
		f.prove(scope.Peer())
		<-time.After(10 * time.Second) // for the message that waits
		within("proved", streams*each, streams*each)
		if err := errors.Join(node.Close(), other.Close()); err != nil {
			t.Error(err)
		}
	})
}

// TestUnreadMessage: no room is made for a message that is longer than any of
// ours, and closing frees the reader of one that waits.
func TestUnreadMessage(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		length uint32
		held   int
		want   error
	}{
		"longer than all": {length: maxUnread + 1, want: errLongMessage},
		"as long":         {length: maxUnread},
		"no room":         {length: 1, held: 1 << 30, want: net.ErrClosed},
	} {
		here, there := net.Pipe()
		u := newUnread(here, func() bool { return false })
		u.held, u.at = test.held, time.Now()
		go func() {
			header := binary.BigEndian.AppendUint32(make([]byte, 8), test.length)
			for _, b := range header { // as it may come
				_, _ = there.Write([]byte{b})
			}
			if errors.Is(test.want, net.ErrClosed) {
				_ = u.Close()
			}
		}()
		var err error
		for n := 0; n < len(u.header) && err == nil; {
			var more int
			more, err = u.Read(make([]byte, 1<<10))
			n += more
		}
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
		_, _ = u.Close(), there.Close()
	}
}
