package engine

import (
	"bytes"
	"fmt"
	"slices"

	"plasm/lib/job"
	"plasm/lib/wasi/preview1"
	"plasm/lib/wasm"
)

// StartFunction is the function that a command begins with, and initializeFunction the one
// that a reactor has instead.
const (
	StartFunction      = "_start"
	initializeFunction = "_initialize"
)

// Linear memory, in pages: maxPages is the largest that the specification allows;
// mostPages is what every engine can give: wazero's code keeps the size in 32 bits, so
// that the last page would make it 0.
const (
	maxPages  = job.MaxMemoryMB << 20 / wasm.PageSize
	mostPages = maxPages - 1
)

// MostMemory returns how much linear memory a guest may have that was given memoryMB
// units of 2^20 bytes, in bytes: of 4 GiB the last page cannot be had in one engine, and
// so not in another.
func MostMemory(memoryMB int64) int64 { return min(memoryMB<<20, mostPages*wasm.PageSize) }

// CheckModule refuses a module that no engine would run, before one spends time on it: that
// is no core module, begins with more memory than memoryMB units of 2^20 bytes, imports
// what is not preview 1 or as another type, or is no command. It does not look into code.
// It returns the functions that the module imports, each once. The error is a *job.Error
// with CodeBadModule or CodeModuleRefused.
func CheckModule(module []byte, memoryMB int64) ([]*preview1.Function, error) {
	m, err := parse(module)
	if err != nil {
		return nil, err
	}
	// beyond it is the engine's to say
	if pages := uint32(MostMemory(memoryMB) / wasm.PageSize); m.firstPages > pages && m.firstPages <= maxPages {
		return nil, tooSmall(m.firstPages, pages)
	}
	var functions []*preview1.Function
	for _, i := range m.imports {
		f, err := m.function(i)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(functions, f) {
			functions = append(functions, f)
		}
	}
	return functions, m.command()
}

// tooSmall is the error for a memory that begins larger than pages.
func tooSmall(need, pages uint32) error {
	e := &job.Error{Code: job.CodeModuleRefused}
	if need > mostPages {
		e.Message = fmt.Sprintf("the module's memory begins at %d pages, and the engine can give %d", need, mostPages)
		return e
	}
	mb := (int64(need)*wasm.PageSize + 1<<20 - 1) >> 20
	e.Message = fmt.Sprintf("the module's memory begins at %d MB, and the job may have %d MB", mb,
		(int64(pages)*wasm.PageSize+1<<20-1)>>20)
	e.Hint = fmt.Sprintf("allow it more with --memory %d", mb)
	return e
}

// function returns what an import gets.
func (m *module) function(i imported) (*preview1.Function, error) {
	f := preview1.Find(i.name)
	if i.module != preview1.ModuleName || i.kind != wasm.KindFunc || f == nil {
		return nil, &job.Error{
			Code:    job.CodeBadModule,
			Message: fmt.Sprintf("the module imports %v, which is not WASI preview 1", i),
			Hint:    "compile the program for the target wasm32-wasip1, without bindings to another host",
		}
	}
	if t, ok := m.typeOf(i.index); !ok || !bytes.Equal(t.params, f.Params) || !bytes.Equal(t.results, f.Results) {
		return nil, &job.Error{
			Code: job.CodeBadModule,
			Message: fmt.Sprintf("the module imports the function %q of WASI preview 1 with another type than it has",
				i.name),
			Hint: "compile the program with a toolchain for the target wasm32-wasip1",
		}
	}
	return f, nil
}

// command refuses a module that does not export what a command begins with.
func (m *module) command() error {
	if t, ok := m.exported(StartFunction); ok && len(t.params)+len(t.results) == 0 {
		return nil
	}
	if _, ok := m.exported(initializeFunction); ok {
		return &job.Error{
			Code: job.CodeBadModule,
			Message: `the module is a reactor: it exports "_initialize", for a host that calls its functions, and ` +
				`no function "_start"`,
			Hint: "build it as a command (with a main function): -mexec-model=command for clang, a binary and not a " +
				"library for others",
		}
	}
	return &job.Error{
		Code:    job.CodeBadModule,
		Message: `the module exports no function "_start" without parameters and results`,
		Hint:    "build it as a command (with a main function), not as a library",
	}
}
