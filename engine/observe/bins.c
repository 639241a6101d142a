/* Cutting a reference sample into bins (cold), and finding the bins of values: of one, and of a row
 * of all columns, which is done for every outcome. Nothing is allocated. */
#include "engine/observe/bins.h"

#include <assert.h>
#include <math.h>
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

/* Keeps edges ascending, and leaves out the largest value: nothing lay above it. */
static void add_edge(struct binning *binning, float edge, float largest)
{
    bool first = binning->n_edges == 0;
    if (edge < largest && (first || edge > binning->edges[binning->n_edges - 1]))
        binning->edges[binning->n_edges++] = edge;
}

static void cut(struct binning *binning, const float *sorted, size_t n, int n_bins)
{
    if (n == 0)
        return;
    float largest = sorted[n - 1];
    if (count_distinct(sorted, n, (size_t)n_bins) <= (size_t)n_bins) {
        for (size_t i = 0; i < n; i++)
            add_edge(binning, sorted[i], largest);
        return;
    }
    for (int k = 1; k < n_bins; k++)
        add_edge(binning, sorted[((size_t)k * n - 1) / (size_t)n_bins], largest);
}

void binning_make(struct binning *binning, float *values, size_t n, int n_bins)
{
    assert(n_bins >= 2 && n_bins <= MAX_VALUE_BINS);
    memset(binning, 0, sizeof *binning);
    size_t present = part_missing(values, n);
    qsort(values, present, sizeof *values, compare_floats);
    cut(binning, values, present, n_bins);
    for (size_t i = 0; i < n; i++)
        binning->reference[binning_find(binning, values[i])]++;
    binning->n_reference = n;
}

uint8_t binning_find(const struct binning *binning, float value)
{
    if (isnan(value))
        return MAX_BINS - 1;
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
        for (int edge = 0; edge < MAX_VALUE_BINS - 1; edge++)
            bin -= row > *(const eight_floats *)(const void *)(finder->edges[edge] + first);
        /* Missing: above no edge, and not even itself. */
        bin += (row != row) & (MAX_BINS - 1); // NOLINT(misc-redundant-expression)
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
    for (int edge = 0; edge < MAX_VALUE_BINS - 1; edge++) {
        for (int i = 0; i < MAX_COLUMNS; i++) {
            bool there = i < n_columns && edge < binnings[i].n_edges;
            finder->edges[edge][i] = there ? binnings[i].edges[edge] : INFINITY;
        }
    }
}
