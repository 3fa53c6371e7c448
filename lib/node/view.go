package node

import (
	"context"
	"net/http"
	"time"

	p2p "github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"plasm/lib/control"
	"plasm/lib/node/page"
)

// view is what the status page shows now.
func (n *Node) view() *page.View {
	now := time.Now()
	return &page.View{
		Now: now, Status: n.status(), Jobs: n.namedJobs(), Peers: n.peers(),
		History: n.history.Samples(now),
	}
}

// namedJobs are the node's jobs, with the names that the allow file has for requesters.
func (n *Node) namedJobs() *control.Jobs {
	jobs, names := n.jobs.Jobs(), n.who.now().names
	for _, some := range [][]control.Job{jobs.Current, jobs.Ended} {
		for i := range some {
			some[i].Name = names[some[i].Requester]
		}
	}
	return jobs
}

// peers are those that are connected, each once.
func (n *Node) peers() (peers []page.Peer) {
	seen := map[peer.ID]bool{}
	for _, c := range n.host.Network().Conns() {
		if id := c.RemotePeer(); !seen[id] {
			seen[id] = true
			peers = append(peers, page.Peer{
				ID: id.String(), Addr: c.RemoteMultiaddr().String(), Inbound: c.Stat().Direction == p2p.DirInbound,
				Relayed: c.Stat().Limited,
			})
		}
	}
	return peers
}

// whenReady has the page wait for the node: metrics are served from early on.
func (n *Node) whenReady(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !n.shows.Load() {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "the node starts or ends", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// watchLoad begins to take samples for the plots of the status page, where there is one,
// which is shown from now on.
func (n *Node) watchLoad(context.Context) error {
	if n.cfg.Metrics == "" {
		return nil
	}
	done, stop := make(chan struct{}), make(chan struct{})
	var before int64
	sample := func(at time.Time) {
		load, ended := n.load(), n.metrics.ended.Load()
		n.history.Add(page.Sample{
			At: at, Slots: load.Running + load.Reserved, Waiting: load.Waiting,
			MemoryMB: load.MemoryMB, Ended: ended - before,
		})
		before = ended
	}
	sample(time.Now())
	go func() {
		defer close(done)
		tick := time.NewTicker(page.SampleEvery)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case at := <-tick.C:
				sample(at)
			}
		}
	}()
	n.shows.Store(true)
	n.onStop(func() {
		n.shows.Store(false)
		close(stop)
		<-done
	})
	return nil
}
