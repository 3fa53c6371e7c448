//go:build linux

package faults_test

import (
	"os"
	"testing"

	"plasm/test/netlab"
)

// TestNewKey: a node comes back with another key. It is refused by name, whether
// another node is there or not.
func TestNewKey(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"tcp", "udp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			l := netlab.New(t)
			machines := l.LAN("user", "first", "second")
			u := newUser(t, machines[0])
			first, second := u.serve(machines[1]), u.serve(machines[2])
			old := first.peer(first.addr(transport))
			first.kill()
			if err := os.Remove(first.dir + "/data/key.pem"); err != nil {
				t.Fatal(err)
			}
			first.ready()
			if first.id == old.PeerID {
				t.Fatal("it has the same key")
			}
			w := u.work("hello", []byte("abc"), []byte("cba"))
			w.submit(machines[0], old).fails(127, old.PeerID, "the node there is "+first.id)
			w.submit(machines[0], old, second.peer(second.addr("tcp"))).answers(second)
			first.settle()
			second.settle()
		})
	}
}
