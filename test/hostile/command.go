package hostile

import (
	"plasm/lib/wasm"
	"plasm/test/guest"
)

// Where commands keep what they hand to WASI.
const (
	iovec  = 0        // one buffer: address and length
	result = 16       // what a function leaves
	buffer = 16 << 10 // of 16 KiB
	texts  = 32 << 10 // constant texts
	memory = 64 << 10 // where memory ends, if the texts do before
)

// signature returns the parameters of a WASI function, i for i32 and l for i64, and
// the number of its results: all but proc_exit return an errno.
func signature(name string) (params string, results int) {
	switch name {
	case "proc_exit":
		return "i", 0
	case "sched_yield":
		return "", 1
	case "fd_close", "fd_sync", "fd_datasync":
		return "i", 1
	case "fd_filestat_set_size":
		return "il", 1
	case "fd_allocate":
		return "ill", 1
	case "fd_filestat_set_times":
		return "illi", 1
	case "path_unlink_file", "path_remove_directory", "path_create_directory", "fd_prestat_dir_name":
		return "iii", 1
	case "clock_time_get":
		return "ili", 1
	case "fd_seek":
		return "ilii", 1
	case "fd_write", "fd_read", "poll_oneoff":
		return "iiii", 1
	case "fd_pwrite", "fd_pread", "fd_readdir":
		return "iiili", 1
	case "path_filestat_get", "path_symlink":
		return "iiiii", 1
	case "path_readlink", "path_rename":
		return "iiiiii", 1
	case "path_link":
		return "iiiiiii", 1
	case "path_filestat_set_times":
		return "iiiilli", 1
	case "path_open":
		return "iiiiillii", 1
	default: // fd_renumber, random_get, args_get and the like
		return "ii", 1
	}
}

// command is a program that imports from WASI.
type command struct {
	guest.Builder
	index map[string]uint32
	texts map[string]int // addresses of the constant texts
	at    int            // address of the next one
}

// newCommand imports the named functions.
func newCommand(wasi ...string) *command {
	c := &command{index: map[string]uint32{}, texts: map[string]int{}, at: texts}
	c.Exports = []guest.Export{{Name: "memory", Kind: guest.KindMemory}}
	for _, name := range wasi {
		params, results := signature(name)
		t := guest.FuncType{Results: []guest.ValType{guest.I32}[:results]}
		for _, p := range params {
			t.Params = append(t.Params, map[rune]guest.ValType{'i': guest.I32, 'l': guest.I64}[p])
		}
		c.index[name] = uint32(len(c.index))
		c.Imports = append(c.Imports, guest.Import{Module: "wasi_snapshot_preview1", Name: name, Func: t})
	}
	return c
}

// define adds a function without parameters and results.
func (c *command) define(name string, code ...guest.Code) {
	c.index[name] = uint32(len(c.index))
	c.Funcs = append(c.Funcs, guest.Func{Locals: make32(8), Body: guest.Seq(code...)})
}

func make32(n int) []guest.ValType {
	locals := make([]guest.ValType, n)
	for i := range locals {
		locals[i] = guest.I32
	}
	return locals
}

// main adds _start, which has eight i32 locals, and returns the finished module.
func (c *command) main(code ...guest.Code) []byte {
	c.define("_start", code...)
	c.Exports = append(c.Exports, guest.Export{Name: "_start", Index: c.index["_start"]})
	c.Memory = &guest.Limits{Min: max(1, uint32(c.at+memory-1)/memory)}
	return c.Bytes()
}

// call calls a function by its name, with numbers as arguments: int64 for an i64,
// int for an i32, or code.
func (c *command) call(name string, args ...any) guest.Code {
	var code guest.Code
	for _, arg := range args {
		switch arg := arg.(type) {
		case int:
			code = append(code, guest.Int(int64(arg))...)
		case int64:
			code = append(code, guest.Long(arg)...)
		case guest.Code:
			code = append(code, arg...)
		}
	}
	return guest.Call(c.index[name], code)
}

// do is call without what it returns.
func (c *command) do(name string, args ...any) guest.Code {
	return guest.Op(wasm.OpDrop, c.call(name, args...))
}

// text keeps s in memory and returns its address and length.
func (c *command) text(s string) (address, length int) {
	address, known := c.texts[s]
	if !known {
		address = c.at
		c.texts[s] = address
		c.Data = append(c.Data, guest.Data{Offset: guest.Int(int64(address)), Bytes: []byte(s)})
		c.at += len(s)
	}
	return address, len(s)
}

// write writes length bytes at address to a descriptor.
func (c *command) write(fd, address, length any) guest.Code {
	return guest.Seq(
		guest.Store(wasm.OpI32Store, 0, guest.Int(iovec), number(address)),
		guest.Store(wasm.OpI32Store, 4, guest.Int(iovec), number(length)),
		c.do("fd_write", fd, iovec, 1, result),
	)
}

// number is code, or an int as code.
func number(n any) guest.Code {
	if n, ok := n.(int); ok {
		return guest.Int(int64(n))
	}
	code, _ := n.(guest.Code)
	return code
}

// forever does code without end.
func forever(code ...guest.Code) guest.Code { return guest.Loop(guest.Seq(code...), guest.Br(0)) }

// times does code n times, counting in local 7.
func times(n int64, code ...guest.Code) guest.Code {
	return guest.Seq(
		guest.Set(7, guest.Int(n)),
		guest.Loop(guest.Seq(code...), guest.Increase(7, -1), guest.BrIf(0, guest.Get(7))),
	)
}
