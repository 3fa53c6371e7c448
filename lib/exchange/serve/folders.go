package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"plasm/lib/exchange/wire"
	"plasm/lib/job"
	"plasm/lib/sandbox"
	"plasm/lib/store"
	"plasm/lib/tree"
)

// What the documents of trees take of a node's memory while a job's folders arrive.
const (
	maxDocuments    = 64 << 20  // bytes, of one job
	maxAllDocuments = 256 << 20 // bytes, of all jobs
)

// folders are what a job begins with, on their way from streams, of which several may bring
// the same bytes, into a pack. They are safe for concurrent use.
type folders struct {
	s         *Server
	requester string
	sizes     []wire.TreeSize
	names     []job.Digest // the manifest's Trees
	most      int64        // bytes of files, each name counted
	found     func()       // is called, without mu, when it is known what contents are lacking, or all is there
	refuse    func(*job.Rejection)

	begin  func(work func(context.Context)) // in a goroutine, with a context that cancel ends
	cancel context.CancelFunc
	work   sync.WaitGroup // what was begun

	mu     sync.Mutex
	coming map[job.Digest][]byte // documents, as far as they have come
	docs   map[job.Digest][]byte // those that are there, and verified
	trees  []*tree.Tree          // decoded, from when all are
	blobs  []tree.Blob           // of them, likewise
	next   *store.NewPack        // from when contents are looked for
	lacks  int                   // how many of blobs
	at     int                   // of blobs: what comes next, or len(blobs)
	known  bool                  // lacks is
	pack   *store.Pack           // all is there
	closed bool
	taken  int64 // bytes of Server.documents
}

// newFolders finds what a requester's folders lack. close must follow.
func newFolders(ctx context.Context, t *task) (*folders, *job.Rejection) {
	f := &folders{
		s: t.s, requester: t.key.requester, sizes: t.trees, names: t.manifest.Trees(),
		most:  t.s.cfg.Node().Limits.TreeBytes,
		found: t.poke, refuse: t.refuse, docs: map[job.Digest][]byte{}, coming: map[job.Digest][]byte{},
	}
	ctx, f.cancel = context.WithCancel(ctx)
	f.begin = func(work func(context.Context)) { f.work.Go(func() { work(ctx) }) }
	pack, ok, err := t.s.cfg.Store.Pack(ctx, f.requester, f.names)
	switch {
	case ctx.Err() != nil:
		return nil, stopped(context.Cause(ctx)).verdict
	case err != nil:
		return nil, t.s.storeRejection(err, job.RejectInternal)
	case ok:
		f.pack = pack
		return f, nil
	}
	if r := f.holdDocuments(); r != nil {
		return nil, r
	}
	_ = t.s.cfg.Store.Packs(ctx, f.requester, func(p *tree.Pack) bool { // what stops it stops the job
		for _, d := range f.names {
			if document := p.Document(d); document != nil && f.docs[d] == nil {
				f.docs[d] = slices.Clone(document)
			}
		}
		return len(f.docs) < len(f.names)
	})
	if r := f.settle(); r != nil {
		f.close()
		return nil, r
	}
	return f, nil
}

// documents is how many bytes of documents the offer tells of.
func (f *folders) documents() int64 {
	var n int64
	for _, s := range f.sizes {
		n += s.DocumentBytes
	}
	return n
}

// holdDocuments takes room in the memory that all jobs have for documents.
func (f *folders) holdDocuments() *job.Rejection {
	n := f.documents()
	if f.s.documents.Add(n) > maxAllDocuments {
		f.s.documents.Add(-n)
		return &job.Rejection{
			Code: job.RejectBusy, Message: "too many folders arrive",
			RetryAfterMS: retrySoon.Milliseconds(),
		}
	}
	f.taken = n
	return nil
}

// lacking returns the trees whose documents aren't there, and whether contents may lack.
func (f *folders) lacking() (trees []job.Digest, want bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pack != nil || f.closed {
		return nil, false
	}
	for _, d := range f.names {
		if f.docs[d] == nil {
			trees = append(trees, d)
		}
	}
	return trees, !f.known || f.lacks > 0
}

// size returns how long the document of a tree is.
func (f *folders) size(d job.Digest) int64 { return f.sizes[slices.Index(f.names, d)].DocumentBytes }

// document takes a piece of the document of a tree, which begins at byte at of it. A byte
// counts once.
func (f *folders) document(d job.Digest, at int64, piece []byte) *job.Rejection {
	f.mu.Lock()
	defer f.mu.Unlock()
	come := int64(len(f.coming[d]))
	if f.docs[d] != nil || f.closed || f.pack != nil || at > come || at+int64(len(piece)) <= come {
		return nil
	}
	f.coming[d] = append(f.coming[d], piece[come-at:]...)
	document := f.coming[d]
	if int64(len(document)) < f.size(d) {
		return nil
	}
	delete(f.coming, d)
	if got := job.Sum(document); got != d {
		return &job.Rejection{
			Code: job.RejectHashMismatch, Message: fmt.Sprintf("the tree that came is %s, not %s", got, d),
			Need: string(d), Have: string(got),
		}
	}
	f.docs[d] = document
	return f.settle()
}

