// The calls that Rust's std::fs makes (library/std/src/sys/fs/wasi.rs), by hand: its rights,
// which it asks for whatever it opens, and its way of reading folders and links.
#include "../suite/preview1.h"

// rights are what OpenOptions asks for, as base and inheriting rights alike.
static uint64_t rights(int read, int write) {
	uint64_t all = R(FD_ADVISE) | R(FD_FDSTAT_SET_FLAGS) | R(FD_FILESTAT_GET) | R(FD_FILESTAT_SET_TIMES) | R(FD_SEEK) | R(FD_SYNC) |
		R(FD_TELL) | R(PATH_CREATE_DIRECTORY) | R(PATH_CREATE_FILE) | R(PATH_FILESTAT_GET) | R(PATH_LINK_SOURCE) |
		R(PATH_LINK_TARGET) | R(PATH_OPEN) | R(PATH_READLINK) | R(PATH_REMOVE_DIRECTORY) | R(PATH_RENAME_SOURCE) |
		R(PATH_RENAME_TARGET) | R(PATH_SYMLINK) | R(PATH_UNLINK_FILE) | R(POLL_FD_READWRITE);
	if (read) all |= R(FD_READ) | R(FD_READDIR);
	if (write) all |= R(FD_WRITE) | R(FD_DATASYNC) | R(FD_ALLOCATE) | R(FD_FILESTAT_SET_SIZE);
	return all;
}

static fd_t opens(fd_t dir, const char *name, int read, int write, int oflags, int fdflags) {
	fd_t fd;
	ok(path_open, dir, FOLLOW, name, oflags, rights(read, write), rights(read, write), fdflags, &fd);
	return fd;
}

static fd_t reads(fd_t dir, const char *name) { return opens(dir, name, 1, 0, 0, 0); }

// seen is called with each name of a folder but "." and "..".
static void read_dir(fd_t parent, const char *name, void (*seen)(fd_t, const char *, __wasi_dirent_t)) {
	static uint8_t buffer[512];
	fd_t dir;
	ok(path_open, parent, 0, name, O(DIRECTORY), rights(1, 0), rights(1, 0), 0, &dir);
	__wasi_size_t size = 128, used, at = 0;
	for (__wasi_dircookie_t cookie = 0;;) {
		ok(fd_readdir, dir, buffer, size, cookie, &used);
		for (at = 0; used - at >= sizeof(__wasi_dirent_t);) {
			__wasi_dirent_t entry;
			memcpy(&entry, buffer + at, sizeof entry);
			if (used - at - sizeof entry < entry.d_namlen) {
				if (size < sizeof entry + entry.d_namlen) size = sizeof entry + entry.d_namlen;
				break;
			}
			char text[256] = "";
			memcpy(text, buffer + at + sizeof entry, entry.d_namlen);
			if (strcmp(text, ".") && strcmp(text, "..")) seen(dir, text, entry);
			at += sizeof entry + entry.d_namlen;
			cookie = entry.d_next;
		}
		if (used < size && used - at < sizeof(__wasi_dirent_t)) break;
	}
	ok(fd_close, dir);
}

static int files, folders, links;

static void count(fd_t dir, const char *name, __wasi_dirent_t entry) {
	check(stat_path(dir, 0, name).filetype == entry.d_type && stat_path(dir, 0, name).ino == entry.d_ino);
	files += entry.d_type == __WASI_FILETYPE_REGULAR_FILE;
	folders += entry.d_type == __WASI_FILETYPE_DIRECTORY;
	links += entry.d_type == __WASI_FILETYPE_SYMBOLIC_LINK;
}

static void remove_all(fd_t dir, const char *name, __wasi_dirent_t entry) {
	if (entry.d_type != __WASI_FILETYPE_DIRECTORY) {
		ok(path_unlink_file, dir, name);
		return;
	}
	read_dir(dir, name, remove_all);
	ok(path_remove_directory, dir, name);
}

