// Package wazero is the built-in engine: the wazero compiler, pure Go, without its WASI:
// guests of every engine have that of package wasi.
package wazero

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"

	wz "github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"plasm/lib/engine"
	"plasm/lib/job"
	"plasm/lib/wasm"
)

// version is that of the wazero that go.mod names; a test holds the two together.
const version = "1.12.0"

// features are those of engine.Features, all of whose core test suites wazero passes.
const features = api.CoreFeaturesV2 | experimental.CoreFeaturesTailCall | experimental.CoreFeaturesExtendedConst

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

// maxPages is the largest memory that the specification allows.
const maxPages = job.MaxMemoryMB << 20 / wasm.PageSize

// Validate implements engine.Validator. It lets wazero's interpreter take the module
// in, which decodes and validates it like the compiler and does little more.
func (Engine) Validate(ctx context.Context, module []byte) error {
	if _, err := engine.CheckModule(module, job.MaxMemoryMB); err != nil {
		return err
	}
	r := wz.NewRuntimeWithConfig(ctx,
		wz.NewRuntimeConfigInterpreter().WithCoreFeatures(features).WithDebugInfoEnabled(false))
	_, err := compile(ctx, r, module)
	return errors.Join(err, r.Close(ctx))
}

// Compile implements engine.Engine.
func (Engine) Compile(ctx context.Context, module []byte, out io.Writer) error {
	if _, err := engine.CheckModule(module, job.MaxMemoryMB); err != nil {
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
	compiled, err := r.CompileModule(ctx, engine.WithoutNames(module))
	if errno, system := errors.AsType[syscall.Errno](err); system {
		return nil, &job.Error{
			Code:    job.CodeInternal,
			Message: "engine: the system refused it what compiling takes: " + errno.Error(), Err: err,
		}
	}
	if err != nil {
		return nil, &job.Error{Code: job.CodeBadModule, Message: "invalid module: " + firstLine(err), Err: err}
	}
	return compiled, nil
}

// Load implements engine.Engine. What wazero compiles is the module's skeleton, and the
// code that it finds for that is the module's.
func (Engine) Load(ctx context.Context, module []byte, compiled *os.File, memoryMB int64) (engine.Program, error) {
	imports, err := engine.CheckModule(module, memoryMB)
	if err != nil {
		return nil, err
	}
	c := &code{from: compiled}
	r, err := runtime(ctx, c, uint32(engine.MostMemory(memoryMB)/wasm.PageSize))
	if err != nil {
		return nil, err
	}
	p := &program{runtime: r}
	err = p.host(ctx, imports)
	if err == nil {
		p.compiled, err = compile(ctx, r, skeleton(module))
		if err != nil || !c.taken || c.failed != nil {
			err = fmt.Errorf("%w: %w", engine.ErrCode, errors.Join(err, c.failed))
		}
	}
	if err != nil {
		return nil, errors.Join(err, r.Close(ctx))
	}
	return p, nil
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
