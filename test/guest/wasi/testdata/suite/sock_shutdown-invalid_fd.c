#include <assert.h>
#include <errno.h>
#include <sys/socket.h>

int main(void) {
	assert(shutdown(3, SHUT_RD) != 0);
	assert(errno == EBADF);
}
