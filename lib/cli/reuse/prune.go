package reuse

import (
	"cmp"
	"crypto/sha256"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"plasm/lib/job"
	"plasm/lib/receipt"
)

const (
	tempPattern = ".plasm-*"
	tempPrefix  = ".plasm-"
	tempAge     = 24 * time.Hour // after which a temporary file is nobody's any more
)

// entry is a file of the folder.
type entry struct {
	name  string
	bytes int64
	used  time.Time
}

// prune removes what is more than is to be kept: what was not used for too long, then what
// was used longest ago. It touches nothing that is not an entry, nor a temporary file of a
// process that is long gone. Another process may do the same at the same time.
func (s *Shelf) prune() error {
	s.mu.Lock()
	s.put = 0
	s.mu.Unlock()
	entries, err := s.list()
	if err != nil {
		return err
	}
	slices.SortFunc(entries,
		func(a, b entry) int { return cmp.Or(b.used.Compare(a.used), cmp.Compare(a.name, b.name)) })
	keep, now := s.cfg.Keep, time.Now()
	var kept int64
	for _, e := range entries {
		old := keep.Age > 0 && now.Sub(e.used) > keep.Age
		if kept += e.bytes; old || keep.Bytes > 0 && kept > keep.Bytes {
			kept -= e.bytes
			_ = os.Remove(filepath.Join(s.cfg.Dir, e.name)) // that of another process may come first
		}
	}
	return nil
}

// list returns the entries, and removes temporary files that were left.
func (s *Shelf) list() ([]entry, error) {
	all, err := os.ReadDir(s.cfg.Dir)
	if err != nil {
		return nil, err
	}
	var entries []entry
	for _, f := range all {
		digits, isEntry := strings.CutSuffix(f.Name(), suffix)
		isEntry = isEntry && job.Digest("sha256:"+digits).Valid()
		isTemp := strings.HasPrefix(f.Name(), tempPrefix)
		if !isEntry && !isTemp {
			continue
		}
		info, err := f.Info()
		if err != nil || info.Mode()&fs.ModeType != 0 { // gone, or none of ours
			continue
		}
		if isEntry {
			entries = append(entries, entry{f.Name(), info.Size(), info.ModTime()})
		} else if time.Since(info.ModTime()) > tempAge {
			_ = os.Remove(filepath.Join(s.cfg.Dir, f.Name())) // that of another process may come first
		}
	}
	return entries, nil
}

// contentOf reads a stream for its digest and length.
func contentOf(r io.Reader) (receipt.Content, error) {
	h := sha256.New()
	n, err := io.Copy(h, r)
	return receipt.Content{Digest: job.DigestOf(h.Sum(nil)), Bytes: n}, err
}
