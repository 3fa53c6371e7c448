package serve

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plasm/lib/exchange/wire"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/tree"
)

// folderJob is a job whose folder /in begins as a tree, and which writes /out.
type folderJob struct {
	*testJob
	document []byte
	sizes    []wire.TreeSize
	blobs    []tree.Blob
	contents map[job.Digest]string
}

// file is an entry of a tree.
func file(path, content string) tree.Entry {
	return tree.Entry{Path: path, Type: tree.File, Size: int64(len(content)), Digest: job.Sum([]byte(content))}
}

// newFolderJob has a file of each content.
func newFolderJob(t *testing.T, contents ...string) *folderJob {
	t.Helper()
	var entries []tree.Entry
	for i, content := range contents {
		entries = append(entries, file(string(rune('a'+i)), content))
	}
	return jobWith(t, (&tree.Tree{Entries: entries}).Encode(), entries, contents...)
}

// jobWith is a job with a tree of that document, sized as entries say.
func jobWith(t *testing.T, document []byte, entries []tree.Entry, contents ...string) *folderJob {
	t.Helper()
	j := &folderJob{testJob: newJob([]byte("module"), nil), document: document, contents: map[job.Digest]string{}}
	j.manifest.Dirs = []job.Dir{
		{Guest: "/in", ReadOnly: true, Tree: job.Sum(document)},
		{Guest: "/out", Tree: job.EmptyTree},
	}
	j.manifest.DiskMB = 1
	var err error
	if j.blobs, err = tree.Blobs(&tree.Tree{Entries: entries}); err != nil {
		t.Fatal(err)
	}
	for _, content := range contents {
		j.contents[job.Sum([]byte(content))] = content
	}
	j.sizes = []wire.TreeSize{{
		DocumentBytes: int64(len(document)), Entries: int64(len(entries)), Blobs: int64(len(j.blobs)),
		Bytes: tree.BlobBytes(j.blobs),
	}}
	return j
}

// again is the same job under another ID.
func (j *folderJob) again() *folderJob {
	again, m, inner := *j, *j.manifest, *j.testJob
	m.ID = job.NewID()
	inner.manifest = &m
	again.testJob = &inner
	return &again
}

// wanted returns the contents that a want asks for, one after the other.
func (j *folderJob) wanted(w *wire.Want) string {
	var all strings.Builder
	for i, b := range j.blobs {
		if w.Wants(i) {
			all.WriteString(j.contents[b.Digest])
		}
	}
	return all.String()[w.From:]
}

func (r *requester) offerFolders(j *folderJob) *talk {
	r.t.Helper()
	o := r.offer(j.testJob)
	o.Trees = j.sizes
	return r.openOffer(j.testJob, o)
}

// send sends data that the node may refuse meanwhile.
func (c *talk) send(kind wire.Kind, data string) *talk {
	_ = c.SendData(kind, []byte(data)) // the answer says so
	return c
}

// described takes the accept and gives document and module, up to the want.
func (c *talk) described(j *folderJob) *talk {
	c.t.Helper()
	c.until(wire.KindAccept)
	if len(c.accept.Trees) > 0 {
		c.send(wire.KindTree, string(j.document))
	}
	if c.accept.Module {
		c.send(wire.KindModule, string(j.module))
	}
	return c.until(wire.KindWant)
}

