#include "preview1.h"

int main(void) {
	__wasi_size_t count, size;
	ok(args_sizes_get, &count, &size);
	const char *want[] = {"module", "first", "the \"second\" arg", "3"};
	check(count == 4 && size == 7 + 6 + 17 + 2);
	uint8_t *args[4], bytes[64];
	memset(bytes, 0xaa, sizeof bytes);
	ok(args_get, args, bytes);
	for (int i = 0; i < 4; i++) check(strcmp((char *)args[i], want[i]) == 0);
	check(args[0] == bytes && bytes[size] == 0xaa);
}
