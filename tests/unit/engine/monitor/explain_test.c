/* Causes from counts: faults are put into simulated minutes, and the first cause has to be theirs.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/json.h"
#include "engine/monitor/explain.h"

#define START_US INT64_C(1700000000000000)
#define SECONDS  240
#define FAULT_AT 200
#define RATE     40

static const char *const countries[] = {"US", "CA", "GB", "DE"};
static const struct field fields[] = {
    {.name = "event_id", .type = FIELD_STRING},
    {.name = "amount", .type = FIELD_FLOAT},
    {.name = "country", .type = FIELD_STRING},
};
static const struct schema schema = {.name = "t",
                                     .version = "1",
                                     .fields = fields,
                                     .n_fields = 3,
                                     .id = 0,
                                     .time = -1,
                                     .label = -1,
                                     .entity = 0};

/* What the simulated minutes hold. */
struct world {
    struct slices *slices;
    uint64_t random;
    double canary;     /* share of the traffic */
    double canary_bad; /* declines of the canary, champion: 0.05 */
    double null_share; /* of country */
    double rare;       /* share of the fourth country; 0: as of each */
    int null_country;  /* -1: any; else events of this one have a null amount */
    double amount;     /* factor */
    double copies;     /* of each event */
    int64_t age_us;
    double lenient; /* a rule that declines this share more */
    int64_t latency_us;
    double score_shift;     /* of every score */
    double invalid_share;   /* of amount */
    double positive;        /* share of the labels, one for each event; negative: none come */
    int64_t commit_us;      /* negative: there is no record */
    int64_t lock_waited_us; /* of each second */
    bool shared_store, source_stalled;
};

static double chance(struct world *world)
{
    world->random = world->random * 6364136223846793005u + 1442695040888963407u;
    return (double)(world->random >> 11) / 9007199254740992.0;
}

static void one_event(struct world *world, int64_t at_us)
{
    bool rare = world->rare > 0 && chance(world) < world->rare;
    int country = rare ? 3 : (int)(chance(world) * (world->rare > 0 ? 3 : 4));
    bool null = world->null_country < 0 ? chance(world) < world->null_share
                                        : country == world->null_country && chance(world) < 0.8;
    struct value values[3] = {
        {.type = VALUE_STRING, .string = slice_of("id")},
        value_number(world->amount * exp(3 + 2 * chance(world))),
        {.type = VALUE_STRING, .string = slice_of(countries[country])},
    };
    struct event event = {.schema = &schema,
                          .values = values,
                          .time_us = at_us - world->age_us,
                          .position.source = -1};
    if (null) {
        int field = world->null_country < 0 ? 2 : 1;
        values[field] = value_null();
        event.violations[0] = (struct violation){VIOLATION_NULL, field, NULL};
        event.n_violations = 1;
        slices_quarantine(world->slices, &event, at_us);
        return;
    }
    if (chance(world) < world->invalid_share) {
        values[1] = value_null();
        event.violations[0] = (struct violation){VIOLATION_RANGE, 1, NULL};
        event.n_violations = 1;
        slices_quarantine(world->slices, &event, at_us);
        return;
    }
    bool canary = chance(world) < world->canary;
    double bad = canary ? world->canary_bad : 0.05;
    bool strict = chance(world) < world->lenient, declined = strict || chance(world) < bad;
    struct outcome outcome = {
        .event = &event,
        .score = (declined && !strict ? 0.9f : 0.1f) + (float)world->score_shift,
        .decision = declined ? DECISION_DECLINE : DECISION_APPROVE,
        .rule = strict     ? "amounts"
                : declined ? "high"
                           : "default",
        .variant = canary ? VARIANT_CANARY : VARIANT_CHAMPION,
        .decided_at_us = at_us,
        .latency_us = world->latency_us,
    };
    const struct outcome *outcomes[] = {&outcome};
    slices_outcomes(world->slices, outcomes, 1);
    if (world->positive >= 0)
        slices_label(world->slices, at_us, chance(world) < world->positive, 60000000);
}

/* What a tick tells of the record. */
static void one_tick(struct world *world, int64_t at_us)
{
    static struct snapshot snapshot;
    int64_t waited_us = snapshot.record.lock_waited_us + world->lock_waited_us;
    snapshot = (struct snapshot){.time_us = at_us};
    snapshot.record = (struct record_status){.used = world->commit_us >= 0,
                                             .state = RECORD_WRITES,
                                             .commit_us = (double)world->commit_us,
                                             .lock_waited_us = waited_us};
    slices_tick(world->slices, &snapshot);
}

static void one_second(struct world *world, int second)
{
    for (double i = 0; i < RATE * world->copies; i++)
        one_event(world, START_US + second * INT64_C(1000000) + (int64_t)(i * 1000));
    one_tick(world, START_US + second * INT64_C(1000000) + 999999);
}

