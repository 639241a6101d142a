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
    uint64_t *latency = sums->cell.latency, *bins = sums->cell.bins, *older = sums->older;
    if (latency)
        memset(latency, 0, LATENCY_COUNTS * sizeof *latency);
    if (bins)
        memset(bins, 0, (size_t)layout->n_columns * MAX_BINS * sizeof *bins);
    if (older)
        memset(older, 0, HISTOGRAM_BUCKETS * sizeof *older);
    *sums = (struct sums){.labels = labels,
                          .cell = {.layout = layout, .latency = latency, .bins = bins},
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
    for (size_t i = 0; sums->cell.latency && i < LATENCY_COUNTS; i++)
        n += sums->cell.latency[i];
    for (int i = 0; sums->older && i < HISTOGRAM_BUCKETS; i++)
        n += sums->older[i];
    return n;
}

/* What lies in a bucket, whatever edges run through it. */
static uint64_t bucket_count(const struct sums *sums, size_t bucket)
{
    const struct cell *cell = &sums->cell;
    uint64_t count = sums->older ? sums->older[bucket] : 0;
    if (!cell->latency)
        return count;
    count += cell->latency[bucket];
    for (int i = 0; i < cell->layout->n_limits; i++) {
        if (histogram_bucket(cell->layout->limits_us[i]) == bucket)
            count += cell->latency[HISTOGRAM_BUCKETS + i];
    }
    return count;
}

double sums_latency(const struct sums *sums, double quantile)
{
    uint64_t n = sums_measured(sums), seen = 0;
    if (n == 0)
        return (double)NAN;
    double wanted = ceil(quantile * (double)n);
    uint64_t rank = wanted < 1 ? 1 : (uint64_t)wanted;
    rank = rank > n ? n : rank;
    size_t bucket = 0;
    for (; bucket + 1 < HISTOGRAM_BUCKETS; bucket++) {
        seen += bucket_count(sums, bucket);
        if (seen >= rank)
            break;
    }
    return ((double)histogram_low(bucket) + (double)histogram_high(bucket)) / 2;
}

double sums_latency_mean(const struct sums *sums)
{
    uint64_t n = sums_measured(sums);
    double sum = 0;
    for (size_t i = 0; n > 0 && i < HISTOGRAM_BUCKETS; i++)
        sum += (double)bucket_count(sums, i) *
               ((double)histogram_low(i) + (double)histogram_high(i)) / 2;
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
