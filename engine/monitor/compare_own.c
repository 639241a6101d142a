/* Our own way of comparing. Numbers lie in ten bins at the reference's quantiles, or one for each
 * value where there are at most ten; what lies outside the reference's range and what is missing
 * have bins of their own. Categories have a bin each, the rare ones of many one together, unseen
 * ones apart, missing ones apart. PSI and KL, which a bin empty on one side would make infinite,
 * add one half to every count (Jeffreys' prior; the divisor grows by half the number of bins), as
 * the live monitor does; the others take the shares as they are. */
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
#define PRIOR           0.5
#define DISTANCE_LIMIT  0.1
#define P_LIMIT         0.05
#define LEAST_DEVIATION 0.001 /* a constant reference has none to measure by */

/* ---- bins ---- */

static void add_missing(struct tally *tally, const struct compare_pair *pair)
{
    compare_tally_add(tally, "(missing)", 9, (double)pair->reference->n_missing,
                      (double)pair->current->n_missing);
}

static size_t until(const struct column *column, double limit)
{
    return cuts_not_above(column->values, column->n_values, limit);
}

static void add_range(struct tally *tally, const struct compare_pair *pair, double low, double high,
                      bool first)
{
    char label[80];
    const struct column *a = pair->reference, *b = pair->current;
    int size = snprintf(label, sizeof label, "%c%g, %g]", first ? '[' : '(', low, high);
    size_t from_a = first ? cuts_below(a->values, a->n_values, low) : until(a, low);
    size_t from_b = first ? cuts_below(b->values, b->n_values, low) : until(b, low);
    compare_tally_add(tally, label, (size_t)size, (double)(until(a, high) - from_a),
                      (double)(until(b, high) - from_b));
}

static void add_outside(struct tally *tally, const struct compare_pair *pair, double low,
                        double high)
{
    char label[40];
    const struct column *a = pair->reference, *b = pair->current;
    int size = snprintf(label, sizeof label, "< %g", low);
    compare_tally_add(tally, label, (size_t)size, (double)cuts_below(a->values, a->n_values, low),
                      (double)cuts_below(b->values, b->n_values, low));
    size = snprintf(label, sizeof label, "> %g", high);
    compare_tally_add(tally, label, (size_t)size, (double)(a->n_values - until(a, high)),
                      (double)(b->n_values - until(b, high)));
}

