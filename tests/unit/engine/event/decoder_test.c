/* Decoding: every type and every violation of a field, the canonical form, and what quarantine
 * keeps. */
#include "tests/unit/engine/event/decoder_fixture.h"

static const char *canonical(struct fixture *fixture)
{
    buffer_reset(&fixture->out);
    event_json(&fixture->event, NULL, &fixture->out);
    assert_false(fixture->out.overflow);
    return fixture->out.data;
}

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

static void refuses_what_is_too_long(void **state)
{
    static char raw[MAX_EVENT_BYTES + 2];
    memset(raw, ' ', sizeof raw - 1);
    memcpy(raw, "{}", 2);
    struct event *event = decode_text(*state, raw);
    assert_int_equal(event->n_violations, 1);
    expect_violation(event, "long", VIOLATION_TOO_LONG, -1);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(decodes_every_type),
        TEST(reads_epoch_times_by_magnitude),
        TEST(names_what_is_wrong_with_each_field),
        TEST(takes_integers_up_to_two_to_the_53),
        TEST(names_missing_fields_but_not_optional_ones),
        TEST(refuses_what_is_too_long),
        TEST(survives_an_arena_without_room),
        TEST(writes_the_canonical_form),
        TEST(accepts_its_own_canonical_form),
        TEST(puts_pseudonyms_in_place_of_personal_data),
        TEST(decodes_again_what_quarantine_kept),
        TEST(names_every_violation_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
