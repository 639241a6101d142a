/* ADWIN2 (A. Bifet and R. Gavalda, "Learning from time-changing data with adaptive windowing", SDM
 * 2007): a window of recent numbers as exponentially growing buckets, from which the oldest are
 * dropped while two parts of it differ in their mean by more than chance allows. The variance is
 * kept as in Babcock et al. 2003. In: one number at a time. Out: whether the window was cut.
 *
 * Every sum is in the order of River's, so that both round alike. The paper goes on with the window
 * that the cut left (`restart=false`); River begins with an empty one. */
#include "engine/stats/detector_priv.h"

#include <math.h>

#define LEVELS 48 /* buckets of up to 2^47 numbers */

enum { DELTA, CLOCK, MAX_BUCKETS, MIN_LENGTH, GRACE, RESTART };

static const struct detector_parameter parameters[] = {
    [DELTA] = {"delta", DETECTOR_NUMBER, 0.002, 1e-300, 1, NULL, "probability of a false cut"},
    [CLOCK] = {"clock", DETECTOR_INTEGER, 32, 1, 1e9, NULL, "look for a change every so many"},
    [MAX_BUCKETS] = {"max_buckets", DETECTOR_INTEGER, 5, 1, 4096, NULL, "buckets of one size"},
    [MIN_LENGTH] = {"min_window_length", DETECTOR_INTEGER, 5, 0, 1e9, NULL,
                    "numbers in the shorter part of the window at least"},
    [GRACE] = {"grace_period", DETECTOR_INTEGER, 10, 0, 1e9, NULL, "numbers before the first look"},
    [RESTART] = {"restart", DETECTOR_BOOL, 1, 0, 1, NULL,
                 "begin with an empty window after a detection; false: keep what the cut left, as "
                 "the paper does"},
    {0},
};

struct bucket {
    double total, variance;
};

/* Of level i, each bucket sums up 2^i numbers; the oldest stands first. */
struct adwin {
    double total, variance, width;
    int64_t tick;
    int n_levels;
    int sizes[LEVELS];
    struct bucket buckets[]; /* max_buckets + 1 a level */
};

static size_t per_level(const double *values)
{
    return (size_t)values[MAX_BUCKETS] + 1;
}

static size_t size(const double *values)
{
    return sizeof(struct adwin) + LEVELS * per_level(values) * sizeof(struct bucket);
}

static void reset(void *state, const double *values)
{
    struct adwin *adwin = state;
    (void)values;
    *adwin = (struct adwin){.n_levels = 1};
}

static struct bucket *level(struct adwin *adwin, const double *values, int i)
{
    return adwin->buckets + (size_t)i * per_level(values);
}

static void drop_first(struct adwin *adwin, const double *values, int i, int n)
{
    struct bucket *buckets = level(adwin, values, i);
    adwin->sizes[i] -= n;
    for (int k = 0; k < adwin->sizes[i]; k++)
        buckets[k] = buckets[k + n];
}

/* Full levels give their two oldest buckets to the next as one. */
static void compress(struct adwin *adwin, const double *values)
{
    for (int i = 0; i + 1 < LEVELS && adwin->sizes[i] == (int)per_level(values); i++) {
        const struct bucket *pair = level(adwin, values, i);
        double n = ldexp(1, i), difference = pair[0].total / n - pair[1].total / n;
        struct bucket both = {pair[0].total + pair[1].total, pair[0].variance + pair[1].variance +
                                                                 n * 0.5 * difference * difference};
        if (i + 1 >= adwin->n_levels)
            adwin->sizes[adwin->n_levels++] = 0;
        level(adwin, values, i + 1)[adwin->sizes[i + 1]++] = both;
        drop_first(adwin, values, i, 2);
    }
}

static void insert(struct adwin *adwin, const double *values, double number)
{
    level(adwin, values, 0)[adwin->sizes[0]++] = (struct bucket){number, 0};
    adwin->width += 1;
    if (adwin->width > 1) {
        double away = number - adwin->total / (adwin->width - 1);
        adwin->variance += (adwin->width - 1) * away * away / adwin->width;
    }
    adwin->total += number;
    compress(adwin, values);
}

static void drop_oldest(struct adwin *adwin, const double *values)
{
    int last = adwin->n_levels - 1;
    const struct bucket oldest = level(adwin, values, last)[0];
    double n = ldexp(1, last), mean = oldest.total / n;
    adwin->width -= n;
    adwin->total -= oldest.total;
    double rest = adwin->total / adwin->width;
    adwin->variance -=
        oldest.variance + n * adwin->width * (mean - rest) * (mean - rest) / (n + adwin->width);
    drop_first(adwin, values, last, 1);
    while (adwin->n_levels > 1 && adwin->sizes[adwin->n_levels - 1] == 0)
        adwin->n_levels--;
}

static bool differ(const struct adwin *adwin, const double *values, double n0, double n1,
                   double difference)
{
    double spread = log(2.0 * log(adwin->width) / values[DELTA]);
    double m = 1.0 / (n0 - values[MIN_LENGTH] + 1.0) + 1.0 / (n1 - values[MIN_LENGTH] + 1.0);
    double epsilon =
        sqrt(2.0 * m * (adwin->variance / adwin->width) * spread) + 2.0 / 3.0 * spread * m;
    return fabs(difference) > epsilon;
}

/* Whether at some border between two buckets the older part differs from the newer. */
static bool has_cut(struct adwin *adwin, const double *values)
{
    double n0 = 0, n1 = adwin->width, u0 = 0, u1 = adwin->total;
    for (int i = adwin->n_levels - 1; i >= 0; i--) {
        const struct bucket *buckets = level(adwin, values, i);
        double n = ldexp(1, i);
        for (int k = 0; k < adwin->sizes[i]; k++) {
            n0 += n;
            n1 -= n;
            u0 += buckets[k].total;
            u1 -= buckets[k].total;
            if (i == 0 && k == adwin->sizes[i] - 1)
                return false; /* nothing newer is left */
            if (n1 >= values[MIN_LENGTH] && n0 >= values[MIN_LENGTH] &&
                differ(adwin, values, n0, n1, u0 / n0 - u1 / n1))
                return true;
        }
    }
    return false;
}

static bool update(void *state, const double *values, double number)
{
    struct adwin *adwin = state;
    bool cut = false;
    insert(adwin, values, number);
    adwin->tick++;
    if (adwin->tick % (int64_t)values[CLOCK] != 0 || !(adwin->width > values[GRACE]))
        return false;
    while (has_cut(adwin, values)) {
        cut = true;
        drop_oldest(adwin, values);
    }
    return cut;
}

const struct detector_class detector_adwin = {
    .name = "adwin",
    .parameters = parameters,
    .size = size,
    .reset = reset,
    .update = update,
    .restart = RESTART,
};
