/* The way of an event: bytes in, decision out, row on its way to the disk. A worker carries a
 * batch through all the steps itself; nothing is handed to another thread before the ledger's
 * queue. */
#ifndef BINNACLE_ENGINE_PIPELINE_H
#define BINNACLE_ENGINE_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/decide/outcome.h"
#include "engine/engine.h"
#include "engine/event/decoder.h"

#define MAX_BATCH 1024
/* What a step leaves of so many events is still in the caches of its core at the next step: for who
 * takes events without end and nobody waits for. */
#define CACHED_BATCH 256

struct raw_event {
    struct slice bytes;
    enum event_format format;
    bool document;            /* `bytes` come out of quarantine: JSON, or a CSV header and record */
    struct position position; /* source -1 when it came by HTTP */
    uint8_t trace_id[16];     /* all zero: none came along, one is made */
    int64_t received_ns;      /* monotonic_ns(); 0: not measured, as in a replay */
    bool reasons_asked; /* this many whatever the decision, instead of the worker's options: */
    int max_reasons;    /* -1: all */
};

enum answer_kind {
    ANSWER_DECIDED,
    ANSWER_DUPLICATE,   /* decided before: `ledger_index` is the row of that time */
    ANSWER_CONFLICT,    /* its id belongs to other content; quarantined */
    ANSWER_QUARANTINED, /* event->violations say why */
    ANSWER_REFUSED,     /* the ledger takes nothing now; nothing was done, try again later */
};

struct answer {
    enum answer_kind kind;
    size_t item;                   /* its place in the batch */
    const struct event *event;     /* NULL when REFUSED before decoding */
    const struct outcome *outcome; /* DECIDED only */
    uint64_t ledger_index;         /* DECIDED, DUPLICATE; UINT64_MAX without a ledger */
    uint64_t quarantine_id;        /* QUARANTINED, CONFLICT; 0 without a ledger */
};

struct worker_options {
    int reasons;        /* -1: all, 0: none; for every decision, approvals too, if `always` */
    bool always;        /* false: only for review and decline */
    bool wait_for_room; /* a full ledger queue slows the caller down; else REFUSED */
};

struct worker;

/* One per thread that brings events. `options` is copied. */
MUST_USE enum status worker_create(struct engine *engine, const struct worker_options *options,
                                   struct worker **worker, struct error *error);
void worker_destroy(struct worker *worker);
/* Where the time of a worker's batches goes. ACCEPT is what happens event by event: decoding, the
 * contract, pseudonyms, canonical form, id. */
enum pipeline_stage {
    STAGE_ACCEPT,
    STAGE_FEATURES,
    STAGE_ROUTE,
    STAGE_SCORE,
    STAGE_SHADOW,
    STAGE_DECIDE,
    STAGE_REASON,
    STAGE_RECORD,
    STAGE_OBSERVE,
    STAGE_COUNT
};
struct pipeline_profile {
    int64_t ns[STAGE_COUNT]; /* of the worker's thread on a processor; waiting is not in them */
};
/* From the next batch on each stage's time is added to `profile` (borrowed; NULL: no longer). */
void worker_profile(struct worker *worker, struct pipeline_profile *profile);
/* CSV events need their header first; see decoder_csv_header(). */
MUST_USE enum status worker_csv_header(struct worker *worker, struct slice header,
                                       struct error *error);

/* Decides on up to MAX_BATCH events, in order. Answers (and what they point to) live until the
 * worker's next call. The rows are submitted, not yet durable: see worker_wait(). On failure no
 * answer is valid and no id stays taken: the ledger is broken, memory is short, or (STATUS_FULL)
 * the ids of a source's events do not fit. */
MUST_USE enum status worker_process(struct worker *worker, const struct raw_event *events, size_t n,
                                    struct answer *answers, struct error *error);

/* Returns when the last batch is on the disk. STATUS_IO: the disk refuses at present; the rows stay
 * queued, and the call may be repeated. */
MUST_USE enum status worker_wait(struct worker *worker, struct error *error);
/* For ledger_wait(), by whoever waits in the worker's place: the ticket of all batches up to the
 * last one; 0: nothing was recorded yet. */
uint64_t worker_ticket(const struct worker *worker);
/* Returns when the answers to the last batch may be given: its rows recorded as durably as the
 * ledger's setting says, and those that it repeats readable. Otherwise, after a few seconds at
 * most, STATUS_IO or STATUS_UNAVAILABLE: the rows stay queued, and the same events sent again get
 * the same decisions; error->retry_after_s says when. */
MUST_USE enum status worker_settle(struct worker *worker, struct error *error);
/* Why answers of the last batch are ANSWER_REFUSED, with retry_after_s. Until its next call. */
const struct error *worker_refusal(struct worker *worker);

/* True when rows of the last batch are on their way to the disk: *ticket is what to ask the ledger
 * for. It is the caller's then; worker_wait() and worker_settle() do not wait for it any more. */
bool worker_take_ticket(struct worker *worker, uint64_t *ticket);
/* For whoever waits in the worker's place and will wait no longer: counts n answers that were not
 * given, and says why as worker_settle() does. `status` is STATUS_IO when the disk refuses. */
void worker_not_settled(struct worker *worker, enum status status, size_t n, struct error *error);

/* Appends the JSON answer to one event as the OpenAPI document has it, without a line end. False:
 * what was appended is a problem of status 503, for REFUSED and for a repeat whose recorded answer
 * cannot be read. */
bool answer_json(struct worker *worker, const struct answer *answer, struct buffer *out);
/* Whom a decided event is about: a pseudonym where that is personal. */
struct slice answer_entity(const struct worker *worker, const struct answer *answer);
/* The application/problem+json of a QUARANTINED (422) or CONFLICT (409) answer. */
void answer_problem_json(const struct answer *answer, struct buffer *out);
/* As one line of a batch, without its end: answer_json(), and of what was not decided the members
 * of answer_problem_json() as well, so that a line says all that a request of its own would. */
void answer_line_json(struct worker *worker, const struct answer *answer, struct buffer *out);

#endif
