#include "preview1.h"

int main(void) {
	__wasi_size_t count = 0, size = 0;
	ok(environ_sizes_get, &count, &size);
	check(count == 3 && size == sizeof "a=text" + sizeof "b=escap \" ing" + sizeof "c=new\nline");
}