static void begin_as(struct world *world, int64_t commit_us, double rare)
{
    static const struct slice_field shapes[] = {{NULL, 0}, {NULL, 0}, {countries, 4}};
    *world = (struct world){.random = 42,
                            .canary = 0.05,
                            .canary_bad = 0.05,
                            .null_country = -1,
                            .amount = 1,
                            .copies = 1,
                            .latency_us = 100,
                            .positive = -1,
                            .commit_us = commit_us,
                            .rare = rare};
    world->slices = slices_create(&(struct slices_options){&schema, shapes});
    assert_non_null(world->slices);
    for (int i = 0; i < FAULT_AT; i++)
        one_second(world, i);
}

static void begin_with(struct world *world, int64_t commit_us)
{
    begin_as(world, commit_us, 0);
}

static void begin(struct world *world)
{
    begin_with(world, -1);
}

static const struct explain_change split = {EXPLAIN_SPLIT, START_US + FAULT_AT * 1000000, "canary"};
static const struct explain_change rules = {EXPLAIN_RULES, START_US + FAULT_AT * 1000000, "rules"};

/* Lets the fault last to the end and asks. */
static struct explanation end(struct world *world, const struct explain_change *changes, int n)
{
    struct explanation out;
    struct explain_memory memory = {.n_troubles = 0};
    struct slices_view view;
    int64_t now_us = START_US + SECONDS * INT64_C(1000000);
    for (int i = FAULT_AT; i < SECONDS; i++)
        one_second(world, i);
    struct explain_facts facts = {.now_us = now_us,
                                  .changes = changes,
                                  .n_changes = n,
                                  .shared_store = world->shared_store,
                                  .source_stalled = world->source_stalled,
                                  .source = "kafka",
                                  .problem = ""};
    assert_true(slices_view(world->slices, now_us, &view));
    explain(&view, &facts, &memory, &out);
    slices_view_free(&view);
    slices_destroy(world->slices);
    return out;
}

static void assert_first(const struct explanation *out, const char *cause, const char *slice)
{
    assert_string_equal(out->causes[0].cause, cause);
    assert_string_equal(out->causes[0].slice, slice);
    assert_true(out->since_us >= START_US + (FAULT_AT - 6) * INT64_C(1000000));
    assert_true(out->since_us <= START_US + (FAULT_AT + 12) * INT64_C(1000000));
    assert_true(out->action[0] != '\0' && out->incident[0] != '\0');
}

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

static void finds_nulls_upstream(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    world.null_share = 0.2;
    struct explanation out = end(&world, &rules, 1);
    assert_first(&out, "upstream", "country");
    assert_true(out.requests > 0.15 * 40 * RATE && out.requests < 0.25 * 40 * RATE);
}

static void finds_the_cohort_that_carries_the_excess(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    world.null_country = 3;
    struct explanation out = end(&world, NULL, 0);
    assert_first(&out, "cohort", "country=DE");
    assert_true(out.causes[0].share_of_excess > 0.9);
}

/* Bug: what is little among all was nothing, though all of a cohort's events were lost. */
static void finds_a_cohort_of_few_events(void **state)
{
    struct world world;
    (void)state;
    begin_as(&world, -1, 0.02);
    world.null_country = 3;
    struct explanation out = end(&world, NULL, 0);
    assert_first(&out, "cohort", "country=DE");
    assert_true(out.requests > 10 && out.requests < 40);
}

/* Fewer decisions moved than would be told of any window; at a change it is. */
static void a_change_is_held_against_what_came_since(void **state)
{
    (void)state;
    for (int n = 0; n < 2; n++) {
        struct world world;
        begin(&world);
        world.lenient = 0.037;
        struct explanation out = end(&world, &rules, n);
        assert_string_equal(out.causes[0].cause, n ? "rules" : "none");
    }
}

static void finds_values_that_changed_upstream(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    world.amount = 100;
    struct explanation out = end(&world, &split, 1);
    assert_first(&out, "upstream", "amount");
}

static void blames_a_split_whose_canary_carries_the_excess(void **state)
{
    const struct explain_change both[] = {rules, split};
    struct world world;
    (void)state;
    begin(&world);
    world.canary = 0.6;
    world.canary_bad = 0.3;
    struct explanation out = end(&world, both, 2);
    assert_first(&out, "split", "variant=canary");
    assert_true(out.causes[0].share_of_excess > 0.7);
    assert_int_equal(out.causes[0].changed_at_us, split.at_us);
}

static void blames_rules_whose_decisions_moved_and_not_the_split_beside_them(void **state)
{
    const struct explain_change both[] = {split, rules};
    struct world world;
    (void)state;
    begin(&world);
    world.lenient = 0.2;
    world.canary = 0.1; /* more of a canary that decides as the champion does */
    struct explanation out = end(&world, both, 2);
    assert_first(&out, "rules", "rule=amounts");
}