// TestFoldersArrive has folders come in one piece, not at all, and in part, and each requester
// by itself.
func TestFoldersArrive(t *testing.T) {
	t.Parallel()
	n := startNode(t, setup{Config: Config{Run: fakeRun(echo)}})
	r := newRequester(t, n, nil)
	j := newFolderJob(t, "one", "two", "", strings.Repeat("three", 50_000))
	c := r.offerFolders(j).described(j)
	if all := j.wanted(c.want); int64(len(all)) != c.want.Bytes || len(all) != 250_006 {
		t.Errorf("want %+v", c.want)
	}
	r.outcome(j.testJob, c.send(wire.KindBlob, j.wanted(c.want)).end())

	there := r.offerFolders(j.again()).until(wire.KindAccept)
	if there.accept.Module || there.accept.Want || len(there.accept.Trees) > 0 {
		t.Errorf("what is there is asked for: %+v", there.accept)
	}
	there.end()

	more := newFolderJob(t, "one", "four", strings.Repeat("three", 50_000))
	c = r.offerFolders(more).described(more)
	if got := more.wanted(c.want); got != "four" {
		t.Errorf("asked for %.20q", got)
	}
	r.outcome(more.testJob, c.send(wire.KindBlob, "four").end())

	other := newRequester(t, n, nil)
	same := j.again()
	c = other.offerFolders(same).described(same)
	if c.want.Bytes != 250_006 {
		t.Errorf("of another requester's folders only %d bytes are asked for", c.want.Bytes)
	}
	other.outcome(same.testJob, c.send(wire.KindBlob, same.wanted(c.want)).end())
}

// TestFoldersGoOn breaks the connection within a content.
func TestFoldersGoOn(t *testing.T) {
	t.Parallel()
	n := startNode(t, setup{Config: Config{Run: fakeRun(echo)}})
	r := newRequester(t, n, nil)
	j := newFolderJob(t, strings.Repeat("0123456789", 30_000), "small")
	c := r.offerFolders(j).described(j)
	all := j.wanted(c.want)
	const half = 200_000
	c.send(wire.KindBlob, all[:half])
	for { // until the node has taken it
		again := r.offerFolders(j).until(wire.KindAccept)
		if !again.accept.Attached || len(again.accept.Trees) > 0 {
			t.Fatalf("accept %+v", again.accept)
		}
		if again.accept.Module { // which comes before the contents
			again.Reset()
			continue
		}
		again.until(wire.KindWant)
		if left := again.want.Bytes; left != int64(len(all)-half) {
			again.Reset()
			continue
		}
		c.Reset()
		r.outcome(j.testJob, again.send(wire.KindBlob, j.wanted(again.want)).end())
		return
	}
}

// TestFoldersLies has requesters say what isn't so.
func TestFoldersLies(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := startNode(t, setup{dir: dir, Config: Config{Run: fakeRun(echo)}})
	r := newRequester(t, n, identity.Generate())
	unsorted := []tree.Entry{file("b", "one"), file("a", "two")}
	climbs := []tree.Entry{{Path: "../a", Type: tree.Dir}}
	loops := []tree.Entry{{Path: "l", Type: tree.Link, Target: "../l"}}
	twice := []tree.Entry{file("a", "one"), file("a", "two")}
	absolute := []tree.Entry{{Path: "l", Type: tree.Link, Target: "/etc"}}
	document := func(entries []tree.Entry) []byte { return (&tree.Tree{Entries: entries}).Encode() }
	for name, entries := range map[string][]tree.Entry{
		"unsorted": unsorted, "..": climbs, "a link that leads out": loops, "one path twice": twice,
		"an absolute link": absolute,
	} {
		j := jobWith(t, document(entries), entries)
		c := r.offerFolders(j).until(wire.KindAccept).send(wire.KindTree, string(j.document))
		if a := c.end(); a.rejection == nil || a.rejection.Code != job.RejectBadManifest {
			t.Errorf("%s: %+v", name, a.rejection)
		}
	}
	longer := []tree.Entry{file("a", "one"), file("b", "one")}
	longer[1].Size++
	j := jobWith(t, document(longer), longer[:1], "one")
	j.sizes[0].Entries = 2
	r.offerFolders(j).until(wire.KindAccept).send(wire.KindTree, string(j.document)).end().rejected(t,
		job.RejectBadManifest)

	for name, change := range map[string]func(*wire.TreeSize){
		"entries": func(s *wire.TreeSize) { s.Entries++ },
		"blobs":   func(s *wire.TreeSize) { s.Blobs-- },
		"bytes":   func(s *wire.TreeSize) { s.Bytes++ },
	} {
		j := newFolderJob(t, "one", "two")
		change(&j.sizes[0])
		a := r.offerFolders(j).until(wire.KindAccept).send(wire.KindTree, string(j.document)).end()
		if a.rejection == nil || a.rejection.Code != job.RejectBadManifest {
			t.Errorf("%s: %+v", name, a.rejection)
		}
	}
	j = newFolderJob(t, "one")
	r.offerFolders(j).until(wire.KindAccept).send(wire.KindTree, strings.Repeat("x", len(j.document))).end().rejected(t,
		job.RejectHashMismatch)
	j = newFolderJob(t, "one")
	r.offerFolders(j).described(j).send(wire.KindBlob, "eno").end().rejected(t, job.RejectHashMismatch)
	n.down()
	for _, pattern := range []string{"content/*/*.pack", "unfinished/*"} {
		if left, _ := filepath.Glob(filepath.Join(dir, pattern)); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	}
}

