#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

// What a program does with its three streams: they are pipes, on which nothing seeks,
// and no terminals.

static void seeks(void) {
	char bytes[8];
	for (int fd = 0; fd < 3; fd++) {
		errno = 0;
		assert(lseek(fd, 0, SEEK_CUR) == -1 && errno == ESPIPE);
		errno = 0;
		assert((fd ? pwrite(fd, bytes, 1, 0) : pread(fd, bytes, 1, 0)) == -1 && errno == ESPIPE);
		errno = 0;
		assert(!isatty(fd) && errno == ENOTTY);
	}
	errno = 0;
	assert(fseek(stdin, 0, SEEK_SET) == -1 && errno == ESPIPE);
	errno = 0;
	assert(ftell(stdout) == -1 && errno == ESPIPE);
	errno = 0;
	assert(read(1, bytes, 1) == -1 && errno == EBADF);
	errno = 0;
	assert(write(0, bytes, 1) == -1 && errno == EBADF);
}

static void selects(void) {
	fd_set readers, writers;
	struct timeval second = {1, 0};
	FD_ZERO(&readers), FD_ZERO(&writers);
	FD_SET(0, &readers), FD_SET(1, &writers), FD_SET(2, &writers);
	assert(select(3, &readers, &writers, 0, &second) == 3);
	assert(FD_ISSET(0, &readers) && FD_ISSET(1, &writers) && FD_ISSET(2, &writers));

	struct timespec before, after;
	struct timeval pause = {0, 20000};
	assert(clock_gettime(CLOCK_MONOTONIC, &before) == 0);
	assert(select(0, 0, 0, 0, &pause) == 0);
	assert(clock_gettime(CLOCK_MONOTONIC, &after) == 0);
	long slept = (after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
	assert(slept >= 20000);
}

// Bytes 1 to 4 of each vector are the next bytes of the stream.
static void vectors(void) {
	static char from[1024][4], to[1024][4];
	struct iovec parts[1024];
	int total = 0, count = 1000;
	for (int i = 0; i < count; i++) parts[i] = (struct iovec){to[i], i % 4};
	for (int i = 0; i < count; i++) total += i % 4;
	assert(readv(0, parts, count) == total);
	for (int i = 0, at = 0; i < count; i++)
		for (int j = 0; j < i % 4; j++, at++) assert(to[i][j] == 'a' + at % 26);

	for (int i = 0; i < count; i++) {
		memset(from[i], '0' + i % 10, 4);
		parts[i] = (struct iovec){from[i], 1};
	}
	assert(writev(1, parts, count) == count);
	errno = 0;
	for (int i = 0; i < 1024; i++) parts[i] = (struct iovec){from, 0};
	assert(writev(1, parts, 1024) == 0);
}

int main(void) {
	seeks();
	selects();
	vectors();
	char rest[64];
	assert(read(0, rest, sizeof rest) == 4 && memcmp(rest, "rest", 4) == 0);
	assert(read(0, rest, sizeof rest) == 0);
}
