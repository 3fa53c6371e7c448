package guest

import (
	"encoding/binary"
	"math"

	"plasm/lib/wasm"
)

// leb writes an unsigned number as LEB128.
func leb(n uint32) []byte { return wasm.AppendU32(nil, n) }

// sleb writes a signed number as LEB128.
func sleb(n int64) []byte { return wasm.AppendSigned(nil, n) }

// vector writes the number of items and the items.
func vector[T any](items []T, write func(T) []byte) []byte {
	out := leb(uint32(len(items)))
	for _, item := range items {
		out = append(out, write(item)...)
	}
	return out
}

// sized writes the length of content and content.
func sized(content []byte) []byte { return wasm.AppendSized(nil, content) }

func text(s string) []byte { return sized([]byte(s)) }

// float32Bits writes a number as its four bytes.
func float32Bits(f float32) []byte {
	return binary.LittleEndian.AppendUint32(nil, math.Float32bits(f))
}
