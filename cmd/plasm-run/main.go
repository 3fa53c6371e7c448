// Command plasm-run runs a WebAssembly program as a job on this machine, and
// signs a receipt for it. It is also the worker that jobs run in.
package main

import (
	"os"

	"plasm/lib/cli"
	"plasm/lib/cli/version"
	"plasm/lib/engine/wazero"
	"plasm/lib/sandbox/worker"
)

const name = "plasm-run"

// workerFlag makes the command a worker. It is not for people: without the
// descriptors that a supervisor passes there is nothing that a worker can do.
const workerFlag = "--worker"

func main() {
	if withC {
		os.Exit(refuse(os.Stderr))
	}
	if len(os.Args) == 2 && os.Args[1] == workerFlag {
		os.Exit(worker.Process(version.String(), wazero.Engine{}))
	}
	in := cli.Process(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	if len(os.Args) == 2 && os.Args[1] == engineInfoFlag {
		os.Exit(engineInfo(in))
	}
	os.Exit(run(in))
}
