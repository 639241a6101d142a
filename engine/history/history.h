/* What happened, kept: every count of the service by minute and hour, told apart by labels, in
 * history.db beside the ledger; the last minutes also by second. Any percentile, share or distance
 * over any range and any labels is a sum of what is kept.
 *
 * Outcomes are counted at the time of their event, so that late ones go where they belong; what has
 * no believable time of its own (refusals, errors, duplicates) at the engine's clock. Counting only
 * adds to memory; a thread of its own writes what is a minute old. After a crash the rows of the
 * ledger that were not written yet are counted again. */
#ifndef BINNACLE_HISTORY_HISTORY_H
#define BINNACLE_HISTORY_HISTORY_H

#include "engine/base/log.h"
#include "engine/base/status.h"
#include "engine/base/yaml.h"
#include "engine/history/labels.h"
#include "engine/observe/observation.h"
#include "engine/observe/snapshot.h"

struct history_store;

struct history_options {
    int64_t minutes_us, hours_us;   /* how long each is kept */
    const char *labels[MAX_LABELS]; /* names; borrowed */
    int n_labels;
    const char *path;            /* history.db; NULL: only the open minutes are there */
    const struct schema *schema; /* of events; must outlive it */
    int64_t latency_limits_us[MAX_LATENCY_LIMITS]; /* edges of the latency histogram */
    uint64_t judges;            /* digest of the expressions that custom counts follow; 0: none */
    const char *const *columns; /* names of the columns watched, n_columns of them; copied */
    int n_columns;
    bool event_time; /* who brings events can wait for the disk */
    bool read_only;  /* a service counts, or did: only what lies in the file is read */
    struct log *log;
};

/* 400 days of minutes, five years of hours, by variant, decision and reason. */
void history_options_init(struct history_options *options);
/* The `history:` node: {minutes, hours, labels}. NULL: the defaults, and fields of the contract
 * named country and device where there are such. The schema is set beforehand. */
MUST_USE enum status history_read(const struct yaml_node *node, struct history_options *options,
                                  struct error *error);

MUST_USE enum status history_create(const struct history_options *options,
                                    struct history_store **history, struct error *error);
/* Writes what is left. NULL is ignored. */
void history_destroy(struct history_store *history);

/* How outcomes reach it; see observation.h. */
struct observe_sink history_sink(struct history_store *history);

/* Rows of the ledger decided from here on are not in the file; INT64_MIN: there is no file yet, and
 * it begins with what is counted from now on. Until history_begin() what was decided before is
 * taken for known and not counted again. */
int64_t history_upto_us(const struct history_store *history);
/* The service counts from now_us on: from here on a span without events is known to be one. */
void history_begin(struct history_store *history, int64_t now_us);
/* Once a second: minutes that are over are handed to the disk, also when nothing happens. */
void history_tick(struct history_store *history, int64_t now_us);

/* Hands over all that is counted and waits until it is written: for tests and the end of a replay.
 * False: it could not be. */
bool history_flush(struct history_store *history, int64_t timeout_ms);

struct history_stats {
    uint64_t lost_minutes; /* counts given up because the disk did not take them */
    uint64_t waiting;      /* minutes handed over and not written */
    uint64_t capacity;     /* as many may wait */
    char problem[200];     /* why not; "": all is well */
};
void history_stats(struct history_store *history, struct history_stats *stats);

#endif
