/* Outcomes become observations in the worker's shard: column by column over pieces of a batch that
 * stay in the nearest caches, outside of the lock of the windows. Any thread. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "engine/observe/bin_stage.h"
#include "engine/observe/observe_priv.h"

#define PIECE     32  /* outcomes that are looked at together */
#define MOST_TEXT 512 /* of an event, that is asked for */

#define EVENTS_AHEAD   ((size_t)2 * VALUES_AHEAD)
#define OUTCOMES_AHEAD ((size_t)3 * VALUES_AHEAD)

/* ---- asking ahead ---- */

static void prefetch(const void *data, size_t size)
{
    for (size_t at = 0; data && at < size; at += 64)
        __builtin_prefetch((const char *)data + at);
}

/* A batch has left the nearest caches since it was read. What is needed of each outcome is asked
 * for in three steps, as one leads to the next: the outcome, its event and features, the event's
 * values and text. */
static void foresee(const struct outcome *const *outcomes, size_t i, size_t n)
{
    if (i + OUTCOMES_AHEAD < n)
        prefetch(outcomes[i + OUTCOMES_AHEAD], sizeof **outcomes);
    if (i + EVENTS_AHEAD < n) {
        const struct outcome *outcome = outcomes[i + EVENTS_AHEAD];
        prefetch(outcome->event, offsetof(struct event, violations));
        prefetch(outcome->features.values,
                 outcome->features.schema ? outcome->features.schema->n_features * sizeof(float)
                                          : 0);
    }
    if (i + VALUES_AHEAD < n) {
        const struct event *event = outcomes[i + VALUES_AHEAD]->event;
        event_prefetch(event);
        if (event)
            prefetch(event->raw.data, event->raw.size < MOST_TEXT ? event->raw.size : MOST_TEXT);
    }
}

/* ---- latencies since start ---- */

static int since_start_bucket(int64_t latency_us)
{
    int bits = latency_us < 16 ? 0 : 64 - __builtin_clzll((unsigned long long)latency_us) - 4;
    return bits < LATENCY_BOUNDS ? bits : LATENCY_BOUNDS;
}

static void add(atomic_uint_fast64_t *count, uint64_t more)
{
    if (more > 0)
        atomic_fetch_add_explicit(count, more, memory_order_relaxed);
}

static void count_since_start(struct latency_since_start *latency,
                              const struct outcome *const *outcomes, size_t n)
{
    uint64_t measured = 0, sum_us = 0, buckets[LATENCY_BOUNDS + 1] = {0};
    for (size_t i = 0; i < n; i++) {
        if (outcomes[i]->latency_us < 0)
            continue;
        measured++;
        sum_us += (uint64_t)outcomes[i]->latency_us;
        buckets[since_start_bucket(outcomes[i]->latency_us)]++;
    }
    add(&latency->n, measured);
    add(&latency->sum_us, sum_us);
    for (int i = 0; measured > 0 && i <= LATENCY_BOUNDS; i++)
        add(&latency->buckets[i], buckets[i]);
}

void observe_answer_latency(struct observe *observe, int64_t latency_us)
{
    observe_assert(observe);
    struct latency_since_start *latency = &observe->answer_latency;
    if (latency_us < 0)
        return;
    add(&latency->n, 1);
    add(&latency->sum_us, (uint64_t)latency_us);
    add(&latency->buckets[since_start_bucket(latency_us)], 1);
}

/* ---- what an observation holds ---- */

static uint8_t score_bin(float score)
{
    int bin = score > 0 ? (int)fminf(score * SCORE_BINS, SCORE_BINS - 1) : 0;
    return (uint8_t)bin;
}

/* The arm of the outcome before, which most often is that of the next one too. Names are compared
 * as pointers, so it holds for outcomes of one call only. */
struct last_arm {
    const char *model, *version;
    enum variant variant;
    int8_t arm;
};

static int8_t decided_by(struct observe *observe, struct shard *shard,
                         const struct outcome *outcome, struct last_arm *last)
{
    if (last->model != outcome->model || last->version != outcome->model_version ||
        last->variant != outcome->variant || !last->model) {
        int8_t arm = observe_shard_arm(observe, shard, outcome->variant, outcome->model,
                                       outcome->model_version);
        *last = (struct last_arm){outcome->model, outcome->model_version, outcome->variant, arm};
    }
    return last->arm;
}

