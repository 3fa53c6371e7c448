package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"plasm/test/bin"
)

// TestOutputOntoMount writes to files that are mount points, as `docker run -v FILE:FILE`
// makes them: they cannot be replaced, and nothing is lost. In a folder that cannot be
// written to it is the same.
func TestOutputOntoMount(t *testing.T) {
	t.Parallel()
	if out, err := exec.CommandContext(t.Context(), "unshare", "-rm", "true").CombinedOutput(); err != nil {
		t.Skipf("no mount can be made here: %v: %s", err, out)
	}
	dir := t.TempDir()
	put(t, dir, "both")
	put(t, dir, "no-start")
	script := `set -eu
mkdir src at
for f in out err r.json; do echo 'older and longer content' >src/$f; echo under >at/$f; mount --bind src/$f at/$f; done
if [ "$1" = ro ]; then
mount --bind at at && mount -o remount,ro,bind at
for f in out err r.json; do mount --bind src/$f at/$f; done
fi
plasm-run --stdout at/out --stderr at/err --receipt at/r.json no-start.wasm && exit 1
cat src/out
plasm-run --stdout at/out --stderr at/err --receipt at/r.json both.wasm || echo $?
cat src/out src/err
plasm-verify --signer "$(plasm-run --identity)" --stdout src/out src/r.json >&2
ls -A at
if [ "$1" = ro ] && plasm-run --stdout at/new both.wasm; then exit 1; fi
`
	want := "older and longer content\n7\nout\nerr\nerr\nout\nr.json\n"
	for _, mode := range []string{"rw", "ro"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			work := filepath.Join(dir, mode)
			for _, name := range []string{"home", "tmp"} {
				if err := os.MkdirAll(filepath.Join(work, name), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range []string{"both.wasm", "no-start.wasm"} {
				if err := os.Link(filepath.Join(dir, name), filepath.Join(work, name)); err != nil {
					t.Fatal(err)
				}
			}
			c := exec.CommandContext(t.Context(), "unshare", "-rm", "sh", "-c", script, "sh", mode)
			c.Dir = work
			c.Env = append(bin.Env(), "HOME="+filepath.Join(work, "home"), "TMPDIR="+filepath.Join(work, "tmp"),
				"PATH="+programs+":"+os.Getenv("PATH"))
			var words bytes.Buffer
			c.Stderr = &words
			out, err := c.Output()
			if err != nil || string(out) != want {
				t.Fatalf("%v: %s\n%s", err, out, words.String())
			}
			if left, err := os.ReadDir(filepath.Join(work, "tmp")); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}
