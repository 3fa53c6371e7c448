package cli

import "golang.org/x/term"

// IsTerminal reports whether a stream of an Invocation is a terminal.
func IsTerminal(stream any) bool {
	f, ok := FileOf(stream)
	return ok && term.IsTerminal(int(f.Fd()))
}
