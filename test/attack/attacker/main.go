//go:build linux

// Command attacker tries, for the tests beside it, what a worker must not be able
// to do. It is both sides: a supervisor that runs jobs, and a worker whose engine
// attacks instead of running a module. It also starts programs under a
// system-call filter, and tries to look into other processes.
package main

import (
	"fmt"
	"os"
)

func main() {
	err := fmt.Errorf("attacker: %d words are none of its commands", len(os.Args)-1)
	if len(os.Args) > 1 {
		rest := os.Args[2:]
		switch os.Args[1] {
		case "worker":
			os.Exit(work(engine{}))
		case "supervise": // the executable of its workers; jobs on stdin, reports on stdout
			err = supervise(rest[0], os.Stdin, os.Stdout)
		case "under": // a filter, a command
			err = under(rest)
		case "reap": // a command; and says how a process ended that the command left behind
			err = reap(rest, os.Stdin, os.Stdout)
		case "bare": // an attack, its argument: without any confinement
			_, err = os.Stdout.WriteString(attempt(rest[0], rest[1]) + "\n")
		case "look": // a process: attach to it, read its memory
			_, err = os.Stdout.WriteString(look(rest[0]) + "\n")
		}
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
