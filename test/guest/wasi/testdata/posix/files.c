#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// What a program does with files: rename over one that is there, append, holes.

static void put(const char *name, const char *text) {
	int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	assert(fd >= 0);
	assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	assert(close(fd) == 0);
}

static void has(int fd, const char *text) {
	char bytes[64] = "";
	assert(pread(fd, bytes, sizeof bytes - 1, 0) == (ssize_t)strlen(text));
	assert(strcmp(bytes, text) == 0);
}

static void renames(void) {
	put("old", "old");
	put("new", "new");
	int before = open("old", O_RDONLY);
	assert(rename("new", "old") == 0);
	int after = open("old", O_RDONLY);
	has(before, "old");
	has(after, "new");
	assert(access("new", F_OK) == -1 && errno == ENOENT);
	struct stat s;
	assert(fstat(before, &s) == 0 && s.st_nlink == 0);
	assert(close(before) == 0 && close(after) == 0);
	assert(remove("old") == 0);
}

static void appends(void) {
	put("log", "begin,");
	int a = open("log", O_WRONLY | O_APPEND), b = open("log", O_RDWR | O_APPEND);
	assert(write(a, "a,", 2) == 2);
	assert(write(b, "b,", 2) == 2);
	assert(lseek(a, 0, SEEK_SET) == 0);
	assert(write(a, "c", 1) == 1);
	assert(lseek(a, 0, SEEK_CUR) == 11);
	has(b, "begin,a,b,c");
	assert(fcntl(b, F_GETFL) & O_APPEND);
	assert(fcntl(b, F_SETFL, 0) == 0);
	assert(lseek(b, 0, SEEK_SET) == 0);
	assert(write(b, "B", 1) == 1);
	has(b, "Begin,a,b,c");
	assert(close(a) == 0 && close(b) == 0);
	FILE *f = fopen("log", "a+");
	assert(fputs(",d", f) >= 0 && fflush(f) == 0);
	assert(fseek(f, 0, SEEK_SET) == 0 && fgetc(f) == 'B');
	assert(fclose(f) == 0);
	assert(remove("log") == 0);
}

static void holes(void) {
	const off_t size = (5ll << 30) + 3;
	char bytes[5] = "xxxxx";
	struct stat s;
	int fd = open("sparse", O_CREAT | O_RDWR | O_EXCL, 0600);
	assert(fd >= 0);
	assert(ftruncate(fd, size) == 0);
	assert(fstat(fd, &s) == 0 && s.st_size == size);
	assert(lseek(fd, 0, SEEK_END) == size);
	assert(pread(fd, bytes, 5, size - 3) == 3 && memcmp(bytes, "\0\0\0xx", 5) == 0);
	assert(pwrite(fd, "end", 3, size + 10) == 3);
	assert(lseek(fd, -13, SEEK_END) == size);
	assert(read(fd, bytes, 5) == 5 && memcmp(bytes, "\0\0\0\0\0", 5) == 0);
	assert(ftruncate(fd, (4ll << 30) - 1) == 0);
	assert(fstat(fd, &s) == 0 && s.st_size == (4ll << 30) - 1);
	assert(lseek(fd, 0, SEEK_CUR) == size + 5);
	assert(read(fd, bytes, 5) == 0);
	errno = 0;
	assert(ftruncate(fd, -1) == -1 && errno == EINVAL);
	errno = 0;
	assert(lseek(fd, -1, SEEK_SET) == -1 && errno == EINVAL);
	assert(close(fd) == 0);
	assert(truncate("sparse", 2) == 0);
	assert(stat("sparse", &s) == 0 && s.st_size == 2);
	assert(remove("sparse") == 0);
}

static void modes(void) {
	char byte;
	put("file", "text");
	int reader = open("file", O_RDONLY), writer = open("file", O_WRONLY);
	errno = 0;
	assert(write(reader, "x", 1) == -1 && errno == EBADF);
	errno = 0;
	assert(read(writer, &byte, 1) == -1 && errno == EBADF);
	errno = 0;
	assert(ftruncate(reader, 0) == -1 && errno == EINVAL);
	assert(close(reader) == 0 && close(writer) == 0);
	errno = 0;
	assert(close(reader) == -1 && errno == EBADF);
	errno = 0;
	assert(open("file", O_CREAT | O_EXCL | O_WRONLY, 0600) == -1 && errno == EEXIST);
	errno = 0;
	assert(open("file", O_RDONLY | O_DIRECTORY) == -1 && errno == ENOTDIR);
	errno = 0;
	assert(open(".", O_WRONLY) == -1 && errno == EISDIR);
	assert(remove("file") == 0);
}

int main(void) {
	renames();
	appends();
	holes();
	modes();
}
