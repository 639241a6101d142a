/* Tables of CSV: random ones written with and without quotes are read back cell by cell; both scans
 * agree on random bytes; numbers against strtod. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <math.h>

#include "engine/base/buffer.h"
#include "engine/base/table.h"
#include "engine/base/table_scan.h"
#include "tests/unit/folder.h"
#include "tests/unit/random.h"

static char path[FOLDER_PATH];

static const char *write_text(const char *name, struct slice text)
{
    folder_path(name, path);
    FILE *file = fopen(path, "wb");
    assert_int_equal(fwrite(text.data, 1, text.size, file), text.size);
    fclose(file);
    return path;
}

static struct table *open_text(const char *text)
{
    struct table *table;
    struct error error;
    if (table_open(write_text("t.csv", slice_of(text)), &table, &error))
        fail_msg("%s", error.message);
    return table;
}

/* ---- random tables ---- */

static void random_cell(struct buffer *out)
{
    static const char plain[] = "abcdefghij0123456789 .-;'x\ty";
    static const char hard[] = "a\",\n\r b";
    size_t kind = random_below(10), n = random_below(kind == 0 ? 300 : 12);
    for (size_t i = 0; i < n; i++)
        buffer_append_char(out, kind < 2 ? hard[random_below(sizeof hard - 1)]
                                         : plain[random_below(sizeof plain - 1)]);
}

static void write_cell(struct buffer *csv, struct slice cell)
{
    bool must =
        cell.size > 0 && (memchr(cell.data, '"', cell.size) || memchr(cell.data, ',', cell.size) ||
                          memchr(cell.data, '\n', cell.size) || memchr(cell.data, '\r', cell.size));
    if (!must && random_below(8)) {
        buffer_append_slice(csv, cell);
        return;
    }
    buffer_append_char(csv, '"');
    for (size_t i = 0; i < cell.size; i++) {
        if (cell.data[i] == '"')
            buffer_append_char(csv, '"');
        buffer_append_char(csv, cell.data[i]);
    }
    buffer_append_char(csv, '"');
}

struct cells {
    struct buffer text;
    size_t begin[200001];
    int64_t line[50000];
    size_t n;
};

static void make_table(struct cells *cells, struct buffer *csv, size_t n_columns, size_t n_rows)
{
    bool returns = random_below(2);
    buffer_append_text(csv, "\xef\xbb\xbf");
    for (size_t i = 0; i < n_columns; i++)
        buffer_printf(csv, "%s\" c%zu\"", i ? "," : "", i);
    buffer_append_text(csv, "\r\n\n");
    int64_t line = 3;
    for (size_t row = 0; row < n_rows; row++) {
        cells->line[row] = line;
        for (size_t i = 0; i < n_columns; i++) {
            size_t begin = cells->text.size;
            cells->begin[cells->n++] = begin;
            random_cell(&cells->text);
            struct slice cell = slice_make(cells->text.data + begin, cells->text.size - begin);
            for (size_t at = 0; at < cell.size; at++)
                line += cell.data[at] == '\n';
            if (i == 0 && cell.size == 0 && n_columns == 1)
                buffer_append_text(csv, "\"\"");
            else
                write_cell(csv, cell);
            buffer_append_text(csv, i + 1 < n_columns   ? ","
                                    : row + 1 == n_rows ? ""
                                    : returns           ? "\r\n"
                                                        : "\n");
        }
        line++;
    }
    cells->begin[cells->n] = cells->text.size;
}

static void reads_back_random_tables(void **state)
{
    (void)state;
    struct cells *cells = calloc(1, sizeof *cells);
    for (int round = 0; round < 12; round++) {
        struct buffer csv;
        buffer_init(&csv, 64 << 20);
        buffer_init(&cells->text, 64 << 20);
        cells->n = 0;
        size_t n_columns = 2 + random_below(7), n_rows = round < 6 ? random_below(50) + 1 : 20000;
        buffer_append_text(&cells->text, "");
        make_table(cells, &csv, n_columns, n_rows);
        struct table *table;
        struct error error = {0};
        if (table_open(write_text("r.csv", buffer_slice(&csv)), &table, &error))
            fail_msg("%s", error.message);
        assert_int_equal(table_n_columns(table), n_columns);
        assert_string_equal(table_column_name(table, 1), "c1");
        size_t n, seen = 0;
        enum status status;
        while (!(status = table_next(table, &n, &error))) {
            assert_int_equal(table_line(table, n - 1), cells->line[seen + n - 1]);
            for (size_t row = 0; row < n; row++, seen++) {
                for (size_t i = 0; i < n_columns; i++) {
                    size_t at = seen * n_columns + i;
                    struct slice want = slice_make(cells->text.data + cells->begin[at],
                                                   cells->begin[at + 1] - cells->begin[at]);
                    struct slice cell = table_cell(table, row, i);
                    if (!slice_equal(cell, want))
                        fail_msg("row %zu column %zu: <" SLICE_FORMAT "> not <" SLICE_FORMAT ">",
                                 seen, i, SLICE_ARGS(cell), SLICE_ARGS(want));
                }
            }
        }
        if (status != STATUS_END)
            fail_msg("%s", error.message);
        assert_int_equal(seen, n_rows);
        table_close(table);
        buffer_free(&csv);
        buffer_free(&cells->text);
    }
    free(cells);
}

