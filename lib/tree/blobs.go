package tree

import (
	"cmp"
	"fmt"
	"slices"

	"plasm/lib/job"
)

// Blob is a content of files.
type Blob struct {
	Digest job.Digest
	Size   int64 // 1 to job.MaxSafeInt
}

// Blobs returns the contents of the files of trees, each once and ascending by digest. The
// empty content is left out: it is everywhere. An error is a *job.FieldError: two entries
// say different sizes of one content, which no content can have.
func Blobs(trees ...*Tree) ([]Blob, error) {
	var all []Blob
	for _, t := range trees {
		for i := range t.Entries {
			e := &t.Entries[i]
			if e.Type == File && e.Digest != job.EmptyDigest {
				all = append(all, Blob{e.Digest, e.Size})
			}
			if e.Type == File && (e.Size == 0) != (e.Digest == job.EmptyDigest) {
				return nil, sizeProblem(e.Path, e.Digest, e.Size)
			}
		}
	}
	slices.SortFunc(all,
		func(a, b Blob) int { return cmp.Or(cmp.Compare(a.Digest, b.Digest), cmp.Compare(a.Size, b.Size)) })
	all = slices.Compact(all)
	for i := range all {
		if i > 0 && all[i].Digest == all[i-1].Digest {
			return nil, sizeProblem("", all[i].Digest, all[i].Size)
		}
	}
	return all, nil
}

func sizeProblem(path string, d job.Digest, size int64) error {
	problem := fmt.Sprintf("%s cannot have %d bytes", d, size)
	if path != "" {
		problem += ", as " + job.Quote(path) + " says"
	} else {
		problem += ", and another size too"
	}
	return &job.FieldError{Path: "tree", Problem: problem}
}

// BlobBytes returns how many bytes blobs have together, job.MaxSafeInt where it is more.
func BlobBytes(blobs []Blob) int64 {
	var n int64
	for _, b := range blobs {
		n = min(n+b.Size, job.MaxSafeInt) // both are at most 2^53
	}
	return n
}
