#include "preview1.h"

int main(void) {
	uint8_t bytes[10];
	__wasi_size_t n;
	create(root, "target");
	ok(path_symlink, "target", root, "link");
	memset(bytes, 0xaa, sizeof bytes);
	ok(path_readlink, root, "link", bytes, sizeof bytes, &n);
	check(n == 6 && memcmp(bytes, "target\xaa", 7) == 0);
	memset(bytes, 0xaa, sizeof bytes);
	ok(path_readlink, root, "link", bytes, 4, &n);
	check(n == 4 && memcmp(bytes, "targ\xaa", 5) == 0);
	ok(path_readlink, root, "link", bytes, 0, &n);
	check(n == 0);
	fails(E(INVAL), path_readlink, root, "target", bytes, sizeof bytes, &n);
	fails(E(NOENT), path_readlink, root, "missing", bytes, sizeof bytes, &n);
	ok(path_unlink_file, root, "target");
	ok(path_unlink_file, root, "link");
}
