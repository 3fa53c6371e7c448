#include "preview1.h"

int main(void) {
	const uint64_t base = R(PATH_CREATE_DIRECTORY) | R(PATH_CREATE_FILE) | R(PATH_LINK_SOURCE) | R(PATH_LINK_TARGET) | R(PATH_OPEN) |
		R(FD_READDIR) | R(PATH_READLINK) | R(PATH_RENAME_SOURCE) | R(PATH_RENAME_TARGET) | R(PATH_SYMLINK) |
		R(PATH_REMOVE_DIRECTORY) | R(PATH_UNLINK_FILE) | R(PATH_FILESTAT_GET) | R(PATH_FILESTAT_SET_TIMES) |
		R(FD_FILESTAT_GET) | R(FD_FILESTAT_SET_TIMES);
	const uint64_t inheriting = base | R(FD_DATASYNC) | R(FD_READ) | R(FD_SEEK) | R(FD_FDSTAT_SET_FLAGS) | R(FD_SYNC) | R(FD_TELL) |
		R(FD_WRITE) | R(FD_ADVISE) | R(FD_ALLOCATE) | R(FD_FILESTAT_SET_SIZE) | R(POLL_FD_READWRITE);
	fd_t fd;
	__wasi_prestat_t pre;
	uint8_t name[1];
	ok(fd_prestat_get, root, &pre);
	check(pre.tag == __WASI_PREOPENTYPE_DIR && pre.u.dir.pr_name_len == 1);
	ok(fd_prestat_dir_name, root, name, 1);
	check(name[0] == '/');
	fails(E(BADF), fd_prestat_get, root + 1, &pre);
	fails(E(BADF), fd_prestat_get, out, &pre);
	fdstat_t s = fdstat(root);
	check((s.fs_rights_base & base) == base && (s.fs_rights_inheriting & inheriting) == inheriting);
	ok(path_open, root, 0, ".", 0, s.fs_rights_base, s.fs_rights_inheriting, 0, &fd);
	check(fdstat(fd).fs_rights_base == s.fs_rights_base && fdstat(fd).fs_rights_inheriting == s.fs_rights_inheriting);
	ok(path_open, root, 0, ".", 0, 0, 0, 0, &fd);
	ok(path_open, root, 0, ".", O(DIRECTORY), 0, 0, 0, &fd);
	ok(path_open, root, 0, ".", O(DIRECTORY), R(FD_READ), 0, 0, &fd);
	fails(E(ISDIR), path_open, root, 0, ".", O(DIRECTORY), READWRITE, 0, 0, &fd);
}
