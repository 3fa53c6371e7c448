// Package wire is what a supervisor and a worker say to each other, so that an
// engine can be any executable.
//
// # Descriptors
//
// A worker is started with an environment that holds nothing of its user's, in a
// process group of its own, and with six descriptors:
//
//	0  the guest's standard input, as it is: bytes, then end of file
//	1  the null device
//	2  what the worker's runtime says when it dies; kept short, shown to people
//	3  control: frames from the supervisor
//	4  frames to the supervisor
//	5  a socket (UNIX, stream) that brings other descriptors
//
// End of file on 3 means that the supervisor is gone, and the worker exits.
//
// # Frames
//
// In both directions a frame is one byte of kind, the length of its payload as 4
// bytes little-endian, and the payload, of at most 1 MiB. A longer or unknown
// frame, or one out of turn, ends the worker's life.
//
//	supervisor to worker         worker to supervisor
//	Assign  JSON, Assignment     Ready    JSON, Readiness
//	Module  some of the module   Failed   JSON, Failure: before Started only
//	Load    empty                Prepared some of the rewritten module
//	                             Loaded   empty
//	                             Started  empty: the guest's first instruction may follow
//	                             Memory   8 bytes little-endian: linear memory, in bytes
//	                             Stdout   some output
//	                             Stderr   some output
//	                             Lists    some of the lists of the folders that the guest could write
//	                             Fault    text: this machine failed under the guest's folders; the last frame
//	                             Ended    JSON, End: the last frame
//
// The worker confines itself as far as no job matters, and waits. Assign brings
// the limits and paths of one job. Each descriptor that it speaks of was sent on 5
// before, in this order, with one byte each (SCM_RIGHTS). Where it says code: the file for
// the machine code, which the worker writes when its task is to compile and reads when its
// task is to run. Where it names folders: their pack, to be read, and the scratch file, to be
// read and written. It takes them, closes 5 in any case, confines itself further and
// answers Ready, or Failed where it has no such engine. It must not have read a byte
// of module or input before. Module frames follow, in order, then Load. A worker whose
// task is to prepare holds the module against the static limits, answers with the
// rewritten module in Prepared frames where it was rewritten, then Loaded, and exits.
// One whose task is to compile writes the machine code from the file's beginning on,
// answers Loaded, and exits. One whose task is to run compiles nothing: it loads the
// machine code, answers Loaded, then Started, and runs the guest. Failed with the code
// StaleCode says that this machine code is of no use to it.
//
// plasm-run's worker prepares whatever it compiles or runs. Others are handed what
// plasm-run's has prepared, and have no Prepare.
//
// When the guest has ended by itself (exit, trap, out of fuel) and the assignment names
// folders that it could write, the worker sends what is in them, as tree.ReadList reads it,
// one list after the other, in Lists frames before Ended.
//
// All output passes through one channel in the order in which the guest wrote
// it. The supervisor believes no count, digest or time of a worker's: what a
// worker alone can know, and so could lie about, is how its guest ended (of
// exit, trap, out of memory and, with fuel, out of fuel), the functions in which it
// trapped, the fuel used, and the size of linear memory. The guards are its word too, given before it has seen a
// byte of the module.
package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"plasm/lib/engine"
	"plasm/lib/job"
)

// Descriptor is the number of the socket on which a descriptor comes, and
// LastDescriptor the last of those that a worker is started with.
const (
	Descriptor     = 5
	LastDescriptor = Descriptor
)

// MaxPayload is the longest payload of a frame, in bytes.
const MaxPayload = 1 << 20

// Kind is the kind of a frame.
type Kind byte

// The kinds of frame. Supervisor to worker: Assign, Module, Load. Worker to
// supervisor: the others.
const (
	Assign   Kind = 'A'
	Module   Kind = 'M'
	Load     Kind = 'L'
	Ready    Kind = 'r'
	Failed   Kind = 'f'
	Prepared Kind = 'p'
	Loaded   Kind = 'l'
	Started  Kind = 's'
	Memory   Kind = 'm'
	Stdout   Kind = 'o'
	Stderr   Kind = 'e'
	Lists    Kind = 'd'
	Fault    Kind = 'h'
	Ended    Kind = 'x'
)

// Task is what a worker is for.
type Task string

// The tasks.
const (
	Prepare Task = "prepare" // hold the module against the static limits, and rewrite it
	Compile Task = "compile" // compile the module, and write its machine code
	Run     Task = "run"     // load the machine code, and run it
)

