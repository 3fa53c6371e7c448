package wire

import (
	"errors"
	"io"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestPings listens to an end that has nothing to say.
func TestPings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, other := oneEnd(Node)
		defer c.Reset()
		begin := time.Now()
		ping := make([]byte, 2)
		for i := range 3 {
			if _, err := io.ReadFull(other, ping); err != nil || string(ping) != ".\x00" {
				t.Fatalf("%q, %v", ping, err)
			}
			if at := time.Since(begin); at != time.Duration(i+1)*2*time.Second {
				t.Errorf("ping %d after %s", i, at)
			}
		}
	})
}

// TestSendingPutsOffAPing: 2 s count from what was sent last.
func TestSendingPutsOffAPing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, other := oneEnd(Requester)
		defer c.Reset()
		begin := time.Now()
		var sender sync.WaitGroup
		sender.Go(func() {
			<-time.After(1500 * time.Millisecond)
			if err := c.Send(plainOffer()); err != nil {
				t.Error(err)
			}
		})
		r := NewReader(other, Requester)
		for _, want := range []struct {
			kind Kind
			at   time.Duration
		}{
			{KindOffer, 1500 * time.Millisecond},
			{KindPing, 3500 * time.Millisecond},
			{KindPing, 5500 * time.Millisecond},
		} {
			kind, _, err := r.Next()
			if at := time.Since(begin); err != nil || kind != want.kind || at != want.at {
				t.Errorf("%s after %s, %v; want %s after %s", kind, at, err, want.kind, want.at)
			}
		}
		sender.Wait()
	})
}

// TestQuietEndsStayConnected lets both ends be silent for an hour.
func TestQuietEndsStayConnected(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		requester, node := ends()
		agree(t, requester, node)
		begin := time.Now()
		var both sync.WaitGroup
		for _, c := range []*Conn{requester, node} {
			both.Go(func() {
				_, err := drain(c)
				if at := time.Since(begin); at != time.Hour {
					t.Errorf("%v after %s", err, at)
				}
			})
		}
		<-time.After(time.Hour)
		node.Reset()
		requester.Reset()
		both.Wait()
	})
}

// TestSilenceIsLost: after 8 s the reader knows, and the sender is free.
func TestSilenceIsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, other := oneEnd(Requester)
		defer c.Reset()
		begin := time.Now()
		sent := make(chan error, 1)
		go func() { sent <- c.Send(plainOffer()) }() // nobody takes it
		_, err := c.Next()
		if at := time.Since(begin); !errors.Is(err, ErrLost) || at != 8*time.Second {
			t.Errorf("%v after %s", err, at)
		}
		if err := <-sent; !errors.Is(err, ErrLost) || time.Since(begin) != 8*time.Second {
			t.Errorf("sending: %v after %s", err, time.Since(begin))
		}
		if err := c.Send(Cancel{}); !errors.Is(err, ErrLost) {
			t.Errorf("sending later: %v", err)
		}
		c.Close()
		if _, err := other.Write([]byte("x")); err == nil {
			t.Error("the stream is still open")
		}
	})
}

// TestBytesAreNoSilence takes longer over one frame than silence may last.
func TestBytesAreNoSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, other := oneEnd(Node)
		defer c.Reset()
		go func() { _, _ = io.Copy(io.Discard, other) }() // takes the pings, until the end
		frame := must(AppendMessage(nil, plainOffer()))
		go func() {
			for _, piece := range [][]byte{frame[:1], frame[1:2], frame[2:500], frame[500:]} {
				<-time.After(7 * time.Second)
				if _, err := other.Write(piece); err != nil {
					t.Error(err)
				}
			}
		}()
		begin := time.Now()
		expect(t, c, KindOffer)
		if at := time.Since(begin); at != 28*time.Second {
			t.Errorf("read after %s", at)
		}
	})
}

// TestReadBy ends a wait in which pings come, also one that has begun.
func TestReadBy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		requester, node := ends()
		defer requester.Reset()
		defer node.Reset()
		go func() { _, _ = drain(requester) }() // takes the node's pings, until the end
		begin := time.Now()
		go func() {
			<-time.After(3 * time.Second)
			node.ReadBy(begin.Add(15 * time.Second))
		}()
		_, err := node.Next()
		if at := time.Since(begin); !errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, ErrLost) ||
			at != 15*time.Second {
			t.Errorf("%v after %s", err, at)
		}
		// The other direction is as it was.
		if err := node.Send(Ping{}); err != nil {
			t.Errorf("sending: %v", err)
		}
	})
}

// TestReadByIsTakenBack by the zero time.
func TestReadByIsTakenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		requester, node := ends()
		go func() { _, _ = drain(requester) }()
		node.ReadBy(time.Now().Add(3 * time.Second))
		go func() {
			<-time.After(2 * time.Second)
			node.ReadBy(time.Time{})
			<-time.After(8 * time.Second)
			if err := requester.Send(plainOffer()); err != nil {
				t.Error(err)
			}
		}()
		expect(t, node, KindOffer)
		node.Reset()
		requester.Reset()
	})
}

// TestStall: an end that pings and takes nothing is no end to wait for for ever.
func TestStall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, other := oneEnd(Requester)
		var pinger sync.WaitGroup
		defer pinger.Wait()
		defer c.Reset()
		pinger.Go(func() {
			for {
				<-time.After(2 * time.Second)
				if _, err := other.Write([]byte(".\x00")); err != nil {
					return
				}
			}
		})
		read := make(chan error, 1)
		go func() {
			_, err := c.Next()
			read <- err
		}()
		begin := time.Now()
		err := c.Send(plainOffer())
		if at := time.Since(begin); !errors.Is(err, ErrLost) || at != 10*time.Minute {
			t.Errorf("%v after %s", err, at)
		}
		if err := <-read; !errors.Is(err, ErrLost) {
			t.Errorf("reading: %v", err)
		}
	})
}
