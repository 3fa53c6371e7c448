#include "preview1.h"

int main(void) {
	fd_t fd, dir = folder(root, "dir");
	create(dir, "file");
	fdstat_t s = fdstat(dir);
	check(s.fs_filetype == __WASI_FILETYPE_DIRECTORY && s.fs_flags == 0);
	check((s.fs_rights_base & R(FD_FILESTAT_SET_SIZE)) == 0);
	if (s.fs_rights_base & R(PATH_FILESTAT_SET_SIZE)) {
		ok(fd_close, opened(dir, "file", O(TRUNC), 0));
		uint64_t inheriting = s.fs_rights_inheriting & ~R(FD_FILESTAT_SET_SIZE), base = s.fs_rights_base & ~R(PATH_FILESTAT_SET_SIZE);
		ok(fd_fdstat_set_rights, dir, s.fs_rights_base, inheriting);
		ok(fd_close, opened(dir, "file", O(TRUNC), 0));
		ok(fd_fdstat_set_rights, dir, base, inheriting);
		check(fdstat(dir).fs_rights_base == base);
		fails(either(PERM, NOTCAPABLE), path_open, dir, 0, "file", O(TRUNC), 0, 0, 0, &fd);
	}
	ok(path_unlink_file, dir, "file");
	ok(fd_close, dir);
	ok(path_remove_directory, root, "dir");
}
