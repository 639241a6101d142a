/* The comparison of two data sets: each feature by its way of comparing (compare_own.c,
 * compare_evidently.c, compare_nannyml.c), then what is said of all of them together. One thread.
 */
#include "engine/monitor/compare_priv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/stats/discovery.h"
#include "engine/stats/distance.h"
#include "engine/stats/null.h"
#include "engine/stats/samples.h"
#include "engine/stats/special.h"

#define ALPHA          0.05  /* false discoveries among those found */
#define LEAST_RISE     0.005 /* of the share of missing values */
#define FEW_CATEGORIES 50    /* up to so many, a new one is news whatever its number */

static const char *const method_names[COMPARE_N_METHODS] = {
    [COMPARE_DEFAULT] = "default",
    [COMPARE_PSI] = "psi",
    [COMPARE_JS] = "js",
    [COMPARE_KS] = "ks",
    [COMPARE_WASSERSTEIN] = "wasserstein",
    [COMPARE_CHISQUARE] = "chisquare",
    [COMPARE_TVD] = "tvd",
    [COMPARE_HELLINGER] = "hellinger",
    [COMPARE_KL] = "kl",
    [COMPARE_LINF] = "linf",
    [COMPARE_ZTEST] = "ztest",
};

static enum status (*const ways[])(struct compare_pair *pair) = {
    [COMPARE_OWN] = compare_own,
    [COMPARE_EVIDENTLY] = compare_evidently,
    [COMPARE_NANNYML] = compare_nannyml,
};

const char *compare_method_name(enum compare_method method)
{
    return method_names[method];
}

bool compare_method_find(const char *name, enum compare_method *method)
{
    for (int i = COMPARE_PSI; i < COMPARE_N_METHODS; i++) {
        if (strcmp(name, method_names[i]) == 0) {
            *method = (enum compare_method)i;
            return true;
        }
    }
    return false;
}

bool compare_knows(enum compare_as as, enum compare_method method)
{
    static const unsigned unknown[] = {
        [COMPARE_OWN] = 0,
        [COMPARE_EVIDENTLY] = 1u << COMPARE_LINF,
        [COMPARE_NANNYML] =
            1u << COMPARE_PSI | 1u << COMPARE_TVD | 1u << COMPARE_KL | 1u << COMPARE_ZTEST,
    };
    return !(unknown[as] >> method & 1);
}

/* ---- what the ways share ---- */

enum status compare_no_memory(struct compare_pair *pair)
{
    return error_set(pair->error, STATUS_MEMORY, "out of memory for comparing \"%.100s\"",
                     pair->result->name);
}

void compare_threshold(struct compare_pair *pair, bool of_p, double threshold)
{
    double other = pair->options->threshold;
    pair->result->threshold_of_p = of_p;
    pair->result->threshold = isnan(other) ? threshold : other;
}

void compare_give_bins(struct compare_pair *pair, struct compare_tally *tally)
{
    struct compared_feature *result = pair->result;
    result->bins = calloc(tally->n + 1, sizeof *result->bins);
    for (size_t i = 0; result->bins && i < tally->n; i++) {
        result->bins[i] = (struct compared_bin){tally->labels[i], tally->reference[i],
                                                tally->current[i], tally->contribution[i]};
        tally->labels[i] = NULL;
        result->n_bins++;
    }
    tally->failed = tally->failed || !result->bins;
}

void compare_distance(struct compare_pair *pair, int distance, struct compare_tally *tally,
                      const double *p, const double *q)
{
    struct compared_feature *result = pair->result;
    double n = compare_tally_total(tally->reference, tally->n),
           m = compare_tally_total(tally->current, tally->n);
    double *pooled = calloc(tally->n + 1, sizeof *pooled);
    tally->failed = tally->failed || !pooled;
    if (!pooled)
        return;
    for (size_t i = 0; i < tally->n; i++)
        pooled[i] = (tally->reference[i] + tally->current[i]) / (n + m);
    result->statistic = distance_of((enum distance)distance, p, q, tally->n, tally->contribution);
    struct null_result null =
        null_of_distance((enum distance)distance, result->statistic, pooled, tally->n, n, m);
    result->p_value = null.p_value;
    result->expected_null = null.expected;
    free(pooled);
}

