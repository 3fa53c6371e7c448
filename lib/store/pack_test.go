package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plasm/lib/job"
	"plasm/lib/tree"
)

// treeOf is a tree with a file of each content.
func treeOf(contents ...string) *tree.Tree {
	t := &tree.Tree{}
	for i, c := range contents {
		t.Entries = append(t.Entries, tree.Entry{
			Path: string(rune('a' + i)), Type: tree.File, Size: int64(len(c)),
			Digest: job.Sum([]byte(c)),
		})
	}
	return t
}

// pack returns the pack of the first requester's folder, made if it isn't there.
func pack(s *Store, contents ...string) (*Pack, error) {
	t := treeOf(contents...)
	digests := []job.Digest{t.Digest()}
	p, ok, err := s.Pack(context.Background(), peer(1), digests)
	if ok || err != nil {
		return p, err
	}
	blobs, err := tree.Blobs(t)
	if err != nil {
		return nil, err
	}
	next, err := s.NewPack(peer(1), digests, tree.PackSize(1, int64(len(t.Encode())), int64(len(blobs)),
		tree.BlobBytes(blobs)))
	if err != nil {
		return nil, err
	}
	defer next.Close()
	for _, c := range contents {
		if _, _, err := next.Put(strings.NewReader(c)); err != nil {
			return nil, err
		}
	}
	return next.Commit(t)
}

func hasPack(tb testing.TB, s *Store, requester int, contents ...string) bool {
	tb.Helper()
	p, ok, err := s.Pack(context.Background(), peer(requester), []job.Digest{treeOf(contents...).Digest()})
	must(tb, err)
	if ok {
		p.Close()
	}
	return ok
}

func TestPack(t *testing.T) {
	t.Parallel()
	s, dir := onDisk(t)
	p, err := pack(s, "one", "two")
	must(t, err)
	info, err := p.File().Stat()
	must(t, err)
	index, err := tree.OpenPack(p.File(), info.Size())
	must(t, err)
	r, ok := index.Blob(job.Sum([]byte("two")))
	if !ok {
		t.Fatal("a content is not there")
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != "two" {
		t.Errorf("%q %v", got, err)
	}
	p.Close()
	if hasPack(t, s, 2, "one", "two") || !hasPack(t, s, 1, "one", "two") || hasPack(t, s, 1, "one") {
		t.Error("it is another's, or is not there")
	}
	again, err := Open(Config{Dir: dir})
	must(t, err)
	if !hasPack(t, again, 1, "one", "two") {
		t.Error("it is gone")
	}
	usage, _ := again.Usage()
	if before, _ := s.Usage(); usage != before || usage.Entries != 1 {
		t.Errorf("usage %+v, and before %+v", usage, before)
	}
	seen := 0
	must(t, again.Packs(context.Background(), peer(1), func(p *tree.Pack) bool {
		seen++
		return p.Document(treeOf("one", "two").Digest()) != nil
	}))
	must(t, again.Packs(context.Background(), peer(2), func(*tree.Pack) bool { seen++; return true }))
	if seen != 1 {
		t.Errorf("%d packs were looked at", seen)
	}
}

// A pack that was damaged is never used: it is gone.
func TestPackDamaged(t *testing.T) {
	t.Parallel()
	tests := map[string]func(name string) error{
		"missing":   os.Remove,
		"a link":    func(f string) error { return relink(f, "/dev/null") },
		"a folder":  refolder,
		"cut short": func(f string) error { return os.Truncate(f, 40) },
		"longer":    func(f string) error { return os.Truncate(f, 1<<20) },
		"other content": func(f string) error {
			data, err := os.ReadFile(f)
			return errors.Join(err, os.WriteFile(f, bytes.Replace(data, []byte("content"), []byte("CONTENT"), 1),
				0o600))
		},
		"no index": func(f string) error {
			data, err := os.ReadFile(f)
			clear(data[8:24])
			return errors.Join(err, os.WriteFile(f, data, 0o600))
		},
	}
	for name, damage := range tests {
		for _, restart := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s, dir := onDisk(t)
				p, err := pack(s, "a content")
				must(t, err)
				p.Close()
				found, err := filepath.Glob(filepath.Join(dir, "content", peer(1), "*.pack"))
				if err != nil || len(found) != 1 {
					t.Fatalf("%q %v", found, err)
				}
				must(t, damage(found[0]))
				if restart {
					again, err := Open(Config{Dir: dir})
					must(t, err)
					s = again
				}
				if hasPack(t, s, 1, "a content") {
					t.Error("it is used")
				}
				p, err = pack(s, "a content")
				must(t, err)
				p.Close()
				if !hasPack(t, s, 1, "a content") {
					t.Error("it is not there again")
				}
				if content, _ := s.Usage(); content.Entries != 1 {
					t.Errorf("usage %+v", content)
				}
			})
		}
	}
}

// Room for a pack is there before anything of it comes, and what is used the least makes it.
func TestPackRoom(t *testing.T) {
	t.Parallel()
	s, dir := onDisk(t)
	s.content.all, s.content.share = amount{100_000, 10}, amount{100_000, 10}
	var last *Pack // is in use
	for i, c := range []string{"one", "two", "three"} {
		p, err := pack(s, strings.Repeat(c, 20_000/len(c)))
		must(t, err)
		if i < 2 {
			p.Close()
		}
		last = p
	}
	defer last.Close()
	if _, err := s.NewPack(peer(1), []job.Digest{job.EmptyDigest}, 100_000); err == nil {
		t.Error("there is room for more than there is")
	} else {
		room, ok := errors.AsType[*RoomError](err)
		if !ok || !room.Never() {
			t.Errorf("%v", err)
		}
	}
	next, err := s.NewPack(peer(1), []job.Digest{job.EmptyDigest}, 50_000)
	must(t, err)
	if hasPack(t, s, 1, strings.Repeat("one", 6666)) || !hasPack(t, s, 1, strings.Repeat("three", 4000)) {
		t.Error("the oldest is there, or one that is used is not")
	}
	if _, err := next.WriteAt([]byte("x"), 50_000); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a byte too much: %v", err)
	}
	next.Close()
	next.Close()
	if left := names(t, filepath.Join(dir, "unfinished")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if len(s.running) > 0 {
		t.Error("its room is still promised")
	}
}

// A job's scratch file has no name, and what it leaves is kept.
func TestJobFolders(t *testing.T) {
	t.Parallel()
	s, dir := onDisk(t)
	r := request(1, 1)
	r.Scratch, r.Folders = 1000, 100
	j, run := accept(t, s, r)
	if _, err := j.Scratch().WriteAt([]byte("scratch"), 10); err != nil {
		t.Error(err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "unfinished", "job-*", "*")); err != nil || len(left) != 4 {
		t.Errorf("%q %v", left, err)
	}
	if _, err := io.WriteString(j.Folders(), "what it leaves"); err != nil {
		t.Error(err)
	}
	if _, err := j.Folders().Write(make([]byte, 100)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("more than was reserved: %v", err)
	}
	must(t, run.Finish([]byte("receipt")))
	j.Close()
	again, err := Open(Config{Dir: dir})
	must(t, err)
	_, before := s.Usage()
	if _, after := again.Usage(); after != before {
		t.Errorf("usage %+v, and before %+v", after, before)
	}
	j, ok, err := again.Find(r.Requester, r.ID)
	if err != nil || !ok {
		t.Fatal(err)
	}
	defer j.Close()
	if got, err := io.ReadAll(j.Folders().Follow(t.Context(), 5)); err != nil || string(got) != "it leaves" {
		t.Errorf("%q %v", got, err)
	}
}
