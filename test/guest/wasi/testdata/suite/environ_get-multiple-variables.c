#include "preview1.h"

int main(void) {
	__wasi_size_t count, size;
	ok(environ_sizes_get, &count, &size);
	const char *want[] = {"a=text", "b=escap \" ing", "c=new\nline"};
	check(count == 3 && size == 7 + 14 + 11);
	uint8_t *variables[3], bytes[64];
	memset(bytes, 0xaa, sizeof bytes);
	ok(environ_get, variables, bytes);
	for (int i = 0; i < 3; i++) check(strcmp((char *)variables[i], want[i]) == 0);
	check(variables[0] == bytes && bytes[size] == 0xaa);
}
