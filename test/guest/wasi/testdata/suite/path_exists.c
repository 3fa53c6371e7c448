#include "preview1.h"

static void is(const char *name, int without, int with) {
	check(stat_path(root, 0, name).filetype == without);
	check(stat_path(root, FOLLOW, name).filetype == with);
}

int main(void) {
	const int dir = __WASI_FILETYPE_DIRECTORY, file = __WASI_FILETYPE_REGULAR_FILE, link = __WASI_FILETYPE_SYMBOLIC_LINK;
	filestat_t s;
	ok(path_create_directory, root, "dir");
	is("dir", dir, dir);
	create(root, "dir/file");
	is("dir/file", file, file);
	ok(path_symlink, "dir/file", root, "to-file");
	is("to-file", link, file);
	ok(path_symlink, "dir", root, "to-dir");
	is("to-dir", link, dir);
	is("to-dir/file", file, file);
	is("to-dir/", dir, dir);
	check(stat_path(root, 0, "to-dir").size == 3);
	fails(E(NOENT), path_filestat_get, root, 0, "missing", &s);
	ok(path_unlink_file, root, "to-file");
	ok(path_unlink_file, root, "to-dir");
	ok(path_unlink_file, root, "dir/file");
	ok(path_remove_directory, root, "dir");
}
