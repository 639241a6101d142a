/* Special functions: the distributions that tests and noise levels are read from. */
#ifndef BINNACLE_STATS_SPECIAL_H
#define BINNACLE_STATS_SPECIAL_H

/* Regularised incomplete gamma function, upper: a > 0, x >= 0. NaN outside. */
double special_gamma_q(double a, double x);
/* Regularised incomplete beta function I_x(a, b): a, b > 0, x in [0, 1]. NaN outside. */
double special_beta(double a, double b, double x);

/* The standard normal distribution: below x, above x, and where a share lies below. */
double special_normal_below(double x);
double special_normal_above(double x);
double special_normal_quantile(double share);

/* What a chi-square variable exceeds x with, and the value that it exceeds with `share`. The value
 * is within 1e-12 relative. */
double special_chi_square_above(double x, double freedom);
double special_chi_square_quantile(double share_above, double freedom);
/* Student's t beyond |t|, both sides. */
double special_student_beyond(double t, double freedom);

/* P(X = x) of a binomial variable of n trials with share p (q = 1 - p, given so that small ones
 * keep their digits); x and n need not be whole. */
double special_binomial(double x, double n, double p, double q);
/* P(X >= k) of the same; k whole. */
double special_binomial_at_least(double k, double n, double p);

#endif
