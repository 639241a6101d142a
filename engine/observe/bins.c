/* Cutting a reference sample into bins, and finding the bin of a value. Called when a reference is
 * made (cold) and for every watched value (hot: at most nine comparisons, nothing allocated). */
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
