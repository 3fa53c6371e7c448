/*
 * cat copies its standard input to its standard output, 64 KiB at a time, and
 * does nothing else: what a run of it costs is what moving bytes costs.
 */
#include <stdlib.h>
#include <unistd.h>

static char buffer[64 * 1024];

int main(void)
{
	ssize_t got;

	while ((got = read(STDIN_FILENO, buffer, sizeof buffer)) > 0) {
		for (ssize_t done = 0; done < got;) {
			ssize_t n = write(STDOUT_FILENO, buffer + done, (size_t)(got - done));
			if (n < 0)
				return EXIT_FAILURE;
			done += n;
		}
	}
	return got == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
