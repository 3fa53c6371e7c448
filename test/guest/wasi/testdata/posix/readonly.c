#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// A folder that is read-only: all can be read, nothing changed.

#define refused(call) (errno = 0, assert((call) == -1), assert(errno == EROFS))

int main(void) {
	char bytes[16] = "";
	struct stat s;
	const struct timespec times[2] = {{1, 1}, {1, 1}};
	int fd = open("dir/file", O_RDONLY);
	assert(fd >= 0);
	assert(read(fd, bytes, 15) == 4 && strcmp(bytes, "text") == 0);
	assert(stat("dir/link", &s) == 0 && S_ISREG(s.st_mode));
	assert(access("dir/file", R_OK) == 0);

	refused(open("dir/file", O_WRONLY));
	refused(open("dir/file", O_RDWR));
	refused(open("dir/file", O_RDONLY | O_TRUNC));
	refused(open("dir/new", O_CREAT | O_WRONLY, 0600));
	refused(open("dir/new", O_CREAT | O_RDONLY, 0600));
	refused(mkdir("dir/new", 0700));
	refused(symlink("file", "dir/new"));
	refused(link("dir/file", "dir/new"));
	refused(rename("dir/file", "dir/new"));
	refused(unlink("dir/file"));
	refused(unlink("dir/link"));
	refused(rmdir("empty"));
	refused(truncate("dir/file", 0));
	refused(utimensat(AT_FDCWD, "dir/file", times, 0));
	refused(utimensat(AT_FDCWD, "dir/link", times, AT_SYMLINK_NOFOLLOW));
	refused(futimens(fd, times));
	int dir = open("dir", O_RDONLY | O_DIRECTORY);
	refused(futimens(dir, times));
	refused(unlinkat(dir, "file", 0));
	errno = 0;
	assert(write(fd, "x", 1) == -1 && errno == EBADF);
	errno = 0;
	assert(open("dir/missing", O_RDONLY) == -1 && errno == ENOENT);
	errno = 0;
	assert(unlink("dir/missing") == -1 && (errno == ENOENT || errno == EROFS));
	puts("unchanged");
}