static void both_scans_find_the_same(void **state)
{
    (void)state;
    enum { N = 3000 };
    static char text[2][N + TABLE_SCAN_MARGIN];
    static uint32_t ends[2][N + 1];
    for (int round = 0; round < 2000; round++) {
        size_t size = random_below(N);
        uint64_t rare = 2 + random_below(60);
        for (size_t i = 0; i < size; i++)
            text[0][i] = random_below(rare) ? 'x' : ",\n\"\r"[random_below(4)];
        memcpy(text[1], text[0], sizeof text[0]);
        struct table_scan a = {.text = text[0], .size = size, .ends = ends[0]};
        struct table_scan b = {.text = text[1], .size = size, .ends = ends[1]};
        a.last = b.last = random_below(2);
        table_scan(&a);
        table_scan_plain(&b);
        assert_int_equal(a.n_ends, b.n_ends);
        assert_int_equal(a.from, b.from);
        assert_memory_equal(ends[0], ends[1], a.n_ends * sizeof ends[0][0]);
        assert_memory_equal(text[0], text[1], size);
        assert_int_equal(a.open_quote, b.open_quote);
        assert_int_equal(a.after_quote, b.after_quote);
    }
}

/* ---- numbers ---- */

static void gives_columns_as_numbers(void **state)
{
    (void)state;
    struct table *table = open_text("a,b\n1.5,x\n NA ,y\n\"2\",z\n,\nbad,0.1\n");
    struct error error;
    size_t n;
    assert_int_equal(table_next(table, &n, &error), STATUS_OK);
    assert_int_equal(n, 5);
    double numbers[5];
    assert_int_equal(table_find(table, "a"), 0);
    assert_int_equal(table_find(table, "c"), -1);
    assert_int_equal(table_doubles(table, 0, 0, n, numbers), 4);
    assert_true(numbers[0] == 1.5 && isnan(numbers[1]) && numbers[2] == 2 && isnan(numbers[3]));
    assert_int_equal(table_not_a_number(table, 4, 0, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, ": line 6, column 1: \"bad\" is not a number"));
    float floats[4] = {0};
    assert_int_equal(table_floats(table, 1, 3, 2, floats, 2), 2);
    assert_true(isnan(floats[0]) && floats[2] == 0.1f);
    assert_int_equal(table_next(table, &n, &error), STATUS_END);
    table_close(table);
}

static void knows_the_words_for_missing(void **state)
{
    (void)state;
    static const char *const words[] = {"", "NA", "nan", "NaN", "null", "None", "#N/A N/A", "<NA>"};
    static const char *const others[] = {"na", "none", "0", "NAN ", "NANA", "#N/A N/A "};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        assert_true(table_is_missing(slice_of(words[i])));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(table_is_missing(slice_of(others[i])));
}

static void one_column_may_have_empty_cells(void **state)
{
    (void)state;
    struct table *table = open_text("a\n1\n\n3");
    struct error error;
    size_t n;
    assert_int_equal(table_next(table, &n, &error), STATUS_OK);
    assert_int_equal(n, 3);
    double numbers[3];
    assert_int_equal(table_doubles(table, 0, 0, n, numbers), 3);
    assert_true(numbers[0] == 1 && isnan(numbers[1]) && numbers[2] == 3);
    table_close(table);
}

static void a_record_may_be_long(void **state)
{
    (void)state;
    struct buffer csv;
    buffer_init(&csv, 64 << 20);
    buffer_append_text(&csv, "a,b\n1,\"");
    for (int i = 0; i < 3000000; i++)
        buffer_append_char(&csv, i % 50 ? 'x' : '\n');
    buffer_append_text(&csv, "\"\n2,y\n");
    struct table *table;
    struct error error;
    assert_int_equal(table_open(write_text("long.csv", buffer_slice(&csv)), &table, &error),
                     STATUS_OK);
    size_t n;
    assert_int_equal(table_next(table, &n, &error), STATUS_OK);
    assert_int_equal(table_cell(table, 0, 1).size, 3000000);
    table_close(table);
    buffer_free(&csv);
}

static void says_what_is_wrong_and_where(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "the file is empty: a header is needed"},
        {"\n\n", "the file is empty: a header is needed"},
        {"a,b\n1,2\n3\n", "line 3 has 1 cells, the header 2"},
        {"a,b\n1,2\n3", "line 3 has 1 cells, the header 2"},
        {"a,b\n1,2,3\n", "line 2 has 3 cells, the header 2"},
        {"a,b\n1,\"2\n3,4\n", "line 2: a quote is left open"},
        {"a,b\n1,\"2\"x\n3,4\n", "line 2: a cell goes on behind its closing quote"},
        {"\"a,b\n", "line 1: a quote is left open"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct table *table = NULL;
        struct error error = {0};
        size_t n;
        enum status status =
            table_open(write_text("bad.csv", slice_of(cases[i].text)), &table, &error);
        while (!status)
            status = table_next(table, &n, &error);
        assert_int_equal(status, STATUS_INVALID);
        if (!strstr(error.message, cases[i].message))
            fail_msg("%zu: %s", i, error.message);
        table_close(table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_back_random_tables),
        cmocka_unit_test(both_scans_find_the_same),
        cmocka_unit_test(gives_columns_as_numbers),
        cmocka_unit_test(knows_the_words_for_missing),
        cmocka_unit_test(one_column_may_have_empty_cells),
        cmocka_unit_test(a_record_may_be_long),
        cmocka_unit_test(says_what_is_wrong_and_where),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
