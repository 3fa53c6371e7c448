package live

import (
	"os"
	"path/filepath"
	"testing"

	"plasm/lib/wasi"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	const rw, wr, excl, dir, trunc = both, write, create | exclusive, directory, truncate
	for _, c := range []struct {
		what string
		name string
		flag flags
		want wasi.Errno
	}{
		{"file", "file", 0, 0},
		{"file to write", "file", wr, 0},
		{"file from /", "/file", rw, wasi.EPERM},
		{"nothing", "", rw, wasi.ENOENT},
		{"link", "link", rw, 0},
		{"link in a linked folder", "dirlink/up", rw, 0},
		{"folder", "dir", 0, 0},
		{"folder/", "dir/", dir, 0},
		{"linked folder", "dirlink", dir, 0},
		{".", ".", dir, 0},
		{"dir/..", "dir/..", dir | nofollow, 0},
		{"missing", "missing", 0, wasi.ENOENT},
		{"dangling", "dangling", 0, wasi.ENOENT},
		{"loop", "loop", 0, wasi.ELOOP},
		{"file/", "file/", 0, wasi.ENOTDIR},
		{"file as a folder", "file", dir, wasi.ENOTDIR},
		{"folder to write", "dir", rw, wasi.EISDIR},
		{"folder as a folder to write", "dir", rw | dir, wasi.EISDIR},
		{"folder to create", "dir", create, wasi.EISDIR},

		{"create", "new", create | rw, 0},
		{"create what is there", "file", create | rw, 0},
		{"create through a dangling link", "dangling", create | rw, 0},
		{"create in a folder", "dir/new", create | wr, 0},
		{"create in missing", "missing/new", create | wr, wasi.ENOENT},
		{"create new/", "new/", create | wr, wasi.EISDIR},
		{"create a folder", "new", create | dir, wasi.EINVAL},
		{"create only", "new", excl | rw, 0},
		{"create only what is there", "file", excl | rw, wasi.EEXIST},
		{"create only what a link is", "dangling", excl | rw, wasi.EEXIST},
		{"create only what a link out is", "out", excl | rw, wasi.EEXIST},
		{"excl without create", "file", exclusive, 0},
		{"truncate", "file", trunc | rw, 0},

		{"nofollow file", "file", nofollow | rw, 0},
		{"nofollow folder", "dir", nofollow | dir, 0},
		{"nofollow new", "new", nofollow | create | rw, 0},
		{"nofollow in a linked folder", "dirlink/in", nofollow | rw, 0},
		{"nofollow link", "link", nofollow, wasi.ELOOP},
		{"nofollow link to create", "dangling", nofollow | create | rw, wasi.ELOOP},
		{"nofollow linked folder", "dirlink", nofollow, wasi.ELOOP},
		{"nofollow linked folder as a folder", "dirlink", nofollow | dir, wasi.ENOTDIR},
		{"nofollow linked folder/", "dirlink/", nofollow | dir, 0},
		{"nofollow link out", "out", nofollow, wasi.ELOOP},
		{"nofollow missing", "missing", nofollow, wasi.ENOENT},
		{"nofollow in missing", "missing/x", nofollow, wasi.ENOENT},
		{"nofollow .", ".", nofollow, 0},
		{"through a link, and up", "dirlink/../file", rw, 0},
		{"missing, and up", "missing/../file", rw, wasi.ENOENT},
		{"link/", "link/", 0, wasi.ENOTDIR},
		{"create link/", "dangling/", create | wr, wasi.EISDIR},
		{"create .", ".", create, wasi.EISDIR},
		{"create only .", ".", excl, wasi.EEXIST},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			d, root := openTree(t, false)
			wantErrno(t, c.name, tryOpen(d, c.name, c.flag), c.want)
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

// TestOpenNoFollowLinkedFolder asks for a folder where a link to one is:
// either error says that, and systems differ.
func TestOpenNoFollowLinkedFolder(t *testing.T) {
	t.Parallel()
	d, _ := openTree(t, false)
	switch errno := tryOpen(d, "dirlink", nofollow|directory); errno {
	case wasi.ELOOP, wasi.ENOTDIR:
	default:
		t.Errorf("got %v", errno)
	}
}

// TestOpenUnreadable opens what the host's permissions forbid. Root is
// above those, so there it can only be opened.
func TestOpenUnreadable(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	must(t, os.Chmod(filepath.Join(root, "file"), 0))
	want := wasi.EACCES
	if os.Geteuid() == 0 {
		want = 0
	}
	wantErrno(t, "open", tryOpen(d, "file", read), want)
	wantErrno(t, "open without following", tryOpen(d, "file", read|nofollow), want)
}
