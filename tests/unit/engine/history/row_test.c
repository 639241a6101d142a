/* Rows of history.db: what was put into one comes out again, whole or by sections, packed or not;
 * damage is seen, and what the release before columns wrote is read. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "engine/history/row.h"
#include "tests/unit/random.h"

#define MOST_CELLS 5
#define N_COLUMNS  2

static const char *const names[N_COLUMNS] = {"score", "amount"};
static struct layout *layout;
static struct packer *packer;
/* What was put into the row that is tested. */
static struct cell truth[ROW_BLOCKS][MOST_CELLS];
static int n_truth[ROW_BLOCKS];
/* Mostly none and few, sometimes more than a varint of one byte and more than 32 bits hold. */
static void scatter(uint64_t *counts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t chance = random_below(40);
        counts[i] = chance > 6 ? 0 : chance > 1 ? chance : random_below(UINT64_C(1) << 40) + 1;
    }
}

static void make_cell(struct cell *cell)
{
    cell_free(cell);
    *cell = (struct cell){.labels = random_below(UINT64_MAX), .layout = layout};
    scatter(cell->scalars, SCALARS);
    if (random_below(3) > 0)
        scatter(cell->scores, SCORE_STEPS);
    if (random_below(3) > 0)
        scatter(cell_latency(cell), LATENCY_COUNTS);
    if (random_below(3) > 0)
        scatter(cell_bins(cell), (size_t)N_COLUMNS * MAX_BINS);
}

static void encode_truth(int index, struct buffer *out)
{
    for (int i = 0; i < n_truth[index]; i++)
        cell_encode(&truth[index][i], SECTION_ALL, out);
}

/* Makes up the block anew. */
static void put(struct row *row, int index)
{
    struct buffer bytes;
    buffer_init(&bytes, 1 << 20);
    n_truth[index] = (int)random_below(MOST_CELLS) + 1;
    for (int i = 0; i < n_truth[index]; i++)
        make_cell(&truth[index][i]);
    encode_truth(index, &bytes);
    assert_true(row_put(row, index, buffer_slice(&bytes), SECTION_ALL));
    buffer_free(&bytes);
}

static struct row *fill(int n)
{
    struct row *row = row_create();
    assert_non_null(row);
    memset(n_truth, 0, sizeof n_truth);
    for (int i = 0; i < n; i++)
        put(row, (int)random_below(ROW_BLOCKS));
    return row;
}

static void check_counts(const uint64_t *got, const uint64_t *wanted, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(got ? got[i] : 0, wanted ? wanted[i] : 0);
}

static void check_cell(const struct packed_cell *packed, const struct cell *wanted,
                       unsigned sections)
{
    static const uint64_t none[LATENCY_COUNTS];
    struct cell got = {.layout = layout};
    assert_int_equal(packed->labels, wanted->labels);
    assert_int_equal(packed->layout, layout->id);
    assert_true(cell_unpack(&got, packed, SECTION_ALL, ALL_COLUMNS));
    check_counts(got.scalars, sections & SECTION_SCALARS ? wanted->scalars : none, SCALARS);
    check_counts(got.scores, sections & SECTION_SCORES ? wanted->scores : none, SCORE_STEPS);
    check_counts(got.latency, sections & SECTION_LATENCY ? wanted->latency : NULL, LATENCY_COUNTS);
    check_counts(got.bins, sections & SECTION_BINS ? wanted->bins : NULL,
                 (size_t)N_COLUMNS * MAX_BINS);
    cell_free(&got);
}

static void check(const struct row *row, unsigned sections)
{
    size_t block = 0;
    for (int index = 0; index < ROW_BLOCKS; index++) {
        if (n_truth[index] == 0) {
            assert_int_equal(row_find(row, index), row_size(row));
            continue;
        }
        assert_int_equal(row_index(row, block), index);
        assert_int_equal(row_find(row, index), block);
        struct row_cells cells = row_block(row, block++);
        assert_int_equal(cells.n, n_truth[index]);
        for (int i = 0; cells.n > 0; i++) {
            struct packed_cell packed;
            assert_true(row_next(&cells, &packed));
            check_cell(&packed, &truth[index][i], sections);
        }
    }
    assert_int_equal(row_size(row), block);
}

