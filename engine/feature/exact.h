/* Sums without rounding error: floating-point expansions. Private to engine/feature. */
#ifndef BINNACLE_FEATURE_EXACT_H
#define BINNACLE_FEATURE_EXACT_H

/* A sum is a list of doubles of growing magnitude whose bits do not overlap; its value is
 * exactly theirs together. The caller keeps the list and its length. */

/* Enough for any sum of doubles after compression. */
#define EXACT_MAX_PARTS 64

/* Adds a finite number. Returns the new length, or -1 when the sum needs more than `capacity` (at
 * most EXACT_MAX_PARTS) parts; the list is then of no use any more. */
int exact_add(double *parts, int n_parts, int capacity, double number);
/* Adds the square of a number of magnitude under 1e150, exact down to the underflow. */
int exact_add_square(double *parts, int n_parts, int capacity, double number, double sign);
/* The sum correctly rounded (to nearest, ties to even); 0 for no parts. */
double exact_round(const double *parts, int n_parts);
/* n * squares - sum^2, correctly rounded but for underflow: n^2 times the population's variance. */
double exact_spread(const double *sum, int n_sum, const double *squares, int n_squares, double n);

#endif
