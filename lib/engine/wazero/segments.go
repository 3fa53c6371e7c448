package wazero

// gap is the longest run of bytes between two data segments that is filled with
// zeros to make them one.
const gap = 128

// mergeData returns the content of a data section in which neighbouring segments
// are one. Go's linker begins a new segment behind each run of zeros, and decoding
// tens of thousands of them is most of what loading a skeleton takes.
//
// Memory is zero before its segments are written into it, so zeros between two of
// them change nothing, as long as segments are merged in their order and none
// writes over another. It is only for a module without a data count section: there no instruction
// can name a segment by its number. A section of any other kind of segment than
// an active one at a constant address is returned as it is.
func mergeData(content []byte) []byte {
	r := reader{data: content}
	var merged []byte
	var count, begin uint32
	var run []byte // the segment that grows, at begin
	flush := func() {
		merged = leb(append(signed(append(merged, 0, opI32Const), int32(begin)), opEnd), uint32(len(run)))
		merged = append(merged, run...)
		count++
	}
	n := r.u32()
	for i := range n {
		at, data, ok := r.segment()
		if !ok {
			return content
		}
		between := int64(at) - int64(begin) - int64(len(run))
		switch {
		case i == 0:
			begin = at
		case between < 0 || between > gap:
			flush()
			begin, run = at, run[:0]
		default:
			run = append(run, make([]byte, between)...)
		}
		run = append(run, data...)
	}
	if r.bad || r.at != len(content) {
		return content
	}
	if n > 0 {
		flush()
	}
	return append(leb(nil, count), merged...)
}

// Opcodes (WebAssembly core specification 2.0, section 5.4).
const (
	opI32Const = 0x41
	opEnd      = 0x0b
)

// segment reads an active data segment at a constant address.
func (r *reader) segment() (at uint32, data []byte, ok bool) {
	if r.byte() != 0 || r.byte() != opI32Const {
		return 0, nil, false
	}
	offset := r.s32()
	if r.byte() != opEnd {
		return 0, nil, false
	}
	data = r.take(r.u32())
	return uint32(offset), data, !r.bad
}

// s32 reads a signed LEB128 number of 32 bits.
func (r *reader) s32() int32 {
	var v int64
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		v |= int64(b&0x7f) << shift
		if b < 0x80 {
			if b&0x40 != 0 {
				v |= -1 << (shift + 7)
			}
			if v != int64(int32(v)) {
				r.bad = true
			}
			return int32(v)
		}
	}
	r.bad = true
	return 0
}

// signed appends v as a signed LEB128 number.
func signed(b []byte, v int32) []byte {
	for v < -64 || v > 63 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7f)
}
