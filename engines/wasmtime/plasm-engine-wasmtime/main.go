// Command plasm-engine-wasmtime is a worker with the engine Wasmtime, for
// plasm-run and plasmd. It is not for people.
package main

import (
	"os"

	"plasm/engines/wasmtime"
	"plasm/lib/cli/version"
	"plasm/lib/sandbox/worker"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--worker" {
		os.Exit(worker.ProcessWithC(wasmtime.Reserve, version.String(), wasmtime.Engine{}))
	}
	_, _ = os.Stderr.WriteString("plasm-engine-wasmtime: is for plasm-run and plasmd\nplasm-engine-wasmtime: hint: " +
		"plasm-run --engine wasmtime MODULE.wasm\n")
	os.Exit(125)
}
