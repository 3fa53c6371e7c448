package serve

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plasm/lib/exchange/queue"
	"plasm/lib/exchange/wire"
	"plasm/lib/identity"
	"plasm/lib/job"
)

// reset waits until the stream has been reset without a word.
func (c *talk) reset(t *testing.T) {
	t.Helper()
	for {
		kind, err := c.next()
		if errors.Is(err, wire.ErrLost) {
			return
		}
		if err != nil || c.rejection != nil || c.receipt != nil {
			t.Fatalf("%v %v %+v, want a broken stream", kind, err, c.answer)
		}
	}
}

func TestOffersOfOthers(t *testing.T) {
	t.Parallel()
	n, other := startNode(t, setup{Config: Config{Run: fakeRun(echo)}}),
		startNode(t, setup{Config: Config{Run: fakeRun(echo)}})
	j := newJob([]byte("module"), nil)
	r, thief := newRequester(t, n, nil), newRequester(t, n, nil)
	thief.openOffer(j, r.offer(j)).reset(t) // replayed on another connection
	elsewhere := newRequester(t, other, r.key)
	elsewhere.openOffer(j, r.offer(j)).reset(t) // and at another node
	forged := thief.offer(j)
	forged.Requester = r.key.PeerID()
	thief.openOffer(j, forged).reset(t)
	changed := r.offer(j)
	j.manifest.Args = []string{"other"}
	changed.Manifest = j.manifest.Encode()
	r.openOffer(j, changed).reset(t)
	if n.seen.count("started")+other.seen.count("started") != 0 {
		t.Error("a job ran")
	}
}

func TestGarbage(t *testing.T) {
	t.Parallel()
	n := startNode(t, setup{Config: Config{Run: fakeRun(echo)}})
	r := newRequester(t, n, nil)
	for _, bytes := range []string{
		"GET / HTTP/1.1\r\n\r\n", "\x00\x00", "O\x00", "O\xff\xff\xff\xff", "O\x80\x00", "M\x01x", "C\x00", "x\x01{",
		"O\x02{}", "O\x05null!", ".\x01x", "a\x3d" + strings.Repeat("x", 0x3d),
	} {
		s := r.stream()
		if _, err := s.Write([]byte(bytes)); err != nil {
			t.Fatal(err)
		}
		_ = s.SetReadDeadline(time.Now().Add(patience))
		got, err := io.ReadAll(s)
		if err == nil || os.IsTimeout(err) || strings.Trim(string(got), ".\x00") != "" {
			t.Errorf("%q: %q, %v", bytes, got, err)
		}
		_ = s.Reset()
	}
}

// TestSilence has strangers open streams and say nothing, or nothing but pings.
func TestSilence(t *testing.T) {
	t.Parallel()
	n := startNode(t, setup{Config: Config{Run: fakeRun(echo)}})
	r := newRequester(t, n, nil)
	begun := time.Now()
	silent := r.stream()
	if _, err := silent.Write([]byte("O\x80")); err != nil { // begins an offer
		t.Fatal(err)
	}
	pinging := wire.NewConn(r.stream(), wire.Requester, wire.Config{Ping: 100 * time.Millisecond})
	defer pinging.Reset()
	_ = silent.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, silent); err == nil || os.IsTimeout(err) {
		t.Errorf("the silent stream: %v", err)
	}
	if _, err := pinging.Next(); !errors.Is(err, wire.ErrLost) {
		t.Errorf("the pinging stream: %v", err)
	}
	if took := time.Since(begun); took < wire.OfferTime-time.Second || took > wire.OfferTime+5*time.Second {
		t.Errorf("thrown out after %v", took)
	}
}

// TestTooManyStrangers has one address open more streams than may be without an
// offer, each with the head of an offer, and offers from there.
func TestTooManyStrangers(t *testing.T) {
	t.Parallel()
	n := startNode(t, setup{Config: Config{Run: fakeRun(echo)}})
	r := newRequester(t, n, nil)
	for range maxTrusted / 60 * 2 { // 64 streams are all that libp2p lets one peer have
		stranger := newRequester(t, n, nil)
		for range 60 {
			s := stranger.stream()
			t.Cleanup(func() { _ = s.Reset() })
			if _, err := s.Write([]byte("O\x80\x80\x16{")); err != nil {
				break
			}
		}
	}
	j := newJob([]byte("module"), []byte("input"))
	r.outcome(j, r.run(j))
	eventually(t, "they are thrown out", func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return len(n.streams.pools[trusted].order) == 0
	})
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.streams.pools {
		if p.units != 0 || len(p.sources) != 0 || len(p.networks) != 0 {
			t.Errorf("a pool still holds %+v", p)
		}
	}
}