static void describe(struct observe *observe, struct shard *shard, const struct outcome *outcome,
                     struct last_arm *last, struct observation *slot)
{
    slot->latency_us = outcome->latency_us;
    slot->decision = (uint8_t)outcome->decision;
    slot->score_bin = score_bin(outcome->score);
    slot->score = outcome->score;
    slot->arm = decided_by(observe, shard, outcome, last);
    if (outcome->event) {
        slot->event_us = outcome->event->time_us;
        slot->age_us = outcome->decided_at_us - outcome->event->time_us;
    }
    if (observe->outcome_judge)
        slot->custom = observe->outcome_judge(observe->outcome_context, outcome);
}

/* Returns its arm. */
static int8_t tell_shadow(struct observe *observe, struct shard *shard,
                          const struct observed_shadow *seen, const struct shadow_score *shadow)
{
    struct observation *slot = observe_shard_slot(observe, shard, seen->at_us, OBSERVED_SHADOW);
    slot->event_us = seen->event_us;
    slot->decided_score = seen->decided_score;
    slot->score = shadow->score;
    slot->arm = observe_shard_arm(observe, shard, VARIANT_SHADOW, shadow->model, shadow->version);
    return slot->arm;
}

/* What the judged shadow scores is sampled and binned like what is decided. */
static void sample_shadow(struct observe *observe, const struct shard *shard,
                          const struct observed_shadow *seen, float score, int8_t arm)
{
    const struct outcome scored = {
        .variant = VARIANT_SHADOW,
        .decided_at_us = seen->at_us,
        .score = score,
        .features = {observe->options.features, (float *)(uintptr_t)seen->features},
    };
    const struct outcome *one = &scored;
    if (arm != NO_ARM && arm == atomic_load_explicit(&observe->shadow_arm, memory_order_relaxed))
        drift_slices_outcomes(observe->shadow_slices, (int)(shard - observe->shards), &one, 1);
}

/* Those that scored while it was decided. */
static void tell_shadows(struct observe *observe, struct shard *shard,
                         const struct outcome *outcome, bool sampled)
{
    struct observed_shadow seen = {
        outcome->decided_at_us, outcome->event ? outcome->event->time_us : outcome->decided_at_us,
        outcome->score, outcome->features.values};
    for (int i = 0; i < outcome->n_shadows && i < MAX_SHADOWS; i++) {
        int8_t arm = tell_shadow(observe, shard, &seen, &outcome->shadows[i]);
        if (sampled)
            sample_shadow(observe, shard, &seen, outcome->shadows[i].score, arm);
    }
}

/* The score's drift is the champion's alone: another model's scores are another distribution. */
static void code_columns(const struct observe *observe, const struct reference *reference,
                         const struct outcome *outcome, uint8_t *codes)
{
    float row[MAX_COLUMNS + BIN_FINDER_STEP];
    size_t n_features = (size_t)(observe->n_columns - 1) % MAX_COLUMNS;
    const float *values = outcome->features.values;
    row[0] = outcome->score;
    if (values)
        memcpy(row + 1, values, n_features * sizeof *values);
    else
        memset(row + 1, 0, n_features * sizeof *values);
    memset(row + 1 + n_features, 0, (BIN_FINDER_STEP - 1) * sizeof *row);
    bin_finder_row(&reference->finder, row, codes);
    if (!values)
        memset(codes + 1, NO_BIN, n_features);
    if (outcome->variant != VARIANT_CHAMPION)
        codes[0] = NO_BIN;
}

/* Where the sink counts them, and in which bins their columns lie. The slots follow one another. */
static void label_and_code(const struct observe *observe, struct shard *shard,
                           const struct outcome *const *outcomes, size_t n,
                           struct observation *slots)
{
    if (observe->sink.context) {
        uint64_t labels[PIECE];
        observe->sink.labels(observe->sink.context, outcomes, n, labels);
        for (size_t i = 0; i < n; i++)
            slots[i].labels = labels[i];
    }
    if (!shard->reference)
        return;
    uint8_t *codes = observe_shard_codes(observe, shard, (int)(slots - shard->observations));
    for (size_t i = 0; i < n; i++, codes += observe->codes_width) {
        code_columns(observe, shard->reference, outcomes[i], codes);
        slots[i].coded = true;
    }
}

/* As many of n as make a piece and as the shard has room for; returns how many. */
static size_t describe_piece(struct observe *observe, struct shard *shard,
                             const struct outcome *const *outcomes, size_t n, struct last_arm *last)
{
    if (shard->n == SHARD_CAPACITY)
        observe_shard_pour(observe, shard);
    size_t room = (size_t)(SHARD_CAPACITY - shard->n);
    size_t n_piece = n < room ? n : room;
    n_piece = n_piece < PIECE ? n_piece : PIECE;
    struct observation *slots = &shard->observations[shard->n];
    for (size_t i = 0; i < n_piece; i++) {
        foresee(outcomes, i, n);
        struct observation *slot =
            observe_shard_slot(observe, shard, outcomes[i]->decided_at_us, OBSERVED_OUTCOME);
        describe(observe, shard, outcomes[i], last, slot);
    }
    label_and_code(observe, shard, outcomes, n_piece, slots);
    return n_piece;
}

