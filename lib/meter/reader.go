package meter

import (
	"fmt"

	"plasm/lib/job"
	"plasm/lib/wasm"
)

// bad is the error for what cannot be parsed.
func bad(e *wasm.Error) *job.Error {
	return &job.Error{
		Code:    job.CodeBadModule,
		Message: fmt.Sprintf("truncated or invalid module: %v", e),
		Hint:    "is it a WebAssembly core module, whole, and within the features of docs/webassembly.md?",
	}
}

// badAt is the error for what is met at a byte of the module.
func badAt(at int, format string, args ...any) *job.Error {
	return bad(&wasm.Error{At: at, Text: fmt.Sprintf(format, args...)})
}

// reader reads a part of a module.
type reader struct {
	wasm.Reader

	of *module // is told of each externref, where it is not nil
}

// read returns a reader of a part of the module. Where it notes is true the module is told
// of each externref.
func (m *module) read(s span, notes bool) reader {
	r := reader{Reader: wasm.Reader{Data: m.data, Pos: s.start, End: s.end}}
	if notes {
		r.of = m
	}
	return r
}

// err returns what could not be read first, or nil.
func (r *reader) err() *job.Error {
	if r.OK() {
		return nil
	}
	return bad(r.Err())
}

func (r *reader) valueType() {
	at := r.Pos
	if r.ValueType() == wasm.ExternRef {
		r.externRef(at)
	}
}

// valueTypes reads a list of value types. The bytes are a part of the module.
func (r *reader) valueTypes(what string) []byte {
	types := r.ValueTypes(what)
	for i, t := range types {
		if t == wasm.ExternRef {
			r.externRef(r.Pos - len(types) + i)
		}
	}
	return types
}

func (r *reader) refType() {
	at := r.Pos
	if r.RefType() == wasm.ExternRef {
		r.externRef(at)
	}
}
