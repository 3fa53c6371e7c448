package serve

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"plasm/lib/identity"
)

// TestDamagedResults: what came to harm on the node's disk is not sent; the job runs
// again.
func TestDamagedResults(t *testing.T) {
	t.Parallel()
	edit := func(name string, change func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, folder string) {
			t.Helper()
			path := filepath.Join(folder, name)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, change(data), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	flip := func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
	for name, damage := range map[string]func(*testing.T, string){
		"a byte of the receipt":  edit("receipt", flip),
		"a byte of the output":   edit("stdout", flip),
		"a byte of the manifest": edit("manifest", flip),
		"another manifest": edit("manifest",
			func(b []byte) []byte { return bytes.Replace(b, []byte(`"seed":0`), []byte(`"seed":1`), 1) }),
		"an empty receipt":            edit("receipt", func([]byte) []byte { return nil }),
		"output cut short":            edit("stdout", func(b []byte) []byte { return b[:len(b)-1] }),
		"output where there was none": edit("stderr", func([]byte) []byte { return []byte("x") }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			n := startNode(t, setup{Config: Config{Run: fakeRun(echo)}, dir: dir})
			r := newRequester(t, n, nil)
			j := newJob([]byte("module"), []byte("input"))
			first := r.run(j)
			r.outcome(j, first)
			n.idle(t)
			n.live.Wait() // its task has let go of it
			if again := r.open(j).end(); !again.accept.Attached || !bytes.Equal(again.receipt, first.receipt) {
				t.Fatalf("the result is not kept: %+v", again.accept)
			}
			eventually(t, "nobody reads it",
				func() bool { n.mu.Lock(); defer n.mu.Unlock(); return len(n.streams.all) == 0 })
			damage(t, filepath.Join(dir, "jobs", r.key.PeerID(), j.manifest.ID))
			a := r.run(j)
			r.outcome(j, a)
			if a.accept.Attached || string(a.stdout) != "input" {
				t.Errorf("%+v, %q", a.accept, a.stdout)
			}
		})
	}
}

// TestReplacedKey: results that another key has signed are not the node's.
func TestReplacedKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := startNode(t, setup{Config: Config{Run: fakeRun(echo)}, dir: dir})
	r := newRequester(t, n, nil)
	j := newJob([]byte("module"), []byte("input"))
	r.outcome(j, r.run(j))
	n.idle(t)
	n.down()
	n = startNode(t, setup{Config: Config{Run: fakeRun(echo)}, dir: dir, key: identity.Generate()})
	r = newRequester(t, n, r.key)
	a := r.run(j)
	r.outcome(j, a)
	if a.accept.Attached {
		t.Errorf("%+v", a.accept)
	}
}
