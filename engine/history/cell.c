/* Cells: made, added, and written as sparse pairs of (distance to the last number, count), both
 * varints. Nothing here keeps state. */
#include "engine/history/cell.h"

#include <stdlib.h>
#include <string.h>

#include "engine/observe/bin_stage.h"
#include "engine/observe/varint.h"

uint64_t *cell_latency(struct cell *cell)
{
    if (!cell->latency)
        cell->latency = calloc(LATENCY_COUNTS, sizeof *cell->latency);
    return cell->latency;
}

void cell_count_latency(struct cell *cell, int64_t latency_us)
{
    uint64_t *latency = cell_latency(cell);
    if (!latency)
        return;
    size_t place = (size_t)layout_latency(cell->layout, latency_us);
    latency[place]++;
    if (place >= cell->n_buckets && place < HISTOGRAM_BUCKETS)
        cell->n_buckets = place + 1;
}

void cell_clear_latency(struct cell *cell)
{
    if (cell->latency) {
        memset(cell->latency, 0, cell->n_buckets * sizeof *cell->latency);
        memset(cell->latency + HISTOGRAM_BUCKETS, 0, MAX_LATENCY_LIMITS * sizeof *cell->latency);
    }
    cell->n_buckets = 0;
}

static size_t n_bins(const struct cell *cell)
{
    return (size_t)cell->layout->n_columns * MAX_BINS;
}

uint64_t *cell_bins(struct cell *cell)
{
    if (!cell->bins)
        cell->bins = calloc(n_bins(cell) + 1, sizeof *cell->bins);
    return cell->bins;
}

void cell_free_bins(struct cell *cell)
{
    free(cell->bins);
    free(cell->stage);
    cell->bins = NULL;
    cell->stage = NULL;
}

void cell_free(struct cell *cell)
{
    cell_free_bins(cell);
    free(cell->latency);
    cell->latency = NULL;
    cell->n_buckets = 0;
}

void cell_settle(struct cell *cell)
{
    if (cell->n_staged > 0)
        bin_stage_pour(cell->stage, cell->layout->n_columns, cell->bins);
    cell->n_staged = 0;
}

void cell_count_bins(struct cell *cell, const uint8_t *codes)
{
    int n_columns = cell->layout->n_columns;
    if (n_columns == 0 || !cell_bins(cell))
        return;
    if (!cell->stage)
        cell->stage = calloc(1, bin_stage_size(n_columns));
    if (!cell->stage)
        return;
    bin_stage_add(cell->stage, codes, n_columns);
    if (++cell->n_staged == BIN_STAGE_ROWS)
        cell_settle(cell);
}

static bool add(uint64_t *into, const uint64_t *from, size_t n)
{
    if (!into)
        return false;
    for (size_t i = 0; i < n; i++)
        into[i] += from[i];
    return true;
}

static bool add_latency(struct cell *into, const struct cell *from)
{
    if (!add(cell_latency(into), from->latency, from->n_buckets))
        return false;
    if (from->n_buckets > into->n_buckets)
        into->n_buckets = from->n_buckets;
    return add(into->latency + HISTOGRAM_BUCKETS, from->latency + HISTOGRAM_BUCKETS,
               MAX_LATENCY_LIMITS);
}

bool cell_add(struct cell *into, const struct cell *from, unsigned sections)
{
    bool whole = true;
    if (sections & SECTION_SCALARS)
        add(into->scalars, from->scalars, SCALARS);
    if (sections & SECTION_SCORES)
        add(into->scores, from->scores, SCORE_STEPS);
    if (sections & SECTION_LATENCY && from->latency)
        whole = add_latency(into, from);
    if (sections & SECTION_BINS && from->bins)
        whole = add(cell_bins(into), from->bins, n_bins(from)) && whole;
    return whole;
}

/* ---- bytes ---- */

