/* The comparison that Evidently makes (0.7.23, whose defaults 0.4 had already): its choice of test
 * by size and number of values, its bins, its fills, its thresholds. Infinities count as missing,
 * and missing values are left out. Integers of at most ten different values are categories; so are
 * texts, also those that it would call free text. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/monitor/compare_priv.h"
#include "engine/stats/chi_square.h"
#include "engine/stats/cuts.h"
#include "engine/stats/distance.h"
#include "engine/stats/kolmogorov.h"
#include "engine/stats/samples.h"
#include "engine/stats/special.h"
#include "engine/stats/twister.h"

#define LARGE           1000 /* reference rows, from beyond which distances are measured */
#define FEW_VALUES      5
#define FEW_INTEGERS    10
#define VALUES_AS_BINS  20
#define FILL            1e-4
#define LEAST_DEVIATION 0.001
#define N_PERMUTATIONS  1000

struct evidently {
    struct compare_pair *pair;
    struct column a, b; /* finite numbers */
    size_t n, m;
    struct compare_tally values; /* of both, every one */
    struct compare_tally bins;   /* as its get_binned_data() makes them */
    double *p, *q;               /* shares of bins */
};

static bool needs_values_as_bins(const struct evidently *with)
{
    return with->pair->result->categorical || compare_distinct(&with->a) <= VALUES_AS_BINS;
}

static void bin_sturges(struct compare_tally *tally, const struct column *a, const struct column *b,
                        size_t size, double low, double high)
{
    size_t n_bins = cuts_sturges(size, low, high, a->whole && b->whole);
    double *edges = calloc(n_bins + 1, sizeof *edges);
    tally->failed = tally->failed || !edges;
    if (!edges)
        return;
    cuts_even(low, high, n_bins, edges);
    compare_tally_edges(tally, a, b, edges, n_bins);
    free(edges);
}

static void make_bins(struct evidently *with)
{
    const struct column *a = &with->a, *b = &with->b;
    if (needs_values_as_bins(with)) {
        compare_tally_values(&with->bins, a, b);
        return;
    }
    double low = fmin(a->values[0], b->values[0]);
    double high = fmax(a->values[with->n - 1], b->values[with->m - 1]);
    bin_sturges(&with->bins, a, b, with->n + with->m, low, high);
}

/* Empty bins get a small share, so that logarithms are finite. */
static void fill_empty(double *shares, size_t n)
{
    double least = INFINITY;
    for (size_t i = 0; i < n; i++) {
        if (shares[i] > 0 && shares[i] < least)
            least = shares[i];
    }
    for (size_t i = 0; i < n; i++) {
        if (shares[i] == 0)
            shares[i] = least <= FILL ? least / 1e6 : FILL;
    }
}

static void make_shares(struct evidently *with, bool filled, bool normed)
{
    size_t n = with->bins.n;
    with->p = calloc(2 * n + 1, sizeof *with->p);
    with->bins.failed = with->bins.failed || !with->p;
    if (!with->p)
        return;
    with->q = with->p + n;
    compare_tally_shares(with->bins.reference, n, (double)with->n, with->p);
    compare_tally_shares(with->bins.current, n, (double)with->m, with->q);
    if (filled) {
        fill_empty(with->p, n);
        fill_empty(with->q, n);
    }
    if (normed) {
        compare_tally_shares(with->p, n, compare_tally_total(with->p, n), with->p);
        compare_tally_shares(with->q, n, compare_tally_total(with->q, n), with->q);
    }
}

static void by_distance(struct evidently *with, int distance, bool filled, bool normed)
{
    make_shares(with, filled, normed);
    if (!with->bins.failed)
        compare_distance(with->pair, distance, &with->bins, with->p, with->q);
    compare_threshold(with->pair, false, 0.1);
}

static void by_psi(struct evidently *with)
{
    by_distance(with, DISTANCE_PSI, true, false);
}

