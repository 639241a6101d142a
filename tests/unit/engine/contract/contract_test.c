/* Loading contracts, and every bad input of every field of the transactions contract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/clock.h"
#include "engine/contract/contract.h"
#include "engine/event/decoder.h"

#define TRANSACTIONS "packaging/examples/transactions/contract.yaml"
#define NOW          INT64_C(1767323045000000) /* 2026-01-02T03:04:05Z */

struct fixture {
    struct contract *contract;
    struct decoder *decoder;
    struct arena *arena;
    struct event event;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    struct error error;
    fixture = (struct fixture){0};
    if (contract_load(TRANSACTIONS, &fixture.contract, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(
        decoder_create(contract_schema(fixture.contract), true, &fixture.decoder, &error),
        STATUS_OK);
    fixture.arena = arena_create(1 << 20);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    decoder_destroy(fixture->decoder);
    contract_destroy(fixture->contract);
    arena_destroy(fixture->arena);
    return 0;
}

static struct event *judge_at(struct fixture *fixture, const char *json, int64_t now_us,
                              enum contract_clock clock)
{
    arena_reset(fixture->arena);
    fixture->event = (struct event){0};
    decoder_json(fixture->decoder, slice_of(json), fixture->arena, &fixture->event);
    contract_check(fixture->contract, &fixture->event, now_us, clock);
    return &fixture->event;
}

enum { ID, USER, AMOUNT, COUNTRY, DEVICE, TS, LABEL, FIELDS };

/* A good event with one member replaced (field, member), or as it is (-1). An empty member leaves
 * the field out. */
static const char *event_with(int field, const char *member)
{
    static const char *const good[FIELDS] = {
        "\"event_id\":\"01KDYJ2Q8G0123456789ABCDEF\"",
        "\"user_id\":\"user-42\"",
        "\"transaction_amount\":12.5",
        "\"country\":\"US\"",
        "\"device\":\"ios\"",
        "\"event_ts\":\"2026-01-02T03:04:05Z\"",
        "\"label\":null",
    };
    static char json[1000];
    char *at = json;
    *at++ = '{';
    for (int i = 0; i < FIELDS; i++) {
        const char *text = i == field ? member : good[i];
        if (!text[0])
            continue;
        if (at > json + 1)
            *at++ = ',';
        at += sprintf(at, "%s", text);
    }
    strcpy(at, "}");
    return json;
}

static void accepts_good_events(void **state)
{
    static const struct {
        int field;
        const char *member;
    } cases[] = {
        {-1, ""},
        {ID, "\"event_id\":\"7ZZZZZZZZZZZZZZZZZZZZZZZZZ\""},
        {ID, "\"event_id\":\"00000000000000000000000000\""},
        {USER, "\"user_id\":\"user-0\""},
        {AMOUNT, "\"transaction_amount\":0"},
        {AMOUNT, "\"transaction_amount\":5000"},
        {AMOUNT, "\"transaction_amount\":5e3"},
        {COUNTRY, "\"country\":\"BR\""},
        {DEVICE, "\"device\":\"web\""},
        {TS, "\"event_ts\":1767323045"},
        {TS, "\"event_ts\":1767323045000"},
        {TS, "\"event_ts\":\"2026-01-02T05:04:05+02:00\""},
        {TS, "\"event_ts\":\"2026-01-02T03:05:05Z\""}, /* one minute ahead */
        {TS, "\"event_ts\":\"1999-01-01\""},
        {LABEL, "\"label\":0"},
        {LABEL, "\"label\":1"},
        {LABEL, ""},
        {LABEL, "\"label\":null,\"channel\":\"pos\",\"basket\":[1,2]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *json = event_with(cases[i].field, cases[i].member);
        struct event *event = judge_at(*state, json, NOW, CONTRACT_WALL);
        if (event->n_violations)
            fail_msg("%s: %s", json, violation_name(event->violations[0].code));
        assert_int_not_equal(event->time_us, 0);
    }
}

static const struct {
    int field;
    const char *member;
    enum violation_code code;
} bad_inputs[] = {
    {ID, "", VIOLATION_MISSING},
    {ID, "\"event_id\":null", VIOLATION_NULL},
    {ID, "\"event_id\":17", VIOLATION_TYPE},
    {ID, "\"event_id\":{}", VIOLATION_NESTED},
    {ID, "\"event_id\":\"\"", VIOLATION_ULID},
    {ID, "\"event_id\":\"01KDYJ2Q8G0123456789ABCDE\"", VIOLATION_ULID},   /* 25 */
    {ID, "\"event_id\":\"01KDYJ2Q8G0123456789ABCDEFG\"", VIOLATION_ULID}, /* 27 */
    {ID, "\"event_id\":\"81KDYJ2Q8G0123456789ABCDEF\"", VIOLATION_ULID},  /* over 128 bits */
    {ID, "\"event_id\":\"01KDYJ2Q8G0123456789ABCDEI\"", VIOLATION_ULID},
    {ID, "\"event_id\":\"01KDYJ2Q8G0123456789ABCDEL\"", VIOLATION_ULID},
    {ID, "\"event_id\":\"01KDYJ2Q8G0123456789ABCDEO\"", VIOLATION_ULID},
    {ID, "\"event_id\":\"01KDYJ2Q8G0123456789ABCDEU\"", VIOLATION_ULID},
    {ID, "\"event_id\":\"01kdyj2q8g0123456789abcdef\"", VIOLATION_ULID}, /* lower case */
    {ID, "\"event_id\":\"01KDYJ2Q8G-123456789ABCDEF\"", VIOLATION_ULID},
    {ID, "\"event_id\":\"01KDYJ2Q8G0123456789ABCDE\\u0000\"", VIOLATION_ULID},
    {USER, "", VIOLATION_MISSING},
    {USER, "\"user_id\":null", VIOLATION_NULL},
    {USER, "\"user_id\":42", VIOLATION_TYPE},
    {USER, "\"user_id\":[\"user-42\"]", VIOLATION_NESTED},
    {USER, "\"user_id\":\"\"", VIOLATION_PATTERN},
    {USER, "\"user_id\":\"user-\"", VIOLATION_PATTERN},
    {USER, "\"user_id\":\"user-4x\"", VIOLATION_PATTERN},
    {USER, "\"user_id\":\" user-42\"", VIOLATION_PATTERN},
    {USER, "\"user_id\":\"user-42\\n\"", VIOLATION_PATTERN},
    {USER, "\"user_id\":\"User-42\"", VIOLATION_PATTERN},
    {USER, "\"user_id\":\"user-\xD9\xA3\"", VIOLATION_PATTERN}, /* an Arabic digit */
    {USER, "\"user_id\":\"user-\xFF\"", VIOLATION_NOT_UTF8},
    {USER, "\"user_id\":\"user-000000000000000000000000000000000000000000000000000000000000\"",
     VIOLATION_LENGTH},
    {AMOUNT, "", VIOLATION_MISSING},
    {AMOUNT, "\"transaction_amount\":null", VIOLATION_NULL},
    {AMOUNT, "\"transaction_amount\":\"12.5\"", VIOLATION_TYPE},
    {AMOUNT, "\"transaction_amount\":true", VIOLATION_TYPE},
    {AMOUNT, "\"transaction_amount\":[1]", VIOLATION_NESTED},
    {AMOUNT, "\"transaction_amount\":-0.01", VIOLATION_RANGE},
    {AMOUNT, "\"transaction_amount\":5000.01", VIOLATION_RANGE},
    {AMOUNT, "\"transaction_amount\":1e308", VIOLATION_RANGE},
    {AMOUNT, "\"transaction_amount\":1e309", VIOLATION_NOT_FINITE},
    {AMOUNT, "\"transaction_amount\":NaN", VIOLATION_NOT_JSON},
    {COUNTRY, "", VIOLATION_MISSING},
    {COUNTRY, "\"country\":null", VIOLATION_NULL},
    {COUNTRY, "\"country\":1", VIOLATION_TYPE},
    {COUNTRY, "\"country\":\"XX\"", VIOLATION_ENUM},
    {COUNTRY, "\"country\":\"us\"", VIOLATION_ENUM},
    {COUNTRY, "\"country\":\"\"", VIOLATION_ENUM},
    {COUNTRY, "\"country\":\"US \"", VIOLATION_ENUM},
    {DEVICE, "", VIOLATION_MISSING},
    {DEVICE, "\"device\":null", VIOLATION_NULL},
    {DEVICE, "\"device\":false", VIOLATION_TYPE},
    {DEVICE, "\"device\":\"fridge\"", VIOLATION_ENUM},
    {TS, "", VIOLATION_MISSING},
    {TS, "\"event_ts\":null", VIOLATION_NULL},
    {TS, "\"event_ts\":true", VIOLATION_TYPE},
    {TS, "\"event_ts\":\"\"", VIOLATION_TIMESTAMP},
    {TS, "\"event_ts\":\"02.01.2026\"", VIOLATION_TIMESTAMP},
    {TS, "\"event_ts\":\"2026-02-29T00:00:00Z\"", VIOLATION_TIMESTAMP},
    {TS, "\"event_ts\":\"2026-01-02T24:00:01Z\"", VIOLATION_TIMESTAMP},
    {TS, "\"event_ts\":\"2026-01-02T03:05:05.000001Z\"", VIOLATION_FUTURE},
    {TS, "\"event_ts\":\"9999-12-31T23:59:59Z\"", VIOLATION_FUTURE},
    {TS, "\"event_ts\":1767323106", VIOLATION_FUTURE},
    {LABEL, "\"label\":2", VIOLATION_RANGE},
    {LABEL, "\"label\":-1", VIOLATION_RANGE},
    {LABEL, "\"label\":0.5", VIOLATION_TYPE},
    {LABEL, "\"label\":\"1\"", VIOLATION_TYPE},
    {LABEL, "\"label\":true", VIOLATION_TYPE},
    {LABEL, "\"label\":1,\"label\":0", VIOLATION_DUPLICATE_KEY},
};

static void quarantines_each_bad_input_of_each_field(void **state)
{
    for (size_t i = 0; i < sizeof bad_inputs / sizeof bad_inputs[0]; i++) {
        const char *json = event_with(bad_inputs[i].field, bad_inputs[i].member);
        struct event *event = judge_at(*state, json, NOW, CONTRACT_WALL);
        int field = bad_inputs[i].code == VIOLATION_NOT_JSON ? -1 : bad_inputs[i].field;
        if (event->n_violations != 1 || event->violations[0].code != bad_inputs[i].code ||
            event->violations[0].field != field)
            fail_msg("%s: %d violations, first %s", json, event->n_violations,
                     event->n_violations ? violation_name(event->violations[0].code) : "none");
    }
}

static void names_everything_that_is_wrong_at_once(void **state)
{
    struct event *event = judge_at(
        *state,
        "{\"event_id\":\"x\",\"user_id\":\"y\",\"transaction_amount\":-1,\"country\":\"z\","
        "\"device\":null,\"event_ts\":\"never\",\"label\":7}",
        NOW, CONTRACT_WALL);
    assert_int_equal(event->n_violations, 7);
}

static void does_not_believe_a_jump_of_a_replays_clock(void **state)
{
    const char *json = event_with(-1, "");
    assert_int_equal(judge_at(*state, json, INT64_MIN, CONTRACT_EVENT)->n_violations, 0);
    assert_int_equal(judge_at(*state, json, NOW - 7 * US_PER_DAY, CONTRACT_EVENT)->n_violations, 0);
    struct event *event = judge_at(*state, json, NOW - 7 * US_PER_DAY - 1, CONTRACT_EVENT);
    assert_int_equal(event->n_violations, 1);
    assert_int_equal(event->violations[0].code, VIOLATION_STEP);
    assert_int_equal(event->violations[0].field, TS);
}

static void says_what_the_file_says(void **state)
{
    struct fixture *fixture = *state;
    const struct schema *schema = contract_schema(fixture->contract);
    assert_string_equal(schema->name, "transactions");
    assert_string_equal(schema->version, "1");
    assert_int_equal(schema->n_fields, FIELDS);
    assert_int_equal(schema->id, ID);
    assert_int_equal(schema->time, TS);
    assert_int_equal(schema->label, LABEL);
    assert_int_equal(schema->entity, USER);
    assert_true(schema->fields[USER].pii);
    assert_int_equal(contract_unique_within_us(fixture->contract), 7 * US_PER_DAY);
    assert_true(contract_additional_fields(fixture->contract));
    assert_int_equal(contract_rule(fixture->contract, COUNTRY)->n_words, 7);
    assert_int_equal(contract_rule(fixture->contract, TS)->max_future_us, US_PER_MIN);
}

static void reads_the_card_fraud_example(void **state)
{
    (void)state;
    struct contract *contract;
    struct error error;
    if (contract_load("packaging/examples/card-fraud/contract.yaml", &contract, &error))
        fail_msg("%s", error.message);
    struct decoder *decoder;
    assert_int_equal(decoder_create(contract_schema(contract), true, &decoder, &error), STATUS_OK);
    struct arena *arena = arena_create(10000);
    struct event event = {0};
    assert_int_equal(
        decoder_csv_header(decoder,
                           slice_of("TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,"
                                    "TX_TIME_SECONDS,TX_TIME_DAYS,TX_FRAUD,TX_FRAUD_SCENARIO"),
                           &error),
        STATUS_OK);
    decoder_csv(decoder, slice_of("0,2018-04-01 00:00:31,596,3156,57.16,31,0,0,0"), arena, &event);
    contract_check(contract, &event, INT64_MIN, CONTRACT_EVENT);
    assert_int_equal(event.n_violations, 0);
    arena_destroy(arena);
    decoder_destroy(decoder);
    contract_destroy(contract);
}

#define HEAD  "name: t\nversion: 1\n"
#define ID_TS "  - {name: id, type: string}\n  - {name: ts, type: timestamp}\n"
#define ROLES "roles: {id: id, time: ts}\n"

static void refuses_wrong_contracts_and_says_where(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        const char *message; /* part of it */
    } cases[] = {
        {"", "c.yaml: is empty"},
        {"[]", "c.yaml:1:1"},
        {HEAD "fields:\n" ID_TS ROLES "uniqe: {within: 7d}\n", "c.yaml:7:1: unknown key \"uniqe\"; "
                                                               "did you mean \"unique\"?"},
        {HEAD "fields:\n  - {name: id, typ: string}\n" ROLES, "4:16: unknown key \"typ\""},
        {HEAD "fields:\n  - {name: id}\n" ROLES, "missing key \"type\""},
        {HEAD "fields:\n  - {name: id, type: strng}\n" ROLES,
         "4:22: unknown type \"strng\"; did you mean "
         "\"string\"?"},
        {HEAD "fields:\n  - {name: 1d, type: string}\n" ROLES, "4:12: a field's name"},
        {HEAD "fields:\n  - {name: \"a\\\"b\", type: string}\n" ROLES, "a field's name"},
        {HEAD "fields: []\n" ROLES, "expected a list of fields"},
        {HEAD "fields:\n" ID_TS "  - {name: id, type: int}\n" ROLES, "two fields \"id\""},
        {HEAD "fields:\n" ID_TS "  - {name: a, type: string, min: 1}\n" ROLES,
         "\"min\" means nothing for a field of type string"},
        {HEAD "fields:\n" ID_TS "  - {name: a, type: float, pattern: x}\n" ROLES,
         "\"pattern\" means nothing"},
        {HEAD "fields:\n" ID_TS "  - {name: a, type: float, min: 2, max: 1}\n" ROLES,
         "max is below min"},
        {HEAD "fields:\n" ID_TS "  - {name: a, type: float, min: many}\n" ROLES, "a number"},
        {HEAD "fields:\n" ID_TS "  - {name: a, type: float, enum: 3}\n" ROLES, "list of values"},
        {HEAD "fields:\n" ID_TS "  - {name: a, type: int, enum: [1, x]}\n" ROLES, "a number"},
        {HEAD "fields:\n" ID_TS "  - {name: a, type: string, pattern: \"(\"}\n" ROLES, "6:"},
        {HEAD "fields:\n" ID_TS "  - {name: a, type: string, format: uuid}\n" ROLES,
         "unknown format \"uuid\""},
        {HEAD "fields:\n" ID_TS "  - {name: a, type: float, pii: true}\n" ROLES, "pseudonym"},
        {HEAD "fields:\n" ID_TS "  - {name: a, type: string, max_length: 2, min_length: 3}\n" ROLES,
         "max_length is below min_length"},
        {HEAD "fields:\n" ID_TS "roles: {id: id}\n", "missing key \"time\""},
        {HEAD "fields:\n" ID_TS "roles: {id: idd, time: ts}\n", "did you mean \"id\"?"},
        {HEAD "fields:\n" ID_TS "roles: {id: ts, time: ts}\n", "cannot be the id"},
        {HEAD "fields:\n" ID_TS "roles: {id: id, time: id}\n", "cannot be the time"},
        {HEAD "fields:\n  - {name: id, type: string, nullable: true}\n"
              "  - {name: ts, type: timestamp}\n" ROLES,
         "must be required"},
        {HEAD "fields:\n" ID_TS ROLES "unique: {field: ts}\n", "is the id"},
        {HEAD "fields:\n" ID_TS ROLES "unique: {within: 7 parsecs}\n", "a duration"},
        {HEAD "fields:\n" ID_TS ROLES "max_step: -1d\n", "7:11"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct contract *contract;
        struct error error = {0};
        enum status status =
            contract_load_text("c.yaml", slice_of(cases[i].yaml), &contract, &error);
        assert_int_equal(status, STATUS_INVALID);
        assert_null(contract);
        if (!strstr(error.message, cases[i].message))
            fail_msg("case %zu: \"%s\" is not in \"%s\"", i, cases[i].message, error.message);
    }
}

/* What slices, history and features know a text by without reading it again. */
static void numbers_the_words_of_enumerated_fields(void **state)
{
    struct event *event =
        judge_at(*state, event_with(COUNTRY, "\"country\":\"GB\""), NOW, CONTRACT_WALL);
    assert_int_equal(event->values[COUNTRY].word, 3);
    assert_int_equal(event->values[DEVICE].word, 1);
    assert_int_equal(event->values[USER].word, 0);
    event = judge_at(*state, event_with(COUNTRY, "\"country\":\"XX\""), NOW, CONTRACT_WALL);
    assert_int_equal(event->values[COUNTRY].word, 0);
    assert_int_equal(event->values[DEVICE].word, 1);
}

static void a_value_that_is_listed_twice_stands_once(void **state)
{
    (void)state;
    struct contract *contract;
    const char *yaml =
        HEAD "fields:\n" ID_TS "  - {name: word, type: string, enum: [a, b, a, c, b]}\n" ROLES;
    assert_int_equal(contract_load_text("c", slice_of(yaml), &contract, NULL), STATUS_OK);
    const struct field_rule *rule = contract_rule(contract, 2);
    assert_int_equal(rule->n_words, 3);
    assert_string_equal(rule->words[1], "b");
    assert_string_equal(rule->words[2], "c");
    contract_destroy(contract);
}

static void checks_enums_of_numbers_and_lengths_in_characters(void **state)
{
    (void)state;
    struct contract *contract;
    struct decoder *decoder;
    const char *yaml = HEAD "fields:\n" ID_TS "  - {name: code, type: int, enum: [200, 404]}\n"
                            "  - {name: word, type: string, min_length: 2, max_length: 3}\n" ROLES;
    assert_int_equal(contract_load_text("c", slice_of(yaml), &contract, NULL), STATUS_OK);
    assert_int_equal(decoder_create(contract_schema(contract), true, &decoder, NULL), STATUS_OK);
    struct arena *arena = arena_create(10000);
    static const struct {
        const char *json;
        int code;
    } cases[] = {
        {"{\"id\":\"a\",\"ts\":1,\"code\":404,\"word\":\"äöü\"}", -1},
        {"{\"id\":\"a\",\"ts\":1,\"code\":405,\"word\":\"ab\"}", VIOLATION_ENUM},
        {"{\"id\":\"a\",\"ts\":1,\"code\":200,\"word\":\"ä\"}", VIOLATION_LENGTH},
        {"{\"id\":\"a\",\"ts\":1,\"code\":200,\"word\":\"abcd\"}", VIOLATION_LENGTH},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct event event = {0};
        decoder_json(decoder, slice_of(cases[i].json), arena, &event);
        contract_check(contract, &event, 0, CONTRACT_WALL);
        assert_int_equal(event.n_violations, cases[i].code >= 0);
        if (cases[i].code >= 0)
            assert_int_equal(event.violations[0].code, cases[i].code);
    }
    arena_destroy(arena);
    decoder_destroy(decoder);
    contract_destroy(contract);
}

static void judges_by_check_expressions(void **state)
{
    (void)state;
    struct contract *contract;
    struct decoder *decoder;
    struct error error;
    const char *yaml = HEAD "fields:\n" ID_TS "  - {name: amount, type: float}\n"
                            "  - {name: limit, type: float, nullable: true}\n" ROLES "checks:\n"
                            "  - {name: within_limit, expr: amount <= limit}\n"
                            "  - {name: few_nulls, expr: null_share('limit') < 0.1, over: 15m}\n"
                            "  - {name: not_one_cent, expr: amount != 0.01}\n";
    if (contract_load_text("c", slice_of(yaml), &contract, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(contract_n_checks(contract), 2); /* the one over a window judges no event */
    assert_int_equal(contract_n_window_checks(contract), 1);
    const struct contract_window_check *over = contract_window_check_at(contract, 0);
    assert_string_equal(over->name, "few_nulls");
    assert_string_equal(over->expression, "null_share('limit') < 0.1");
    assert_int_equal(over->over_us, 15 * 60 * INT64_C(1000000));
    assert_int_equal(decoder_create(contract_schema(contract), true, &decoder, NULL), STATUS_OK);
    struct arena *arena = arena_create(10000);
    static const struct {
        const char *json;
        const char *check; /* the one that fails, NULL: none */
    } cases[] = {
        {"{\"id\":\"a\",\"ts\":1,\"amount\":5,\"limit\":5}", NULL},
        {"{\"id\":\"a\",\"ts\":1,\"amount\":5,\"limit\":4}", "within_limit"},
        {"{\"id\":\"a\",\"ts\":1,\"amount\":5,\"limit\":null}", NULL},
        {"{\"id\":\"a\",\"ts\":1,\"amount\":0.01,\"limit\":null}", "not_one_cent"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct event event = {0};
        decoder_json(decoder, slice_of(cases[i].json), arena, &event);
        contract_check(contract, &event, 0, CONTRACT_WALL);
        assert_int_equal(event.n_violations, cases[i].check != NULL);
        if (!cases[i].check)
            continue;
        assert_int_equal(event.violations[0].code, VIOLATION_CHECK);
        assert_string_equal(event.violations[0].check, cases[i].check);
    }
    arena_destroy(arena);
    decoder_destroy(decoder);
    contract_destroy(contract);
}

static void packs_ulids_into_their_128_bits(void **state)
{
    (void)state;
    uint64_t bits[2];
    /* The example of the ulid specification's README, decoded by Python's int(x, 32) with the
     * alphabet mapped: 01ARZ3NDEKTSV4RRFFQ69G5FAV = 0x01563e3ab5d3d6764c61efb99302bd5b. */
    assert_true(ulid_pack(slice_of("01ARZ3NDEKTSV4RRFFQ69G5FAV"), bits));
    assert_true(bits[0] == UINT64_C(0x01563e3ab5d3d676));
    assert_true(bits[1] == UINT64_C(0x4c61efb99302bd5b));
    assert_true(ulid_pack(slice_of("7ZZZZZZZZZZZZZZZZZZZZZZZZZ"), bits));
    assert_true(bits[0] == UINT64_MAX && bits[1] == UINT64_MAX);
}

/* The same, character by character, out of the alphabet as the specification writes it. */
static bool pack_slowly(const char text[26], uint64_t bits[2])
{
    static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    bits[0] = bits[1] = 0;
    for (int i = 0; i < 26; i++) {
        const char *found = text[i] ? strchr(alphabet, text[i]) : NULL;
        if (!found || (i == 0 && found - alphabet > 7))
            return false;
        bits[0] = bits[0] << 5 | bits[1] >> 59;
        bits[1] = bits[1] << 5 | (uint64_t)(found - alphabet);
    }
    return true;
}

static void compare_packing(const char text[26])
{
    uint64_t bits[2], wanted[2];
    bool good = pack_slowly(text, wanted);
    assert_int_equal(ulid_pack(slice_make(text, 26), bits), good);
    assert_int_equal(ulid_is_valid(slice_make(text, 26)), good);
    if (good)
        assert_memory_equal(bits, wanted, sizeof bits);
}

static void packs_ulids_as_character_by_character(void **state)
{
    (void)state;
    char text[26];
    uint64_t chance = 5;
    for (int round = 0; round < 2000; round++) {
        for (int i = 0; i < 26; i++) {
            chance = chance * 6364136223846793005U + 1442695040888963407U;
            text[i] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[chance >> (i ? 59 : 61)];
        }
        compare_packing(text);
        int at = (int)(chance >> 33) % 26; /* every byte comes at every place */
        for (int byte = 0; byte < 256 && round < 200; byte++) {
            text[at] = (char)byte;
            compare_packing(text);
        }
    }
    assert_false(ulid_is_valid(slice_make(text, 25)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(accepts_good_events),
        TEST(quarantines_each_bad_input_of_each_field),
        TEST(names_everything_that_is_wrong_at_once),
        TEST(does_not_believe_a_jump_of_a_replays_clock),
        TEST(says_what_the_file_says),
        cmocka_unit_test(reads_the_card_fraud_example),
        cmocka_unit_test(refuses_wrong_contracts_and_says_where),
        cmocka_unit_test(a_value_that_is_listed_twice_stands_once),
        cmocka_unit_test(checks_enums_of_numbers_and_lengths_in_characters),
        cmocka_unit_test_setup_teardown(numbers_the_words_of_enumerated_fields, set_up, tear_down),
        cmocka_unit_test(judges_by_check_expressions),
        cmocka_unit_test(packs_ulids_into_their_128_bits),
        cmocka_unit_test(packs_ulids_as_character_by_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
