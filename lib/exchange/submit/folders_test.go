package submit

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"plasm/lib/exchange/wire"
	"plasm/lib/job"
	"plasm/lib/tree"
)

// inText is the content of the file that a job with folders begins with, and outText that of
// the one that it writes; both are in what it leaves.
const (
	inText  = "what goes in"
	outText = "what comes out"
)

func fileEntry(path, content string) tree.Entry {
	return tree.Entry{Path: path, Type: tree.File, Size: int64(len(content)), Digest: job.Sum([]byte(content))}
}

// folderJob is a job whose folder /in has a file, and which writes /out.
func folderJob(t *testing.T) *Job {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "pack"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	p := tree.NewPacker(f)
	in := &tree.Tree{Entries: []tree.Entry{fileEntry("file", inText)}}
	if _, _, err := p.Put(strings.NewReader(inText)); err != nil {
		t.Fatal(err)
	}
	size, err := p.Finish(in)
	if err != nil {
		t.Fatal(err)
	}
	j := liarsJob()
	j.Manifest.Dirs = []job.Dir{{Guest: "/in", ReadOnly: true, Tree: in.Digest()}, {Guest: "/out", Tree: job.EmptyTree}}
	j.Manifest.DiskMB = 1
	if j.Pack, err = tree.OpenPack(f, size); err != nil {
		t.Fatal(err)
	}
	return j
}

// outTree is what the job leaves.
func outTree() *tree.Tree {
	return &tree.Tree{Entries: []tree.Entry{fileEntry("same", inText), fileEntry("wrote", outText)}}
}

// stream is that of a tree, of whose contents those follow that texts has.
func stream(t *tree.Tree, texts ...string) []byte {
	document := t.Encode()
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(document)))
	b = append(b, document...)
	blobs, _ := tree.Blobs(t) // of a lie, too
	bits := make([]byte, (len(blobs)+7)/8)
	var contents []byte
	for i, blob := range blobs {
		for _, text := range texts {
			if job.Sum([]byte(text)) == blob.Digest {
				bits[i/8] |= 1 << (i % 8)
				contents = append(contents, text...)
			}
		}
	}
	return append(append(b, bits...), contents...)
}

// leaves is a node that runs the job, sends what is said of its folders, and signs that it has
// left a tree; nil: none.
func leaves(sends []byte, signs *tree.Tree) func(*session) {
	return func(s *session) {
		if !s.accept() {
			return
		}
		s.run()
		s.output()
		_ = s.conn.SendData(wire.KindFolders, sends) // which the requester may not take
		st := s.statement()
		if signs != nil {
			st.Outcome.Dirs = []job.OutcomeDir{{
				Guest: "/out", Tree: signs.Digest(), Files: signs.Files(),
				Bytes: signs.Bytes(),
			}}
		}
		s.result(st)
	}
}

func folderLies() []lie {
	right := outTree()
	sent := stream(right, outText)
	other := &tree.Tree{Entries: []tree.Entry{fileEntry("another", outText)}}
	outside := &tree.Tree{Entries: []tree.Entry{fileEntry("../wrote", outText)}}
	large := fileEntry("large", outText)
	large.Size = 1<<20 + 1
	tooLarge := &tree.Tree{Entries: []tree.Entry{large}}
	changed := bytes.Replace(sent, []byte(outText), []byte(strings.ToUpper(outText)), 1)
	wants := func(a *wire.Accept, w *wire.Want) func(*session) {
		return func(s *session) {
			s.send(a)
			s.send(w)
			s.hang()
		}
	}
	return []lie{
		{"withholds a byte", leaves(sent[:len(sent)-1], right), job.CodeUnverified, "cut short"},
		{"one byte more", leaves(append(bytes.Clone(sent), 'x'), right), job.CodeUnverified, "more than they are"},
		{"other content", leaves(changed, right), job.CodeUnverified, "a content is not sha256:"},
		{"another tree", leaves(stream(other, outText), right), job.CodeUnverified, "that came is sha256:"},
		{
			"a path that leads out", leaves(stream(outside, outText), outside), job.CodeUnverified,
			"tree.entries[0].path: ",
		},
		{"more than the disk", leaves(stream(tooLarge), tooLarge), job.CodeUnverified, "files of 1048577 bytes"},
		{"withholds a content", leaves(stream(right), right), job.CodeUnverified, "a content has not come"},
		{"folders without a receipt of them", leaves(sent, nil), job.CodeUnverified, "the receipt tells of none"},
		{"a receipt without folders", leaves(nil, right), job.CodeUnverified, "none have come"},
		{
			"a document of 4 GiB", leaves(binary.LittleEndian.AppendUint64(nil, 4<<30), right), job.CodeUnverified,
			"a tree of 4294967296 bytes",
		},
		{
			"wants a content that there is not", wants(&wire.Accept{Want: true}, &wire.Want{Blobs: []byte{2}}),
			job.CodeUnverified, "want asks for",
		},
		{"wants a content from its end", wants(&wire.Accept{Want: true},
			&wire.Want{Blobs: []byte{1}, From: int64(len(inText))}), job.CodeUnverified, "want asks for"},
		{
			"wants fewer bytes than they are", wants(&wire.Accept{Want: true}, &wire.Want{Blobs: []byte{1}, Bytes: 1}),
			job.CodeUnverified, "want asks for",
		},
	}
}

