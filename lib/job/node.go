package job

import (
	"fmt"
	"slices"
	"strings"
)

// Maxima of a node document and of a rejection that stands alone.
const (
	MaxNode         = 64 << 10    // bytes of a node document
	MaxRejection    = 64 << 10    // bytes of a rejection
	MaxNodeMemoryMB = 1<<33 - 1   // memory_mb of a whole node: the most whose bytes are still a document's integer
	MaxSlots        = 1 << 16     // slots.total
	MaxRTT          = 600_000_000 // rtt_us: ten minutes
	maxVersion      = 64          // bytes of a version
	maxAddr         = 1024        // bytes of an address
)

// Node is what a node says of itself: what it is, what a job can have there, and
// what is free at the moment. Sizes are in the unit of their name; a memory_mb
// counts 2^20 bytes.
type Node struct {
	PeerID   string       `json:"peer_id"`   // as libp2p prints it: 12D3KooW…
	Addrs    []string     `json:"addrs"`     // whole multiaddresses: each ends in /p2p/ and PeerID
	Version  string       `json:"version"`   // of plasm: 1 to 64 printable ASCII characters, no spaces
	OS       string       `json:"os"`        // a GOOS
	Arch     string       `json:"arch"`      // a GOARCH
	CPUCores int64        `json:"cpu_cores"` // 1 to MaxCPUCores
	MemoryMB int64        `json:"memory_mb"` // 1 to MaxNodeMemoryMB; what all jobs share
	Engines  []NodeEngine `json:"engines"`   // no name twice
	Guards   []string     `json:"guards"`    // those that a worker has there; of Guards, none twice
	Slots    Slots        `json:"slots"`
	Limits   NodeLimits   `json:"limits"`
	// 1 to MaxRTT microseconds, measured by whoever asked the node; 0: not measured
	RTTUS int64 `json:"rtt_us,omitempty"`
}

// NodeEngine is one of a node's engines.
type NodeEngine struct {
	Name     string   `json:"name"`     // as manifests name it
	Version  string   `json:"version"`  // as Node.Version
	Features []string `json:"features"` // what it knows of WebAssembly beyond the first version, none twice
}

// Slots is how many jobs a node runs at a time.
type Slots struct {
	Total int64 `json:"total"` // 1 to MaxSlots
	Free  int64 `json:"free"`  // 0 to Total
}

// NodeLimits is what one job may have at most.
type NodeLimits struct {
	MemoryMB    int64 `json:"memory_mb"`    // 1 to MaxMemoryMB, no more than Node.MemoryMB
	TimeoutMS   int64 `json:"timeout_ms"`   // 1 to MaxTimeout
	ModuleBytes int64 `json:"module_bytes"` // 1 to MaxSafeInt
	InputBytes  int64 `json:"input_bytes"`  // 0 to MaxSafeInt
	OutputBytes int64 `json:"output_bytes"` // 0 to MaxSafeInt
	// 0 to MaxSafeInt: of the files in the folders that a job begins with, each name counted
	TreeBytes int64 `json:"tree_bytes"`
	DiskMB    int64 `json:"disk_mb"` // 0 to MaxDiskMB; units of 2^20 bytes of files in the folders that it writes
}

// DecodeNode reads a node document of our own side, such as a line that
// plasm-discover wrote. An error is an *Error with CodeBadManifest.
func DecodeNode(data []byte) (*Node, error) { return decodeNode(data, (*Fields).Close) }

// DecodeRemoteNode is DecodeNode for a document that came over the network,
// perhaps from a later version: there, members that this version doesn't know
// are ignored. Every other rule holds.
func DecodeRemoteNode(data []byte) (*Node, error) { return decodeNode(data, (*Fields).Err) }

// decodeNode reads a document; end is what is asked for the first error when
// every member that we know has been read.
func decodeNode(data []byte, end func(*Fields) error) (*Node, error) {
	if len(data) > MaxNode {
		return nil, badDocument(tooLarge("node", len(data), MaxNode))
	}
	v, err := Parse(data)
	if err != nil {
		return nil, badDocument(fmt.Errorf("node: %w", err))
	}
	f := NewFields(v, "node")
	n := nodeFrom(f)
	if err = end(f); err == nil {
		err = n.check()
	}
	if err != nil {
		return nil, badDocument(err)
	}
	return n, nil
}

