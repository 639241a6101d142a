/* The decoder on good and bad JSON objects and CSV records, and the canonical form. Grammar cases
 * follow RFC 8259 and, for CSV, RFC 4180; tests/fuzz/decoder_fuzz.c compares with cJSON. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/event/decoder.h"
#include "tests/unit/random.h"

enum { ID, AMOUNT, COUNT, OK_FLAG, TS, NOTE, FIELDS };

static const struct field fields[FIELDS] = {
    [ID] = {"id", FIELD_STRING, true, false, false},
    [AMOUNT] = {"amount", FIELD_FLOAT, true, false, false},
    [COUNT] = {"count", FIELD_INT, false, true, false},
    [OK_FLAG] = {"ok", FIELD_BOOL, false, false, false},
    [TS] = {"ts", FIELD_TIMESTAMP, true, false, false},
    [NOTE] = {"note", FIELD_STRING, false, true, true},
};
static const struct schema schema = {"t", "1", fields, FIELDS, ID, TS, COUNT, NOTE};

struct fixture {
    struct decoder *decoder, *strict;
    struct arena *arena;
    struct buffer out;
    struct event event;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){0};
    assert_int_equal(decoder_create(&schema, true, &fixture.decoder, NULL), STATUS_OK);
    assert_int_equal(decoder_create(&schema, false, &fixture.strict, NULL), STATUS_OK);
    fixture.arena = arena_create(1 << 20);
    assert_non_null(fixture.arena);
    buffer_init(&fixture.out, 1 << 20);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    decoder_destroy(fixture->decoder);
    decoder_destroy(fixture->strict);
    arena_destroy(fixture->arena);
    buffer_free(&fixture->out);
    return 0;
}

static struct event *decode(struct fixture *fixture, struct slice raw)
{
    arena_reset(fixture->arena);
    fixture->event = (struct event){0};
    decoder_json(fixture->decoder, raw, fixture->arena, &fixture->event);
    return &fixture->event;
}

static struct event *decode_text(struct fixture *fixture, const char *raw)
{
    return decode(fixture, slice_of(raw));
}

static void expect_violation(const struct event *event, const char *what, enum violation_code code,
                             int field)
{
    for (int i = 0; i < event->n_violations; i++)
        if (event->violations[i].code == code && event->violations[i].field == field)
            return;
    fail_msg("%s: expected %s of field %d, got %d violations, first %s", what, violation_name(code),
             field, event->n_violations,
             event->n_violations ? violation_name(event->violations[0].code) : "none");
}

static const char *canonical(struct fixture *fixture)
{
    buffer_reset(&fixture->out);
    event_json(&fixture->event, NULL, &fixture->out);
    assert_false(fixture->out.overflow);
    return fixture->out.data;
}

#define TS_TEXT "\"ts\":\"2026-01-02T03:04:05Z\""

static void decodes_every_type(void **state)
{
    struct event *event = decode_text(
        *state, " { \"id\" : \"a\" ,\t\"amount\":-1.5e1,\"count\":3.0,\"ok\":true,"
                "\"ts\":\"2026-01-02T03:04:05.25Z\",\"note\":\"x\",\"more\":[1,{\"a\":null}]}\r\n");
    assert_int_equal(event->n_violations, 0);
    assert_true(slice_is(event->values[ID].string, "a"));
    assert_true(event->values[AMOUNT].number == -15.0);
    assert_true(event->values[COUNT].number == 3.0);
    assert_true(event->values[OK_FLAG].boolean);
    assert_int_equal(event->values[TS].time_us, INT64_C(1767323045250000));
    assert_int_equal(event->time_us, INT64_C(1767323045250000));
}

static void leaves_plain_strings_where_they_are(void **state)
{
    const char *raw = "{\"id\":\"a longer plain string, no escapes\",\"amount\":1," TS_TEXT "}";
    struct event *event = decode_text(*state, raw);
    assert_int_equal(event->n_violations, 0);
    assert_ptr_equal(event->values[ID].string.data, raw + 7);
}

static void undoes_escapes(void **state)
{
    struct event *event = decode_text(
        *state, "{\"\\u0069d\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\ud83d\\ude00z\","
                "\"amount\":1," TS_TEXT "}");
    assert_int_equal(event->n_violations, 0);
    assert_true(slice_is(event->values[ID].string, "\"\\/\b\f\n\r\té€😀z"));
}

static void takes_members_in_any_order(void **state)
{
    struct event *event =
        decode_text(*state, "{" TS_TEXT ",\"note\":null,\"count\":7,\"amount\":0,\"id\":\"q\"}");
    assert_int_equal(event->n_violations, 0);
    assert_int_equal(event->values[COUNT].number, 7);
    assert_int_equal(event->values[NOTE].type, VALUE_NULL);
}

static void reads_epoch_times_by_magnitude(void **state)
{
    static const char *const texts[] = {"1767323045", "1767323045000", "1767323045000000",
                                        "1767323045000000000"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char raw[100];
        (void)snprintf(raw, sizeof raw, "{\"id\":\"a\",\"amount\":1,\"ts\":%s}", texts[i]);
        struct event *event = decode_text(*state, raw);
        assert_int_equal(event->n_violations, 0);
        assert_int_equal(event->time_us, INT64_C(1767323045000000));
    }
}

static void refuses_what_is_not_one_flat_object(void **state)
{
    static const char *const texts[] = {"",
                                        " ",
                                        "null",
                                        "1",
                                        "\"a\"",
                                        "[]",
                                        "[{}]",
                                        "{",
                                        "}",
                                        "{}}",
                                        "{} x",
                                        "{},",
                                        "{\"id\"}",
                                        "{\"id\":}",
                                        "{\"id\":\"a\",}",
                                        "{,}",
                                        "{\"id\" \"a\"}",
                                        "{id:1}",
                                        "{'id':1}",
                                        "{\"id\":\"a\" \"amount\":1}",
                                        "{\"id\":\"a",
                                        "{\"id\":\"a\\\"}",
                                        "{\"id\":\"\\x\"}",
                                        "{\"id\":\"\\u12g4\"}",
                                        "{\"id\":\"\\u12\"}",
                                        "{\"id\":\"a\nb\"}",
                                        "{\"id\":\"\x01\"}",
                                        "{\"amount\":01}",
                                        "{\"amount\":+1}",
                                        "{\"amount\":.5}",
                                        "{\"amount\":1.}",
                                        "{\"amount\":1e}",
                                        "{\"amount\":1e+}",
                                        "{\"amount\":-}",
                                        "{\"amount\":- 1}",
                                        "{\"amount\":0x10}",
                                        "{\"amount\":NaN}",
                                        "{\"amount\":Infinity}",
                                        "{\"amount\":1 2}",
                                        "{\"amount\":tru}",
                                        "{\"ok\":True}",
                                        "{\"ok\":truee}",
                                        "{\"note\":nul}",
                                        "{\"note\":nulll}",
                                        "{\"z\":[1,]}",
                                        "{\"z\":[1 2]}",
                                        "{\"z\":{\"a\":1,}}",
                                        "{\"z\":[}",
                                        "{\"z\":[\"a]}",
                                        "{\"z\":{1:2}}",
                                        "\xEF\xBB\xBF{}",
                                        "// c\n{}",
                                        "{\"id\":\"a\"}{}",
                                        "{\"z\":\xff}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct event *event = decode_text(*state, texts[i]);
        expect_violation(event, texts[i], VIOLATION_NOT_JSON, -1);
    }
}

static void refuses_nesting_without_end(void **state)
{
    char raw[400] = "{\"z\":";
    memset(raw + 5, '[', 300);
    expect_violation(decode_text(*state, raw), "300 brackets", VIOLATION_NOT_JSON, -1);
}

static void names_what_is_wrong_with_each_field(void **state)
{
    static const struct {
        const char *member;
        enum violation_code code;
        int field;
    } cases[] = {
        {"\"id\":5", VIOLATION_TYPE, ID},
        {"\"id\":true", VIOLATION_TYPE, ID},
        {"\"id\":null", VIOLATION_NULL, ID},
        {"\"id\":[\"a\"]", VIOLATION_NESTED, ID},
        {"\"id\":{\"a\":{\"b\":[]}}", VIOLATION_NESTED, ID},
        {"\"id\":\"\xff\"", VIOLATION_NOT_UTF8, ID},
        {"\"id\":\"\xC0\xAF\"", VIOLATION_NOT_UTF8, ID},
        {"\"id\":\"\xE0\x80\x80\"", VIOLATION_NOT_UTF8, ID},
        {"\"id\":\"\xED\xA0\x80\"", VIOLATION_NOT_UTF8, ID},
        {"\"id\":\"\xF4\x90\x80\x80\"", VIOLATION_NOT_UTF8, ID},
        {"\"id\":\"\xE2\x82\"", VIOLATION_NOT_UTF8, ID},
        {"\"id\":\"\\ud800\"", VIOLATION_NOT_UTF8, ID},
        {"\"id\":\"\\udc00x\"", VIOLATION_NOT_UTF8, ID},
        {"\"id\":\"\\ud800\\u0041\"", VIOLATION_NOT_UTF8, ID},
        {"\"id\":\"\\ud800\\ud800\"", VIOLATION_NOT_UTF8, ID},
        {"\"amount\":\"12.5\"", VIOLATION_TYPE, AMOUNT},
        {"\"amount\":false", VIOLATION_TYPE, AMOUNT},
        {"\"amount\":null", VIOLATION_NULL, AMOUNT},
        {"\"amount\":1e999", VIOLATION_NOT_FINITE, AMOUNT},
        {"\"amount\":-1e999", VIOLATION_NOT_FINITE, AMOUNT},
        {"\"count\":1.5", VIOLATION_TYPE, COUNT},
        {"\"count\":\"1\"", VIOLATION_TYPE, COUNT},
        {"\"count\":true", VIOLATION_TYPE, COUNT},
        {"\"count\":9007199254740993", VIOLATION_RANGE, COUNT},
        {"\"count\":-9007199254740993", VIOLATION_RANGE, COUNT},
        {"\"count\":1e300", VIOLATION_RANGE, COUNT},
        {"\"ok\":1", VIOLATION_TYPE, OK_FLAG},
        {"\"ok\":\"true\"", VIOLATION_TYPE, OK_FLAG},
        {"\"ok\":null", VIOLATION_NULL, OK_FLAG},
        {"\"ts\":\"yesterday\"", VIOLATION_TIMESTAMP, TS},
        {"\"ts\":\"2026-13-01T00:00:00Z\"", VIOLATION_TIMESTAMP, TS},
        {"\"ts\":\"2026-02-30T00:00:00Z\"", VIOLATION_TIMESTAMP, TS},
        {"\"ts\":\"\"", VIOLATION_TIMESTAMP, TS},
        {"\"ts\":1e30", VIOLATION_TIMESTAMP, TS},
        {"\"ts\":true", VIOLATION_TYPE, TS},
        {"\"ts\":null", VIOLATION_NULL, TS},
        {"\"note\":7", VIOLATION_TYPE, NOTE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static const char *const good[FIELDS] = {"\"id\":\"a\"", "\"amount\":1", "\"count\":1",
                                                 "\"ok\":true",  TS_TEXT,        "\"note\":\"n\""};
        char raw[400] = "{";
        for (int f = 0; f < FIELDS; f++) {
            strcat(raw, f ? "," : "");
            strcat(raw, f == cases[i].field ? cases[i].member : good[f]);
        }
        strcat(raw, "}");
        struct event *event = decode_text(*state, raw);
        expect_violation(event, raw, cases[i].code, cases[i].field);
        assert_int_equal(event->n_violations, 1);
        for (int f = 0; f < FIELDS; f++) /* the rest was still decoded */
            assert_int_equal(event->values[f].type == VALUE_NULL, f == cases[i].field);
    }
}

