/* Kolmogorov's distribution. One sample: R. Simard and P. L'Ecuyer, "Computing the Two-Sided
 * Kolmogorov-Smirnov Distribution", J. of Statistical Software 39 (2011), with Durbin's matrix by
 * G. Marsaglia, W. Tsang and J. Wang (ibid. 8, 2003), the expansion of W. Pelz and I. Good (J. of
 * the Royal Statistical Society B 38, 1976), and twice Smirnov's one-sided sum in the tail. Two
 * samples: the paths of J. Hodges, "The Significance Probability of the Smirnov Two-Sample Test"
 * (Arkiv foer Matematik 3, 1958). Pure functions, any thread. */
#include "engine/stats/kolmogorov.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/stats/special.h"

#define SCALE_BITS   128
#define MAX_EXACT    10000
#define SMALL_SAMPLE 140
#define TAIL_SMALL   4.0 /* n d^2 from which twice the one-sided sum is the two-sided one */
#define TAIL_LARGE   2.2
#define CERTAIN      370.0 /* n d^2 from which nothing is left in a double */
#define MATRIX_N     100000
#define MATRIX_LIMIT 1.4

static double clip(double p)
{
    return p < 0 ? 0 : p > 1 ? 1 : p;
}

/* P(D_n^+ >= d): N. Smirnov, "Approximate laws of distribution of random variables from empirical
 * data" (1944); every term is a binomial probability. */
static double one_sided_above(int64_t n, double d)
{
    double sum = 0, size = (double)n;
    int64_t most = (int64_t)floor(size * (1 - d));
    for (int64_t i = 0; i <= most; i++) {
        double j = (double)i, p = d + j / size;
        sum += d / p * special_binomial(j, size, p, (size * (1 - d) - j) / size);
    }
    return sum;
}

/* Numbers that outgrow a double carry a power of two beside them. */
struct power {
    double *matrix;
    int exponent;
};

static void multiply(const struct power *a, const struct power *b, struct power *out, int side)
{
    memset(out->matrix, 0, (size_t)side * (size_t)side * sizeof *out->matrix);
    out->exponent = a->exponent + b->exponent;
    for (int i = 0; i < side; i++) {
        for (int k = 0; k < side; k++) {
            double factor = a->matrix[i * side + k];
            for (int j = 0; j < side; j++)
                out->matrix[i * side + j] += factor * b->matrix[k * side + j];
        }
    }
    int centre = side / 2;
    if (fabs(out->matrix[centre * side + centre]) < ldexp(1, SCALE_BITS))
        return;
    for (int i = 0; i < side * side; i++)
        out->matrix[i] = ldexp(out->matrix[i], -SCALE_BITS);
    out->exponent += SCALE_BITS;
}

/* Durbin's matrix for n d = k - h, of side 2k - 1. */
static void durbin(double *matrix, int side, double h)
{
    double *bottom = matrix + (size_t)(side - 1) * (size_t)side;
    for (int i = 0; i < side; i++) {
        for (int j = 0; j < side; j++)
            matrix[i * side + j] = i - j + 1 >= 0;
    }
    for (int i = 0; i < side; i++) {
        matrix[(size_t)i * (size_t)side] -= pow(h, i + 1);
        bottom[i] -= pow(h, side - i);
    }
    bottom[0] += 2 * h > 1 ? pow(2 * h - 1, side) : 0;
    for (int i = 0; i < side; i++) {
        for (int j = 0; j <= i; j++)
            matrix[i * side + j] /= tgamma(i - j + 2);
    }
}

/* a = a * b, by way of *spare. */
static void multiply_into(struct power *a, const struct power *b, struct power *spare, int side)
{
    multiply(a, b, spare, side);
    struct power product = *spare;
    *spare = *a;
    *a = product;
}