func nodeFrom(f *Fields) *Node {
	n := &Node{
		PeerID: f.PeerID("peer_id"), Addrs: f.Strs("addrs"), Version: f.Str("version"),
		OS: f.Str("os"), Arch: f.Str("arch"),
	}
	n.Engines = []NodeEngine{}
	for _, e := range f.Objects("engines") {
		n.Engines = append(n.Engines, NodeEngine{
			Name: e.Str("name"), Version: e.Str("version"),
			Features: e.Strs("features"),
		})
	}
	n.Guards = f.Strs("guards")
	groups := map[string]*Fields{"slots": f.Object("slots"), "limits": f.Object("limits")}
	for _, r := range n.rules() {
		of, name := f, r.Name
		if group, member, nested := strings.Cut(r.Name, "."); nested {
			of, name = groups[group], member
		}
		if r.Absent < r.Low {
			*r.field = of.IntOr(name, r.Absent, r.Low, r.High)
		} else {
			*r.field = of.Int(name, r.Low, r.High)
		}
	}
	return n
}

// rules are the ranges of all integers. One whose absent value lies below its
// range is optional, the others are required.
func (n *Node) rules() []rule {
	l := &n.Limits
	return []rule{
		integer(&n.CPUCores, "cpu_cores", 1, 1, MaxCPUCores, 8,
			"cores that jobs can use, limits of the operating system included"),
		integer(&n.MemoryMB, "memory_mb", 1, 1, MaxNodeMemoryMB, 12288, "units of 2^20 bytes, which all jobs share"),
		integer(&n.Slots.Total, "slots.total", 1, 1, MaxSlots, 8, "jobs at a time"),
		integer(&n.Slots.Free, "slots.free", 0, 0, MaxSlots, 7,
			"jobs that could start at the moment of asking; at most `total`"),
		integer(&l.MemoryMB, "limits.memory_mb", 1, 1, MaxMemoryMB, 4096,
			"units of 2^20 bytes of linear memory, and at most the node's `memory_mb`"),
		integer(&l.TimeoutMS, "limits.timeout_ms", 1, 1, MaxTimeout, 3_600_000, "milliseconds of wall time"),
		integer(&l.ModuleBytes, "limits.module_bytes", 1, 1, MaxSafeInt, 64<<20, "bytes of the module"),
		integer(&l.InputBytes, "limits.input_bytes", 0, 0, MaxSafeInt, 1<<30, "bytes of input"),
		integer(&l.OutputBytes, "limits.output_bytes", 0, 0, MaxSafeInt, 1<<30, "bytes of stdout and stderr together"),
		integer(&l.TreeBytes, "limits.tree_bytes", 0, 0, MaxSafeInt, 1<<30,
			"bytes of the files in the folders that a job begins with, each name counted"),
		integer(&l.DiskMB, "limits.disk_mb", 0, 0, MaxDiskMB, 1024,
			"units of 2^20 bytes of the files in the folders that it writes"),
		integer(&n.RTTUS, "rtt_us", 0, 1, MaxRTT, 1840,
			"microseconds from asking to the first byte of the answer; measured by who asked, and absent in what "+
				"the node itself says"),
	}
}

// Encode writes n in one line of JSON without an end of line. It is meant for a
// node that Validate accepts.
func (n *Node) Encode() []byte {
	full := *n
	full.Addrs = append([]string{}, n.Addrs...) // never null
	full.Guards = append([]string{}, n.Guards...)
	full.Engines = append([]NodeEngine{}, n.Engines...)
	for i := range full.Engines {
		full.Engines[i].Features = append([]string{}, full.Engines[i].Features...)
	}
	return encode(&full)
}

// Validate checks every rule a node document must keep, that it fits into
// MaxNode bytes included. An error is an *Error with CodeBadManifest.
func (n *Node) Validate() error {
	if err := n.check(); err != nil {
		return badDocument(err)
	}
	return nil
}