int main(void) {
	uint8_t bytes[300];
	__wasi_filesize_t at;
	fd_t fd, to;

	// fs::write, fs::read, OpenOptions::append, File::set_len, File::set_times
	fd = opens(root, "file", 0, 1, O(CREAT) | O(TRUNC), 0);
	wrote(fd, "written", 7);
	ok(fd_sync, fd);
	ok(fd_close, fd);
	fd = opens(root, "file", 0, 1, O(CREAT), __WASI_FDFLAGS_APPEND);
	wrote(fd, " more", 5);
	ok(fd_filestat_set_times, fd, 5, 1234567890123456789, __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_MTIM);
	check(stat_fd(fd).mtim == 1234567890123456789 && stat_fd(fd).atim == 5);
	ok(fd_datasync, fd);
	ok(fd_close, fd);
	fd = reads(root, "file");
	check(stat_fd(fd).size == 12 && got(fd, bytes, sizeof bytes) == 12 && memcmp(bytes, "written more", 12) == 0);
	check(got(fd, bytes, sizeof bytes) == 0);
	ok(fd_seek, fd, -4, __WASI_WHENCE_END, &at);
	check(at == 8 && got(fd, bytes, sizeof bytes) == 4);

	// fs::copy, File::create_new, fs::rename, fs::hard_link
	to = opens(root, "copy", 0, 1, O(CREAT) | O(TRUNC), 0);
	wrote(to, bytes, 4);
	ok(fd_filestat_set_size, to, 2);
	check(stat_fd(to).size == 2);
	ok(fd_close, to);
	ok(fd_close, fd);
	fails(E(EXIST), path_open, root, FOLLOW, "copy", O(CREAT) | O(EXCL), rights(0, 1), rights(0, 1), 0, &fd);
	ok(path_rename, root, "copy", root, "file");
	ok(path_link, root, 0, "file", root, "hard");
	check(stat_path(root, 0, "hard").nlink == 2);

	// fs::create_dir_all, os::wasi::fs::symlink_path, fs::read_link, fs::metadata
	ok(path_create_directory, root, "dir");
	fails(E(EXIST), path_create_directory, root, "dir");
	check(stat_path(root, FOLLOW, "dir").filetype == __WASI_FILETYPE_DIRECTORY);
	ok(path_create_directory, root, "dir/sub");
	ok(path_symlink, "../file", root, "dir/link");
	filestat_t s = stat_path(root, 0, "dir/link");
	check(s.filetype == __WASI_FILETYPE_SYMBOLIC_LINK && s.size == 7);
	__wasi_size_t n;
	ok(path_readlink, root, "dir/link", bytes, s.size + 1, &n);
	check(n == 7 && memcmp(bytes, "../file", 7) == 0);
	check(stat_path(root, FOLLOW, "dir/link").size == 2);
	filestat_t none;
	fails(E(NOENT), path_filestat_get, root, FOLLOW, "dir/none", &none);

	// fs::read_dir, with names longer than its first buffer; fs::remove_dir_all
	char name[] = "dir/sub/00-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	size_t whole = strlen(name);
	for (int i = 0; i < 60; i++) {
		name[8] = '0' + i / 10, name[9] = '0' + i % 10;
		char old = name[whole - 2 * i];
		name[whole - 2 * i] = 0;
		ok(fd_close, opens(root, name, 0, 1, O(CREAT) | O(EXCL), 0));
		name[whole - 2 * i] = old;
	}
	read_dir(root, "dir", count);
	check(files == 0 && folders == 1 && links == 1);
	read_dir(root, "dir/sub", count);
	check(files == 60 && folders == 1 && links == 1);
	fails(E(NOTEMPTY), path_remove_directory, root, "dir");
	fails(E(NOTDIR), path_open, root, 0, "file", O(DIRECTORY), rights(1, 0), rights(1, 0), 0, &fd);
	read_dir(root, "dir", remove_all);
	ok(path_remove_directory, root, "dir");
	ok(path_unlink_file, root, "file");
	ok(path_unlink_file, root, "hard");
}
