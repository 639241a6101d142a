/* KSWIN (C. Raab, M. Heusinger, F.-M. Schleif, "Reactive soft prototype computing for concept drift
 * streams", Neurocomputing 416, 2020): the newest numbers of a window against a random sample of
 * the older ones, by the exact two-sample Kolmogorov-Smirnov test (J. L. Hodges, "The significance
 * probability of the Smirnov two-sample test", 1958). The sample is the one that River draws with
 * the same seed, from CPython's generator, which begins anew after a detection as River's does.
 *
 * The paper goes on with the newest numbers after a detection (`restart=false`); River begins with
 * an empty window. In: one number at a time. Out: whether both samples differ. */
#include "engine/base/order.h"
#include "engine/stats/detector_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/stats/twister.h"

#define SMALLEST_DISTANCE 0.1 /* River's: a smaller one is no drift, however sure it is */

enum { ALPHA, WINDOW_SIZE, STAT_SIZE, SEED, RESTART };

static const struct detector_parameter parameters[] = {
    [ALPHA] = {"alpha", DETECTOR_NUMBER, 0.005, 0, 1, NULL, "p-value that is a drift"},
    [WINDOW_SIZE] = {"window_size", DETECTOR_INTEGER, 100, 2, 1e6, NULL, "numbers in the window"},
    [STAT_SIZE] = {"stat_size", DETECTOR_INTEGER, 30, 1, 1e4, NULL,
                   "newest numbers that are compared with as many older ones"},
    [SEED] = {"seed", DETECTOR_INTEGER, 42, 0, 9007199254740992.0, NULL,
              "of the random sample; the same seed gives the same positions"},
    [RESTART] = {"restart", DETECTOR_BOOL, 1, 0, 1, NULL,
                 "begin with an empty window after a detection; false: keep the newest numbers, as "
                 "the paper does"},
    {0},
};

struct kswin {
    struct twister twister;
    size_t n; /* in the window, which is a ring once it is full */
    size_t first;
    double numbers[]; /* window; sorted sample; sorted newest; then the indexes that are drawn */
};

static size_t count_of(const double *values, int at)
{
    return (size_t)values[at];
}

static size_t size(const double *values)
{
    size_t window = count_of(values, WINDOW_SIZE), part = count_of(values, STAT_SIZE);
    return sizeof(struct kswin) + (window + 2 * part) * sizeof(double) +
           (window + part) * sizeof(uint32_t);
}

static const char *contradiction(const double *values)
{
    return values[WINDOW_SIZE] < 2 * values[STAT_SIZE]
               ? "window_size is at least twice stat_size, for the sample of older numbers"
               : NULL;
}

static void reset(void *state, const double *values)
{
    struct kswin *kswin = state;
    kswin->n = kswin->first = 0;
    twister_seed_python(&kswin->twister, (uint64_t)values[SEED]);
}

/* The largest distance between the distributions of two sorted samples of n, times n. */
static size_t largest_distance(const double *a, const double *b, size_t n)
{
    size_t i = 0, j = 0, largest = 0;
    while (i < n && j < n) {
        double here = a[i] < b[j] ? a[i] : b[j];
        while (i < n && a[i] <= here)
            i++;
        while (j < n && b[j] <= here)
            j++;
        size_t distance = i > j ? i - j : j - i;
        largest = distance > largest ? distance : largest;
    }
    return largest;
}

/* P(n D >= h) for two samples of n from one distribution: Hodges' alternating sum of binomials, as
 * a product without cancellation, in scipy's order. */
static double p_value(size_t n_in, size_t h_in)
{
    if (h_in == 0)
        return 1;
    double n = (double)n_in, h = (double)h_in, p = 0;
    for (size_t left = n_in / h_in + 1; left > 0; left--) {
        double k = (double)(left - 1), term = 1;
        for (size_t i = 0; i < h_in; i++) {
            double j = (double)i;
            term = (n - k * h - j) * term / (n + k * h + j + 1);
        }
        p = term * (1 - p);
    }
    return fmin(fmax(2 * p, 0), 1);
}

static void take_samples(struct kswin *kswin, size_t window, size_t part)
{
    double *sample = kswin->numbers + window, *newest = sample + part;
    uint32_t *drawn = (uint32_t *)(newest + part), *pool = drawn + part;
    twister_sample_python(&kswin->twister, (uint32_t)(window - part), (uint32_t)part, drawn, pool);
    for (size_t i = 0; i < part; i++) {
        sample[i] = kswin->numbers[(kswin->first + drawn[i]) % window];
        newest[i] = kswin->numbers[(kswin->first + window - part + i) % window];
    }
}

static void keep_newest(struct kswin *kswin, size_t window, size_t part)
{
    for (size_t i = 0; i < part; i++)
        kswin->numbers[window + i] = kswin->numbers[(kswin->first + window - part + i) % window];
    memmove(kswin->numbers, kswin->numbers + window, part * sizeof(double));
    kswin->n = part;
    kswin->first = 0;
}

static bool update(void *state, const double *values, double number)
{
    struct kswin *kswin = state;
    size_t window = count_of(values, WINDOW_SIZE), part = count_of(values, STAT_SIZE);
    if (kswin->n < window) {
        kswin->numbers[kswin->n++] = number;
    } else {
        kswin->numbers[kswin->first] = number;
        kswin->first = (kswin->first + 1) % window;
    }
    if (kswin->n < window)
        return false;
    double *sample = kswin->numbers + window, *newest = sample + part;
    take_samples(kswin, window, part);
    qsort(sample, part, sizeof *sample, order_doubles);
    qsort(newest, part, sizeof *newest, order_doubles);
    size_t distance = largest_distance(sample, newest, part);
    bool drift = p_value(part, distance) <= values[ALPHA] &&
                 (double)distance / (double)part > SMALLEST_DISTANCE;
    if (drift)
        keep_newest(kswin, window, part);
    return drift;
}

const struct detector_class detector_kswin = {
    .name = "kswin",
    .parameters = parameters,
    .size = size,
    .reset = reset,
    .update = update,
    .contradiction = contradiction,
    .restart = RESTART,
};
