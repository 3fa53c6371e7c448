package worker

import (
	"plasm/lib/job"
	"plasm/lib/sandbox/wire"
)

// confinement is none, in a build that a benchmark compares with: it takes the
// place of confine_linux.go. It claims all the same, so that the supervisor goes
// the same way.
type confinement struct{}

func (*confinement) process() ([]string, error) { return job.Guards(), nil }

func (*confinement) job(*wire.Assignment) ([]string, error) { return nil, nil }

func (*confinement) guest() error { return nil }
