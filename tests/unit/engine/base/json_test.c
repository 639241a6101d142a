/* The JSON writer and the reader, one against the other, and UTF-8. */
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

#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/utf8.h"

static void writes_every_kind_with_commas_in_place(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 4096);
    struct json_writer writer;
    json_begin(&writer, &out);
    json_object(&writer, NULL);
    json_array(&writer, "empty");
    json_array_end(&writer);
    json_array(&writer, "a");
    json_int(&writer, NULL, -5);
    json_int(&writer, NULL, INT64_MIN);
    json_object(&writer, NULL);
    json_object_end(&writer);
    json_null(&writer, NULL);
    json_array_end(&writer);
    json_bool(&writer, "t", true);
    json_bool(&writer, "f", false);
    json_number(&writer, "n", 0.1);
    json_number(&writer, "nan", NAN);
    json_number(&writer, "inf", -INFINITY);
    json_float(&writer, "fl", 0.1f);
    json_float(&writer, "fnan", NAN);
    json_text(&writer, "none", NULL);
    json_text(&writer, "text", "x");
    json_text_or_null(&writer, "empty", "");
    json_text_or_null(&writer, "filled", "y");
    json_hex(&writer, "hex", "\x01\xfe", 2);
    json_time_or_null(&writer, "never", 0);
    json_time_or_null(&writer, "time", 1500000);
    json_raw(&writer, "raw", slice_of("[1,2]"));
    json_object_end(&writer);
    assert_string_equal(
        out.data, "{\"empty\":[],\"a\":[-5,-9223372036854775808,{},null],\"t\":true,\"f\":false,"
                  "\"n\":0.1,\"nan\":null,\"inf\":null,\"fl\":0.100000001,\"fnan\":null,"
                  "\"none\":null,\"text\":\"x\",\"empty\":null,\"filled\":\"y\",\"hex\":\"01fe\","
                  "\"never\":null,\"time\":\"1970-01-01T00:00:01.500000Z\","
                  "\"raw\":[1,2]}");
    buffer_free(&out);
}

static void writes_contract_values_by_type(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 4096);
    struct json_writer writer;
    json_begin(&writer, &out);
    json_array(&writer, NULL);
    const struct value values[] = {value_null(), value_number(3), value_bool(true),
                                   value_string(slice_of("s")), value_time(0)};
    for (size_t i = 0; i < 5; i++)
        json_value(&writer, NULL, &values[i]);
    json_array_end(&writer);
    assert_string_equal(out.data, "[null,3,true,\"s\",\"1970-01-01T00:00:00Z\"]");
    buffer_free(&out);
}

static void assert_escaped(struct slice text, const char *expected)
{
    struct buffer out;
    buffer_init(&out, 4096);
    struct json_writer writer;
    json_begin(&writer, &out);
    json_string(&writer, NULL, text);
    assert_string_equal(out.data, expected);
    buffer_free(&out);
}

