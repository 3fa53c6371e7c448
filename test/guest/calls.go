package guest

import (
	"fmt"
	"slices"

	"plasm/lib/wasm"
)

// pageSize is the size of a page of memory.
const pageSize = 1 << 16

// WASICall is a call of a function of preview 1 with constant arguments. An argument that is
// an i32 may be given signed or unsigned.
type WASICall struct {
	Name string
	Args []int64
}

// Calls are calls of preview 1, one after the other, and the memory that they work on: a
// page, of which all that Bytes and Room have not given away is 0xaa, so that a byte that
// a call writes shows. The zero value has no calls yet.
type Calls struct {
	List   []WASICall
	memory []byte
}

// CallsErrno is where the module keeps the last call's errno, an i32, and CallsMemory
// where the calls' own memory begins; what is before it is the module's.
const (
	CallsErrno  = 16
	CallsMemory = texts
)

// Bytes puts b into the memory, and returns its address, a multiple of 8.
func (c *Calls) Bytes(b ...byte) int64 {
	address := int64(CallsMemory + len(c.memory))
	c.memory = append(c.memory, b...)
	for len(c.memory)%8 > 0 {
		c.memory = append(c.memory, 0xaa)
	}
	if CallsMemory+len(c.memory) > pageSize {
		panic(fmt.Sprintf("%d bytes of memory for calls, more than a page", len(c.memory)))
	}
	return address
}

// Room returns the address of n bytes of 0xaa that nothing else uses.
func (c *Calls) Room(n int) int64 {
	return c.Bytes(slices.Repeat([]byte{0xaa}, n)...)
}

// Words puts u32s into the memory, and returns their address.
func (c *Calls) Words(words ...int64) int64 {
	b := make([]byte, 0, 4*len(words))
	for _, w := range words {
		b = append(b, byte(w), byte(w>>8), byte(w>>16), byte(w>>24))
	}
	return c.Bytes(b...)
}

// Add adds a call. Strings among its arguments are put into the memory, and stand for two
// arguments, their address and length; all others are integers.
func (c *Calls) Add(name string, args ...any) {
	call := WASICall{Name: name}
	for _, arg := range args {
		switch arg := arg.(type) {
		case string:
			call.Args = append(call.Args, c.Bytes([]byte(arg)...), int64(len(arg)))
		case int:
			call.Args = append(call.Args, int64(arg))
		case int64:
			call.Args = append(call.Args, arg)
		default:
			panic(fmt.Sprintf("%s: an argument is a %T", name, arg))
		}
	}
	if params, ok := preview1[name]; !ok || len(params) != len(call.Args) {
		panic(fmt.Sprintf("%s: %d arguments", name, len(call.Args)))
	}
	c.List = append(c.List, call)
}

// Module returns a module that makes the calls. Before the first and after each it writes
// all its memory, of 64 KiB, to stdout. The errno is 0xffffffff before the first.
func (c *Calls) Module() []byte {
	return c.module(func(p *program) Code {
		return If(p.write(stdout, Int(0), Int(pageSize)), Op(wasm.OpUnreachable))
	})
}

// sums returns a module that makes the calls, and before the first and after each writes a
// line with a checksum of the errno and the calls' memory.
func (c *Calls) sums() []byte {
	const address, sum = 0, 1
	return c.module(func(p *program) Code {
		return Seq(
			Set(address, Int(CallsMemory)),
			Set(sum, Load(wasm.OpI64Load, 0, Int(CallsErrno))),
			Loop(
				// as FNV-1a
				Set(sum, Op(wasm.OpI64Mul, Op(wasm.OpI64Xor, Get(sum), Load(wasm.OpI64Load, 0, Get(address))),
					Long(0x100000001b3))),
				Increase(address, 8),
				BrIf(0, Op(wasm.OpI32LtU, Get(address), Int(pageSize))),
			),
			p.printLong(Get(sum)),
		)
	})
}

// module returns a module that makes the calls, and runs shown, which has locals of an
// i32 and an i64, before the first and after each.
func (c *Calls) module(shown func(*program) Code) []byte {
	p := newProgram(Preview1()...)
	memory := slices.Repeat([]byte{0xaa}, pageSize)
	clear(memory[:CallsMemory])
	copy(memory[CallsErrno:], "\xff\xff\xff\xff")
	copy(memory[CallsMemory:], c.memory)
	p.Data = []Data{{Offset: Int(0), Bytes: memory}}
	p.numbers()
	p.define("shown", FuncType{}, []ValType{I32, I64}, func() Code { return shown(p) })
	parts := make([]Code, 0, 1+2*len(c.List))
	parts = append(parts, p.call("shown"))
	for _, call := range c.List {
		var args []Code
		for i, param := range preview1[call.Name] {
			if param == 'I' {
				args = append(args, Long(call.Args[i]))
			} else {
				args = append(args, Int(call.Args[i]))
			}
		}
		made := p.call(call.Name, args...)
		if call.Name != "proc_exit" {
			made = Store(wasm.OpI32Store, 0, Int(CallsErrno), made)
		}
		parts = append(parts, made, p.call("shown"))
	}
	return p.main(parts...)
}