static void by_kl(struct evidently *with)
{
    by_distance(with, DISTANCE_KL, true, true);
}

static void by_js(struct evidently *with)
{
    by_distance(with, DISTANCE_JS, false, true);
}

/* Its bins are by the number of different values, not of rows. */
static void by_hellinger(struct evidently *with)
{
    if (!with->pair->result->categorical) {
        size_t size = with->values.n;
        double low = fmin(with->a.values[0], with->b.values[0]);
        double high = fmax(with->a.values[with->n - 1], with->b.values[with->m - 1]);
        compare_tally_free(&with->bins);
        bin_sturges(&with->bins, &with->a, &with->b, size, low, high);
    }
    by_distance(with, DISTANCE_HELLINGER, false, false);
}

static void by_ks(struct evidently *with)
{
    struct compared_feature *result = with->pair->result;
    result->statistic = samples_ks(with->a.values, with->n, with->b.values, with->m);
    result->p_value = kolmogorov_two_samples((int64_t)with->n, (int64_t)with->m, result->statistic,
                                             &result->exact);
    result->expected_null = kolmogorov_expected((int64_t)with->n, (int64_t)with->m);
    compare_threshold(with->pair, true, 0.05);
}

static void by_wasserstein(struct evidently *with)
{
    double mean, deviation;
    samples_moments(with->a.values, with->n, &mean, &deviation);
    with->pair->result->statistic =
        samples_wasserstein(with->a.values, with->n, with->b.values, with->m) /
        fmax(deviation, LEAST_DEVIATION);
    compare_threshold(with->pair, false, 0.1);
}

/* One sample against the shares of the reference. */
static void by_chi_square(struct evidently *with)
{
    struct compare_tally *values = &with->values;
    double *expected = calloc(values->n + 1, sizeof *expected);
    values->failed = values->failed || !expected;
    for (size_t i = 0; expected && i < values->n; i++)
        expected[i] = values->reference[i] * ((double)with->m / (double)with->n);
    if (expected) {
        struct chi_square chi =
            chi_square_expected(values->current, expected, values->n, values->contribution);
        with->pair->result->statistic = chi.statistic;
        with->pair->result->p_value = chi.p_value;
        with->pair->result->expected_null = chi.freedom;
    }
    free(expected);
    compare_threshold(with->pair, true, 0.05);
    with->pair->result->strict = true;
}

/* The share of all values but the first. */
static void by_z(struct evidently *with)
{
    struct compared_feature *result = with->pair->result;
    double n = (double)with->n, m = (double)with->m;
    result->statistic =
        samples_share_z(n - with->values.reference[0], n, m - with->values.current[0], m);
    result->p_value = with->values.n == 1 ? 1 : 2 * special_normal_above(fabs(result->statistic));
    result->expected_null = 0;
    compare_threshold(with->pair, true, 0.05);
    result->strict = true;
}

static double variation(const double *p, const double *q, size_t n, double total_p, double total_q)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += fabs(p[i] / total_p - q[i] / total_q);
    return 0.5 * sum;
}

/* Draws reference-sized samples out of both, by numpy's generator from seed 0, and counts those
 * that lie as far from what is left. The order of values does not matter to the counts, that of
 * rows does to each draw: the p-value is its to within the noise of a thousand draws. */
