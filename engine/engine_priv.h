/* The engine from the inside. Private to engine/'s own files. */
#ifndef BINNACLE_ENGINE_ENGINE_PRIV_H
#define BINNACLE_ENGINE_ENGINE_PRIV_H

#include <stdatomic.h>

#include "engine/base/thread.h"
#include "engine/contract/unique.h"
#include "engine/decide/rules.h"
#include "engine/engine.h"
#include "engine/event/decoder.h"
#include "engine/feature/scaling.h"
#include "engine/feature/store.h"
#include "engine/gate.h"
#include "engine/history/history.h"
#include "engine/model/scorer.h"
#include "engine/monitor/budget.h"
#include "engine/monitor/indicators.h"
#include "engine/monitor/slo.h"
#include "engine/observe/observe.h"
#include "engine/record/ledger.h"
#include "engine/record/pseudonym.h"
#include "engine/record/reader.h"
#include "engine/traffic/traffic.h"

#define ENGINE_MAGIC  0xb1aac1e0u
#define MAX_WORKERS   256
#define MAX_RULE_SETS 32

/* What the ticks have seen of the clock. The tick only. */
struct clock_watch {
    int64_t ahead_us, step_us, stepped_at_us;
    uint64_t steps;
    uint64_t future, events; /* at the last tick */
    double recent_future, recent_events;
};

struct engine {
    unsigned magic;
    struct engine_parts parts;
    const struct schema *schema;
    const struct feature_schema *features;
    int pii_fields[MAX_FIELDS]; /* indices of personal fields */
    int n_pii_fields;
    struct unique *unique; /* NULL: the contract asks for none */
    struct feature_store *store;
    struct model *models[MAX_ENGINE_MODELS];
    struct scorer *scorers[MAX_ENGINE_MODELS];
    struct feature_scaling *scalings[MAX_ENGINE_MODELS]; /* NULL: features as served */
    _Atomic(const struct rules *) rules;                 /* that decide; engine_rules() */
    struct lock rules_lock;                              /* of those below */
    struct rules *read_again[MAX_RULE_SETS]; /* rules read since start: what was decided by them may
                                                still be on its way; the oldest go first */
    int n_read_again;
    struct traffic *traffic;
    struct ledger *ledger;           /* NULL: nothing is written */
    int ledger_sources[MAX_SOURCES]; /* the ledger's numbers for parts.sources */
    struct pseudonyms *pseudonyms;   /* the ledger's, or NULL without one */
    struct observe *observe;
    struct history_store *history;
    struct indicators *indicators; /* NULL: no objective is defined by expressions */
    struct monitor *monitor;
    struct slo_set objectives;
    struct budget_lines lines; /* of them, over time */
    struct shadow *shadow;
    struct clock_watch clock_watch;
    bool failed;                           /* it never came up: leave no checkpoint */
    struct gate gate;                      /* between batches */
    struct checkpoint_thread *checkpoints; /* NULL: none are written while it runs */
    atomic_bool ending;
    atomic_int n_workers;
    atomic_ullong refused;     /* events turned away undecided */
    atomic_ullong unconfirmed; /* decided, and not seen on the disk in time */
    atomic_llong start_us;     /* event time of the first event ever decided on; 0: none yet */
    atomic_int champion;       /* index of the model that drift is measured for */
    struct lock repeats_lock;  /* the reader of its own for answers to repeats, which must not wait
                                  for an archived day that somebody else asked for */
    struct reader *repeats;
    struct lock reader_lock; /* the reader, decoder and arena below, for labels and questions */
    struct reader *reader;
    struct decoder *decoder;
    struct feature_scratch *scratch;
    struct arena *arena;
};

/* As of now; valid for long after a batch, whatever is read meanwhile. */
static inline const struct rules *engine_rules(const struct engine *engine)
{
    return atomic_load_explicit(&engine->rules, memory_order_acquire);
}

/* Waits a few seconds at most until the row is on the disk; else the error is one for the caller
 * who asked for it, in admit.c. The engine has a ledger. */
enum status engine_await_row(struct engine *engine, uint64_t ledger_index, struct error *error);
enum status engine_observe_create(struct engine *engine, struct error *error);
/* Drift is measured against what this model was trained on; a model whose file does not say gets
 * its first decisions as reference. */
enum status engine_use_reference(struct engine *engine, int model, struct error *error);
/* The split has changed: count by the new one. */
void engine_arms_changed(struct engine *engine);
/* Follows the machine's clock and says how far it can be believed; high_us: time of the newest row,
 * INT64_MIN: none. Totals and quarantine are in the snapshot. */
void clock_watch(struct engine *engine, int64_t high_us, struct snapshot *snapshot);
/* Counts a recorded decision as it was counted when it was made, for OBSERVE_WINDOWS and
 * OBSERVE_SINK; only the latter needs the event. */
void engine_observe_row(struct engine *engine, const struct ledger_row *row,
                        const struct event *event, unsigned places);
/* history_watch.c: the history beside the ledger, told of all that is observed from now on; and
 * from when on what is observed is new. */
enum status engine_history_create(struct engine *engine, struct error *error);
void engine_history_begin(struct engine *engine);
/* Brings windows and ids to where the ledger ends. */
enum status engine_recover(struct engine *engine, struct error *error);

#endif
