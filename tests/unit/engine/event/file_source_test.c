/* Event files: telling formats apart, places, resuming, what is too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/event/file_source.h"
#include "tests/unit/folder.h"

static const char *file_with(const char *name, struct slice text)
{
    static char path[FOLDER_PATH];
    folder_path(name, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text.data, 1, text.size, file), text.size);
    assert_int_equal(fclose(file), 0);
    return path;
}

static struct file_source *open_text(const char *name, const char *text)
{
    struct file_source *source;
    struct error error;
    if (file_source_open(file_with(name, slice_of(text)), FILE_AUTO, &source, &error))
        fail_msg("%s", error.message);
    return source;
}

static void tells_formats_apart_by_name_and_then_by_content(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        enum event_format format;
    } cases[] = {
        {"a.csv", "{\n", FORMAT_CSV},
        {"a.jsonl", "a,b\n", FORMAT_JSON},
        {"a.json", "a,b\n", FORMAT_JSON},
        {"a.ndjson", "a\n", FORMAT_JSON},
        {"a", "\n  {\"a\":1}", FORMAT_JSON},
        {"b", "id,ts\n", FORMAT_CSV},
        {"c", "", FORMAT_JSON},
        {"d.txt", "[1]", FORMAT_JSON},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct file_source *source = open_text(cases[i].name, cases[i].text);
        assert_int_equal(file_source_format(source), cases[i].format);
        file_source_close(source);
    }
}

static void expect(struct file_source *source, int64_t line, const char *text)
{
    struct file_record record;
    assert_int_equal(file_source_next(source, NULL, &record, NULL), STATUS_OK);
    assert_int_equal(record.line, line);
    assert_true(slice_is(record.raw, text));
}

static void expect_end(struct file_source *source)
{
    struct file_record record;
    assert_int_equal(file_source_next(source, NULL, &record, NULL), STATUS_END);
}

static void gives_records_with_their_line_numbers(void **state)
{
    (void)state;
    struct file_source *source = open_text("a.csv", "id,ts\r\n1,2\r\n\r\n3,4");
    assert_true(slice_is(file_source_header(source), "id,ts"));
    expect(source, 2, "1,2");
    expect(source, 4, "3,4");
    expect_end(source);
    expect_end(source);
    file_source_close(source);
    source = open_text("a.jsonl", "{\"a\":1}\n\n {\"a\":2}\n");
    expect(source, 1, "{\"a\":1}");
    expect(source, 3, " {\"a\":2}");
    expect_end(source);
    file_source_close(source);
}

static void goes_on_after_any_line(void **state)
{
    (void)state;
    static const char *const texts[2] = {"h\n2\n3\n4\n5\n", "{1}\n2\n3\n4\n5\n"};
    for (int csv = 0; csv < 2; csv++) {
        for (int64_t after = 0; after < 8; after++) {
            struct file_source *source = open_text(csv ? "a.csv" : "a.jsonl", texts[!csv]);
            assert_int_equal(file_source_resume(source, after, NULL), STATUS_OK);
            for (int64_t line = after + 1; line <= 5; line++) {
                char text[8];
                if (csv && line == 1)
                    continue; /* the header is not a record */
                (void)snprintf(text, sizeof text, line == 1 ? "{%d}" : "%d", (int)line);
                expect(source, line, text);
            }
            expect_end(source);
            file_source_close(source);
        }
    }
}

static void keeps_records_in_the_arena_and_repeats_what_had_no_room(void **state)
{
    (void)state;
    struct file_source *source = open_text("a.jsonl", "{\"a\":\"0123456789012345678\"}\n{}\n");
    struct arena *arena = arena_create(48);
    struct file_record first;
    struct file_record second;
    (void)arena_alloc(arena, 32);
    assert_int_equal(file_source_next(source, arena, &first, NULL), STATUS_FULL);
    arena_reset(arena);
    assert_int_equal(file_source_next(source, arena, &first, NULL), STATUS_OK);
    assert_int_equal(file_source_next(source, arena, &second, NULL), STATUS_OK);
    assert_true(slice_is(first.raw, "{\"a\":\"0123456789012345678\"}"));
    assert_true(slice_is(second.raw, "{}"));
    arena_destroy(arena);
    file_source_close(source);
}

static void goes_on_behind_a_record_that_is_too_long(void **state)
{
    (void)state;
    size_t size = 2 * MAX_EVENT_BYTES;
    char *text = malloc(size);
    memset(text, 'x', size);
    memcpy(text + size - 4, "\n{}\n", 4);
    struct file_source *source;
    struct file_record record;
    assert_int_equal(
        file_source_open(file_with("a.jsonl", slice_make(text, size)), FILE_AUTO, &source, NULL),
        STATUS_OK);
    assert_int_equal(file_source_next(source, NULL, &record, NULL), STATUS_OK);
    assert_true(record.too_long);
    assert_true(record.raw.size > MAX_EVENT_BYTES); /* so the decoder refuses it */
    expect(source, 2, "{}");
    file_source_close(source);
    free(text);
}

static void refuses_files_it_cannot_read(void **state)
{
    (void)state;
    struct file_source *source;
    struct error error;
    assert_int_not_equal(file_source_open("/nowhere/a.csv", FILE_AUTO, &source, &error), STATUS_OK);
    assert_null(source);
    assert_non_null(strstr(error.message, "/nowhere/a.csv"));
    assert_int_equal(file_source_open(file_with("e.csv", slice_of("")), FILE_AUTO, &source, &error),
                     STATUS_INVALID);
    assert_non_null(strstr(error.message, "header"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tells_formats_apart_by_name_and_then_by_content),
        TEST(gives_records_with_their_line_numbers),
        TEST(goes_on_after_any_line),
        TEST(keeps_records_in_the_arena_and_repeats_what_had_no_room),
        TEST(goes_on_behind_a_record_that_is_too_long),
        TEST(refuses_files_it_cannot_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
