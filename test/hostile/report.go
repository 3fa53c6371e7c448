package hostile

import (
	"time"

	"plasm/lib/job"
)

// Measurement is what a command took, as the runner saw it.
type Measurement struct {
	Wall time.Duration `json:"wall"` // from before its start to after its end
	Peak int64         `json:"peak"` // bytes of resident memory of its largest process
	Exit int           `json:"exit"` // its exit code; -1 when a signal has ended it
	Left int           `json:"left"` // processes that it has left behind, dead or alive
}

// Setup is what one supervisor is to run all cases with.
type Setup struct {
	Worker  []string `json:"worker"`
	Prepare []string `json:"prepare"` // the worker that prepares modules for the other; none: it does itself
	Engine  string   `json:"engine"`
	Cache   string   `json:"cache"`
	RW      string   `json:"rw"`
	RO      string   `json:"ro"`
	Hello   string   `json:"hello"` // a module that writes its input back to front
	Only    []string `json:"only"`  // names of cases; none: all

	Compile time.Duration `json:"compile"` // the longest that a worker may compile; 0: the default
	Longest time.Duration `json:"longest"` // of the time of what never ends by itself
}

// Served is how one case ended, and what the supervisor had of its own afterwards.
type Served struct {
	Name     string       `json:"name"`
	Outcome  *job.Outcome `json:"outcome,omitempty"`
	Code     job.Code     `json:"code,omitempty"`
	Message  string       `json:"message,omitempty"`
	Next     string       `json:"next"` // what the next job wrote
	Open     int          `json:"open"` // descriptors
	Routines int          `json:"routines"`
	Children int          `json:"children"`
	Resident int64        `json:"resident"` // bytes, after garbage collection
}
