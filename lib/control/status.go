package control

import "plasm/lib/job"

// Status is what a running node says of itself to those on its machine. Texts
// that come from peers are one line and printable.
type Status struct {
	PID        int       `json:"pid"`
	State      string    `json:"state"`      // StateReady or StateStopping
	StartedAt  string    `json:"started_at"` // as documents write times
	DataDir    string    `json:"data_dir"`
	RuntimeDir string    `json:"runtime_dir"`
	Worker     string    `json:"worker"` // the plasm-run that runs jobs
	Node       job.Node  `json:"node"`   // as peers get it now
	Network    Network   `json:"network"`
	Allow      Allow     `json:"allow"`
	Contacts   []Contact `json:"contacts"`
}

// What a node does.
const (
	StateReady    = "ready"
	StateStopping = "stopping" // no new jobs; those that run may end
)

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
}

// Contact is what became of one first contact.
type Contact struct {
	PeerID string   `json:"peer_id"`
	Addrs  []string `json:"addrs"`
	Source string   `json:"source"` // bootstrap, remembered, local or mdns
	State  string   `json:"state"`  // dialling, connected or failed
	Error  string   `json:"error,omitempty"`
}
