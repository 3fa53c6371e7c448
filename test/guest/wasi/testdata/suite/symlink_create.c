#include "preview1.h"

static void to(int oflags) {
	fd_t fd;
	ok(path_symlink, "target", root, "link");
	ok(path_open, root, FOLLOW, "link", oflags, 0, 0, 0, &fd);
	ok(fd_close, fd);
	ok(path_unlink_file, root, "link");
}

int main(void) {
	create(root, "target");
	to(0);
	ok(path_unlink_file, root, "target");
	ok(path_create_directory, root, "target");
	to(O(DIRECTORY));
	ok(path_remove_directory, root, "target");
	fails(either(PERM, NOTCAPABLE), path_symlink, "/", root, "link");
	fails(E(NOENT), path_unlink_file, root, "link");
}
