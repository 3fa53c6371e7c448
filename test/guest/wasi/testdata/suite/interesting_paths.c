#include "preview1.h"

int main(void) {
	fd_t fd, dir = folder(root, "dir");
	ok(path_create_directory, dir, "a");
	ok(path_create_directory, dir, "a/b");
	create(dir, "a/b/file");

	fails(either(PERM, NOTCAPABLE), path_open, dir, 0, "/a/b/file", 0, 0, 0, 0, &fd);
	ok(fd_close, opened(dir, "a/.//b/../../a/b/../b///./file", 0, 0));
	check(raw_open(dir, 0, "a/b/file", 8, 0, 0, 0, 0, &fd) == 0);
	check(raw_open(dir, 0, "a/b/file", 9, 0, 0, 0, 0, &fd) == E(INVAL));
	check(raw_open(dir, 0, "a/b\0file", 8, 0, 0, 0, 0, &fd) == E(INVAL));
	fails(E(NOTDIR), path_open, dir, 0, "a/b/file/", 0, 0, 0, 0, &fd);
	fails(E(NOTDIR), path_open, dir, 0, "a/b/file///", 0, 0, 0, 0, &fd);
	fails(E(NOTDIR), path_open, dir, 0, "a/b/file/.", 0, 0, 0, 0, &fd);
	fails(E(NOTDIR), path_open, dir, 0, "a/b/file/..", 0, 0, 0, 0, &fd);
	fails(E(NOENT), path_open, dir, 0, "a/missing/../b", 0, 0, 0, 0, &fd);
	fails(E(NOENT), path_open, dir, 0, "", 0, 0, 0, 0, &fd);
	ok(fd_close, opened(dir, "a/b/", 0, 0));
	ok(fd_close, opened(dir, "a/b///", 0, 0));
	fails(either(PERM, NOTCAPABLE), path_open, dir, 0, "a/b/../../../dir/a/b/file", 0, 0, 0, 0, &fd);
	fails(either(PERM, NOTCAPABLE), path_open, dir, 0, "..", 0, 0, 0, 0, &fd);

	ok(path_unlink_file, dir, "a/b/file");
	ok(path_remove_directory, dir, "a/b");
	ok(path_remove_directory, dir, "a");
	ok(fd_close, dir);
	ok(path_remove_directory, root, "dir");
}
