/* The JSON answer to an event, with its reasons, and without anything personal. */
#include "tests/unit/engine/pipeline_fixture.h"

/* ---- answers ---- */

static void a_decision_is_answered_as_documented(void **state)
{
    struct bench *bench = *state;
    uint8_t trace[16] = {0xab, 1};
    char text[256];
    struct raw_event event = {
        .bytes = event_text(text, "e1", "ann", 150, T0),
        .position.source = -1,
        .received_ns = monotonic_ns(),
    };
    memcpy(event.trace_id, trace, sizeof trace);
    bench_process(bench, &event, 1);
    struct json *json = bench_answer(bench, &bench->answers[0]);
    assert_int_equal(json_size(json), 10);
    assert_string_equal(json_as_text(json_get(json, "event_id"), ""), "e1");
    assert_string_equal(json_as_text(json_get(json, "decision"), ""), "review");
    assert_float_equal(json_as_number(json_get(json, "score"), 0), CHAMPION_MIDDLE, 1e-5);
    assert_string_equal(json_as_text(json_get(json, "rule"), ""), "high");
    const struct json *model = json_get(json, "model");
    assert_string_equal(json_as_text(json_get(model, "name"), ""), "fraud");
    assert_string_equal(json_as_text(json_get(model, "version"), ""), "1");
    assert_string_equal(json_as_text(json_get(model, "variant"), ""), "champion");
    assert_string_equal(json_as_text(json_get(json, "trace_id"), ""),
                        "ab010000000000000000000000000000");
    assert_true(json_as_number(json_get(json, "latency_us"), -1) >= 0);
    assert_int_equal((int)json_as_number(json_get(json, "ledger_index"), -1), 0);
    assert_false(json_as_bool(json_get(json, "duplicate"), true));
    const struct json *reason = json_item(json_get(json, "reasons"), 0);
    assert_string_equal(json_as_text(json_get(reason, "code"), ""), "R-AMOUNT");
    assert_string_equal(json_as_text(json_get(reason, "feature"), ""), "amount");
    assert_float_equal(json_as_number(json_get(reason, "value"), 0), 150, 0);
    assert_true(json_as_number(json_get(reason, "contribution"), 0) > 0);
    json_destroy(json);
}

static void a_quarantined_event_is_answered_as_documented(void **state)
{
    struct bench *bench = *state;
    struct error error = {0};
    const struct answer *answer = bench_send(
        bench, "{\"event_id\":\"e1\",\"user_id\":\"ann\",\"amount\":9999,\"event_ts\":\"soon\"}");
    struct json *json;
    buffer_reset(&bench->text);
    answer_problem_json(answer, &bench->text);
    check(json_parse(buffer_slice(&bench->text), &json, &error), &error);
    assert_int_equal(json_size(json), 4);
    assert_non_null(json_as_text(json_get(json, "title"), NULL));
    assert_int_equal((int)json_as_number(json_get(json, "status"), 0), 422);
    assert_int_equal((int)json_as_number(json_get(json, "quarantine_id"), 0), 1);
    const struct json *errors = json_get(json, "errors");
    assert_int_equal(json_size(errors), 2);
    assert_string_equal(json_as_text(json_get(json_item(errors, 0), "field"), ""), "event_ts");
    assert_string_equal(json_as_text(json_get(json_item(errors, 0), "reason"), ""), "timestamp");
    assert_string_equal(json_as_text(json_get(json_item(errors, 1), "field"), ""), "amount");
    assert_string_equal(json_as_text(json_get(json_item(errors, 1), "reason"), ""), "range");
    json_destroy(json);
}

static void a_rules_own_code_is_the_first_reason(void **state)
{
    struct bench *bench = *state;
    const struct worker_options live = {.reasons = 2, .wait_for_room = true};
    bench->worker->options = live;
    const struct answer *answer = bench_pay(bench, "e1", "ann", 7, T0);
    assert_string_equal(answer->outcome->rule, "odd");
    assert_int_equal(answer->outcome->n_reasons, 1); /* an approval is not explained beyond it */
    struct json *json = bench_answer(bench, answer);
    const struct json *reason = json_item(json_get(json, "reasons"), 0);
    assert_string_equal(json_as_text(json_get(reason, "code"), ""), "R-ODD");
    assert_null(json_as_text(json_get(reason, "feature"), NULL));
    assert_true(isnan(json_as_number(json_get(reason, "value"), NAN)));
    json_destroy(json);
    const struct worker_options all = {.reasons = -1, .always = true, .wait_for_room = true};
    bench->worker->options = all;
    const struct outcome *outcome = bench_pay(bench, "e2", "bob", 7, T0)->outcome;
    assert_true(outcome->n_reasons > 1);
    assert_string_equal(outcome->reasons[0].code, "R-ODD");
    assert_true(outcome->reasons[1].feature >= 0);
}

static void reasons_are_given_as_asked_for(void **state)
{
    struct bench *bench = *state;
    const struct worker_options cases[] = {
        {.reasons = 0, .always = true, .wait_for_room = true},
        {.reasons = 1, .always = true, .wait_for_room = true},
        {.reasons = -1, .always = false, .wait_for_room = true},
    };
    const int approved[] = {0, 1, 0}, reviewed[] = {0, 1, 4}; /* all: of 0, too */
    for (int i = 0; i < 3; i++) {
        char id[8], user[8];
        snprintf(user, sizeof user, "u%d", i);
        bench->worker->options = cases[i];
        snprintf(id, sizeof id, "a%d", i);
        assert_int_equal(bench_pay(bench, id, user, 50, T0)->outcome->n_reasons, approved[i]);
        snprintf(id, sizeof id, "r%d", i);
        assert_int_equal(bench_pay(bench, id, user, 150, T0)->outcome->n_reasons, reviewed[i]);
    }
}

static void no_personal_value_is_in_the_record_or_its_answer(void **state)
{
    struct bench *bench = *state;
    struct error error = {0};
    struct ledger_row row;
    struct reader *reader;
    struct buffer leaf;
    uint8_t hash[SHA256_SIZE];
    bench_pay(bench, "e1", "Ann-Example", 150, T0);
    buffer_init(&leaf, 1u << 16);
    check(reader_open(bench->ledger_dir, &reader, &error), &error);
    check(reader_leaf(reader, 0, &leaf, hash, &error), &error);
    assert_null(memmem(leaf.data, leaf.size, "Ann-Example", 11));
    check(reader_row(reader, 0, &row, &error), &error);
    assert_int_equal(row.entity.size, PSEUDONYM_LENGTH);
    assert_memory_equal(row.entity.data, "p-", 2);
    assert_non_null(memmem(row.input.data, row.input.size, row.entity.data, row.entity.size));
    reader_close(reader);
    buffer_free(&leaf);
}

int main(void)
{
#define REPLAY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        REPLAY(a_decision_is_answered_as_documented),
        REPLAY(a_quarantined_event_is_answered_as_documented),
        REPLAY(a_rules_own_code_is_the_first_reason),
        REPLAY(reasons_are_given_as_asked_for),
        REPLAY(no_personal_value_is_in_the_record_or_its_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