static double permute(struct evidently *with, double observed)
{
    size_t n = with->n + with->m, k = with->values.n, far = 0;
    size_t *rows = calloc(n + 1, sizeof *rows);
    double *drawn = calloc(2 * k + 1, sizeof *drawn);
    struct twister *twister = malloc(sizeof *twister);
    with->values.failed = with->values.failed || !rows || !drawn || !twister;
    if (!with->values.failed)
        twister_seed_numpy(twister, 0);
    for (int round = 0; !with->values.failed && round < N_PERMUTATIONS; round++) {
        size_t at = 0;
        for (size_t i = 0; i < k; i++) {
            size_t both = (size_t)(with->values.reference[i] + with->values.current[i]);
            for (size_t j = 0; j < both; j++)
                rows[at++] = i;
            drawn[i] = 0;
            drawn[k + i] = (double)both;
        }
        twister_shuffle_numpy(twister, rows, n);
        for (size_t i = 0; i < with->n; i++) {
            drawn[rows[i]]++;
            drawn[k + rows[i]]--;
        }
        far += observed <= variation(drawn, drawn + k, k, (double)with->n, (double)with->m);
    }
    free(rows);
    free(drawn);
    free(twister);
    return (double)far / N_PERMUTATIONS;
}

static void by_tvd(struct evidently *with)
{
    struct compared_feature *result = with->pair->result;
    struct compare_tally *values = &with->values;
    result->statistic =
        variation(values->reference, values->current, values->n, (double)with->n, (double)with->m);
    result->p_value = permute(with, result->statistic);
    compare_threshold(with->pair, true, 0.1);
    result->strict = true;
}

static enum compare_method choose(const struct evidently *with)
{
    bool small = with->n <= LARGE, categorical = with->pair->result->categorical;
    if (categorical || with->values.n <= FEW_VALUES) {
        if (!small)
            return COMPARE_JS;
        return with->values.n > 2 ? COMPARE_CHISQUARE : COMPARE_ZTEST;
    }
    return small ? COMPARE_KS : COMPARE_WASSERSTEIN;
}

/* What the method cannot be asked of a type, its own choice answers. */
static bool fits(enum compare_method method, bool categorical)
{
    bool numbers_only = method == COMPARE_KS || method == COMPARE_WASSERSTEIN;
    bool categories_only =
        method == COMPARE_CHISQUARE || method == COMPARE_ZTEST || method == COMPARE_TVD;
    return method != COMPARE_DEFAULT && !(categorical ? numbers_only : categories_only);
}

static void run(struct evidently *with)
{
    static void (*const methods[COMPARE_N_METHODS])(struct evidently * with) = {
        [COMPARE_PSI] = by_psi,
        [COMPARE_JS] = by_js,
        [COMPARE_KS] = by_ks,
        [COMPARE_WASSERSTEIN] = by_wasserstein,
        [COMPARE_CHISQUARE] = by_chi_square,
        [COMPARE_TVD] = by_tvd,
        [COMPARE_HELLINGER] = by_hellinger,
        [COMPARE_KL] = by_kl,
        [COMPARE_ZTEST] = by_z,
    };
    struct compared_feature *result = with->pair->result;
    enum compare_method method = with->pair->options->method;
    result->method = fits(method, result->categorical) ? method : choose(with);
    make_bins(with);
    methods[result->method](with);
}

enum status compare_evidently(struct compare_pair *pair)
{
    struct evidently with = {
        .pair = pair, .a = column_finite(pair->reference), .b = column_finite(pair->current)};
    struct compared_feature *result = pair->result;
    result->categorical =
        with.a.text || (pair->current->whole && compare_distinct(&with.b) <= FEW_INTEGERS);
    with.n = with.a.text ? result->n_reference : with.a.n_values;
    with.m = with.b.text ? result->n_current : with.b.n_values;
    compare_tally_values(&with.values, &with.a, &with.b);
    if (!with.values.failed && with.n > 0 && with.m > 0)
        run(&with);
    else
        compare_threshold(pair, false, 0.1);
    bool of_values = result->method == COMPARE_CHISQUARE || result->method == COMPARE_TVD;
    compare_give_bins(pair, of_values || with.bins.n == 0 ? &with.values : &with.bins);
    bool failed = with.values.failed || with.bins.failed;
    compare_tally_free(&with.values);
    compare_tally_free(&with.bins);
    free(with.p);
    return failed ? compare_no_memory(pair) : STATUS_OK;
}
