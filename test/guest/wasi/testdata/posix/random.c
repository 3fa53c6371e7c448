// random SEED COUNT works on the files below its folder by chance, and says what came of
// each call. It says the same as a program of the host as it does as a guest.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned long long state;

static int chance(int n) {
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % (unsigned)n;
}

// path makes a path of up to three names with at most one "..", so that it leads out of no
// folder but those that are above all others.
static const char *path(char *to, const char *below) {
	static const char *names[] = {"a", "b", "c", "d", "a", "b", "c", "e", ".", ".."};
	int ups = 0;
	strcpy(to, below);
	for (int i = chance(3); i >= 0; i--) {
		const char *name = names[chance(10)];
		strcat(to, name[0] == '.' && name[1] && ups++ ? "a" : name);
		if (i || chance(6) == 0) strcat(to, chance(8) ? "/" : "//");
	}
	return to;
}

// error names what went wrong.
static const char *error(int result) {
	if (result != -1) return "ok";
	switch (errno) {
	case ENOENT: return "ENOENT";
	case EEXIST: return "EEXIST";
	case ENOTDIR: return "ENOTDIR";
	case EISDIR: return "EISDIR";
	case ENOTEMPTY: return "ENOTEMPTY";
	case ELOOP: return "ELOOP";
	case EINVAL: return "EINVAL";
	case EBADF: return "EBADF";
	case EBUSY: return "EBUSY";
	}
	return strerror(errno);
}

static void describe(const struct stat *s) {
	int folder = S_ISDIR(s->st_mode);
	printf("%o %d %d\n", (unsigned)s->st_mode & S_IFMT, folder ? 0 : (int)s->st_nlink, folder ? 0 : (int)s->st_size);
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static int files[4] = {-1, -1, -1, -1};

static void opens(const char *name) {
	static const int modes[] = {O_RDONLY, O_WRONLY, O_RDWR};
	int flags = modes[chance(3)], slot = chance(4);
	if (chance(2)) flags |= O_CREAT | (chance(4) ? 0 : O_EXCL);
	if (chance(4) == 0) flags |= O_TRUNC;
	if (chance(4) == 0) flags |= O_APPEND;
	if (chance(4) == 0) flags |= O_NOFOLLOW;
	if (!(flags & O_CREAT) && chance(4) == 0) flags |= O_DIRECTORY;
	int fd = open(name, flags, 0600);
	printf("open %s: %s\n", name, error(fd));
	if (fd < 0) return;
	if (files[slot] >= 0) close(files[slot]);
	files[slot] = fd;
}

static void uses(int fd) {
	char bytes[64];
	struct stat s;
	int n;
	if (fd < 0) return;
	switch (chance(4)) {
	case 0:
		n = write(fd, bytes, snprintf(bytes, sizeof bytes, "<%d>", chance(1000)));
		printf("write: %d %s\n", n, error(n));
		break;
	case 1:
		n = pread(fd, bytes, sizeof bytes, chance(5));
		printf("read: %s %.*s\n", error(n), n > 0 ? n : 0, bytes);
		break;
	case 2:
		if (fstat(fd, &s) == 0) describe(&s);
		break;
	case 3:
		if (fstat(fd, &s) == 0 && S_ISDIR(s.st_mode)) printf("mkdirat: %s\n", error(mkdirat(fd, chance(2) ? "a" : "./b", 0700)));
		break;
	}
}

static void lists(const char *name) {
	struct dirent **entries;
	int n = scandir(name, &entries, 0, by_name);
	printf("list %s: %s", name, error(n));
	for (int i = 0; i < n; i++) printf(" %s=%d", entries[i]->d_name, entries[i]->d_type == DT_DIR ? 1 : entries[i]->d_type == DT_LNK ? 2 : 3);
	printf("\n");
}

int main(int argc, char **argv) {
	char a[64], b[64];
	struct stat s;
	state = argc > 1 ? (unsigned)atoi(argv[1]) : 0;
	mkdir("t", 0700), mkdir("t/u", 0700), mkdir("t/u/v", 0700);
	for (int i = argc > 2 ? atoi(argv[2]) : 0; i > 0; i--) {
		path(a, "t/u/v/"), path(b, "t/u/v/");
		int n;
		switch (chance(16)) {
		case 0: case 1: opens(a); break;
		case 2: case 3: case 4: uses(files[chance(4)]); break;
		case 5: case 6: printf("mkdir %s: %s\n", a, error(mkdir(a, 0700))); break;
		case 7: printf("rmdir %s: %s\n", a, error(rmdir(a))); break;
		case 8: printf("unlink %s: %s\n", a, error(unlink(a))); break;
		case 9: case 10: printf("rename %s %s: %s\n", a, b, error(rename(a, b))); break;
		case 11: printf("link %s %s: %s\n", a, b, error(link(a, b))); break;
		case 12:
			path(b, "");
			printf("symlink %s %s: %s\n", b, a, error(symlink(b, a)));
			break;
		case 13:
			n = readlink(a, b, sizeof b);
			printf("readlink %s: %s %.*s\n", a, error(n), n > 0 ? n : 0, b);
			break;
		case 14:
			n = chance(2) ? stat(a, &s) : lstat(a, &s);
			printf("stat %s: %s ", a, error(n));
			if (n == 0) describe(&s);
			else printf("\n");
			break;
		case 15: lists(a); break;
		}
	}
}
