// Command wazero is the built-in engine alone, for benchmarks.
package main

import (
	"os"

	"plasm/bench/alone"
	"plasm/lib/engine/wazero"
)

func main() { os.Exit(alone.Main(wazero.Engine{}, os.Args[1:], os.Stdout, os.Stderr)) }
