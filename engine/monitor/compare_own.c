/* Our own way of comparing. Numbers lie in ten bins at the reference's quantiles, or one for each
 * value where there are at most ten; what lies outside the reference's range and what is missing
 * have bins of their own. Categories have a bin each, the rare ones of many one together, unseen
 * ones apart, missing ones apart. PSI and KL, which a bin empty on one side would make infinite,
 * add one half to every count (Jeffreys' prior; the divisor grows by half the number of bins), as
 * the live monitor does; the others take the shares as they are. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/monitor/compare_priv.h"
#include "engine/stats/chi_square.h"
#include "engine/stats/cuts.h"
#include "engine/stats/distance.h"
#include "engine/stats/kolmogorov.h"
#include "engine/stats/null.h"
#include "engine/stats/samples.h"
#include "engine/stats/special.h"

#define N_QUANTILES     10
#define MOST_CATEGORIES 50
#define SAMPLED         100000 /* numbers that the noise of a distance is found from */
#define DISTANCE_LIMIT  0.1
#define P_LIMIT         0.05
#define LEAST_DEVIATION 0.001 /* a constant reference has none to measure by */

/* ---- bins ---- */

static void add_missing(struct compare_tally *tally, const struct compare_pair *pair)
{
    compare_tally_add(tally, "(missing)", 9, (double)pair->reference->n_missing,
                      (double)pair->current->n_missing);
}

static void add_range(struct compare_tally *tally, const struct compare_pair *pair, double low,
                      double high, bool first)
{
    char label[80];
    const struct column *a = pair->reference, *b = pair->current;
    int size = snprintf(label, sizeof label, "%c%g, %g]", first ? '[' : '(', low, high);
    double from_a = first ? column_below(a, low) : column_not_above(a, low);
    double from_b = first ? column_below(b, low) : column_not_above(b, low);
    compare_tally_add(tally, label, (size_t)size, column_not_above(a, high) - from_a,
                      column_not_above(b, high) - from_b);
}

static void add_outside(struct compare_tally *tally, const struct compare_pair *pair, double low,
                        double high)
{
    char label[40];
    const struct column *a = pair->reference, *b = pair->current;
    int size = snprintf(label, sizeof label, "< %g", low);
    compare_tally_add(tally, label, (size_t)size, column_below(a, low), column_below(b, low));
    size = snprintf(label, sizeof label, "> %g", high);
    compare_tally_add(tally, label, (size_t)size, column_total(a) - column_not_above(a, high),
                      column_total(b) - column_not_above(b, high));
    if (b->n_odd > 0)
        compare_tally_add(tally, "(not a number)", 14, 0, (double)b->n_odd);
}

static void bin_numbers(struct compare_tally *tally, const struct compare_pair *pair)
{
    struct column finite = column_finite(pair->reference);
    double edges[N_QUANTILES];
    if (finite.n_values == 0) {
        compare_tally_add(tally, "(any)", 5, (double)pair->reference->n_values,
                          (double)pair->current->n_values);
        return;
    }
    double low = finite.values[0], high = finite.values[finite.n_values - 1], from = low;
    size_t n_edges = column_quantiles(&finite, N_QUANTILES, edges);
    for (size_t i = 0; i <= n_edges; i++) {
        double to = i < n_edges ? edges[i] : high;
        add_range(tally, pair, from, to, i == 0);
        from = to;
    }
    add_outside(tally, pair, low, high);
}

static int by_count(const void *a, const void *b)
{
    const struct category *x = *(const struct category *const *)a;
    const struct category *y = *(const struct category *const *)b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return slice_compare(x->text, y->text);
}

