//go:build linux

package attack_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"

	"plasm/test/attack"
)

// TestThreads makes threads until no more are to be had, from a worker of a user who
// has nothing else. Root can be held to no number.
func TestThreads(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	const allowed = 64
	for i, c := range []bool{false, true} {
		w := world{name: map[bool]string{false: "Go alone", true: "with C"}[c], c: c, guards: allGuards}
		if os.Geteuid() == 0 {
			w.user = uint32(64801 + i)
		}
		flags := map[string]string{"amd64": "0xd0f00", "arm64": "0x50f00"}[runtime.GOARCH]
		if c {
			flags = "0x3d0f00"
		}
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			attacks := attack.Plan{Stage: attack.Run, Attack: "threads", Argument: flags}
			reports := g.reports(t, w, []attack.Job{
				{Plan: attacks, Threads: allowed},
				{Plan: attack.Plan{Stage: attack.Run, Attack: "nothing"}, Threads: allowed},
				{Plan: attacks},
			})
			var made int
			if _, err := fmt.Sscanf(reports[0].Stdout, "%d EAGAIN", &made); err != nil || made < allowed/4 ||
				made > allowed {
				t.Errorf("where %d threads are allowed: %+v", allowed, reports[0])
			}
			if reports[1].Status != "exit" {
				t.Errorf("the job after that: %+v", reports[1])
			}
			// or the test shows nothing
			if want := fmt.Sprintf("%d done", attack.MostThreads); reports[2].Stdout != want {
				t.Errorf("where any number is allowed: %+v", reports[2])
			}
		})
	}
}
