package job

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A trace names the functions that were running when a guest trapped, the innermost
// first. It is the word of the worker that ran the guest, and the names are the module's:
// no receipt speaks of it.

// MaxTrace is how many functions a trace has at most, and MaxTraceName how long the name
// of one is, in bytes.
const (
	MaxTrace     = 16
	MaxTraceName = 128
)

// TraceName returns a function's name as a trace has it: what cannot be printed on a line
// is escaped as Go does it, and what is too long is cut and ends with "…".
func TraceName(name string) string {
	const cut = "…"
	var b strings.Builder
	for name != "" {
		r, n := utf8.DecodeRuneInString(name)
		piece := name[:n]
		switch {
		case r == utf8.RuneError && n == 1:
			piece = fmt.Sprintf(`\x%02x`, name[0])
		case unicode.IsPrint(r):
		case r < 0x80:
			piece = fmt.Sprintf(`\x%02x`, r)
		case r < 0x10000:
			piece = fmt.Sprintf(`\u%04x`, r)
		default:
			piece = fmt.Sprintf(`\U%08x`, r)
		}
		rest := MaxTraceName - b.Len() - len(piece)
		if rest < 0 || rest < len(cut) && len(name) > n {
			b.WriteString(cut)
			break
		}
		b.WriteString(piece)
		name = name[n:]
	}
	return b.String()
}

// CheckTrace holds a trace that came from elsewhere, where messages call it path, against
// the bounds: 1 to MaxTrace names of 1 to MaxTraceName bytes, UTF-8 without control
// characters. An error is a *FieldError.
func CheckTrace(path string, trace []string) error {
	if n := len(trace); n == 0 || n > MaxTrace {
		return &FieldError{Path: path, Problem: fmt.Sprintf("%d functions, not 1 to %d", n, MaxTrace)}
	}
	for i, name := range trace {
		if name == "" || len(name) > MaxTraceName || !utf8.ValidString(name) ||
			strings.ContainsFunc(name, unicode.IsControl) {
			problem := fmt.Sprintf("%s is not 1 to %d bytes of text on one line", Quote(name), MaxTraceName)
			return &FieldError{Path: element(path, i), Problem: problem}
		}
	}
	return nil
}