static void takes_integers_up_to_two_to_the_53(void **state)
{
    struct event *event =
        decode_text(*state, "{\"id\":\"a\",\"amount\":0," TS_TEXT ",\"count\":-9007199254740992}");
    assert_int_equal(event->n_violations, 0);
    assert_true(event->values[COUNT].number == -9007199254740992.0);
}

static void names_missing_fields_but_not_optional_ones(void **state)
{
    struct event *event = decode_text(*state, "{}");
    assert_int_equal(event->n_violations, 3);
    expect_violation(event, "{}", VIOLATION_MISSING, ID);
    expect_violation(event, "{}", VIOLATION_MISSING, AMOUNT);
    expect_violation(event, "{}", VIOLATION_MISSING, TS);
}

static void keeps_the_first_of_a_repeated_key(void **state)
{
    struct event *event =
        decode_text(*state, "{\"id\":\"a\",\"id\":\"b\",\"amount\":1," TS_TEXT ",\"x\":1,\"x\":2}");
    assert_int_equal(event->n_violations, 1);
    expect_violation(event, "id twice", VIOLATION_DUPLICATE_KEY, ID);
    assert_true(slice_is(event->values[ID].string, "a"));
    event = decode_text(*state, "{\"id\":\"a\",\"i\\u0064\":\"b\",\"amount\":1," TS_TEXT "}");
    expect_violation(event, "id escaped", VIOLATION_DUPLICATE_KEY, ID);
}

