/* One service: its stages, its clock and its record, built from what the configuration says. */
#ifndef BINNACLE_ENGINE_ENGINE_H
#define BINNACLE_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/status.h"
#include "engine/contract/contract.h"
#include "engine/decide/rules.h"
#include "engine/feature/views.h"
#include "engine/observe/snapshot.h"

struct engine;
struct ledger;
struct history_store;
struct observe;
struct slo_set;
struct traffic;
struct yaml_node;

#define MAX_ENGINE_MODELS 16
#define MAX_SOURCES       8

struct engine_model {
    const char *name;
    const char *version;
    const char *path;
};

struct engine_arm {
    enum variant variant;
    int model;            /* index into models */
    double share_percent; /* of the traffic; champion: ignored, it gets the rest */
};

/* What an engine is made of. Everything is borrowed and must outlive it. */
struct engine_parts {
    const char *service;
    const struct contract *contract;
    const struct feature_views *views;
    const struct rules *rules;
    struct engine_model models[MAX_ENGINE_MODELS];
    int n_models; /* 0: only features are computed, nothing is decided or written */
    struct engine_arm arms[MAX_ARMS];
    int n_arms;
    const char *sources[MAX_SOURCES]; /* names that positions are kept under */
    int n_sources;
    struct clock *clock;
    bool event_time; /* the clock follows the events */
    struct log *log;
    const char *ledger_dir;              /* NULL: nothing is written anywhere */
    const char *heads_file;              /* signed heads go there, too; NULL: nowhere else */
    struct head_post *const *head_posts; /* and there; not the engine's */
    size_t n_head_posts;
    bool (*interrupted)(void *context); /* see ledger_options; NULL: never */
    void *context;
    int64_t batch_us; /* 0: every answer waits for fsync; else at most this may be lost */
    int64_t queue_rows;
    int64_t checkpoint_rows, checkpoint_us; /* while running: after so many rows, or some and so
                                               long; 0: only at a clean stop */
    const char *source_kind;                /* "demo", "kafka", "http", "file": for the screens */
    const struct yaml_node *objectives, *drift, *history; /* NULL: the defaults */
    const char *online_store;                             /* "embedded" or redis://... */
    int64_t max_memory_bytes;
};

/* Loads the models, opens the ledger and brings windows and ids to where the ledger ends. */
MUST_USE enum status engine_create(const struct engine_parts *parts, struct engine **engine,
                                   struct error *error);
/* Drains, commits, writes the checkpoint. No worker may be left. NULL is ignored. */
void engine_destroy(struct engine *engine);

/* Borrowed, for those who read: NULL where the engine has none. */
struct ledger *engine_ledger(struct engine *engine);
struct observe *engine_observe(struct engine *engine);
struct history_store *engine_history(struct engine *engine);
struct traffic *engine_traffic(struct engine *engine);
const struct engine_parts *engine_parts(const struct engine *engine);

/* The number that position.source of this source's events takes (-1 without a ledger), and its last
 * committed offset, -1 before the first. `source` counts in parts.sources; -1 is no source. */
int engine_source(const struct engine *engine, int source);
int64_t engine_position(struct engine *engine, int source, int32_t part);

/* Names the ledger (ledger_identity()); "" without one. */
const char *engine_identity(const struct engine *engine);

/* How long a caller is kept waiting for the disk. */
#define ENGINE_PATIENCE_MS 5000
/* Returns when all that was handed to the ledger so far may be reported as recorded, as durably as
 * its setting says; otherwise STATUS_IO or STATUS_UNAVAILABLE, and it stays queued. Any thread. */
MUST_USE enum status engine_settle(struct engine *engine, struct error *error);

/* The truth about an event that was decided before: see engine_settle(). STATUS_NOT_FOUND when it
 * is not in the ledger; STATUS_IO, STATUS_FULL: the ledger takes nothing now. Any thread. */
MUST_USE enum status engine_label(struct engine *engine, struct slice event_id, int label,
                                  int64_t observed_us, struct error *error);

struct buffer;
/* Appends the answer that the decision at `ledger_index` was recorded with, as a duplicate; waits a
 * few seconds at most for it to be on the disk. The error is meant for who asked, and says when to
 * ask again. The engine has a ledger. Any thread. */
MUST_USE enum status engine_recorded_answer(struct engine *engine, uint64_t ledger_index,
                                            struct buffer *out, struct error *error);

/* Changes the split while running; effective with the next batch of every worker. `reason` (""
 * where none was given) goes into its row. The error says what is wrong with it. Any thread. */
MUST_USE enum status engine_set_traffic(struct engine *engine, const struct engine_arm *arms,
                                        int n_arms, const char *who, const char *reason,
                                        struct error *error);

/* Writes down that somebody did something: a row of the ledger. `arguments` is a JSON object. An
 * engine without a ledger has nowhere to write it, which is no error. Any thread. */
MUST_USE enum status engine_act(struct engine *engine, const char *who, const char *what,
                                struct slice arguments, struct error *error);

/* Decides by these rules from the next batch on and records who did it; they were loaded for this
 * engine's contract and features. The caller keeps its own reference. Any thread. */
MUST_USE enum status engine_set_rules(struct engine *engine, struct rules *rules, const char *who,
                                      const char *reason, struct error *error);

/* What the service is held to. */
const struct slo_set *engine_objectives(const struct engine *engine);

/* Fills everything but seq, started_us and alerts. One thread. */
void engine_fill(struct engine *engine, struct snapshot *snapshot);

#endif
