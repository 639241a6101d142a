/* Lists: order, filter, selection, CSV. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "ui/tui/grid.h"

static const struct grid_column columns[] = {{"name", 10, false, 0}, {"n", 5, true, 0}};

static void fill(struct grid *grid)
{
    static const struct {
        const char *name;
        double n;
        const char *text;
    } rows[] = {
        {"delta", 10, "10"}, {"alpha", 9, "9"}, {"=cmd", 100, "1 00"}, {"beta, \"b\"", -1, "-1"}};
    grid_begin(grid, columns, 2);
    for (int i = 0; i < 4; i++) {
        grid_row(grid, i + 1);
        grid_text(grid, 0, rows[i].name);
        grid_number(grid, 0, rows[i].n, rows[i].text);
    }
    grid_end(grid);
}

static void expect_order(const struct grid *grid, const char *first, const char *last)
{
    assert_string_equal(grid_cell_text(grid, 0, 0), first);
    assert_string_equal(grid_cell_text(grid, grid->n_shown - 1, 0), last);
}

static void sorts_numbers_as_numbers_and_texts_as_texts(void **state)
{
    (void)state;
    struct grid grid;
    grid_init(&grid);
    fill(&grid);
    expect_order(&grid, "delta", "beta, \"b\"");
    grid_sort_next(&grid);
    expect_order(&grid, "=cmd", "delta");
    grid_sort_next(&grid);
    expect_order(&grid, "beta, \"b\"", "=cmd");
    grid_turn(&grid);
    expect_order(&grid, "=cmd", "beta, \"b\"");
    grid_sort_next(&grid);
    expect_order(&grid, "delta", "beta, \"b\"");
    grid_free(&grid);
}

static void filters_by_a_pattern_or_its_opposite(void **state)
{
    (void)state;
    struct grid grid;
    grid_init(&grid);
    fill(&grid);
    grid_set_filter(&grid, "ALPHA|^del");
    assert_int_equal(grid.n_shown, 2); /* ^ is the row's beginning */
    grid_set_filter(&grid, "ta\\b");
    assert_int_equal(grid.n_shown, 2);
    grid_set_filter(&grid, "!ta\\b");
    assert_int_equal(grid.n_shown, 2);
    assert_string_equal(grid_cell_text(&grid, 0, 0), "alpha");
    grid_set_filter(&grid, "ELT");
    assert_int_equal(grid.n_shown, 1);
    assert_string_equal(grid_cell_text(&grid, 0, 0), "delta");
    grid_set_filter(&grid, "!elt");
    assert_int_equal(grid.n_shown, 3);
    grid_set_filter(&grid, "a)(b");
    assert_int_equal(grid.n_shown, 4);
    assert_true(grid.wrong[0] != '\0');
    grid_set_filter(&grid, "nothing of it");
    assert_int_equal(grid.n_shown, 0);
    assert_int_equal(grid_tag(&grid), -1);
    grid_move(&grid, 1);
    grid_set_filter(&grid, "");
    assert_int_equal(grid.n_shown, 4);
    grid_free(&grid);
}

static void keeps_the_selected_row_when_rows_are_filled_again(void **state)
{
    (void)state;
    struct grid grid;
    grid_init(&grid);
    fill(&grid);
    grid_move(&grid, 2);
    assert_int_equal(grid_tag(&grid), 3);
    grid_begin(&grid, columns, 2);
    grid_row(&grid, 7);
    grid_text(&grid, 0, "new");
    grid_row(&grid, 8);
    grid_text(&grid, 0, "=cmd");
    grid_end(&grid);
    assert_int_equal(grid_tag(&grid), 8);
    assert_string_equal(grid_cell_text(&grid, 1, 1), ""); /* a cell left out is empty */
    grid_move(&grid, 1L << 40);
    assert_int_equal(grid.selected, 1);
    grid_move(&grid, -(1L << 40));
    assert_int_equal(grid.selected, 0);
    grid_free(&grid);
}

static void csv_quotes_what_must_be_and_disarms_formulas(void **state)
{
    (void)state;
    struct grid grid;
    struct buffer out;
    grid_init(&grid);
    fill(&grid);
    buffer_init(&out, 4096);
    grid_csv(&grid, &out);
    assert_string_equal(out.data, "name,n\r\ndelta,10\r\nalpha,9\r\n\"'=cmd\",1 00\r\n"
                                  "\"beta, \"\"b\"\"\",-1\r\n");
    buffer_free(&out);
    grid_free(&grid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts_numbers_as_numbers_and_texts_as_texts),
        cmocka_unit_test(filters_by_a_pattern_or_its_opposite),
        cmocka_unit_test(keeps_the_selected_row_when_rows_are_filled_again),
        cmocka_unit_test(csv_quotes_what_must_be_and_disarms_formulas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
