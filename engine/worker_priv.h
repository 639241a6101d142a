/* What the steps of a batch share. Private to engine/'s own files. */
#ifndef BINNACLE_ENGINE_WORKER_PRIV_H
#define BINNACLE_ENGINE_WORKER_PRIV_H

#include "engine/engine_priv.h"
#include "engine/pipeline.h"

#define INPUTS_BYTES (64u << 20) /* of a batch's canonical JSON */

/* One event on its way. */
struct item {
    struct event event;
    struct outcome outcome;
    enum answer_kind kind;
    bool csv;            /* came as a record under the worker's CSV header */
    bool alive;          /* accepted so far: goes on to the next step */
    int64_t now_us;      /* the engine's clock when it was accepted */
    struct slice id;     /* event_id, a pseudonym where that is personal */
    struct slice entity; /* the same for whom the event is about */
    struct slice input;  /* canonical JSON, pseudonymised */
    uint64_t content;    /* hash of `input` */
    uint64_t ledger_index;
    uint64_t quarantine_id;
    struct slice *replacements; /* by field index; empty where nothing is replaced */
    struct scorer *scorer;      /* of the model that decides */
    struct scorer *shadows[MAX_SHADOWS];
    int n_shadows;
    int top;             /* how many reasons; -1: of every feature */
    bool always;         /* whatever the decision */
    int64_t received_ns; /* monotonic; 0: not measured */
};

struct worker {
    struct engine *engine;
    struct worker_options options;
    int number; /* of its counters in observe */
    struct decoder *json, *csv;
    struct arena *arena;  /* forgotten with each batch */
    struct buffer inputs; /* canonical JSON of the batch */
    struct feature_scratch *feature_scratch;
    struct scorer_scratch *scorer_scratch;
    struct rules_scratch *rules_scratch;
    struct traffic_reader *traffic;
    struct item *items; /* MAX_BATCH of them */
    size_t n;
    float *features;         /* MAX_BATCH rows of n_features */
    float *margins, *scores; /* MAX_BATCH */
    float *gathered;         /* rows of one arm next to each other */
    int *gathered_items;
    float *contribs; /* n_features + 1 */
    struct feature_request *requests;
    struct ledger_entry *entries;
    int *entry_items; /* whose request or entry it is */
    uint64_t ticket;
    bool waiting;         /* `ticket` has not been waited for */
    size_t reserved;      /* places in the ledger's queue that are kept for this batch */
    uint64_t repeated;    /* the last row that this batch repeats; UINT64_MAX: none */
    struct error refusal; /* why the last batch was not taken */
    struct pipeline_profile *profile; /* NULL: nobody asks where the time goes */
};

/* The worker's row of features for item i. */
static inline float *worker_features(const struct worker *worker, size_t i)
{
    return worker->features + i * worker->engine->features->n_features;
}

/* In accept.c: fills the worker's items from the events. On an error only the first of them may be
 * filled, worker->n says how many. */
enum status accept_events(struct worker *worker, const struct raw_event *events, size_t n,
                          struct error *error);
/* Ids that were reserved for events which got no row may come again. */
void accept_forget(struct worker *worker);
/* The scoring steps, in score.c. */
enum status step_route(struct worker *worker, struct error *error);
enum status step_score(struct worker *worker, struct error *error);
enum status step_shadow(struct worker *worker, struct error *error);
enum status step_decide(struct worker *worker, struct error *error);
enum status step_reason(struct worker *worker, struct error *error);
/* Whether the ledger will take n rows now, in admit.c; if not, everything is REFUSED. */
bool worker_admit(struct worker *worker, size_t n);
/* The batch is through: gives back what it did not need. */
void worker_admitted(struct worker *worker);
enum status worker_refuse(struct worker *worker, size_t n, struct answer *answers);
/* The recording steps, in submit.c. */
enum status step_record(struct worker *worker, struct error *error);
enum status step_observe(struct worker *worker, struct error *error);

#endif
