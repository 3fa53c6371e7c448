package wazero

import (
	"errors"
	"os"
	"strings"
	"testing"

	"plasm/lib/engine"
)

// TestInputBroken has a guest read a file that cannot be read: it sees that something is
// wrong, and no end of file.
func TestInputBroken(t *testing.T) {
	t.Parallel()
	f, err := os.Open(t.TempDir())
	must(t, err)
	t.Cleanup(func() { must(t, f.Close()) })
	if got := play(t, named(t, "cat"), nil, engine.Host{Stdin: f, StdinKnown: true}); got.Stdout != "" ||
		got.Result.ExitCode != 0 {
		t.Errorf("%+v", got)
	}
}

// TestInputLarge passes more through a pipe than it holds.
func TestInputLarge(t *testing.T) {
	t.Parallel()
	want := strings.Repeat("0123456789abcdef", 20_000)
	for _, known := range []bool{true, false} {
		r, w := inputPipe(t)
		wrote := make(chan error)
		go func() {
			_, err := w.WriteString(want)
			wrote <- errors.Join(err, w.Close())
		}()
		got := play(t, named(t, "cat"), nil, engine.Host{Stdin: r, StdinKnown: known})
		must(t, <-wrote)
		if got.Stdout != want {
			t.Errorf("known %v: %d bytes came through of %d", known, len(got.Stdout), len(want))
		}
	}
}
