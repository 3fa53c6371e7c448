package wasi

import (
	"io"
	"os"
)

// Config is all that a program gets of its host. The zero value gives it nothing: no
// arguments, no environment, empty input, discarded output, no folders, the deterministic
// clock and entropy of seed 0.
type Config struct {
	Args       []string // with argv[0]
	Env        []string // "name=value"
	Stdin      *os.File // nil: empty
	StdinKnown bool     // the whole input is known: reads fill their buffer, and input is always ready
	Stdout     io.Writer
	Stderr     io.Writer
	Preopens   []Preopen
	Real       bool // the real clock, sleep and entropy
	Seed       int64
	Clock      *Clock // nil: one that begins now, as Real says
}

// Preopen is a folder that a program begins with.
type Preopen struct {
	Guest string // its path, as the program gets to know it
	Dir   Dir
}

// Host is one program's host.
type Host struct {
	Args, Env []string
	Clock     *Clock
	Entropy   io.Reader

	// What the program begins with, in the order of its numbers in preview 1.
	Stdin, Stdout, Stderr *Descriptor
	Preopens              []*Descriptor

	real bool
}

// New returns the host of a program that is about to start. The folders of c are its own
// from then on.
func New(c Config) *Host {
	h := &Host{
		Args: c.Args, Env: c.Env,
		Clock:   c.Clock,
		Entropy: NewEntropy(c.Real, c.Seed),
		Stdin:   &Descriptor{in: &input{file: c.Stdin, known: c.StdinKnown}},
		Stdout:  &Descriptor{out: orDiscard(c.Stdout)},
		Stderr:  &Descriptor{out: orDiscard(c.Stderr)},
		real:    c.Real,
	}
	if h.Clock == nil {
		h.Clock = NewClock(c.Real)
	}
	for _, p := range c.Preopens {
		h.Preopens = append(h.Preopens, &Descriptor{dir: p.Dir, node: p.Dir, preopen: p.Guest})
	}
	return h
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}

// Real reports whether the program has the real clock.
func (h *Host) Real() bool { return h.real }
