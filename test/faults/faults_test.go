//go:build linux

// Package faults_test has jobs submitted, by the commands themselves and between
// machines of their own, while something goes wrong: a process is killed, a link
// is cut, slow or lossy, a disk is full, a node lies. Whatever it is, the user
// gets the right answer or a clear error, in time; and nothing is left behind.
package faults_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"plasm/test/bin"
)

// programs is the folder with the commands under test.
var programs = filepath.Join(os.TempDir(), fmt.Sprintf("plasm-faults-%d", os.Getpid()))

// patience is for waits that must end, on a machine that is busy.
const patience = time.Minute

// atOnce is how many of the tests run at a time: they mostly wait.
const atOnce = "8"

func TestMain(m *testing.M) {
	bin.HeedSignals(func() { os.Exit(1) })
	flag.Parse()
	os.Exit(func() int {
		defer func() { _ = os.RemoveAll(programs) }()
		if err := prepare(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

func prepare(ctx context.Context) error {
	if err := flag.Set("test.parallel", atOnce); err != nil {
		return err
	}
	if err := os.Mkdir(programs, 0o755); err != nil {
		return err
	}
	return bin.Build(ctx, programs, "plasm-run", "plasm-submit", "plasmd")
}
