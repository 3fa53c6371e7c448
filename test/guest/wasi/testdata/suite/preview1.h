// What the programs of this folder share: calls of WASI preview 1 as they are, without
// a C library between, and words for what each call is to answer. A program that finds
// something else says where and what on stderr, and ends with exit code 1.
#include <string.h>
#include <wasi/api.h>

typedef __wasi_fd_t fd_t;
typedef __wasi_fdstat_t fdstat_t;
typedef __wasi_filestat_t filestat_t;

// root is the folder that each program is given, at /.
enum { in = 0, out = 1, err = 2, root = 3 };

#define E(name) __WASI_ERRNO_##name
#define O(name) __WASI_OFLAGS_##name
#define R(name) __WASI_RIGHTS_##name
#define FOLLOW __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW
#define READWRITE (R(FD_READ) | R(FD_WRITE))
// All that a file, and that a folder, can be opened for.
#define FILE_RIGHTS (READWRITE | R(FD_DATASYNC) | R(FD_SEEK) | R(FD_FDSTAT_SET_FLAGS) | R(FD_SYNC) | R(FD_TELL) | R(FD_ADVISE) | \
	R(FD_ALLOCATE) | R(FD_FILESTAT_GET) | R(FD_FILESTAT_SET_SIZE) | R(FD_FILESTAT_SET_TIMES) | R(POLL_FD_READWRITE))
#define FOLDER_RIGHTS (R(PATH_CREATE_DIRECTORY) | R(PATH_CREATE_FILE) | R(PATH_LINK_SOURCE) | R(PATH_LINK_TARGET) | R(PATH_OPEN) | \
	R(FD_READDIR) | R(PATH_READLINK) | R(PATH_RENAME_SOURCE) | R(PATH_RENAME_TARGET) | R(PATH_FILESTAT_GET) | \
	R(PATH_FILESTAT_SET_SIZE) | R(PATH_FILESTAT_SET_TIMES) | R(PATH_SYMLINK) | R(PATH_REMOVE_DIRECTORY) | \
	R(PATH_UNLINK_FILE) | R(FD_FILESTAT_GET) | R(FD_FILESTAT_SET_TIMES) | R(FD_FDSTAT_SET_FLAGS))

// ok and fails call a function of WASI, and hold its errno against 0 or against E(…).
// either is for what the specification leaves open and hosts answer in several ways.
#define ok(name, ...) expect(__FILE__, __LINE__, #name, __wasi_##name(__VA_ARGS__), 0)
#define fails(want, name, ...) expect(__FILE__, __LINE__, #name, __wasi_##name(__VA_ARGS__), want)
#define either(a, b) (E(a) | E(b) << 8)
#define check(condition) ((condition) ? (void)0 : fail(__FILE__, __LINE__, #condition, -1))

static inline void say(const char *text) {
	__wasi_ciovec_t bytes = {(const uint8_t *)text, strlen(text)};
	__wasi_size_t n;
	(void)!__wasi_fd_write(err, &bytes, 1, &n);
}

static inline void say_number(int number) {
	char digits[12], *at = digits + 11;
	*at = 0;
	do *--at = '0' + number % 10;
	while (number /= 10);
	say(at);
}

_Noreturn static inline void fail(const char *file, int line, const char *what, int errno_) {
	const char *name = strrchr(file, '/');
	say(name ? name + 1 : file), say(":"), say_number(line), say(": "), say(what);
	if (errno_ >= 0) say(" gives errno "), say_number(errno_);
	say("\n");
	__wasi_proc_exit(1);
}

static inline void expect(const char *file, int line, const char *name, int got, int want) {
	do
		if (got == (want & 0xff)) return;
	while (want >>= 8);
	fail(file, line, name, got);
}

// raw_open is path_open of a path that may hold NUL.
int raw_open(int fd, int flags, const char *path, size_t length, int oflags, uint64_t base, uint64_t inheriting, int fdflags, fd_t *opened)
	__attribute__((import_module("wasi_snapshot_preview1"), import_name("path_open")));

// opened opens what is there, or with O(CREAT) may not be; the descriptor is a new one.
#define opened(dir, name, oflags, rights) opened_at(__FILE__, __LINE__, dir, name, oflags, rights, 0)
static inline fd_t opened_at(const char *file, int line, fd_t dir, const char *name, int oflags, uint64_t base, uint64_t inheriting) {
	fd_t fd = 0;
	expect(file, line, name, __wasi_path_open(dir, 0, name, oflags, base, inheriting, 0, &fd), 0);
	if (fd <= root) fail(file, line, "the new descriptor is not a free one", -1);
	return fd;
}

#define folder(dir, name) (ok(path_create_directory, dir, name), \
	opened_at(__FILE__, __LINE__, dir, name, O(DIRECTORY), FOLDER_RIGHTS, FOLDER_RIGHTS | FILE_RIGHTS))
#define create(dir, name) ok(fd_close, opened(dir, name, O(CREAT), 0))

#define wrote(fd, bytes, length) wrote_at(__FILE__, __LINE__, fd, bytes, length)
static inline void wrote_at(const char *file, int line, fd_t fd, const void *bytes, size_t length) {
	__wasi_ciovec_t part = {bytes, length};
	__wasi_size_t n = ~0u;
	expect(file, line, "fd_write", __wasi_fd_write(fd, &part, 1, &n), 0);
	if (n != length) fail(file, line, "fd_write wrote another number of bytes", -1);
}

#define got(fd, buffer, length) got_at(__FILE__, __LINE__, fd, buffer, length)
static inline size_t got_at(const char *file, int line, fd_t fd, void *buffer, size_t length) {
	__wasi_iovec_t part = {buffer, length};
	__wasi_size_t n = ~0u;
	expect(file, line, "fd_read", __wasi_fd_read(fd, &part, 1, &n), 0);
	if (n > length) fail(file, line, "fd_read gives more than there is room for", -1);
	return n;
}

#define stat_fd(fd) stat_fd_at(__FILE__, __LINE__, fd)
static inline filestat_t stat_fd_at(const char *file, int line, fd_t fd) {
	filestat_t s;
	expect(file, line, "fd_filestat_get", __wasi_fd_filestat_get(fd, &s), 0);
	return s;
}

#define stat_path(dir, flags, path) stat_path_at(__FILE__, __LINE__, dir, flags, path)
static inline filestat_t stat_path_at(const char *file, int line, fd_t dir, int flags, const char *path) {
	filestat_t s;
	expect(file, line, path, __wasi_path_filestat_get(dir, flags, path, &s), 0);
	return s;
}

#define fdstat(fd) fdstat_at(__FILE__, __LINE__, fd)
static inline fdstat_t fdstat_at(const char *file, int line, fd_t fd) {
	fdstat_t s;
	expect(file, line, "fd_fdstat_get", __wasi_fd_fdstat_get(fd, &s), 0);
	return s;
}