static void escapes_what_must_be(void **state)
{
    (void)state;
    assert_escaped(slice_make(NULL, 0), "\"\"");
    assert_escaped(slice_of("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
    assert_escaped(slice_of("\b\f\n\r\t\x01\x1f\x7f"), "\"\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\"");
    assert_escaped(slice_make("a\0b", 3), "\"a\\u0000b\"");
    assert_escaped(slice_of("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
                   "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

/* C1 controls, and marks that turn the direction of what follows: Trojan Source, CVE-2021-42574. */
static void escapes_what_a_screen_would_obey(void **state)
{
    (void)state;
    assert_escaped(slice_of("a\xc2\x9b"
                            "2J\xc2\x80\xc2\x9f\xc2\xa0"),
                   "\"a\\u009b2J\\u0080\\u009f\xc2\xa0\"");
    assert_escaped(slice_of("\xe2\x80\xae|\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xa7\xe2\x80\xaf"),
                   "\"\\u202e|\\u2028\\u2029\xe2\x80\xa7\xe2\x80\xaf\"");
    assert_escaped(slice_of("\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c"),
                   "\"\\u2066\\u2069\xe2\x81\xaa\\u200e\\u200f\\u061c\"");
}

static void a_document_is_made_plain_and_stays_the_same_value(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 4096);
    assert_true(json_plain(
        slice_of("{\"a\":\"x\xc2\x9b\xc3\xa9\x7f\\n\",\n \"\xe2\x80\xae\":[1, \"\"]}"), &out));
    assert_true(slice_is(buffer_slice(&out),
                         "{\"a\":\"x\\u009b\xc3\xa9\\u007f\\n\",\n \"\\u202e\":[1, \"\"]}"));
    struct json *json;
    struct error error;
    assert_int_equal(json_parse(buffer_slice(&out), &json, &error), STATUS_OK);
    assert_string_equal(json_as_text(json_get(json, "a"), ""), "x\xc2\x9b\xc3\xa9\x7f\n");
    json_destroy(json);
    buffer_reset(&out);
    struct json_writer writer;
    json_begin(&writer, &out);
    json_object(&writer, NULL);
    json_recorded(&writer, "input", slice_of("{\"b\":\"\xc2\x9b\"}"));
    json_object_end(&writer);
    assert_true(slice_is(buffer_slice(&out), "{\"input\":{\"b\":\"\\u009b\"}}"));
    buffer_free(&out);
}

static void replaces_what_is_not_utf8(void **state)
{
    (void)state;
    assert_escaped(slice_of("a\xff"
                            "b"),
                   "\"a\xef\xbf\xbd"
                   "b\"");
    assert_escaped(slice_of("\xc3"), "\"\xef\xbf\xbd\"");
    assert_escaped(slice_of("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\""); /* overlong */
    assert_escaped(slice_of("\xed\xa0\x80"),
                   "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* surrogate */
    assert_escaped(slice_of("\xf4\x90\x80\x80"),
                   "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void tells_utf8(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "plain ascii of some length",
                                       "\xc3\xa9",
                                       "\xe2\x82\xac",
                                       "\xf0\x9f\x98\x80",
                                       "\xf4\x8f\xbf\xbf",
                                       "\xee\x80\x80",
                                       "0123456\xc3\xa9"
                                       "89abcdef\xc3\xa9"};
    static const char *const bad[] = {"\x80",
                                      "\xc3",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x80\x80",
                                      "\xed\xa0\x80",
                                      "\xf0\x80\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "ascii then \xe2\x82",
                                      "0123456789abcdef\xff"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(utf8_is_valid(slice_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(utf8_is_valid(slice_of(bad[i])));
}

static void fits_whole_characters(void **state)
{
    (void)state;
    struct slice text = slice_of("a\xc3\xa9\xf0\x9f\x98\x80z");
    static const size_t fitting[] = {0, 1, 1, 3, 3, 3, 3, 7, 8, 8};
    for (size_t room = 0; room < sizeof fitting / sizeof *fitting; room++)
        assert_int_equal(utf8_fitting(text, room), fitting[room]);
}

static struct json *parse(struct slice text)
{
    struct json *json;
    struct error error = {0};
    if (json_parse(text, &json, &error))
        fail_msg("%.*s: %s", SLICE_ARGS(text), error.message);
    return json;
}

static void reads_documents(void **state)
{
    (void)state;
    struct json *json = parse(slice_of(
        " {\"a\": [1, 2.5, \"x\"], \"b\": {\"c\": true}, \"n\": null, \"B\": false, \"a\": 9} "));
    assert_int_equal(json_kind(json), JSON_OBJECT);
    assert_int_equal(json_size(json), 5);
    const struct json *a = json_get(json, "a");
    assert_int_equal(json_kind(a), JSON_ARRAY);
    assert_int_equal(json_size(a), 3);
    assert_true(json_as_number(json_item(a, 1), 0) == 2.5);
    assert_string_equal(json_as_text(json_item(a, 2), NULL), "x");
    assert_null(json_item(a, 3));
    assert_true(json_as_bool(json_get(json_get(json, "b"), "c"), false));
    assert_int_equal(json_kind(json_get(json, "n")), JSON_NULL);
    assert_null(json_get(json, "c"));
    assert_null(json_get(a, "a"));
    assert_null(json_get(NULL, "a"));
    assert_true(isnan(json_as_number(json_get(json, "missing"), NAN)));
    assert_string_equal(json_as_text(a, "fallback"), "fallback");
    assert_true(json_as_bool(a, true));
    assert_string_equal(json_item_key(json_first(json)), "a");
    assert_string_equal(json_item_key(json_next(json_first(json))), "b");
    assert_false(json_as_bool(json_get(json, "B"), true));
    json_destroy(json);
    json_destroy(NULL);
}

static void refuses_what_is_not_json(void **state)
{
    (void)state;
    static const char *const bad[] = {"",           "  ",  "{",        "[1,]",    "{\"a\"}",
                                      "{a:1}",      "nul", "1 2",      "\"open",  "[1]]",
                                      "{\"a\":1}x", "'a'", "\"\xff\"", "\"a\nb\""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct json *json;
        struct error error = {0};
        assert_int_equal(json_parse(slice_of(bad[i]), &json, &error), STATUS_INVALID);
        assert_null(json);
        assert_true(error.message[0] != '\0');
    }
    struct json *json;
    struct error error = {0};
    assert_int_equal(json_parse(slice_make("1\0", 2), &json, &error), STATUS_INVALID);
    assert_int_equal(json_parse(slice_of("[1, x]"), &json, &error), STATUS_INVALID);
    assert_string_equal(error.message, "byte 5: not JSON");
    char deep[131];
    memset(deep, '[', 65);
    memset(deep + 65, ']', 65);
    deep[130] = '\0';
    assert_int_equal(json_parse(slice_of(deep), &json, &error), STATUS_INVALID);
    assert_string_equal(error.message, "byte 65: nested more than 64 deep");
    struct json *fine = parse(slice_make(deep + 1, 128));
    json_destroy(fine);
}

static uint64_t draw(uint64_t *state)
{
    ++*state;
    return hash64(state, sizeof *state, 2);
}

/* Every random double and string comes back as it was. */
static void reads_back_what_it_wrote(void **state)
{
    (void)state;
    uint64_t random = 1;
    struct buffer out;
    buffer_init(&out, 1 << 20);
    for (int round = 0; round < 2000; round++) {
        uint64_t bits = draw(&random);
        double number;
        memcpy(&number, &bits, sizeof number);
        if (!isfinite(number))
            continue;
        char text[40];
        size_t size = draw(&random) % sizeof text;
        for (size_t i = 0; i < size; i++)
            text[i] = (char)(draw(&random) % 127 + 1);
        buffer_reset(&out);
        struct json_writer writer;
        json_begin(&writer, &out);
        json_object(&writer, NULL);
        json_number(&writer, "number", number);
        json_string(&writer, "text", slice_make(text, size));
        json_int(&writer, "small", (int64_t)(bits >> 12));
        json_object_end(&writer);
        struct json *json = parse(buffer_slice(&out));
        double back = json_as_number(json_get(json, "number"), NAN);
        assert_memory_equal(&back, &number, sizeof back);
        const char *text_back = json_as_text(json_get(json, "text"), "");
        assert_int_equal(strlen(text_back), size);
        assert_memory_equal(text_back, text, size);
        assert_true(json_as_number(json_get(json, "small"), 0) == (double)(bits >> 12));
        json_destroy(json);
    }
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_every_kind_with_commas_in_place),
        cmocka_unit_test(writes_contract_values_by_type),
        cmocka_unit_test(escapes_what_must_be),
        cmocka_unit_test(escapes_what_a_screen_would_obey),
        cmocka_unit_test(a_document_is_made_plain_and_stays_the_same_value),
        cmocka_unit_test(replaces_what_is_not_utf8),
        cmocka_unit_test(tells_utf8),
        cmocka_unit_test(fits_whole_characters),
        cmocka_unit_test(reads_documents),
        cmocka_unit_test(refuses_what_is_not_json),
        cmocka_unit_test(reads_back_what_it_wrote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
