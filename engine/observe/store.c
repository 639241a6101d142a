/* Windows, arms and drift reference in a file, so that budgets and comparisons outlive a restart.
 *
 * Content: varints: digest of what the counts mean (features, bins, limits), the caller's mark,
 * arms, reference, its values, windows, the samples for drift with the bins of canary and shadow.
 * Run by whoever saves or starts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/state_file.h"
#include "engine/observe/observe_priv.h"
#include "engine/observe/varint.h"

#define MAX_FILE ((size_t)256 << 20)

static const struct state_file_kind counts_kind = {"BNCOUNTS", 5};

/* Counts written under other columns, bins or limits mean something else. */
static uint64_t digest(const struct observe *observe)
{
    const struct observe_options *options = &observe->options;
    uint64_t hash = hash64(options->latency_limits_us, sizeof options->latency_limits_us,
                           (uint64_t)options->freshness_limit_us);
    hash = hash64(&hash, sizeof hash, (uint64_t)options->n_bins);
    hash = hash64(&hash, sizeof hash, sizeof(struct tally));
    hash = hash64(&hash, sizeof hash, observe->custom_digest);
    for (int i = 0; i < observe->n_columns; i++) {
        const char *name = observe_column_name(observe, i);
        hash = hash64(name, strlen(name) + 1, hash);
    }
    return hash;
}

static void put_arms(const struct observe *observe, struct buffer *out)
{
    for (int i = 0; i < MAX_ARMS; i++) {
        varint_put(out, observe->arms[i].used);
        varint_put(out, observe->arms[i].variant);
        varint_put_text(out, observe->arms[i].model);
        varint_put_text(out, observe->arms[i].version);
    }
}

/* The shares are the configuration's of today. */
static bool take_arms(struct arm arms[MAX_ARMS], struct slice *bytes)
{
    for (int i = 0; i < MAX_ARMS; i++) {
        uint64_t used, variant;
        if (!varint_take(bytes, &used) || !varint_take(bytes, &variant) ||
            variant >= VARIANT_COUNT ||
            !varint_take_text(bytes, arms[i].model, sizeof arms[i].model) ||
            !varint_take_text(bytes, arms[i].version, sizeof arms[i].version))
            return false;
        arms[i].used = used == 1;
        arms[i].variant = (enum variant)variant;
        arms[i].share_wanted = NAN;
    }
    return true;
}

static void put_reference(const struct reference *reference, struct buffer *out)
{
    varint_put(out, reference != NULL);
    for (int c = 0; reference && c < reference->n_columns; c++) {
        const struct binning *binning = &reference->binnings[c];
        varint_put(out, (uint64_t)binning->n_edges);
        varint_put(out, binning->few);
        buffer_append(out, binning->edges, sizeof binning->edges);
        varint_put(out, binning->n_reference);
        for (int i = 0; i < MAX_BINS; i++)
            varint_put(out, binning->reference[i]);
    }
}

static bool take_binning(struct binning *binning, struct slice *bytes)
{
    uint64_t n_edges, few;
    if (!varint_take(bytes, &n_edges) || n_edges > MAX_EDGES || !varint_take(bytes, &few) ||
        !varint_take_bytes(bytes, binning->edges, sizeof binning->edges))
        return false;
    binning->n_edges = (int)n_edges;
    binning->few = few == 1;
    bool whole = varint_take(bytes, &binning->n_reference);
    for (int i = 0; whole && i < MAX_BINS; i++)
        whole = varint_take(bytes, &binning->reference[i]);
    return whole;
}

/* What is known nowhere else. */
static void put_points(const struct reference *reference, struct buffer *out)
{
    bool collected = reference && reference->collected && reference->points;
    varint_put(out, collected);
    for (int c = 0; collected && c < reference->n_columns; c++) {
        const struct value_points *points = &reference->points[c];
        varint_put(out, points->n);
        varint_put(out, points->all);
        buffer_append(out, &points->deviation, sizeof points->deviation);
        buffer_append(out, points->values, points->n * sizeof *points->values);
        buffer_append(out, points->upto, points->n * sizeof *points->upto);
    }
}

static bool take_column_points(struct slice *bytes, struct value_points *points)
{
    uint64_t n, all;
    if (!varint_take(bytes, &n) || n > MAX_VALUE_POINTS + 1 || !varint_take(bytes, &all))
        return false;
    points->n = n;
    points->all = all == 1;
    return varint_take_bytes(bytes, &points->deviation, sizeof points->deviation) &&
           varint_take_bytes(bytes, points->values, n * sizeof *points->values) &&
           varint_take_bytes(bytes, points->upto, n * sizeof *points->upto);
}

static bool take_points(struct slice *bytes, struct reference *reference)
{
    uint64_t collected;
    if (!varint_take(bytes, &collected))
        return false;
    if (!collected)
        return true;
    if (!reference || !reference_make_points(reference))
        return false;
    reference->collected = true;
    for (int c = 0; c < reference->n_columns; c++) {
        if (!take_column_points(bytes, &reference->points[c]))
            return false;
    }
    return true;
}

/* *reference stays NULL when none was written. */
static bool take_reference(const struct observe *observe, struct slice *bytes,
                           struct reference **reference)
{
    uint64_t there;
    if (!varint_take(bytes, &there) || there > 1)
        return false;
    if (!there)
        return true;
    *reference =
        calloc(1, sizeof **reference + (size_t)observe->n_columns * sizeof(struct binning));
    if (!*reference)
        return false;
    atomic_init(&(*reference)->users, 1);
    (*reference)->n_columns = observe->n_columns;
    for (int c = 0; c < observe->n_columns; c++) {
        if (!take_binning(&(*reference)->binnings[c], bytes))
            return false;
    }
    reference_ready(*reference);
    return true;
}

