package capability

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	p2p "github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"plasm/lib/job"
)

const fuzzID = "12D3KooWE5iTWzHAT9H8TrUbFaDspm6wKFQQVF9B8Amo1viGeTyk"

// FuzzReadNode feeds the asking side whatever a peer may answer: what is taken
// is a valid node that says that it is this peer, an error is safe to print, and
// no more is read than a document may have.
func FuzzReadNode(f *testing.F) {
	id, err := peer.Decode(fuzzID)
	if err != nil {
		f.Fatal(err)
	}
	n := document()
	n.PeerID = fuzzID
	text := string(n.Encode())
	for _, seed := range []string{
		text, text[:100], `{"future":1,` + text[1:], strings.Replace(text, "0.1.0", `\u001b`, 1), "", "{}", "\x00\xff",
		strings.Replace(text, fuzzID, strings.Replace(fuzzID, "yk", "yy", 1), 1), text + text,
	} {
		f.Add([]byte(seed), uint32(0))
	}
	f.Add([]byte(text), uint32(job.MaxNode))
	f.Fuzz(func(t *testing.T, data []byte, padding uint32) {
		r := &counted{r: io.MultiReader(bytes.NewReader(data), io.LimitReader(spaces{}, int64(padding%(1<<20))))}
		node, err := readNode(r, id)
		if r.n > job.MaxNode+1 {
			t.Errorf("read %d bytes", r.n)
		}
		if err != nil {
			if node != nil || strings.ContainsFunc(err.Error(), func(c rune) bool { return c < ' ' || c == 0x7f }) ||
				len(err.Error()) > 2000 {
				t.Errorf("%+v, %q", node, err)
			}
			return
		}
		if node.PeerID != fuzzID || node.Validate() != nil {
			t.Errorf("took %+v", node)
		}
		for _, need := range []Need{{}, {
			Arch: "arm64", Engine: "x", MinMemoryMB: 1 << 40, MinCores: 1 << 40,
			Guards: []string{"nnp"}, Free: true,
		}} {
			for _, why := range need.Against(node) {
				if !why.Code.Valid() || why.Message == "" || len(why.Message) > 500 {
					t.Errorf("left out as %+v", why)
				}
			}
		}
	})
}

type counted struct {
	r io.Reader
	n int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// stream is the serving side's stream of a peer who sends some bytes, and takes
// some of the answer before it resets.
type stream struct {
	p2p.Stream

	conn  p2p.Conn
	in    io.Reader
	takes int
	out   bytes.Buffer
	ended int
}

func (s *stream) Conn() p2p.Conn              { return s.conn }
func (s *stream) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s *stream) SetDeadline(time.Time) error { return nil }
func (s *stream) Close() error                { s.ended++; return nil }
func (s *stream) Reset() error                { s.ended++; return nil }

func (s *stream) Write(p []byte) (int, error) {
	n, _ := s.out.Write(p[:min(len(p), max(s.takes-s.out.Len(), 0))])
	if n < len(p) {
		return n, io.ErrClosedPipe
	}
	return n, nil
}

// conn is the connection that a stream belongs to.
type conn struct {
	p2p.Conn

	id   peer.ID
	addr ma.Multiaddr
}

func (c conn) RemotePeer() peer.ID           { return c.id }
func (c conn) RemoteMultiaddr() ma.Multiaddr { return c.addr }

// FuzzHandle feeds the serving side whatever a peer may send: the answer is the
// node's document or the part of it that was taken, the stream is ended once,
// and nothing is left of it.
func FuzzHandle(f *testing.F) {
	h := server(f)
	s := Serve(h, document, nil)
	defer s.Close()
	id, err := peer.Decode(fuzzID)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(""), 1<<20, true)
	f.Add([]byte("{}"), 100, false)
	f.Add(bytes.Repeat([]byte{0xff}, 100_000), 0, true)
	f.Fuzz(func(t *testing.T, sent []byte, takes int, near bool) {
		from := ma.StringCast("/ip4/192.0.2.1/tcp/1")
		if near {
			from = ma.StringCast("/ip4/127.0.0.1/tcp/1")
		}
		st := &stream{conn: conn{id: id, addr: from}, in: bytes.NewReader(sent), takes: takes}
		s.handle(st)
		whole := document()
		whole.PeerID, whole.Addrs = h.ID().String(), s.addrs(from)
		if want := whole.Encode(); !bytes.HasPrefix(want, st.out.Bytes()) ||
			st.out.Len() < min(len(want), max(takes, 0)) {
			t.Errorf("answered %s", st.out.Bytes())
		}
		if st.ended != 1 {
			t.Errorf("ended %d times", st.ended)
		}
		if len(s.streams) != 0 || len(s.peers) != 0 {
			t.Errorf("left: %d streams, %d peers", len(s.streams), len(s.peers))
		}
	})
}