// settle begins to look for contents when all documents are there. It needs f.mu, or to be
// alone.
func (f *folders) settle() *job.Rejection {
	if len(f.docs) < len(f.names) {
		return nil
	}
	var logical int64
	for i, d := range f.names {
		t, err := tree.Decode(f.docs[d])
		if err != nil {
			return &job.Rejection{Code: job.RejectBadManifest, Message: err.Error()}
		}
		if r := f.asOffered(i, t); r != nil {
			return r
		}
		logical = min(logical+t.Bytes(), job.MaxSafeInt)
		f.trees = append(f.trees, t)
	}
	if logical > f.most {
		return treeTooLarge(logical, f.most)
	}
	blobs, err := tree.Blobs(f.trees...)
	if err != nil {
		return &job.Rejection{Code: job.RejectBadManifest, Message: err.Error()}
	}
	f.blobs, f.lacks = blobs, len(blobs)
	f.begin(func(ctx context.Context) {
		if r := f.look(ctx); r != nil {
			f.refuse(r)
		}
	})
	return nil
}

// treeTooLarge says that a job's folders have more bytes of files than it may bring.
func treeTooLarge(need, have int64) *job.Rejection {
	needs, has := job.Amounts(need, have)
	return amount(job.RejectTreeTooLarge, need, have, "the job's folders have %s of files, this node takes %s", needs,
		has)
}

// asOffered says whether a tree is as large as the offer has said.
func (f *folders) asOffered(i int, t *tree.Tree) *job.Rejection {
	blobs, err := tree.Blobs(t)
	if err != nil {
		return &job.Rejection{Code: job.RejectBadManifest, Message: err.Error()}
	}
	is := wire.TreeSize{
		DocumentBytes: int64(len(f.docs[f.names[i]])), Entries: int64(len(t.Entries)), Blobs: int64(len(blobs)),
		Bytes: tree.BlobBytes(blobs),
	}
	if is != f.sizes[i] {
		return &job.Rejection{
			Code:    job.RejectBadManifest,
			Message: fmt.Sprintf("offer.trees[%d]: %+v, and the tree is %+v", i, f.sizes[i], is),
		}
	}
	return nil
}

// look begins the pack with what is in other packs of the requester.
func (f *folders) look(ctx context.Context) *job.Rejection {
	empty := int64(0)
	if slices.ContainsFunc(f.trees, hasEmpty) {
		empty = 1
	}
	size := tree.PackSize(int64(len(f.trees)), f.documents(), int64(len(f.blobs))+empty, tree.BlobBytes(f.blobs))
	next, err := f.s.cfg.Store.NewPack(f.requester, f.names, size)
	if err != nil {
		return f.s.storeRejection(err, job.RejectTreeTooLarge)
	}
	if empty > 0 && !next.Settle(job.EmptyDigest) {
		next.Close()
		return internal("the node could not begin a pack")
	}
	var failed error
	err = f.s.cfg.Store.Packs(ctx, f.requester, func(p *tree.Pack) bool {
		var all bool
		all, failed = f.copyFrom(ctx, next, p)
		return failed == nil && !all
	})
	if err = errors.Join(err, failed); err != nil {
		next.Close()
		if ctx.Err() != nil {
			return nil
		}
		return f.s.storeRejection(err, job.RejectTreeTooLarge)
	}
	r := f.looked(next)
	f.found()
	return r
}

// looked goes on with a pack that has what was found.
func (f *folders) looked(next *store.NewPack) *job.Rejection {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		next.Close()
		return nil
	}
	f.next, f.known = next, true
	f.lacks = 0
	for _, b := range f.blobs {
		if !next.Has(b.Digest) {
			f.lacks++
		}
	}
	f.advance()
	if f.lacks > 0 {
		return nil
	}
	return f.finish()
}

// hasEmpty reports whether a tree has an empty file.
func hasEmpty(t *tree.Tree) bool {
	return slices.ContainsFunc(t.Entries, func(e tree.Entry) bool { return e.Type == tree.File && e.Size == 0 })
}

// copyFrom takes from another pack what it has of the contents and is undamaged. All says that
// nothing lacks any more.
func (f *folders) copyFrom(ctx context.Context, next *store.NewPack, p *tree.Pack) (all bool, err error) {
	all = true
	buf := make([]byte, 256<<10)
	for _, b := range f.blobs {
		if next.Has(b.Digest) {
			continue
		}
		r, ok := p.Blob(b.Digest)
		if !ok || r.Size() != b.Size {
			all = false
			continue
		}
		if err := copyBlob(ctx, next, r, buf); err != nil {
			return false, err
		}
		if !next.Settle(b.Digest) {
			all = false
		}
	}
	return all, nil
}