static uint64_t count_of(const struct categories *sorted, struct slice text)
{
    size_t low = 0, high = sorted->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (slice_compare(sorted->list[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < sorted->n && slice_equal(sorted->list[low].text, text) ? sorted->list[low].count
                                                                        : 0;
}

/* Bins for the most frequent of `of`, seen on this side; what is left of it in one bin. */
static void bin_most(struct compare_tally *tally, const struct categories *of,
                     const struct categories *other, bool unseen)
{
    const struct category **order = malloc((of->n + 1) * sizeof *order);
    size_t n = 0;
    double rest[2] = {0, 0};
    tally->failed = tally->failed || !order;
    for (size_t i = 0; order && i < of->n; i++) {
        if (!unseen || count_of(other, of->list[i].text) == 0)
            order[n++] = &of->list[i];
    }
    if (order && n > 1)
        qsort((void *)order, n, sizeof *order, by_count);
    for (size_t i = 0; order && i < n; i++) {
        double here = (double)order[i]->count;
        double there = unseen ? 0 : (double)count_of(other, order[i]->text);
        if (i < MOST_CATEGORIES) {
            compare_tally_add(tally, order[i]->text.data, order[i]->text.size, unseen ? 0 : here,
                              unseen ? here : there);
        } else {
            rest[0] += unseen ? 0 : here;
            rest[1] += unseen ? here : there;
        }
    }
    const char *label = unseen ? "(other unseen)" : "(other)";
    if (rest[0] + rest[1] > 0)
        compare_tally_add(tally, label, strlen(label), rest[0], rest[1]);
    free((void *)order);
}

static void bin_categories(struct compare_tally *tally, const struct compare_pair *pair)
{
    bin_most(tally, &pair->reference->categories, &pair->current->categories, false);
    bin_most(tally, &pair->current->categories, &pair->reference->categories, true);
}

/* ---- methods ---- */

static void by_distance(struct compare_pair *pair, struct compare_tally *tally, int distance)
{
    double *p = calloc(2 * tally->n + 1, sizeof *p), *q = p ? p + tally->n : NULL;
    double n = compare_tally_total(tally->reference, tally->n),
           m = compare_tally_total(tally->current, tally->n);
    tally->failed = tally->failed || !p;
    compare_threshold(pair, false, DISTANCE_LIMIT);
    if (p && n > 0 && m > 0) {
        if (distance == DISTANCE_PSI || distance == DISTANCE_KL) {
            distance_smooth(tally->reference, tally->current, tally->n, p, q);
        } else {
            compare_tally_shares(tally->reference, tally->n, n, p);
            compare_tally_shares(tally->current, tally->n, m, q);
        }
        compare_distance(pair, distance, tally, p, q);
    }
    free(p);
}

static void by_chi_square(struct compare_pair *pair, struct compare_tally *tally)
{
    struct chi_square chi =
        chi_square_samples(tally->reference, tally->current, tally->n, true, tally->contribution);
    pair->result->statistic = chi.statistic;
    pair->result->p_value = chi.p_value;
    pair->result->expected_null = isnan(chi.statistic) ? NAN : chi.freedom;
    compare_threshold(pair, true, P_LIMIT);
}

/* Of methods without bins each bin shows its part of the total variation. */
static void contribute_variation(struct compare_tally *tally)
{
    double n = compare_tally_total(tally->reference, tally->n),
           m = compare_tally_total(tally->current, tally->n);
    for (size_t i = 0; n > 0 && m > 0 && i < tally->n; i++)
        tally->contribution[i] = fabs(tally->reference[i] / n - tally->current[i] / m) / 2;
}

static struct sample sample_of(const struct column *column)
{
    return (struct sample){column->values, column->upto, column->n_values, column->before};
}

static void by_ks(struct compare_pair *pair, struct compare_tally *tally)
{
    struct sample a = sample_of(pair->reference), b = sample_of(pair->current);
    struct compared_feature *result = pair->result;
    int64_t n = (int64_t)result->n_reference, m = (int64_t)result->n_current;
    result->statistic = samples_ks_counted(&a, &b);
    result->p_value = kolmogorov_two_samples(n, m, result->statistic, &result->exact);
    result->expected_null = kolmogorov_expected(n, m);
    compare_threshold(pair, true, P_LIMIT);
    contribute_variation(tally);
}

/* At most so many values of a column, at equal steps of its numbers. */
static size_t draw_sample(const struct column *column, size_t most, double *out)
{
    double total = column_total(column);
    size_t at = 0, n = total < (double)most ? (size_t)total : most;
    for (size_t i = 0; i < n; i++) {
        double place = ((double)i + 0.5) / (double)n * total;
        if (!column->upto)
            at = (size_t)place;
        while (column->upto && at + 1 < column->n_values &&
               column->upto[at] - column->before <= place)
            at++;
        out[i] = column->values[at];
    }
    return n;
}

static struct null_result wasserstein_by_chance(const struct column *a, const struct column *b,
                                                double distance, double pooled[2 * SAMPLED])
{
    /* Each side with the weight of its numbers. */
    double n = column_total(a), m = column_total(b), all = n + m;
    size_t size = draw_sample(a, (size_t)ceil(SAMPLED * n / all), pooled);
    size += draw_sample(b, (size_t)ceil(SAMPLED * m / all), pooled + size);
    samples_sort(pooled, size);
    return null_of_wasserstein(distance, pooled, size, n, m);
}

static void by_wasserstein(struct compare_pair *pair, struct compare_tally *tally)
{
    struct column a = column_finite(pair->reference), b = column_finite(pair->current);
    struct sample x = sample_of(&a), y = sample_of(&b);
    double mean, deviation, *pooled = malloc((size_t)2 * SAMPLED * sizeof *pooled);
    tally->failed = tally->failed || !pooled;
    compare_threshold(pair, false, DISTANCE_LIMIT);
    contribute_variation(tally);
    if (pooled && a.n_values > 0 && b.n_values > 0) {
        column_moments(&a, &mean, &deviation);
        double distance = samples_wasserstein_counted(&x, &y);
        double unit = deviation > 0 ? deviation : LEAST_DEVIATION;
        struct null_result null = wasserstein_by_chance(&a, &b, distance, pooled);
        pair->result->statistic = distance / unit;
        pair->result->expected_null = null.expected / unit;
        pair->result->p_value = null.p_value;
    }
    free(pooled);
}

/* Welch's, with the normal distribution: numbers enough for a drift are enough for that. */
static double z_of_means(const struct column *a, const struct column *b)
{
    double mean_a, mean_b, s, t, n = column_total(a), m = column_total(b);
    if (n < 2 || m < 2)
        return NAN;
    column_moments(a, &mean_a, &s);
    column_moments(b, &mean_b, &t);
    double variance = s * s / (n - 1) + t * t / (m - 1);
    if (!isfinite(variance))
        return NAN;
    /* Sums of the same numbers in another order differ by their rounding. */
    double rounding = DBL_EPSILON * sqrt(n + m) * (fabs(mean_a) + fabs(mean_b) + s + t);
    if (fabs(mean_a - mean_b) <= rounding)
        return 0;
    return variance > 0 ? (mean_a - mean_b) / sqrt(variance) : NAN;
}

/* Two values: the share of the second. More, if they are numbers: the mean. */
static bool by_z(struct compare_pair *pair, struct compare_tally *tally)
{
    const struct column *a = pair->reference, *b = pair->current;
    struct compared_feature *result = pair->result;
    struct compare_tally values = {0};
    compare_tally_values(&values, a, b);
    bool two = values.n <= 2, done = two || !a->text;
    if (two && values.n > 0) {
        double n = compare_tally_total(values.reference, values.n);
        double m = compare_tally_total(values.current, values.n);
        result->statistic = samples_share_z(n - values.reference[0], n, m - values.current[0], m);
    } else if (done) {
        struct column x = column_finite(a), y = column_finite(b);
        result->statistic = z_of_means(&x, &y);
    }
    tally->failed = tally->failed || values.failed;
    compare_tally_free(&values);
    if (!done)
        return false;
    result->p_value = 2 * special_normal_above(fabs(result->statistic));
    result->expected_null = isnan(result->statistic) ? NAN : 0;
    compare_threshold(pair, true, P_LIMIT);
    contribute_variation(tally);
    return true;
}

static bool for_numbers_only(enum compare_method method)
{
    return method == COMPARE_KS || method == COMPARE_WASSERSTEIN;
}

static void by_method(struct compare_pair *pair, struct compare_tally *tally)
{
    static const int distances[COMPARE_N_METHODS] = {
        [COMPARE_PSI] = DISTANCE_PSI, [COMPARE_JS] = DISTANCE_JS_BASE_2,
        [COMPARE_TVD] = DISTANCE_TVD, [COMPARE_HELLINGER] = DISTANCE_HELLINGER,
        [COMPARE_KL] = DISTANCE_KL,   [COMPARE_LINF] = DISTANCE_LINF,
    };
    enum compare_method method = pair->options->method;
    if (method == COMPARE_DEFAULT || (pair->reference->text && for_numbers_only(method)))
        method = COMPARE_PSI;
    if (method == COMPARE_ZTEST && !by_z(pair, tally))
        method = COMPARE_CHISQUARE;
    pair->result->method = method;
    if (method == COMPARE_CHISQUARE)
        by_chi_square(pair, tally);
    else if (method == COMPARE_KS)
        by_ks(pair, tally);
    else if (method == COMPARE_WASSERSTEIN)
        by_wasserstein(pair, tally);
    else if (method != COMPARE_ZTEST)
        by_distance(pair, tally, distances[method]);
}

enum status compare_own(struct compare_pair *pair)
{
    struct compare_tally tally = {0};
    if (pair->reference->text)
        bin_categories(&tally, pair);
    else
        bin_numbers(&tally, pair);
    add_missing(&tally, pair);
    if (!tally.failed)
        by_method(pair, &tally);
    if (!tally.failed)
        compare_give_bins(pair, &tally);
    bool failed = tally.failed;
    compare_tally_free(&tally);
    return failed ? compare_no_memory(pair) : STATUS_OK;
}
