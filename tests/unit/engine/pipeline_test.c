/* A batch through the whole pipeline: what is decided, what is quarantined, what is known already,
 * and what time it is afterwards. Expected scores are the logistic function of the leaves. */
#include <math.h>

#include "engine/base/clock.h"
#include "engine/observe/observe_priv.h"
#include "tests/unit/engine/fixture.h"

static int set_up(void **state)
{
    struct bench *bench = bench_create("7d");
    bench_start(bench);
    *state = bench;
    return 0;
}

static int set_up_live(void **state)
{
    struct bench *bench = bench_create("7d");
    bench->parts.event_time = false;
    bench_start(bench);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    bench_destroy(*state);
    return 0;
}

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

static void a_bad_event_is_quarantined_and_leaves_no_trace_in_the_windows(void **state)
{
    struct bench *bench = *state;
    char texts[3][256];
    const struct raw_event events[] = {
        {.bytes = event_text(texts[0], "e1", "ann", 150, T0), .position.source = -1},
        {.bytes = slice_of("{\"event_id\":"), .position.source = -1},
        {.bytes = event_text(texts[1], "e2", "ann", -1, T0), .position.source = -1},
        {.bytes = event_text(texts[2], "e3", "ann", 150, T0), .position.source = -1},
    };
    bench_process(bench, events, 4);
    const struct answer *answers = bench->answers;
    assert_int_equal(answers[0].kind, ANSWER_DECIDED);
    assert_int_equal(answers[1].kind, ANSWER_QUARANTINED);
    assert_int_equal(answers[1].event->violations[0].code, VIOLATION_NOT_JSON);
    assert_int_equal(answers[1].quarantine_id, 1);
    assert_null(answers[1].outcome);
    assert_int_equal(answers[2].kind, ANSWER_QUARANTINED);
    assert_int_equal(answers[2].event->violations[0].code, VIOLATION_RANGE);
    assert_int_equal(answers[2].quarantine_id, 2);
    assert_int_equal(answers[3].kind, ANSWER_DECIDED);
    assert_int_equal(answers[3].ledger_index, 1);
    assert_feature(&answers[3], COUNT_1H, 2);
    assert_feature(&answers[3], SUM_1H, 300);
    /* Its id was never taken: sent again without the fault, it is decided. */
    assert_int_equal(bench_pay(bench, "e2", "ann", 1, T0)->kind, ANSWER_DECIDED);
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

/* ---- time ---- */

static void the_clock_follows_accepted_events_and_never_goes_back(void **state)
{
    struct bench *bench = *state;
    const struct clock *clock = bench->parts.clock;
    const struct answer *answer = bench_pay(bench, "e1", "ann", 1, T0);
    assert_int_equal(answer->outcome->decided_at_us, T0);
    bench_pay(bench, "e2", "ann", 1, T0 + US_PER_HOUR);
    answer = bench_pay(bench, "e3", "ann", 1, T0 + US_PER_MIN);
    assert_int_equal(answer->kind, ANSWER_DECIDED);
    assert_int_equal(answer->outcome->decided_at_us, T0 + US_PER_HOUR);
    bench_pay(bench, "e4", "ann", -1, T0 + 2 * US_PER_HOUR); /* refused: no witness of the time */
    assert_int_equal(clock_now_us(clock), T0 + US_PER_HOUR);
}

static void a_jump_beyond_max_step_is_not_believed(void **state)
{
    struct bench *bench = *state;
    bench_pay(bench, "e1", "ann", 1, T0);
    const struct answer *answer = bench_pay(bench, "e2", "ann", 1, T0 + 2 * US_PER_DAY + 1);
    assert_int_equal(answer->kind, ANSWER_QUARANTINED);
    assert_int_equal(answer->event->violations[0].code, VIOLATION_STEP);
    assert_int_equal(clock_now_us(bench->parts.clock), T0);
    answer = bench_pay(bench, "e2", "ann", 1, T0 + 2 * US_PER_DAY);
    assert_int_equal(answer->kind, ANSWER_DECIDED);
    assert_int_equal(clock_now_us(bench->parts.clock), T0 + 2 * US_PER_DAY);
}

static void live_an_event_from_the_future_is_quarantined(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(bench_pay(bench, "e1", "ann", 1, T0 + US_PER_MIN)->kind, ANSWER_DECIDED);
    const struct answer *answer = bench_pay(bench, "e2", "ann", 1, T0 + US_PER_MIN + 1);
    assert_int_equal(answer->kind, ANSWER_QUARANTINED);
    assert_int_equal(answer->event->violations[0].code, VIOLATION_FUTURE);
    assert_int_equal(clock_now_us(bench->parts.clock), T0);
}

static void an_event_too_late_for_its_windows_is_quarantined(void **state)
{
    struct bench *bench = *state;
    bench_pay(bench, "e1", "ann", 1, T0 + 6 * US_PER_HOUR);
    const struct answer *answer = bench_pay(bench, "e2", "ann", 1, T0);
    assert_int_equal(answer->kind, ANSWER_DECIDED); /* exactly as late as allowed */
    answer = bench_pay(bench, "e3", "ann", 1, T0 - 1);
    assert_int_equal(answer->kind, ANSWER_QUARANTINED);
    assert_int_equal(answer->event->violations[0].code, VIOLATION_TOO_LATE);
    assert_int_equal(answer->quarantine_id, 1);
    assert_int_equal(bench_pay(bench, "e3", "bob", 1, T0 - 1)->kind, ANSWER_DECIDED);
}

static void a_repeat_of_a_late_event_in_its_own_batch_is_quarantined_too(void **state)
{
    struct bench *bench = *state;
    char text[256];
    bench_pay(bench, "e1", "ann", 1, T0 + 7 * US_PER_HOUR);
    event_text(text, "e2", "ann", 1, T0);
    const struct raw_event events[] = {
        {.bytes = slice_of(text), .position.source = -1},
        {.bytes = slice_of(text), .position.source = -1},
    };
    bench_process(bench, events, 2);
    for (uint64_t i = 0; i < 2; i++) {
        assert_int_equal(bench->answers[i].kind, ANSWER_QUARANTINED);
        assert_int_equal(bench->answers[i].event->violations[0].code, VIOLATION_TOO_LATE);
        assert_int_equal(bench->answers[i].quarantine_id, i + 1);
    }
    assert_int_equal(bench_pay(bench, "e2", "bob", 1, T0)->kind, ANSWER_DECIDED); /* a free id */
}

/* ---- arms ---- */

static void traffic_of(struct bench *bench, enum variant variant, double share_percent)
{
    const struct engine_arm arms[] = {
        {VARIANT_CHAMPION, 0, -1},
        {variant, 1, share_percent},
    };
    struct error error = {0};
    check(engine_set_traffic(bench->engine, arms, 2, "tester", "a test", &error), &error);
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

static void a_shadow_scores_what_it_sees_and_decides_nothing(void **state)
{
    struct bench *bench = *state;
    struct error error = {0};
    traffic_of(bench, VARIANT_SHADOW, 100);
    const struct answer *answer = bench_pay(bench, "e1", "ann", 150, T0);
    assert_int_equal(answer->outcome->variant, VARIANT_CHAMPION);
    assert_float_equal(answer->outcome->score, CHAMPION_MIDDLE, 1e-5f);
    assert_int_equal(answer->outcome->n_shadows, 1);
    assert_string_equal(answer->outcome->shadows[0].version, "2");
    assert_float_equal(answer->outcome->shadows[0].score, RIVAL_MIDDLE, 1e-5f);

    struct reader *reader;
    struct ledger_row row;
    check(reader_open(bench->ledger_dir, &reader, &error), &error);
    check(reader_find_event(reader, slice_of("e1"), &row, &error), &error);
    assert_int_equal(row.n_shadows, 1);
    assert_float_equal(row.shadows[0].score, RIVAL_MIDDLE, 1e-5f);
    check(reader_row(reader, 0, &row, &error), &error); /* the operator's action came first */
    assert_int_equal(row.kind, ROW_ACTION);
    assert_true(slice_is(row.who, "tester"));
    reader_close(reader);
}

static uint64_t seen_by_shadow(struct bench *bench)
{
    struct snapshot *snapshot = snapshot_create();
    assert_non_null(snapshot);
    engine_fill(bench->engine, snapshot);
    assert_int_equal(snapshot->n_arms, 2);
    assert_int_equal(snapshot->arms[1].variant, VARIANT_SHADOW);
    uint64_t n = snapshot->arms[1].n;
    snapshot_release(snapshot);
    return n;
}

static void live_a_shadow_is_scored_aside_and_counted(void **state)
{
    enum { EVENTS = 5000 }; /* more than there are slots for copies: they are used again */
    struct bench *bench = *state;
    const struct worker_options live = {.reasons = 3};
    worker_set_options(bench->worker, &live);
    traffic_of(bench, VARIANT_SHADOW, 100);
    for (int i = 0; i < EVENTS; i++) {
        char id[8];
        snprintf(id, sizeof id, "e%d", i);
        assert_int_equal(bench_pay(bench, id, "ann", 1, T0)->outcome->n_shadows, 0);
        for (int tries = 0; i % 500 == 499 && tries < 1000 && !seen_by_shadow(bench); tries++)
            pause_us(10000);
    }
    for (int tries = 0; tries < 1000 && seen_by_shadow(bench) < EVENTS; tries++)
        pause_us(10000);
    assert_int_equal(seen_by_shadow(bench), EVENTS);
}

/* The shadow's thread is held where it counts, so that nothing leaves its queue. */
static void what_the_shadow_has_no_room_for_is_left_out_and_counted(void **state)
{
    enum { SLOTS = 4096, BATCH = 64, EVENTS = 66 * BATCH };
    struct bench *bench = *state;
    const struct worker_options live = {.reasons = 3};
    struct snapshot *snapshot = snapshot_create();
    worker_set_options(bench->worker, &live);
    traffic_of(bench, VARIANT_SHADOW, 100);
    struct shard *held = observe_shard_take(engine_observe(bench->engine), 0);
    for (int first = 0; first < EVENTS; first += BATCH) {
        static char texts[BATCH][256];
        struct raw_event events[BATCH];
        for (int i = 0; i < BATCH; i++) {
            char id[16];
            snprintf(id, sizeof id, "e%d", first + i);
            event_text(texts[i], id, "ann", 1, T0);
            events[i] = (struct raw_event){.bytes = slice_of(texts[i]), .position.source = -1};
        }
        bench_process(bench, events, BATCH);
    }
    lock_release(&held->lock);
    for (int tries = 0; tries < 1000 && seen_by_shadow(bench) < SLOTS; tries++)
        pause_us(10000);
    assert_int_equal(seen_by_shadow(bench), SLOTS);
    engine_fill(bench->engine, snapshot);
    const struct queue_status *queue = queues_find(&snapshot->queues, "shadow");
    assert_non_null(queue);
    assert_int_equal(queue->full, EVENTS - SLOTS);
    assert_int_equal(queue->capacity, SLOTS);
    assert_int_equal(queue->depth, 0);
    snapshot_release(snapshot);
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
    worker_set_options(bench->worker, &live);
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
    worker_set_options(bench->worker, &all);
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
        worker_set_options(bench->worker, &cases[i]);
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
        REPLAY(a_bad_event_is_quarantined_and_leaves_no_trace_in_the_windows),
        REPLAY(the_same_event_twice_in_a_batch_is_decided_once),
        REPLAY(an_event_of_an_earlier_batch_gets_its_recorded_answer),
        REPLAY(the_same_id_with_other_content_is_a_conflict),
        REPLAY(an_id_may_come_again_after_its_span),
        REPLAY(the_clock_follows_accepted_events_and_never_goes_back),
        REPLAY(a_jump_beyond_max_step_is_not_believed),
        cmocka_unit_test_setup_teardown(live_an_event_from_the_future_is_quarantined, set_up_live,
                                        tear_down),
        REPLAY(an_event_too_late_for_its_windows_is_quarantined),
        REPLAY(a_repeat_of_a_late_event_in_its_own_batch_is_quarantined_too),
        REPLAY(a_canary_gets_its_share_of_users_and_keeps_them),
        REPLAY(a_shadow_scores_what_it_sees_and_decides_nothing),
        cmocka_unit_test_setup_teardown(what_the_shadow_has_no_room_for_is_left_out_and_counted,
                                        set_up_live, tear_down),
        cmocka_unit_test_setup_teardown(live_a_shadow_is_scored_aside_and_counted, set_up_live,
                                        tear_down),
        REPLAY(a_split_that_does_not_add_up_changes_nothing),
        REPLAY(a_decision_is_answered_as_documented),
        REPLAY(a_quarantined_event_is_answered_as_documented),
        REPLAY(a_rules_own_code_is_the_first_reason),
        REPLAY(reasons_are_given_as_asked_for),
        REPLAY(no_personal_value_is_in_the_record_or_its_answer),
        cmocka_unit_test(without_a_ledger_decides_and_says_that_nothing_was_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