static void copy_slice(char out[NAME_SIZE], struct slice text)
{
    size_t size = text.size < NAME_SIZE ? text.size : NAME_SIZE - 1;
    if (size > 0)
        memcpy(out, text.data, size);
    out[size] = '\0';
}

static void remember(struct shard *shard, const struct outcome *outcome)
{
    const struct event *event = outcome->event;
    if (!event || !event->schema || event->schema->id < 0)
        return;
    struct recent_decision *recent = &shard->recent[shard->recent_count++ % MAX_SNAPSHOT_DECISIONS];
    const struct value *id = &event->values[event->schema->id];
    copy_slice(recent->event_id, id->type == VALUE_STRING ? id->string : slice_of(""));
    copy_slice(recent->rule, slice_of(outcome->rule));
    recent->decided_at_us = outcome->decided_at_us;
    recent->decision = outcome->decision;
    recent->variant = outcome->variant;
    recent->score = outcome->score;
    recent->ledger_index = outcome->ledger_index;
}

static void collect(struct observe *observe, const struct outcome *const *outcomes, size_t n)
{
    if (!atomic_load_explicit(&observe->collecting, memory_order_relaxed))
        return;
    lock_take(&observe->lock);
    for (size_t i = 0; i < n; i++)
        reference_collect(observe, outcomes[i]);
    lock_release(&observe->lock);
}

/* ---- outcomes ---- */

void observe_outcomes(struct observe *observe, int worker, const struct outcome *const *outcomes,
                      size_t n)
{
    if (n == 0)
        return;
    struct shard *shard = observe_shard_take(observe, worker);
    observe_shard_renew(observe, shard);
    struct last_arm last = {.model = NULL};
    for (size_t first = 0, described; first < n; first += described) {
        described = describe_piece(observe, shard, outcomes + first, n - first, &last);
        slices_outcomes(observe->slices, outcomes + first, described);
    }
    for (size_t i = 0; i < n; i++)
        tell_shadows(observe, shard, outcomes[i], true);
    count_since_start(&observe->decision_latency, outcomes, n);
    size_t first = n > MAX_SNAPSHOT_DECISIONS ? n - MAX_SNAPSHOT_DECISIONS : 0;
    for (size_t i = first; i < n; i++)
        remember(shard, outcomes[i]);
    collect(observe, outcomes, n);
    drift_slices_outcomes(observe->drift_slices, (int)((unsigned)worker % SHARDS), outcomes, n);
    lock_release(&shard->lock);
}

/* The event of a row: to the sink it is as it was then. */
static void tell_event(struct observe *observe, struct shard *shard, const struct outcome *outcome,
                       const struct event *event)
{
    struct outcome told = *outcome;
    const struct outcome *one = &told;
    struct observation *slot = &shard->observations[shard->n - 1];
    if (!event)
        return;
    told.event = event;
    if (observe->outcome_judge)
        slot->custom = observe->outcome_judge(observe->outcome_context, &told);
    if (!observe->sink.context)
        return;
    slot->event_us = event->time_us;
    observe->sink.labels(observe->sink.context, &one, 1, &slot->labels);
}

void observe_recorded(struct observe *observe, const struct outcome *outcome,
                      const struct event *event, unsigned places)
{
    struct shard *shard = observe_shard_take(observe, 0);
    observe_shard_pour(observe, shard);
    observe_shard_renew(observe, shard);
    struct last_arm last = {.model = NULL};
    (void)describe_piece(observe, shard, &outcome, 1, &last);
    tell_event(observe, shard, outcome, event);
    tell_shadows(observe, shard, outcome, places & OBSERVE_WINDOWS);
    if (places & OBSERVE_WINDOWS) {
        remember(shard, outcome);
        collect(observe, &outcome, 1);
        drift_slices_outcomes(observe->drift_slices, 0, &outcome, 1);
    }
    observe_shard_pour_recorded(observe, shard, places);
    lock_release(&shard->lock);
}

void observe_shadow(struct observe *observe, int worker, const struct observed_shadow *seen,
                    const struct shadow_score *shadow)
{
    struct shard *shard = observe_shard_take(observe, worker);
    observe_shard_renew(observe, shard);
    int8_t arm = tell_shadow(observe, shard, seen, shadow);
    sample_shadow(observe, shard, seen, shadow->score, arm);
    lock_release(&shard->lock);
}
