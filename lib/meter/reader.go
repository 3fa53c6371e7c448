package meter

import (
	"fmt"
	"unicode/utf8"

	"plasm/lib/job"
)

// bad is the error for what cannot be parsed, met at a byte of the module.
func bad(at int, format string, args ...any) *job.Error {
	return &job.Error{
		Code:    job.CodeBadModule,
		Message: fmt.Sprintf("truncated or invalid module: %s at byte %d", fmt.Sprintf(format, args...), at),
		Hint:    "is it a WebAssembly core module, whole, and within the features of docs/webassembly.md?",
	}
}

// reader reads data from pos up to end. The first error stays: from then on
// everything read is 0, and no byte is left.
type reader struct {
	data []byte
	pos  int
	end  int
	err  *job.Error
	of   *module // is told of each externref, where it is not nil
}

func (r *reader) fail(at int, format string, args ...any) {
	if r.err == nil {
		r.err = bad(at, format, args...)
	}
	r.pos = r.end
}

// left is how many bytes are left.
func (r *reader) left() int { return r.end - r.pos }

func (r *reader) byte() byte {
	if r.pos >= r.end {
		r.fail(r.pos, "it ends too early")
		return 0
	}
	b := r.data[r.pos]
	r.pos++
	return b
}

// skip passes over n bytes.
func (r *reader) skip(n int) {
	if n > r.left() {
		r.fail(r.pos, "%d bytes are missing", n-r.left())
		return
	}
	r.pos += n
}

// u32 reads an unsigned LEB128 number of at most 32 bits.
func (r *reader) u32() uint32 {
	if r.pos < r.end && r.data[r.pos] < 0x80 {
		r.pos++
		return uint32(r.data[r.pos-1])
	}
	return uint32(r.unsigned(32))
}

// unsigned reads an unsigned LEB128 number of at most that many bits.
func (r *reader) unsigned(bits uint) uint64 {
	at := r.pos
	var n uint64
	for shift := uint(0); shift < bits; shift += 7 {
		b := r.byte()
		if left := bits - shift; left < 7 && b>>left != 0 {
			break
		}
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
	}
	r.fail(at, "a number is longer than %d bits", bits)
	return 0
}

// signed reads a signed LEB128 number of at most that many bits.
func (r *reader) signed(bits uint) int64 {
	at := r.pos
	var n int64
	for shift := uint(0); shift < bits; shift += 7 {
		b := r.byte()
		if left := bits - shift; left < 7 {
			// What lies above the sign bit must repeat it, and nothing may follow.
			if top := int8(b<<1) >> left; b >= 0x80 || (top != 0 && top != -1) {
				break
			}
		}
		n |= int64(b&0x7f) << shift
		if b < 0x80 {
			unused := max(64-int(shift)-7, 0)
			return n << unused >> unused
		}
	}
	r.fail(at, "a number is longer than %d bits", bits)
	return 0
}

// count reads the number of items that follow. Each has at least one byte, so
// a number larger than what is left is an error before anything is made of it.
func (r *reader) count(what string) int {
	at := r.pos
	n := r.u32()
	if uint64(n) > uint64(r.left()) {
		r.fail(at, "%d %s where %d bytes are left", n, what, r.left())
		return 0
	}
	return int(n)
}

// name reads a name. The bytes are a part of data.
func (r *reader) name() []byte {
	n := r.count("bytes of a name")
	from := r.pos
	r.skip(n)
	name := r.data[from:r.pos]
	if !utf8.Valid(name) {
		r.fail(from, "a name is not UTF-8")
	}
	return name
}

// valueTypes reads a list of value types. The bytes are a part of data.
func (r *reader) valueTypes(what string) []byte {
	n := r.count(what)
	from := r.pos
	for range n {
		r.valueType()
	}
	if r.err != nil {
		return nil
	}
	return r.data[from:r.pos]
}

func (r *reader) valueType() {
	at := r.pos
	switch t := r.byte(); {
	case t == typeExternRef:
		r.externRef(at)
	case !isValueType(t):
		r.fail(at, "unknown value type 0x%02x", t)
	}
}

func (r *reader) refType() {
	at := r.pos
	switch t := r.byte(); t {
	case typeFuncRef:
	case typeExternRef:
		r.externRef(at)
	default:
		r.fail(at, "unknown reference type 0x%02x", t)
	}
}

// Value types, as the binary format numbers them.
const (
	typeI32       = 0x7f
	typeI64       = 0x7e
	typeF32       = 0x7d
	typeF64       = 0x7c
	typeV128      = 0x7b
	typeFuncRef   = 0x70
	typeExternRef = 0x6f
	typeFunc      = 0x60
	typeNone      = 0x40 // of a block without result
)

func isValueType(t byte) bool {
	return (t >= typeV128 && t <= typeI32) || t == typeFuncRef || t == typeExternRef
}
