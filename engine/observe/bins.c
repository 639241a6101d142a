/* Cutting a reference sample into bins (cold), and finding the bins of values: of one, and of a row
 * of all columns, which is done for every outcome. Nothing is allocated. */
#include "engine/observe/bins.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Moves the missing values to the end; returns how many are not missing. */
static size_t part_missing(float *values, size_t n)
{
    size_t present = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isnan(values[i])) {
            float value = values[i];
            values[i] = values[present];
            values[present++] = value;
        }
    }
    return present;
}

static size_t count_distinct(const float *sorted, size_t n, size_t enough)
{
    size_t distinct = n > 0;
    for (size_t i = 1; i < n && distinct <= enough; i++)
        distinct += sorted[i] > sorted[i - 1];
    return distinct;
}

/* Keeps edges ascending. */
static void add_edge(struct binning *binning, float edge)
{
    if (binning->n_edges == 0 || edge > binning->edges[binning->n_edges - 1])
        binning->edges[binning->n_edges++] = edge;
}

/* Of sorted finite values. */
static void cut(struct binning *binning, const float *sorted, size_t n, int n_bins)
{
    float largest = sorted[n - 1];
    binning->few = count_distinct(sorted, n, (size_t)n_bins) <= (size_t)n_bins;
    add_edge(binning, nextafterf(sorted[0], -INFINITY));
    for (size_t i = 0; binning->few && i < n; i++)
        add_edge(binning, sorted[i]);
    for (int k = 1; !binning->few && k < n_bins; k++)
        add_edge(binning, sorted[((size_t)k * n - 1) / (size_t)n_bins]);
    add_edge(binning, largest);
}

void binning_make(struct binning *binning, float *values, size_t n, int n_bins)
{
    assert(n_bins >= 2 && n_bins <= MAX_VALUE_BINS);
    memset(binning, 0, sizeof *binning);
    size_t first = 0, present = part_missing(values, n), end = present;
    qsort(values, present, sizeof *values, compare_floats);
    while (first < end && isinf(values[first]))
        first++;
    while (end > first && isinf(values[end - 1]))
        end--;
    if (end > first)
        cut(binning, values + first, end - first, n_bins);
    for (size_t i = 0; i < n; i++)
        binning->reference[binning_find(binning, values[i])]++;
    binning->n_reference = n;
}

void binning_label(const struct binning *binning, int bin, char out[BIN_LABEL_SIZE])
{
    const float *edges = binning->edges;
    int last = binning->n_edges;
    double low = (double)(last ? nextafterf(edges[0], INFINITY) : 0);
    if (bin == MISSING_BIN)
        snprintf(out, BIN_LABEL_SIZE, "(missing)");
    else if (last == 0)
        snprintf(out, BIN_LABEL_SIZE, "(any)");
    else if (bin == 0)
        snprintf(out, BIN_LABEL_SIZE, "< %g", low);
    else if (bin == last)
        snprintf(out, BIN_LABEL_SIZE, "> %g", (double)edges[last - 1]);
    else if (bin == 1)
        snprintf(out, BIN_LABEL_SIZE, "[%g, %g]", low, (double)edges[1]);
    else
        snprintf(out, BIN_LABEL_SIZE, "(%g, %g]", (double)edges[bin - 1], (double)edges[bin]);
}

uint8_t binning_find(const struct binning *binning, float value)
{
    if (isnan(value))
        return MISSING_BIN;
    int bin = 0; /* edges ascend: how many lie below is counted without a branch to guess */
    for (int i = 0; i < binning->n_edges; i++)
        bin += value > binning->edges[i];
    return (uint8_t)bin;
}

_Static_assert(MAX_COLUMNS % BIN_FINDER_STEP == 0, "rows are read in whole steps");

/* Eight columns beside each other, in as many instructions as the function's target needs. */
typedef float eight_floats __attribute__((vector_size(32), aligned(4)));
typedef int32_t eight_ints __attribute__((vector_size(32)));
typedef int16_t eight_shorts __attribute__((vector_size(16)));
typedef uint8_t eight_bytes __attribute__((vector_size(8), aligned(1)));

/* How many edges lie below is the bin; a comparison that holds is -1. */
static inline __attribute__((always_inline)) void find_row(const struct bin_finder *finder,
                                                           const float *values, uint8_t *bins)
{
    for (int first = 0; first < finder->n_columns; first += 8) {
        eight_floats row = *(const eight_floats *)(const void *)(values + first);
        eight_ints bin = {0};
        for (int edge = 0; edge < MAX_EDGES; edge++)
            bin -= row > *(const eight_floats *)(const void *)(finder->edges[edge] + first);
        /* Missing: above no edge, and not even itself. */
        bin += (row != row) & MISSING_BIN; // NOLINT(misc-redundant-expression)
        eight_shorts narrow = __builtin_convertvector(bin, eight_shorts); /* by two packs */
        *(eight_bytes *)(void *)(bins + first) = __builtin_convertvector(narrow, eight_bytes);
    }
}

static void find_row_plain(const struct bin_finder *finder, const float *values, uint8_t *bins)
{
    find_row(finder, values, bins);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void find_row_avx2(const struct bin_finder *finder,
                                                          const float *values, uint8_t *bins)
{
    find_row(finder, values, bins);
}
#endif

void bin_finder_make(struct bin_finder *finder, const struct binning *binnings, int n_columns)
{
    finder->n_columns = n_columns;
    finder->row = find_row_plain;
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2"))
        finder->row = find_row_avx2;
#endif
    for (int edge = 0; edge < MAX_EDGES; edge++) {
        for (int i = 0; i < MAX_COLUMNS; i++) {
            bool there = i < n_columns && edge < binnings[i].n_edges;
            finder->edges[edge][i] = there ? binnings[i].edges[edge] : INFINITY;
        }
    }
}
