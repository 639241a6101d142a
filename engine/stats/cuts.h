/* Where to cut numbers into bins, and how many fall into each. */
#ifndef BINNACLE_STATS_CUTS_H
#define BINNACLE_STATS_CUTS_H

#include <stdbool.h>
#include <stddef.h>

/* How many bins of equal width numpy's rules make of n values from `low` to `high`; at least 1.
 * `whole`: all values are integers, whose bins are never narrower than 1. */
size_t cuts_sturges(size_t n, double low, double high, bool whole);
/* D. Doane, "Aesthetic frequency classifications" (1976), of values (any order). */
size_t cuts_doane(const double *values, size_t n, double low, double high);

/* n_bins + 1 edges of equal width from low to high, as numpy's linspace places them; of a single
 * value from half a unit below to half above. */
void cuts_even(double low, double high, size_t n_bins, double *edges);
/* Edges at the quantiles k/n_bins of sorted values: at most n_bins - 1, ascending, without those
 * that are equal or above all other values; where there are at most n_bins different values each
 * one but the last. Bins are (edge[i-1], edge[i]]. Returns how many. */
size_t cuts_quantiles(const double *sorted, size_t n, size_t n_bins, double *edges);

/* Counts of sorted values in n_bins bins of n_bins + 1 edges: [edge[i], edge[i+1]), the last with
 * its upper edge; values outside are not counted. */
void cuts_count(const double *sorted, size_t n, const double *edges, size_t n_bins, double *counts);
/* How many of the sorted values are below `limit`, or not above it. */
size_t cuts_below(const double *sorted, size_t n, double limit);
size_t cuts_not_above(const double *sorted, size_t n, double limit);

#endif
