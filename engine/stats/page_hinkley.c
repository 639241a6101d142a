/* The Page-Hinkley test (E. S. Page, "Continuous inspection schemes", Biometrika 41, 1954): sums of
 * how far each number is from the mean so far, against their lowest and highest. The sums fade by
 * `alpha` as in Sebastiao and Fernandes 2017; alpha=1 is Page's own. In River's order of
 * operations. In: one number at a time. Out: whether a sum has left its bound. */
#include "engine/stats/detector_priv.h"

#include <math.h>

enum { MIN_INSTANCES, DELTA, THRESHOLD, ALPHA, MODE };
enum { UP, DOWN, BOTH };

static const char *const modes[] = {"up", "down", "both", NULL};

static const struct detector_parameter parameters[] = {
    [MIN_INSTANCES] = {"min_instances", DETECTOR_INTEGER, 30, 0, 1e9, NULL,
                       "numbers before the first judgement"},
    [DELTA] = {"delta", DETECTOR_NUMBER, 0.005, -1e300, 1e300, NULL,
               "how far from the mean is no change"},
    [THRESHOLD] = {"threshold", DETECTOR_NUMBER, 50, 0, 1e300, NULL, "the sum that is a change"},
    [ALPHA] = {"alpha", DETECTOR_NUMBER, 1 - 0.0001, 0, 1, NULL,
               "by which the sums fade; 1: not at all, as in the paper"},
    [MODE] = {"mode", DETECTOR_WORD, BOTH, 0, 2, modes, "which changes of the mean count"},
    {0},
};

struct page_hinkley {
    struct detector_mean mean;
    double up, down; /* the fading sums */
    double lowest_up, highest_down;
};

static size_t size(const double *values)
{
    (void)values;
    return sizeof(struct page_hinkley);
}

static void reset(void *state, const double *values)
{
    (void)values;
    *(struct page_hinkley *)state =
        (struct page_hinkley){.lowest_up = (double)INFINITY, .highest_down = -1};
}

static bool update(void *state, const double *values, double number)
{
    struct page_hinkley *test = state;
    detector_mean_add(&test->mean, number);
    double away = number - test->mean.mean;
    test->up = values[ALPHA] * test->up + away - values[DELTA];
    test->down = values[ALPHA] * test->down + away + values[DELTA];
    if (test->up < test->lowest_up)
        test->lowest_up = test->up;
    if (test->down > test->highest_down)
        test->highest_down = test->down;
    if (!(test->mean.n >= values[MIN_INSTANCES]))
        return false;
    bool rose = test->up - test->lowest_up > values[THRESHOLD];
    bool fell = test->highest_down - test->down > values[THRESHOLD];
    return (values[MODE] != DOWN && rose) || (values[MODE] != UP && fell);
}

const struct detector_class detector_page_hinkley = {
    .name = "ph",
    .parameters = parameters,
    .size = size,
    .reset = reset,
    .update = update,
    .restart = -1,
};
