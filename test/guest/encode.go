package guest

import (
	"encoding/binary"
	"math"
)

// leb writes an unsigned number as LEB128, which is what Go calls a uvarint.
func leb(n uint64) []byte { return binary.AppendUvarint(nil, n) }

// sleb writes a signed number as LEB128.
func sleb(n int64) []byte {
	var out []byte
	for n > 63 || n < -64 {
		out = append(out, byte(n&0x7f)|0x80)
		n >>= 7
	}
	return append(out, byte(n&0x7f))
}

// vector writes the number of items and the items.
func vector[T any](items []T, write func(T) []byte) []byte {
	out := leb(uint64(len(items)))
	for _, item := range items {
		out = append(out, write(item)...)
	}
	return out
}

// sized writes the length of content and content.
func sized(content []byte) []byte {
	return append(leb(uint64(len(content))), content...)
}

func text(s string) []byte { return sized([]byte(s)) }

// float32Bits writes a number as its four bytes.
func float32Bits(f float32) []byte {
	return binary.LittleEndian.AppendUint32(nil, math.Float32bits(f))
}
