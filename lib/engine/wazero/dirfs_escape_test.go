package wazero

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero/experimental/sys"
)

// TestDirFSEscape tries every operation on every kind of path that leads out.
func TestDirFSEscape(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	outside := outsideOf(root)
	before := snapshot(t, outside)

	through := []string{ // an element before the last leads out, or the last is ".."
		"..", "../", "../..", "dir/../..", "../outside/secret", "dir/../../outside/secret", "dirlink/../../outside/secret",
		"/../outside/secret", "/../../../../../../../../etc/passwd", "../root/file", "./../outside",
		"outdir/secret", "outdir/new", "absdir/secret", "absdir/new", "outdir/../secret",
		"magic/etc/passwd", "magic/", "self/in", "dir/up/../../../outside/secret", "outdir/", "outdir/.",
	}
	for _, name := range through {
		for what, got := range everyChange(d, name, "full/x") {
			switch got {
			case sys.EPERM, sys.EINVAL, sys.ENOTDIR, sys.EISDIR:
			case sys.EEXIST: // Linux looks at the link and not through it
				if what != "mkdir" {
					t.Errorf("%s %s: got %v", what, name, got)
				}
			default:
				t.Errorf("%s %s: got %v", what, name, got)
			}
		}
		for what, got := range everyLook(d, name) {
			if got != sys.EPERM && got != sys.ENOTDIR {
				t.Errorf("%s %s: got %v", what, name, got)
			}
		}
	}
	for _, name := range []string{"out", "outdir", "outnew", "absout", "absdir", "abs", "magic", "self"} { // the last element itself
		for what, got := range map[string]sys.Errno{
			"open":     open(d, name, sys.O_RDONLY),
			"write":    open(d, name, sys.O_RDWR),
			"create":   open(d, name, sys.O_RDWR|sys.O_CREAT),
			"truncate": open(d, name, sys.O_RDWR|sys.O_TRUNC),
			"list":     open(d, name, sys.O_DIRECTORY),
			"stat":     second(d.Stat(name)),
			"chmod":    d.Chmod(name, 0o777),
			"utimens":  d.Utimens(name, 1, 1),
		} {
			wantErrno(t, what+" "+name, got, sys.EPERM)
		}
	}
	for _, name := range []string{outside, outside + "/secret", "/etc/passwd", "/proc/self/root"} { // as if the folder were the root
		wantErrno(t, "open "+name, open(d, name, sys.O_RDONLY), sys.ENOENT)
		wantErrno(t, "create "+name, open(d, name, sys.O_RDWR|sys.O_CREAT), sys.ENOENT)
	}
	if diff := cmp.Diff(before, snapshot(t, outside)); diff != "" {
		t.Errorf("what is outside changed:\n%s", diff)
	}
}

func everyLook(d *dirFS, name string) map[string]sys.Errno {
	return map[string]sys.Errno{
		"open":     open(d, name, sys.O_RDONLY),
		"nofollow": open(d, name, sys.O_RDONLY|sys.O_NOFOLLOW),
		"list":     open(d, name, sys.O_RDONLY|sys.O_DIRECTORY),
		"stat":     second(d.Stat(name)),
		"lstat":    second(d.Lstat(name)),
		"readlink": second(d.Readlink(name)),
	}
}

// TestDirFSOwnLinks follows links out that the guest has made itself.
func TestDirFSOwnLinks(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	for name, target := range map[string]string{
		"a": "../outside/secret", "dir/b": "../../outside", "dir/sub/c": "../in", "e": strings.Repeat("../", 64) + "etc",
	} {
		wantErrno(t, "symlink "+name, d.Symlink(target, name), 0)
	}
	wantErrno(t, "a link in", open(d, "dir/sub/c", sys.O_RDWR), 0)
	wantErrno(t, "move it", d.Rename("dir/sub/c", "c"), 0) // "../in" leads out from here
	wantErrno(t, "link it", d.Link("a", "dir/twin"), 0)    // and so does "../outside/secret" lead elsewhere from there
	for name, want := range map[string]sys.Errno{
		"a": sys.EPERM, "dir/b": sys.EPERM, "dir/b/secret": sys.EPERM, "c": sys.EPERM, "e/passwd": sys.EPERM, "dir/twin": sys.ENOENT,
	} {
		wantErrno(t, "open "+name, open(d, name, sys.O_RDONLY), want)
	}
	if got := readHost(t, outsideOf(root), "secret"); got != "outside" {
		t.Errorf("the secret is now %q", got)
	}
}

// TestDirFSSpecialFiles opens what would make it wait or act on the host.
func TestDirFSSpecialFiles(t *testing.T) {
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
	for name, d := range map[string]*dirFS{
		"fifo": d, "fifolink": d, "s": openDir(t, dir, false), "null": openDir(t, "/dev", false), "tty": openDir(t, "/dev", false),
	} {
		for _, flag := range []sys.Oflag{
			sys.O_RDONLY, sys.O_WRONLY, sys.O_RDWR, sys.O_RDWR | sys.O_CREAT | sys.O_TRUNC, sys.O_WRONLY | sys.O_APPEND, sys.O_NONBLOCK,
		} {
			wantErrno(t, "open "+name, open(d, name, flag), sys.EPERM)
		}
	}
	for _, flag := range []sys.Oflag{sys.O_RDONLY, sys.O_WRONLY, sys.O_RDWR, sys.O_NOFOLLOW, sys.O_NOFOLLOW | sys.O_WRONLY} {
		_, err := d.openAny("fifo", flag, 0) // as if it had been a file the moment before
		wantErrno(t, "open unseen", errnoOf(err), sys.EPERM)
	}
	wantErrno(t, "nofollow", open(d, "fifo", sys.O_NOFOLLOW), sys.EPERM)
	wantErrno(t, "create only", open(d, "fifo", sys.O_CREAT|sys.O_EXCL|sys.O_WRONLY), sys.EEXIST)
	wantErrno(t, "stat", second(d.Stat("fifo")), 0)
	wantErrno(t, "rename", d.Rename("fifo", "pipe"), 0)
	wantErrno(t, "unlink", d.Unlink("pipe"), 0)
}

// TestDirFSHardLink holds a limit that the documentation states: a hard link is
// as good as the file.
func TestDirFSHardLink(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	must(t, os.Link(filepath.Join(outsideOf(root), "secret"), filepath.Join(root, "hard")))
	if got := readAll(t, openFile(t, d, "hard", sys.O_RDONLY)); got != "outside" {
		t.Errorf("got %q", got)
	}
}