/* The middle of base^n times n!/n^n; base is used up. */
static double scaled_middle(struct power base, struct power result, struct power spare, int side,
                            int64_t n)
{
    memset(result.matrix, 0, (size_t)side * (size_t)side * sizeof *result.matrix);
    for (int i = 0; i < side; i++)
        result.matrix[i * side + i] = 1;
    for (int64_t left = n; left > 0; left /= 2) {
        if (left % 2)
            multiply_into(&result, &base, &spare, side);
        if (left > 1) {
            multiply(&base, &base, &spare, side);
            struct power square = spare;
            spare = base;
            base = square;
        }
    }
    double middle = result.matrix[side / 2 * side + side / 2];
    int exponent = result.exponent;
    for (int64_t i = 1; i <= n; i++) {
        middle *= (double)i / (double)n;
        if (middle < ldexp(1, -SCALE_BITS)) {
            middle = ldexp(middle, SCALE_BITS);
            exponent -= SCALE_BITS;
        }
    }
    return ldexp(middle, exponent);
}

static double matrix_below(int64_t n, double d)
{
    double nd = (double)n * d;
    int k = (int)ceil(nd), side = 2 * k - 1;
    size_t cells = (size_t)side * (size_t)side;
    double *memory = calloc(3 * cells, sizeof *memory);
    if (!memory)
        return NAN;
    durbin(memory, side, k - nd);
    double below = scaled_middle((struct power){memory, 0}, (struct power){memory + cells, 0},
                                 (struct power){memory + 2 * cells, 0}, side, n);
    free(memory);
    return clip(below);
}

/* The sums over half-odd m of the four terms, in powers of z = d sqrt(n). */
static void odd_sums(double z, double sums[4])
{
    const double pi2 = M_PI * M_PI;
    double z2 = z * z, z4 = z2 * z2, z6 = z4 * z2, z8 = z4 * z4;
    int most = (int)ceil(16 * z / M_PI) + 1;
    memset(sums, 0, 4 * sizeof *sums);
    for (int k = most; k >= 1; k--) { /* the smallest first */
        double m2 = (2.0 * k - 1) * (2.0 * k - 1), m4 = m2 * m2, m6 = m4 * m2;
        double weight = exp(-m2 * pi2 / (8 * z2));
        sums[0] += weight;
        sums[1] += weight * (pi2 / 4 * m2 - z2);
        sums[2] += weight * (6 * z6 + 2 * z4 + (2 * z4 - 5 * z2) * pi2 / 4 * m2 +
                             (1 - 2 * z2) * pi2 * pi2 / 16 * m4);
        sums[3] += weight * (-30 * z6 - 90 * z8 + (135 * z4 - 96 * z6) * pi2 / 4 * m2 +
                             (212 * z4 - 60 * z2) * pi2 * pi2 / 16 * m4 +
                             (5 - 30 * z2) * pi2 * pi2 * pi2 / 64 * m6);
    }
}

static double pelz_good_below(int64_t n, double d)
{
    const double pi2 = M_PI * M_PI, root = sqrt(2 * M_PI);
    double z = sqrt((double)n) * d, sums[4], whole2 = 0, whole3 = 0;
    odd_sums(z, sums);
    for (int k = (int)ceil(16 * z / M_PI) + 1; k >= 1; k--) {
        double k2 = (double)k * k, weight = exp(-k2 * pi2 / (2 * z * z));
        whole2 += k2 * weight;
        whole3 += (3 * z * z - pi2 * k2) * k2 * weight;
    }
    double k0 = sums[0] * root / z;
    double k1 = sums[1] * root / (6 * pow(z, 4));
    double k2 = sums[2] * root / (72 * pow(z, 7)) - whole2 * pi2 * root / (36 * pow(z, 3));
    double k3 = sums[3] * root / (6480 * pow(z, 10)) + whole3 * pi2 * root / (216 * pow(z, 6));
    double size = (double)n;
    return clip(k0 + k1 / sqrt(size) + k2 / size + k3 / (size * sqrt(size)));
}

/* n d from 1/2 to 1: n! (2d - 1/n)^n, H. Ruben and J. Gambino, "The exact distribution of
 * Kolmogorov's statistic D_n for n <= 10" (1982). */
static double lowest_below(int64_t n, double nd)
{
    double size = (double)n;
    return exp(lgamma(size + 1) - size * log(size) + size * log(2 * nd - 1));
}

