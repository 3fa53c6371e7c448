#include "preview1.h"

static uint8_t buffer[256];

typedef struct {
	__wasi_dirent_t entry;
	char name[64];
} entry_t;

// list reads the folder from a cookie on, in one call, and says whether that was all.
// A last entry that is cut off counts as not there.
static int list(fd_t dir, __wasi_dircookie_t cookie, entry_t *entries, int *count) {
	__wasi_size_t used = 0, at = 0;
	ok(fd_readdir, dir, buffer, sizeof buffer, cookie, &used);
	check(used <= sizeof buffer);
	for (*count = 0; used - at >= sizeof(__wasi_dirent_t); ++*count) {
		entry_t *e = &entries[*count];
		memset(e, 0, sizeof *e);
		memcpy(&e->entry, buffer + at, sizeof e->entry);
		if (used - at - sizeof e->entry < e->entry.d_namlen) break;
		memcpy(e->name, buffer + at + sizeof e->entry, e->entry.d_namlen);
		at += sizeof e->entry + e->entry.d_namlen;
	}
	return used < sizeof buffer;
}

static const char *numbered(int n) {
	static char name[] = "file.000";
	name[5] = '0' + n / 100, name[6] = '0' + n / 10 % 10, name[7] = '0' + n % 10;
	return name;
}

static void few(fd_t dir) {
	entry_t all[16], rest[16];
	int count;
	check(list(dir, 0, all, &count) && count == 2);
	check(strcmp(all[0].name, ".") == 0 && strcmp(all[1].name, "..") == 0);
	check(all[0].entry.d_type == __WASI_FILETYPE_DIRECTORY && all[1].entry.d_type == __WASI_FILETYPE_DIRECTORY);
	check(all[0].entry.d_ino == stat_fd(dir).ino);

	create(dir, "file");
	ok(path_symlink, "file", dir, "link");
	check(list(dir, 0, all, &count) && count == 4);
	check(strcmp(all[2].name, "file") == 0 && all[2].entry.d_type == __WASI_FILETYPE_REGULAR_FILE);
	check(strcmp(all[3].name, "link") == 0 && all[3].entry.d_type == __WASI_FILETYPE_SYMBOLIC_LINK);
	check(all[2].entry.d_ino == stat_path(dir, 0, "file").ino);
	check(all[3].entry.d_ino == stat_path(dir, 0, "link").ino);
	for (int i = 0; i < 4; i++) {
		check(list(dir, all[i].entry.d_next, rest, &count) && count == 3 - i);
		if (count) check(strcmp(rest[0].name, all[i + 1].name) == 0);
	}
	ok(path_unlink_file, dir, "link");
	ok(path_unlink_file, dir, "file");
}

static void many(fd_t dir) {
	entry_t entries[16];
	int count, all = 0, whole;
	__wasi_dircookie_t cookie = 0;
	for (int i = 0; i < 1000; i++) create(dir, numbered(i));
	do {
		whole = list(dir, cookie, entries, &count);
		check(whole || count);
		for (int i = 0; i < count; i++, all++)
			if (all >= 2) check(strcmp(entries[i].name, numbered(all - 2)) == 0);
		if (count) cookie = entries[count - 1].entry.d_next;
	} while (!whole);
	check(all == 1002);
	for (int i = 0; i < 1000; i++) ok(path_unlink_file, dir, numbered(i));
}

// Entries come in the order of their names, so that it is the same everywhere.
int main(void) {
	fd_t dir = folder(root, "dir");
	few(dir);
	many(dir);
	ok(fd_close, dir);
	ok(path_remove_directory, root, "dir");
}
