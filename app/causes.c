/* Runs the explanations: every few seconds, when something begins to burn, when somebody asks. A
 * file holds what they compare, written once a minute and at the stop: the next service knows what
 * was usual, and so which change of its start hurt. */
#include "app/causes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/thread.h"
#include "engine/observe/observe.h"

#define EXPLAIN_EVERY_US (5 * US_PER_S)
#define SAVE_EVERY_US    US_PER_MIN

struct causes {
    const struct session *session;
    char *path; /* NULL: there is nowhere to keep anything */
    int64_t saved_us;
    bool failing;     /* it could not be written last time: said once */
    struct lock lock; /* of all that follows */
    struct explain_change changes[CAUSES_CHANGES];
    int n_changes;
    struct explain_memory memory;
    struct explanation explanation;
    struct snapshot facts; /* of the newest tick; too large for the stack of a request */
};

static int64_t now_us(const struct causes *causes)
{
    return clock_now_us(causes->session->clock);
}

static struct slices *slices_of(const struct causes *causes)
{
    return observe_slices(engine_observe(causes->session->engine));
}

/* ---- life, and the file ---- */

static void take_up(struct causes *causes)
{
    struct error error;
    enum status status =
        explain_load(slices_of(causes), &causes->memory, now_us(causes), causes->path, &error);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        log_write(causes->session->log, LOG_WARN, "explain", "not_taken_up",
                  "%s; what was usual before the start is not known", error.message);
}

struct causes *causes_create(const struct session *session)
{
    struct causes *made = calloc(1, sizeof *made);
    const char *dir = engine_parts(session->engine)->ledger_dir;
    if (!made)
        return NULL;
    made->session = session;
    lock_init(&made->lock, "causes");
    if (dir && asprintf(&made->path, "%s/" RECENT_NAME, dir) < 0) {
        made->path = NULL;
        causes_destroy(made);
        return NULL;
    }
    made->saved_us = now_us(made);
    if (made->path)
        take_up(made);
    return made;
}

static void save(struct causes *causes)
{
    struct error error;
    lock_take(&causes->lock);
    struct explain_memory memory = causes->memory;
    lock_release(&causes->lock);
    enum status status =
        explain_save(slices_of(causes), &memory, now_us(causes), causes->path, &error);
    if (status != STATUS_OK && !causes->failing)
        log_write(causes->session->log, LOG_WARN, "explain", "not_written",
                  "after a restart explanations begin with nothing to compare: %s", error.message);
    causes->failing = status != STATUS_OK;
}

void causes_save(struct causes *causes)
{
    int64_t at_us = now_us(causes);
    if (!causes->path || at_us - causes->saved_us < SAVE_EVERY_US)
        return;
    causes->saved_us = at_us;
    save(causes);
}

void causes_destroy(struct causes *causes)
{
    if (!causes)
        return;
    if (causes->path)
        save(causes);
    lock_destroy(&causes->lock);
    free(causes->path);
    free(causes);
}

/* ---- explained ---- */

void causes_set_changes(struct causes *causes, const struct explain_change *changes, int n)
{
    n = n < CAUSES_CHANGES ? n : CAUSES_CHANGES;
    lock_take(&causes->lock);
    memcpy(causes->changes, changes, (size_t)n * sizeof *changes);
    causes->n_changes = n;
    lock_release(&causes->lock);
}

static bool has_shared_store(const struct engine_parts *parts)
{
    return parts->online_store && strcmp(parts->online_store, "embedded") != 0;
}

/* The lock is held. */
static void conclude(struct causes *causes, int64_t at_us, const struct slices_view *view)
{
    const struct engine_parts *parts = engine_parts(causes->session->engine);
    const struct snapshot *seen = &causes->facts;
    struct explain_facts facts = {
        .now_us = at_us,
        .entity = contract_schema(parts->contract)->entity,
        .changes = causes->changes,
        .n_changes = causes->n_changes,
        .shared_store = has_shared_store(parts),
        .source_stalled = seen->kafka.used && (seen->kafka.paused_us > 0 || !seen->kafka.connected),
        .source = seen->source,
        .problem = seen->record.problem,
    };
    explain(view, &facts, &causes->memory, &causes->explanation);
}

void causes_tick(struct causes *causes, bool at_once, struct snapshot *snapshot,
                 struct explanation *last)
{
    struct slices_view view;
    lock_take(&causes->lock);
    causes->facts = *snapshot;
    bool due = at_once || snapshot->time_us - causes->explanation.at_us >= EXPLAIN_EVERY_US;
    lock_release(&causes->lock);
    /* Copied without the lock, for that takes a while. */
    due = due && slices_view_there(slices_of(causes), snapshot->time_us, &view);
    lock_take(&causes->lock);
    if (due)
        conclude(causes, snapshot->time_us, &view);
    snapshot->explanation = causes->explanation;
    *last = causes->memory.last;
    lock_release(&causes->lock);
    if (due)
        slices_view_free(&view);
}

void causes_now(struct causes *causes, struct explanation *explanation)
{
    struct slices_view view;
    int64_t at_us = now_us(causes);
    bool has_view = slices_view_there(slices_of(causes), at_us, &view);
    lock_take(&causes->lock);
    /* The judge may have concluded from a newer view meanwhile: time does not go back. */
    if (has_view && causes->facts.time_us > 0 && at_us >= causes->explanation.at_us)
        conclude(causes, at_us, &view);
    *explanation = causes->explanation;
    lock_release(&causes->lock);
    if (has_view)
        slices_view_free(&view);
}
