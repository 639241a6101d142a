/* Log lines as text and as JSON, and error messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/json.h"
#include "engine/base/log.h"
#include "engine/base/slice.h"

static size_t read_pipe(int fd, char *out, size_t size)
{
    ssize_t n = read(fd, out, size - 1);
    out[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

static void writes_one_line_of_text(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct log *log = log_create(ends[1], LOG_INFO, false);
    assert_false(log_is_on(log, LOG_DEBUG));
    assert_true(log_is_on(log, LOG_INFO));
    log_write(log, LOG_DEBUG, "record", "hidden", "x");
    log_write(log, LOG_WARN, "record", "disk_full", "\"%s\" is\nfull; free %d MB", "/x", 5);
    char text[512];
    size_t size = read_pipe(ends[0], text, sizeof text);
    assert_non_null(
        strstr(text, " warn record disk_full msg=\"\\\"/x\\\" is\\nfull; free 5 MB\"\n"));
    assert_ptr_equal(strchr(text, '\n'), text + size - 1);
    assert_memory_equal(text, "20", 2);
    log_destroy(log);
    close(ends[0]);
    close(ends[1]);
}

static void writes_json_lines(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct log *log = log_create(ends[1], LOG_DEBUG, true);
    log_write(log, LOG_ERROR, "alerts", "not_sent", "a \"quoted\" %s", "\xff");
    char text[512];
    size_t size = read_pipe(ends[0], text, sizeof text);
    struct json *json;
    struct error error;
    assert_int_equal(json_parse(slice_make(text, size), &json, &error), STATUS_OK);
    assert_string_equal(json_as_text(json_get(json, "level"), ""), "error");
    assert_string_equal(json_as_text(json_get(json, "component"), ""), "alerts");
    assert_string_equal(json_as_text(json_get(json, "event"), ""), "not_sent");
    assert_string_equal(json_as_text(json_get(json, "msg"), ""), "a \"quoted\" \xef\xbf\xbd");
    json_destroy(json);
    log_destroy(log);
    close(ends[0]);
    close(ends[1]);
}

static void goes_where_it_is_redirected(void **state)
{
    (void)state;
    int first[2], second[2];
    assert_int_equal(pipe(first), 0);
    assert_int_equal(pipe(second), 0);
    struct log *log = log_create(first[1], LOG_INFO, false);
    log_redirect(log, -1);
    log_write(log, LOG_ERROR, "a", "dropped", "x");
    log_redirect(log, second[1]);
    log_write(log, LOG_ERROR, "a", "kept", "x");
    close(first[1]);
    char text[512];
    assert_int_equal(read_pipe(first[0], text, sizeof text), 0);
    read_pipe(second[0], text, sizeof text);
    assert_non_null(strstr(text, "kept"));
    log_destroy(log);
    close(first[0]);
    close(second[0]);
    close(second[1]);
    log_write(NULL, LOG_ERROR, "a", "b", "c"); /* nothing happens */
    log_redirect(NULL, 2);
}

static void cuts_long_messages(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct log *log = log_create(ends[1], LOG_INFO, false);
    char *message = malloc(5001);
    memset(message, '\x01', 5000); /* six bytes each once escaped */
    message[5000] = '\0';
    log_write(log, LOG_INFO, "a", "long", "%s", message);
    char *text = malloc(65536);
    size_t size = read_pipe(ends[0], text, 65536);
    assert_true(size > 2047 * 6 && size < 16384);
    assert_int_equal(text[size - 1], '\n');
    free(text);
    free(message);
    log_destroy(log);
    close(ends[0]);
    close(ends[1]);
}

static void errors_say_what_and_where(void **state)
{
    (void)state;
    struct error error;
    assert_int_equal(error_set(&error, STATUS_FULL, "queue %s is full", "q"), STATUS_FULL);
    assert_string_equal(error.message, "queue q is full");
    assert_true(error.retriable);
    assert_int_equal(error_prefix(&error, "line %d", 3), STATUS_FULL);
    assert_string_equal(error.message, "line 3: queue q is full");
    assert_int_equal(error_set(NULL, STATUS_IO, "x"), STATUS_IO);
    error_set(&error, STATUS_INVALID, "%600d", 1);
    assert_false(error.retriable);
    error_prefix(&error, "%600d", 2);
    assert_int_equal(strlen(error.message), sizeof error.message - 1);
    assert_string_equal(status_name(STATUS_NOT_FOUND), "not_found");
    assert_string_equal(status_name((enum status)99), "unknown");
}

static void slices_compare_and_trim(void **state)
{
    (void)state;
    assert_true(slice_compare(slice_of("a"), slice_of("b")) < 0);
    assert_true(slice_compare(slice_of("ab"), slice_of("a")) > 0);
    assert_true(slice_compare(slice_of("\xff"), slice_of("a")) > 0);
    assert_int_equal(slice_compare(slice_make(NULL, 0), slice_of("")), 0);
    assert_true(slice_is(slice_trim(slice_of(" \t a b\r\n")), "a b"));
    assert_int_equal(slice_trim(slice_of(" \n")).size, 0);
    assert_true(slice_equal(slice_make(NULL, 0), slice_of("")));
}

static void keeps_the_newest_lines_for_those_who_look(void **state)
{
    (void)state;
    struct log *log = log_create(-1, LOG_INFO, false);
    static struct log_line lines[LOG_KEPT];
    struct log_filter all = {LOG_DEBUG, INT64_MIN, INT64_MAX, 0};
    uint64_t newest = 7;
    assert_int_equal(log_lines(log, &all, lines, LOG_KEPT, &newest), 0);
    assert_int_equal(newest, 0);
    for (int i = 1; i <= LOG_KEPT + 5; i++)
        log_write(log, i % 2 ? LOG_WARN : LOG_INFO, "record", "line", "number %d", i);
    log_write(log, LOG_DEBUG, "record", "off", "not kept");
    assert_int_equal(log_lines(log, &all, lines, LOG_KEPT, &newest), LOG_KEPT);
    assert_int_equal(newest, LOG_KEPT + 5);
    assert_string_equal(lines[0].message, "number 6");
    assert_string_equal(lines[LOG_KEPT - 1].message, "number 1029");
    struct log_filter some = {LOG_WARN, INT64_MIN, INT64_MAX, LOG_KEPT};
    assert_int_equal(log_lines(log, &some, lines, LOG_KEPT, NULL), 3);
    assert_string_equal(lines[0].message, "number 1025");
    assert_int_equal(log_lines(log, &some, lines, 1, NULL), 1);
    assert_string_equal(lines[0].message, "number 1029");
    some.to_us = lines[0].time_us - 60000000;
    assert_int_equal(log_lines(log, &some, lines, LOG_KEPT, NULL), 0);
    log_destroy(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_one_line_of_text),
        cmocka_unit_test(writes_json_lines),
        cmocka_unit_test(goes_where_it_is_redirected),
        cmocka_unit_test(cuts_long_messages),
        cmocka_unit_test(errors_say_what_and_where),
        cmocka_unit_test(slices_compare_and_trim),
        cmocka_unit_test(keeps_the_newest_lines_for_those_who_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
