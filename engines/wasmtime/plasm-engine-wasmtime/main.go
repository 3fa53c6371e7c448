// Command plasm-engine-wasmtime is a worker with the engine Wasmtime, for
// plasm-run and plasmd. It is not for people.
package main

import (
	"os"

	"plasm/engines/wasmtime"
	"plasm/lib/cli"
	"plasm/lib/sandbox"
	"plasm/lib/sandbox/worker"
)

func main() {
	e := wasmtime.Engine{}
	in := cli.Process(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	switch {
	case len(os.Args) == 2 && os.Args[1] == "--worker":
		os.Exit(worker.ProcessWithC(wasmtime.Reserve, e))
	case len(os.Args) == 2 && os.Args[1] == "--engine-info":
		if err := cli.WriteJSON(in.Stdout, sandbox.Build{Version: cli.Version(), Engines: []sandbox.EngineInfo{{
			Name: e.Name(), Version: e.Version(), Features: e.Features(),
		}}}); err != nil {
			os.Exit(cli.Fail(in.Stderr, "plasm-engine-wasmtime", err))
		}
	default:
		_, _ = os.Stderr.WriteString("plasm-engine-wasmtime: is for plasm-run and plasmd\nplasm-engine-wasmtime: hint: plasm-run --engine wasmtime MODULE.wasm\n")
		os.Exit(125)
	}
}