static void refuses_unknown_members_only_when_told_to(void **state)
{
    struct fixture *fixture = *state;
    const char *raw = "{\"id\":\"a\",\"amount\":1," TS_TEXT ",\"extra\":{\"deep\":1}}";
    assert_int_equal(decode_text(fixture, raw)->n_violations, 0);
    fixture->event = (struct event){0};
    decoder_json(fixture->strict, slice_of(raw), fixture->arena, &fixture->event);
    assert_int_equal(fixture->event.n_violations, 1);
    expect_violation(&fixture->event, raw, VIOLATION_UNKNOWN_FIELD, -1);
}

static void refuses_what_is_too_long(void **state)
{
    static char raw[MAX_EVENT_BYTES + 2];
    memset(raw, ' ', sizeof raw - 1);
    memcpy(raw, "{}", 2);
    struct event *event = decode_text(*state, raw);
    assert_int_equal(event->n_violations, 1);
    expect_violation(event, "long", VIOLATION_TOO_LONG, -1);
}

static void refuses_bad_text_in_members_it_does_not_know(void **state)
{
    static const char *const texts[] = {"\"x\":\"\xFF\"", "\"\xC0\x80\":1",
                                        "\"x\":[{\"\\udc00\":1}]", "\"x\":[\"\\ud800\"]"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char raw[200];
        (void)snprintf(raw, sizeof raw, "{\"id\":\"a\",\"amount\":1," TS_TEXT ",%s}", texts[i]);
        struct event *event = decode_text(*state, raw);
        assert_int_equal(event->n_violations, 1);
        expect_violation(event, raw, VIOLATION_NOT_UTF8, -1);
    }
}

