package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"plasm/lib/engine"
	"plasm/lib/job"
)

// enginePrefix is what the name of an engine's executable begins with.
const enginePrefix = "plasm-engine-"

// OtherEngines are the engines that are executables of their own, as they belong to
// this version of plasm, the fastest first. Each is faster than the one in plasm-run.
func OtherEngines() []EngineInfo {
	return []EngineInfo{{Name: "wasmtime", Version: engine.WasmtimeVersion, Features: engine.Features()}}
}

// Fault says what is known to be wrong with an engine of OtherEngines on a processor, as
// Go names it: "" where nothing is. One that has a fault runs nothing but the jobs of
// a user of plasm-run who names it.
func (e EngineInfo) Fault(arch string) string {
	if e.Name == "wasmtime" && arch == "arm64" {
		return "Wasmtime " + e.Version + " may compile a large br_table wrongly for arm64"
	}
	return ""
}

// Backend is an engine, how a worker that has it is started, and which version of
// plasm that worker must be of.
type Backend struct {
	Worker  []string
	Engine  EngineInfo
	Version string
}

// ErrNoEngine is in the error of FindEngine when an engine is not installed.
var ErrNoEngine = errors.New("the engine is not installed")

// FindEngine returns one of OtherEngines from the first of dirs that has its
// executable, if nobody but root and this user can have put it there. Whether it is
// of that version of plasm its workers tell when they have confined themselves (see
// ErrNoWorker). An error is a *job.Error of job.CodeUnsupported; ErrNoEngine when there is none.
func FindEngine(version string, e EngineInfo, dirs ...string) (*Backend, error) {
	path, err := findExecutable(e.Name, dirs)
	if err != nil {
		return nil, err
	}
	return &Backend{[]string{path, "--worker"}, e, version}, nil
}

// findExecutable returns a path without links.
func findExecutable(name string, dirs []string) (string, error) {
	file := enginePrefix + name
	for _, dir := range dirs {
		path, err := filepath.EvalSymlinks(filepath.Join(dir, file))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			path, err = filepath.Abs(path)
		}
		if err == nil {
			err = executable(path)
		}
		if err != nil {
			return "", &job.Error{
				Code: job.CodeUnsupported, Message: fmt.Sprintf("engine: %s: %v", filepath.Join(dir, file), err),
				Hint: "an engine must belong to root or to you, and nobody else may write to it or to the folders " +
					"above it", Err: err,
			}
		}
		return path, nil
	}
	return "", &job.Error{
		Code: job.CodeUnsupported, Err: ErrNoEngine,
		Message: fmt.Sprintf("engine: %q is not here: no %s beside plasm-run or in --engines DIR", name, file),
		Hint:    "install " + file + ", or take the built-in engine with --engine wazero",
	}
}

// executable refuses what is no executable file, and what another user can change.
func executable(path string) error {
	info, err := os.Lstat(path)
	if err == nil && (!info.Mode().IsRegular() || info.Mode()&0o111 == 0) {
		err = errors.New("not an executable file")
	}
	if err != nil {
		return err
	}
	return ours(path)
}
