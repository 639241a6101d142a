/* The decision whether to calibrate: stratified shuffle splits as scikit-learn makes them, an
 * isotonic calibration of each, and the calibration error of what was held out, before and after.
 * In: scores and truth. Out: yes or no. Any thread. */
#include "engine/stats/calibration.h"

#include <math.h>
#include <stdlib.h>

#include "engine/stats/classify.h"
#include "engine/stats/isotonic.h"
#include "engine/stats/twister.h"

#define N_SPLITS    ((size_t)10)
#define N_BINS      ((size_t)10)
#define SEED        42
#define GOOD_ENOUGH 0.999

/* ---- stratified shuffle split ---- */

struct split {
    struct twister twister;
    size_t *classes[2]; /* rows of each class, in their order */
    size_t counts[2];
    size_t n_train, n_test;
    size_t *permutation;  /* room for a class */
    size_t *train, *test; /* rows */
};

/* How many of each class: their share of n_draws rounded down, what is missing to the larger
 * remainder; a tie is drawn. */
static void share_out(struct split *split, const size_t counts[2], size_t n_draws, size_t out[2])
{
    double sum = (double)(counts[0] + counts[1]), remainders[2];
    for (int i = 0; i < 2; i++) {
        double exact = (double)counts[i] / sum * (double)n_draws;
        out[i] = (size_t)floor(exact);
        remainders[i] = exact - floor(exact);
    }
    if (out[0] + out[1] >= n_draws)
        return;
    size_t which[2] = {0, 1};
    if (remainders[0] == remainders[1])
        twister_shuffle_numpy(&split->twister, which, 2);
    else if (remainders[1] > remainders[0])
        which[0] = 1;
    out[which[0]]++;
}

static void make_split(struct split *split)
{
    size_t train[2], test[2], left[2], n_train = 0, n_test = 0;
    share_out(split, split->counts, split->n_train, train);
    for (int i = 0; i < 2; i++)
        left[i] = split->counts[i] - train[i];
    share_out(split, left, split->n_test, test);
    for (int i = 0; i < 2; i++) {
        for (size_t k = 0; k < split->counts[i]; k++)
            split->permutation[k] = k;
        twister_shuffle_numpy(&split->twister, split->permutation, split->counts[i]);
        for (size_t k = 0; k < train[i]; k++)
            split->train[n_train++] = split->classes[i][split->permutation[k]];
        for (size_t k = 0; k < test[i]; k++)
            split->test[n_test++] = split->classes[i][split->permutation[train[i] + k]];
    }
    twister_shuffle_numpy(&split->twister, split->train, n_train);
    twister_shuffle_numpy(&split->twister, split->test, n_test);
}

static enum status split_create(const double *labels, size_t n, struct split *split,
                                struct error *error)
{
    split->n_test = (n + 9) / 10;
    split->n_train = n - split->n_test;
    twister_seed_numpy(&split->twister, SEED);
    split->classes[0] = calloc(n + 1, sizeof(size_t));
    split->classes[1] = calloc(n + 1, sizeof(size_t));
    split->permutation = calloc(n + 1, sizeof(size_t));
    split->train = calloc(n + 1, sizeof(size_t));
    split->test = calloc(n + 1, sizeof(size_t));
    if (!split->classes[0] || !split->classes[1] || !split->permutation || !split->train ||
        !split->test)
        return error_set(error, STATUS_MEMORY, "out of memory for a calibration");
    for (size_t i = 0; i < n; i++) {
        int class = labels[i] != 0;
        split->classes[class][split->counts[class]++] = i;
    }
    if (split->counts[0] < 2 || split->counts[1] < 2 || split->n_test < 2)
        return error_set(error, STATUS_INVALID,
                         "the reference has too few rows to decide on a calibration: at least two "
                         "of each class and eleven in all");
    return STATUS_OK;
}

static void split_free(struct split *split)
{
    free(split->test);
    free(split->train);
    free(split->permutation);
    free(split->classes[1]);
    free(split->classes[0]);
}

/* ---- calibration error ---- */

struct held_out {
    double score, calibrated, label;
    size_t place;
};

static int by_number(double x, double y, size_t i, size_t k)
{
    if (x != y)
        return x < y ? -1 : 1;
    return (i > k) - (i < k);
}

static int by_score(const void *a, const void *b)
{
    const struct held_out *p = a, *q = b;
    return by_number(p->score, q->score, p->place, q->place);
}

static int by_calibrated(const void *a, const void *b)
{
    const struct held_out *p = a, *q = b;
    return by_number(p->calibrated, q->calibrated, p->place, q->place);
}

/* Over bins of equal counts of the rows as they are sorted. */
static double calibration_error(const struct held_out *rows, size_t n, bool calibrated)
{
    size_t n_bins = n <= 2 * N_BINS ? n / 2 : N_BINS, width = n / n_bins;
    double error = 0;
    for (size_t first = 0; first + width <= n; first += width) {
        size_t end = first + 2 * width > n ? n : first + width;
        double scores = 0, labels = 0, size = (double)(end - first);
        for (size_t i = first; i < end; i++) {
            scores += calibrated ? rows[i].calibrated : rows[i].score;
            labels += rows[i].label;
        }
        error += size / (double)n * fabs(scores / size - labels / size);
        if (end == n)
            break;
    }
    return error;
}

/* ---- the decision ---- */

static enum status hold_out(const double *scores, const double *labels, struct split *split,
                            double *x, double *y, struct held_out *rows, size_t place,
                            struct error *error)
{
    struct isotonic isotonic;
    make_split(split);
    for (size_t i = 0; i < split->n_train; i++) {
        x[i] = scores[split->train[i]];
        y[i] = labels[split->train[i]];
    }
    enum status status = isotonic_fit(x, y, split->n_train, &isotonic, error);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < split->n_test; i++, place++) {
        size_t row = split->test[i];
        rows[place] =
            (struct held_out){scores[row], isotonic_at(&isotonic, scores[row]), labels[row], place};
    }
    isotonic_free(&isotonic);
    return STATUS_OK;
}

static enum status decide(const double *scores, const double *labels, size_t n, bool *helps,
                          struct error *error)
{
    struct split split = {.n_test = 0};
    size_t n_rows = N_SPLITS * ((n + 9) / 10);
    double *x = calloc(n, sizeof *x), *y = calloc(n, sizeof *y);
    struct held_out *rows = calloc(n_rows, sizeof *rows);
    enum status status = split_create(labels, n, &split, error);
    if (status == STATUS_OK && (!x || !y || !rows))
        status = error_set(error, STATUS_MEMORY, "out of memory for a calibration");
    for (size_t i = 0; status == STATUS_OK && i < N_SPLITS; i++)
        status = hold_out(scores, labels, &split, x, y, rows, i * split.n_test, error);
    if (status == STATUS_OK) {
        qsort(rows, n_rows, sizeof *rows, by_score);
        double before = calibration_error(rows, n_rows, false);
        qsort(rows, n_rows, sizeof *rows, by_calibrated);
        *helps = before > calibration_error(rows, n_rows, true);
    }
    free(rows);
    free(y);
    free(x);
    split_free(&split);
    return status;
}

enum status calibration_helps(const double *scores, const double *labels, size_t n, bool *helps,
                              struct error *error)
{
    double auc;
    *helps = false;
    enum status status = classify_ranks(scores, labels, n, &auc, NULL, error);
    if (status != STATUS_OK || isnan(auc) || auc > GOOD_ENOUGH)
        return status;
    return decide(scores, labels, n, helps, error);
}
