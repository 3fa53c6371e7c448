//go:build unix

package limit

// words is a text that is put together without memory from anywhere. What does not go
// into it is left out.
type words struct {
	text [1024]byte
	n    int
}

// String returns the text.
func (w *words) String() string { return string(w.text[:w.n]) }

func (w *words) byte(b byte) {
	if w.n < len(w.text) {
		w.text[w.n] = b
		w.n++
	}
}

func (w *words) add(s string) {
	for i := range len(s) {
		w.byte(s[i])
	}
}

func (w *words) number(n uint64) {
	power := uint64(1)
	for n/power >= 10 {
		power *= 10
	}
	for ; power > 0; power /= 10 {
		w.byte(byte('0' + n/power%10))
	}
}
