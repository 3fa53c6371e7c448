// Looks for [a-z0-9.]+@[a-z0-9]+[.](com|org|net) in 1 MiB of text, as often as its
// argument says: by a table of states made from the classes of characters, as
// engines for regular expressions do. What is planted must be what is found.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define SIZE (1 << 20)
enum { OTHER, LETTER, DOT, AT, C, O, M, R, G, N, E, T, CLASSES };
enum { START, NAME, AFTER_AT, HOST, DOTTED, C1, C2, O1, O2, N1, N2, FOUND, STATES };
static uint8_t text[SIZE], class[256], to[STATES][CLASSES];

static void build(void) {
    for (int c = 'a'; c <= 'z'; c++) class[c] = LETTER;
    for (int c = '0'; c <= '9'; c++) class[c] = LETTER;
    class['.'] = DOT; class['@'] = AT;
    class['c'] = C; class['o'] = O; class['m'] = M; class['r'] = R;
    class['g'] = G; class['n'] = N; class['e'] = E; class['t'] = T;
    for (int s = 0; s < STATES; s++)
        for (int c = 0; c < CLASSES; c++) {
            int letter = c != OTHER && c != AT && c != DOT, after = s == AFTER_AT || s == HOST;
            // What is no host name any longer may still be the name before another @.
            if (s == START || s == NAME || s >= DOTTED) to[s][c] = letter || c == DOT ? NAME : c == AT && s != START ? AFTER_AT : START;
            else if (letter) to[s][c] = HOST;
            else to[s][c] = c == DOT ? (s == HOST ? DOTTED : NAME) : c == AT && after && s == HOST ? AFTER_AT : START;
        }
    to[DOTTED][C] = C1; to[DOTTED][O] = O1; to[DOTTED][N] = N1;
    to[C1][O] = C2; to[C2][M] = FOUND;
    to[O1][R] = O2; to[O2][G] = FOUND;
    to[N1][E] = N2; to[N2][T] = FOUND;
}

// Words without @, and after some of them an address.
static int fill(void) {
    static const char *const ends[] = {"@plasm.com ", "@host7.org ", "@a.net ", "@host.de ", "@.com ", " "};
    static const uint8_t found[] = {1, 1, 1, 0, 0, 0};
    uint32_t x = 2463534242u;
    int planted = 0, at = 0;
    while (at < SIZE - 64) {
        x ^= x << 13; x ^= x >> 17; x ^= x << 5;
        for (int n = 2 + x % 9, i = 0; i < n; i++) text[at++] = 'a' + (x >> i) % 26;
        int end = x >> 16 & 15;
        if (end > 5) end = 5;
        planted += found[end];
        for (const char *p = ends[end]; *p; p++) text[at++] = *p;
    }
    while (at < SIZE) text[at++] = ' ';
    return planted;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    build();
    int planted = fill();
    uint32_t sum = 0;
    for (int r = 0; r < rounds; r++) {
        int state = START, found = 0;
        for (uint32_t i = 0; i < SIZE; i++) {
            state = to[state][class[text[i]]];
            if (state == FOUND) { found++; sum = sum * 31 + i; }
        }
        if (found != planted) return 1;
    }
    printf("%d %08x\n", planted, sum);
    return 0;
}