static void blocks_put_in_any_order_and_again_are_what_was_put_last(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        struct row *row = fill(i);
        check(row, SECTION_ALL);
        row_destroy(row);
    }
}

static void a_packed_row_gives_each_choice_of_sections(void **state)
{
    (void)state;
    struct buffer bytes;
    struct row *row = fill(12), *again = row_create();
    buffer_init(&bytes, 1 << 20);
    assert_true(row_pack(row, packer, &bytes));
    for (unsigned sections = 0; sections <= SECTION_ALL; sections++) {
        assert_true(row_unpack(again, packer, buffer_slice(&bytes), sections));
        check(again, sections);
    }
    put(again, 7); /* and takes more */
    check(again, SECTION_ALL);
    buffer_free(&bytes);
    row_destroy(again);
    row_destroy(row);
}

static void a_row_of_an_earlier_release_is_its_only_block(void **state)
{
    (void)state;
    struct buffer plain, bytes;
    struct row *row = fill(0);
    buffer_init(&plain, 1 << 20);
    buffer_init(&bytes, 1 << 20);
    put(row, 0);
    encode_truth(0, &plain);
    assert_true(packer_pack(packer, buffer_slice(&plain), &bytes));
    for (unsigned sections = 0; sections <= SECTION_ALL; sections++) {
        assert_true(row_unpack(row, packer, buffer_slice(&bytes), sections));
        check(row, sections);
    }
    assert_false(row_unpack(row, packer, slice_make(bytes.data, bytes.size - 1), SECTION_ALL));
    buffer_free(&bytes);
    buffer_free(&plain);
    row_destroy(row);
}

static void read_all(const struct row *row)
{
    for (size_t block = 0; block < row_size(row); block++) {
        struct row_cells cells = row_block(row, block);
        struct packed_cell packed;
        while (cells.n > 0 && row_next(&cells, &packed)) {
            struct cell cell = {.layout = layout};
            (void)cell_unpack(&cell, &packed, SECTION_ALL, ALL_COLUMNS);
            cell_free(&cell);
        }
    }
}

/* What is not whole is refused; what is only changed may be read, but nothing outside of it. */
static void damage_is_refused_or_harmless(void **state)
{
    (void)state;
    struct buffer bytes;
    struct row *row = fill(3), *again = row_create();
    buffer_init(&bytes, 1 << 20);
    assert_true(row_pack(row, packer, &bytes));
    for (size_t size = 0; size < bytes.size; size++)
        assert_false(row_unpack(again, packer, slice_make(bytes.data, size), SECTION_ALL));
    for (int i = 0; i < 3000; i++) {
        size_t at = random_below(bytes.size);
        char before = bytes.data[at];
        bytes.data[at] = (char)random_below(256);
        if (row_unpack(again, packer, buffer_slice(&bytes), SECTION_ALL))
            read_all(again);
        bytes.data[at] = before;
    }
    assert_true(row_unpack(again, packer, buffer_slice(&bytes), SECTION_ALL));
    check(again, SECTION_ALL);
    buffer_free(&bytes);
    row_destroy(again);
    row_destroy(row);
}

static int set_up(void **state)
{
    (void)state;
    static const int64_t limits_us[MAX_LATENCY_LIMITS] = {200000};
    static struct binning binnings[N_COLUMNS];
    layout = layout_create(limits_us, 0, N_COLUMNS, names, binnings);
    packer = packer_create();
    return layout && packer ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < ROW_BLOCKS * MOST_CELLS; i++)
        cell_free(&truth[i / MOST_CELLS][i % MOST_CELLS]);
    packer_destroy(packer);
    layout_destroy(layout);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_put_in_any_order_and_again_are_what_was_put_last),
        cmocka_unit_test(a_packed_row_gives_each_choice_of_sections),
        cmocka_unit_test(a_row_of_an_earlier_release_is_its_only_block),
        cmocka_unit_test(damage_is_refused_or_harmless),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
