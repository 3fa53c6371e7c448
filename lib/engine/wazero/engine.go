// Package wazero is the built-in engine: the wazero compiler, pure Go, with
// folders, clocks, polling and exit codes of our own where its would let a guest
// out, wait in real time or mistake one number for another.
package wazero

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"

	wz "github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	wasi "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"plasm/lib/engine"
	"plasm/lib/job"
)

// version is that of the wazero that go.mod names; a test holds the two together.
const version = "1.12.0"

// features are those of engine.Features, all of whose core test suites wazero passes.
const features = api.CoreFeaturesV2 | experimental.CoreFeaturesTailCall | experimental.CoreFeaturesExtendedConst

const startFunction = "_start"

// mended has wazero's compiler mended, once.
var mended = sync.OnceValue(mendSelect)

// Engine is the wazero engine. Its zero value is ready.
type Engine struct{}

// Name implements engine.Engine.
func (Engine) Name() string { return "wazero" }

// Version implements engine.Engine.
func (Engine) Version() string { return version }

// Features implements engine.Engine.
func (Engine) Features() []string { return engine.Features() }

// runtime returns a runtime that gets or puts machine code where c says.
func runtime(ctx context.Context, c *code, pages uint32) (wz.Runtime, error) {
	if err := mended(); err != nil {
		return nil, err
	}
	cache, err := c.cache()
	if err != nil {
		return nil, err
	}
	return wz.NewRuntimeWithConfig(ctx, wz.NewRuntimeConfigCompiler().
		WithCoreFeatures(features).
		WithMemoryLimitPages(pages).
		WithDebugInfoEnabled(false).
		WithCompilationCache(cache)), nil
}

// maxPages is the largest memory that the specification allows; mostPages is
// what wazero can give: its code keeps the size in 32 bits, so that the last page
// would make it 0.
const (
	maxPages  = job.MaxMemoryMB << 20 / pageSize
	mostPages = maxPages - 1
)

// Validate implements engine.Validator. It lets wazero's interpreter take the module
// in, which decodes and validates it like the compiler and does little more.
func (Engine) Validate(ctx context.Context, module []byte) error {
	if _, err := parse(module, mostPages); err != nil {
		return err
	}
	r := wz.NewRuntimeWithConfig(ctx, wz.NewRuntimeConfigInterpreter().WithCoreFeatures(features).WithDebugInfoEnabled(false))
	_, err := compile(ctx, r, module)
	return errors.Join(err, r.Close(ctx))
}

// Compile implements engine.Engine.
func (Engine) Compile(ctx context.Context, module []byte, out io.Writer) error {
	if _, err := parse(module, mostPages); err != nil {
		return err
	}
	c := &code{to: out}
	r, err := runtime(ctx, c, maxPages)
	if err != nil {
		return err
	}
	_, err = compile(ctx, r, module)
	if c.failed != nil { // and not the module
		err = c.failed
	}
	return errors.Join(err, r.Close(ctx))
}

func compile(ctx context.Context, r wz.Runtime, module []byte) (wz.CompiledModule, error) {
	compiled, err := r.CompileModule(ctx, module)
	if errno, system := errors.AsType[syscall.Errno](err); system {
		return nil, &job.Error{Code: job.CodeInternal, Message: "engine: the system refused it what compiling takes: " + errno.Error(), Err: err}
	}
	if err != nil {
		return nil, &job.Error{Code: job.CodeBadModule, Message: "invalid module: " + firstLine(err), Err: err}
	}
	start, ok := compiled.ExportedFunctions()[startFunction]
	if !ok || len(start.ParamTypes()) > 0 || len(start.ResultTypes()) > 0 {
		return nil, NoStart()
	}
	return compiled, nil
}

// Load implements engine.Engine. What wazero compiles is the module's skeleton, and the
// code that it finds for that is the module's.
func (Engine) Load(ctx context.Context, module []byte, compiled *os.File, memoryMB int64) (engine.Program, error) {
	pages := min(uint32(memoryMB<<20/pageSize), mostPages)
	parsed, err := parse(module, pages)
	if err != nil {
		return nil, err
	}
	c := &code{from: compiled}
	r, err := runtime(ctx, c, pages)
	if err != nil {
		return nil, err
	}
	p := &program{runtime: r}
	err = p.host(ctx)
	if err == nil {
		p.compiled, err = compile(ctx, r, skeleton(module))
		if err != nil || !c.taken || c.failed != nil {
			err = fmt.Errorf("%w: %w", engine.ErrCode, errors.Join(err, c.failed))
		}
	}
	if err != nil {
		return nil, errors.Join(err, r.Close(ctx))
	}
	return p.checked(ctx, parsed)
}

// checked returns the program if it imports nothing that it cannot have.
func (p *program) checked(ctx context.Context, parsed *parsed) (engine.Program, error) {
	err := checkImports(parsed.imports, p.wasi)
	if err == nil {
		err = checkTypes(p.compiled.ImportedFunctions(), p.wasi)
	}
	if err != nil {
		return nil, errors.Join(err, p.runtime.Close(ctx))
	}
	return p, nil
}

// parsed is what plasm itself looks at in a module.
type parsed struct {
	imports []imported
	memory  uint32 // smallest size, in pages
}

func parse(module []byte, pages uint32) (*parsed, error) {
	if err := engine.CheckHeader(module); err != nil {
		return nil, err
	}
	all, err := sections(module)
	if err != nil {
		return nil, err
	}
	var p parsed
	for _, s := range all {
		switch s.id {
		case sectionImport:
			p.imports = imports(s.content)
		case sectionMemory:
			p.memory = minMemory(s.content)
		}
	}
	if p.memory > pages && p.memory <= maxPages { // beyond it is wazero's to say
		return nil, tooSmall(p.memory, pages)
	}
	return &p, nil
}

// tooSmall is the error for a memory that begins larger than pages.
func tooSmall(need, pages uint32) error {
	e := &job.Error{Code: job.CodeModuleRefused}
	if need > mostPages {
		e.Message = fmt.Sprintf("the module's memory begins at %d pages, and the engine can give %d", need, mostPages)
		return e
	}
	mb := (int64(need)*pageSize + 1<<20 - 1) >> 20
	e.Message = fmt.Sprintf("the module's memory begins at %d MB, and the job may have %d MB", mb, (int64(pages)*pageSize+1<<20-1)>>20)
	e.Hint = fmt.Sprintf("allow it more with --memory %d", mb)
	return e
}

// checkImports refuses a module that imports anything but WASI preview 1.
func checkImports(list []imported, host map[string]api.FunctionDefinition) error {
	for _, i := range list {
		_, known := host[i.name]
		if i.module == wasi.ModuleName && i.kind == importFunc && known {
			continue
		}
		return &job.Error{
			Code:    job.CodeBadModule,
			Message: fmt.Sprintf("the module imports %v, which is not WASI preview 1", i),
			Hint:    "compile the program for the target wasm32-wasip1, without bindings to another host",
		}
	}
	return nil
}

// checkTypes refuses a module that imports a function of WASI preview 1 with
// other parameters or results than it has. Every function of the list has passed
// checkImports.
func checkTypes(list []api.FunctionDefinition, host map[string]api.FunctionDefinition) error {
	for _, f := range list {
		_, name, _ := f.Import()
		want := host[name]
		if slices.Equal(f.ParamTypes(), want.ParamTypes()) && slices.Equal(f.ResultTypes(), want.ResultTypes()) {
			continue
		}
		return WrongType(name)
	}
	return nil
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
