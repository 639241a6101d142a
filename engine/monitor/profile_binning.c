/* A profile's columns cut into the bins of the live monitor, with the counts of the whole reference
 * rather than of a sample. Pure functions. */
#include <math.h>
#include <string.h>

#include "engine/monitor/profile.h"

static void add_edge(struct binning *binning, double edge)
{
    if (binning->n_edges == 0 || (float)edge > binning->edges[binning->n_edges - 1])
        binning->edges[binning->n_edges++] = (float)edge;
}

static void cut(const struct column *finite, int n_bins, struct binning *binning)
{
    double edges[MAX_VALUE_BINS], smallest = finite->values[0];
    size_t n_edges = column_quantiles(finite, (size_t)n_bins, edges);
    binning->few = (!finite->upto || finite->complete) && finite->n_values <= (size_t)n_bins;
    add_edge(binning, (double)nextafterf((float)smallest, -INFINITY));
    for (size_t i = 0; i < n_edges; i++)
        add_edge(binning, edges[i]);
    add_edge(binning, finite->values[finite->n_values - 1]);
}

void profile_binning(const struct column *column, int n_bins, struct binning *binning)
{
    struct column finite = column_finite(column);
    memset(binning, 0, sizeof *binning);
    if (finite.n_values > 0)
        cut(&finite, n_bins, binning);
    double below = 0;
    for (int i = 0; i < binning->n_edges; i++) {
        double upto = column_not_above(column, (double)binning->edges[i]);
        binning->reference[i] = (uint64_t)(upto - below);
        below = upto;
    }
    binning->reference[binning->n_edges] = (uint64_t)(column_total(column) - below);
    binning->reference[MISSING_BIN] = column->n_missing;
    binning->n_reference = column->n_rows;
}

void profile_points(const struct column *column, struct value_points *points)
{
    struct column finite = column_finite(column);
    double mean, deviation;
    column_moments(&finite, &mean, &deviation);
    value_points_make(points, finite.values, finite.upto, finite.n_values, deviation);
    /* What the profile left out is not among its points. */
    points->all = points->all && (!column->upto || column->complete);
    for (size_t i = 0; i < points->n; i++)
        points->upto[i] -= finite.before;
}
