/* Extrapolation of a mean. Nothing here keeps state. */
#include "engine/stats/exhaustion.h"

#include <math.h>

#include "engine/stats/special.h"

#define MIN_STEPS 3
#define BEYOND    0.05 /* of both sides together */

/* The t that is exceeded in absolute value with probability BEYOND, by halving. */
static double student_limit(double freedom)
{
    double low = 0, high = 64;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (special_student_beyond(middle, freedom) > BEYOND)
            low = middle;
        else
            high = middle;
    }
    return high;
}

static double steps_until(double left, double rate)
{
    return rate > 0 ? left / rate : (double)INFINITY;
}

struct exhaustion exhaustion_of(double left, const double *taken, size_t n)
{
    const double none = (double)NAN;
    if (n < MIN_STEPS || !isfinite(left))
        return (struct exhaustion){none, none, none};
    if (left <= 0)
        return (struct exhaustion){0, 0, 0};
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        mean += taken[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (taken[i] - mean) * (taken[i] - mean);
    double error = sqrt(squares / (double)(n - 1) / (double)n);
    double margin = student_limit((double)(n - 1)) * error;
    return (struct exhaustion){steps_until(left, mean), steps_until(left, mean + margin),
                               steps_until(left, mean - margin)};
}
