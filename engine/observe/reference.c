/* The reference that drift is measured against: cuts and counts per column, made from a given
 * sample or from the first outcomes that come. A change of reference forgets what was counted by
 * the old one; shards notice by the generation. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/observe/observe_priv.h"
#include "engine/stats/samples.h"

static struct reference *reference_create(int n_columns)
{
    struct reference *reference =
        calloc(1, sizeof *reference + (size_t)n_columns * sizeof(struct binning));
    if (reference) {
        atomic_init(&reference->users, 1);
        reference->n_columns = n_columns;
    }
    return reference;
}

bool reference_make_points(struct reference *reference)
{
    reference->points = calloc((size_t)reference->n_columns, sizeof *reference->points);
    return reference->points != NULL;
}

void reference_ready(struct reference *reference)
{
    bin_finder_make(&reference->finder, reference->binnings, reference->n_columns);
}

void reference_release(struct reference *reference)
{
    if (!reference || atomic_fetch_sub(&reference->users, 1) != 1)
        return;
    free(reference->points);
    free(reference);
}

/* observe->lock is held. */
static void tell_sink(struct observe *observe)
{
    const struct reference *reference = observe->reference;
    if (observe->sink.context)
        observe->sink.cuts(observe->sink.context, reference ? reference->binnings : NULL,
                           reference ? reference->n_columns : 0);
}

void observe_set_outcome_judge(struct observe *observe, outcome_judge *judge, void *context,
                               uint64_t digest)
{
    observe_assert(observe);
    observe->outcome_judge = judge;
    observe->outcome_context = context;
    observe->custom_digest = digest;
}

void observe_verdict(struct observe *observe, int64_t time_us, const struct tally *verdict)
{
    observe_assert(observe);
    lock_take(&observe->lock);
    windows_verdict(observe->windows, time_us, verdict);
    lock_release(&observe->lock);
}

void observe_set_sink(struct observe *observe, const struct observe_sink *sink)
{
    observe_assert(observe);
    lock_take(&observe->lock);
    observe->sink = *sink;
    windows_set_sink(observe->windows, &observe->sink);
    if (sink->context)
        tell_sink(observe);
    lock_release(&observe->lock);
}

void reference_cut(struct observe *observe, const struct binning *binnings, bool keep)
{
    drift_slices_set_binnings(observe->drift_slices, binnings, keep);
    drift_slices_set_binnings(observe->shadow_slices, binnings, keep);
}

/* Counting starts afresh under `take`. observe->lock is held. */
static void reference_install(struct observe *observe, struct reference *take)
{
    lock_assert_held(&observe->lock);
    reference_release(observe->reference);
    observe->reference = take;
    windows_set_binnings(observe->windows, take ? take->binnings : NULL);
    reference_cut(observe, take ? take->binnings : NULL, false);
    tell_sink(observe);
    atomic_fetch_add_explicit(&observe->generation, 1, memory_order_release);
}

static void stop_collecting(struct observe *observe)
{
    free(observe->collected);
    observe->collected = NULL;
    observe->n_collected = 0;
    atomic_store(&observe->collecting, false);
}

void reference_restore(struct observe *observe, struct reference *take)
{
    lock_assert_held(&observe->lock);
    stop_collecting(observe);
    reference_release(observe->reference);
    observe->reference = take;
    reference_cut(observe, take->binnings, true);
    tell_sink(observe);
    atomic_fetch_add_explicit(&observe->generation, 1, memory_order_release);
}

static bool same_cuts(const struct binning *a, const struct binning *b)
{
    bool same = a->n_edges == b->n_edges && a->n_reference == b->n_reference;
    for (int i = 0; same && i < a->n_edges; i++)
        same = a->edges[i] == b->edges[i];
    return same && memcmp(a->reference, b->reference, sizeof a->reference) == 0;
}

bool reference_same(const struct reference *a, const struct reference *b)
{
    for (int c = 0; c < a->n_columns; c++) {
        if (!same_cuts(&a->binnings[c], &b->binnings[c]))
            return false;
    }
    return true;
}

/* Of a column that binning_make() has put in order: missing ones last. */
static void take_points(const float *column, size_t n, double *scratch, struct value_points *points)
{
    size_t n_finite = 0;
    double mean, deviation;
    for (size_t i = 0; i < n; i++) {
        if (isfinite(column[i]))
            scratch[n_finite++] = (double)column[i];
    }
    samples_moments(scratch, n_finite, &mean, &deviation);
    value_points_make(points, scratch, NULL, n_finite, deviation);
}

/* Cuts each column of n rows. NULL: out of memory. */
static struct reference *reference_from_rows(const struct observe *observe, const float *rows,
                                             size_t n)
{
    struct reference *reference = reference_create(observe->n_columns);
    float *column = malloc(n * sizeof *column);
    double *scratch = malloc(n * sizeof *scratch);
    bool room = reference && column && scratch && reference_make_points(reference);
    for (int c = 0; room && c < observe->n_columns; c++) {
        for (size_t i = 0; i < n; i++)
            column[i] = rows[i * (size_t)observe->n_columns + (size_t)c];
        binning_make(&reference->binnings[c], column, n, observe->options.n_bins);
        take_points(column, n, scratch, &reference->points[c]);
    }
    if (!room) {
        reference_release(reference);
        reference = NULL;
    }
    free(scratch);
    free(column);
    if (reference)
        reference_ready(reference);
    return reference;
}

