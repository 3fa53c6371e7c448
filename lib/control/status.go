package control

import (
	"fmt"
	"strings"

	"plasm/lib/job"
)

// Status is what a running node says of itself to those on its machine. Texts
// that come from peers are one line and printable.
type Status struct {
	PID   int    `json:"pid"`
	State string `json:"state"` // StateReady or StateDraining
	// of one that drains: when what still runs is cancelled; "" for never
	DrainUntil string    `json:"drain_until,omitempty"`
	StartedAt  string    `json:"started_at"` // as documents write times
	DataDir    string    `json:"data_dir"`
	RuntimeDir string    `json:"runtime_dir"`
	Worker     string    `json:"worker"` // the plasm-run that runs jobs
	Node       job.Node  `json:"node"`   // as peers get it now
	Load       Load      `json:"load"`
	Storage    Storage   `json:"storage"`
	Network    Network   `json:"network"`
	Allow      Allow     `json:"allow"`
	Contacts   []Contact `json:"contacts"`
}

// What a node does.
const (
	StateReady    = "ready"
	StateDraining = "draining" // no new jobs; it ends when those that it has have
)

// Waits says what a node that drains waits for before it ends.
func (s *Status) Waits() string {
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{{s.Load.Running, "running"}, {s.Load.Reserved, "about to start"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	what := "its requesters to take their results"
	if len(parts) > 0 {
		what = "jobs: " + strings.Join(parts, ", ")
	}
	if s.DrainUntil != "" {
		what += "; until " + s.DrainUntil + " at the latest"
	}
	return what
}

// Load is what a node's jobs hold now.
type Load struct {
	Running  int   `json:"running"`   // jobs that have started
	Reserved int   `json:"reserved"`  // jobs that hold a slot and have not
	Waiting  int   `json:"waiting"`   // jobs in the line
	MemoryMB int64 `json:"memory_mb"` // held by jobs, of the node's memory_mb
}

// Storage is what a node keeps, what running jobs have reserved included. All are bytes.
type Storage struct {
	Content     int64 `json:"content_bytes"`
	MostContent int64 `json:"content_max_bytes"`
	Jobs        int64 `json:"jobs_bytes"`
	MostJobs    int64 `json:"jobs_max_bytes"`
	Free        int64 `json:"free_bytes"` // of the data folder's file system; -1 where it cannot be told
}

// Network is how a node stands in the network.
type Network struct {
	Peers        int      `json:"peers"`         // connected
	DHTPeers     int      `json:"dht_peers"`     // in the routing table
	Reachability string   `json:"reachability"`  // auto (not known yet), public or private
	Relays       []string `json:"relays"`        // peer IDs of those that hold a reservation
	Private      bool     `json:"private"`       // a network with a key
	RelayService bool     `json:"relay_service"` // is a relay for others
	Keys         []string `json:"keys"`          // capability keys that it announces
	Pending      int      `json:"pending"`       // how many of them nobody else holds yet
	AnnouncedAt  string   `json:"announced_at"`  // when all of them last went out; "" before
}

// Allow is who may submit.
type Allow struct {
	File  string `json:"file"`  // the file that plasmd allow edits
	Any   bool   `json:"any"`   // everybody
	Peers int    `json:"peers"` // how many are listed, in the file and on the command line

	Given []string `json:"given"` // those listed besides the file: peer IDs, or any
	// what gives them: --allow, PLASMD_ALLOW, or a configuration file and its key
	GivenBy string `json:"given_by,omitempty"`
}

// Contact is what became of one first contact.
type Contact struct {
	PeerID string   `json:"peer_id"`
	Addrs  []string `json:"addrs"`
	Source string   `json:"source"` // bootstrap, remembered, local or mdns
	State  string   `json:"state"`  // dialling, connected or failed
	Error  string   `json:"error,omitempty"`
}
