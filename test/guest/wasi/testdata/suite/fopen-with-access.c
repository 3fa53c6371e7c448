#include <assert.h>
#include <stdio.h>

int main(void) {
	FILE *file = fopen("file", "r");
	assert(file);
	assert(fclose(file) == 0);
}