static const struct explain_change model = {EXPLAIN_MODEL, START_US + FAULT_AT * 1000000,
                                            "the champion is fraud 2, before fraud 1"};
static const struct explain_change contract = {EXPLAIN_CONTRACT, START_US + FAULT_AT * 1000000,
                                               "contract.yaml"};

static void blames_a_model_whose_scores_moved_while_the_events_did_not(void **state)
{
    const struct explain_change both[] = {rules, model};
    struct world world;
    (void)state;
    begin(&world);
    world.score_shift = 0.05;
    struct explanation out = end(&world, both, 2);
    assert_first(&out, "model", "score");
    assert_int_equal(out.causes[0].changed_at_us, model.at_us);
    assert_non_null(strstr(out.causes[0].evidence, "fraud 2"));
}

static void does_not_blame_a_model_for_events_that_changed(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    world.amount = 100;
    world.score_shift = 0.05;
    struct explanation out = end(&world, &model, 1);
    assert_first(&out, "upstream", "amount");
}

static void blames_a_contract_that_refuses_what_it_took_before(void **state)
{
    const struct explain_change both[] = {contract, split};
    struct world world;
    (void)state;
    begin(&world);
    world.invalid_share = 0.3;
    struct explanation out = end(&world, both, 2);
    assert_first(&out, "contract", "amount");
    assert_int_equal(out.causes[0].changed_at_us, contract.at_us);
}

static void the_same_without_a_change_is_upstream(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    world.invalid_share = 0.3;
    struct explanation out = end(&world, NULL, 0);
    assert_first(&out, "upstream", "amount");
}

static void blames_a_source_that_says_that_it_takes_nothing(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    world.copies = 0.1;
    world.source_stalled = true;
    struct explanation out = end(&world, NULL, 0);
    assert_first(&out, "source", "kafka");
}

/* Slow decisions: of the store where that is another process, else of this machine. */
static void tells_a_slow_store_from_a_slow_machine(void **state)
{
    (void)state;
    for (int shared = 0; shared < 2; shared++) {
        struct world world;
        begin(&world);
        world.latency_us = 60000;
        world.shared_store = shared != 0;
        struct explanation out = end(&world, NULL, 0);
        assert_first(&out, shared ? "dependency" : "resource",
                     shared ? "online store" : "processor");
    }
}

/* Slow commits: of another process where the writer waited for its lock, else of the disk. */
static void tells_a_lock_from_a_slow_disk(void **state)
{
    (void)state;
    for (int locked = 0; locked < 2; locked++) {
        struct world world;
        begin_with(&world, 2000);
        world.commit_us = 900000;
        world.lock_waited_us = locked ? 800000 : 0;
        struct explanation out = end(&world, NULL, 0);
        assert_first(&out, locked ? "dependency" : "resource",
                     locked ? "ledger lock" : "ledger disk");
    }
}

static void finds_labels_that_turned(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    world.positive = 0.9;
    struct explanation out = end(&world, NULL, 0);
    assert_first(&out, "labels", "base rate");
}

static void finds_more_traffic_and_less(void **state)
{
    static const double factors[] = {4, 0.1};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        begin(&world);
        world.copies = factors[i];
        struct explanation out = end(&world, NULL, 0);
        assert_first(&out, "volume", "");
    }
}

static void finds_old_events(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    world.age_us = 600 * INT64_C(1000000);
    struct explanation out = end(&world, NULL, 0);
    assert_first(&out, "freshness", "event time");
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
        cmocka_unit_test(finds_nulls_upstream),
        cmocka_unit_test(finds_the_cohort_that_carries_the_excess),
        cmocka_unit_test(finds_a_cohort_of_few_events),
        cmocka_unit_test(a_change_is_held_against_what_came_since),
        cmocka_unit_test(finds_values_that_changed_upstream),
        cmocka_unit_test(blames_a_split_whose_canary_carries_the_excess),
        cmocka_unit_test(blames_rules_whose_decisions_moved_and_not_the_split_beside_them),
        cmocka_unit_test(finds_more_traffic_and_less),
        cmocka_unit_test(blames_a_model_whose_scores_moved_while_the_events_did_not),
        cmocka_unit_test(does_not_blame_a_model_for_events_that_changed),
        cmocka_unit_test(blames_a_contract_that_refuses_what_it_took_before),
        cmocka_unit_test(the_same_without_a_change_is_upstream),
        cmocka_unit_test(blames_a_source_that_says_that_it_takes_nothing),
        cmocka_unit_test(tells_a_slow_store_from_a_slow_machine),
        cmocka_unit_test(tells_a_lock_from_a_slow_disk),
        cmocka_unit_test(finds_labels_that_turned),
        cmocka_unit_test(finds_old_events),
        cmocka_unit_test(an_incident_goes_on_until_it_has_recovered),
        cmocka_unit_test(what_changed_with_a_restart_is_found),
        cmocka_unit_test(writes_json_without_numbers_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
