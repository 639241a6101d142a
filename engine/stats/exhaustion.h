/* When a stock that is being used up will be gone, and how sure that is. */
#ifndef BINNACLE_STATS_EXHAUSTION_H
#define BINNACLE_STATS_EXHAUSTION_H

#include <stddef.h>

/* In steps of the samples; INFINITY: never at that rate; NaN: nothing can be said. */
struct exhaustion {
    double expected, earliest, latest;
};

/* `left` of the stock, and what was taken in each of the last n steps of equal length. The rate is
 * their mean; earliest and latest follow from its 95 % confidence interval by Student's
 * distribution with n - 1 degrees of freedom (Student 1908), so that what comes in bursts is less
 * sure than what comes evenly. Fewer than 3 steps: NaN all. left <= 0: 0 all. */
struct exhaustion exhaustion_of(double left, const double *taken, size_t n);

#endif
