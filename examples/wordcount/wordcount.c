/*
 * wordcount prints how many lines, words and bytes its standard input has, as
 * POSIX wc does: a line ends in a newline, a word in white space or at the end.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned char buffer[64 * 1024];

int main(void)
{
	unsigned long long lines = 0, words = 0, bytes = 0;
	bool in_word = false;
	size_t got;

	while ((got = fread(buffer, 1, sizeof buffer, stdin)) > 0) {
		bytes += got;
		for (size_t i = 0; i < got; i++) {
			bool space = isspace(buffer[i]);
			lines += buffer[i] == '\n';
			words += !space && !in_word;
			in_word = !space;
		}
	}
	if (ferror(stdin)) {
		perror("wordcount: standard input");
		return EXIT_FAILURE;
	}
	printf("%llu %llu %llu\n", lines, words, bytes);
	if (fflush(stdout) != 0) {
		perror("wordcount: standard output");
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
