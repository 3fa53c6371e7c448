// Package cli is what the commands share: flags, exit codes, the way errors are
// told, and where a command finds its key, its cache and its environment.
//
// A command's main is three lines: it hands an Invocation to a run function and
// exits with what that returns. Nothing in this package exits or reads globals.
package cli

import (
	"io"
	"os"
)

// Invocation is everything that a command gets from outside.
type Invocation struct {
	Args   []string // without the command's own name
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Getenv func(string) string
}

// Process returns the invocation of this process.
func Process(args []string, stdin, stdout, stderr *os.File) *Invocation {
	return &Invocation{
		Args: args, Stdin: stdin, Stdout: newBounded(stdout), Stderr: newBounded(stderr),
		Getenv: os.Getenv,
	}
}

// Print writes data to the command's own stdout. An error is a *job.Error.
func (in *Invocation) Print(data []byte) error {
	if _, err := in.Stdout.Write(data); err != nil {
		return writeError(standardOutput, err)
	}
	return nil
}

// What messages call the standard streams.
const (
	standardInput  = "standard input"
	standardOutput = "standard output"
	standardError  = "standard error"
)
