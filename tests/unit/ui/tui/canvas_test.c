/* Cells: hostile text stays inside its columns, bars and sparklines say no more than they know. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/tui/canvas.h"

static struct canvas make(int columns, int rows, bool ascii)
{
    struct canvas canvas;
    assert_true(canvas_init(&canvas, columns, rows, ascii));
    return canvas;
}

static void expect(const struct canvas *canvas, const char *text)
{
    struct buffer out;
    buffer_init(&out, 1u << 16);
    canvas_text(canvas, &out);
    assert_string_equal(out.data, text);
    buffer_free(&out);
}

static void replaces_control_characters_and_broken_bytes(void **state)
{
    (void)state;
    struct canvas canvas = make(20, 1, false);
    canvas_put(&canvas, 0, 0, 20, STYLE_TEXT, "a\033[2Jb\n\xff\xc3\x7f\xc2\x9b|");
    expect(&canvas, "a?[2Jb?????|\n");
    /* Marks that turn the direction of what follows, and a line end of another kind. */
    canvas_clear(&canvas);
    canvas_put(&canvas, 0, 0, 20, STYLE_TEXT, "a\xe2\x80\xaetxt\xe2\x81\xa7\xe2\x80\xa8|");
    expect(&canvas, "a?txt??|\n");
    canvas_free(&canvas);
}

static void wide_characters_take_two_cells_and_are_not_halved(void **state)
{
    (void)state;
    struct canvas canvas = make(6, 1, false);
    assert_int_equal(canvas_put(&canvas, 0, 0, 6, STYLE_TEXT, "日本"), 4);
    canvas_put(&canvas, 0, 4, 2, STYLE_TEXT, "ab");
    expect(&canvas, "日本ab\n");
    canvas_clear(&canvas);
    assert_int_equal(canvas_put(&canvas, 0, 0, 4, STYLE_TEXT, "日本語"), 3);
    expect(&canvas, "日…\n");
    canvas_free(&canvas);
}

static void combining_marks_join_and_never_overflow_a_cell(void **state)
{
    (void)state;
    struct canvas canvas = make(4, 1, false);
    assert_int_equal(canvas_put(&canvas, 0, 0, 4, STYLE_TEXT, "e\u0301x"), 2);
    expect(&canvas, "e\u0301x\n");
    char text[256] = "a";
    for (int i = 0; i < 60; i++)
        strcat(text, "\u0301");
    assert_int_equal(canvas_put(&canvas, 0, 0, 4, STYLE_TEXT, text), 1);
    assert_true(strlen(canvas_cell(&canvas, 0, 0)->text) < CELL_SIZE);
    assert_int_equal(canvas_put(&canvas, 0, 0, 4, STYLE_TEXT, "\u0301"), 0);
    canvas_free(&canvas);
}

static void clips_at_the_width_and_leaves_the_outside_alone(void **state)
{
    (void)state;
    struct canvas canvas = make(8, 2, false);
    canvas_put(&canvas, 0, 1, 4, STYLE_TEXT, "abcdefgh");
    canvas_put(&canvas, 1, 6, 100, STYLE_TEXT, "abcdefgh");
    canvas_put(&canvas, 5, 0, 8, STYLE_TEXT, "gone");
    canvas_put(&canvas, -1, 0, 8, STYLE_TEXT, "gone");
    canvas_put(&canvas, 0, 7, -3, STYLE_TEXT, "gone");
    expect(&canvas, " abc…\n      a…\n");
    canvas_right(&canvas, 0, 0, 8, STYLE_TEXT, "xy");
    expect(&canvas, " abc… xy\n      a…\n");
    canvas_free(&canvas);
}

static void draws_ascii_where_nothing_else_is_known(void **state)
{
    (void)state;
    struct canvas canvas = make(20, 1, true);
    canvas_put(&canvas, 0, 0, 20, STYLE_TEXT, "▲ 1\u2009754 µs → 日…");
    expect(&canvas, "^ 1 754 us > ?~\n");
    canvas_free(&canvas);
}

static void bars_fill_by_eighths_and_hatch_no_data(void **state)
{
    (void)state;
    struct canvas canvas = make(4, 4, false);
    canvas_bar(&canvas, 0, 0, 4, STYLE_TEXT, 0.40625); /* 13 eighths */
    canvas_bar(&canvas, 1, 0, 4, STYLE_TEXT, 7);
    canvas_bar(&canvas, 2, 0, 4, STYLE_TEXT, -1);
    canvas_bar(&canvas, 3, 0, 4, STYLE_TEXT, NAN);
    expect(&canvas, "█▋··\n████\n····\n░░░░\n");
    canvas_free(&canvas);
}

static void sparklines_start_at_zero_and_leave_gaps(void **state)
{
    (void)state;
    struct canvas canvas = make(6, 1, false);
    struct history history = {.n = 5, .points = {9, 0, 4, NAN, 8}};
    canvas_spark(&canvas, 0, 0, 4, STYLE_TEXT, &history); /* the newest four */
    expect(&canvas, "▁▅ █\n");
    canvas_clear(&canvas);
    canvas_spark(&canvas, 0, 0, 6, STYLE_TEXT, &history);
    expect(&canvas, " █▁▄ ▇\n");
    canvas_free(&canvas);
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replaces_control_characters_and_broken_bytes),
        cmocka_unit_test(wide_characters_take_two_cells_and_are_not_halved),
        cmocka_unit_test(combining_marks_join_and_never_overflow_a_cell),
        cmocka_unit_test(clips_at_the_width_and_leaves_the_outside_alone),
        cmocka_unit_test(draws_ascii_where_nothing_else_is_known),
        cmocka_unit_test(bars_fill_by_eighths_and_hatch_no_data),
        cmocka_unit_test(sparklines_start_at_zero_and_leave_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
