/*
 * mandelbrot writes a picture of the Mandelbrot set to its standard output, as
 * PNG. Usage: mandelbrot [WIDTH HEIGHT], 640 by 400 pixels when not given.
 *
 * It uses nothing but additions and multiplications of IEEE doubles, so every
 * machine draws the same picture to the byte.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_SIDE = 16384,      /* pixels */
	MAX_ITERATIONS = 1000, /* a point that has not escaped by then is inside */
	COLOURS = 128,         /* 0 is the inside; below 144, so that a literal has 8 bits */
};

/* ---- PNG: signature, then chunks of length, type, data, CRC ---- */

static uint32_t crc_table[256];

static void make_crc_table(void)
{
	for (uint32_t n = 0; n < 256; n++) {
		uint32_t c = n;
		for (int k = 0; k < 8; k++)
			c = c & 1 ? 0xedb88320 ^ c >> 1 : c >> 1;
		crc_table[n] = c;
	}
}

static uint32_t crc_update(uint32_t crc, const unsigned char *data, size_t size)
{
	while (size-- > 0)
		crc = crc_table[(crc ^ *data++) & 255] ^ crc >> 8;
	return crc;
}

static void store32(unsigned char *p, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(n >> (24 - 8 * i));
}

static void write_chunk(const char type[4], const unsigned char *data, size_t size)
{
	unsigned char head[8], tail[4];
	uint32_t crc = 0xffffffff;

	store32(head, (uint32_t)size);
	memcpy(head + 4, type, 4);
	crc = crc_update(crc, head + 4, 4);
	crc = crc_update(crc, data, size);
	store32(tail, ~crc);
	fwrite(head, 1, sizeof head, stdout);
	fwrite(data, 1, size, stdout);
	fwrite(tail, 1, sizeof tail, stdout);
}

/* ---- Deflate with the fixed codes; all it finds are runs of one byte ---- */

static unsigned char out[32 * 1024]; /* of the zlib stream, not yet in a chunk */
static size_t out_size;
static uint32_t bits, bit_count;         /* of the byte that is not yet full */
static uint32_t adler_a = 1, adler_b;    /* checksum of what was compressed */

static void put_byte(unsigned char byte)
{
	out[out_size++] = byte;
	if (out_size == sizeof out) {
		write_chunk("IDAT", out, out_size);
		out_size = 0;
	}
}

/* put_bits appends the low count bits of value, the lowest first. */
static void put_bits(uint32_t value, uint32_t count)
{
	bits |= value << bit_count;
	for (bit_count += count; bit_count >= 8; bit_count -= 8) {
		put_byte(bits & 255);
		bits >>= 8;
	}
}

/* put_code appends a Huffman code, which goes with its highest bit first. */
static void put_code(uint32_t code, uint32_t count)
{
	while (count-- > 0)
		put_bits(code >> count & 1, 1);
}

static void put_literal(unsigned char byte) { put_code(0x30 + byte, 8); }

/* put_repeat says the last byte again: 3 to 10 times, or 258. */
static void put_repeat(size_t times)
{
	if (times == 258)
		put_code(0xc5, 8); /* symbol 285 */
	else
		put_code((uint32_t)times - 2, 7); /* symbols 257 to 264 */
	put_code(0, 5); /* distance 1 */
}

static void compress(const unsigned char *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		adler_a = (adler_a + data[i]) % 65521;
		adler_b = (adler_b + adler_a) % 65521;
	}
	for (size_t i = 0, run; i < size; i += run) {
		size_t left;

		for (run = 1; i + run < size && data[i + run] == data[i]; run++)
			;
		put_literal(data[i]);
		for (left = run - 1; left >= 258; left -= 258)
			put_repeat(258);
		for (; left >= 10; left -= 10)
			put_repeat(10);
		if (left >= 3) {
			put_repeat(left);
			left = 0;
		}
		while (left-- > 0)
			put_literal(data[i]);
	}
}

