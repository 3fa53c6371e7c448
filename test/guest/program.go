package guest

import "plasm/lib/wasm"

// Where programs keep what they hand to WASI.
const (
	iovec   = 0    // one buffer: address and length
	result  = 8    // what a function leaves: bytes moved, a time
	digits  = 48   // a number is written from here backwards
	texts   = 64   // constant texts
	subs    = 1024 // poll_oneoff: subscriptions
	events  = 2048 // poll_oneoff: events
	buffer  = 4096 // what is read, and what is to be written
	bufSize = 16 << 10
)

// Descriptors.
const (
	stdin  = 0
	stdout = 1
	stderr = 2
)

// program is a module that is an ordinary command: it imports from WASI, has a
// memory of one page, and exports both memory and _start.
type program struct {
	Builder
	index  map[string]uint32
	next   uint32 // number of the next function
	textAt int64  // address of the next constant text
}

// newProgram imports the named WASI functions.
func newProgram(wasi ...string) *program {
	p := &program{index: map[string]uint32{}, textAt: texts}
	p.Memory = &Limits{Min: 1}
	p.Exports = []Export{{Name: "memory", Kind: KindMemory}}
	for _, name := range wasi {
		p.number(name)
		p.Imports = append(p.Imports, Import{Module: wasiModule, Name: name, Func: wasiType(name)})
	}
	return p
}

// number gives a function its number.
func (p *program) number(name string) {
	p.index[name] = p.next
	p.next++
}

// define adds a function. Its body may call it and whatever was defined before.
func (p *program) define(name string, t FuncType, locals []ValType, body func() Code) {
	p.number(name)
	p.Funcs = append(p.Funcs, Func{Type: t, Locals: locals, Body: body()})
}

// main adds _start, which has ten i32 locals, and returns the finished module.
func (p *program) main(parts ...Code) []byte {
	p.define("_start", FuncType{}, []ValType{I32, I32, I32, I32, I32, I32, I32, I32, I32, I32},
		func() Code { return Seq(parts...) })
	p.Exports = append(p.Exports, Export{Name: "_start", Index: p.index["_start"]})
	return p.Bytes()
}

// call calls a function by its name. One that is not there is a number that no
// function has, which the tests of this package find.
func (p *program) call(name string, args ...Code) Code {
	index, ok := p.index[name]
	if !ok {
		index = 1 << 30
	}
	return Call(index, args...)
}

// text keeps s among the constant texts and returns its address and length.
func (p *program) text(s string) (address, length Code) {
	address, length = Int(p.textAt), Int(int64(len(s)))
	p.Data = append(p.Data, Data{Offset: address, Bytes: []byte(s)})
	p.textAt += int64(len(s))
	return address, length
}

// write writes length bytes at address to a descriptor and leaves the errno.
func (p *program) write(fd int64, address, length Code) Code {
	return Seq(
		Store(wasm.OpI32Store, 0, Int(iovec), address),
		Store(wasm.OpI32Store, 4, Int(iovec), length),
		p.call("fd_write", Int(fd), Int(iovec), Int(1), Int(result)),
	)
}

// print writes a constant text to a descriptor.
func (p *program) print(fd int64, s string) Code {
	address, length := p.text(s)
	return Op(wasm.OpDrop, p.write(fd, address, length))
}

// read reads up to length bytes into the buffer and leaves the errno; how many
// came is then at result.
func (p *program) read(length int64) Code {
	return Seq(
		Store(wasm.OpI32Store, 0, Int(iovec), Int(buffer)),
		Store(wasm.OpI32Store, 4, Int(iovec), Int(length)),
		p.call("fd_read", Int(stdin), Int(iovec), Int(1), Int(result)),
	)
}

// got is how many bytes read has read.
func got() Code { return Load(wasm.OpI32Load, 0, Int(result)) }

// numbers defines the function that printNumber calls: it writes an i64 as an
// unsigned decimal number and a newline to stdout.
func (p *program) numbers() {
	const value, at = 0, 1
	p.define("number", FuncType{Params: []ValType{I64}}, []ValType{I32}, func() Code {
		return Seq(
			Store(wasm.OpI32Store8, 0, Int(digits), Int('\n')),
			Set(at, Int(digits)),
			Loop(
				Increase(at, -1),
				Store(wasm.OpI32Store8, 0, Get(at),
					Op(wasm.OpI32Add, Int('0'), Op(wasm.OpI32WrapI64, Op(wasm.OpI64RemU, Get(value), Long(10))))),
				Set(value, Op(wasm.OpI64DivU, Get(value), Long(10))),
				BrIf(0, Op(wasm.OpI32Eqz, Op(wasm.OpI64Eqz, Get(value)))),
			),
			Op(wasm.OpDrop, p.write(stdout, Get(at), Op(wasm.OpI32Sub, Int(digits+1), Get(at)))),
		)
	})
}

// printLong writes an i64 as a line; it needs numbers.
func (p *program) printLong(value Code) Code { return p.call("number", value) }

// printInt writes an i32 as a line; it needs numbers.
func (p *program) printInt(value Code) Code { return p.printLong(Op(wasm.OpI64ExtendI32U, value)) }

// times does parts n times, counting in local.
func times(local uint32, n int64, parts ...Code) Code {
	return Seq(
		Set(local, Int(n)),
		Loop(
			Seq(parts...),
			Increase(local, -1),
			BrIf(0, Get(local)),
		),
	)
}
