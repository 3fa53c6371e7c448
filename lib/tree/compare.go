package tree

import (
	"crypto/sha256"
	"io"

	"plasm/lib/job"
)

// Discard is a Sink that keeps nothing: it tells digests and sizes.
var Discard Sink = discard{}

type discard struct{}

func (discard) Put(r io.Reader) (job.Digest, int64, error) {
	sum := sha256.New()
	n, err := io.CopyBuffer(struct{ io.Writer }{sum}, struct{ io.Reader }{r}, make([]byte, 256<<10))
	if err != nil {
		return "", 0, err
	}
	return job.DigestOf(sum.Sum(nil)), n, nil
}

// Difference returns the first path, by bytes, at which two trees differ, in a few words
// what is different there, and "" and "" when they are equal.
func Difference(want, got *Tree) (path, what string) {
	a, b := want.Entries, got.Entries
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Path < b[0].Path:
			return a[0].Path, "is not there"
		case len(a) == 0 || b[0].Path < a[0].Path:
			return b[0].Path, "should not be there"
		case a[0] != b[0]:
			return a[0].Path, different(&a[0], &b[0])
		}
		a, b = a[1:], b[1:]
	}
	return "", ""
}

func different(want, got *Entry) string {
	switch {
	case want.Type != got.Type:
		return "is a " + string(got.Type) + ", not a " + string(want.Type)
	case want.Type == Link:
		return "leads to " + job.Quote(got.Target) + ", not to " + job.Quote(want.Target)
	case want.Digest != got.Digest:
		return "has other content"
	case got.Executable:
		return "is executable"
	}
	return "is not executable"
}
