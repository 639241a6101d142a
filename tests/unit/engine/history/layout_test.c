/* Layouts and cells stored before bins outside the reference's range were. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "engine/history/cell.h"
#include "engine/observe/varint.h"

#define N_COLUMNS 2

/* As the first release wrote it: one limit, two columns of three cuts, eleven bins each. */
static void put_old_layout(struct buffer *out)
{
    static const float edges[] = {1, 2, 3};
    varint_put(out, 1);
    varint_put(out, 200000);
    varint_put(out, N_COLUMNS);
    for (int column = 0; column < N_COLUMNS; column++) {
        varint_put(out, 1);
        buffer_append_char(out, (char)('a' + column));
        varint_put(out, 3);
        buffer_append(out, edges, sizeof edges);
        varint_put(out, 55);
        for (uint64_t bin = 0; bin < NARROW_BINS; bin++)
            varint_put(out, bin);
    }
}

static struct layout *read_old_layout(void)
{
    struct buffer bytes;
    buffer_init(&bytes, 1 << 16);
    put_old_layout(&bytes);
    struct layout *layout = layout_decode(buffer_slice(&bytes));
    assert_non_null(layout);
    buffer_free(&bytes);
    return layout;
}

static void an_older_layout_is_read_with_its_missing_values_last(void **state)
{
    (void)state;
    struct layout *layout = read_old_layout();
    assert_true(layout->narrow);
    for (int column = 0; column < N_COLUMNS; column++) {
        const struct binning *binning = &layout->binnings[column];
        assert_int_equal(binning->n_edges, 3);
        assert_int_equal(binning->n_reference, 55);
        assert_int_equal(binning->reference[9], 9);
        assert_int_equal(binning->reference[10], 0);
        assert_int_equal(binning->reference[MISSING_BIN], 10);
    }
    layout_destroy(layout);
}

static void cells_of_an_older_layout_keep_their_bins(void **state)
{
    (void)state;
    struct layout *layout = read_old_layout();
    struct cell cell = {.labels = 7, .layout = layout}, again = {.labels = 7, .layout = layout};
    uint64_t *bins = cell_bins(&cell);
    assert_non_null(bins);
    for (size_t i = 0; i < (size_t)N_COLUMNS * MAX_BINS; i++)
        bins[i] = i % MAX_BINS < 4 || i % MAX_BINS == MISSING_BIN ? 100 + i : 0;
    struct buffer bytes;
    struct packed_cell packed;
    buffer_init(&bytes, 1 << 16);
    cell_encode(&cell, SECTION_ALL, &bytes);
    struct slice rest = buffer_slice(&bytes);
    assert_true(cell_next(&rest, &packed));
    assert_true(cell_unpack(&again, &packed, SECTION_ALL, ALL_COLUMNS));
    assert_memory_equal(again.bins, bins, (size_t)N_COLUMNS * MAX_BINS * sizeof *bins);
    /* The second column's missing values are where the first release looks for them. */
    uint64_t place = 0, step, count;
    while (packed.bins.pairs.size > 0) {
        assert_true(varint_take(&packed.bins.pairs, &step) &&
                    varint_take(&packed.bins.pairs, &count));
        place += step;
    }
    assert_int_equal(place, N_COLUMNS * NARROW_BINS);
    assert_int_equal(count, 100 + N_COLUMNS * MAX_BINS - 1);
    buffer_free(&bytes);
    cell_free(&cell);
    cell_free(&again);
    layout_destroy(layout);
}

static void a_layout_is_read_as_it_was_written(void **state)
{
    (void)state;
    static const int64_t limits_us[MAX_LATENCY_LIMITS] = {200000, 5000};
    static const char *const names[] = {"score"};
    float values[100];
    struct binning binning;
    struct buffer bytes;
    for (int i = 0; i < 100; i++)
        values[i] = (float)i / 100;
    binning_make(&binning, values, 100, MAX_VALUE_BINS);
    struct layout *layout = layout_create(limits_us, 77, 1, names, &binning);
    assert_non_null(layout);
    buffer_init(&bytes, 1 << 16);
    layout_encode(layout, &bytes);
    struct layout *again = layout_decode(buffer_slice(&bytes));
    assert_non_null(again);
    assert_false(again->narrow);
    assert_int_equal(again->judges, 77);
    assert_int_equal(again->digest, layout->digest);
    assert_true(layout_same_column(layout, 0, again, 0));
    for (size_t size = 0; size < bytes.size; size++)
        assert_null(layout_decode(slice_make(bytes.data, size)));
    layout_destroy(again);
    layout_destroy(layout);
    buffer_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_older_layout_is_read_with_its_missing_values_last),
        cmocka_unit_test(cells_of_an_older_layout_keep_their_bins),
        cmocka_unit_test(a_layout_is_read_as_it_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
