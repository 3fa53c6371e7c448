#include "preview1.h"

static void same(fd_t a, fd_t b) {
	filestat_t s = stat_fd(a), t = stat_fd(b);
	check(s.dev == t.dev && s.ino == t.ino && s.filetype == t.filetype && s.nlink == t.nlink && s.size == t.size);
	check(s.atim == t.atim && s.mtim == t.mtim && s.ctim == t.ctim);
	fdstat_t f = fdstat(a), g = fdstat(b);
	check(f.fs_flags == g.fs_flags && f.fs_filetype == g.fs_filetype);
	check(f.fs_rights_base == g.fs_rights_base && f.fs_rights_inheriting == g.fs_rights_inheriting);
}

int main(void) {
	const uint64_t rights = R(FD_READ) | R(FD_FILESTAT_GET) | R(PATH_LINK_SOURCE) | R(PATH_LINK_TARGET) | R(PATH_OPEN) | R(PATH_UNLINK_FILE);
	fd_t dir = folder(root, "dir"), file = opened(dir, "file", O(CREAT), rights), link;
	check(stat_fd(file).nlink == 1);

	ok(path_link, dir, 0, "file", dir, "link");
	same(file, link = opened(dir, "link", 0, rights));
	check(stat_fd(file).nlink == 2);
	ok(fd_close, link);
	ok(path_unlink_file, dir, "link");

	fd_t sub = folder(dir, "sub");
	ok(path_link, dir, 0, "file", sub, "link");
	same(file, link = opened(sub, "link", 0, rights));
	ok(fd_close, link);
	ok(path_unlink_file, sub, "link");
	ok(fd_close, sub);

	create(dir, "other");
	fails(E(EXIST), path_link, dir, 0, "file", dir, "other");
	fails(E(EXIST), path_link, dir, 0, "file", dir, "file");
	fails(E(EXIST), path_link, dir, 0, "file", dir, "sub");
	fails(E(PERM), path_link, dir, 0, "sub", dir, "link");
	fails(E(NOENT), path_link, dir, 0, "file", dir, "link/");
	fails(E(NOENT), path_link, dir, 0, "missing", dir, "link");
	ok(path_remove_directory, dir, "sub");
	ok(path_unlink_file, dir, "other");

	ok(path_symlink, "target", dir, "dangling");
	ok(path_link, dir, 0, "dangling", dir, "link");
	check(stat_path(dir, 0, "link").filetype == __WASI_FILETYPE_SYMBOLIC_LINK);
	ok(path_unlink_file, dir, "link");
	fails(E(EXIST), path_link, dir, 0, "file", dir, "dangling");
	fails(either(INVAL, NOENT), path_link, dir, FOLLOW, "dangling", dir, "link");
	ok(path_unlink_file, dir, "dangling");

	ok(path_symlink, "loop", dir, "loop");
	ok(path_link, dir, 0, "loop", dir, "link");
	ok(path_unlink_file, dir, "loop");
	ok(path_unlink_file, dir, "link");

	ok(fd_close, file);
	ok(path_unlink_file, dir, "file");
	ok(fd_close, dir);
	ok(path_remove_directory, root, "dir");
}
