package main

import (
	"io"

	"plasm/lib/cli"
	"plasm/lib/job"
)

// refuse says why nothing can be run by a program with the C library in it, which
// starts threads by calls that the filter of workers kills.
func refuse(stderr io.Writer) int {
	return cli.Fail(stderr, name, &job.Error{
		Code:    job.CodeUnsupported,
		Message: "this program was built with cgo, and its workers would die of their own system-call filter",
		Hint:    "build it with `make build`, or with CGO_ENABLED=0",
	})
}