func TestOtherBytesThanAnnounced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := startNode(t, setup{Config: Config{Run: fakeRun(echo)}, dir: dir})
	r := newRequester(t, n, nil)
	t.Run("module", func(t *testing.T) {
		t.Parallel()
		j := newJob([]byte("not kept"), []byte("input"))
		j.module = []byte("NOT KEPT")
		c := r.open(j).until(wire.KindAccept)
		if err := c.SendData(wire.KindModule, j.module); err != nil {
			t.Fatal(err)
		}
		c.end().rejected(t, job.RejectHashMismatch)
		if files, _ := filepath.Glob(filepath.Join(dir, "content", "*", j.manifest.ModuleHash.Hex())); len(files) != 0 {
			t.Errorf("kept: %v", files)
		}
		j.module = []byte("not kept")
		if a := r.run(j); a.accept.Attached || a.receipt == nil { // the ID is free
			t.Errorf("%+v", a.accept)
		}
	})
	t.Run("stdin", func(t *testing.T) {
		t.Parallel()
		j := newJob([]byte("module"), []byte("input"))
		j.stdin = []byte("inpuT")
		r.run(j).rejected(t, job.RejectHashMismatch)
		j.stdin = []byte("input")
		if a := r.run(j); a.accept.Attached || a.receipt == nil {
			t.Errorf("%+v", a.accept)
		}
	})
	t.Run("more", func(t *testing.T) {
		t.Parallel()
		j := newJob([]byte("another module"), []byte("input"))
		s := r.stream()
		data, err := wire.AppendMessage(nil, r.offer(j))
		if err != nil {
			t.Fatal(err)
		}
		data = append(append(data, 'M', byte(len(j.module)+1)), append(bytes.Clone(j.module), '!')...)
		if _, err := s.Write(data[:len(data)-len(j.module)-3]); err != nil {
			t.Fatal(err)
		}
		frames := wire.NewReader(s, wire.Node)
		for kind, _, err := frames.Next(); kind != wire.KindAccept; kind, _, err = frames.Next() {
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Write(data[len(data)-len(j.module)-3:]); err != nil {
			t.Fatal(err)
		}
		_ = s.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.Copy(io.Discard, s); err == nil || os.IsTimeout(err) {
			t.Errorf("more of the module than announced: %v", err)
		}
		r.outcome(j, r.open(j).until(wire.KindAccept).give().end()) // the job bears no grudge
	})
}

// wanted has somebody listed hold a slot: rates hold only while others want the node.
func (n *testNode) wanted(t *testing.T) {
	t.Helper()
	ticket, r := n.queue.Offer(queue.Client{Listed: true, Requester: "another"}, queue.Job{MemoryMB: 1})
	if r != nil || !ticket.Started() {
		t.Fatalf("no slot for another one: %+v", r)
	}
	t.Cleanup(ticket.Release)
}

func TestWhoMaySubmit(t *testing.T) {
	t.Parallel()
	friend := identity.Generate()
	listed := func(id string) bool { return id == friend.PeerID() }
	n := startNode(t, setup{Config: Config{Run: fakeRun(echo)}, listed: listed})
	r, stranger := newRequester(t, n, friend), newRequester(t, n, nil)
	j := newJob([]byte("module"), nil)
	r.outcome(j, r.run(j))
	o := stranger.offer(j)
	o.Manifest = []byte("no manifest") // of which the answer says nothing
	o.Sign(stranger.key, n.key.PeerID(), stranger.host.ID().String())
	a := stranger.openOffer(j, o).end()
	a.rejected(t, job.RejectNotAllowed)
	if want := "plasmd allow " + stranger.key.PeerID(); !strings.Contains(a.rejection.Message, want) {
		t.Errorf("%q does not say %q", a.rejection.Message, want)
	}
	n = startNode(t, setup{
		Config: Config{Run: fakeRun(echo)}, listed: listed, any: true,
		queue: queue.Config{Slots: 2, MemoryMB: 1024, UnlistedRate: queue.Rate{Every: time.Hour, Burst: 2}},
	})
	n.wanted(t)
	stranger = newRequester(t, n, nil)
	stranger.outcome(j, stranger.run(j))
	big := newJob([]byte("module"), nil)
	big.manifest.MemoryMB = 600 // more than half
	stranger.open(big).end().rejected(t, job.RejectMemory)
	stranger.open(j).end().rejected(t, job.RejectRateLimited)
	another := newRequester(t, n, nil) // a fresh peer ID buys nothing
	another.open(j).end().rejected(t, job.RejectRateLimited)
	r = newRequester(t, n, friend)
	r.outcome(big, r.run(big))
}