void observe_encode(struct observe *observe, uint64_t mark, struct buffer *out)
{
    observe_assert(observe);
    observe_pour_all(observe);
    buffer_init(out, MAX_FILE);
    varint_put(out, digest(observe));
    varint_put(out, mark);
    lock_take(&observe->lock);
    put_arms(observe, out);
    put_reference(observe->reference, out);
    put_points(observe->reference, out);
    windows_encode(observe->windows, out);
    varint_put_text(out, observe->shadow.model);
    varint_put_text(out, observe->shadow.version);
    lock_release(&observe->lock);
    drift_slices_encode(observe->drift_slices, out);
    drift_slices_encode(observe->shadow_slices, out);
}

enum status observe_write(const struct buffer *encoded, const char *path, struct error *error)
{
    return state_file_write(path, &counts_kind, encoded, error);
}

/* What is read, aside until it is whole. */
struct stored {
    struct arm arms[MAX_ARMS];
    struct reference *reference; /* NULL: there was none */
    struct windows *windows;
    struct arm shadow; /* which one was judged */
    struct drift_slices *drift_slices, *shadow_slices;
};

static void stored_free(struct stored *stored)
{
    reference_release(stored->reference);
    windows_destroy(stored->windows);
    drift_slices_destroy(stored->drift_slices);
    drift_slices_destroy(stored->shadow_slices);
}

static bool take_all(const struct observe *observe, struct slice *bytes, struct stored *stored)
{
    struct windows_options options = {.n_columns = observe->n_columns,
                                      .freshness_limit_us = observe->options.freshness_limit_us};
    memcpy(options.latency_limits_us, observe->options.latency_limits_us,
           sizeof options.latency_limits_us);
    stored->windows = windows_create(&options);
    stored->drift_slices =
        drift_slices_create(observe->n_columns, observe->options.sample_window_us);
    stored->shadow_slices =
        drift_slices_create(observe->n_columns, observe->options.sample_window_us);
    if (!stored->windows || !stored->drift_slices || !stored->shadow_slices ||
        !take_arms(stored->arms, bytes) || !take_reference(observe, bytes, &stored->reference) ||
        !take_points(bytes, stored->reference))
        return false;
    if (stored->reference)
        windows_set_binnings(stored->windows, stored->reference->binnings);
    struct arm *shadow = &stored->shadow;
    return windows_decode(stored->windows, bytes) &&
           varint_take_text(bytes, shadow->model, sizeof shadow->model) &&
           varint_take_text(bytes, shadow->version, sizeof shadow->version) &&
           drift_slices_decode(stored->drift_slices, bytes) &&
           drift_slices_decode(stored->shadow_slices, bytes);
}

/* One that was set keeps its values, and bins counted by another are forgotten. */
static void take_over_reference(struct observe *observe, struct stored *stored)
{
    struct reference *set = observe->reference, *read = stored->reference;
    if (set && !(read && reference_same(set, read))) {
        windows_set_binnings(observe->windows, set->binnings);
        reference_cut(observe, set->binnings, false);
        return;
    }
    if (!read)
        return;
    if (set && !read->points) {
        read->points = set->points;
        set->points = NULL;
    }
    reference_restore(observe, read);
    stored->reference = NULL;
}

/* Of another shadow nothing is known yet. */
static void take_over_shadow(struct observe *observe, struct stored *stored)
{
    struct drift_slices *fresh = observe->shadow_slices;
    if (strcmp(observe->shadow.model, stored->shadow.model) != 0 ||
        strcmp(observe->shadow.version, stored->shadow.version) != 0)
        return;
    observe->shadow_slices = stored->shadow_slices;
    stored->shadow_slices = fresh;
}

static void take_over(struct observe *observe, struct stored *stored)
{
    lock_take(&observe->lock);
    windows_inherit_judge(stored->windows, observe->windows);
    windows_destroy(observe->windows);
    observe->windows = stored->windows;
    stored->windows = NULL;
    drift_slices_destroy(observe->drift_slices);
    observe->drift_slices = stored->drift_slices;
    stored->drift_slices = NULL;
    arms_restore(observe, stored->arms);
    take_over_shadow(observe, stored);
    take_over_reference(observe, stored);
    lock_release(&observe->lock);
}

enum status observe_load(struct observe *observe, const char *path, uint64_t *mark,
                         struct error *error)
{
    observe_assert(observe);
    struct buffer file;
    buffer_init(&file, MAX_FILE);
    uint64_t meant = 0;
    struct stored stored = {.windows = NULL};
    enum status status = state_file_read(path, &counts_kind, &file, error);
    struct slice bytes = buffer_slice(&file);
    if (status != STATUS_OK)
        goto out;
    if (!varint_take(&bytes, &meant) || meant != digest(observe))
        status = error_set(error, STATUS_CONFLICT,
                           "%s: counted under other features, bins or limits", path);
    else if (!varint_take(&bytes, mark) || !take_all(observe, &bytes, &stored))
        status = error_set(error, STATUS_CORRUPT, "%s: damaged; remove it to start from the ledger",
                           path);
    else
        take_over(observe, &stored);
out:
    stored_free(&stored);
    buffer_free(&file);
    return status;
}
