#include "preview1.h"

int main(void) {
	fd_t fd;
	ok(path_create_directory, root, "target");
	ok(path_symlink, "target", root, "link");
	fails(either(LOOP, NOTDIR), path_open, root, 0, "link", O(DIRECTORY), 0, 0, 0, &fd);
	fails(E(LOOP), path_open, root, 0, "link", 0, 0, 0, 0, &fd);
	ok(path_open, root, FOLLOW, "link", O(DIRECTORY), 0, 0, 0, &fd);
	ok(fd_close, fd);
	ok(path_unlink_file, root, "link");
	ok(path_remove_directory, root, "target");

	create(root, "target");
	ok(path_symlink, "target", root, "link");
	fails(either(LOOP, NOTDIR), path_open, root, 0, "link", O(DIRECTORY), 0, 0, 0, &fd);
	fails(E(LOOP), path_open, root, 0, "link", 0, 0, 0, 0, &fd);
	fails(E(NOTDIR), path_open, root, FOLLOW, "link", O(DIRECTORY), 0, 0, 0, &fd);
	ok(path_unlink_file, root, "target");
	ok(path_unlink_file, root, "link");
}
