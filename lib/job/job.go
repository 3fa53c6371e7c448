// Package job is the vocabulary that every other package shares: what is asked
// (Manifest), what came of it (Outcome, Status), how plasm says that something
// went wrong (Error, Code), and the documents that carry these between
// programs, in the one JSON profile that json.go describes.
//
// It imports only the standard library and nothing else of this module.
package job

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// ManifestVersion is the only manifest version that this package reads or writes.
const ManifestVersion = "1"

// Maxima of documents and fields. Sizes are in bytes.
const (
	MaxManifest = 256 << 10   // a manifest
	MaxEnvelope = 1<<20 - 1   // a receipt's envelope
	MaxErrorDoc = 16 << 20    // an error document
	MaxDocument = 1 << 30     // a job or result document
	MaxSafeInt  = 1<<53 - 1   // an integer in any document
	MaxTimeout  = 604_800_000 // timeout_ms: seven days
	MaxMemoryMB = 4096        // memory_mb: all that a 32-bit guest can address
	MaxCPUCores = 1024        // cpu_cores
	MaxDiskMB   = 1 << 20     // disk_mb
	MaxEntries  = 100_000     // names in a tree
	MaxTree     = 64 << 20    // a tree's document
)

// Digest names bytes by what they are: "sha256:" and 64 lower-case hexadecimal
// digits. The zero value, "", stands for a digest that is not there.
type Digest string

const digestPrefix = "sha256:"

// EmptyDigest is the digest of no bytes at all.
const EmptyDigest Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// EmptyTree is the digest of the tree without entries.
const EmptyTree Digest = "sha256:1a770a082761c7957e086d7eebbb86b67c91991ca267a4d2bdd05782d665d3bd"

// Sum returns the digest of data.
func Sum(data []byte) Digest {
	sum := sha256.Sum256(data)
	return DigestOf(sum[:])
}

// DigestOf returns the digest whose 32 bytes are sum, as hash.Hash.Sum gives them.
func DigestOf(sum []byte) Digest {
	return Digest(digestPrefix + hex.EncodeToString(sum))
}

// Hex returns the digest without its "sha256:".
func (d Digest) Hex() string {
	return strings.TrimPrefix(string(d), digestPrefix)
}

// Valid reports whether d is written as a digest must be.
func (d Digest) Valid() bool {
	digits, ok := strings.CutPrefix(string(d), digestPrefix)
	return ok && isHex(digits, 2*sha256.Size)
}

// isHex reports whether s is n lower-case hexadecimal digits.
func isHex(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789abcdef") == ""
}

// Dir is a folder that a guest may use. With Tree it travels with the job: it begins as the
// tree of that digest. Without, it is a live folder of the host, and only its guest-side
// name is part of the job; which folder of which host stands behind it is not.
type Dir struct {
	Guest    string `json:"guest"`          // path in the guest
	ReadOnly bool   `json:"read_only"`      // whether the guest may only read
	Tree     Digest `json:"tree,omitempty"` // what it begins as; "": a live folder
}

// Travels reports whether d is part of the job, and no live folder.
func (d *Dir) Travels() bool { return d.Tree != "" }

// NewID draws a job ID: 128 random bits in hexadecimal.
func NewID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails: crypto/rand ends the program first
	return hex.EncodeToString(id[:])
}

// ValidID reports whether id is written as NewID writes one.
func ValidID(id string) bool { return isHex(id, 32) }

// Outputs returns the folders that travel and that the guest may write, in their order.
func (m *Manifest) Outputs() []Dir {
	var list []Dir
	for _, d := range m.Dirs {
		if d.Travels() && !d.ReadOnly {
			list = append(list, d)
		}
	}
	return list
}

// Trees returns the digests of the trees that the folders that travel begin as, each once and
// in their order, without the empty tree, which every end has.
func (m *Manifest) Trees() []Digest {
	var list []Digest
	for _, d := range m.Dirs {
		if d.Travels() && d.Tree != EmptyTree && !slices.Contains(list, d.Tree) {
			list = append(list, d.Tree)
		}
	}
	return list
}

// Status says how a started job ended.
type Status string

// The statuses, a closed set.
const (
	Exit         Status = "exit"          // the guest ended by itself
	Trap         Status = "trap"          // the guest did what WebAssembly forbids
	Timeout      Status = "timeout"       // timeout_ms passed
	OutOfFuel    Status = "out_of_fuel"   // fuel was used up
	OutOfMemory  Status = "out_of_memory" // the worker ran into its outer memory bound
	OutputLimit  Status = "output_limit"  // output_limit_bytes was passed
	Cancelled    Status = "cancelled"     // somebody, or plasm itself, stopped it
	EngineFailed Status = "engine_failed" // the worker died or spoke nonsense
)

// Outcome is what happened to a job that started.
type Outcome struct {
	Status        Status  `json:"status"`
	ExitCode      *uint32 `json:"exit_code,omitempty"` // present exactly when Status is Exit
	Trap          string  `json:"trap,omitempty"`      // present exactly when Status is Trap; one of the traps below
	StdinHash     Digest  `json:"stdin_hash"`          // of what was handed to the worker
	StdinBytes    int64   `json:"stdin_bytes"`
	StdinComplete bool    `json:"stdin_complete"` // whether end of file was handed over too
	StdoutBytes   int64   `json:"stdout_bytes"`
	StderrBytes   int64   `json:"stderr_bytes"`
	Truncated     bool    `json:"truncated"` // whether output was cut

	// Dirs are the manifest's Outputs as the job has left them, in their order. None when
	// there is none, or when what they hold is not known.
	Dirs []OutcomeDir `json:"dirs,omitempty"`

	FuelUsed      *int64 `json:"fuel_used,omitempty"`
	MemoryBytes   int64  `json:"memory_bytes"`    // peak linear memory
	WallTimeUS    int64  `json:"wall_time_us"`    // from the guest's start, microseconds
	CPUTimeUS     int64  `json:"cpu_time_us"`     // of the worker, user and system
	CompileTimeUS int64  `json:"compile_time_us"` // 0 when the compiled module came from the cache
	CompileCached bool   `json:"compile_cached"`
}

// OutcomeDir is a folder that a guest has written.
type OutcomeDir struct {
	Guest string `json:"guest"` // path in the guest
	Tree  Digest `json:"tree"`  // what is in it
	Files int64  `json:"files"` // 0 to MaxEntries
	Bytes int64  `json:"bytes"` // of its files together, 0 to MaxSafeInt
}

// The traps, a closed set, named after the WebAssembly core specification,
// appendix "Execution": what a guest can do to be stopped at once.
const (
	TrapUnreachable       = "unreachable"
	TrapStackOverflow     = "stack_overflow"
	TrapMemory            = "out_of_bounds_memory_access"
	TrapTable             = "out_of_bounds_table_access"
	TrapIndirectCall      = "indirect_call_type_mismatch"
	TrapNullReference     = "null_reference"
	TrapDivideByZero      = "integer_divide_by_zero"
	TrapIntegerOverflow   = "integer_overflow"
	TrapConversion        = "invalid_conversion_to_integer"
	TrapUncaughtException = "uncaught_exception"
	TrapUnaligned         = "unaligned_atomic"
	TrapOther             = "other"
)
