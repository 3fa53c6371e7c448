package serve

import (
	"crypto/ed25519"
	"errors"
	"io"

	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/receipt"
	"plasm/lib/store"
	"plasm/lib/tree"
)

// Sound returns the store.Config.Sound of a node: a result is sound when the node's
// key signed its receipt, for that requester and that manifest.
func Sound(key *identity.Key) func(requester string, manifest, envelope []byte) (store.Outputs, error) {
	return func(requester string, manifest, envelope []byte) (store.Outputs, error) {
		v, err := receipt.Verify(envelope, []ed25519.PublicKey{key.Public()})
		if err != nil {
			return store.Outputs{}, err
		}
		m, err := job.DecodeManifest(manifest)
		switch {
		case err != nil:
			return store.Outputs{}, err
		case v.Requester != requester:
			return store.Outputs{}, errors.New("the receipt is another requester's")
		case !v.Manifest.Equal(m):
			return store.Outputs{}, errors.New("the receipt is for another manifest")
		}
		return store.Outputs{
			Stdout: v.Stdout, Stderr: v.Stderr,
			Folders: func(r io.Reader) error { return soundFolders(r, m, v.Outcome.Dirs) },
		}, nil
	}
}

// soundFolders checks that a stream is of the folders that a receipt tells of.
func soundFolders(r io.Reader, m *job.Manifest, dirs []job.OutcomeDir) error {
	if len(dirs) == 0 {
		if n, err := r.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
			return errors.Join(errors.New("folders of a job that left none"), err)
		}
		return nil
	}
	s := tree.NewStreamReader(len(dirs), m.DiskMB<<20, tree.NewPacker(nowhere{}))
	if _, err := io.CopyBuffer(struct{ io.Writer }{s}, struct{ io.Reader }{r}, make([]byte, bufferSize)); err != nil {
		return err
	}
	trees, _, err := s.End()
	if err != nil {
		return err
	}
	for i, d := range dirs {
		if trees[i].Digest() != d.Tree {
			return errors.New("another folder " + d.Guest)
		}
	}
	return nil
}

// nowhere is a file of which nothing is kept.
type nowhere struct{}

func (nowhere) ReadAt([]byte, int64) (int, error)      { return 0, io.EOF }
func (nowhere) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
