// Package wasm is the binary format of core modules (WebAssembly core specification 2.0,
// chapter 5): its numbers, a Reader for the bytes of strangers, and what writes them.
//
// It knows what bytes say, not whether a module is valid, nor what it does: that is up to
// package meter, and to the engines.
package wasm

// What a core module of version 1 begins with: magic and version (section 5.5.16).
const (
	Magic      = "\x00asm"
	Header     = Magic + "\x01\x00\x00\x00"
	HeaderSize = len(Header)
)

// PageSize is the unit of linear memory, in bytes (section 4.2.8).
const PageSize = 64 << 10

// Section IDs (section 5.5.2). The data count section stands before the code section, and
// the tag section, of exception handling, behind the memory section.
const (
	SectionCustom = iota
	SectionType
	SectionImport
	SectionFunction
	SectionTable
	SectionMemory
	SectionGlobal
	SectionExport
	SectionStart
	SectionElement
	SectionCode
	SectionData
	SectionDataCount
	SectionTag
)

// Types of values, the form of a function's type, and the type of a block without
// parameters and results (sections 5.3 and 5.4.1).
const (
	I32       = 0x7f
	I64       = 0x7e
	F32       = 0x7d
	F64       = 0x7c
	V128      = 0x7b
	FuncRef   = 0x70
	ExternRef = 0x6f
	FuncForm  = 0x60
	NoResult  = 0x40
)

// Kinds of imports and exports (sections 5.5.5 and 5.5.10; tags are of exception handling).
const (
	KindFunc = iota
	KindTable
	KindMemory
	KindGlobal
	KindTag
)

// IsValueType reports whether t is the type of a value.
func IsValueType(t byte) bool {
	return (t >= V128 && t <= I32) || t == FuncRef || t == ExternRef
}
