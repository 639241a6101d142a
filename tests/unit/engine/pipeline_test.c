/* A batch from raw bytes to answers: decided in order, routed to its model, repeats answered alike.
 */
#include "tests/unit/engine/pipeline_fixture.h"

/* ---- decisions ---- */

static void decides_by_the_score_of_the_windows_so_far(void **state)
{
    struct bench *bench = *state;
    const struct answer *answer = bench_pay(bench, "e1", "ann", 50, T0);
    assert_int_equal(answer->kind, ANSWER_DECIDED);
    assert_int_equal(answer->outcome->decision, DECISION_APPROVE);
    assert_string_equal(answer->outcome->rule, "default");
    assert_float_equal(answer->outcome->score, CHAMPION_LOW, 1e-5f);
    assert_float_equal(answer->outcome->margin, -2.0f, 1e-6f);

    answer = bench_pay(bench, "e2", "ann", 150, T0 + US_PER_MIN);
    assert_int_equal(answer->outcome->decision, DECISION_REVIEW);
    assert_string_equal(answer->outcome->rule, "high");
    assert_float_equal(answer->outcome->score, CHAMPION_MIDDLE, 1e-5f);
    assert_feature(answer, COUNT_1H, 2);
    assert_feature(answer, SUM_1H, 200);

    answer = bench_pay(bench, "e3", "ann", 100, T0 + 2 * US_PER_MIN);
    assert_int_equal(answer->outcome->decision, DECISION_DECLINE);
    assert_string_equal(answer->outcome->rule, "very-high");
    assert_float_equal(answer->outcome->score, CHAMPION_HIGH, 1e-5f);
    assert_feature(answer, COUNT_1H, 3);
    assert_int_equal(answer->ledger_index, 2);

    answer = bench_pay(bench, "e4", "bob", 150, T0 + 2 * US_PER_MIN);
    assert_int_equal(answer->outcome->decision, DECISION_REVIEW);
    assert_feature(answer, COUNT_1H, 1); /* another user's windows */
}

static void a_batch_is_decided_in_order_as_if_one_by_one(void **state)
{
    struct bench *bench = *state;
    char texts[5][256];
    struct raw_event events[5];
    for (int i = 0; i < 5; i++) {
        char id[8];
        snprintf(id, sizeof id, "e%d", i);
        events[i] = (struct raw_event){
            .bytes = event_text(texts[i], id, "ann", 100 + i, T0 + i * US_PER_S),
            .position = {engine_source(bench->engine, 0), 0, i + 1},
        };
    }
    bench_process(bench, events, 5);
    double sum = 0;
    for (int i = 0; i < 5; i++) {
        sum += 100 + i;
        assert_int_equal(bench->answers[i].kind, ANSWER_DECIDED);
        assert_int_equal(bench->answers[i].ledger_index, i);
        assert_feature(&bench->answers[i], COUNT_1H, i + 1);
        assert_feature(&bench->answers[i], SUM_1H, sum);
    }
    assert_int_equal(engine_position(bench->engine, 0, 0), 5);
}

/* ---- ids ---- */

static void the_same_event_twice_in_a_batch_is_decided_once(void **state)
{
    struct bench *bench = *state;
    char texts[2][256];
    const struct raw_event events[] = {
        {.bytes = event_text(texts[0], "e1", "ann", 150, T0), .position.source = -1},
        {.bytes = event_text(texts[0], "e1", "ann", 150, T0), .position.source = -1},
        {.bytes = event_text(texts[1], "e2", "ann", 150, T0), .position.source = -1},
    };
    bench_process(bench, events, 3);
    assert_int_equal(bench->answers[0].kind, ANSWER_DECIDED);
    assert_int_equal(bench->answers[1].kind, ANSWER_DUPLICATE);
    assert_int_equal(bench->answers[1].ledger_index, 0);
    assert_int_equal(bench->answers[2].kind, ANSWER_DECIDED);
    assert_int_equal(bench->answers[2].ledger_index, 1);
    assert_feature(&bench->answers[2], COUNT_1H, 2);
}

static void an_event_of_an_earlier_batch_gets_its_recorded_answer(void **state)
{
    struct bench *bench = *state;
    struct json *json = bench_answer(bench, bench_pay(bench, "e1", "ann", 150, T0));
    assert_false(json_as_bool(json_get(json, "duplicate"), true));
    char *first = strndup(bench->text.data, bench->text.size);
    json_destroy(json);
    bench_pay(bench, "e2", "ann", 150, T0 + 1);

    /* The same content spelt differently: order, spaces, number, time. */
    const struct answer *answer =
        bench_send(bench, " { \"amount\" : 1.5e2, \"user_id\":\"a\\u006en\", \"event_id\":\"e1\", "
                          "\"event_ts\":\"2018-08-08 02:00:00+02:00\"}");
    assert_int_equal(answer->kind, ANSWER_DUPLICATE);
    assert_int_equal(answer->ledger_index, 0);
    json = bench_answer(bench, answer);
    assert_true(json_as_bool(json_get(json, "duplicate"), false));
    json_destroy(json);
    char *at = strstr(first, "\"duplicate\":false");
    assert_non_null(at);
    assert_memory_equal(first, bench->text.data, (size_t)(at - first));
    free(first);
    /* And the windows have it once. */
    assert_feature(bench_pay(bench, "e3", "ann", 150, T0 + 2), COUNT_1H, 3);
}

