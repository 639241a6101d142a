/* What tests of explanations share: simulated minutes into which faults are put. */
#ifndef BINNACLE_TESTS_ENGINE_MONITOR_EXPLAIN_FIXTURE_H
#define BINNACLE_TESTS_ENGINE_MONITOR_EXPLAIN_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

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
    double canary_shift;    /* of those of the canary */
    double invalid_share;   /* of amount */
    double positive;        /* share of the labels, one for each event; negative: none come */
    int64_t commit_us;      /* negative: there is no record */
    int64_t lock_waited_us; /* of each second */
    bool shared_store, source_stalled;
};

static inline double chance(struct world *world)
{
    world->random = world->random * 6364136223846793005u + 1442695040888963407u;
    return (double)(world->random >> 11) / 9007199254740992.0;
}

static inline void one_event(struct world *world, int64_t at_us)
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
        .score = (declined && !strict ? 0.9f : 0.1f) +
                 (float)(world->score_shift + (canary ? world->canary_shift : 0)),
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
static inline void one_tick(struct world *world, int64_t at_us)
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

static inline void one_second(struct world *world, int second)
{
    for (double i = 0; i < RATE * world->copies; i++)
        one_event(world, START_US + second * INT64_C(1000000) + (int64_t)(i * 1000));
    one_tick(world, START_US + second * INT64_C(1000000) + 999999);
}

static inline void begin_from(struct world *world, const struct world *usual)
{
    static const struct slice_field shapes[] = {{NULL, 0}, {NULL, 0}, {countries, 4}};
    *world = *usual;
    world->slices = slices_create(&(struct slices_options){&schema, shapes});
    assert_non_null(world->slices);
    for (int i = 0; i < FAULT_AT; i++)
        one_second(world, i);
}

static const struct world ordinary = {.random = 42,
                                      .canary = 0.05,
                                      .canary_bad = 0.05,
                                      .null_country = -1,
                                      .amount = 1,
                                      .copies = 1,
                                      .latency_us = 100,
                                      .positive = -1,
                                      .commit_us = -1};

static inline void begin_with(struct world *world, int64_t commit_us)
{
    struct world usual = ordinary;
    usual.commit_us = commit_us;
    begin_from(world, &usual);
}

static inline void begin_with_rare(struct world *world, double rare)
{
    struct world usual = ordinary;
    usual.rare = rare;
    begin_from(world, &usual);
}

static inline void begin_with_canary(struct world *world, double share, double bad)
{
    struct world usual = ordinary;
    usual.canary = share;
    usual.canary_bad = bad;
    begin_from(world, &usual);
}

static inline void begin(struct world *world)
{
    begin_from(world, &ordinary);
}

static const struct explain_change split = {EXPLAIN_SPLIT, START_US + FAULT_AT * 1000000, "canary"};
static const struct explain_change rules = {EXPLAIN_RULES, START_US + FAULT_AT * 1000000, "rules"};

/* Lets the fault last to the end and asks. */
static inline struct explanation end(struct world *world, const struct explain_change *changes,
                                     int n)
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

static inline void assert_first(const struct explanation *out, const char *cause, const char *slice)
{
    assert_string_equal(out->causes[0].cause, cause);
    assert_string_equal(out->causes[0].slice, slice);
    assert_true(out->since_us >= START_US + (FAULT_AT - 6) * INT64_C(1000000));
    assert_true(out->since_us <= START_US + (FAULT_AT + 12) * INT64_C(1000000));
    assert_true(out->action[0] != '\0' && out->incident[0] != '\0');
}

#endif