// copyBlob copies a content as far as it can be read: one that can't will not have its digest.
func copyBlob(ctx context.Context, next *store.NewPack, r io.Reader, buf []byte) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(buf)
		if n > 0 {
			if err := next.Append(buf[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return nil //nolint:nilerr // as documented
		}
	}
}

// advance finds the next content that lacks; f.mu is held.
func (f *folders) advance() {
	for f.at < len(f.blobs) && f.next.Has(f.blobs[f.at].Digest) {
		f.at++
	}
}

// want returns what is to be sent; nil when that is not known yet.
func (f *folders) want() *wire.Want {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pack == nil && !f.known {
		return nil
	}
	w := &wire.Want{}
	if f.pack != nil || f.closed {
		return w
	}
	bits := make([]byte, (len(f.blobs)+7)/8)
	for i, b := range f.blobs {
		if f.next.Has(b.Digest) {
			continue
		}
		bits[i/8] |= 1 << (i % 8)
		w.Bytes += b.Size
	}
	w.Blobs, w.From = bits, f.next.Pending()
	w.Bytes -= w.From
	return w
}

// place is where a stream is among the contents that it was asked for.
type place struct {
	want *wire.Want
	blob int   // of blobs
	at   int64 // bytes of it
}

// begin puts a place at the first byte that is asked for.
func (p *place) begin(w *wire.Want) {
	p.want, p.blob, p.at = w, -1, 0
	p.next()
	p.at = w.From
}

// next goes on to the next content that is asked for.
func (p *place) next() {
	p.at = 0
	for p.blob++; p.blob < 8*len(p.want.Blobs) && !p.want.Wants(p.blob); p.blob++ {
	}
}

// take takes a piece of the contents, from where p is, which it moves. Whole says that this
// made them so.
func (f *folders) take(p *place, data []byte) (whole bool, r *job.Rejection) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(data) > 0 {
		if f.closed || f.pack != nil || p.blob >= len(f.blobs) {
			return false, nil
		}
		b := f.blobs[p.blob]
		piece := data[:min(int64(len(data)), b.Size-p.at)]
		data = data[len(piece):]
		if r := f.store(p, b, piece); r != nil {
			return false, r
		}
		if p.at += int64(len(piece)); p.at == b.Size {
			p.next()
		}
	}
	return f.pack != nil, nil
}

// store takes a piece of one content, unless another stream has brought it; f.mu is held.
func (f *folders) store(p *place, b tree.Blob, piece []byte) *job.Rejection {
	come := f.next.Pending()
	if p.blob != f.at || p.at > come || p.at+int64(len(piece)) <= come {
		return nil
	}
	if err := f.next.Append(piece[come-p.at:]); err != nil {
		return f.s.storeRejection(err, job.RejectTreeTooLarge)
	}
	if f.next.Pending() < b.Size {
		return nil
	}
	if !f.next.Settle(b.Digest) {
		return &job.Rejection{
			Code: job.RejectHashMismatch, Message: fmt.Sprintf("a file's content is not %s", b.Digest),
			Need: string(b.Digest),
		}
	}
	f.lacks--
	f.advance()
	if f.lacks == 0 {
		return f.finish()
	}
	return nil
}

// finish keeps the pack; f.mu is held.
func (f *folders) finish() *job.Rejection {
	pack, err := f.next.Commit(f.trees...)
	if err != nil {
		return f.s.storeRejection(err, job.RejectTreeTooLarge)
	}
	f.pack = pack
	f.drop()
	return nil
}

// drop lets go of what was needed until the pack was there; f.mu is held.
func (f *folders) drop() {
	f.s.documents.Add(-f.taken)
	f.taken, f.docs, f.coming, f.trees = 0, nil, nil, nil
}

// ready reports whether all is there.
func (f *folders) ready() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pack != nil
}

// close lets go of everything. The job has ended. Of none it does nothing.
func (f *folders) close() {
	if f == nil {
		return
	}
	f.cancel()
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.work.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.next != nil {
		f.next.Close()
	}
	if f.pack != nil {
		f.pack.Close()
	}
	f.drop()
}

// sandboxed returns what the job's worker is given; nil when no folder travels.
func (t *task) sandboxed() (*sandbox.Folders, error) {
	if t.folders == nil {
		return nil, nil //nolint:nilnil // as documented
	}
	return sandbox.NewFolders(t.folders.pack.File(), t.job.Scratch())
}

// left writes what the job has left into the store.
func (t *task) left(ctx context.Context, f *sandbox.Folders, outputs []*tree.Output) error {
	if len(outputs) == 0 {
		return nil
	}
	t.mu.Lock()
	detached := t.detached
	t.mu.Unlock()
	return tree.WriteStream(context.WithoutCancel(ctx), t.job.Folders(), tree.Parts(outputs), func(d job.Digest) bool {
		if detached {
			return false
		}
		_, _, ok := f.Index.Find(d)
		return ok
	})
}
