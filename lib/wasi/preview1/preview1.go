// Package preview1 is WASI preview 1 (module wasi_snapshot_preview1) in front of package
// wasi: how each function's parameters are passed, what is written into linear memory, and
// rights.
//
// The source of each function is the witx of preview 1 (WebAssembly/WASI, tag
// snapshot-01, phases/snapshot/witx/wasi_snapshot_preview1.witx); where it says nothing,
// what Wasmtime does, and what wasi-libc and the libraries of Rust, Go and CPython rely on.
//
// # Safety
//
// Everything that a program passes is a stranger's. Engines may leave anything in the
// upper half of a 32-bit parameter: Call masks it. Pointers and lengths are added in 64
// bits and held against memory before use; EFAULT where they do not fit. Alignment is not
// asked for. What a function allocates is bounded by the length of a path, or by
// maxSubscriptions. Nothing that a program passes makes a function panic.
//
// # Memory
//
// Every byte of a structure is written, padding as zeros. A function that fails has
// written nothing, except that fd_read and fd_pread may have changed the buffers, and
// except for the strings of args_get and environ_get.
package preview1

import (
	"errors"

	"plasm/lib/wasi"
)

// ModuleName is the name under which modules import preview 1.
const ModuleName = "wasi_snapshot_preview1"

// ValType is the type of a parameter or result, as the binary format numbers it.
type ValType = byte

// The types that functions of preview 1 have.
const (
	I32 ValType = 0x7f
	I64 ValType = 0x7e
)

// Function is a function of preview 1.
type Function struct {
	Name    string
	Params  []ValType
	Results []ValType // an errno as I32, or nothing

	memory bool   // it needs memory
	narrow []bool // of each parameter, whether it has 32 bits
	do     func(g *Guest, mem memory, args []uint64) wasi.Errno
}

// ErrExited is returned by Call when the program has called proc_exit: none of its
// instructions may follow.
var ErrExited = errors.New("the guest has exited")

// ErrNoMemory is returned by Call when a function that reads or writes linear memory is
// called by a program that has none.
var ErrNoMemory = errors.New("the guest has no memory for a function that uses it")

// Guest is a running program.
type Guest struct {
	host        *wasi.Host
	descriptors wasi.Table[descriptor]
	exited      bool
	code        uint32
}

// New returns a program that has the streams of h as descriptors 0 to 2, and its folders
// from 3 on.
func New(h *wasi.Host) *Guest {
	g := &Guest{host: h}
	g.add(&descriptor{Descriptor: h.Stdin, base: inputRights})
	g.add(&descriptor{Descriptor: h.Stdout, base: outputRights})
	g.add(&descriptor{Descriptor: h.Stderr, base: outputRights})
	for _, d := range h.Preopens {
		g.add(&descriptor{Descriptor: d, base: dirRights, inheriting: dirRights | fileRights})
	}
	return g
}

func (g *Guest) add(d *descriptor) { _, _ = g.descriptors.Add(d) } // a job has far fewer folders than fit

// Close closes what the program has open.
func (g *Guest) Close() {
	for _, d := range g.descriptors.All() {
		_ = d.Close()
	}
}

// Exited returns the exit code, once the program has called proc_exit.
func (g *Guest) Exited() (code uint32, exited bool) { return g.code, g.exited }

// Call calls f. stack holds the parameters, and then the result where there is one; it has
// room for both. mem is the program's linear memory as it is now, nil where it has none.
// The error is ErrExited or ErrNoMemory.
func (g *Guest) Call(f *Function, mem []byte, stack []uint64) error {
	if mem == nil && f.memory {
		return ErrNoMemory
	}
	args := stack[:len(f.narrow)]
	for i, narrow := range f.narrow {
		if narrow { // and only its half is read: an engine may have written no more of it
			args[i] = uint64(uint32(args[i]))
		}
	}
	errno := f.do(g, mem, stack)
	if len(f.Results) == 0 {
		return ErrExited
	}
	stack[0] = uint64(errno)
	return nil
}

// Functions returns all functions, sorted by name.
func Functions() []*Function { return functions }

// Find returns the function of that name, or nil.
func Find(name string) *Function { return byName[name] }
