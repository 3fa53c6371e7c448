#include "preview1.h"

int main(void) {
	__wasi_size_t count = 0, size = 0;
	ok(args_sizes_get, &count, &size);
	check(count == 4 && size == sizeof "module" + sizeof "first" + sizeof "the \"second\" arg" + sizeof "3");
}
