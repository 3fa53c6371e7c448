//go:build linux

package faults_test

import (
	"testing"
	"time"

	"plasm/test/netlab"
)

// outage is how long a link is cut.
const outage = 5 * time.Second

// TestLinkCut: the link is cut for five seconds, with and without a word to those
// who use it, while a module is on its way, or the program runs. The job goes on,
// and runs once.
func TestLinkCut(t *testing.T) {
	t.Parallel()
	const drop = "table inet cut { chain in { type filter hook input priority 0; policy drop; }\n }"
	for _, transport := range []string{"tcp", "udp"} {
		for at, work := range map[point]func(*user) *work{halfway: (*user).heavy, output: (*user).ticks} {
			t.Run(transport+" "+string(at), func(t *testing.T) {
				t.Parallel()
				l := netlab.New(t)
				machines := l.LAN("user", "node")
				u := newUser(t, machines[0])
				n := u.serveStopping(machines[1])
				w := work(u)
				n.stopAt(at)
				got := w.submit(machines[0], n.peer(n.addr(transport)))
				n.stopped()
				if transport == "tcp" {
					machines[0].Set("link set eth0 down")
				} else {
					machines[0].Rules(drop)
				}
				n.resume()
				<-time.After(outage) // it is what the test is about, and no state is waited for
				if transport == "tcp" {
					machines[0].Set("link set eth0 up")
				} else {
					machines[0].Rules("delete table inet cut\n")
				}
				got.answers(n)
				if runs := n.ran(w.manifest.ID); runs != 1 {
					t.Errorf("it ran %d times", runs)
				}
				n.settle()
			})
		}
	}
}
