package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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

// wasmOpt is what goes over a guest that was linked. Below 1 KiB there is nothing, as
// wasm-ld puts data behind it: so a constant that is added to an address can be the
// offset of the access, and needs no instruction.
const wasmOpt = "wasm-opt -O3 --low-memory-unused"

const wasmTarget = "--target=wasm32-wasi"

func newHouse(ctx context.Context, dir string, list []kernel) (*house, error) {
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	h := &house{root: filepath.Dir(strings.TrimSpace(string(mod))), dir: dir, kernels: list}
	h.env = []string{"HOME=" + dir, "TMPDIR=" + dir, "PATH=" + os.Getenv("PATH")}
	err = errors.Join(
		bin.Build(ctx, dir, "plasm-run"),
		bin.BuildEngines(ctx, dir),
		h.goBuild(ctx, "0", ".", "", "alone-wazero", "./bench/alone/wazero"),
		h.goBuild(ctx, "1", "engines/wasmtime", static(), "alone-wasmtime", "./alone"),
	)
	for _, k := range h.kernels {
		for _, b := range builds {
			err = errors.Join(err, h.compile(ctx, k, b))
		}
	}
	return h, err
}

// static returns what links a program with C in it as plasm-engine-wasmtime is: its
// start shall take as long.
func static() string {
	if runtime.GOOS == "linux" {
		return "-linkmode external -extldflags -static"
	}
	return ""
}

func (h *house) goBuild(ctx context.Context, cgo, module, ldflags, name, pkg string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w "+ldflags, "-o",
		filepath.Join(h.dir, name), pkg)
	cmd.Dir = filepath.Join(h.root, module)
	cmd.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
	return quietly(cmd)
}

// compile compiles and links in two steps: with one, clang would run wasm-opt on a
// guest by itself, where that is installed.
func (h *house) compile(ctx context.Context, k kernel, b build) error {
	out := filepath.Join(h.dir, k.name+b.suffix)
	flags := append(strings.Fields("-std=c11 -Wall -Wextra -Werror -c "+cFlags), b.flags...)
	var link []string
	if b.wasm {
		flags, link = append(flags, wasmTarget), append(link, wasmTarget)
	}
	steps := [][]string{
		append(append([]string{compiler()}, flags...), "-o", out+".o",
			filepath.Join(h.root, "bench", "kernels", k.name+".c")),
		append(append([]string{compiler()}, link...), "-o", out, out+".o"),
	}
	if b.opt {
		steps = append(steps, append(strings.Fields(wasmOpt), "-o", out, out))
	}
	for _, args := range steps {
		if err := quietly(exec.CommandContext(ctx, args[0], args[1:]...)); err != nil {
			return err
		}
	}
	return nil
}

// quietly runs a command whose output is of interest only when it fails.
func quietly(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// receiptFile is where plasm-run leaves its receipt: a job that is signed costs a
// signature.
const receiptFile = "receipt.json"

// command returns what runs a kernel in one way.
func (h *house) command(ctx context.Context, w way, k kernel, rounds string) *exec.Cmd {
	at := func(name string) string { return filepath.Join(h.dir, name) }
	file := k.name + builds[w.build].suffix
	args := []string{at(file), rounds}
	switch {
	case w.whole:
		args = []string{
			at("plasm-run"), "--no-stdin", "--engine", w.engine, "--cache-dir", at("cache"), "--receipt",
			at(receiptFile),
			at(file), rounds,
		}
	case w.engine != "":
		args = []string{at("alone-" + w.engine), at(file + "-" + w.engine), at(file), rounds}
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = h.env
	return cmd
}
