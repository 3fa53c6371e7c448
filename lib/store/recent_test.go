package store

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"plasm/lib/job"
)

// A module that was loaded is not read again: what its file is by now says nothing of
// the next job's. Who hasn't sent it doesn't get it either way.
func TestRecent(t *testing.T) {
	t.Parallel()
	s, dir := onDisk(t)
	module := []byte("module")
	m, err := upload(s, 1, module)
	must(t, err)
	defer m.Close()
	_, err = m.Load()
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "content", peer(1), job.Sum(module).Hex()), []byte("Module"), 0o600))
	if got, err := m.Load(); err != nil || !bytes.Equal(got, module) {
		t.Errorf("%q, %v", got, err)
	}
	if hasModule(t, s, 2, module) {
		t.Error("who has not sent it has it")
	}
}

// Memory is bounded, and what was used last stays.
func TestRecentBounds(t *testing.T) {
	t.Parallel()
	var r recent
	name := func(i int) job.Digest { return job.Sum([]byte{byte(i)}) }
	r.put(name(0), make([]byte, maxRecentBytes+1))
	if r.get(name(0)) != nil {
		t.Error("holds what is larger than all that it may hold")
	}
	const size = maxRecentBytes / 4
	for i := range 4 {
		r.put(name(i), make([]byte, size))
		r.put(name(i), make([]byte, size))
	}
	r.get(name(0))
	r.put(name(4), make([]byte, size))
	for i, want := range []bool{true, false, true, true, true} {
		if got := r.get(name(i)) != nil; got != want {
			t.Errorf("%d is there: %v", i, got)
		}
	}
	for i := range 2 * maxRecent {
		r.put(name(i), []byte("small"))
	}
	if len(r.items) != maxRecent || r.bytes > maxRecentBytes || r.get(name(2*maxRecent-1)) == nil {
		t.Errorf("%d with %d bytes", len(r.items), r.bytes)
	}
}
