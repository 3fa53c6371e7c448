#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasi/api.h>

// What a program does with folders: large ones, long names, places in a listing.

enum { many = 10000 };

static void touch(int dir, const char *name) {
	int fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY, 0600);
	assert(fd >= 0);
	assert(close(fd) == 0);
}

// by_pieces lists a folder by calls that give 128 bytes each, and counts its names.
static int by_pieces(int dir) {
	uint8_t buffer[128];
	__wasi_dircookie_t cookie = 0;
	for (int count = 0, before = -1;; before = count) {
		__wasi_size_t used, at = 0;
		assert(__wasi_fd_readdir(dir, buffer, sizeof buffer, cookie, &used) == 0);
		while (used - at >= sizeof(__wasi_dirent_t)) {
			__wasi_dirent_t entry;
			memcpy(&entry, buffer + at, sizeof entry);
			if (used - at - sizeof entry < entry.d_namlen) break;
			if (buffer[at + sizeof entry] != '.') {
				assert(entry.d_namlen == 5);
				count++;
			}
			at += sizeof entry + entry.d_namlen;
			cookie = entry.d_next;
		}
		if (used < sizeof buffer) return count;
		assert(before < count || count == 0);
	}
}

static void large(void) {
	static char seen[many];
	char name[8];
	assert(mkdir("large", 0700) == 0);
	int dir = open("large", O_RDONLY | O_DIRECTORY), count = 0;
	for (int i = 0; i < many; i++) {
		snprintf(name, sizeof name, "%05d", i);
		touch(dir, name);
	}
	assert(by_pieces(dir) == many);

	// What is removed while it is being listed hides nothing else.
	DIR *d = fdopendir(dir);
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.') continue;
		int n = atoi(e->d_name);
		assert(!seen[n]);
		seen[n] = 1, count++;
		assert(unlinkat(dir, e->d_name, 0) == 0);
	}
	assert(count == many);
	assert(closedir(d) == 0);
	assert(rmdir("large") == 0);
}

static void places(void) {
	long at[8];
	char names[8][16];
	int n = 0;
	assert(mkdir("places", 0700) == 0);
	for (int i = 0; i < 5; i++) {
		snprintf(names[0], sizeof names[0], "places/%d", i);
		touch(AT_FDCWD, names[0]);
	}
	DIR *d = opendir("places");
	assert(d);
	for (struct dirent *e; at[n] = telldir(d), (e = readdir(d));) strcpy(names[n++], e->d_name);
	assert(n == 7);
	for (int i = n - 1; i >= 0; i--) {
		seekdir(d, at[i]);
		assert(strcmp(readdir(d)->d_name, names[i]) == 0);
	}
	seekdir(d, at[n]);
	assert(!readdir(d));
	rewinddir(d);
	assert(strcmp(readdir(d)->d_name, ".") == 0);
	assert(closedir(d) == 0);
	for (int i = 0; i < 5; i++) {
		snprintf(names[0], sizeof names[0], "places/%d", i);
		assert(unlink(names[0]) == 0);
	}
	assert(rmdir("places") == 0);
}

static void long_names(void) {
	char name[260], other[260], found = 0;
	memset(name, 'n', sizeof name);
	memset(other, 'o', sizeof other);
	name[255] = other[255] = 0;
	touch(AT_FDCWD, name);
	assert(rename(name, other) == 0);
	assert(symlink(other, name) == 0);
	struct stat s;
	assert(lstat(name, &s) == 0 && S_ISLNK(s.st_mode) && s.st_size == 255);
	assert(stat(name, &s) == 0 && S_ISREG(s.st_mode));
	char target[260];
	assert(readlink(name, target, sizeof target) == 255 && memcmp(target, other, 255) == 0);
	DIR *d = opendir(".");
	for (struct dirent *e; (e = readdir(d));) found += strcmp(e->d_name, name) == 0;
	assert(found == 1);
	assert(closedir(d) == 0);
	assert(unlink(name) == 0 && unlink(other) == 0);
	name[255] = 'n', name[256] = 0;
	errno = 0;
	assert(open(name, O_CREAT | O_WRONLY, 0600) == -1 && errno == ENAMETOOLONG);
	errno = 0;
	assert(mkdir(name, 0700) == -1 && errno == ENAMETOOLONG);
	errno = 0;
	assert(lstat(name, &s) == -1 && errno == ENAMETOOLONG);
}

int main(void) {
	large();
	places();
	long_names();
}
