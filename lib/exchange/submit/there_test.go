package submit

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"plasm/lib/exchange/wire"
	"plasm/lib/job"
)

// over is a candidate that is reached through a proxy.
func over(p *proxy, n *fakeNode) Candidate {
	return Candidate{Info: peer.AddrInfo{ID: n.host.ID(), Addrs: []ma.Multiaddr{p.addr()}}, Node: n.document(9)}
}

// A node that turns connections away is there: it is tried again, and not for ever.
func TestTurnedAway(t *testing.T) {
	t.Parallel()
	const stdin = "input"
	n := node(t, honest)
	p := linkTo(t, n)
	p.turnAway(5)
	submitted(t, config(t, n), newJob(stdin), stdin, these(over(p, n)))
	if n.offered() != 1 {
		t.Errorf("%d offers", n.offered())
	}
	p.turnAway(1000)
	if e := refused(t, config(t, n), newJob(stdin), these(over(p, n))); e.Code != job.CodeNoNode {
		t.Errorf("%s: %v", e.Code, e)
	}
	if n.offered() != 1 {
		t.Errorf("%d offers, of which one is too many", n.offered())
	}
}

// A node that accepts and goes away for good is not one that was never found.
func TestLostForGood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		closed := make(chan struct{})
		n := node(t, func(s *session) {
			if s.accept() {
				s.run()
				go func() { // it waits for this handler
					_ = s.n.host.Close()
					close(closed)
				}()
			}
		})
		cfg := config(t, n)
		cfg.Reattach, cfg.Dial = time.Second, 500*time.Millisecond
		e := refused(t, cfg, newJob("input"), these(n.candidate(9)))
		<-closed
		if e.Code != job.CodeRefused || !strings.Contains(e.Message, "lost after it had accepted the job") {
			t.Errorf("%s: %v", e.Code, e)
		}
		if len(e.Nodes) != 1 || !strings.Contains(e.Nodes[0].Rejection.Message, "lost after it had accepted the job") {
			t.Errorf("%+v", e.Nodes)
		}
	})
}

// A node that knows nothing of jobs is told apart from one that is lost: the offer is
// written before it has said so.
func TestTakesNoJobs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		n := node(t, honest)
		n.host.RemoveStreamHandler(wire.Protocol)
		e := refused(t, config(t, n), newJob("input"), these(n.candidate(9)))
		if e.Code != job.CodeNoNode || !strings.Contains(e.Message, "does not speak /plasm/job/1.0.0") {
			t.Errorf("%s: %v", e.Code, e)
		}
	})
}
