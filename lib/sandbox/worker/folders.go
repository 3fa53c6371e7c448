package worker

import (
	"plasm/lib/engine"
	"plasm/lib/job"
	"plasm/lib/sandbox/wire"
	"plasm/lib/tree"
	"plasm/lib/wasi"
	"plasm/lib/wasi/virtual"
)

// folders gives host the folders that travel with the job, if there are any: the guest's,
// without any path of this machine.
func (c *conversation) folders(host *engine.Host, f files, a *wire.Assignment) (*virtual.System, error) {
	if len(a.Folders) == 0 {
		return nil, nil //nolint:nilnil // there are none
	}
	pack, err := tree.OpenPack(f.pack, a.PackBytes)
	if err != nil {
		return nil, folderError(err)
	}
	host.Clock = wasi.NewClock(a.Real)
	config := virtual.Config{
		Pack: f.pack, Scratch: f.scratch, Disk: a.DiskMB << 20, Now: host.Clock.Realtime, Failed: c.faulted,
		Find: func(e *tree.Entry) (int64, bool) {
			offset, size, ok := pack.Find(e.Digest)
			return offset, ok && size == e.Size
		},
	}
	for _, d := range a.Folders {
		t, err := pack.Tree(d.Tree)
		if err != nil {
			return nil, folderError(err)
		}
		if t == nil {
			return nil, &job.Error{
				Code:    job.CodeIO,
				Message: "the tree of the folder " + d.Guest + " is not in the pack",
			}
		}
		config.Folders = append(config.Folders, virtual.Folder{Guest: d.Guest, ReadOnly: d.ReadOnly, Tree: t})
	}
	s, err := virtual.New(config)
	if err != nil {
		return nil, folderError(err)
	}
	host.Folders = s.Preopens()
	return s, nil
}

func folderError(err error) error {
	return &job.Error{Code: job.CodeIO, Message: "the folders of the job: " + err.Error(), Err: err}
}

// faulted ends the process: this machine has failed under the guest's folders, and whatever
// the guest would do then would not be its own doing.
func (c *conversation) faulted(err error) {
	message := err.Error()
	_ = c.frames.Frame(wire.Fault, []byte(message[:min(len(message), maxMessage)])) // who doesn't hear it sees the end
	close(c.fault)
	select {} // no instruction of the guest may follow
}
