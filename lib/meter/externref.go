package meter

import (
	"fmt"
	"slices"

	"plasm/lib/job"
	"plasm/lib/wasm"
)

// A guest has no other externref than null: it could get one from its host alone,
// and no function of WASI preview 1 takes or returns any. So Rewrite puts funcref in
// the place of externref, in a module that is valid: it does the same then, and no
// engine needs what it has for references of the host, such as a heap with a
// collector. Only a call through a table could tell the difference, where two types
// of functions become one: such a module is refused.

// externRef takes note of an externref, the last byte of whose type is at a place.
func (r *reader) externRef(at int) {
	if r.of == nil {
		return
	}
	r.of.externs = true
	if r.of.replace {
		r.Data[at] += wasm.FuncRef - wasm.ExternRef
	}
}

// withoutExternRef returns the module with funcref in the place of externref.
func (m *module) withoutExternRef() (*module, *job.Error) {
	changed := &module{data: slices.Clone(m.data), limits: m.limits, start: -1, headOnly: m.headOnly, replace: true}
	if err := changed.parse(); err != nil {
		return nil, err
	}
	return changed, m.checkTypes(changed)
}

// checkTypes refuses a module of which two types are the same in changed, and were
// not.
func (m *module) checkTypes(changed *module) *job.Error {
	first := map[string]int{} // what has become of a type, and which one came to it
	for i, t := range changed.types {
		j, seen := first[t.key()]
		switch {
		case !seen:
			first[t.key()] = i
		case m.types[i].key() != m.types[j].key():
			return &job.Error{
				Code: job.CodeModuleRefused,
				Message: fmt.Sprintf("module refused: the types of functions %d and %d differ in externref and "+
					"funcref only", j, i),
				Hint: "docs/webassembly.md explains what becomes of externref",
			}
		}
	}
	return nil
}

// key is the type as a string. No value type is 0.
func (t *funcType) key() string { return string(t.params) + "\x00" + string(t.results) }

// RewriteHead returns what Rewrite with its zero Options makes of everything but
// bodies, for a module that has been through Rewrite once and whose compiled code is
// there: bodies are left as they are.
func RewriteHead(data []byte, l Limits) []byte {
	m := &module{data: data, limits: l.orDefault(), start: -1, headOnly: true}
	if m.parse() != nil || !m.externs {
		return data
	}
	changed, err := m.withoutExternRef()
	if err != nil {
		return data
	}
	return changed.data
}
