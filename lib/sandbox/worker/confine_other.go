//go:build unix && !linux

package worker

import "plasm/lib/sandbox/wire"

// confinement is what confines this process. Outside Linux that is a process of
// its own and its resource limits.
type confinement struct{ native }

// process sets what no job changes and returns the guards that were proved.
func (*confinement) process() ([]string, error) {
	if err := limitProcess(); err != nil {
		return nil, err
	}
	guards := []string{"process"}
	if limitsHold() {
		guards = append(guards, "rlimits")
	}
	return guards, nil
}

func (*confinement) job(*wire.Assignment, files) ([]string, error) { return nil, nil }

func (*confinement) guest() error { return nil }