static void the_same_id_with_other_content_is_a_conflict(void **state)
{
    struct bench *bench = *state;
    struct error error = {0};
    bench_pay(bench, "e1", "ann", 150, T0);
    const struct answer *answer = bench_pay(bench, "e1", "ann", 151, T0);
    assert_int_equal(answer->kind, ANSWER_CONFLICT);
    assert_int_equal(answer->quarantine_id, 1);
    assert_int_equal(answer->event->violations[0].code, VIOLATION_DUPLICATE_ID);

    buffer_reset(&bench->text);
    answer_problem_json(answer, &bench->text);
    struct json *json;
    check(json_parse(buffer_slice(&bench->text), &json, &error), &error);
    assert_int_equal((int)json_as_number(json_get(json, "status"), 0), 409);
    assert_int_equal((int)json_as_number(json_get(json, "quarantine_id"), 0), 1);
    const struct json *problem = json_item(json_get(json, "errors"), 0);
    assert_string_equal(json_as_text(json_get(problem, "field"), ""), "event_id");
    assert_string_equal(json_as_text(json_get(problem, "reason"), ""), "duplicate_id");
    json_destroy(json);
    /* The first answer stands. */
    answer = bench_pay(bench, "e1", "ann", 150, T0);
    assert_int_equal(answer->kind, ANSWER_DUPLICATE);
    assert_int_equal(answer->ledger_index, 0);
    assert_feature(bench_pay(bench, "e2", "ann", 1, T0), SUM_1H, 151);
}

static void an_id_may_come_again_after_its_span(void **state)
{
    struct bench *bench = *state;
    bench_pay(bench, "e1", "ann", 150, T0);
    for (int day = 1; day <= 8; day++) {
        char id[16];
        snprintf(id, sizeof id, "day-%d", day);
        bench_pay(bench, id, "ann", 1, T0 + day * US_PER_DAY);
    }
    assert_int_equal(bench_pay(bench, "e1", "bob", 9, T0 + 8 * US_PER_DAY)->kind, ANSWER_DECIDED);
    assert_int_equal(bench_pay(bench, "day-2", "bob", 9, T0 + 8 * US_PER_DAY)->kind,
                     ANSWER_CONFLICT);
}

static void a_canary_gets_its_share_of_users_and_keeps_them(void **state)
{
    enum { USERS = 400 };
    struct bench *bench = *state;
    bool on_canary[USERS];
    int n = 0;
    traffic_of(bench, VARIANT_CANARY, 25);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < USERS; i++) {
            char id[32], user[16];
            snprintf(id, sizeof id, "%d-%d", round, i);
            snprintf(user, sizeof user, "user-%d", i);
            const struct answer *answer = bench_pay(bench, id, user, 50, T0);
            bool canary = answer->outcome->variant == VARIANT_CANARY;
            assert_string_equal(answer->outcome->model_version, canary ? "2" : "1");
            assert_float_equal(answer->outcome->score, canary ? RIVAL_LOW : CHAMPION_LOW, 1e-5f);
            if (round == 0) {
                on_canary[i] = canary;
                n += canary;
            } else {
                assert_int_equal(canary, on_canary[i]);
            }
        }
    }
    /* 100 expected; four standard deviations are 35. The pseudonyms' key is new in every run. */
    assert_in_range(n, 60, 140);
}

static void a_split_that_does_not_add_up_changes_nothing(void **state)
{
    struct bench *bench = *state;
    struct error error = {0};
    const struct engine_arm no_champion[] = {{VARIANT_CANARY, 1, 10}};
    const struct engine_arm twice[] = {
        {VARIANT_CHAMPION, 0, -1},
        {VARIANT_CANARY, 0, 10},
    };
    assert_int_equal(engine_set_traffic(bench->engine, no_champion, 1, "tester", "a test", &error),
                     STATUS_INVALID);
    assert_int_equal(engine_set_traffic(bench->engine, twice, 2, "tester", "a test", &error),
                     STATUS_INVALID);
    const struct answer *answer = bench_pay(bench, "e1", "ann", 150, T0);
    assert_string_equal(answer->outcome->model_version, "1");
    assert_int_equal(answer->ledger_index, 0); /* nor is there an action in the record */
}

static void without_a_ledger_decides_and_says_that_nothing_was_recorded(void **state)
{
    (void)state;
    struct bench *bench = bench_create("7d");
    bench->parts.ledger_dir = NULL;
    bench_start(bench);
    const struct answer *answer = bench_pay(bench, "e1", "ann", 150, T0);
    assert_int_equal(answer->kind, ANSWER_DECIDED);
    assert_true(answer->ledger_index == UINT64_MAX);
    struct json *json = bench_answer(bench, answer);
    assert_int_equal(json_kind(json_get(json, "ledger_index")), JSON_NULL);
    json_destroy(json);
    assert_int_equal(bench_pay(bench, "e1", "ann", 150, T0)->kind, ANSWER_DUPLICATE);
    assert_int_equal(engine_position(bench->engine, 0, 0), -1);
    bench_destroy(bench);
}

int main(void)
{
#define REPLAY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        REPLAY(decides_by_the_score_of_the_windows_so_far),
        REPLAY(a_batch_is_decided_in_order_as_if_one_by_one),
        REPLAY(the_same_event_twice_in_a_batch_is_decided_once),
        REPLAY(an_event_of_an_earlier_batch_gets_its_recorded_answer),
        REPLAY(the_same_id_with_other_content_is_a_conflict),
        REPLAY(an_id_may_come_again_after_its_span),
        REPLAY(a_canary_gets_its_share_of_users_and_keeps_them),
        REPLAY(a_split_that_does_not_add_up_changes_nothing),
        cmocka_unit_test(without_a_ledger_decides_and_says_that_nothing_was_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
