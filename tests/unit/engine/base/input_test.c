/* Lines from plain and packed files, and CSV cells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <zlib.h>

#include "engine/base/buffer.h"
#include "engine/base/input.h"
#include "tests/unit/folder.h"

static const char *write_file(const char *name, const void *data, size_t size)
{
    static char path[FOLDER_PATH];
    folder_path(name, path);
    FILE *file = fopen(path, "wb");
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
    return path;
}

/* One gzip member. */
static void pack(struct slice text, struct buffer *out)
{
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    char *place = buffer_reserve(out, deflateBound(&stream, text.size));
    stream.next_in = (unsigned char *)(uintptr_t)text.data;
    stream.avail_in = (uInt)text.size;
    stream.next_out = (unsigned char *)place;
    stream.avail_out = (uInt)deflateBound(&stream, text.size);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out->size += stream.total_out;
    deflateEnd(&stream);
}

static struct input *open_input(const char *path, size_t max_line)
{
    struct input *input;
    struct error error = {0};
    if (input_open(path, max_line, &input, &error))
        fail_msg("%s", error.message);
    return input;
}

static void assert_line(struct input *input, const char *expected)
{
    struct slice line;
    struct error error = {0};
    assert_int_equal(input_line(input, &line, &error), STATUS_OK);
    assert_true(slice_is(line, expected));
}

static void assert_end(struct input *input)
{
    struct slice line;
    struct error error = {0};
    assert_int_equal(input_line(input, &line, &error), STATUS_END);
    assert_int_equal(input_line(input, &line, &error), STATUS_END);
}

static const char lines[] = "\xef\xbb\xbfone\r\n\ntwo \nlast";

static void assert_lines(struct input *input)
{
    assert_line(input, "one");
    assert_int_equal(input_line_number(input), 1);
    assert_line(input, "");
    assert_line(input, "two ");
    assert_line(input, "last");
    assert_int_equal(input_line_number(input), 4);
    assert_end(input);
    assert_int_equal(input_line_number(input), 4);
}

static void reads_lines_of_plain_files(void **state)
{
    (void)state;
    struct input *input = open_input(write_file("a.txt", lines, sizeof lines - 1), 100);
    assert_int_equal(input_size(input), sizeof lines - 1);
    assert_int_equal(input_position(input), 0);
    assert_lines(input);
    assert_int_equal(input_position(input), sizeof lines - 1);
    input_close(input);
    input_close(NULL);
}

static void reads_lines_of_packed_files_and_their_members(void **state)
{
    (void)state;
    struct buffer packed;
    buffer_init(&packed, 1 << 20);
    pack(slice_make(lines, 5), &packed);
    pack(slice_make(lines + 5, sizeof lines - 1 - 5), &packed);
    struct input *input = open_input(write_file("a.gz", packed.data, packed.size), 100);
    assert_lines(input);
    assert_int_equal(input_position(input), packed.size);
    input_close(input);
    buffer_free(&packed);
}

static void says_when_a_packed_file_is_cut_or_broken(void **state)
{
    (void)state;
    struct buffer text, packed;
    buffer_init(&text, 1 << 20);
    buffer_init(&packed, 1 << 20);
    for (int i = 0; i < 20000; i++)
        buffer_printf(&text, "line %d %d\n", i, i * 7919 % 10007);
    pack(buffer_slice(&text), &packed);
    static const size_t cuts[] = {0, 5, 1000, 8}; /* the last: from the end */
    for (size_t i = 0; i < 4; i++) {
        size_t size = i == 3 ? packed.size - 8 : cuts[i];
        struct input *input = open_input(write_file("cut.gz", packed.data, size), 100);
        struct slice line;
        struct error error = {0};
        enum status status;
        while ((status = input_line(input, &line, &error)) == STATUS_OK)
            ;
        assert_int_equal(status, STATUS_CORRUPT);
        assert_non_null(strstr(error.message, "cut.gz: not a whole gzip file"));
        input_close(input);
    }
    packed.data[packed.size / 2] ^= 0x55;
    struct input *input = open_input(write_file("broken.gz", packed.data, packed.size), 100);
    struct error error = {0};
    assert_int_equal(input_skip(input, 100000, &error), STATUS_CORRUPT);
    input_close(input);
    input = open_input(write_file("text.gz", "not gzip", 8), 100);
    assert_int_equal(input_skip(input, 1, &error), STATUS_CORRUPT);
    input_close(input);
    buffer_free(&text);
    buffer_free(&packed);
}