static void begin_stream(void)
{
	put_byte(0x78); /* zlib, window of 32 KiB */
	put_byte(0x01); /* fastest method; makes the two divisible by 31 */
	put_bits(1, 1); /* the last block */
	put_bits(1, 2); /* of fixed codes */
}

static void end_stream(void)
{
	unsigned char sum[4];

	put_code(0, 7); /* symbol 256: end of block */
	put_bits(0, (8 - bit_count) % 8);
	store32(sum, adler_b << 16 | adler_a);
	for (int i = 0; i < 4; i++)
		put_byte(sum[i]);
	write_chunk("IDAT", out, out_size);
}

/* ---- The picture ---- */

/* channel returns one of red, green and blue, for t from 0 to 1 in 127ths. */
static unsigned char channel(uint64_t weight, int inverse_power, int power, uint64_t t)
{
	uint64_t value = 255 * weight;

	for (int i = 0; i < inverse_power; i++)
		value *= 127 - t;
	for (int i = 0; i < power; i++)
		value *= t;
	value /= 2 * 127 * 127 * (uint64_t)(127 * 127); /* weights are in halves */
	return (unsigned char)(value > 255 ? 255 : value);
}

static void write_header(uint32_t width, uint32_t height)
{
	unsigned char header[13] = {[8] = 8 /* bits a pixel */, [9] = 3 /* indexed colour */};
	unsigned char palette[COLOURS * 3];

	fwrite("\x89PNG\r\n\x1a\n", 1, 8, stdout);
	store32(header, width);
	store32(header + 4, height);
	write_chunk("IHDR", header, sizeof header);
	for (uint32_t i = 0; i < COLOURS; i++) {
		palette[3 * i] = channel(18, 1, 3, i);
		palette[3 * i + 1] = channel(30, 2, 2, i);
		palette[3 * i + 2] = channel(17, 3, 1, i);
	}
	write_chunk("PLTE", palette, sizeof palette);
}

/* colour_of iterates z = z² + c and says how long it took to escape. */
static unsigned char colour_of(double cx, double cy)
{
	double x = 0, y = 0;

	for (int n = 0; n < MAX_ITERATIONS; n++) {
		double xx = x * x, yy = y * y;
		if (xx + yy > 4)
			return (unsigned char)(1 + n * 3 % (COLOURS - 1));
		y = 2 * x * y + cy;
		x = xx - yy + cx;
	}
	return 0;
}

/* draw shows -2.25 to 0.75 and -1.2 i to 1.2 i, and more where the shape asks for it. */
static void draw(int width, int height)
{
	static unsigned char row[1 + MAX_SIDE]; /* its first byte, 0, says «unfiltered» */
	double across = 3.0 / width, down = 2.4 / height;
	double scale = across > down ? across : down;

	begin_stream();
	for (int py = 0; py < height; py++) {
		double y = (height - 1 - 2 * py) * 0.5 * scale;
		for (int px = 0; px < width; px++)
			row[1 + px] = colour_of((2 * px + 1 - width) * 0.5 * scale - 0.75, y);
		compress(row, 1 + (size_t)width);
	}
	end_stream();
}

/* side reads a number of pixels, or returns 0. */
static int side(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	return *text != '\0' && *end == '\0' && n >= 1 && n <= MAX_SIDE ? (int)n : 0;
}

int main(int argc, char **argv)
{
	int width = 640, height = 400;

	if (argc == 3) {
		width = side(argv[1]);
		height = side(argv[2]);
	}
	if ((argc != 1 && argc != 3) || width == 0 || height == 0) {
		fputs("usage: mandelbrot [WIDTH HEIGHT], each 1 to 16384\n", stderr);
		return 2;
	}
	make_crc_table();
	write_header((uint32_t)width, (uint32_t)height);
	draw(width, height);
	write_chunk("IEND", NULL, 0);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("mandelbrot: standard output");
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
