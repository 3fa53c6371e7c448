package wasm

import "encoding/binary"

// AppendU32 appends an unsigned LEB128 number.
func AppendU32(b []byte, n uint32) []byte { return binary.AppendUvarint(b, uint64(n)) }

// AppendSigned appends a signed LEB128 number, as short as it can be.
func AppendSigned(b []byte, n int64) []byte {
	for n > 63 || n < -64 {
		b = append(b, byte(n&0x7f)|0x80)
		n >>= 7
	}
	return append(b, byte(n&0x7f))
}

// AppendSized appends the length of content, in bytes, and content.
func AppendSized(b, content []byte) []byte {
	return append(AppendU32(b, uint32(len(content))), content...)
}

// AppendSection appends a section with that content.
func AppendSection(b []byte, id byte, content []byte) []byte {
	return AppendSized(append(b, id), content)
}