func (n *Node) check() error {
	fail := func(name, format string, args ...any) error {
		return &FieldError{Path: "node." + name, Problem: fmt.Sprintf(format, args...)}
	}
	if !validPeerID(n.PeerID) {
		return fail("peer_id", notPeerID, Quote(n.PeerID))
	}
	for i, a := range n.Addrs {
		if !isAddr(a, n.PeerID) {
			return fail(element("addrs", i), "%s is not a multiaddress that ends in /p2p/%s", Quote(a), n.PeerID)
		}
	}
	if !isVersion(n.Version) {
		return fail("version", notVersion, Quote(n.Version), maxVersion)
	}
	for _, name := range []struct{ member, value string }{{"os", n.OS}, {"arch", n.Arch}} {
		if !ValidName(name.value, "") {
			return fail(name.member, "%s is not 1 to %d of a-z 0-9", Quote(name.value), maxName)
		}
	}
	for _, r := range n.rules() {
		if !r.holds() {
			return fail(r.Name, "%d is not in %d…%d", *r.field, r.Low, r.High)
		}
	}
	if n.Slots.Free > n.Slots.Total {
		return fail("slots.free", "%d is more than slots.total, %d", n.Slots.Free, n.Slots.Total)
	}
	if n.Limits.MemoryMB > n.MemoryMB {
		return fail("limits.memory_mb", "%d is more than memory_mb, %d", n.Limits.MemoryMB, n.MemoryMB)
	}
	if err := n.checkLists(fail); err != nil {
		return err
	}
	if size := len(n.Encode()); size > MaxNode {
		return tooLarge("node", size, MaxNode)
	}
	return nil
}

// checkLists checks engines and guards.
func (n *Node) checkLists(fail failFunc) error {
	for i, e := range n.Engines {
		at := element("engines", i)
		switch {
		case !ValidName(e.Name, "-"):
			return fail(at+".name", "%s is not 1 to %d of a-z 0-9 -", Quote(e.Name), maxName)
		case slices.ContainsFunc(n.Engines[:i], func(o NodeEngine) bool { return o.Name == e.Name }):
			return fail(at+".name", "%s is there twice", Quote(e.Name))
		case !isVersion(e.Version):
			return fail(at+".version", notVersion, Quote(e.Version), maxVersion)
		}
		if err := checkSet(fail, at+".features", e.Features, func(s string) string {
			if ValidName(s, "-") {
				return ""
			}
			return fmt.Sprintf("%s is not 1 to %d of a-z 0-9 -", Quote(s), maxName)
		}); err != nil {
			return err
		}
	}
	return checkSet(fail, "guards", n.Guards, func(s string) string {
		if ValidGuard(s) {
			return ""
		}
		return fmt.Sprintf("%s is not one of %s", Quote(s), strings.Join(Guards(), ", "))
	})
}

// checkSet checks that list has nothing twice, and nothing for which problem
// isn't "". The map is for a stranger, who chooses the length.
func checkSet(fail failFunc, name string, list []string, problem func(string) string) error {
	seen := make(map[string]bool, len(list))
	for i, s := range list {
		if p := problem(s); p != "" {
			return fail(element(name, i), "%s", p)
		}
		if seen[s] {
			return fail(element(name, i), "%s is there twice", Quote(s))
		}
		seen[s] = true
	}
	return nil
}

// DecodeRemoteRejection reads a rejection that came over the network, of at most
// MaxRejection bytes. As in DecodeRemoteNode, unknown members are ignored. An
// error is an *Error with CodeBadManifest.
func DecodeRemoteRejection(data []byte) (*Rejection, error) {
	if len(data) > MaxRejection {
		return nil, badDocument(tooLarge("rejection", len(data), MaxRejection))
	}
	v, err := Parse(data)
	if err != nil {
		return nil, badDocument(fmt.Errorf("rejection: %w", err))
	}
	f := NewFields(v, "rejection")
	r := rejectionFrom(f)
	if err := f.Err(); err != nil {
		return nil, badDocument(err)
	}
	return &r, nil
}

const notVersion = "%s is not 1 to %d printable ASCII characters"

// isVersion reports whether s can be a version: text that is safe to print
// anywhere.
func isVersion(s string) bool { return isPrintable(s) && s != "" && len(s) <= maxVersion }

// isAddr reports whether s may be an address of a peer. Whether its parts make
// sense is for the network to say.
func isAddr(s, peerID string) bool {
	before, found := strings.CutSuffix(s, "/p2p/"+peerID)
	return found && len(before) > 1 && before[0] == '/' && isPrintable(s) && len(s) <= maxAddr
}

// isPrintable reports whether s has only ASCII characters that are seen: no
// space, no control character.
func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