size_t compare_distinct(const struct column *column)
{
    size_t distinct = column->n_values > 0;
    if (column->text)
        return column->categories.n;
    for (size_t i = 1; i < column->n_values; i++)
        distinct += column->values[i] > column->values[i - 1];
    return distinct;
}

/* ---- one feature ---- */

static size_t n_present(const struct column *column)
{
    if (!column->text)
        return (size_t)column_total(column);
    size_t n = 0;
    for (size_t i = 0; i < column->categories.n; i++)
        n += column->categories.list[i].count;
    return n;
}

static void count_unseen(struct compare_pair *pair)
{
    const struct categories *a = &pair->reference->categories, *b = &pair->current->categories;
    for (size_t i = 0, j = 0; j < b->n; j++) {
        while (i < a->n && slice_compare(a->list[i].text, b->list[j].text) < 0)
            i++;
        if (i == a->n || !slice_equal(a->list[i].text, b->list[j].text))
            pair->result->n_unseen += b->list[j].count;
    }
}

/* Where there are many categories, as of words or identifiers, some are new in any sample: as large
 * a share as those that the reference has once (I. Good, "The population frequencies of species",
 * 1953). */
static bool unseen_is_news(const struct compare_pair *pair)
{
    const struct categories *categories = &pair->reference->categories;
    const struct compared_feature *result = pair->result;
    double singles = 0;
    if (result->n_unseen == 0 || result->n_reference == 0)
        return false;
    if (categories->n <= FEW_CATEGORIES)
        return true;
    for (size_t i = 0; i < categories->n; i++)
        singles += categories->list[i].count == 1;
    double rate = singles / (double)result->n_reference;
    return rate < 1 && special_binomial_at_least((double)result->n_unseen,
                                                 (double)result->n_current, rate) <= ALPHA;
}

/* How likely a rise of the share of missing values is by chance alone. */
static double rise_of_nulls(const struct compared_feature *result)
{
    double a = (double)result->missing_reference, b = (double)result->missing_current;
    double n = a + (double)result->n_reference, m = b + (double)result->n_current;
    if (n == 0 || m == 0)
        return NAN;
    return b / m - a / n < LEAST_RISE ? 1 : special_normal_above(samples_share_z(b, m, a, n));
}

static enum status compare_feature(struct compare_pair *pair)
{
    struct compared_feature *result = pair->result;
    const struct column *reference = pair->reference, *current = pair->current;
    result->statistic = result->p_value = result->p_adjusted = result->expected_null = NAN;
    result->threshold = NAN;
    result->categorical = reference->text;
    result->n_reference = n_present(reference);
    result->n_current = n_present(current);
    result->missing_reference = reference->n_missing;
    result->missing_current = current->n_missing;
    if (result->n_current == 0 && result->n_reference > 0 && current->n_rows > 0)
        result->why |= COMPARE_VANISHED;
    count_unseen(pair);
    if (current->n_odd >
        0) { /* words where numbers were: whatever they are, the reference has none */
        result->n_unseen += current->n_odd;
        result->why |= COMPARE_UNSEEN;
    }
    if (current->text && unseen_is_news(pair))
        result->why |= COMPARE_UNSEEN;
    result->null_rate_p = current->there ? rise_of_nulls(result) : NAN;
    return ways[pair->options->as](pair);
}

/* ---- all of them ---- */

/* A column of the reference that the current file has not: all its rows are without a value. */
static struct column without(const struct column *reference, const struct columns *current)
{
    return (struct column){.name = reference->name,
                           .text = reference->text,
                           .n_rows = current->n_rows,
                           .n_missing = current->n_rows};
}

