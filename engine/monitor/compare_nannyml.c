/* The comparison that NannyML makes of one chunk (0.13.1): numbers by Doane's bins of the reference
 * and one more for what lies outside, Kolmogorov-Smirnov and Wasserstein by value below 10,000
 * reference rows and by 10,000 even bins of the reference from then on. It takes its thresholds
 * from chunks of the reference; here they are 0.1 of a distance and 0.05 of a p-value. Infinities
 * count as missing. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/monitor/compare_priv.h"
#include "engine/stats/chi_square.h"
#include "engine/stats/cuts.h"
#include "engine/stats/distance.h"
#include "engine/stats/kolmogorov.h"
#include "engine/stats/null.h"
#include "engine/stats/samples.h"

#define LARGE    10000
#define MANY     10000 /* bins of a large reference */
#define UNROLLED 8

struct nannyml {
    struct compare_pair *pair;
    struct column a, b; /* finite numbers */
    size_t n, m;
    struct compare_tally bins;
};

/* numpy's sum of up to 128 numbers: whether anything is left of 1 depends on the order. */
static double numpy_sum(const double *values, size_t n)
{
    double part[UNROLLED], sum;
    size_t i;
    if (n < UNROLLED)
        return compare_tally_total(values, n);
    memcpy(part, values, sizeof part);
    for (i = UNROLLED; i + UNROLLED <= n; i += UNROLLED) {
        for (size_t j = 0; j < UNROLLED; j++)
            part[j] += values[i + j];
    }
    sum = ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
    for (; i < n; i++)
        sum += values[i];
    return sum;
}

/* The bins of the reference, and one for what lies in none of them. */
static void make_bins(struct nannyml *with)
{
    if (with->a.text) {
        struct compare_tally all = {0};
        compare_tally_values(&all, &with->a, &with->b);
        with->bins.failed = all.failed;
        for (size_t i = 0; i < all.n; i++) {
            if (all.reference[i] > 0)
                compare_tally_add(&with->bins, all.labels[i], strlen(all.labels[i]),
                                  all.reference[i], all.current[i]);
        }
        compare_tally_free(&all);
        return;
    }
    double low = with->a.values[0], high = with->a.values[with->n - 1];
    size_t n_bins = cuts_doane(with->a.values, with->n, low, high);
    double *edges = calloc(n_bins + 1, sizeof *edges);
    with->bins.failed = !edges;
    if (!edges)
        return;
    cuts_even(low, high, n_bins, edges);
    compare_tally_edges(&with->bins, &with->a, &with->b, edges, n_bins);
    free(edges);
}

static void by_distance(struct nannyml *with, int distance)
{
    struct compare_tally *bins = &with->bins;
    size_t n = bins->n;
    double *p = calloc(2 * n + 4, sizeof *p);
    bins->failed = bins->failed || !p;
    compare_threshold(with->pair, false, 0.1);
    if (bins->failed) {
        free(p);
        return;
    }
    double *q = p + n + 1;
    compare_tally_shares(bins->reference, n, (double)with->n, p);
    compare_tally_shares(bins->current, n, (double)with->m, q);
    double left = 1 - numpy_sum(q, n);
    if (left > 0) {
        compare_tally_add(bins, "(outside)", 9, 0,
                          (double)with->m - compare_tally_total(bins->current, n));
        q[n] = left;
    }
    if (distance == DISTANCE_JS_BASE_2) { /* scipy makes shares of them again */
        compare_tally_shares(p, bins->n, compare_tally_total(p, bins->n), p);
        compare_tally_shares(q, bins->n, compare_tally_total(q, bins->n), q);
    }
    if (!bins->failed)
        compare_distance(with->pair, distance, bins, p, q);
    free(p);
}

static void by_js(struct nannyml *with)
{
    by_distance(with, DISTANCE_JS_BASE_2);
}

static void by_hellinger(struct nannyml *with)
{
    by_distance(with, DISTANCE_HELLINGER);
}

/* Shares up to each of the many even edges of the reference's range: below[i] up to edge i + 1. */
struct coarse {
    double edges[MANY + 1];
    double a[MANY], b[MANY]; /* counts, then shares */
};

static struct coarse *make_coarse(struct nannyml *with)
{
    struct coarse *coarse = malloc(sizeof *coarse);
    with->bins.failed = with->bins.failed || !coarse;
    if (!coarse)
        return NULL;
    cuts_even(with->a.values[0], with->a.values[with->n - 1], MANY, coarse->edges);
    cuts_count(with->a.values, with->n, coarse->edges, MANY, coarse->a);
    cuts_count(with->b.values, with->m, coarse->edges, MANY, coarse->b);
    compare_tally_shares(coarse->a, MANY, (double)with->n, coarse->a);
    compare_tally_shares(coarse->b, MANY, (double)with->m, coarse->b);
    return coarse;
}

static double coarse_ks(struct nannyml *with)
{
    struct coarse *coarse = make_coarse(with);
    double a = 0, b = 0, largest = 0;
    if (!coarse)
        return NAN;
    double below = (double)cuts_below(with->b.values, with->m, coarse->edges[0]) / (double)with->m;
    for (size_t i = 0; i < MANY; i++) {
        a += coarse->a[i];
        b += coarse->b[i];
        largest = fmax(largest, fabs(a - (below + b)));
    }
    free(coarse);
    return largest;
}

/* The area that n sorted values beyond the reference's range lie away from its end; each of them
 * and the end itself has the same share, as the tool has it. */
