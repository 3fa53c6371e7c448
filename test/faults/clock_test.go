//go:build linux

package faults_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"plasm/test/netlab"
	"plasm/test/variant"
)

// TestClock: a node's clock is an hour off. Its jobs, their receipts and what it
// keeps are as ever, also when somebody sets the clock right in between.
func TestClock(t *testing.T) {
	t.Parallel()
	for name, ahead := range map[string]time.Duration{"ahead": time.Hour, "behind": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := netlab.New(t)
			machines := l.LAN("user", "node")
			u := newUser(t, machines[0])
			n := u.node(machines[1])
			folder := t.TempDir()
			if err := variant.BuildOff(t.Context(), t.TempDir(), "plasm/cmd/plasmd", folder+"/plasmd",
				ahead); err != nil {
				t.Fatal(err)
			}
			if err := os.Link(programs+"/plasm-run", folder+"/plasm-run"); err != nil {
				t.Fatal(err)
			}
			right := n.program
			n.program = folder + "/plasmd"
			n.ready()
			told, _ := n.Event(patience, "node.ready", nil)["time"].(string)
			at, err := time.Parse(time.RFC3339Nano, told)
			if off := time.Until(at) - ahead; err != nil || off.Abs() > 5*time.Minute {
				t.Fatalf("the node's clock says %s: %v", told, err)
			}
			w := u.heavy()
			var first []byte
			for _, transport := range []string{"tcp", "udp"} {
				got := w.submit(machines[0], n.peer(n.addr(transport))).answers(n)
				if first != nil && !bytes.Equal(got, first) {
					t.Error("another receipt")
				}
				first = got
			}
			n.settle()
			n.kill()
			n.program = right
			n.ready()
			if got := w.submit(machines[0], n.peer(n.addr("tcp"))).answers(n); !bytes.Equal(got, first) {
				t.Error("another receipt, with the clock set right")
			}
			n.settle()
		})
	}
}