static void cuts_long_lines_and_goes_on(void **state)
{
    (void)state;
    struct buffer text;
    buffer_init(&text, 4 << 20);
    /* long lines of every size around the block's, between short ones */
    for (size_t size = 0; size < 12; size++) {
        size_t n = size < 6 ? 9 + size : (256 << 10) - 9 + size;
        buffer_append_text(&text, "<short>\n");
        for (size_t i = 0; i < n; i++)
            buffer_append_char(&text, (char)('a' + i % 26));
        buffer_append_text(&text, size % 2 ? "\n" : "\r\n");
    }
    struct input *input = open_input(write_file("long.txt", text.data, text.size), 10);
    for (size_t size = 0; size < 12; size++) {
        size_t n = size < 6 ? 9 + size : (256 << 10) - 9 + size;
        assert_line(input, "<short>");
        struct slice line;
        struct error error = {0};
        assert_int_equal(input_line(input, &line, &error), n <= 10 ? STATUS_OK : STATUS_FULL);
        assert_true(slice_equal(line, slice_make("abcdefghij", n < 10 ? n : 10)));
        assert_int_equal(input_line_number(input), 2 * size + 2);
    }
    assert_end(input);
    input_close(input);
    buffer_free(&text);
}

static void skips_lines(void **state)
{
    (void)state;
    struct input *input = open_input(write_file("a.txt", "1\n2\n3\n", 6), 100);
    struct error error;
    assert_int_equal(input_skip(input, 2, &error), STATUS_OK);
    assert_line(input, "3");
    assert_int_equal(input_skip(input, 1, &error), STATUS_END);
    input_close(input);
}

static void names_files_that_cannot_be_read(void **state)
{
    (void)state;
    struct input *input;
    struct error error = {0};
    assert_int_equal(input_open("/nonexistent", 10, &input, &error), STATUS_NOT_FOUND);
    assert_string_equal(error.message, "/nonexistent: No such file or directory");
    assert_int_equal(input_open("/tmp", 10, &input, &error), STATUS_IO);
    assert_null(input);
}

static void splits_csv_cells(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int n;
        const char *cells[4];
    } table[] = {
        {"a,b,c", 3, {"a", "b", "c"}},
        {"", 1, {""}},
        {",", 2, {"", ""}},
        {"a,,", 3, {"a", "", ""}},
        {"\"a,b\",c", 2, {"a,b", "c"}},
        {"\"a \"\"quoted\"\" word\",\"\"\"\"", 2, {"a \"quoted\" word", "\""}},
        {"\"\",x", 2, {"", "x"}},
        {"a\"b,c\"", 2, {"a\"b", "c\""}},
        {" a , b", 2, {" a ", " b"}},
        {"\"x\"", 1, {"x"}},
        {"x,\"\"", 2, {"x", ""}},
        {"1,\"a\"\"\",\"\"\"b\",2", 4, {"1", "a\"", "\"b", "2"}},
        {"\"open", -1, {0}},
        {"\"a\"b,c", -1, {0}},
        {"\"a\" ,c", -1, {0}},
        {"\"a\"\"", -1, {0}},
        {"a,\"", -1, {0}},
    };
    struct buffer scratch;
    buffer_init(&scratch, 1000);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct slice cells[4];
        int n = csv_split(slice_of(table[i].line), cells, 4, &scratch);
        assert_int_equal(n, table[i].n);
        for (int cell = 0; cell < n; cell++)
            if (!slice_is(cells[cell], table[i].cells[cell]))
                fail_msg("%s: cell %d is %.*s", table[i].line, cell, SLICE_ARGS(cells[cell]));
    }
    struct slice cells[2];
    assert_int_equal(csv_split(slice_of("a,b,c,d,e"), cells, 2, &scratch), 5);
    assert_true(slice_is(cells[1], "b"));
    assert_int_equal(csv_split(slice_make(NULL, 0), cells, 2, &scratch), 1);
    buffer_free(&scratch);
    buffer_init(&scratch, 3);
    assert_int_equal(csv_split(slice_of("\"a\"\"b\""), cells, 2, &scratch), -1);
    buffer_free(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_lines_of_plain_files),
        cmocka_unit_test(reads_lines_of_packed_files_and_their_members),
        cmocka_unit_test(says_when_a_packed_file_is_cut_or_broken),
        cmocka_unit_test(cuts_long_lines_and_goes_on),
        cmocka_unit_test(skips_lines),
        cmocka_unit_test(names_files_that_cannot_be_read),
        cmocka_unit_test(splits_csv_cells),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
