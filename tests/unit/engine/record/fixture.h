/* Outcomes and folders for the tests of this room. */
#ifndef BINNACLE_TESTS_RECORD_FIXTURE_H
#define BINNACLE_TESTS_RECORD_FIXTURE_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/record/ledger.h"
#include "engine/record/reader.h"

#define DAY_ONE INT64_C(1533686400000000) /* 2018-08-08T00:00:00Z */

static const struct field FIELDS[] = {
    {.name = "event_id", .type = FIELD_STRING, .required = true},
    {.name = "user_id", .type = FIELD_STRING, .required = true, .pii = true},
    {.name = "amount", .type = FIELD_FLOAT, .required = true},
    {.name = "event_ts", .type = FIELD_TIMESTAMP, .required = true},
};
static const struct schema SCHEMA = {.name = "payments",
                                     .version = "7",
                                     .fields = FIELDS,
                                     .n_fields = 4,
                                     .id = 0,
                                     .time = 3,
                                     .label = -1,
                                     .entity = 1};
static const char *const FEATURE_NAMES[] = {"amount", "count_1d", "mean_1d"};
static const struct feature_schema FEATURES = {FEATURE_NAMES, 3};

struct sample {
    struct event event;
    struct outcome outcome;
    struct reason reasons[2];
    float features[3];
    char id[32], entity[40], input[256];
};

/* The n-th event: everything about it follows from n. */
static inline struct ledger_entry sample_decision(struct sample *sample, uint64_t n, int64_t at_us,
                                                  int source)
{
    memset(sample, 0, sizeof *sample);
    snprintf(sample->id, sizeof sample->id, "EV%024llu", (unsigned long long)n);
    snprintf(sample->entity, sizeof sample->entity, "p-%032llx", (unsigned long long)(n % 97));
    snprintf(sample->input, sizeof sample->input,
             "{\"event_id\":\"%s\",\"user_id\":\"%s\",\"amount\":%llu}", sample->id, sample->entity,
             (unsigned long long)n);
    sample->event = (struct event){.schema = &SCHEMA,
                                   .position = {source, 0, (int64_t)n + 1},
                                   .received_us = at_us,
                                   .time_us = at_us - 5};
    sample->features[0] = (float)n;
    sample->features[1] = 1.5f;
    sample->features[2] = __builtin_nanf("");
    sample->reasons[0] = (struct reason){"R-AMOUNT", 0, (float)n, 0.25f};
    sample->reasons[1] = (struct reason){n % 2 ? "R-ODD" : "R-EVEN", 2, sample->features[2], -0.5f};
    sample->outcome = (struct outcome){
        .event = &sample->event,
        .features = {&FEATURES, sample->features},
        .margin = (float)(n % 13) - 6.0f,
        .score = (float)(n % 100) / 100.0f,
        .decision = (enum decision)(n % 3),
        .rule = n % 3 ? "high-score" : "default",
        .reasons = sample->reasons,
        .n_reasons = 2,
        .model = "fraud",
        .model_version = "3",
        .variant = n % 10 == 0 ? VARIANT_CANARY : VARIANT_CHAMPION,
        .shadows = {{"fraud", "4", 0.125f}},
        .n_shadows = n % 5 == 0,
        .decided_at_us = at_us,
        .latency_us = 85,
    };
    memcpy(sample->outcome.trace_id, &n, sizeof n);
    struct ledger_entry entry = {.kind = ENTRY_DECISION};
    entry.decision.outcome = &sample->outcome;
    entry.decision.event_id = slice_of(sample->id);
    entry.decision.entity = slice_of(sample->entity);
    entry.decision.input = slice_of(sample->input);
    return entry;
}

static inline char *folder_create(void)
{
    /* In memory where that can be: what the machine's own disk is busy with is no matter here. */
    char memory[] = "/dev/shm/binnacle-record-XXXXXX", disk[] = "/tmp/binnacle-record-XXXXXX";
    char *made = mkdtemp(memory);
    if (!made)
        made = mkdtemp(disk);
    assert_non_null(made);
    return strdup(made);
}

static inline void folder_remove(char *dir)
{
    char command[4200];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
    free(dir);
}

static inline struct ledger *open_ledger(const char *dir, const struct clock *clock)
{
    struct ledger *ledger = NULL;
    struct error error = {0};
    struct ledger_options options = {.dir = dir, .clock = clock};
    if (ledger_open(&options, &ledger, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    if (ledger_use_features(ledger, &FEATURES, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return ledger;
}

static inline void close_ledger(struct ledger *ledger)
{
    struct error error = {0};
    if (ledger_close(ledger, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

/* Submits `n` decisions from event `first` on, in batches, a `step_us` apart. */
static inline void submit_decisions(struct ledger *ledger, uint64_t first, uint64_t n,
                                    int64_t start_us, int64_t step_us, int source)
{
    enum { BATCH = 100 };
    struct sample *samples = calloc(BATCH, sizeof *samples);
    struct ledger_entry entries[BATCH];
    struct error error = {0};
    for (uint64_t at = 0; at < n;) {
        size_t batch = 0;
        for (; batch < BATCH && at < n; batch++, at++)
            entries[batch] = sample_decision(&samples[batch], first + at,
                                             start_us + (int64_t)at * step_us, source);
        if (ledger_submit(ledger, entries, batch, SUBMIT_WAIT, NULL, &error) != STATUS_OK)
            fail_msg("%s", error.message);
    }
    free(samples);
}

static inline void flush_ledger(struct ledger *ledger)
{
    struct error error = {0};
    if (ledger_flush(ledger, 20000, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static inline struct reader *open_reader(const char *dir)
{
    struct reader *reader = NULL;
    struct error error = {0};
    if (reader_open(dir, &reader, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return reader;
}

#endif
