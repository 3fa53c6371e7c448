package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plasm/lib/job"
	"plasm/lib/tree"
)

// withFolder gives a job a folder to write, which begins empty.
func withFolder(t *testing.T, j *Job) *Job {
	t.Helper()
	j.Manifest.Dirs = []job.Dir{{Guest: "/out", Tree: tree.Empty}}
	path := filepath.Join(t.TempDir(), "pack")
	pack, err := os.Create(path)
	must(t, err)
	_, err = tree.NewPacker(pack).Finish(&tree.Tree{})
	must(t, err)
	must(t, pack.Close())
	read, err := os.Open(path)
	must(t, err)
	t.Cleanup(func() { _ = read.Close() })
	j.Folders, err = NewFolders(read, nil)
	must(t, err)
	t.Cleanup(j.Folders.Close)
	return j
}

// TestLiarsAboutFolders is for workers that cannot be believed about what is in a folder.
func TestLiarsAboutFolders(t *testing.T) {
	t.Parallel()
	frame := func(kind, payload string) string {
		var b strings.Builder
		fmt.Fprintf(&b, `:%s\x%02x\x00\x00\x00`, kind, len(payload))
		for _, c := range []byte(payload) {
			fmt.Fprintf(&b, `\x%02x`, c)
		}
		return b.String() + ";"
	}
	const (
		none = "\x00\x00\x00\x00"
		file = "\x01\x00\x00\x00" + "\x02\x01\x00f" + "\x01\x00\x00\x00\x00\x00\x00\x00" +
			"\x00\x00\x00\x00\x00\x00\x00\x00" +
			"\x00\x00\x00\x00\x00\x00\x00\x00" + "\x01\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00"
		climb = "\x01\x00\x00\x00" + "\x01\x02\x00.."
	)
	tests := []struct {
		name, mode string
		folder     bool
		status     job.Status
		cause      string
	}{
		{"nothing is in it", frame("d", none) + "ended", true, job.Exit, ""},
		{"in two frames", frame("d", none[:1]) + frame("d", none[1:]) + "ended", true, job.Exit, ""},
		{"not a word of it", "ended", true, job.EngineFailed, `status "exit", and lists of folders: false`},
		{"cut", frame("d", none[:3]) + "ended", true, job.EngineFailed, "it is cut"},
		{
			"more than there is", frame("d", none+none) + "ended", true, job.EngineFailed,
			"more than the lists of 1 folders",
		},
		{
			"twice", frame("d", none) + "out=x " + frame("d", none) + "ended", true, job.EngineFailed,
			"frame 'o' after the lists",
		},
		{
			"what the scratch file doesn't have", frame("d", file) + "ended", true, job.EngineFailed,
			"blocks up to 1 of a scratch file of 0",
		},
		{"a name that leads out", frame("d", climb) + "ended", true, job.EngineFailed, "not a path"},
		{
			"after running out of memory", frame("d", none) + "end=out_of_memory", true, job.EngineFailed,
			"lists of folders: true",
		},
		{"and then it dies", frame("d", none) + "exit=3", true, job.EngineFailed, "exit code 3"},
		{
			"a folder that isn't there", frame("d", none) + "ended", false, job.EngineFailed,
			"frame 'd' while the guest runs",
		},
		{"a fault", frame("h", "the disk is full"), true, job.Cancelled, "the disk is full"},
		{"a fault without folders", frame("h", "x"), false, job.EngineFailed, "there are none of"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			j := described(t, "nothing")
			if test.folder {
				withFolder(t, j)
			}
			r := play(t.Context(), t, supervisor(t, fakeConfig(t, begun+test.mode)), j)
			r.wantStatus(t, test.status, test.cause)
			if dirs := len(r.Outcome.Dirs); (dirs == 1) != (test.status == job.Exit) || dirs != len(r.Outputs) {
				t.Errorf("%d folders in the outcome, %d in the report", dirs, len(r.Outputs))
			}
		})
	}
}
