//go:build linux

package faults_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"plasm/lib/job"
	"plasm/test/hostile"
	"plasm/test/need"
	"plasm/test/netlab"
)

// TestOutOfMemory has a node's control group too small for what its jobs may take: the
// kernel kills the worker. Another node does the job. Where there is no other, the same
// one is not asked again and again, and the user hears whose memory it was.
func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	const memory, most = 256, 192 << 20 // of the job, in MB; of the node, in bytes
	filler, err := hostile.Module("grow-and-fill")
	if err != nil {
		t.Fatal(err)
	}
	for _, beside := range []bool{true, false} {
		t.Run(map[bool]string{true: "beside another", false: "alone"}[beside], func(t *testing.T) {
			t.Parallel()
			l := netlab.New(t)
			group := need.MemoryGroup(t, 2<<30)
			machines := l.LAN("user", "small", "large")
			u := newUser(t, machines[0])
			small := u.node(machines[1])
			small.program = small.dir + "/plasmd"
			script := fmt.Sprintf("#!/bin/sh\nset -e\n%sexec %s/plasmd \"$@\"\n", group.Join, programs)
			if err := os.WriteFile(small.program, []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			small.ready()
			group.Lower(t, most) // as if others took the rest
			large := u.serve(machines[2])
			w := u.workOf(filler, nil, nil, func(m *job.Manifest) { m.MemoryMB = memory })
			nodes := []*job.Node{small.peer(small.addr("tcp")), large.peer(large.addr("tcp"))}
			if beside {
				w.submit(machines[0], nodes...).answers(large)
			} else {
				s := w.submit(machines[0], nodes[0])
				if code, words := s.code(), s.words(); code != 137 || len(s.Stdout()) > 0 ||
					!strings.Contains(words, "for want of memory: by the node "+small.id+
						": the node is out of memory") {
					t.Errorf("exit %d with %q: %s", code, s.Stdout(), words)
				}
			}
			if n := small.ran(w.manifest.ID); n != 1 {
				t.Errorf("the node without memory was asked %d times", n)
			}
			small.Event(patience, "job.finished", func(event map[string]any) bool {
				cause, _ := event["cause"].(string)
				return event["status"] == "out_of_memory" && strings.Contains(cause, "the kernel has killed the worker")
			})
			if bytes.Contains(small.Stderr(), []byte("engine_failed")) {
				t.Error("the engine is said to have failed")
			}
			small.settle()
			large.settle()
		})
	}
}
