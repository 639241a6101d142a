/* Distances of binned distributions. Pure functions, any thread. */
#include "engine/stats/distance.h"

#include <math.h>
#include <stdbool.h>

#define PRIOR 0.5

/* x ln(x / y), 0 where x is. */
static double relative_entropy(double x, double y)
{
    return x > 0 ? x * log(x / y) : 0;
}

static double psi_term(double p, double q)
{
    return p == q ? 0 : (q - p) * log(q / p);
}

static double kl_term(double p, double q)
{
    return relative_entropy(p, q);
}

static double js_term(double p, double q)
{
    double middle = (p + q) / 2;
    return (relative_entropy(p, middle) + relative_entropy(q, middle)) / 2;
}

static double js_base_2_term(double p, double q)
{
    return js_term(p, q) / M_LN2;
}

static double tvd_term(double p, double q)
{
    return fabs(p - q) / 2;
}

/* The same sum as 1 - sum sqrt(pq), without its cancellation. */
static double hellinger_term(double p, double q)
{
    double difference = sqrt(p) - sqrt(q);
    return difference * difference / 2;
}

static double linf_term(double p, double q)
{
    return fabs(p - q);
}

static const struct {
    double (*term)(double p, double q);
    enum { SUM, ROOT, LARGEST } how;
} kinds[] = {
    [DISTANCE_PSI] = {psi_term, SUM},       [DISTANCE_KL] = {kl_term, SUM},
    [DISTANCE_JS] = {js_term, ROOT},        [DISTANCE_JS_BASE_2] = {js_base_2_term, ROOT},
    [DISTANCE_TVD] = {tvd_term, SUM},       [DISTANCE_HELLINGER] = {hellinger_term, ROOT},
    [DISTANCE_LINF] = {linf_term, LARGEST},
};

static double largest_of(double (*term)(double, double), const double *p, const double *q, size_t n,
                         double *contribution)
{
    double largest = 0;
    size_t where = n;
    for (size_t i = 0; i < n; i++) {
        double here = term(p[i], q[i]);
        if (contribution)
            contribution[i] = 0;
        if (here > largest) {
            largest = here;
            where = i;
        }
    }
    if (contribution && where < n)
        contribution[where] = largest;
    return largest;
}

double distance_of(enum distance kind, const double *p, const double *q, size_t n,
                   double *contribution)
{
    if (n == 0)
        return NAN;
    if (kinds[kind].how == LARGEST)
        return largest_of(kinds[kind].term, p, q, n, contribution);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double here = kinds[kind].term(p[i], q[i]);
        sum += here;
        if (contribution)
            contribution[i] = here;
    }
    if (kinds[kind].how == SUM)
        return sum;
    double root = sum > 0 ? sqrt(sum) : 0;
    for (size_t i = 0; contribution && i < n; i++)
        contribution[i] = sum > 0 ? contribution[i] / sum * root : 0;
    return root;
}

void distance_smooth(const double *reference, const double *current, size_t n, double *p, double *q)
{
    double of_reference = 0, of_current = 0, used = 0;
    for (size_t i = 0; i < n; i++) {
        of_reference += reference[i];
        of_current += current[i];
        used += reference[i] > 0 || current[i] > 0;
    }
    for (size_t i = 0; i < n; i++) {
        bool empty = reference[i] == 0 && current[i] == 0;
        p[i] = empty ? 0 : (reference[i] + PRIOR) / (of_reference + PRIOR * used);
        q[i] = empty ? 0 : (current[i] + PRIOR) / (of_current + PRIOR * used);
    }
}
