/* JSON objects: escapes, order, spaces and repeats of members, and all that is not one flat object.
 */
#include "tests/unit/engine/event/decoder_fixture.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(leaves_plain_strings_where_they_are),
        TEST(undoes_escapes),
        TEST(takes_members_in_any_order),
        TEST(space_before_a_colon_changes_nothing),
        TEST(refuses_what_is_not_one_flat_object),
        TEST(refuses_nesting_without_end),
        TEST(keeps_the_first_of_a_repeated_key),
        TEST(refuses_unknown_members_only_when_told_to),
        TEST(refuses_bad_text_in_members_it_does_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
