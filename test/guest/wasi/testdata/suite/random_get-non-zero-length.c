#include "preview1.h"

int main(void) {
	uint8_t bytes[34] = {[33] = 0xaa}, zero[32] = {0};
	bytes[32] = 0xaa;
	ok(random_get, bytes, 32);
	check(memcmp(bytes, zero, 32) != 0);
	check(bytes[32] == 0xaa && bytes[33] == 0xaa);
}
