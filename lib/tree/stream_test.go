package tree_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"plasm/lib/job"
	"plasm/lib/tree"
)

// memoryFile is a tree.PackFile.
type memoryFile struct{ data []byte }

func (f *memoryFile) ReadAt(p []byte, at int64) (int, error) {
	return bytes.NewReader(f.data).ReadAt(p, at)
}

func (f *memoryFile) WriteAt(p []byte, at int64) (int, error) {
	if end := int(at) + len(p); end > len(f.data) {
		f.data = append(f.data, make([]byte, end-len(f.data))...)
	}
	return copy(f.data[at:], p), nil
}

func textFile(path, text string) tree.Entry {
	return tree.Entry{Path: path, Type: tree.File, Size: int64(len(text)), Digest: job.Sum([]byte(text))}
}

// sampleStream is a stream of two trees, of which one content doesn't follow.
func sampleStream(tb testing.TB) ([]byte, []*tree.Tree) {
	tb.Helper()
	one := &tree.Tree{Entries: []tree.Entry{textFile("a", "one"), textFile("b", ""), {Path: "c", Type: tree.Dir}}}
	two := &tree.Tree{Entries: []tree.Entry{textFile("a", "two"), textFile("again", "one"), textFile("known", "three")}}
	var b bytes.Buffer
	texts := contents("one", "two", "three")
	err := tree.WriteStream(context.Background(), &b,
		[]tree.Part{{Tree: one, Contents: texts}, {Tree: two, Contents: texts}},
		func(d job.Digest) bool { return d == job.Sum([]byte("three")) })
	if err != nil {
		tb.Fatal(err)
	}
	return b.Bytes(), []*tree.Tree{one, two}
}

func TestStreamComesBack(t *testing.T) {
	t.Parallel()
	data, want := sampleStream(t)
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"bytes": iotest.OneByteReader, "halves": iotest.HalfReader, "all": func(r io.Reader) io.Reader { return r },
	} {
		p := tree.NewPacker(&memoryFile{})
		s := tree.NewStreamReader(2, 11, p)
		if _, err := io.Copy(struct{ io.Writer }{s}, struct{ io.Reader }{wrap(bytes.NewReader(data))}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		trees, omitted, err := s.End()
		if err != nil || len(trees) != 2 || trees[0].Digest() != want[0].Digest() ||
			trees[1].Digest() != want[1].Digest() {
			t.Errorf("%s: %v %v", name, trees, err)
		}
		if len(omitted) != 1 || omitted[0].Digest != job.Sum([]byte("three")) || omitted[0].Size != 5 {
			t.Errorf("%s: omitted %v", name, omitted)
		}
		for _, text := range []string{"one", "two"} {
			r, ok := p.Blob(job.Sum([]byte(text)))
			if !ok {
				t.Fatalf("%s: %q is not there", name, text)
			}
			if got, err := io.ReadAll(r); err != nil || string(got) != text {
				t.Errorf("%s: %q %v", name, got, err)
			}
		}
	}
}

func TestStreamRefuses(t *testing.T) {
	t.Parallel()
	data, _ := sampleStream(t)
	length := func(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }
	stray, other := bytes.Clone(data), bytes.Clone(data)
	stray[len(data)-len("onetwo")-1] |= 0x80
	other[len(data)-1]++
	disorder := append(bytes.Clone(data[:len(data)-6]),
		string(data[len(data)-3:])+string(data[len(data)-6:len(data)-3])...)
	for name, c := range map[string]struct {
		data []byte
		most int64
	}{
		"cut short":            {data[:len(data)-1], 11},
		"nothing":              {nil, 11},
		"one byte more":        {append(bytes.Clone(data), 0), 11},
		"more than may be":     {data, 10},
		"other content":        {other, 11},
		"contents in disorder": {disorder, 11},
		"a stray bit":          {stray, 11},
		"an empty document":    {length(0), 11},
		"a document of 2^63":   {length(1 << 63), 11},
		"a long document":      {length(tree.MaxDocument + 1), 11},
		"no document":          {append(length(3), "{}\n"...), 11},
	} {
		s := tree.NewStreamReader(2, c.most, tree.NewPacker(&memoryFile{}))
		_, err := s.Write(c.data)
		if err == nil {
			_, _, err = s.End()
		}
		if !errors.Is(err, tree.ErrStream) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzStream is what a requester does with the folders that a node sends.
func FuzzStream(f *testing.F) {
	data, _ := sampleStream(f)
	f.Add(data, 2)
	f.Add(data[:40], 1)
	f.Fuzz(func(t *testing.T, data []byte, trees int) {
		if trees < 1 || trees > job.MaxDirs {
			return
		}
		p := tree.NewPacker(&memoryFile{})
		s := tree.NewStreamReader(trees, 1<<20, p)
		_, err := s.Write(data)
		if err == nil {
			var found []*tree.Tree
			if found, _, err = s.End(); err == nil {
				again := bytes.NewBuffer(nil)
				parts := make([]tree.Part, len(found))
				for i, t := range found {
					parts[i] = tree.Part{Tree: t, Contents: func(d job.Digest) (io.Reader, error) {
						if r, ok := p.Blob(d); ok {
							return r, nil
						}
						return strings.NewReader(""), nil
					}}
				}
				known := func(d job.Digest) bool { return !p.Has(d) }
				if err := tree.WriteStream(context.Background(), again, parts, known); err != nil ||
					!bytes.Equal(again.Bytes(), data) {
					t.Fatalf("written again it is another: %v", err)
				}
				return
			}
		}
		if !errors.Is(err, tree.ErrStream) {
			t.Fatalf("%v is no refusal", err)
		}
	})
}

func TestBlobs(t *testing.T) {
	t.Parallel()
	two := textFile("b", "one")
	two.Size++
	for name, entries := range map[string][]tree.Entry{
		"two sizes of one content":  {textFile("a", "one"), two},
		"a size of nothing":         {{Path: "a", Type: tree.File, Size: 1, Digest: job.EmptyDigest}},
		"nothing of another digest": {{Path: "a", Type: tree.File, Digest: job.Sum([]byte("one"))}},
	} {
		if _, err := tree.Blobs(&tree.Tree{Entries: entries}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
