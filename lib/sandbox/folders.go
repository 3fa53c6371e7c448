package sandbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"plasm/lib/job"
	"plasm/lib/sandbox/wire"
	"plasm/lib/tree"
)

// Folders are what a job's travelling folders are made of. Close them when the job's report is
// of no more use.
type Folders struct {
	Index *tree.Pack // of the pack

	pack    *os.File
	bytes   int64
	scratch *os.File
	own     bool // scratch is ours to close
}

// NewFolders opens a pack, which is only read and is the caller's to close. scratch is an empty
// file that is the caller's to close, too; nil has one made, which has no name, in the folder
// for temporary files. An error is a *job.Error.
func NewFolders(pack, scratch *os.File) (*Folders, error) {
	info, err := pack.Stat()
	if err != nil {
		return nil, folderError(err)
	}
	f := &Folders{pack: pack, scratch: scratch, bytes: info.Size()}
	if f.Index, err = tree.OpenPack(pack, f.bytes); err != nil {
		return nil, folderError(err)
	}
	if scratch != nil {
		return f, nil
	}
	if f.scratch, err = os.CreateTemp("", "plasm-scratch-*"); err != nil {
		return nil, folderError(err)
	}
	f.own = true
	if err := os.Remove(f.scratch.Name()); err != nil {
		return nil, errors.Join(folderError(err), f.scratch.Close())
	}
	return f, nil
}

// Close lets go of a scratch file of its own. Of none it does nothing.
func (f *Folders) Close() {
	if f != nil && f.own {
		_ = f.scratch.Close() // of no use any more
	}
}

func folderError(err error) error {
	return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("the folders of the job: %v", err), Err: err}
}

// travelling returns the folders of the manifest that travel.
func travelling(m *job.Manifest) []job.Dir {
	var list []job.Dir
	for _, d := range m.Dirs {
		if d.Travels() {
			list = append(list, d)
		}
	}
	return list
}

// assign adds what a worker needs to know of the folders.
func (f *Folders) assign(a *wire.Assignment, m *job.Manifest) {
	a.Folders, a.PackBytes, a.IndexBytes, a.DiskMB = travelling(m), f.bytes, f.bytes-f.Index.Contents(), m.DiskMB
	if len(m.Outputs()) == 0 {
		a.DiskMB = 0
	}
}

// readLists reads the lists of the folders that the guest could write, of which the first frame
// has come, up to the frame behind them, which it returns.
func (r *run) readLists() (wire.Kind, int, error) {
	outputs := r.j.Manifest.Outputs()
	if r.j.Folders == nil || r.lists != nil || len(outputs) == 0 {
		return 0, 0, nonsense("frame %q while the guest runs", wire.Lists)
	}
	info, err := r.j.Folders.scratch.Stat()
	if err != nil {
		return 0, 0, err
	}
	bounds := &tree.Bounds{
		Contents: r.j.Folders.Index.Contents(), Scratch: info.Size(), Disk: r.j.Manifest.DiskMB << 20,
	}
	from := &listFrames{r: r}
	in := bufio.NewReaderSize(from, 64<<10) // one for all: what is read ahead is the next list's
	for range outputs {
		l, err := tree.ReadList(in, bounds)
		if errors.Is(err, tree.ErrList) {
			err = nonsense("%v", err)
		}
		if err != nil {
			return 0, 0, err
		}
		r.lists = append(r.lists, l)
	}
	if _, err := in.ReadByte(); err == nil {
		return 0, 0, nonsense("more than the lists of %d folders", len(outputs))
	} else if !errors.Is(err, io.EOF) {
		return 0, 0, err
	}
	return from.kind, from.n, nil
}

// listFrames reads the payloads of Lists frames, the first of which has begun.
type listFrames struct {
	r    *run
	kind wire.Kind // of the frame behind them
	n    int
}

func (l *listFrames) Read(p []byte) (int, error) {
	for l.kind == 0 {
		n, err := l.r.p.frames.Read(p)
		if n > 0 || err != nil {
			return n, err
		}
		kind, size, err := l.r.next()
		if errors.Is(err, io.EOF) { // of the worker, not of the lists
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, err
		}
		if kind != wire.Lists {
			l.kind, l.n = kind, size
		}
	}
	return 0, io.EOF
}

// outputs digests what the guest has left in the folders that it could write, now that
// nothing writes to them any more, and puts it into the outcome.
func (r *run) outputs(ctx context.Context, o *job.Outcome) ([]*tree.Output, error) {
	if !o.Status.HasDirs() || r.lists == nil {
		return nil, nil
	}
	all := make([]*tree.Output, 0, len(r.lists))
	for i, d := range r.j.Manifest.Outputs() {
		out, err := r.lists[i].Digest(ctx, r.j.Folders.scratch, r.j.Folders.Index)
		if err != nil {
			return nil, fmt.Errorf("the folder %s: %w", d.Guest, err)
		}
		all = append(all, out)
		o.Dirs = append(o.Dirs, job.OutcomeDir{
			Guest: d.Guest, Tree: out.Tree.Digest(), Files: out.Tree.Files(), Bytes: out.Tree.Bytes(),
		})
	}
	return all, nil
}
