/* Rows of bins counted together, against counting them one by one. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <string.h>

#include "engine/observe/bin_stage.h"
#include "engine/observe/observation.h"

static uint32_t random_state = 9;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % n;
}

static void counts_as_one_by_one(void **state)
{
    static const int columns[] = {1, 2, 31, 32, 33, 100, MAX_COLUMNS};
    (void)state;
    for (size_t k = 0; k < sizeof columns / sizeof *columns; k++) {
        static uint32_t wanted[MAX_COLUMNS][MAX_BINS], narrow[MAX_COLUMNS][MAX_BINS];
        static uint64_t wide[MAX_COLUMNS * MAX_BINS];
        uint8_t stage[BIN_STAGE_BYTES] = {0}, other[BIN_STAGE_BYTES] = {0};
        uint8_t codes[MAX_COLUMNS];
        int n = columns[k];
        memset(wanted, 0, sizeof wanted);
        memset(narrow, 0, sizeof narrow);
        memset(wide, 0, sizeof wide);
        for (int row = 0; row < 2 * BIN_STAGE_ROWS; row++) {
            for (int i = 0; i < MAX_COLUMNS; i++) { /* a full byte must not run over */
                codes[i] = i % 7 == 0 ? 3 : (uint8_t)random_below(MAX_BINS + 1);
                codes[i] = codes[i] == MAX_BINS ? NO_BIN : codes[i];
            }
            for (int i = 0; i < n; i++) {
                if (codes[i] != NO_BIN)
                    wanted[i][codes[i]]++;
            }
            bin_stage_add(stage, codes, n);
            bin_stage_add(other, codes, n);
            if (row % BIN_STAGE_ROWS == BIN_STAGE_ROWS - 1) {
                bin_stage_pour(stage, n, wide);
                bin_stage_pour32(other, n, narrow);
            }
        }
        for (int i = 0; i < n; i++) {
            for (int bin = 0; bin < MAX_BINS; bin++) {
                assert_int_equal(wide[i * MAX_BINS + bin], wanted[i][bin]);
                assert_int_equal(narrow[i][bin], wanted[i][bin]);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_as_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