static void survives_an_arena_without_room(void **state)
{
    struct fixture *fixture = *state;
    struct arena *tiny = arena_create(16);
    struct value values[FIELDS];
    struct event event = {.values = values};
    (void)arena_alloc(tiny, 16);
    decoder_json(fixture->decoder, slice_of("{\"id\":\"a\\nb\",\"amount\":1," TS_TEXT "}"), tiny,
                 &event);
    expect_violation(&event, "escapes need room", VIOLATION_TOO_LONG, ID);
    arena_destroy(tiny);
}

static void writes_the_canonical_form(void **state)
{
    struct fixture *fixture = *state;
    decode_text(fixture,
                "{ \"ts\":\"2026-01-02 05:04:05.5+02:00\", \"note\" : null, \"count\":3.0,"
                "\"amount\":1250e-2,\"id\":\"q\\\"\\\\\\n\\u0001\\u00e9\\/\",\"ok\":false}");
    assert_string_equal(
        canonical(fixture),
        "{\"id\":\"q\\\"\\\\\\n\\u0001é/\",\"amount\":12.5,\"count\":3,\"ok\":false,"
        "\"ts\":\"2026-01-02T03:04:05.500000Z\",\"note\":null}");
}

static void accepts_its_own_canonical_form(void **state)
{
    struct fixture *fixture = *state;
    char first[400];
    decode_text(fixture, "{\"id\":\"a\",\"amount\":0.1," TS_TEXT "}"); /* ok absent, not nullable */
    (void)snprintf(first, sizeof first, "%s", canonical(fixture));
    assert_int_equal(decode_text(fixture, first)->n_violations, 0);
    assert_string_equal(canonical(fixture), first);
    assert_null(strstr(first, "\"ok\""));
    assert_non_null(strstr(first, "\"note\":null"));
}

