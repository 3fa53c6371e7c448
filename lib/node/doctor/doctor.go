// Package doctor looks for what usually keeps a node from doing its work, and says
// for each what to do. It changes nothing, and sends nothing to anybody.
package doctor

import (
	"context"
	"fmt"
	"strings"

	"plasm/lib/control"
)

// State is what a check came to.
type State string

// The states of a check, the best first.
const (
	OK      State = "ok"
	Unknown State = "unknown" // it cannot be told from here, or not yet
	Warning State = "warning" // the node works, and may not do what is expected of it
	Failed  State = "failed"  // it does not, until this is mended
)

// Finding is what one check came to.
type Finding struct {
	Name    string `json:"name"`
	State   State  `json:"state"`
	Message string `json:"message"`        // one line
	Hint    string `json:"hint,omitempty"` // what to do; "" for OK
}

// Report is what all checks came to.
type Report struct {
	State  State     `json:"state"` // the worst of them
	Checks []Finding `json:"checks"`
}

// Patient is a node to be looked at, as `plasmd serve` would run it with the
// settings at hand, or as it runs.
type Patient struct {
	Status  *control.Status // of the running node; nil where none answers
	Unheard error           // why none answers, where Status is nil
	Shut    string          // then: the runtime folder of a node that this user may not ask, or ""
	PeerID  string          // then: what everybody may know of it, "" where it cannot be told
	Addrs   []string        // then: its addresses
	Service bool            // it is the packaged service
	Strange bool            // it is another user's, whose word starts no program here

	Settings error  // what is wrong with the node's settings; then those below are the defaults
	Config   string // the file that they come from, "" for none

	KeyPath, DataDir, AllowFile, Worker string
	Engines                             string // where other engines are, beside the worker's folder; "": nowhere else
	Credentials                         string // $CREDENTIALS_DIRECTORY, below which keys may be readable
	Given                               []string
	Listen                              []string // multiaddresses
	RequireGuards                       []string
	Slots, MemoryMB, Disk               int64 // Disk: bytes that the node may keep at most
	Version                             string
}

// checks are all there are, in the order in which a reader wants them.
func checks() []func(context.Context, *Patient) Finding {
	return []func(context.Context, *Patient) Finding{
		checkSettings, checkNode, checkKey, checkAllow, checkWorker, checkEngines, checkGuards, checkMemory, checkDisk,
		checkClock,
		checkPorts, checkPeers, checkReachability, checkRelay,
	}
}

// Examine makes all checks.
func Examine(ctx context.Context, p *Patient) *Report {
	r := &Report{State: OK, Checks: []Finding{}}
	for _, check := range checks() {
		f := check(ctx, p)
		if f.State.worse(r.State) {
			r.State = f.State
		}
		r.Checks = append(r.Checks, f)
	}
	return r
}

// worse reports whether s is worse than o.
func (s State) worse(o State) bool {
	rank := map[State]int{OK: 0, Unknown: 1, Warning: 2, Failed: 3}
	return rank[s] > rank[o]
}

// ok is a finding that asks for nothing.
func ok(name, format string, args ...any) Finding {
	return Finding{Name: name, State: OK, Message: fmt.Sprintf(format, args...)}
}

// found is a finding with what to do about it.
func found(name string, state State, hint, format string, args ...any) Finding {
	return Finding{Name: name, State: state, Message: fmt.Sprintf(format, args...), Hint: hint}
}

// asRoot is how a command is typed that changes this node.
func (p *Patient) asRoot(command string) string {
	if p.Service {
		return "sudo " + command
	}
	return command
}

// askHint says who may ask a node that this user may not.
func (p *Patient) askHint() string {
	return "run it as root: sudo plasmd doctor; or as the node's user, or a member of the group that its socket " +
		"belongs to"
}

// settings says where the node's settings are changed.
func (p *Patient) settings(setting string) string {
	if p.Service {
		return "set " + setting + " in /etc/plasmd/plasmd.toml, then: sudo systemctl restart plasmd"
	}
	name, _, _ := strings.Cut(setting, " ")
	return "start plasmd serve with --" + name
}
