#include "preview1.h"

int main(void) {
	uint8_t byte = 0xaa;
	ok(random_get, &byte, 0);
	check(byte == 0xaa);
}
