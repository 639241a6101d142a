/* Explanations as a service goes on, over an engine whose counts the test makes and whose clock it
 * moves: when they are made, what they are told of, what a restart and a damaged file leave. */
#include "tests/unit/engine/fixture.h"

#include <sys/stat.h>

#include "app/causes.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/observe/observe.h"

#define QUIET_S 200
#define BAD_S   30

struct world {
    struct bench *bench;
    struct session session;
    struct causes *causes;
    struct snapshot *snapshot;
    struct explanation last;
    int64_t at_us;
    char path[128];
};

static void open_causes(struct world *world)
{
    world->session.engine = world->bench->engine;
    world->session.clock = world->bench->parts.clock;
    clock_advance(world->session.clock, world->at_us);
    world->causes = causes_create(&world->session);
    assert_non_null(world->causes);
}

static void begin(struct world *world, bool has_ledger)
{
    *world = (struct world){.bench = bench_create("7d"), .at_us = T0};
    world->snapshot = calloc(1, sizeof *world->snapshot);
    world->session.log = log_create(-1, LOG_INFO, false);
    assert_non_null(world->snapshot);
    assert_non_null(world->session.log);
    snprintf(world->path, sizeof world->path, "%s/" RECENT_NAME, world->bench->ledger_dir);
    world->bench->parts.event_time = false;
    if (!has_ledger)
        world->bench->parts.ledger_dir = NULL;
    bench_start(world->bench);
    open_causes(world);
}

static void end(struct world *world)
{
    causes_destroy(world->causes);
    log_destroy(world->session.log);
    free(world->snapshot);
    bench_destroy(world->bench);
}

static void restart(struct world *world)
{
    causes_destroy(world->causes);
    bench_stop(world->bench);
    bench_start(world->bench);
    open_causes(world);
}

static struct slices *slices_of(struct world *world)
{
    return observe_slices(engine_observe(world->bench->engine));
}

static void one_outcome(struct world *world, bool declined)
{
    struct value values[5] = {[0] = value_null()};
    struct event event = {.schema = contract_schema(world->bench->contract),
                          .values = values,
                          .time_us = world->at_us,
                          .position.source = -1};
    for (int i = 0; i < 5; i++)
        values[i] = value_null();
    struct outcome outcome = {.event = &event,
                              .score = 0.1f,
                              .decision = declined ? DECISION_DECLINE : DECISION_APPROVE,
                              .rule = declined ? "amounts" : "default",
                              .variant = VARIANT_CHAMPION,
                              .decided_at_us = world->at_us,
                              .latency_us = 100};
    const struct outcome *one = &outcome;
    slices_outcomes(slices_of(world), &one, 1);
}

static void tick(struct world *world, bool at_once)
{
    world->snapshot->time_us = world->at_us;
    causes_tick(world->causes, at_once, world->snapshot, &world->last);
}

/* Seconds of twenty decisions each, of which some are declined, and of some errors. */
static void seconds(struct world *world, int n, int declined, int errors)
{
    for (int i = 0; i < n; i++) {
        world->at_us += US_PER_S;
        clock_advance(world->session.clock, world->at_us);
        for (int k = 0; k < 20; k++)
            one_outcome(world, k < declined);
        for (int k = 0; k < errors; k++)
            slices_count(slices_of(world), SLICED_ERRORS, world->at_us);
        slices_tick(slices_of(world), &(struct snapshot){.time_us = world->at_us});
        tick(world, false);
    }
}

static size_t lines_said(struct world *world, const char *event)
{
    struct log_line lines[16];
    const struct log_filter all = {.level = LOG_INFO, .from_us = 0, .to_us = INT64_MAX};
    size_t n = log_lines(world->session.log, &all, lines, 16, NULL), said = 0;
    for (size_t i = 0; i < n; i++)
        said += strcmp(lines[i].component, "explain") == 0 && strcmp(lines[i].event, event) == 0;
    return said;
}

static void errors_are_explained_while_they_last_and_known_when_they_are_over(void **state)
{
    struct world world;
    (void)state;
    begin(&world, true);
    seconds(&world, QUIET_S, 1, 0);
    assert_false(explanation_names(&world.snapshot->explanation));
    assert_int_equal(world.last.since_us, 0);
    int64_t since_us = world.at_us;
    seconds(&world, BAD_S, 1, 20);
    assert_true(explanation_names(&world.snapshot->explanation));
    assert_true(llabs(world.last.since_us - since_us) <= 10 * US_PER_S);
    assert_int_equal(world.last.until_us, 0);
    seconds(&world, QUIET_S, 1, 0);
    assert_false(explanation_names(&world.snapshot->explanation));
    assert_true(llabs(world.last.until_us - since_us - BAD_S * US_PER_S) <= 15 * US_PER_S);
    end(&world);
}

static void explains_every_five_seconds_and_at_once_when_something_begins(void **state)
{
    struct world world;
    (void)state;
    begin(&world, true);
    seconds(&world, QUIET_S, 1, 0);
    tick(&world, true);
    int64_t asked_us = world.at_us;
    assert_int_equal(world.snapshot->explanation.at_us, asked_us);
    seconds(&world, 4, 1, 0);
    assert_int_equal(world.snapshot->explanation.at_us, asked_us);
    seconds(&world, 1, 1, 0);
    assert_int_equal(world.snapshot->explanation.at_us, world.at_us);
    seconds(&world, 2, 1, 0);
    tick(&world, true);
    assert_int_equal(world.snapshot->explanation.at_us, world.at_us);
    end(&world);
}