static double area_below(const double *values, size_t n, double end)
{
    double area = 0;
    for (size_t i = 0; i < n; i++)
        area += (double)(i + 1) / (double)(n + 1) * ((i + 1 < n ? values[i + 1] : end) - values[i]);
    return area;
}

static double area_above(const double *values, size_t n, double end)
{
    double area = 0;
    for (size_t i = 0; i < n; i++)
        area += (1 - (double)(i + 1) / (double)(n + 1)) * (values[i] - (i ? values[i - 1] : end));
    return area;
}

static double coarse_wasserstein(struct nannyml *with)
{
    struct coarse *coarse = make_coarse(with);
    if (!coarse)
        return NAN;
    const double *values = with->b.values;
    double m = (double)with->m, low = coarse->edges[0], high = coarse->edges[MANY];
    size_t n_below = cuts_below(values, with->m, low);
    size_t n_above = with->m - cuts_not_above(values, with->m, high);
    double below = n_below ? (double)(n_below + 1) / m : 0;
    double above = n_above ? (double)(n_above + 1) / m : 0;
    double a = 0, b = 0, within = 0, width = coarse->edges[1] - low;
    for (size_t i = 0; i < MANY; i++) {
        a += coarse->a[i];
        b += coarse->b[i];
        within += fabs(a - (b + below)) * width;
    }
    free(coarse);
    return within + below * area_below(values, n_below, low) +
           above * area_above(values + with->m - n_above, n_above, high);
}

static void by_ks(struct nannyml *with)
{
    struct compared_feature *result = with->pair->result;
    int64_t n = (int64_t)with->n, m = (int64_t)with->m;
    result->statistic = with->n < LARGE
                            ? samples_ks(with->a.values, with->n, with->b.values, with->m)
                            : coarse_ks(with);
    result->p_value = kolmogorov_two_samples(n, m, result->statistic, &result->exact);
    result->expected_null = kolmogorov_expected(n, m);
    compare_threshold(with->pair, true, 0.05);
    result->strict = true;
}

/* Not normed, so that no threshold suits all: its p-value is judged. */
static void by_wasserstein(struct nannyml *with)
{
    struct compared_feature *result = with->pair->result;
    size_t n = with->n + with->m;
    double *pooled = malloc((n + 1) * sizeof *pooled);
    with->bins.failed = with->bins.failed || !pooled;
    if (!pooled)
        return;
    memcpy(pooled, with->a.values, with->n * sizeof *pooled);
    memcpy(pooled + with->n, with->b.values, with->m * sizeof *pooled);
    samples_sort(pooled, n);
    result->statistic = with->n < LARGE
                            ? samples_wasserstein(with->a.values, with->n, with->b.values, with->m)
                            : coarse_wasserstein(with);
    struct null_result null =
        null_of_wasserstein(result->statistic, pooled, n, (double)with->n, (double)with->m);
    result->p_value = null.p_value;
    result->expected_null = null.expected;
    free(pooled);
    compare_threshold(with->pair, true, 0.05);
}

/* Categories that only the current side has count here, each by itself. */
static void use_all_values(struct nannyml *with)
{
    compare_tally_free(&with->bins);
    compare_tally_values(&with->bins, &with->a, &with->b);
}

static void by_chi_square(struct nannyml *with)
{
    struct compared_feature *result = with->pair->result;
    use_all_values(with);
    if (with->bins.failed)
        return;
    struct chi_square chi = chi_square_samples(with->bins.reference, with->bins.current,
                                               with->bins.n, true, with->bins.contribution);
    result->statistic = chi.statistic;
    result->p_value = chi.p_value;
    result->expected_null = chi.freedom;
    compare_threshold(with->pair, true, 0.05);
    result->strict = true;
}

static void by_linf(struct nannyml *with)
{
    use_all_values(with);
    by_distance(with, DISTANCE_LINF);
}

static bool fits(enum compare_method method, bool categorical)
{
    bool numbers_only = method == COMPARE_KS || method == COMPARE_WASSERSTEIN;
    bool categories_only = method == COMPARE_CHISQUARE || method == COMPARE_LINF;
    return method != COMPARE_DEFAULT && !(categorical ? numbers_only : categories_only);
}

enum status compare_nannyml(struct compare_pair *pair)
{
    static void (*const methods[COMPARE_N_METHODS])(struct nannyml * with) = {
        [COMPARE_JS] = by_js,
        [COMPARE_HELLINGER] = by_hellinger,
        [COMPARE_KS] = by_ks,
        [COMPARE_WASSERSTEIN] = by_wasserstein,
        [COMPARE_CHISQUARE] = by_chi_square,
        [COMPARE_LINF] = by_linf,
    };
    struct nannyml with = {
        .pair = pair, .a = column_finite(pair->reference), .b = column_finite(pair->current)};
    struct compared_feature *result = pair->result;
    enum compare_method method = pair->options->method;
    result->method = fits(method, with.a.text) ? method : COMPARE_JS;
    with.n = with.a.text ? result->n_reference : with.a.n_values;
    with.m = with.b.text ? result->n_current : with.b.n_values;
    compare_threshold(pair, false, 0.1);
    if (with.n > 0)
        make_bins(&with);
    if (with.n > 0 && with.m > 0 && !with.bins.failed)
        methods[result->method](&with);
    compare_give_bins(pair, &with.bins);
    bool failed = with.bins.failed;
    compare_tally_free(&with.bins);
    return failed ? compare_no_memory(pair) : STATUS_OK;
}
