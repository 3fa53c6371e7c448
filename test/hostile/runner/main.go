//go:build linux

// Command runner is the two ways in which the tests beside it run hostile modules,
// as a process of its own, small and without a race detector, so that what is
// measured is not its own.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
)

func main() {
	err := fmt.Errorf("runner: %d words are none of its commands", len(os.Args)-1)
	if len(os.Args) > 2 {
		switch rest := os.Args[2:]; os.Args[1] {
		case "measure": // a command; the measurement goes to descriptor 3
			cmd := exec.Command(rest[0], rest[1:]...) //nolint:gosec,noctx // the tests say which, and it has no end but its own
			cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
			err = measure(cmd, json.NewEncoder(os.NewFile(3, "measurement")))
		case "serve": // a setup; reports on stdout
			err = serve(rest[0], json.NewEncoder(os.Stdout))
		}
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
