// Package engine says what executes a module, and what every engine gives its
// guests alike: the clock, the entropy and the streams that keep a job
// deterministic unless it asks otherwise.
package engine

import (
	"context"
	"errors"
	"io"
	"os"

	"plasm/lib/job"
	"plasm/lib/wasi"
)

// Engine compiles and runs WebAssembly modules that import WASI preview 1. It
// lives in a worker process and handles one module in its life.
type Engine interface {
	// Name is the engine's name in manifests and receipts.
	Name() string
	// Version is the engine's version in receipts. An entry of the compile
	// cache serves one version only.
	Version() string
	// Features lists the WebAssembly features that are on, sorted.
	Features() []string

	// Compile checks and compiles module, and writes the machine code to out.
	// The error is a *job.Error with CodeBadModule or CodeModuleRefused when
	// the module is to blame, and out's own when out is.
	Compile(ctx context.Context, module []byte, out io.Writer) error

	// Load makes module ready to run with at most memoryMB units of 2^20
	// bytes of linear memory, and compiles nothing. code, at its beginning, is what
	// Compile once wrote for the same module, engine and version; it is only read, and
	// may be read or mapped for as long as the program lives. Errors are as with Compile, and ErrCode. No
	// instruction of the module runs.
	Load(ctx context.Context, module []byte, code *os.File, memoryMB int64) (Program, error)
}

// ErrCode says that Load cannot use the code that it was handed.
var ErrCode = errors.New("the compiled code is of no use here")

// Validator is an Engine that modules can be prepared with, also those of other
// engines.
type Validator interface {
	Engine

	// Validate refuses a module that is not valid, without keeping anything of
	// it. It is for a module that will be rewritten before it is compiled.
	// Errors are as with Compile.
	Validate(ctx context.Context, module []byte) error
}

// Features lists the WebAssembly features that every engine has on, sorted:
// WebAssembly 2.0, and two later proposals that need nothing of the host. Threads
// stay off: they would end determinism.
func Features() []string {
	return []string{
		"bulk-memory", "extended-const", "multi-value", "mutable-global", "nontrapping-float-to-int",
		"reference-types", "sign-extension", "simd128", "tail-call",
	}
}

// WasmtimeVersion is that of the Wasmtime in the executable of engines/wasmtime,
// where a test holds it together with go.mod.
const WasmtimeVersion = "44.0.0"

// Program is a loaded module.
type Program interface {
	// Run runs the module's start function and then _start, once. A guest
	// that exits or traps is a Result, not an error; an error means that the
	// engine could not do its work.
	Run(ctx context.Context, host Host) (Result, error)
}

// Checker is a Program that can say, before the job counts as started, that it
// cannot have what Host grants it, such as a folder that is not there. The error
// is a *job.Error when somebody can do something about it.
type Checker interface {
	Check(host Host) error
}

// Dir is a folder of the host, and what the guest sees of it.
type Dir struct {
	Host string `json:"host"` // absolute; any bytes but NUL
	job.Dir
}

// Host is all that a guest can reach of its host. The zero value gives it
// nothing: no arguments, no environment, empty input, discarded output, no
// folders, the deterministic clock and entropy of seed 0.
type Host struct {
	Args       []string // argv[1:]
	Env        []string // "name=value"
	Stdin      *os.File // nil: empty
	StdinKnown bool     // the whole input is known: reads fill their buffer, and input is always ready
	Stdout     io.Writer
	Stderr     io.Writer
	Dirs       []Dir
	Folders    []wasi.Preopen // that travel with the job
	Clock      *wasi.Clock    // that of Folders; nil: one of its own
	Real       bool           // the real clock, sleep and entropy
	Seed       int64
	Meter      *Meter             // the module counts fuel; nil: it does not
	MemoryGrew func(bytes uint64) // told the size of linear memory when it is made and each time it grows; may be nil
}

// Meter is how a module that was rewritten to count fuel is driven: the names of
// what the rewriting has added to its exports, and how much fuel there is.
type Meter struct {
	Fuel        int64  // the allowance
	FuelGlobal  string // mutable i64: to be set before Start; negative when fuel ran out
	StackGlobal string // mutable i32: negative when calls were too deep
	Start       string // the start function, where there is one: called before _start
}

// Result is how a guest ended.
type Result struct {
	Status   job.Status // Exit, Trap, OutOfFuel, or OutOfMemory: the worker's own bound, not the guest's
	ExitCode uint32     // with Exit
	Trap     string     // with Trap: one of job's
	// with Trap: indices of functions that were running, the innermost first, as many as the engine
	// tells
	Running  []uint32
	FuelUsed int64 // with Host.Meter, unless OutOfMemory
}
