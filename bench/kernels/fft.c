// Transforms 4096 complex numbers by the fast Fourier transform and back, as often
// as its argument says, and checks that they are what they were.
#include <stdio.h>
#include <stdlib.h>

#define LOG 12
#define N (1 << LOG)
static double re[N], im[N], wr[N], wi[N]; // the roots of each stage stand together, from its half on

// The roots of unity, by halving angles: no library's sine may make a difference.
static void roots(void) {
    double c = -1, s = 0; // of half a turn
    for (int half = 1; half < N; half *= 2) {
        wr[half] = 1;
        wi[half] = 0;
        for (int k = 1; k < half; k++) {
            if (k % 2 == 0) {
                wr[half + k] = wr[half / 2 + k / 2];
                wi[half + k] = wi[half / 2 + k / 2];
            } else {
                double x = wr[half + k - 1], y = wi[half + k - 1];
                wr[half + k] = x * c - y * s;
                wi[half + k] = x * s + y * c;
            }
        }
        double next = __builtin_sqrt((1 + c) / 2);
        s = half == 1 ? -1 : s / (2 * next);
        c = half == 1 ? 0 : next;
    }
}

static void reorder(double *restrict x, double *restrict y) {
    for (int i = 1, j = 0; i < N; i++) {
        int bit = N >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i < j) {
            double t = x[i]; x[i] = x[j]; x[j] = t;
            t = y[i]; y[i] = y[j]; y[j] = t;
        }
    }
}

// Backwards it is the same with real and imaginary parts exchanged.
static void transform(double *restrict x, double *restrict y) {
    reorder(x, y);
    for (int half = 1; half < N; half *= 2) {
        const double *c = wr + half, *s = wi + half;
        for (int at = 0; at < N; at += 2 * half) {
            double *restrict ax = x + at, *restrict ay = y + at, *restrict bx = ax + half, *restrict by = ay + half;
            for (int k = 0; k < half; k++) {
                double tx = bx[k] * c[k] - by[k] * s[k], ty = bx[k] * s[k] + by[k] * c[k];
                bx[k] = ax[k] - tx;
                by[k] = ay[k] - ty;
                ax[k] += tx;
                ay[k] += ty;
            }
        }
    }
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    roots();
    for (int i = 0; i < N; i++) { re[i] = i * 37 % 101; im[i] = i * 53 % 97; }
    double seen = 0;
    for (int r = 0; r < rounds; r++) {
        transform(re, im);
        seen += re[r % N] - im[r % N];
        transform(im, re);
        for (int i = 0; i < N; i++) { re[i] /= N; im[i] /= N; }
    }
    for (int i = 0; i < N; i++) {
        double dx = re[i] - i * 37 % 101, dy = im[i] - i * 53 % 97;
        if (!(dx * dx + dy * dy < 1e-12)) return 1;
    }
    printf("%.17g\n", seen);
    return 0;
}