static void who_asks_is_told_of_this_moment(void **state)
{
    struct explanation now;
    struct world world;
    (void)state;
    begin(&world, true);
    causes_now(world.causes, &now);
    assert_int_equal(now.at_us, 0);
    assert_false(explanation_names(&now));
    seconds(&world, QUIET_S, 1, 0);
    for (int i = 0; i < BAD_S; i++) { /* counted, but nobody ticks */
        world.at_us += US_PER_S;
        for (int k = 0; k < 20; k++)
            slices_count(slices_of(&world), SLICED_ERRORS, world.at_us);
    }
    clock_advance(world.session.clock, world.at_us);
    causes_now(world.causes, &now);
    assert_int_equal(now.at_us, world.at_us);
    assert_true(explanation_names(&now));
    assert_false(explanation_names(&world.snapshot->explanation));
    end(&world);
}

/* More declines: with a change of the rules beside them those are named, and not without. */
static void changes_that_were_told_are_causes(void **state)
{
    (void)state;
    for (int n = 0; n < 2; n++) {
        struct world world;
        begin(&world, true);
        seconds(&world, QUIET_S, 1, 0);
        struct explain_change change = {EXPLAIN_RULES, world.at_us, "rules.yaml"};
        causes_set_changes(world.causes, &change, n);
        change = (struct explain_change){EXPLAIN_SPLIT, 0, "of the caller"};
        seconds(&world, BAD_S, 12, 0);
        bool named = strcmp(world.snapshot->explanation.causes[0].cause, "rules") == 0;
        assert_int_equal(named, n);
        end(&world);
    }
}

static void trouble_before_a_restart_is_known_after_it(void **state)
{
    struct world world;
    (void)state;
    begin(&world, true);
    seconds(&world, QUIET_S, 1, 0);
    seconds(&world, BAD_S, 1, 20);
    struct explanation before = world.last;
    assert_true(before.since_us > 0);
    world.at_us += 2 * US_PER_S;
    restart(&world);
    seconds(&world, 10, 1, 20);
    assert_int_equal(world.last.since_us, before.since_us);
    assert_true(explanation_names(&world.snapshot->explanation));
    assert_int_equal(lines_said(&world, "not_taken_up"), 0);
    end(&world);
}

static void a_damaged_file_is_said_and_nothing_is_taken_from_it(void **state)
{
    struct world world;
    (void)state;
    begin(&world, true);
    seconds(&world, QUIET_S, 1, 0);
    seconds(&world, BAD_S, 1, 20);
    causes_destroy(world.causes);
    bench_stop(world.bench);
    write_text(world.path, "no such thing");
    bench_start(world.bench);
    open_causes(&world);
    assert_int_equal(lines_said(&world, "not_taken_up"), 1);
    tick(&world, true);
    assert_int_equal(world.last.since_us, 0);
    restart(&world); /* what is written at the end is whole again */
    assert_int_equal(lines_said(&world, "not_taken_up"), 1);
    end(&world);
}

static bool is_there(const struct world *world)
{
    return access(world->path, F_OK) == 0;
}

static void what_a_restart_needs_is_written_once_a_minute(void **state)
{
    struct world world;
    (void)state;
    begin(&world, true);
    seconds(&world, 59, 1, 0);
    causes_save(world.causes);
    assert_false(is_there(&world));
    for (int i = 0; i < 2; i++) {
        seconds(&world, i ? 60 : 1, 1, 0);
        causes_save(world.causes);
        assert_true(is_there(&world));
        assert_int_equal(unlink(world.path), 0);
        causes_save(world.causes);
        assert_false(is_there(&world));
    }
    end(&world);
}

static void a_place_that_cannot_be_written_is_said_once_and_again_after_it_could(void **state)
{
    struct world world;
    (void)state;
    begin(&world, true);
    assert_int_equal(mkdir(world.path, 0700), 0);
    for (int i = 0; i < 3; i++) {
        seconds(&world, 60, 1, 0);
        causes_save(world.causes);
        assert_int_equal(lines_said(&world, "not_written"), 1);
    }
    assert_int_equal(rmdir(world.path), 0);
    seconds(&world, 60, 1, 0);
    causes_save(world.causes);
    assert_int_equal(unlink(world.path), 0);
    assert_int_equal(mkdir(world.path, 0700), 0);
    seconds(&world, 60, 1, 0);
    causes_save(world.causes);
    assert_int_equal(lines_said(&world, "not_written"), 2);
    end(&world);
}

static void without_a_ledger_it_explains_and_keeps_nothing(void **state)
{
    struct world world;
    (void)state;
    begin(&world, false);
    seconds(&world, QUIET_S, 1, 0);
    seconds(&world, BAD_S, 1, 20);
    assert_true(explanation_names(&world.snapshot->explanation));
    causes_save(world.causes);
    assert_false(is_there(&world));
    assert_int_equal(lines_said(&world, "not_written"), 0);
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_explained_while_they_last_and_known_when_they_are_over),
        cmocka_unit_test(explains_every_five_seconds_and_at_once_when_something_begins),
        cmocka_unit_test(who_asks_is_told_of_this_moment),
        cmocka_unit_test(changes_that_were_told_are_causes),
        cmocka_unit_test(trouble_before_a_restart_is_known_after_it),
        cmocka_unit_test(a_damaged_file_is_said_and_nothing_is_taken_from_it),
        cmocka_unit_test(what_a_restart_needs_is_written_once_a_minute),
        cmocka_unit_test(a_place_that_cannot_be_written_is_said_once_and_again_after_it_could),
        cmocka_unit_test(without_a_ledger_it_explains_and_keeps_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
