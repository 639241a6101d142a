/* Shadow models: they score what they see, decide nothing, and what they have no room for is
 * counted. */
#include "tests/unit/engine/pipeline_fixture.h"

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
    bench->worker->options = live;
    traffic_of(bench, VARIANT_SHADOW, 100);
    for (int i = 0; i < EVENTS; i++) {
        char id[8];
        snprintf(id, sizeof id, "e%d", i);
        assert_int_equal(bench_pay(bench, id, "ann", 1, T0)->outcome->n_shadows, 0);
        for (int tries = 0; i % 500 == 499 && tries < 1000 && seen_by_shadow(bench) <= (uint64_t)i;
             tries++)
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
    bench->worker->options = live;
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

int main(void)
{
#define REPLAY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        REPLAY(a_shadow_scores_what_it_sees_and_decides_nothing),
        cmocka_unit_test_setup_teardown(what_the_shadow_has_no_room_for_is_left_out_and_counted,
                                        set_up_live, tear_down),
        cmocka_unit_test_setup_teardown(live_a_shadow_is_scored_aside_and_counted, set_up_live,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
