//go:build linux

package hostile_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plasm/lib/job"
	"plasm/test/hostile"
)

// TestSameOnEveryEngine runs the examples with fuel counted and NaNs made canonical:
// engines agree on output, end and fuel to the unit.
func TestSameOnEveryEngine(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"hello", "wordcount", "sha256", "mandelbrot"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			module, err := os.ReadFile(filepath.Join("..", "..", "examples", name, name+".wasm"))
			must(t, err)
			var first string
			for _, engine := range hostile.Engines() {
				g := newGround(t)
				r := g.run(t, g.write(t, module), strings.NewReader("one two\ntwo three\n"), "--engine", engine,
					"--fuel", "100000000000", "--canonical-nan")
				if r.outcome == nil || r.outcome.Status != job.Exit || r.outcome.FuelUsed == nil {
					t.Fatalf("%s: %s %+v", engine, r.message, r.outcome)
				}
				got := fmt.Sprintf("exit %d, fuel %d, %s", *r.outcome.ExitCode, *r.outcome.FuelUsed,
					job.Sum(r.stdout.Bytes()))
				if first == "" {
					first = got
				}
				if got != first || r.stdout.Len() == 0 {
					t.Errorf("%s: %s, and on %s %s", engine, got, hostile.Engines()[0], first)
				}
			}
		})
	}
}

// TestNaNsOnEveryEngine does all that makes or passes on a NaN: with canonical NaNs the
// bits are the same on every engine, those that the specification leaves open are
// canonical, and no others.
func TestNaNsOnEveryEngine(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	module := g.write(t, hostile.NaNs())
	var first []byte
	for _, engine := range hostile.Engines() {
		for _, flags := range [][]string{{}, {"--fuel", "1000000"}} {
			r := g.run(t, module, nil, append(flags, "--engine", engine, "--canonical-nan")...)
			if r.outcome == nil || r.outcome.Status != job.Exit || *r.outcome.ExitCode != 0 {
				t.Fatalf("%s: %s %+v", engine, r.message, r.outcome)
			}
			if first == nil {
				first = r.stdout.Bytes()
				checkNaNs(t, first)
			}
			if !bytes.Equal(r.stdout.Bytes(), first) {
				t.Errorf("%s %v: other bits than on %s", engine, flags, hostile.Engines()[0])
			}
		}
	}
}

// TestNaNsWithoutCanonical does the same as it comes: what engines would differ in is
// made alike before they see it, compiled now or found in the cache.
func TestNaNsWithoutCanonical(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	module := g.write(t, hostile.NaNs())
	var first []byte
	for _, engine := range hostile.Engines() {
		for _, cached := range []bool{false, true} {
			r := g.run(t, module, nil, "--engine", engine)
			if r.outcome == nil || r.outcome.Status != job.Exit || *r.outcome.ExitCode != 0 ||
				r.outcome.CompileCached != cached {
				t.Fatalf("%s: %s %+v", engine, r.message, r.outcome)
			}
			if first == nil {
				first = r.stdout.Bytes()
			}
			if !bytes.Equal(r.stdout.Bytes(), first) {
				t.Errorf("%s, cached %v: other bits than on %s", engine, cached, hostile.Engines()[0])
			}
		}
	}
}

// checkNaNs looks at each NaN in what NaNs has written.
func checkNaNs(t *testing.T, out []byte) {
	t.Helper()
	for _, o := range hostile.FloatOps() {
		if len(out) < o.Results {
			t.Fatalf("%x: the results end", []byte(o.Code))
		}
		canonical, others := 0, 0
		for at := 0; at < o.Results; at += o.Size {
			var bits uint64
			quiet, exponent := uint64(0x7ff8<<48), uint64(0x7ff0<<48)
			if o.Size == 8 {
				bits = binary.LittleEndian.Uint64(out[at:])
			} else {
				bits, quiet, exponent = uint64(binary.LittleEndian.Uint32(out[at:])), 0x7fc00000, 0x7f800000
			}
			switch magnitude := bits &^ (1 << (8*o.Size - 1)); {
			case bits == quiet:
				canonical++
			case magnitude > exponent:
				others++
			}
		}
		if canonical == 0 || (others > 0) == o.Open {
			t.Errorf("%x: %d NaNs are canonical, %d others", []byte(o.Code), canonical, others)
		}
		out = out[o.Results:]
	}
	if len(out) > 0 {
		t.Errorf("%d bytes more", len(out))
	}
}