static double middle_below(int64_t n, double d)
{
    if (n <= SMALL_SAMPLE || (n <= MATRIX_N && (double)n * d * sqrt(d) <= MATRIX_LIMIT))
        return matrix_below(n, d);
    return sqrt((double)n) * d < 0.042 ? 0 : pelz_good_below(n, d);
}

double kolmogorov_above(int64_t n, double d)
{
    double size = (double)n, nd = size * d, tail = nd * d;
    if (n < 1 || isnan(d))
        return NAN;
    if (d >= 1 || nd <= 0.5)
        return d < 1;
    if (nd <= 1)
        return clip(1 - lowest_below(n, nd));
    if (nd >= size - 1)
        return clip(2 * pow(1 - d, size));
    if (d >= 0.5)
        return clip(2 * one_sided_above(n, d));
    if (tail >= CERTAIN && n > SMALL_SAMPLE)
        return 0;
    if (tail >= (n <= SMALL_SAMPLE ? TAIL_SMALL : TAIL_LARGE))
        return clip(2 * one_sided_above(n, d));
    return clip(1 - middle_below(n, d));
}

/* ---- two samples ---- */

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The share of paths from (0, 0) to (n, n) that leave |x - y| < h. */
static double outside_square(int64_t n, int64_t h)
{
    double p = 0;
    for (int64_t k = n / h; k >= 0; k--) {
        double factor = 1;
        for (int64_t j = 0; j < h; j++)
            factor = (double)(n - k * h - j) * factor / (double)(n + k * h + j + 1);
        p = factor * (1 - p);
    }
    return 2 * p;
}

/* The share of paths from (0, 0) to (m, n), m > n, that leave |nx - my| < h g, g the common
 * divisor: share[j] of those that reach (i, j), for the j within the band, i from 0 to m. */
static double outside_band(int64_t m, int64_t n, int64_t g, int64_t h)
{
    int64_t mg = m / g, ng = n / g;
    int64_t low = 0, high = (h + mg - 1) / mg;
    high = high < n + 1 ? high : n + 1;
    double *share = calloc((size_t)n + 2, sizeof *share); /* by j: kept in place */
    if (!share)
        return NAN;
    for (int64_t j = high; j <= n; j++)
        share[j] = 1;
    for (int64_t i = 1; i <= m; i++) {
        int64_t from = ng * i - h; /* the j of the band lie above from / mg */
        int64_t new_low = from < 0 ? 0 : from / mg + 1;
        int64_t new_high = (ng * i + h + mg - 1) / mg;
        new_low = new_low < n ? new_low : n;
        new_high = new_high < n + 1 ? new_high : n + 1;
        for (; low < new_low; low++)
            share[low] = 1;
        high = new_high;
        if (high <= low) {
            free(share);
            return 1;
        }
        double below = low == 0 ? 0 : 1;
        for (int64_t j = low; j < high; j++) {
            below = (share[j] * (double)i + below * (double)j) / (double)(i + j);
            share[j] = below;
        }
    }
    double result = share[n];
    free(share);
    return result;
}

static double exact_two_samples(int64_t n, int64_t m, double d)
{
    int64_t g = common_divisor(n, m), most = n / g * m;
    int64_t h = (int64_t)nearbyint(d * (double)most);
    if (h <= 0)
        return 1;
    if (n == m)
        return outside_square(n, h);
    return n > m ? outside_band(n, m, g, h) : outside_band(m, n, g, h);
}

double kolmogorov_two_samples(int64_t n, int64_t m, double d, bool *exact)
{
    bool small = n <= MAX_EXACT && m <= MAX_EXACT;
    if (exact)
        *exact = small;
    if (n < 1 || m < 1 || isnan(d))
        return NAN;
    if (small)
        return clip(exact_two_samples(n, m, d));
    double size = (double)n * (double)m / ((double)n + (double)m);
    return kolmogorov_above((int64_t)nearbyint(size), d);
}

double kolmogorov_expected(int64_t n, int64_t m)
{
    if (n < 1 || m < 1)
        return NAN;
    return sqrt(M_PI / 2) * M_LN2 * sqrt((double)(n + m) / ((double)n * (double)m));
}
