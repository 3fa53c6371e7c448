#include "preview1.h"

// A link has times of its own.
int main(void) {
	fd_t file = opened(root, "target", O(CREAT), READWRITE);
	wrote(file, "abc", 3);
	ok(path_symlink, "target", root, "link");
	filestat_t target = stat_path(root, 0, "target"), link = stat_path(root, 0, "link");
	check(link.filetype == __WASI_FILETYPE_SYMBOLIC_LINK && link.size == 6 && target.size == 3 && link.ino != target.ino);
	ok(path_filestat_set_times, root, 0, "link", 0, link.mtim - 200, __WASI_FSTFLAGS_MTIM);
	check(stat_path(root, 0, "link").mtim == link.mtim - 200);
	check(stat_path(root, 0, "target").mtim == target.mtim);
	check(stat_path(root, FOLLOW, "link").mtim == target.mtim);
	ok(path_filestat_set_times, root, FOLLOW, "link", 0, link.mtim - 300, __WASI_FSTFLAGS_MTIM);
	check(stat_path(root, 0, "target").mtim == link.mtim - 300);
	check(stat_path(root, 0, "link").mtim == link.mtim - 200);
	ok(fd_close, file);
	ok(path_unlink_file, root, "link");
	ok(path_unlink_file, root, "target");
}
