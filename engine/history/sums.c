/* Sums of cells that may have been counted under several layouts. */
#include "engine/history/sums.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct sums *sums_create(void)
{
    return calloc(1, sizeof(struct sums));
}

void sums_destroy(struct sums *sums)
{
    if (!sums)
        return;
    cell_free(&sums->cell);
    free(sums->older);
    free(sums);
}

void sums_clear(struct sums *sums, uint64_t labels, const struct layout *layout)
{
    uint64_t *bins = sums->cell.bins, *older = sums->older;
    cell_clear_latency(&sums->cell);
    if (bins)
        memset(bins, 0, (size_t)layout->n_columns * MAX_BINS * sizeof *bins);
    if (older)
        memset(older, 0, HISTOGRAM_BUCKETS * sizeof *older);
    *sums = (struct sums){.labels = labels,
                          .index = sums->index,
                          .cell = {.layout = layout, .latency = sums->cell.latency, .bins = bins},
                          .older = older};
}

static bool add_latency(struct sums *sums, const struct cell *from)
{
    const struct layout *layout = sums->cell.layout, *old = from->layout;
    if (!sums->older)
        sums->older = calloc(HISTOGRAM_BUCKETS, sizeof *sums->older);
    if (!sums->older)
        return false;
    uint64_t n = 0;
    for (size_t i = 0; i < LATENCY_COUNTS; i++) {
        size_t bucket =
            i < HISTOGRAM_BUCKETS ? i : histogram_bucket(old->limits_us[i - HISTOGRAM_BUCKETS]);
        sums->older[bucket] += from->latency[i];
        n += from->latency[i];
    }
    for (int i = 0; i < layout->n_limits; i++) {
        uint64_t below;
        if (layout_below(old, from->latency, layout->limits_us[i], &below))
            sums->below[i] += below;
        else
            sums->unknown[i] += n;
    }
    return true;
}

static bool add_bins(struct sums *sums, const struct cell *from)
{
    const struct layout *layout = sums->cell.layout;
    uint64_t *bins = cell_bins(&sums->cell);
    for (int i = 0; bins && i < from->layout->n_columns; i++) {
        int column = layout_column(layout, from->layout->names[i]);
        if (column < 0 || !layout_same_column(layout, column, from->layout, i))
            continue;
        for (int bin = 0; bin < MAX_BINS; bin++)
            bins[column * MAX_BINS + bin] += from->bins[i * MAX_BINS + bin];
    }
    return bins != NULL;
}

/* Counts by other expressions are other counts. */
static void add_scalars(struct sums *sums, const struct cell *from)
{
    bool same = from->layout->judges == sums->cell.layout->judges;
    for (int i = 0; i < SCALARS; i++) {
        bool custom = i >= SCALAR_CUSTOM_COUNTED && i < SCALAR_SPARE;
        sums->cell.scalars[i] += custom && !same ? 0 : from->scalars[i];
    }
}

bool sums_add(struct sums *sums, const struct cell *from, unsigned sections)
{
    if (from->layout == sums->cell.layout)
        return cell_add(&sums->cell, from, sections);
    bool whole = cell_add(&sums->cell, from, sections & SECTION_SCORES);
    if (sections & SECTION_SCALARS)
        add_scalars(sums, from);
    if (sections & SECTION_LATENCY && from->latency)
        whole = whole && add_latency(sums, from);
    if (sections & SECTION_BINS && from->bins)
        whole = whole && add_bins(sums, from);
    return whole;
}

/* ---- asked ---- */

uint64_t sums_measured(const struct sums *sums)
{
    uint64_t n = 0;
    for (size_t i = 0; i < sums->cell.n_buckets; i++)
        n += sums->cell.latency[i];
    for (int i = 0; sums->cell.latency && i < MAX_LATENCY_LIMITS; i++)
        n += sums->cell.latency[HISTOGRAM_BUCKETS + i];
    for (int i = 0; sums->older && i < HISTOGRAM_BUCKETS; i++)
        n += sums->older[i];
    return n;
}

/* The buckets of a sum, whatever edges run through them. */
struct buckets {
    const uint64_t *latency, *older;   /* NULL: none */
    size_t limits[MAX_LATENCY_LIMITS]; /* the bucket that each edge runs through */
    int n_limits;
};