static void puts_pseudonyms_in_place_of_personal_data(void **state)
{
    struct fixture *fixture = *state;
    struct slice replacements[FIELDS] = {[NOTE] = slice_of("p-00ff")};
    decode_text(fixture, "{\"id\":\"a\",\"amount\":1," TS_TEXT ",\"note\":\"Ann\"}");
    buffer_reset(&fixture->out);
    event_json(&fixture->event, replacements, &fixture->out);
    assert_non_null(strstr(fixture->out.data, "\"note\":\"p-00ff\""));
    assert_null(strstr(fixture->out.data, "Ann"));
}

static struct event *decode_csv(struct fixture *fixture, const char *header, const char *record)
{
    struct error error = {0};
    if (decoder_csv_header(fixture->decoder, slice_of(header), &error) != STATUS_OK)
        fail_msg("%s", error.message);
    arena_reset(fixture->arena);
    fixture->event = (struct event){0};
    decoder_csv(fixture->decoder, slice_of(record), fixture->arena, &fixture->event);
    return &fixture->event;
}

static void reads_csv_by_its_header(void **state)
{
    struct event *event = decode_csv(*state, "x,ts,id,amount,ok,count,note\r",
                                     "?,2018-04-01 00:00:31,596,57.16,TRUE,,\"a \"\"b\"\", c\"\r");
    assert_int_equal(event->n_violations, 0);
    assert_true(slice_is(event->values[ID].string, "596"));
    assert_true(event->values[AMOUNT].number == 57.16);
    assert_true(event->values[OK_FLAG].boolean);
    assert_int_equal(event->values[COUNT].type, VALUE_NULL);
    assert_int_equal(event->time_us, INT64_C(1522540831000000));
    assert_true(slice_is(event->values[NOTE].string, "a \"b\", c"));
}

