// Command alone is Wasmtime alone, for benchmarks.
package main

import (
	"os"

	"plasm/bench/alone"
	"plasm/engines/wasmtime"
)

func main() { os.Exit(alone.Main(wasmtime.Engine{}, os.Args[1:], os.Stdout, os.Stderr)) }
