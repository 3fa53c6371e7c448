package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"plasm/test/bin"
)

// house is where everything is that is run.
type house struct {
	root string // of the repository
	dir  string
	env  []string

	kernels []kernel
}

// compiler makes programs and guests alike; a variable may name another one.
func compiler() string {
	if name := os.Getenv("CLANG"); name != "" {
		return name
	}
	return "clang-14"
}

// cFlags are the same for programs and guests. Without the second, a processor that
// has fused multiply-add would give other sums; without the third, a square root
// would be a call.
const cFlags = "-O3 -ffp-contract=off -fno-math-errno"

func build(ctx context.Context, dir string, list []kernel) (*house, error) {
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	h := &house{root: filepath.Dir(strings.TrimSpace(string(mod))), dir: dir, kernels: list}
	h.env = []string{"HOME=" + dir, "TMPDIR=" + dir, "PATH=" + os.Getenv("PATH")}
	err = errors.Join(
		bin.Build(ctx, dir, "plasm-run"),
		bin.BuildEngines(ctx, dir),
		h.goBuild(ctx, "0", ".", "alone-wazero", "./bench/alone/wazero"),
		h.goBuild(ctx, "1", "engines/wasmtime", "alone-wasmtime", "./alone"),
	)
	for _, k := range h.kernels {
		err = errors.Join(err,
			h.clang(ctx, k.name, k.name),
			h.clang(ctx, k.name, k.name+"-scalar.wasm", "--target=wasm32-wasi"),
			h.clang(ctx, k.name, k.name+"-simd.wasm", "--target=wasm32-wasi", "-msimd128"),
		)
	}
	return h, err
}

func (h *house) goBuild(ctx context.Context, cgo, module, name, pkg string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", filepath.Join(h.dir, name), pkg)
	cmd.Dir = filepath.Join(h.root, module)
	cmd.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
	return quietly(cmd)
}

// clang compiles and links in two steps: with one, it would run wasm-opt on a guest
// where that happens to be installed.
func (h *house) clang(ctx context.Context, source, name string, target ...string) error {
	source = filepath.Join(h.root, "bench", "kernels", source+".c")
	object, out := filepath.Join(h.dir, name+".o"), filepath.Join(h.dir, name)
	compile := append(strings.Fields("-std=c11 -Wall -Wextra -Werror -c "+cFlags), target...)
	err := quietly(exec.CommandContext(ctx, compiler(), append(compile, "-o", object, source)...))
	if err == nil {
		err = quietly(exec.CommandContext(ctx, compiler(), append(target, "-o", out, object)...))
	}
	return err
}

// quietly runs a command whose output is of interest only when it fails.
func quietly(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// command returns what runs a kernel in one way.
func (h *house) command(ctx context.Context, w way, k kernel, rounds string) *exec.Cmd {
	at := func(name string) string { return filepath.Join(h.dir, name) }
	guest := k.name + "-scalar.wasm"
	if w.simd {
		guest = k.name + "-simd.wasm"
	}
	args := []string{at(k.name), rounds}
	switch {
	case w.whole:
		args = []string{
			at("plasm-run"), "--no-stdin", "--engine", w.engine, "--cache-dir", at("cache"), "--receipt", at("receipt.json"),
			at(guest), rounds,
		}
	case w.engine != "":
		args = []string{at("alone-" + w.engine), at(guest + "-" + w.engine), at(guest), rounds}
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = h.env
	return cmd
}