// Assignment is what a worker needs to know of its job before it sees a byte of
// module or input.
type Assignment struct {
	Task       Task         `json:"task"`
	Engine     string       `json:"engine,omitempty"`    // "" with Prepare
	Code       bool         `json:"code,omitempty"`      // a descriptor was sent; not with Prepare
	MemoryMB   int64        `json:"memory_mb,omitempty"` // with Run
	Args       []string     `json:"args,omitempty"`
	Env        []string     `json:"env,omitempty"` // name=value, sorted
	Dirs       []engine.Dir `json:"dirs,omitempty"`
	Folders    []job.Dir    `json:"folders,omitempty"`     // that travel, in the manifest's order; with Run
	PackBytes  int64        `json:"pack_bytes,omitempty"`  // how long their pack is
	IndexBytes int64        `json:"index_bytes,omitempty"` // how long its index is
	// what the guest may have in those that it may write, in units of 2^20 bytes
	DiskMB     int64 `json:"disk_mb,omitempty"`
	StdinKnown bool  `json:"stdin_known,omitempty"`
	Real       bool  `json:"real,omitempty"` // real clock and entropy
	Seed       int64 `json:"seed,omitempty"`
	Fuel       int64 `json:"fuel,omitempty"`          // 0: not counted
	NaN        bool  `json:"canonical_nan,omitempty"` // make NaNs canonical
	// after how long the worker is gone, whatever its supervisor does; 0: not bounded
	LifeMS    int64 `json:"life_ms,omitempty"`
	TimeoutMS int64 `json:"timeout_ms,omitempty"` // the same for its guest, from Started on
	// how long the module is, where that is much: so that room can be made at once
	Module int `json:"module_bytes,omitempty"`
}

// MaxPrepared is the longest module that may come back from preparation, in bytes.
const MaxPrepared = 64 << 20

// MaxCode is the most machine code that a compiling worker may write, in bytes.
const MaxCode = 512 << 20

// StaleCode is the code of a Failure that blames the machine code.
const StaleCode = "stale_code"

// Readiness is what a worker is, and what it has proved about its confinement.
type Readiness struct {
	Guards        []string `json:"guards"`
	Version       string   `json:"version"`        // of plasm
	EngineVersion string   `json:"engine_version"` // of the engine of the assignment
}

// Failure is why a job cannot start.
type Failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// End is how a guest ended.
type End struct {
	Status   string   `json:"status"`
	ExitCode uint32   `json:"exit_code,omitempty"`
	Trap     string   `json:"trap,omitempty"`
	Trace    []string `json:"trace,omitempty"` // with a trap: the functions that were running, as job has them
	FuelUsed int64    `json:"fuel_used,omitempty"`
}

const headerSize = 5

// ErrTooLong is the error for a frame with a payload longer than MaxPayload.
var ErrTooLong = errors.New("longer than a frame may be")

// Writer writes frames, each with one write. It is not safe for concurrent use.
type Writer struct {
	w   io.Writer
	buf []byte
}

// NewWriter returns a Writer to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// chunk is the most payload that Stream puts into one frame: one buffer's worth,
// so that output costs one copy and one system call.
const chunk = 64 << 10

// Frame writes one frame.
func (w *Writer) Frame(kind Kind, payload []byte) error {
	if len(payload) > MaxPayload {
		return fmt.Errorf("frame %q of %d bytes: %w", kind, len(payload), ErrTooLong)
	}
	w.buf = append(w.buf[:0], byte(kind))
	w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(len(payload)))
	w.buf = append(w.buf, payload...)
	_, err := w.w.Write(w.buf)
	return err
}

// Stream writes data as as many frames as it takes.
func (w *Writer) Stream(kind Kind, data []byte) error {
	for len(data) > 0 {
		n := min(len(data), chunk)
		if err := w.Frame(kind, data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// Reader reads frames.
type Reader struct {
	r    *bufio.Reader
	left int // of the payload that was not taken yet
}

// NewReader returns a Reader of r.
func NewReader(r io.Reader) *Reader { return &Reader{r: bufio.NewReaderSize(r, 256<<10)} }

// Next returns the kind and length of the next frame, having skipped what was
// not taken of the one before. It returns io.EOF only between two frames, and
// ErrTooLong, after which there is no more to be had.
func (r *Reader) Next() (Kind, int, error) {
	if _, err := r.r.Discard(r.left); err != nil {
		return 0, 0, unexpected(err)
	}
	r.left = 0
	var header [headerSize]byte
	if _, err := io.ReadFull(r.r, header[:]); err != nil {
		return 0, 0, err
	}
	n := binary.LittleEndian.Uint32(header[1:])
	if n > MaxPayload {
		return 0, 0, fmt.Errorf("frame %q of %d bytes: %w", header[0], n, ErrTooLong)
	}
	r.left = int(n)
	return Kind(header[0]), int(n), nil
}

// Payload returns what is left of the frame's payload.
func (r *Reader) Payload() ([]byte, error) {
	p := make([]byte, r.left)
	_, err := io.ReadFull(r.r, p)
	r.left = 0
	return p, unexpected(err)
}

// Read reads what is left of the payload, and returns 0 and no error at its end.
func (r *Reader) Read(p []byte) (int, error) {
	if r.left == 0 || len(p) == 0 {
		return 0, nil
	}
	n, err := r.r.Read(p[:min(len(p), r.left)])
	r.left -= n
	return n, unexpected(err)
}

// Some returns the next bytes of the payload, at least one and as many as are at
// hand, or none at the payload's end. They are valid until the next call.
func (r *Reader) Some() ([]byte, error) {
	if r.left == 0 {
		return nil, nil
	}
	if _, err := r.r.Peek(1); err != nil {
		return nil, unexpected(err)
	}
	n := min(r.left, r.r.Buffered())
	p, err := r.r.Peek(n)
	if err != nil {
		return nil, unexpected(err)
	}
	_, _ = r.r.Discard(n) // cannot fail: they are buffered
	r.left -= n
	return p, nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