static struct buckets buckets_of(const struct sums *sums)
{
    const struct layout *layout = sums->cell.layout;
    struct buckets buckets = {.latency = sums->cell.latency, .older = sums->older};
    buckets.n_limits = buckets.latency ? layout->n_limits : 0;
    for (int i = 0; i < buckets.n_limits; i++)
        buckets.limits[i] = histogram_bucket(layout->limits_us[i]);
    return buckets;
}

static uint64_t bucket_count(const struct buckets *buckets, size_t bucket)
{
    uint64_t count = buckets->older ? buckets->older[bucket] : 0;
    if (buckets->latency)
        count += buckets->latency[bucket];
    for (int i = 0; i < buckets->n_limits; i++)
        count += buckets->limits[i] == bucket ? buckets->latency[HISTOGRAM_BUCKETS + i] : 0;
    return count;
}

/* Neighbouring buckets added up, so that most need not be looked at one by one. */
#define BLOCK    64
#define N_BLOCKS (HISTOGRAM_BUCKETS / BLOCK)
_Static_assert(HISTOGRAM_BUCKETS % BLOCK == 0, "every bucket is in a block");

static void add_blocks(const uint64_t *counts, size_t n, uint64_t blocks[N_BLOCKS])
{
    for (size_t block = 0; counts && block * BLOCK < n; block++) {
        for (size_t i = 0; i < BLOCK; i++)
            blocks[block] += counts[block * BLOCK + i];
    }
}

double sums_latency(const struct sums *sums, double quantile)
{
    struct buckets buckets = buckets_of(sums);
    uint64_t blocks[N_BLOCKS] = {0}, n = 0, seen = 0;
    add_blocks(buckets.latency, sums->cell.n_buckets, blocks);
    add_blocks(buckets.older, HISTOGRAM_BUCKETS, blocks);
    for (int i = 0; i < buckets.n_limits; i++)
        blocks[buckets.limits[i] / BLOCK] += buckets.latency[HISTOGRAM_BUCKETS + i];
    for (size_t block = 0; block < N_BLOCKS; block++)
        n += blocks[block];
    if (n == 0)
        return (double)NAN;
    double wanted = ceil(quantile * (double)n);
    uint64_t rank = wanted < 1 ? 1 : (uint64_t)wanted;
    rank = rank > n ? n : rank;
    size_t block = 0;
    while (seen + blocks[block] < rank)
        seen += blocks[block++];
    size_t bucket = block * BLOCK;
    while ((seen += bucket_count(&buckets, bucket)) < rank)
        bucket++;
    return ((double)histogram_low(bucket) + (double)histogram_high(bucket)) / 2;
}

static double middle_of(size_t bucket)
{
    return ((double)histogram_low(bucket) + (double)histogram_high(bucket)) / 2;
}

double sums_latency_mean(const struct sums *sums)
{
    struct buckets buckets = buckets_of(sums);
    uint64_t n = sums_measured(sums);
    double sum = 0;
    for (size_t i = 0; i < sums->cell.n_buckets; i++)
        sum += (double)buckets.latency[i] * middle_of(i);
    for (int i = 0; i < buckets.n_limits; i++)
        sum += (double)buckets.latency[HISTOGRAM_BUCKETS + i] * middle_of(buckets.limits[i]);
    for (size_t i = 0; buckets.older && i < HISTOGRAM_BUCKETS; i++)
        sum += (double)buckets.older[i] * middle_of(i);
    return n > 0 ? sum / (double)n : (double)NAN;
}

static int limit_of(const struct layout *layout, int64_t limit_us)
{
    for (int i = 0; i < layout->n_limits; i++) {
        if (layout->limits_us[i] == limit_us)
            return i;
    }
    return -1;
}

double sums_below(const struct sums *sums, int64_t limit_us)
{
    uint64_t below = 0, n = sums_measured(sums);
    if (n == 0)
        return (double)NAN;
    int limit = limit_of(sums->cell.layout, limit_us);
    if (sums->older && (limit < 0 || sums->unknown[limit] > 0))
        return (double)NAN;
    if (sums->cell.latency &&
        !layout_below(sums->cell.layout, sums->cell.latency, limit_us, &below))
        return (double)NAN;
    if (sums->older)
        below += sums->below[limit];
    return (double)below / (double)n;
}

const uint64_t *sums_bins(const struct sums *sums, int column)
{
    return sums->cell.bins ? sums->cell.bins + (size_t)column * MAX_BINS : NULL;
}
