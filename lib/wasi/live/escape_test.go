package live

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"plasm/lib/wasi"
)

// TestEscape tries every operation on every kind of path that leads out.
func TestEscape(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	outside := outsideOf(root)
	before := snapshot(t, outside)

	through := []string{ // an element before the last leads out, or the last is ".."
		"..", "../", "../..", "dir/../..", "../outside/secret", "dir/../../outside/secret",
		"dirlink/../../outside/secret", "/../outside/secret", "/../../../../../../../../etc/passwd", "../root/file",
		"./../outside", "outdir/secret", "outdir/new", "absdir/secret", "absdir/new", "outdir/../secret",
		"magic/etc/passwd", "magic/", "self/in", "dir/up/../../../outside/secret", "outdir/", "outdir/.",
	}
	for _, name := range through {
		for what, got := range everyChange(d, name, "full/x") {
			switch got {
			case wasi.EPERM, wasi.EINVAL, wasi.ENOTDIR, wasi.EISDIR:
			case wasi.EEXIST: // Linux looks at the link and not through it
				if what != "mkdir" && what != "symlink" && what != "link to" {
					t.Errorf("%s %s: got %v", what, name, got)
				}
			default:
				t.Errorf("%s %s: got %v", what, name, got)
			}
		}
		for what, got := range everyLook(d, name) {
			if got != wasi.EPERM && got != wasi.ENOTDIR {
				t.Errorf("%s %s: got %v", what, name, got)
			}
		}
	}
	// the last element itself
	for _, name := range []string{"out", "outdir", "outnew", "absout", "absdir", "abs", "magic", "self"} {
		for what, got := range map[string]wasi.Errno{
			"open":     tryOpen(d, name, read),
			"write":    tryOpen(d, name, both),
			"create":   tryOpen(d, name, both|create),
			"truncate": tryOpen(d, name, both|truncate),
			"list":     tryOpen(d, name, directory),
			"stat":     second(d.Stat(name)),
			"utimens":  d.Utimens(name, at(1, 1)),
		} {
			wantErrno(t, what+" "+name, got, wasi.EPERM)
		}
	}
	// as if the folder were the root
	for _, name := range []string{outside, outside + "/secret", "/etc/passwd", "/proc/self/root"} {
		wantErrno(t, "open "+name, tryOpen(d, name, read), wasi.EPERM)
		wantErrno(t, "create "+name, tryOpen(d, name, both|create), wasi.EPERM)
	}
	if diff := cmp.Diff(before, snapshot(t, outside)); diff != "" {
		t.Errorf("what is outside changed:\n%s", diff)
	}
}

func everyLook(d *mounted, name string) map[string]wasi.Errno {
	return map[string]wasi.Errno{
		"open":     tryOpen(d, name, read),
		"nofollow": tryOpen(d, name, read|nofollow),
		"list":     tryOpen(d, name, read|directory),
		"stat":     second(d.Stat(name)),
		"lstat":    second(d.Lstat(name)),
		"readlink": second(d.Readlink(name)),
	}
}

// TestOwnLinks follows links out that the guest has made itself.
func TestOwnLinks(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	for name, target := range map[string]string{
		"a": "../outside/secret", "dir/b": "../../outside", "dir/sub/c": "../in",
		"e": strings.Repeat("../", 64) + "etc",
	} {
		wantErrno(t, "symlink "+name, d.Symlink(target, name), 0)
	}
	wantErrno(t, "a link in", tryOpen(d, "dir/sub/c", both), 0)
	wantErrno(t, "move it", d.Rename("dir/sub/c", "c"), 0) // "../in" leads out from here
	wantErrno(t, "link it", d.Link("a", "dir/twin"), 0)    // and so does "../outside/secret" lead elsewhere from there
	for name, want := range map[string]wasi.Errno{
		"a": wasi.EPERM, "dir/b": wasi.EPERM, "dir/b/secret": wasi.EPERM, "c": wasi.EPERM, "e/passwd": wasi.EPERM,
		"dir/twin": wasi.ENOENT,
	} {
		wantErrno(t, "open "+name, tryOpen(d, name, read), want)
	}
	if got := readHost(t, outsideOf(root), "secret"); got != "outside" {
		t.Errorf("the secret is now %q", got)
	}
}

// TestSpecialFiles opens what would make it wait or act on the host.
func TestSpecialFiles(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	must(t, syscall.Mkfifo(filepath.Join(root, "fifo"), 0o600))
	must(t, os.Symlink("fifo", filepath.Join(root, "fifolink")))
	dir, err := os.MkdirTemp("", "") //nolint:usetesting // a socket's path must be short
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket, err := new(net.ListenConfig).Listen(t.Context(), "unix", filepath.Join(dir, "s"))
	must(t, err)
	t.Cleanup(func() { _ = socket.Close() })
	for name, d := range map[string]*mounted{
		"fifo": d, "fifolink": d, "s": openDir(t, dir, false), "null": openDir(t, "/dev", false),
		"tty": openDir(t, "/dev", false),
	} {
		for _, flag := range []flags{
			read, write, both, both | create | truncate,
		} {
			wantErrno(t, "open "+name, tryOpen(d, name, flag), wasi.EPERM)
		}
	}
	for _, flag := range []flags{read, write, both, nofollow, nofollow | write} {
		_, errno := top(t, d).open("fifo", options(flag)) // as if it had been a file the moment before
		wantErrno(t, "open unseen", errno, wasi.EPERM)
	}
	wantErrno(t, "nofollow", tryOpen(d, "fifo", nofollow), wasi.EPERM)
	wantErrno(t, "create only", tryOpen(d, "fifo", create|exclusive|write), wasi.EEXIST)
	wantErrno(t, "stat", second(d.Stat("fifo")), 0)
	wantErrno(t, "rename", d.Rename("fifo", "pipe"), 0)
	wantErrno(t, "unlink", d.Unlink("pipe"), 0)
}

// TestHardLink holds a limit that the documentation states: a hard link is
// as good as the file.
func TestHardLink(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	must(t, os.Link(filepath.Join(outsideOf(root), "secret"), filepath.Join(root, "hard")))
	if got := readAll(t, openFile(t, d, "hard", read)); got != "outside" {
		t.Errorf("got %q", got)
	}
}

// top returns the folder itself.
func top(t *testing.T, d *mounted) *folder {
	t.Helper()
	f, ok := d.dir.(*folder)
	if !ok {
		t.Fatalf("the folder is a %T", d.dir)
	}
	return f
}
