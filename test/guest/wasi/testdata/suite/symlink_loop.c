#include "preview1.h"

int main(void) {
	fd_t fd;
	filestat_t s;
	ok(path_symlink, "link", root, "link");
	fails(E(LOOP), path_open, root, 0, "link", 0, 0, 0, 0, &fd);
	fails(E(LOOP), path_open, root, FOLLOW, "link", 0, 0, 0, 0, &fd);
	fails(E(LOOP), path_open, root, FOLLOW, "link/below", 0, 0, 0, 0, &fd);
	fails(E(LOOP), path_filestat_get, root, FOLLOW, "link", &s);
	ok(path_unlink_file, root, "link");
}
