#include "preview1.h"

static fd_t dir;

static void gone(const char *name) {
	fd_t fd;
	fails(E(NOENT), path_open, dir, 0, name, 0, 0, 0, 0, &fd);
}

int main(void) {
	dir = folder(root, "dir");

	// A folder, to no name, and to that of an empty folder.
	ok(path_create_directory, dir, "source");
	ok(path_rename, dir, "source", dir, "target");
	gone("source");
	ok(path_create_directory, dir, "source");
	create(dir, "source/file");
	ok(path_rename, dir, "source", dir, "target");
	gone("source");
	ok(fd_close, opened(dir, "target/file", 0, 0));

	// A folder to that of one which is not empty, to a file's, and into itself.
	ok(path_create_directory, dir, "source");
	fails(E(NOTEMPTY), path_rename, dir, "source", dir, "target");
	fails(E(NOTDIR), path_rename, dir, "source", dir, "target/file");
	fails(E(INVAL), path_rename, dir, "target", dir, "target/below");
	fails(E(NOENT), path_rename, dir, "missing", dir, "new");
	ok(path_unlink_file, dir, "target/file");
	ok(path_remove_directory, dir, "source");
	ok(path_remove_directory, dir, "target");

	// A file, to no name, to its own, to another file's, and to a folder's.
	create(dir, "source");
	ok(path_rename, dir, "source", dir, "target");
	gone("source");
	ok(path_rename, dir, "target", dir, "target");
	create(dir, "source");
	uint64_t inode = stat_path(dir, 0, "source").ino;
	ok(path_rename, dir, "source", dir, "target");
	gone("source");
	check(stat_path(dir, 0, "target").ino == inode);
	ok(path_create_directory, dir, "folder");
	fails(E(ISDIR), path_rename, dir, "target", dir, "folder");
	ok(path_rename, dir, "target", dir, "folder/target");
	ok(path_unlink_file, dir, "folder/target");
	ok(path_remove_directory, dir, "folder");

	ok(fd_close, dir);
	ok(path_remove_directory, root, "dir");
}