static void names_what_is_wrong_with_each_cell(void **state)
{
    static const struct {
        const char *record;
        enum violation_code code;
        int field;
    } cases[] = {
        {"a,x,1,true,1,n", VIOLATION_TYPE, AMOUNT},
        {"a,,1,true,1,n", VIOLATION_NULL, AMOUNT},
        {",1,1,true,1,n", VIOLATION_NULL, ID},
        {"a,nan,1,true,1,n", VIOLATION_NOT_FINITE, AMOUNT},
        {"a,1e999,1,true,1,n", VIOLATION_NOT_FINITE, AMOUNT},
        {"a,0x10,1,true,1,n", VIOLATION_TYPE, AMOUNT},
        {"a,1,1.5,true,1,n", VIOLATION_TYPE, COUNT},
        {"a,1,9007199254740993,true,1,n", VIOLATION_RANGE, COUNT},
        {"a,1,1,yes,1,n", VIOLATION_TYPE, OK_FLAG},
        {"a,1,1,true,soon,n", VIOLATION_TIMESTAMP, TS},
        {"a,1,1,true,1,\xff", VIOLATION_NOT_UTF8, NOTE},
        {"a,1,1,true,1", VIOLATION_NOT_JSON, -1},
        {"a,1,1,true,1,n,7", VIOLATION_NOT_JSON, -1},
        {"a,1,1,true,1,\"n", VIOLATION_NOT_JSON, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct event *event = decode_csv(*state, "id,amount,count,ok,ts,note", cases[i].record);
        expect_violation(event, cases[i].record, cases[i].code, cases[i].field);
        assert_int_equal(event->n_violations, 1);
    }
}

static void refuses_a_csv_header_without_a_required_column(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    assert_int_equal(decoder_csv_header(fixture->decoder, slice_of("id,amuont,ts"), &error),
                     STATUS_INVALID);
    assert_non_null(strstr(error.message, "\"amount\""));
    assert_non_null(strstr(error.message, "\"amuont\""));
    assert_int_equal(decoder_csv_header(fixture->decoder, slice_of("id,amount,ts,id"), &error),
                     STATUS_INVALID);
    assert_non_null(strstr(error.message, "twice"));
}

static void decodes_again_what_quarantine_kept(void **state)
{
    struct fixture *fixture = *state;
    decode_csv(fixture, "id,amount,ts", "a,bad,1");
    struct buffer document;
    buffer_init(&document, 1000);
    decoder_document(fixture->decoder, FORMAT_CSV, fixture->event.raw, &document);
    assert_string_equal(document.data, "id,amount,ts\na,bad,1");
    memcpy(strstr(document.data, "bad"), "7.5", 3);
    fixture->event = (struct event){0};
    decoder_csv_header(fixture->decoder, slice_of("amount,ts,id"), NULL) == STATUS_OK ? (void)0
                                                                                      : fail();
    decoder_retry(fixture->decoder, buffer_slice(&document), fixture->arena, &fixture->event);
    assert_int_equal(fixture->event.n_violations, 0);
    assert_true(fixture->event.values[AMOUNT].number == 7.5);
    fixture->event = (struct event){0};
    decoder_csv(fixture->decoder, slice_of("8,1,b"), fixture->arena, &fixture->event);
    assert_true(fixture->event.values[AMOUNT].number == 8); /* the running header still holds */
    fixture->event = (struct event){0};
    decoder_retry(fixture->decoder, slice_of("{\"id\":\"a\",\"amount\":1," TS_TEXT "}"),
                  fixture->arena, &fixture->event);
    assert_int_equal(fixture->event.n_violations, 0);
    buffer_free(&document);
}

static void names_every_violation_once(void **state)
{
    (void)state;
    for (int i = 0; i < VIOLATION_CODES; i++) {
        assert_non_null(violation_name((enum violation_code)i));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(violation_name((enum violation_code)i),
                                    violation_name((enum violation_code)j));
    }
}

/* What stands for a value: good and bad of every kind. */
static void write_any_value(struct buffer *out)
{
    static const char *const others[] = {"null",
                                         "true",
                                         "false",
                                         "0",
                                         "-0",
                                         "12.50",
                                         "1e3",
                                         "01",
                                         "1.",
                                         "-",
                                         "[1]",
                                         "{}",
                                         "9007199254740993",
                                         "123456789012345678901",
                                         "0.00000000000000000000000000001",
                                         "-7.25",
                                         "tru"};
    static const char *const pieces[] = {"abc",      "01ARZ3NDEKTSV4RR",
                                         "\\n",      "\\u00e9",
                                         "\xc3\xa9", "\xff",
                                         "\x7f",     "\\\"",
                                         "\x01",     " ",
                                         "\\ud800",  "2018-08-08T10:00:00Z"};
    if (random_below(2)) {
        buffer_append_text(out, others[random_below(sizeof others / sizeof *others)]);
        return;
    }
    buffer_append_char(out, '"');
    for (uint64_t i = random_below(4); i > 0; i--)
        buffer_append_text(out, pieces[random_below(sizeof pieces / sizeof *pieces)]);
    buffer_append_char(out, '"');
}

static bool same_value(const struct value *a, const struct value *b)
{
    if (a->type != b->type)
        return false;
    if (a->type == VALUE_STRING)
        return slice_equal(a->string, b->string);
    if (a->type == VALUE_NUMBER)
        return memcmp(&a->number, &b->number, sizeof a->number) == 0;
    return a->type == VALUE_NULL ||
           (a->type == VALUE_BOOL ? a->boolean == b->boolean : a->time_us == b->time_us);
}

static void expect_same(const struct event *a, const struct event *b, const char *text)
{
    bool same = a->n_violations == b->n_violations && a->time_us == b->time_us;
    for (int i = 0; same && i < a->n_violations; i++)
        same = a->violations[i].code == b->violations[i].code &&
               a->violations[i].field == b->violations[i].field;
    for (size_t i = 0; same && i < FIELDS; i++)
        same = same_value(&a->values[i], &b->values[i]);
    if (!same)
        fail_msg("with and without space: %s", text);
}

/* A name with its colon right behind, in the schema's order, is found by one comparison; space
 * before the colon takes the careful way. */
static void space_before_a_colon_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct buffer spaced;
    buffer_init(&spaced, 1 << 20);
    for (int round = 0; round < 50000; round++) {
        buffer_reset(&fixture->out);
        buffer_reset(&spaced);
        for (size_t i = 0; i < FIELDS; i++) {
            const char *name = random_below(20) ? fields[i].name : "n\\u006fte";
            struct buffer value;
            buffer_init(&value, 1 << 16);
            write_any_value(&value);
            buffer_printf(&fixture->out, "%s\"%s\":%s", i ? "," : "{", name, value.data);
            buffer_printf(&spaced, "%s\"%s\" : %s", i ? "," : "{", name, value.data);
            buffer_free(&value);
        }
        buffer_append_char(&fixture->out, '}');
        buffer_append_char(&spaced, '}');
        struct event compact = {.n_violations = 0}, careful = {.n_violations = 0};
        arena_reset(fixture->arena);
        decoder_json(fixture->decoder, buffer_slice(&fixture->out), fixture->arena, &compact);
        decoder_json(fixture->decoder, buffer_slice(&spaced), fixture->arena, &careful);
        expect_same(&compact, &careful, fixture->out.data);
    }
    buffer_free(&spaced);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(decodes_every_type),
        TEST(leaves_plain_strings_where_they_are),
        TEST(undoes_escapes),
        TEST(takes_members_in_any_order),
        TEST(space_before_a_colon_changes_nothing),
        TEST(reads_epoch_times_by_magnitude),
        TEST(refuses_what_is_not_one_flat_object),
        TEST(refuses_nesting_without_end),
        TEST(names_what_is_wrong_with_each_field),
        TEST(takes_integers_up_to_two_to_the_53),
        TEST(names_missing_fields_but_not_optional_ones),
        TEST(keeps_the_first_of_a_repeated_key),
        TEST(refuses_unknown_members_only_when_told_to),
        TEST(refuses_what_is_too_long),
        TEST(refuses_bad_text_in_members_it_does_not_know),
        TEST(survives_an_arena_without_room),
        TEST(writes_the_canonical_form),
        TEST(accepts_its_own_canonical_form),
        TEST(puts_pseudonyms_in_place_of_personal_data),
        TEST(reads_csv_by_its_header),
        TEST(names_what_is_wrong_with_each_cell),
        TEST(refuses_a_csv_header_without_a_required_column),
        TEST(decodes_again_what_quarantine_kept),
        TEST(names_every_violation_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
