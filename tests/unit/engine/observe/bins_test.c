/* Rows of values into bins, against one value at a time. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "engine/observe/bins.h"
#include "tests/unit/random.h"

#define SAMPLE 200
#define ROWS   500

/* Few different values, so that many lie exactly on an edge; some missing, some without end. */
static float random_value(void)
{
    uint64_t bits = random_bits();
    if (bits % 11 == 0)
        return NAN;
    if (bits % 97 == 1)
        return bits & 1024 ? INFINITY : -INFINITY;
    return (float)((bits >> 20) % 40) - 20.0f;
}

/* Columns with all numbers of edges, from none (always missing) to the most. */
static void make_binnings(struct binning *binnings, int n_columns)
{
    float sample[SAMPLE];
    for (int c = 0; c < n_columns; c++) {
        size_t n = c % 3 == 2 ? (size_t)c % SAMPLE : SAMPLE;
        for (size_t i = 0; i < n; i++)
            sample[i] = random_value();
        binning_make(&binnings[c], sample, n, 2 + c % (MAX_VALUE_BINS - 1));
    }
}

static void a_row_falls_into_the_bins_of_its_values(void **state)
{
    (void)state;
    static struct binning binnings[MAX_COLUMNS];
    static struct bin_finder finder;
    const int widths[] = {1, 2, 7, 8, 9, 28, MAX_COLUMNS};
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        make_binnings(binnings, widths[w]);
        bin_finder_make(&finder, binnings, widths[w]);
        for (int row = 0; row < ROWS; row++) {
            float values[MAX_COLUMNS] = {0};
            uint8_t bins[MAX_COLUMNS];
            for (int c = 0; c < widths[w]; c++)
                values[c] = random_value();
            bin_finder_row(&finder, values, bins);
            for (int c = 0; c < widths[w]; c++)
                assert_int_equal(bins[c], binning_find(&binnings[c], values[c]));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_falls_into_the_bins_of_its_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
