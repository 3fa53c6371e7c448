package wazero

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

func TestDirFSOpen(t *testing.T) {
	t.Parallel()
	const rw, wr, create, excl = sys.O_RDWR, sys.O_WRONLY, sys.O_CREAT, sys.O_CREAT | sys.O_EXCL
	const dir, nofollow, trunc = sys.O_DIRECTORY, sys.O_NOFOLLOW, sys.O_TRUNC
	for _, c := range []struct {
		what string
		name string
		flag sys.Oflag
		want sys.Errno
	}{
		{"file", "file", 0, 0},
		{"file to write", "file", wr, 0},
		{"file from /", "/file", rw, 0},
		{"with every sync flag", "file", rw | sys.O_SYNC | sys.O_DSYNC | sys.O_RSYNC | sys.O_NONBLOCK, 0},
		{"link", "link", rw, 0},
		{"link in a linked folder", "dirlink/up", rw, 0},
		{"folder", "dir", 0, 0},
		{"folder/", "dir/", dir, 0},
		{"linked folder", "dirlink", dir, 0},
		{".", ".", dir, 0},
		{"dir/..", "dir/..", dir | nofollow, 0},
		{"missing", "missing", 0, sys.ENOENT},
		{"dangling", "dangling", 0, sys.ENOENT},
		{"loop", "loop", 0, sys.ELOOP},
		{"file/", "file/", 0, sys.ENOTDIR},
		{"file as a folder", "file", dir, sys.ENOTDIR},
		{"folder to write", "dir", rw, sys.EISDIR},
		{"folder as a folder to write", "dir", rw | dir, sys.EISDIR},
		{"folder to create", "dir", create, sys.EISDIR},
		{"write or read and write", "file", wr | rw, sys.EINVAL},

		{"create", "new", create | rw, 0},
		{"create what is there", "file", create | rw, 0},
		{"create through a dangling link", "dangling", create | rw, 0},
		{"create in a folder", "dir/new", create | wr, 0},
		{"create in missing", "missing/new", create | wr, sys.ENOENT},
		{"create new/", "new/", create | wr, sys.EISDIR},
		{"create a folder", "new", create | dir, sys.EINVAL},
		{"create only", "new", excl | rw, 0},
		{"create only what is there", "file", excl | rw, sys.EEXIST},
		{"create only what a link is", "dangling", excl | rw, sys.EEXIST},
		{"create only what a link out is", "out", excl | rw, sys.EEXIST},
		{"excl without create", "file", sys.O_EXCL, 0},
		{"truncate", "file", trunc | rw, 0},

		{"nofollow file", "file", nofollow | rw, 0},
		{"nofollow folder", "dir", nofollow | dir, 0},
		{"nofollow new", "new", nofollow | create | rw, 0},
		{"nofollow in a linked folder", "dirlink/in", nofollow | rw, 0},
		{"nofollow link", "link", nofollow, sys.ELOOP},
		{"nofollow link to create", "dangling", nofollow | create | rw, sys.ELOOP},
		{"nofollow linked folder", "dirlink", nofollow, sys.ELOOP},
		{"nofollow linked folder/", "dirlink/", nofollow | dir, 0},
		{"nofollow link out", "out", nofollow, sys.ELOOP},
		{"nofollow missing", "missing", nofollow, sys.ENOENT},
		{"nofollow in missing", "missing/x", nofollow, sys.ENOENT},
		{"nofollow .", ".", nofollow, 0},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			d, root := openTree(t, false)
			wantErrno(t, c.name, open(d, c.name, c.flag), c.want)
			want := "inside"
			if c.flag&trunc != 0 {
				want = ""
			}
			if got := readHost(t, root, "file"); got != want {
				t.Errorf("the file is now %q", got)
			}
			if got := readHost(t, outsideOf(root), "secret"); got != "outside" {
				t.Errorf("the secret is now %q", got)
			}
		})
	}
}

// TestDirFSOpenNoFollowLinkedFolder asks for a folder where a link to one is:
// either error says that, and systems differ.
func TestDirFSOpenNoFollowLinkedFolder(t *testing.T) {
	t.Parallel()
	d, _ := openTree(t, false)
	switch errno := open(d, "dirlink", sys.O_NOFOLLOW|sys.O_DIRECTORY); errno {
	case sys.ELOOP, sys.ENOTDIR:
	default:
		t.Errorf("got %v", errno)
	}
}

// TestDirFSOpenUnreadable opens what the host's permissions forbid. Root is
// above those, so there it can only be opened.
func TestDirFSOpenUnreadable(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	must(t, os.Chmod(filepath.Join(root, "file"), 0))
	want := sys.EACCES
	if os.Geteuid() == 0 {
		want = 0
	}
	wantErrno(t, "open", open(d, "file", sys.O_RDONLY), want)
	wantErrno(t, "open without following", open(d, "file", sys.O_RDONLY|sys.O_NOFOLLOW), want)
}
