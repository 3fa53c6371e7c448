#include "preview1.h"

// What is open may be removed, and made again.
int main(void) {
	create(root, "name");
	fd_t file = opened(root, "name", 0, READWRITE);
	ok(path_unlink_file, root, "name");
	wrote(file, "still", 5);
	create(root, "name");
	check(stat_path(root, 0, "name").size == 0);
	check(stat_fd(file).size == 5);
	ok(fd_close, file);
	ok(path_unlink_file, root, "name");

	fd_t dir = folder(root, "name");
	ok(path_remove_directory, root, "name");
	ok(path_create_directory, root, "name");
	check(stat_fd(dir).ino != stat_path(root, 0, "name").ino);
	fails(E(NOENT), path_create_directory, dir, "in-what-is-gone");
	ok(fd_close, dir);
	ok(path_remove_directory, root, "name");
}