static enum status add_feature(struct comparison *result, const struct column *reference,
                               const struct columns *current, const struct compare_options *options,
                               struct error *error)
{
    const struct column *there = columns_find(current, reference->name);
    struct column empty = without(reference, current);
    struct compared_feature *feature = &result->features[result->n_features++];
    struct compare_pair pair = {.reference = reference,
                                .current = there ? there : &empty,
                                .options = options,
                                .result = feature,
                                .error = error};
    feature->name = strdup(reference->name);
    if (!feature->name)
        return error_set(error, STATUS_MEMORY, "out of memory for the features");
    return compare_feature(&pair);
}

static void judge(struct compared_feature *feature, bool adjusted)
{
    double p = adjusted ? feature->p_adjusted : feature->p_value;
    if (feature->threshold_of_p && !isnan(p)) {
        if (feature->strict ? p < feature->threshold : p <= feature->threshold)
            feature->why |= COMPARE_BY_STATISTIC;
    } else if (!feature->threshold_of_p && feature->statistic >= feature->threshold) {
        if (!adjusted || isnan(p) || p <= ALPHA)
            feature->why |= COMPARE_BY_STATISTIC;
    }
}

static enum status judge_all(struct comparison *result, const struct compare_options *options,
                             struct error *error)
{
    size_t n = result->n_features;
    double *p = calloc(2 * n + 1, sizeof *p);
    enum status status = p ? STATUS_OK : STATUS_MEMORY;
    for (size_t i = 0; p && i < n; i++) {
        p[i] = result->features[i].p_value;
        p[n + i] = result->features[i].null_rate_p;
    }
    if (!status)
        status = discovery_adjust(p, n, p);
    if (!status)
        status = discovery_adjust(p + n, n, p + n);
    size_t n_drifted = 0;
    for (size_t i = 0; !status && i < n; i++) {
        struct compared_feature *feature = &result->features[i];
        feature->p_adjusted = p[i];
        judge(feature, options->as == COMPARE_OWN);
        if (p[n + i] <= ALPHA)
            feature->why |= COMPARE_NULLS;
        /* Another tool's verdict stays that tool's; what it cannot see is drift all the same. */
        feature->drift = options->as == COMPARE_OWN
                             ? feature->why != 0
                             : (feature->why & (COMPARE_BY_STATISTIC | COMPARE_VANISHED)) != 0;
        n_drifted += feature->drift;
    }
    free(p);
    result->drift_share = n ? (double)n_drifted / (double)n : NAN;
    result->dataset_drift = n && result->drift_share >= options->share;
    return status ? error_set(error, status, "out of memory for the features") : STATUS_OK;
}

static enum status compare_all(const struct columns *reference, const struct columns *current,
                               const struct compare_options *options, struct comparison *result,
                               struct error *error)
{
    bool named = options->features != NULL;
    size_t n = named ? options->n_features : reference->n;
    result->features = calloc(n + 1, sizeof *result->features);
    if (!result->features)
        return error_set(error, STATUS_MEMORY, "out of memory for the features");
    for (size_t i = 0; i < n; i++) {
        const struct column *column =
            named ? columns_find(reference, options->features[i]) : &reference->list[i];
        if (!column)
            return error_set(error, STATUS_INVALID, "%s has no column \"%.100s\"", reference->path,
                             options->features[i]);
        enum status status = add_feature(result, column, current, options, error);
        if (status)
            return status;
    }
    return judge_all(result, options, error);
}

enum status compare(const struct columns *reference, const struct columns *current,
                    const struct compare_options *options, struct comparison *result,
                    struct error *error)
{
    *result = (struct comparison){.n_reference = reference->n_rows, .n_current = current->n_rows};
    enum status status = compare_all(reference, current, options, result, error);
    if (status)
        comparison_free(result);
    return status;
}

void comparison_free(struct comparison *result)
{
    for (size_t i = 0; i < result->n_features; i++) {
        struct compared_feature *feature = &result->features[i];
        for (size_t bin = 0; bin < feature->n_bins; bin++)
            free(feature->bins[bin].label);
        free(feature->bins);
        free(feature->name);
    }
    free(result->features);
    *result = (struct comparison){0};
}

bool comparison_drifted(const struct comparison *result)
{
    bool drifted = false;
    for (size_t i = 0; i < result->n_features; i++)
        drifted = drifted || result->features[i].drift;
    return drifted;
}