static void put_section(const uint64_t *counts, size_t n, struct buffer *out)
{
    struct buffer pairs;
    uint64_t last = 0;
    buffer_init(&pairs, out->maximum);
    for (size_t i = 0; counts && i < n; i++) {
        if (counts[i] == 0)
            continue;
        varint_put(&pairs, i + 1 - last);
        varint_put(&pairs, counts[i]);
        last = i + 1;
    }
    varint_put(out, pairs.size);
    buffer_append_slice(out, buffer_slice(&pairs));
    out->overflow = out->overflow || pairs.overflow;
    buffer_free(&pairs);
}

/* Bins as they were stored under a narrow layout; NULL: none, or out of memory. */
static uint64_t *narrow_bins(const struct cell *cell, size_t *n)
{
    *n = (size_t)cell->layout->n_columns * NARROW_BINS;
    uint64_t *bins = cell->bins ? calloc(*n + 1, sizeof *bins) : NULL;
    for (size_t i = 0; bins && i < n_bins(cell); i++) {
        size_t column = i / MAX_BINS, bin = i % MAX_BINS;
        if (bin == MISSING_BIN || bin < NARROW_BINS - 1)
            bins[column * NARROW_BINS + (bin == MISSING_BIN ? NARROW_BINS - 1 : bin)] =
                cell->bins[i];
    }
    return bins;
}

static void put_bins(const struct cell *cell, struct buffer *out)
{
    size_t n = n_bins(cell);
    uint64_t *narrow = cell->layout->narrow ? narrow_bins(cell, &n) : NULL;
    out->overflow = out->overflow || (cell->layout->narrow && cell->bins && !narrow);
    put_section(cell->layout->narrow ? narrow : cell->bins, n, out);
    free(narrow);
}

void cell_encode(const struct cell *cell, unsigned sections, struct buffer *out)
{
    varint_put(out, cell->labels);
    varint_put(out, (uint64_t)cell->layout->id);
    put_section(sections & SECTION_SCALARS ? cell->scalars : NULL, SCALARS, out);
    put_section(sections & SECTION_SCORES ? cell->scores : NULL, SCORE_STEPS, out);
    put_section(sections & SECTION_LATENCY ? cell->latency : NULL, LATENCY_COUNTS, out);
    if (sections & SECTION_BINS)
        put_bins(cell, out);
    else
        put_section(NULL, 0, out);
}

static bool take_section(struct slice *bytes, struct packed_counts *section)
{
    uint64_t size;
    if (!varint_take(bytes, &size) || size > bytes->size)
        return false;
    *section = (struct packed_counts){.pairs = slice_make(bytes->data, size)};
    *bytes = slice_make(bytes->data + size, bytes->size - size);
    return true;
}

bool cell_next(struct slice *bytes, struct packed_cell *packed)
{
    uint64_t layout;
    if (!varint_take(bytes, &packed->labels) || !varint_take(bytes, &layout) || layout > INT32_MAX)
        return false;
    packed->layout = (int)layout;
    return take_section(bytes, &packed->scalars) && take_section(bytes, &packed->scores) &&
           take_section(bytes, &packed->latency) && take_section(bytes, &packed->bins);
}

/* Most distances and counts are below 128: one byte. */
static inline bool take_small(const unsigned char **at, const unsigned char *end, uint64_t *value)
{
    if (*at < end && **at < 0x80) {
        *value = *(*at)++;
        return true;
    }
    struct slice rest = slice_make(*at, (size_t)(end - *at));
    bool whole = varint_take(&rest, value);
    *at = (const unsigned char *)rest.data;
    return whole;
}

/* Where counts are added, and how far that went. */
struct taking {
    uint64_t *counts;
    size_t n;    /* of these */
    bool part;   /* what lies behind them is not wanted; else it is damage */
    size_t last; /* place + 1 of the last one that was added; 0: none */
};

static bool take_pairs(struct slice pairs, struct taking *taking)
{
    const unsigned char *at = (const unsigned char *)pairs.data, *end = at + pairs.size;
    uint64_t place = 0, step, count;
    while (at < end) {
        if (!take_small(&at, end, &step) || !take_small(&at, end, &count) || step == 0)
            return false;
        if (step > taking->n - place)
            return taking->part;
        place += step;
        taking->counts[place - 1] += count;
        taking->last = place;
    }
    return true;
}

