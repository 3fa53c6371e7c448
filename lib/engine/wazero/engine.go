// Package wazero is the built-in engine: the wazero compiler, pure Go, with
// folders, clocks, polling and exit codes of our own where its would let a guest
// out, wait in real time or mistake one number for another.
package wazero

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	wz "github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	wasi "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"plasm/lib/engine"
	"plasm/lib/job"
)

// version is that of the wazero that go.mod names; a test holds the two together.
const version = "1.12.0"

// features is WebAssembly 2.0 and the two later proposals that wazero passes the
// core test suite of and that need nothing of the host. Threads stay off:
// they would end determinism.
const features = api.CoreFeaturesV2 | experimental.CoreFeaturesTailCall | experimental.CoreFeaturesExtendedConst

const startFunction = "_start"

// Engine is the wazero engine. Its zero value is ready.
type Engine struct{}

// Name implements engine.Engine.
func (Engine) Name() string { return "wazero" }

// Version implements engine.Engine.
func (Engine) Version() string { return version }

// Features implements engine.Engine.
func (Engine) Features() []string {
	return []string{
		"bulk-memory", "extended-const", "multi-value", "mutable-global", "nontrapping-float-to-int",
		"reference-types", "sign-extension", "simd128", "tail-call",
	}
}

// runtime returns a runtime, and where cached is not "" the folder of its
// compilation cache.
func runtime(ctx context.Context, cached string, pages uint32) (wz.Runtime, error) {
	cfg := wz.NewRuntimeConfigCompiler().
		WithCoreFeatures(features).
		WithMemoryLimitPages(pages).
		WithDebugInfoEnabled(false)
	if cached != "" {
		cache, err := wz.NewCompilationCacheWithDir(cached)
		if err != nil {
			return nil, fmt.Errorf("compile cache: %w", err)
		}
		cfg = cfg.WithCompilationCache(cache)
	}
	return wz.NewRuntimeWithConfig(ctx, cfg), nil
}

// maxPages is all that a 32-bit memory can have.
const maxPages = job.MaxMemoryMB << 20 / pageSize

// Compile implements engine.Engine.
//
// What it leaves is filed under the module's skeleton (see skeleton.go), not
// under the module: that is what Load will ask for.
func (Engine) Compile(ctx context.Context, module []byte, staging string) error {
	if _, err := parse(module, maxPages); err != nil {
		return err
	}
	full, light := filepath.Join(staging, "full"), filepath.Join(staging, "light")
	if err := compileInto(ctx, module, full); err != nil {
		return err
	}
	if err := compileInto(ctx, skeleton(module), light); err != nil {
		return err
	}
	code, err := onlyFile(full)
	if err != nil {
		return err
	}
	name, err := onlyFile(light)
	if err != nil {
		return err
	}
	if err := os.Rename(code, name); err != nil {
		return err
	}
	if err := os.Rename(filepath.Dir(name), filepath.Join(staging, filepath.Base(filepath.Dir(name)))); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(full), os.RemoveAll(light))
}

func compileInto(ctx context.Context, module []byte, dir string) error {
	r, err := runtime(ctx, dir, maxPages)
	if err != nil {
		return err
	}
	_, err = compile(ctx, r, module)
	return errors.Join(err, r.Close(ctx))
}

// onlyFile returns the one file that wazero has put into its cache folder dir.
func onlyFile(dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(files) != 1 {
		return "", fmt.Errorf("compile cache: %d files where wazero leaves one", len(files))
	}
	return files[0], nil
}

func compile(ctx context.Context, r wz.Runtime, module []byte) (wz.CompiledModule, error) {
	compiled, err := r.CompileModule(ctx, module)
	if err != nil {
		return nil, &job.Error{Code: job.CodeBadModule, Message: "invalid module: " + firstLine(err), Err: err}
	}
	start, ok := compiled.ExportedFunctions()[startFunction]
	if !ok || len(start.ParamTypes()) > 0 || len(start.ResultTypes()) > 0 {
		return nil, &job.Error{
			Code:    job.CodeBadModule,
			Message: `the module exports no function "_start" without parameters and results`,
			Hint:    "build it as a command (with a main function), not as a library",
		}
	}
	return compiled, nil
}

// Load implements engine.Engine. When the cache has nothing for this processor
// or this wazero, or is damaged, it compiles instead.
func (Engine) Load(ctx context.Context, module []byte, cached string, memoryMB int64) (engine.Program, error) {
	pages := uint32(memoryMB << 20 / pageSize)
	parsed, err := parse(module, pages)
	if err != nil {
		return nil, err
	}
	if cached != "" {
		if p, err := loadCached(ctx, module, cached, pages); err == nil {
			return p.checked(ctx, parsed)
		}
	}
	p, err := load(ctx, module, "", pages)
	if err != nil {
		return nil, err
	}
	return p.checked(ctx, parsed)
}

// loadCached loads the machine code that Compile filed under the module's
// skeleton. On a miss wazero would compile the skeleton, which only traps, and
// file that: so a hit is one that leaves the folder as it was, with one file.
func loadCached(ctx context.Context, module []byte, cached string, pages uint32) (*program, error) {
	before, err := onlyFile(cached)
	if err != nil {
		return nil, err
	}
	p, err := load(ctx, skeleton(module), cached, pages)
	if err != nil {
		return nil, err
	}
	if after, err := onlyFile(cached); err != nil || after != before {
		return nil, errors.Join(errors.New("compile cache: no entry for this processor"), err, p.runtime.Close(ctx))
	}
	return p, nil
}

func load(ctx context.Context, module []byte, cached string, pages uint32) (*program, error) {
	r, err := runtime(ctx, cached, pages)
	if err != nil {
		return nil, err
	}
	p := &program{runtime: r}
	err = p.host(ctx)
	if err == nil {
		p.compiled, err = compile(ctx, r, module)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close(ctx))
	}
	return p, nil
}

// checked returns the program if it imports nothing that it cannot have.
func (p *program) checked(ctx context.Context, parsed *parsed) (engine.Program, error) {
	if err := checkImports(parsed.imports, p.wasi); err != nil {
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
	if err := checkHeader(module); err != nil {
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
	if p.memory > pages && p.memory <= maxPages {
		need := (int64(p.memory)*pageSize + 1<<20 - 1) >> 20
		return nil, &job.Error{
			Code:    job.CodeModuleRefused,
			Message: fmt.Sprintf("the module's memory begins at %d MB, and the job may have %d MB", need, int64(pages)*pageSize>>20),
			Hint:    fmt.Sprintf("allow it more with --memory %d", need),
		}
	}
	return &p, nil
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

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
