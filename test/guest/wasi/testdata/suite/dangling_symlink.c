#include "preview1.h"

int main(void) {
	fd_t fd;
	ok(path_symlink, "target", root, "link");
	fails(either(NOTDIR, LOOP), path_open, root, 0, "link", O(DIRECTORY), 0, 0, 0, &fd);
	fails(E(LOOP), path_open, root, 0, "link", 0, 0, 0, 0, &fd);
	fails(E(NOENT), path_open, root, FOLLOW, "link", 0, 0, 0, 0, &fd);
	fails(E(EXIST), path_open, root, 0, "link", O(CREAT) | O(EXCL), 0, 0, 0, &fd);
	ok(path_open, root, FOLLOW, "link", O(CREAT), 0, 0, 0, &fd);
	check(stat_path(root, 0, "target").filetype == __WASI_FILETYPE_REGULAR_FILE);
	ok(path_unlink_file, root, "link");
	ok(path_unlink_file, root, "target");
}
