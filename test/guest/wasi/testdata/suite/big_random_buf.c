#include "preview1.h"

int main(void) {
	uint8_t bytes[1024] = {0}, again[1024] = {0}, zero[1024] = {0};
	ok(random_get, bytes, sizeof bytes);
	ok(random_get, again, sizeof again);
	check(memcmp(bytes, zero, sizeof bytes) != 0);
	check(memcmp(bytes, again, sizeof bytes) != 0);
}
