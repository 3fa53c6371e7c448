/*
 * hello writes its standard input back to front, by Unicode code points: what
 * UTF-8 spells with several bytes stays one character. A byte that belongs to
 * no well-formed UTF-8 sequence is a character by itself, so no input is refused
 * and no byte is lost.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail(const char *message)
{
	(void)write(STDERR_FILENO, message, strlen(message));
	return EXIT_FAILURE;
}

/*
 * read_all returns everything on standard input and sets *size, or returns NULL
 * when memory runs out or reading fails.
 */
static unsigned char *read_all(size_t *size)
{
	size_t capacity = 64 * 1024;
	unsigned char *data = malloc(capacity);

	*size = 0;
	while (data != NULL) {
		ssize_t n = read(STDIN_FILENO, data + *size, capacity - *size);
		if (n == 0)
			return data;
		if (n < 0)
			break;
		*size += (size_t)n;
		if (*size == capacity) {
			unsigned char *larger = realloc(data, capacity *= 2);
			if (larger == NULL)
				break;
			data = larger;
		}
	}
	free(data);
	return NULL;
}

static int write_all(const unsigned char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(STDOUT_FILENO, data, size);
		if (n < 0)
			return -1;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

/*
 * character_length returns how many of the left bytes at s make up its first
 * character: 2 to 4 for a well-formed sequence of the Unicode Standard's table
 * 3-7, which has no overlong forms and no surrogates, and 1 for all else.
 */
static size_t character_length(const unsigned char *s, size_t left)
{
	size_t length;
	unsigned char low = 0x80, high = 0xbf; /* bounds of the second byte */

	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		length = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		length = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		length = 4;
	else
		return 1;
	switch (s[0]) {
	case 0xe0: low = 0xa0; break;
	case 0xed: high = 0x9f; break;
	case 0xf0: low = 0x90; break;
	case 0xf4: high = 0x8f; break;
	}
	if (length > left || s[1] < low || s[1] > high)
		return 1;
	for (size_t i = 2; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 1;
	return length;
}

static void reverse(unsigned char *data, size_t size)
{
	for (size_t i = 0, j = size; i + 1 < j; i++) {
		unsigned char byte = data[--j];
		data[j] = data[i];
		data[i] = byte;
	}
}

int main(void)
{
	size_t size, length;
	unsigned char *data = read_all(&size);

	if (data == NULL)
		return fail("hello: cannot read standard input, or hold all of it\n");
	/* Turned round twice, a character's own bytes end in their order. */
	for (size_t i = 0; i < size; i += length) {
		length = character_length(data + i, size - i);
		reverse(data + i, length);
	}
	reverse(data, size);
	if (write_all(data, size) != 0)
		return fail("hello: cannot write standard output\n");
	return EXIT_SUCCESS;
}
