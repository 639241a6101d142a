/* The history's part in a service: opened beside the ledger, told by observe, brought to where the
 * ledger ends. Run by the thread that starts the engine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/engine_priv.h"

#define HISTORY_NAME "history.db"

static uint64_t digest_of(const struct slo_set *set)
{
    uint64_t digest = 0;
    for (int i = 0; i < set->n; i++) {
        const struct slo *slo = &set->slos[i];
        if (slo->good)
            digest = hash64(slo->good, strlen(slo->good), digest + (uint64_t)slo->slice_us);
        if (slo->valid)
            digest = hash64(slo->valid, strlen(slo->valid), digest);
    }
    return digest;
}

static enum status read_options(const struct engine *engine, struct history_options *options,
                                struct error *error)
{
    struct slo_set objectives = engine->objectives;
    struct observe_options limits;
    observe_options_init(&limits);
    history_options_init(options);
    options->schema = engine->schema;
    options->event_time = engine->parts.event_time;
    options->log = engine->parts.log;
    enum status status = slo_options(&objectives, &limits, error);
    if (status == STATUS_OK)
        status = history_read(engine->parts.history, options, error);
    for (int i = 0; i < MAX_LATENCY_LIMITS; i++)
        options->latency_limits_us[i] = limits.latency_limits_us[i];
    options->judges = digest_of(&objectives);
    return status;
}

static enum status create_indicators(struct engine *engine, struct error *error)
{
    enum status status = indicators_create(&engine->objectives, engine->schema, engine->features,
                                           &engine->indicators, error);
    if (status == STATUS_OK && engine->indicators)
        observe_set_outcome_judge(engine->observe, indicators_outcome, engine->indicators,
                                  digest_of(&engine->objectives));
    return status;
}

enum status engine_history_create(struct engine *engine, struct error *error)
{
    struct history_options options;
    const char *columns[MAX_COLUMNS];
    char *path = NULL;
    if (engine->parts.n_models == 0)
        return STATUS_OK; /* nothing is decided */
    enum status status = create_indicators(engine, error);
    if (status == STATUS_OK)
        status = read_options(engine, &options, error);
    if (status != STATUS_OK)
        return status;
    if (engine->ledger && asprintf(&path, "%s/" HISTORY_NAME, engine->parts.ledger_dir) < 0)
        return error_set(error, STATUS_MEMORY, "out of memory");
    for (int i = 0; i < observe_columns(engine->observe); i++)
        columns[i] = observe_column_name(engine->observe, i);
    options.columns = columns;
    options.n_columns = observe_columns(engine->observe);
    options.path = path;
    status = history_create(&options, &engine->history, error);
    free(path);
    if (status != STATUS_OK)
        return status;
    engine->lines = (struct budget_lines){engine->history, &engine->objectives};
    struct history_derived derived = budget_lines_series(&engine->lines);
    history_set_derived(engine->history, &derived);
    struct observe_sink sink = history_sink(engine->history);
    observe_set_sink(engine->observe, &sink);
    return STATUS_OK;
}

void engine_history_begin(struct engine *engine)
{
    if (engine->history)
        history_begin(engine->history, clock_now_us(engine->parts.clock));
}
