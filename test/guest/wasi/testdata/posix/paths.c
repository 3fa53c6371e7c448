#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Paths are followed element by element, and an open folder is that folder whatever its
// name is by now.

static void put(int dir, const char *name, const char *text) {
	int fd = openat(dir, name, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	assert(fd >= 0);
	assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	assert(close(fd) == 0);
}

static void has(int dir, const char *name, const char *text) {
	char bytes[64] = "";
	int fd = openat(dir, name, O_RDONLY);
	assert(fd >= 0);
	assert(read(fd, bytes, sizeof bytes - 1) >= 0);
	assert(strcmp(bytes, text) == 0);
	assert(close(fd) == 0);
}

#define gives(code, call) (errno = 0, assert((call) == -1), assert(errno == (code)))

static void dots(void) {
	assert(mkdir("a", 0700) == 0 && mkdir("b", 0700) == 0 && mkdir("b/sub", 0700) == 0);
	put(AT_FDCWD, "a/f", "of a");
	put(AT_FDCWD, "b/f", "of b");
	assert(symlink("../b/sub", "a/link") == 0);
	has(AT_FDCWD, "a/link/../f", "of b");
	has(AT_FDCWD, "a/link/.././../a/./f", "of a");
	assert(rename("a/link/../f", "a/link/../g") == 0);
	has(AT_FDCWD, "b/g", "of b");
	assert(unlink("a/link/../g") == 0);
	has(AT_FDCWD, "a/f", "of a");
	assert(mkdir("a/link/../made", 0700) == 0);
	assert(rmdir("b/made") == 0);
	assert(symlink("f", "a/link/../to-f") == 0);
	assert(unlink("b/to-f") == 0);
	assert(link("a/f", "a/link/../linked") == 0);
	has(AT_FDCWD, "b/linked", "of a");
	assert(unlink("b/linked") == 0);

	gives(ENOENT, open("missing/../b", O_RDONLY));
	gives(ENOTDIR, open("a/f/../f", O_RDONLY));
	gives(ENOTDIR, open("a/f/.", O_RDONLY));
	gives(EINVAL, rmdir("b/sub/."));
	gives(ENOTEMPTY, rmdir("b/sub/.."));
	gives(ENOTDIR, unlink("a/f/"));
	gives(EISDIR, unlink("b/sub"));
	gives(ENOTDIR, rmdir("a/link"));
	assert(unlink("a/link") == 0 && unlink("a/f") == 0);
	assert(rmdir("a") == 0 && rmdir("b/sub") == 0 && rmdir("b") == 0);
}

static void open_folders(void) {
	assert(mkdir("one", 0700) == 0);
	put(AT_FDCWD, "one/f", "old");
	int dir = open("one", O_RDONLY | O_DIRECTORY);
	assert(rename("one", "two") == 0 && mkdir("one", 0700) == 0);
	put(AT_FDCWD, "one/f", "new");
	has(dir, "f", "old");
	put(dir, "made", "here");
	has(AT_FDCWD, "two/made", "here");
	assert(mkdirat(dir, "deeper", 0700) == 0);
	int deeper = openat(dir, "deeper", O_RDONLY | O_DIRECTORY);
	assert(rename("two/deeper", "moved") == 0);
	put(deeper, "f", "moved");
	has(AT_FDCWD, "moved/f", "moved");
	assert(renameat(deeper, "f", dir, "f") == 0);
	has(AT_FDCWD, "two/f", "moved");
	assert(unlinkat(dir, "f", 0) == 0 && unlinkat(dir, "made", 0) == 0);
	has(AT_FDCWD, "one/f", "new");
	assert(rmdir("two") == 0 && rmdir("moved") == 0);
	gives(ENOENT, openat(dir, "f", O_CREAT | O_WRONLY, 0600));
	gives(ENOENT, mkdirat(deeper, "f", 0700));
	struct stat s;
	assert(fstat(dir, &s) == 0 && S_ISDIR(s.st_mode));
	assert(close(dir) == 0 && close(deeper) == 0);
	assert(unlink("one/f") == 0 && rmdir("one") == 0);
}

static void links(void) {
	char name[16], target[16];
	put(AT_FDCWD, "0", "at the end");
	for (int i = 1; i <= 9; i++) {
		snprintf(name, sizeof name, "%d", i), snprintf(target, sizeof target, "%d", i - 1);
		assert(symlink(target, name) == 0);
	}
	has(AT_FDCWD, "8", "at the end");
	struct stat s;
	assert(lstat("8", &s) == 0 && S_ISLNK(s.st_mode));
	assert(symlink(".", "here") == 0 && symlink("here/0", "through") == 0);
	has(AT_FDCWD, "here/here/through", "at the end");
	gives(ENOTDIR, stat("1/", &s));
	assert(lstat("here/", &s) == 0 && S_ISDIR(s.st_mode));
	gives(EEXIST, mkdir("here", 0700));
	gives(EEXIST, symlink("x", "here"));
	gives(ENOENT, symlink("", "empty"));
	assert(symlink("../..", "out") == 0);
	assert(open("out", O_RDONLY) == -1 && (errno == EPERM || errno == ENOTCAPABLE));
	assert(open("out/etc", O_RDONLY) == -1 && (errno == EPERM || errno == ENOTCAPABLE));
	for (int i = 0; i <= 9; i++) {
		snprintf(name, sizeof name, "%d", i);
		assert(unlink(name) == 0);
	}
	assert(unlink("here") == 0 && unlink("through") == 0 && unlink("out") == 0);
}

static void times(void) {
	const struct timespec early[2] = {{1000000000, 1}, {1000000001, 2}}, late[2] = {{1111111111, 3}, {1111111112, 4}};
	const char *names[] = {"file", "link", "dangling", "folder"};
	struct stat s;
	put(AT_FDCWD, "file", "");
	assert(symlink("file", "link") == 0 && symlink("nowhere", "dangling") == 0 && mkdir("folder", 0700) == 0);
	for (int i = 0; i < 4; i++) {
		assert(utimensat(AT_FDCWD, names[i], early, AT_SYMLINK_NOFOLLOW) == 0);
		assert(lstat(names[i], &s) == 0);
		assert(s.st_atim.tv_sec == 1000000000 && s.st_atim.tv_nsec == 1);
		assert(s.st_mtim.tv_sec == 1000000001 && s.st_mtim.tv_nsec == 2);
	}
	assert(utimensat(AT_FDCWD, "link", late, 0) == 0);
	assert(stat("file", &s) == 0 && s.st_mtim.tv_sec == 1111111112 && s.st_mtim.tv_nsec == 4);
	assert(lstat("link", &s) == 0 && s.st_mtim.tv_sec == 1000000001);
	const struct timespec one[2] = {{0, UTIME_OMIT}, {5, 6}};
	assert(utimensat(AT_FDCWD, "file", one, 0) == 0);
	assert(stat("file", &s) == 0 && s.st_atim.tv_sec == 1111111111 && s.st_mtim.tv_sec == 5 && s.st_mtim.tv_nsec == 6);
	int fd = open("folder", O_RDONLY | O_DIRECTORY);
	assert(futimens(fd, late) == 0);
	assert(fstat(fd, &s) == 0 && s.st_mtim.tv_sec == 1111111112);
	gives(ENOENT, utimensat(AT_FDCWD, "dangling", late, 0));
	assert(close(fd) == 0);
	assert(unlink("file") == 0 && unlink("link") == 0 && unlink("dangling") == 0 && rmdir("folder") == 0);
}

int main(void) {
	dots();
	open_folders();
	links();
	times();
}