// patiently is a requester of jobs with folders, for whom nothing is too late.
func patiently(t *testing.T, trusted ...*fakeNode) Config {
	t.Helper()
	cfg := config(t, trusted...)
	cfg.Wire, cfg.Tell = wire.Config{}, nil
	cfg.AttemptTimeout, cfg.Answer, cfg.Reattach, cfg.Grace = patience, patience, patience, patience
	cfg.File = func() (File, error) { return os.Create(filepath.Join(t.TempDir(), "left")) }
	return cfg
}

// TestFolderLiars holds what each lie about folders comes to, as TestLiars does.
func TestFolderLiars(t *testing.T) {
	t.Parallel()
	for _, l := range folderLies() {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				simulate(t)
				l.aboutFolders(t)
			})
		})
	}
}

// TestEndlessFolders is the lie of more bytes than a simulated network is fit for.
func TestEndlessFolders(t *testing.T) {
	t.Parallel()
	lie{"more folders than there can be", func(s *session) {
		if s.accept() {
			s.run()
			s.raw(func(w io.Writer) error { return endless(w, wire.KindFolders) })
		}
	}, job.CodeUnverified, "more in folders than the manifest allows"}.aboutFolders(t)
}

// aboutFolders holds what the lie comes to, alone and beside a node that doesn't lie.
func (l lie) aboutFolders(t *testing.T) {
	t.Helper()
	liar, other := node(t, l.does), node(t, leaves(stream(outTree(), outText), outTree()))
	cfg := patiently(t, liar, other)
	ctx := deadline(t, 5*patience)
	e, err := clearly(ctx, cfg, folderJob(t), these(liar.candidate(1)))
	switch {
	case err != nil:
		t.Error(err)
	case e.Code != l.code || len(e.Nodes) != 1 || !strings.Contains(e.Nodes[0].Rejection.Message, l.says):
		t.Errorf("%s: %v %+v", e.Code, e, e.Nodes)
	}
	if err := besideAnother(ctx, cfg, folderJob(t), liar, other); err != nil {
		t.Error(err)
	}
}

// besideAnother has a job run that a node lies about, and another does not.
func besideAnother(ctx context.Context, cfg Config, j *Job, liar, other *fakeNode) error {
	result, err := rightly(ctx, cfg, j, liarsInput, these(liar.candidate(2), other.candidate(1)))
	if err != nil {
		return err
	}
	defer result.Close()
	if result.Verified.Node.PeerID != other.key.PeerID() || len(result.Folders) != 1 ||
		result.Folders[0].Tree.Digest() != outTree().Digest() {
		return fmt.Errorf("%d folders by %s", len(result.Folders), result.Verified.Node.PeerID)
	}
	for _, text := range []string{inText, outText} {
		r, err := result.Folders[0].Contents(job.Sum([]byte(text)))
		if err != nil {
			return err
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != text {
			return fmt.Errorf("%q %w", got, err)
		}
	}
	return nil
}

// TestFoldersComeBackInPieces breaks the connection at each byte of what a job leaves, and the
// rest comes over another.
func TestFoldersComeBackInPieces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		sent := stream(outTree(), outText)
		var at atomic.Int64
		n := node(t, func(s *session) {
			from := int(s.offer.FoldersFrom)
			if s.number == 1 {
				if s.accept() {
					s.run()
					_ = s.conn.SendData(wire.KindFolders, sent[:at.Load()])
					s.conn.Close() // in order, so that what was sent arrives
				}
				return
			}
			s.send(&wire.Accept{Attached: true})
			s.stdin.WriteString(liarsInput)
			s.run()
			s.output()
			_ = s.conn.SendData(wire.KindFolders, sent[from:])
			st := s.statement()
			out := outTree()
			st.Outcome.Dirs = []job.OutcomeDir{{
				Guest: "/out", Tree: out.Digest(), Files: out.Files(),
				Bytes: out.Bytes(),
			}}
			s.result(st)
		})
		cfg := patiently(t, n)
		for cut := 0; cut < len(sent); cut += 31 {
			at.Store(int64(cut))
			n.mu.Lock()
			n.offers = nil
			n.mu.Unlock()
			result := submitted(t, cfg, folderJob(t), liarsInput, these(n.candidate(1)))
			if len(result.Folders) != 1 || result.Folders[0].Tree.Digest() != outTree().Digest() {
				t.Errorf("cut at %d: %+v", cut, result.Folders)
			}
		}
	})
}