static void bin_numbers(struct tally *tally, const struct compare_pair *pair)
{
    struct column finite = compare_finite(pair->reference);
    double edges[N_QUANTILES];
    if (finite.n_values == 0) {
        compare_tally_add(tally, "(any)", 5, (double)pair->reference->n_values,
                          (double)pair->current->n_values);
        return;
    }
    double low = finite.values[0], high = finite.values[finite.n_values - 1], from = low;
    size_t n_edges = cuts_quantiles(finite.values, finite.n_values, N_QUANTILES, edges);
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
static void bin_most(struct tally *tally, const struct categories *of,
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

static void bin_categories(struct tally *tally, const struct compare_pair *pair)
{
    bin_most(tally, &pair->reference->categories, &pair->current->categories, false);
    bin_most(tally, &pair->current->categories, &pair->reference->categories, true);
}

/* ---- methods ---- */

/* Shares with half a count more in every bin that is not empty on both sides. */
static void with_prior(const struct tally *tally, const double *counts, double *shares)
{
    double used = 0, total = tally_total(counts, tally->n);
    for (size_t i = 0; i < tally->n; i++)
        used += tally->reference[i] > 0 || tally->current[i] > 0;
    for (size_t i = 0; i < tally->n; i++) {
        bool empty = tally->reference[i] == 0 && tally->current[i] == 0;
        shares[i] = empty ? 0 : (counts[i] + PRIOR) / (total + PRIOR * used);
    }
}

static void by_distance(struct compare_pair *pair, struct tally *tally, int distance)
{
    double *p = calloc(2 * tally->n + 1, sizeof *p), *q = p ? p + tally->n : NULL;
    double n = tally_total(tally->reference, tally->n), m = tally_total(tally->current, tally->n);
    tally->failed = tally->failed || !p;
    compare_threshold(pair, false, DISTANCE_LIMIT);
    if (p && n > 0 && m > 0) {
        if (distance == DISTANCE_PSI || distance == DISTANCE_KL) {
            with_prior(tally, tally->reference, p);
            with_prior(tally, tally->current, q);
        } else {
            tally_shares(tally->reference, tally->n, n, p);
            tally_shares(tally->current, tally->n, m, q);
        }
        compare_distance(pair, distance, tally, p, q);
    }
    free(p);
}

static void by_chi_square(struct compare_pair *pair, struct tally *tally)
{
    struct chi_square chi =
        chi_square_samples(tally->reference, tally->current, tally->n, true, tally->contribution);
    pair->result->statistic = chi.statistic;
    pair->result->p_value = chi.p_value;
    pair->result->expected_null = isnan(chi.statistic) ? NAN : chi.freedom;
    compare_threshold(pair, true, P_LIMIT);
}

/* Of methods without bins each bin shows its part of the total variation. */
static void contribute_variation(struct tally *tally)
{
    double n = tally_total(tally->reference, tally->n), m = tally_total(tally->current, tally->n);
    for (size_t i = 0; n > 0 && m > 0 && i < tally->n; i++)
        tally->contribution[i] = fabs(tally->reference[i] / n - tally->current[i] / m) / 2;
}

static void by_ks(struct compare_pair *pair, struct tally *tally)
{
    const struct column *a = pair->reference, *b = pair->current;
    struct compared_feature *result = pair->result;
    int64_t n = (int64_t)a->n_values, m = (int64_t)b->n_values;
    result->statistic = samples_ks(a->values, a->n_values, b->values, b->n_values);
    result->p_value = kolmogorov_two_samples(n, m, result->statistic, &result->exact);
    result->expected_null = kolmogorov_expected(n, m);
    compare_threshold(pair, true, P_LIMIT);
    contribute_variation(tally);
}

static void by_wasserstein(struct compare_pair *pair, struct tally *tally)
{
    struct column a = compare_finite(pair->reference), b = compare_finite(pair->current);
    size_t n = a.n_values + b.n_values;
    double mean, deviation, *pooled = malloc((n + 1) * sizeof *pooled);
    tally->failed = tally->failed || !pooled;
    compare_threshold(pair, false, DISTANCE_LIMIT);
    contribute_variation(tally);
    if (!pooled || a.n_values == 0 || b.n_values == 0) {
        free(pooled);
        return;
    }
    memcpy(pooled, a.values, a.n_values * sizeof *pooled);
    memcpy(pooled + a.n_values, b.values, b.n_values * sizeof *pooled);
    samples_sort(pooled, n);
    samples_moments(a.values, a.n_values, &mean, &deviation);
    double distance = samples_wasserstein(a.values, a.n_values, b.values, b.n_values);
    double unit = deviation > 0 ? deviation : LEAST_DEVIATION;
    struct null_result null =
        null_of_wasserstein(distance, pooled, n, (double)a.n_values, (double)b.n_values);
    pair->result->statistic = distance / unit;
    pair->result->expected_null = null.expected / unit;
    pair->result->p_value = null.p_value;
    free(pooled);
}

/* Two values: the share of the second. More, if they are numbers: the mean. */
static bool by_z(struct compare_pair *pair, struct tally *tally)
{
    const struct column *a = pair->reference, *b = pair->current;
    struct compared_feature *result = pair->result;
    struct tally values = {0};
    tally_values(&values, a, b);
    bool two = values.n <= 2, done = two || !a->text;
    if (two && values.n > 0) {
        double n = tally_total(values.reference, values.n);
        double m = tally_total(values.current, values.n);
        result->statistic = samples_share_z(n - values.reference[0], n, m - values.current[0], m);
    } else if (done && a->n_values > 1 && b->n_values > 1) {
        double freedom;
        struct column x = compare_finite(a), y = compare_finite(b);
        result->statistic = samples_welch_t(x.values, x.n_values, y.values, y.n_values, &freedom);
    }
    tally->failed = tally->failed || values.failed;
    tally_free(&values);
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

static void by_method(struct compare_pair *pair, struct tally *tally)
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
    struct tally tally = {0};
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
    tally_free(&tally);
    return failed ? compare_no_memory(pair) : STATUS_OK;
}