/* One number is (distance - 1) * 4 + min(count, 4) - 1; what 4 lacks is in `more`. Whether a count
 * has a part in `more` follows no pattern, so a branch on it would often be predicted wrongly: the
 * inner loop, for numbers of one byte, masks that part instead. The outer loop takes any number. */
static bool take_split(const struct packed_counts *section, struct taking *taking)
{
    const unsigned char *at = (const unsigned char *)section->pairs.data;
    const unsigned char *end = at + section->pairs.size;
    const unsigned char *more = (const unsigned char *)section->more.data;
    const unsigned char *more_end = more + section->more.size;
    uint64_t place = 0, pair, rest;
    uint64_t *counts = taking->counts;
    size_t n = taking->n;
    while (at < end) {
        while (at < end && more < more_end && *at < 0x80 && *more < 0x80) {
            uint64_t few = *at % 4, lacks = few == 3;
            place += *at++ / 4 + UINT64_C(1);
            if (place > n)
                return taking->part;
            counts[place - 1] += few + 1 + (*more & -lacks);
            more += lacks;
        }
        taking->last = place;
        if (at == end)
            break;
        if (!take_small(&at, end, &pair))
            return false;
        if (pair / 4 >= n - place)
            return taking->part;
        place += pair / 4 + 1;
        rest = 0;
        if (pair % 4 == 3 && !take_small(&more, more_end, &rest))
            return false;
        counts[place - 1] += pair % 4 + 1 + rest;
        taking->last = place;
    }
    return true;
}

static bool take_counts(const struct packed_counts *section, struct taking *taking)
{
    if (section->pairs.size == 0)
        return true;
    return section->split ? take_split(section, taking) : take_pairs(section->pairs, taking);
}

static bool take_latency(const struct packed_counts *section, struct cell *into)
{
    struct taking taking = {.counts = cell_latency(into), .n = LATENCY_COUNTS};
    bool whole = taking.counts && take_counts(section, &taking);
    size_t n_buckets = taking.last;
    /* Of the buckets before a limit's count the last is not known. */
    if (!whole || n_buckets > HISTOGRAM_BUCKETS)
        n_buckets = HISTOGRAM_BUCKETS;
    if (taking.counts && n_buckets > into->n_buckets)
        into->n_buckets = n_buckets;
    return whole;
}

static bool take_narrow_bins(const struct packed_counts *section, struct cell *into)
{
    struct taking taking = {.n = (size_t)into->layout->n_columns * NARROW_BINS};
    taking.counts = calloc(taking.n + 1, sizeof *taking.counts);
    bool whole = taking.counts && take_counts(section, &taking);
    for (size_t i = 0; whole && i < taking.n; i++) {
        size_t bin = i % NARROW_BINS;
        into->bins[i / NARROW_BINS * MAX_BINS + (bin == NARROW_BINS - 1 ? MISSING_BIN : bin)] +=
            taking.counts[i];
    }
    free(taking.counts);
    return whole;
}

static bool take_bins(const struct packed_counts *section, struct cell *into, int n_columns)
{
    struct taking taking = {.counts = cell_bins(into), .n = n_bins(into)};
    if (!taking.counts || into->layout->narrow)
        return taking.counts && take_narrow_bins(section, into);
    if (n_columns < into->layout->n_columns) {
        taking.n = (size_t)n_columns * MAX_BINS;
        taking.part = true;
    }
    return take_counts(section, &taking);
}

bool cell_unpack(struct cell *into, const struct packed_cell *packed, unsigned sections,
                 int n_columns)
{
    bool whole = true;
    if (sections & SECTION_SCALARS)
        whole =
            take_counts(&packed->scalars, &(struct taking){.counts = into->scalars, .n = SCALARS});
    if (sections & SECTION_SCORES)
        whole = whole && take_counts(&packed->scores,
                                     &(struct taking){.counts = into->scores, .n = SCORE_STEPS});
    if (sections & SECTION_LATENCY && packed->latency.pairs.size > 0)
        whole = whole && take_latency(&packed->latency, into);
    if (sections & SECTION_BINS && packed->bins.pairs.size > 0)
        whole = whole && take_bins(&packed->bins, into, n_columns);
    return whole;
}
