#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
	assert(shutdown(STDOUT_FILENO, SHUT_RD) != 0);
	assert(errno == ENOTSOCK);
}
