/* Explanations as a service asks for them: none, what goes on and recovers, over restarts, as JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/json.h"
#include "tests/unit/engine/monitor/explain_fixture.h"

static void says_none_where_nothing_happened(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    struct explanation out = end(&world, &split, 1);
    assert_string_equal(out.causes[0].cause, "none");
    assert_int_equal(out.since_us, 0);
    assert_true(isnan(out.requests));
}

static void says_that_nothing_is_known_yet(void **state)
{
    struct explain_memory memory = {.n_troubles = 0};
    struct explain_facts facts = {.now_us = START_US + 3000000, .source = "", .problem = ""};
    struct explanation out;
    struct slices_view view;
    struct world world = {.slices = slices_create(&(struct slices_options){NULL, NULL})};
    (void)state;
    slices_count(world.slices, SLICED_ERRORS, START_US);
    assert_true(slices_view(world.slices, facts.now_us, &view));
    explain(&view, &facts, &memory, &out);
    assert_string_equal(out.causes[0].cause, "none");
    assert_non_null(strstr(out.causes[0].evidence, "no data"));
    slices_view_free(&view);
    slices_destroy(world.slices);
}

static void null_countries(struct world *world)
{
    world->null_share = 0.2;
}

static void more_amounts(struct world *world)
{
    world->amount = 100;
}

static void slow_events(struct world *world)
{
    world->latency_us = 40000;
}

/* What a service that stops at this second leaves, taken up by one that starts `away` s later. */
static void restart(struct world *world, struct explain_memory *memory, int second, int away)
{
    static const struct slice_field shapes[] = {{NULL, 0}, {NULL, 0}, {countries, 4}};
    char path[] = "/tmp/explain-XXXXXX";
    struct error error;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    int64_t stopped_us = START_US + second * INT64_C(1000000);
    assert_int_equal(explain_save(world->slices, memory, stopped_us, path, &error), STATUS_OK);
    slices_destroy(world->slices);
    world->slices = slices_create(&(struct slices_options){&schema, shapes});
    *memory = (struct explain_memory){.n_troubles = 0};
    assert_int_equal(
        explain_load(world->slices, memory, stopped_us + away * INT64_C(1000000), path, &error),
        STATUS_OK);
    unlink(path);
}

/* Seconds from `from` on, asking every five as a service does. */
static struct explanation go_on(struct world *world, struct explain_memory *memory, int from,
                                int to, const struct explain_change *changes, int n)
{
    struct explanation out = {.n_causes = 0};
    for (int second = from; second < to; second++) {
        struct slices_view view;
        one_second(world, second);
        if (second % 5 != 4)
            continue;
        int64_t now_us = START_US + (second + 1) * INT64_C(1000000);
        struct explain_facts facts = {
            .now_us = now_us, .changes = changes, .n_changes = n, .source = "http", .problem = ""};
        assert_true(slices_view_there(world->slices, now_us, &view));
        explain(&view, &facts, memory, &out);
        slices_view_free(&view);
    }
    return out;
}

/* Bug: after ten minutes a fault was what is usual, and nothing was wrong any more. */
static void an_incident_goes_on_until_it_has_recovered(void **state)
{
    enum { LONG = FAULT_AT + 1500 };
    void (*const faults[])(struct world *) = {null_countries, more_amounts, slow_events};
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct world world;
        struct explain_memory memory = {.n_troubles = 0};
        begin(&world);
        struct world calm = world;
        faults[i](&world);
        struct explanation first = go_on(&world, &memory, FAULT_AT, SECONDS, NULL, 0);
        struct explanation late = go_on(&world, &memory, SECONDS, LONG, NULL, 0);
        assert_true(first.since_us > 0 && first.since_us == late.since_us);
        assert_string_equal(first.causes[0].cause, late.causes[0].cause);
        assert_int_equal(late.until_us, 0);
        assert_true(late.requests > 20 * first.requests);
        assert_true(late.errors == (i == 0 ? late.requests : 0)); /* null: quarantined */
        calm.random = world.random;
        struct explanation over = go_on(&calm, &memory, LONG, LONG + 30, NULL, 0);
        assert_string_equal(over.causes[0].cause, "none");
        assert_true(memory.last.until_us >= START_US + (LONG - 10) * INT64_C(1000000));
        assert_true(memory.last.until_us <= START_US + (LONG + 20) * INT64_C(1000000));
        slices_destroy(world.slices);
    }
}

/* Rules that came with a restart and hurt, seen against what was usual before it; and mended by
 * another restart, which is no new trouble. */
static void what_changed_with_a_restart_is_found(void **state)
{
    enum { AWAY = 60, BACK = FAULT_AT + AWAY, MENDED = BACK + 60, AGAIN = MENDED + AWAY };
    struct explain_change changes[] = {
        {EXPLAIN_RULES, START_US + BACK * INT64_C(1000000), "rules.yaml"},
        {EXPLAIN_RULES, START_US + AGAIN * INT64_C(1000000), "rules.yaml"}};
    struct explain_memory memory = {.n_troubles = 0};
    struct world world;
    (void)state;
    begin(&world);
    (void)go_on(&world, &memory, FAULT_AT - 5, FAULT_AT, NULL, 0);
    restart(&world, &memory, FAULT_AT, AWAY);
    world.lenient = 0.3;
    struct explanation out = go_on(&world, &memory, BACK, MENDED, changes, 1);
    assert_string_equal(out.causes[0].cause, "rules");
    assert_true(out.since_us >= START_US + BACK * INT64_C(1000000));
    restart(&world, &memory, MENDED, AWAY);
    world.lenient = 0;
    out = go_on(&world, &memory, AGAIN, AGAIN + 60, changes, 2);
    assert_string_equal(out.causes[0].cause, "none");
    assert_true(memory.last.until_us > 0 &&
                memory.last.until_us < START_US + (AGAIN + 30) * INT64_C(1000000));
    slices_destroy(world.slices);
}

static void writes_json_without_numbers_that_are_none(void **state)
{
    struct world world;
    struct buffer text;
    struct json_writer json;
    (void)state;
    begin(&world);
    struct explanation out = end(&world, NULL, 0);
    buffer_init(&text, 1 << 16);
    json_begin(&json, &text);
    explanation_json(&out, &json, NULL);
    struct json *document;
    assert_int_equal(json_parse(buffer_slice(&text), &document, NULL), STATUS_OK);
    assert_int_equal(json_kind(json_get(document, "since")), JSON_NULL);
    assert_int_equal(json_kind(json_get(json_get(document, "impact"), "requests")), JSON_NULL);
    assert_int_equal(json_size(json_get(document, "causes")), 1);
    json_destroy(document);
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_none_where_nothing_happened),
        cmocka_unit_test(says_that_nothing_is_known_yet),
        cmocka_unit_test(an_incident_goes_on_until_it_has_recovered),
        cmocka_unit_test(what_changed_with_a_restart_is_found),
        cmocka_unit_test(writes_json_without_numbers_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
