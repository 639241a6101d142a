/* What the ways of comparing share. */
#ifndef BINNACLE_MONITOR_COMPARE_PRIV_H
#define BINNACLE_MONITOR_COMPARE_PRIV_H

#include "engine/monitor/compare.h"

/* Counts over bins, or over the values themselves, of both sides. */
struct compare_tally {
    double *reference, *current; /* n each */
    double *contribution;
    char **labels; /* NULL: none */
    size_t n, capacity;
    bool failed; /* memory ran out; sticky */
};

void compare_tally_free(struct compare_tally *tally);
/* Adds a bin; the label (may be NULL) is copied. */
void compare_tally_add(struct compare_tally *tally, const char *label, size_t label_size,
                       double reference, double current);
/* Every value, or category, that either side has, in ascending order. */
void compare_tally_values(struct compare_tally *tally, const struct column *reference,
                          const struct column *current);
/* Counts in bins [edge, edge) of numbers, n_edges - 1 of them. */
void compare_tally_edges(struct compare_tally *tally, const struct column *reference,
                         const struct column *current, const double *edges, size_t n_bins);
double compare_tally_total(const double *counts, size_t n);
/* Shares of a total into out (may be counts). */
void compare_tally_shares(const double *counts, size_t n, double total, double *out);

/* One feature: both columns (current may be an empty one), and what comes out. */
struct compare_pair {
    const struct column *reference, *current;
    const struct compare_options *options;
    struct compared_feature *result;
    struct error *error;
};

/* Fill statistic, threshold, p_value, expected_null, method and bins. */
MUST_USE enum status compare_own(struct compare_pair *pair);
MUST_USE enum status compare_evidently(struct compare_pair *pair);
MUST_USE enum status compare_nannyml(struct compare_pair *pair);

/* A threshold on the p-value or on the statistic, if the options name no other. */
void compare_threshold(struct compare_pair *pair, bool of_p, double threshold);
/* Gives the tally's bins to the result; the tally is empty after. */
void compare_give_bins(struct compare_pair *pair, struct compare_tally *tally);
/* distance_of() the tally with its contributions and null_of_distance(); the shares as given. */
void compare_distance(struct compare_pair *pair, int distance, struct compare_tally *tally,
                      const double *p, const double *q);
MUST_USE enum status compare_no_memory(struct compare_pair *pair);
/* Different values, or categories, of one column; and of both together. */
size_t compare_distinct(const struct column *column);

#endif