// TestFoldersBounds has requesters ask for more than there is.
func TestFoldersBounds(t *testing.T) {
	t.Parallel()
	limits := job.NodeLimits{
		MemoryMB: 1024, TimeoutMS: 3_600_000, ModuleBytes: 64 << 20, InputBytes: 64 << 20,
		OutputBytes: 64 << 20, TreeBytes: 5, DiskMB: 2,
	}
	n := startNode(t, setup{Config: Config{Run: fakeRun(echo)}, limits: &limits})
	r := newRequester(t, n, nil)
	refused := func(code job.RejectCode, change func(*folderJob)) {
		t.Helper()
		j := newFolderJob(t, "one")
		change(j)
		r.offerFolders(j).end().rejected(t, code)
	}
	refused(job.RejectTreeTooLarge, func(j *folderJob) { j.sizes[0].Bytes = 1 << 40 })
	refused(job.RejectTreeTooLarge, func(j *folderJob) {
		j.manifest.Dirs = append(j.manifest.Dirs, job.Dir{Guest: "/more", ReadOnly: true, Tree: job.Sum(nil)})
		j.sizes[0].DocumentBytes = job.MaxTree
		j.sizes = append(j.sizes, j.sizes[0])
	})
	refused(job.RejectDisk, func(j *folderJob) { j.manifest.DiskMB = 3 })
	refused(job.RejectBadManifest, func(j *folderJob) { j.manifest.Dirs[1].Tree = "" })
	refused(job.RejectBadManifest, func(j *folderJob) { j.sizes = nil })
	j := newFolderJob(t, "one", "one") // each name counts
	r.offerFolders(j).until(wire.KindAccept).send(wire.KindTree, string(j.document)).end().rejected(t,
		job.RejectTreeTooLarge)
}

// TestFoldersDamaged has what is kept come to harm: it is asked for again, and not used.
func TestFoldersDamaged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := startNode(t, setup{dir: dir, Config: Config{Run: fakeRun(echo)}})
	r := newRequester(t, n, nil)
	j := newFolderJob(t, "one", "two")
	c := r.offerFolders(j).described(j)
	r.outcome(j.testJob, c.send(wire.KindBlob, j.wanted(c.want)).end())
	packs, err := filepath.Glob(filepath.Join(dir, "content", "*", "*.pack"))
	if err != nil || len(packs) != 1 {
		t.Fatalf("%q %v", packs, err)
	}
	data, err := os.ReadFile(packs[0])
	if err != nil {
		t.Fatal(err)
	}
	data[32]++ // of the first content
	if err := os.WriteFile(packs[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	again := j.again()
	c = r.offerFolders(again).described(again)
	if c.want.Bytes != 6 {
		t.Errorf("want %+v", c.want)
	}
	r.outcome(again.testJob, c.send(wire.KindBlob, again.wanted(c.want)).end())
}
