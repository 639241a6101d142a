/* Benjamini and Hochberg's step-up procedure, as adjusted p-values. Any thread. */
#include "engine/stats/discovery.h"

#include <math.h>
#include <stdlib.h>

struct test {
    double p;
    size_t place;
};

static int by_p(const void *a, const void *b)
{
    double x = ((const struct test *)a)->p, y = ((const struct test *)b)->p;
    return (x > y) - (x < y);
}

enum status discovery_adjust(const double *p_values, size_t n, double *adjusted)
{
    struct test *tests = malloc((n + 1) * sizeof *tests);
    size_t n_tests = 0;
    if (!tests)
        return STATUS_MEMORY;
    for (size_t i = 0; i < n; i++) {
        adjusted[i] = p_values[i];
        if (!isnan(p_values[i]))
            tests[n_tests++] = (struct test){p_values[i], i};
    }
    qsort(tests, n_tests, sizeof *tests, by_p);
    double smallest = 1;
    for (size_t rank = n_tests; rank > 0; rank--) {
        double here = tests[rank - 1].p * (double)n_tests / (double)rank;
        smallest = here < smallest ? here : smallest;
        adjusted[tests[rank - 1].place] = smallest;
    }
    free(tests);
    return STATUS_OK;
}