void reference_collect(struct observe *observe, const struct outcome *outcome)
{
    lock_assert_held(&observe->lock);
    if (!observe->collected || outcome->variant != VARIANT_CHAMPION)
        return;
    size_t width = (size_t)observe->n_columns;
    float *row = observe->collected + (size_t)observe->n_collected * width;
    row[0] = outcome->score;
    for (size_t i = 1; i < width; i++)
        row[i] = outcome->features.values ? outcome->features.values[i - 1] : NAN;
    if (++observe->n_collected < observe->options.reference_events)
        return;
    struct reference *made =
        reference_from_rows(observe, observe->collected, (size_t)observe->n_collected);
    stop_collecting(observe);
    if (!made)
        return;
    made->collected = true;
    reference_install(observe, made);
}

void observe_renew_reference(struct observe *observe)
{
    observe_assert(observe);
    size_t rows = (size_t)observe->options.reference_events;
    lock_take(&observe->lock);
    stop_collecting(observe);
    if (observe->reference)
        reference_install(observe, NULL);
    if (rows > 0)
        observe->collected = malloc(rows * (size_t)observe->n_columns * sizeof(float));
    atomic_store(&observe->collecting, observe->collected != NULL);
    lock_release(&observe->lock);
}

enum status observe_set_reference(struct observe *observe, const float *features,
                                  const float *scores, size_t n, struct error *error)
{
    observe_assert(observe);
    if (n == 0)
        return error_set(error, STATUS_INVALID, "the drift reference has no rows");
    size_t width = (size_t)observe->n_columns;
    size_t n_features = observe->options.features ? observe->options.features->n_features : 0;
    float *rows = malloc(n * width * sizeof *rows);
    if (!rows)
        return error_set(error, STATUS_MEMORY, "out of memory for a drift reference of %zu rows",
                         n);
    for (size_t i = 0; i < n; i++) {
        rows[i * width] = scores[i];
        for (size_t c = 1; c < width; c++)
            rows[i * width + c] = features ? features[i * n_features + c - 1] : NAN;
    }
    struct reference *made = reference_from_rows(observe, rows, n);
    free(rows);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory for a drift reference of %zu rows",
                         n);
    for (size_t c = 1; !features && c < width; c++)
        made->binnings[c].n_reference =
            0; /* nothing is known about it, not even that it is missing */
    lock_take(&observe->lock);
    stop_collecting(observe);
    reference_install(observe, made);
    lock_release(&observe->lock);
    return STATUS_OK;
}

enum status observe_set_binnings(struct observe *observe, const struct binning *binnings,
                                 const struct value_points *points, struct error *error)
{
    observe_assert(observe);
    size_t n = (size_t)observe->n_columns;
    struct reference *made = reference_create(observe->n_columns);
    if (!made || !reference_make_points(made)) {
        reference_release(made);
        return error_set(error, STATUS_MEMORY, "out of memory for the drift reference");
    }
    memcpy(made->binnings, binnings, n * sizeof *binnings);
    memcpy(made->points, points, n * sizeof *points);
    reference_ready(made);
    lock_take(&observe->lock);
    stop_collecting(observe);
    reference_install(observe, made);
    lock_release(&observe->lock);
    return STATUS_OK;
}

int observe_columns(const struct observe *observe)
{
    return observe->n_columns;
}

int observe_value_bins(const struct observe *observe)
{
    return observe->options.n_bins;
}

const char *observe_column_name(const struct observe *observe, int column)
{
    return column == 0 ? "score" : observe->options.features->names[column - 1];
}

bool observe_binning(struct observe *observe, int column, struct binning *binning)
{
    observe_assert(observe);
    lock_take(&observe->lock);
    bool there = observe->reference != NULL;
    if (there)
        *binning = observe->reference->binnings[column];
    lock_release(&observe->lock);
    return there;
}

void observe_bins(struct observe *observe, int column, int64_t window_us, uint64_t counts[MAX_BINS])
{
    observe_assert(observe);
    lock_take(&observe->lock);
    windows_bins(observe->windows, column, window_us, counts);
    lock_release(&observe->lock);
}

static struct drift_slices *slices_of(const struct observe *observe, enum variant variant)
{
    return variant == VARIANT_SHADOW ? observe->shadow_slices : observe->drift_slices;
}

void observe_variant_bins(struct observe *observe, enum variant variant, int column,
                          uint64_t counts[MAX_BINS])
{
    observe_assert(observe);
    drift_slices_bins(slices_of(observe, variant), column, counts);
}

void observe_canary_decisions(struct observe *observe, uint64_t counts[DECISION_COUNT])
{
    observe_assert(observe);
    drift_slices_decisions(observe->drift_slices, counts);
}

size_t observe_values(struct observe *observe, int column, enum variant variant,
                      struct observed_value values[OBSERVE_SAMPLE])
{
    observe_assert(observe);
    return drift_slices_values(slices_of(observe, variant), column, variant, values);
}

bool observe_points(struct observe *observe, int column, struct value_points *points)
{
    observe_assert(observe);
    lock_take(&observe->lock);
    const struct reference *reference = observe->reference;
    bool there = reference && reference->points && reference->points[column].n > 0;
    if (there)
        *points = reference->points[column];
    lock_release(&observe->lock);
    return there;
}

void observe_set_judge(struct observe *observe, slice_judge *judge, void *context)
{
    observe_assert(observe);
    lock_take(&observe->lock);
    windows_set_judge(observe->windows, judge, context);
    lock_release(&observe->lock);
}
