package guest

import "strings"

// unusable are files that must be refused before any instruction runs.
func unusable() map[string]func() []byte {
	good := func() []byte { return newProgram().main() }
	return map[string]func() []byte{
		"empty":     func() []byte { return nil },
		"text":      func() []byte { return []byte("#!/bin/sh\necho no module\n") },
		"truncated": func() []byte { return good()[:20] },
		// The header of a component, and of a core module of a later version.
		"component": func() []byte { return []byte("\x00asm\x0d\x00\x01\x00") },
		"version-2": func() []byte { return []byte("\x00asm\x02\x00\x00\x00") },
		// A valid module that is a library: it exports no _start.
		"no-start": func() []byte { return exporting("run", FuncType{}, nil) },
		// A library that a host calls, after _initialize. Its body is not valid: it is refused
		// before that is compiled.
		"reactor": func() []byte { return exporting("_initialize", FuncType{}, Int(1)) },
		// _start has a parameter, or is no function.
		"start-with-params": func() []byte { return exporting("_start", FuncType{Params: []ValType{I32}}, nil) },
		"start-is-memory": func() []byte {
			p := newProgram()
			p.Exports = []Export{{Name: "_start", Kind: KindMemory}}
			return p.Bytes()
		},
		// The body of _start leaves a value on the stack.
		"bad-body": func() []byte { return newProgram().main(Int(1)) },
		// A function of a host that is not WASI, and the other kinds of import.
		"import-env": func() []byte { return importing(Import{Module: "env", Name: "foo", Kind: KindFunc}) },
		"import-global": func() []byte {
			return importing(Import{Module: "env", Name: "g", Kind: KindGlobal, Global: Global{Type: I32}})
		},
		"import-table": func() []byte { return importing(Import{Module: "env", Name: "t", Kind: KindTable}) },
		"import-memory": func() []byte {
			p := newProgram()
			p.Memory = nil
			p.Imports = []Import{{Module: "env", Name: "memory", Kind: KindMemory, Limits: Limits{Min: 1}}}
			return p.main()
		},
		// A function that WASI preview 1 has not, one of the version before, one
		// that it has under the name of another thing, and one of another type.
		"import-unknown-wasi": func() []byte {
			return importing(Import{Module: wasiModule, Name: "nope", Kind: KindFunc})
		},
		"import-wasi-unstable": func() []byte {
			return importing(Import{
				Module: "wasi_unstable", Name: "proc_exit", Kind: KindFunc,
				Func: wasiType("proc_exit"),
			})
		},
		"import-wasi-global": func() []byte {
			return importing(Import{Module: wasiModule, Name: "fd_write", Kind: KindGlobal, Global: Global{Type: I32}})
		},
		"import-wasi-type": func() []byte {
			return importing(Import{Module: wasiModule, Name: "fd_write", Kind: KindFunc})
		},
		// A name that would break a line, or a terminal.
		"import-odd-name": func() []byte {
			return importing(Import{Module: "env", Name: "a\nb\x1b[31m" + strings.Repeat("x", 5000), Kind: KindFunc})
		},
		// Threads: a shared memory.
		"shared-memory": func() []byte {
			p := newProgram()
			p.Memory = &Limits{Min: 1, Max: 2, Shared: true}
			return p.main()
		},
	}
}

// importing is a command that imports i.
func importing(i Import) []byte {
	p := newProgram()
	p.Imports = []Import{i}
	if i.Kind == KindFunc {
		p.number(i.Name)
	}
	return p.main()
}

// exporting is a program without a _start but for a function of that name.
func exporting(name string, of FuncType, body Code) []byte {
	p := newProgram()
	p.define(name, of, nil, func() Code { return body })
	p.Exports = append(p.Exports, Export{Name: name, Index: 0})
	return p.Bytes()
}
