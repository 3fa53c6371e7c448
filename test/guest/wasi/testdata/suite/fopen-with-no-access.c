#include <assert.h>
#include <errno.h>
#include <stdio.h>

// This one has no folder. Which errno it is depends on the C library alone.
int main(void) {
	assert(!fopen("file", "r"));
	assert(errno == ENOTCAPABLE || errno == ENOENT);
}
