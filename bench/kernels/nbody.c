// Moves the sun and its four largest planets by Newton's law, 1000 steps of 0.01
// years for each round, and checks that energy is conserved. Starting values: NASA's.
#include <stdio.h>
#include <stdlib.h>

#define BODIES 5
#define SUN 39.47841760435743 // 4 pi squared: its mass, in years, and distances of the earth
#define DAYS 365.24
typedef struct { double x, y, z, vx, vy, vz, mass; } body;

static body sky[BODIES] = {
    {0, 0, 0, 0, 0, 0, SUN},
    {4.84143144246472090e+00, -1.16032004402742839e+00, -1.03622044471123109e-01,
     1.66007664274403694e-03 * DAYS, 7.69901118419740425e-03 * DAYS, -6.90460016972063023e-05 * DAYS, 9.54791938424326609e-04 * SUN},
    {8.34336671824457987e+00, 4.12479856412430479e+00, -4.03523417114321381e-01,
     -2.76742510726411899e-03 * DAYS, 4.99852801234917238e-03 * DAYS, 2.30417297573763929e-05 * DAYS, 2.85885980666130812e-04 * SUN},
    {1.28943695621391310e+01, -1.51111514016986312e+01, -2.23307578892655734e-01,
     2.96460137564761618e-03 * DAYS, 2.37847173959480950e-03 * DAYS, -2.96589568540237556e-05 * DAYS, 4.36624404335156298e-05 * SUN},
    {1.53796971148509165e+01, -2.59193146099879641e+01, 1.79258772950371181e-01,
     2.68067772490389322e-03 * DAYS, 1.62824170038242295e-03 * DAYS, -9.51592254519715870e-05 * DAYS, 5.15138902046611451e-05 * SUN},
};

static void advance(double dt) {
    for (int i = 0; i < BODIES; i++) {
        body *a = &sky[i];
        for (int j = i + 1; j < BODIES; j++) {
            body *b = &sky[j];
            double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
            double square = dx * dx + dy * dy + dz * dz;
            double pull = dt / (square * __builtin_sqrt(square));
            a->vx -= dx * b->mass * pull; a->vy -= dy * b->mass * pull; a->vz -= dz * b->mass * pull;
            b->vx += dx * a->mass * pull; b->vy += dy * a->mass * pull; b->vz += dz * a->mass * pull;
        }
    }
    for (int i = 0; i < BODIES; i++) {
        body *a = &sky[i];
        a->x += dt * a->vx; a->y += dt * a->vy; a->z += dt * a->vz;
    }
}

static double energy(void) {
    double e = 0;
    for (int i = 0; i < BODIES; i++) {
        body *a = &sky[i];
        e += a->mass * (a->vx * a->vx + a->vy * a->vy + a->vz * a->vz) / 2;
        for (int j = i + 1; j < BODIES; j++) {
            double dx = a->x - sky[j].x, dy = a->y - sky[j].y, dz = a->z - sky[j].z;
            e -= a->mass * sky[j].mass / __builtin_sqrt(dx * dx + dy * dy + dz * dz);
        }
    }
    return e;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    for (int i = 1; i < BODIES; i++) { // the sun moves so that nothing does as a whole
        sky[0].vx -= sky[i].vx * sky[i].mass / SUN;
        sky[0].vy -= sky[i].vy * sky[i].mass / SUN;
        sky[0].vz -= sky[i].vz * sky[i].mass / SUN;
    }
    double before = energy();
    for (int r = 0; r < rounds; r++)
        for (int i = 0; i < 1000; i++) advance(0.01);
    double drift = energy() - before;
    if (!(drift < 1e-3 && drift > -1e-3)) return 1;
    printf("%.9f %.17g\n", energy(), sky[1].x);
    return 0;
}
