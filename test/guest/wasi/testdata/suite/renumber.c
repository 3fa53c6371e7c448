#include "preview1.h"

int main(void) {
	fd_t from = opened(root, "one", O(CREAT), READWRITE), to = opened(root, "two", O(CREAT), R(FD_READ));
	fdstat_t before = fdstat(from), after;
	uint64_t inode = stat_path(root, 0, "one").ino;
	ok(fd_renumber, from, to);
	fails(E(BADF), fd_close, from);
	after = fdstat(to);
	check(before.fs_filetype == after.fs_filetype && before.fs_flags == after.fs_flags);
	check(before.fs_rights_base == after.fs_rights_base && before.fs_rights_inheriting == after.fs_rights_inheriting);
	fails(E(BADF), fd_renumber, to, from);
	fails(E(BADF), fd_renumber, from, to);
	wrote(to, "x", 1);
	ok(fd_renumber, to, to);
	ok(fd_close, to);
	check(stat_path(root, 0, "one").size == 1 && stat_path(root, 0, "one").ino == inode);
	ok(path_unlink_file, root, "one");
	ok(path_unlink_file, root, "two");
}
