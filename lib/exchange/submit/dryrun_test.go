package submit

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/exchange/wire"
)

// A dry run says what a node lacks of a job, which is not started, however little that is.
func TestDryRun(t *testing.T) {
	t.Parallel()
	for name, stdin := range map[string]string{"with input": "input", "without": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				simulate(t)
				ended := make(chan bool, 2)
				n := node(t, func(s *session) { ended <- s.accept() })
				j := newJob(stdin)
				id, module := j.Manifest.ID, int64(len(j.Module))
				for i, want := range []Plan{ // the second time the fake says that it has the module
					{Send: Sizes{Module: module, Input: int64(len(stdin))}},
					{Send: Sizes{Input: int64(len(stdin))}, There: Sizes{Module: module}},
				} {
					got, err := DryRun(deadline(t, patience), config(t, n), j, these(n.candidate(9)))
					if err != nil {
						t.Fatal(err)
					}
					if got.Node != n.host.ID().String() || !strings.HasPrefix(got.Addr, "/ip4/") {
						t.Errorf("%d: node %s at %s", i, got.Node, got.Addr)
					}
					want.Node, want.Addr = got.Node, got.Addr
					if diff := cmp.Diff(&want, got); diff != "" {
						t.Errorf("%d (-want +got):\n%s", i, diff)
					}
					if <-ended {
						t.Errorf("%d: the node has got all of the job", i)
					}
				}
				if j.Manifest.ID != id {
					t.Error("the job is another one")
				}
			})
		})
	}
}

// A node whose slots are taken says its place in the queue, and that is all.
func TestDryRunInQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		n := node(t, func(s *session) {
			s.send(&wire.Queued{Position: 3, WaitMS: 1500})
			s.hang()
		})
		got, err := DryRun(deadline(t, patience), config(t, n), newJob("input"), these(n.candidate(9)))
		if err != nil || got.Queue == nil || got.Queue.Position != 3 || got.Send != (Sizes{}) {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// Nobody is believed who says that the job runs, or has run.
func TestDryRunLies(t *testing.T) {
	t.Parallel()
	for name, does := range map[string]func(*session){
		"started": func(s *session) {
			s.send(&wire.Accept{Module: true, Stdin: true, Want: true})
			s.run()
		},
		"result": func(s *session) { s.result(s.statement()) },
		"silent": func(s *session) { s.hang() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				simulate(t)
				n := node(t, does)
				_, err := DryRun(deadline(t, patience), config(t, n), newJob("input"), these(n.candidate(9)))
				if err == nil || len(nodesOf(err)) != 1 {
					t.Errorf("%v", err)
				}
			})
		})
	}
}
