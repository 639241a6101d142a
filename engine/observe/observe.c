/* The writing side: outcomes and other happenings come in from the pipeline's workers, become small
 * observations in the worker's shard, and are poured into the windows when the shard is full or the
 * tick asks. Looking up arms and bins happens on the worker's side of the lock, so the windows are
 * held only for adding. Nothing is allocated after creation but when a reference is made. */
#include "engine/observe/observe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/observe/observe_priv.h"

/* ---- life ---- */

void observe_options_init(struct observe_options *options)
{
    *options = (struct observe_options){
        .latency_limits_us = {200000},
        .freshness_limit_us = INT64_C(120) * 1000000,
        .n_bins = MAX_VALUE_BINS,
        .reference_events = 2000,
    };
}

static enum status make_shards(struct observe *observe)
{
    observe->shards = calloc(SHARDS, sizeof *observe->shards);
    if (!observe->shards)
        return STATUS_MEMORY;
    for (int i = 0; i < SHARDS; i++) {
        lock_init(&observe->shards[i].lock, "observe_shard");
        observe->shards[i].codes = malloc(SHARD_CAPACITY * (size_t)observe->codes_width);
        if (!observe->shards[i].codes)
            return STATUS_MEMORY;
    }
    return STATUS_OK;
}

static int count_columns(const struct observe_options *options)
{
    size_t features = options->features ? options->features->n_features : 0;
    return features + 1 < MAX_COLUMNS ? (int)features + 1 : MAX_COLUMNS;
}

enum status observe_create(const struct observe_options *options, struct observe **observe,
                           struct error *error)
{
    if (options->n_bins < 2 || options->n_bins > MAX_VALUE_BINS || options->reference_events < 0 ||
        options->reference_events > 1000000)
        return error_set(error, STATUS_INVALID,
                         "drift needs 2 to %d bins and at most 1000000 reference events",
                         MAX_VALUE_BINS);
    struct observe *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory for counters");
    made->magic = OBSERVE_MAGIC;
    made->options = *options;
    made->n_columns = count_columns(options);
    made->codes_width = (made->n_columns + BIN_FINDER_STEP - 1) / BIN_FINDER_STEP * BIN_FINDER_STEP;
    lock_init(&made->lock, "observe");
    struct windows_options windows = {.n_columns = made->n_columns,
                                      .freshness_limit_us = options->freshness_limit_us};
    memcpy(windows.latency_limits_us, options->latency_limits_us, sizeof windows.latency_limits_us);
    made->windows = windows_create(&windows);
    made->slices = slices_create(&options->slices);
    if (!made->windows || !made->slices || make_shards(made) != STATUS_OK) {
        observe_destroy(made);
        return error_set(error, STATUS_MEMORY, "out of memory for counters");
    }
    observe_renew_reference(made);
    *observe = made;
    return STATUS_OK;
}

void observe_destroy(struct observe *observe)
{
    if (!observe)
        return;
    for (int i = 0; observe->shards && i < SHARDS; i++) {
        struct shard *shard = &observe->shards[i];
        if (!shard->lock.name)
            break;
        reference_release(shard->reference);
        free(shard->codes);
        lock_destroy(&shard->lock);
    }
    free(observe->shards);
    slices_destroy(observe->slices);
    reference_release(observe->reference);
    free(observe->collected);
    windows_destroy(observe->windows);
    lock_destroy(&observe->lock);
    observe->magic = 0;
    free(observe);
}

/* ---- shards ---- */

static struct shard *shard_take(struct observe *observe, int worker)
{
    observe_assert(observe);
    struct shard *shard = &observe->shards[(unsigned)worker % SHARDS];
    lock_take(&shard->lock);
    return shard;
}

static void add_totals(struct tally *totals, const struct observation *observation)
{
    totals->accepted += observation->kind == OBSERVED_OUTCOME;
    totals->quarantined += observation->kind == OBSERVED_QUARANTINE;
    totals->duplicates += observation->kind == OBSERVED_DUPLICATE;
    totals->errors += observation->kind == OBSERVED_ERROR;
    if (observation->kind == OBSERVED_OUTCOME)
        totals->decisions[observation->decision]++;
}

static uint8_t *codes_at(const struct observe *observe, const struct shard *shard, int place)
{
    return shard->codes + (size_t)place * (size_t)observe->codes_width;
}

/* For the windows and for the sink. */
static void pour_into(struct observe *observe, struct shard *shard, unsigned places)
{
    bool same_cuts = shard->reference == observe->reference;
    bool to_sink = places & OBSERVE_SINK && observe->sink.context;
    for (int i = 0; i < shard->n; i++) {
        const struct observation *observation = &shard->observations[i];
        const uint8_t *codes =
            same_cuts && shard->has_codes[i] ? codes_at(observe, shard, i) : NULL;
        if (places & OBSERVE_WINDOWS)
            windows_put(observe->windows, observation, codes);
        if (to_sink)
            observe->sink.take(observe->sink.context, observation, codes);
        add_totals(&observe->totals, observation);
    }
    shard->n = 0;
}

static void pour_locked(struct observe *observe, struct shard *shard)
{
    pour_into(observe, shard, OBSERVE_WINDOWS | OBSERVE_SINK);
}

void shard_pour(struct observe *observe, struct shard *shard)
{
    lock_assert_held(&shard->lock);
    if (shard->n == 0)
        return;
    lock_take(&observe->lock);
    pour_locked(observe, shard);
    lock_release(&observe->lock);
}

void observe_pour_all(struct observe *observe)
{
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = shard_take(observe, i);
        shard_pour(observe, shard);
        lock_release(&shard->lock);
    }
}

/* Takes over arms and reference when they have changed; what was coded by the old ones goes first.
 */
static void shard_renew(struct observe *observe, struct shard *shard)
{
    if (atomic_load_explicit(&observe->generation, memory_order_acquire) == shard->generation)
        return;
    lock_take(&observe->lock);
    pour_locked(observe, shard);
    reference_release(shard->reference);
    shard->reference = observe->reference;
    if (shard->reference)
        atomic_fetch_add(&shard->reference->users, 1);
    memcpy(shard->arms, observe->arms, sizeof shard->arms);
    shard->generation = atomic_load(&observe->generation);
    lock_release(&observe->lock);
}

static struct observation *shard_slot(struct observe *observe, struct shard *shard, int64_t at_us,
                                      enum observation_kind kind)
{
    if (shard->n == SHARD_CAPACITY)
        shard_pour(observe, shard);
    shard->has_codes[shard->n] = false;
    struct observation *slot = &shard->observations[shard->n++];
    *slot = (struct observation){.at_us = at_us,
                                 .event_us = at_us,
                                 .latency_us = -1,
                                 .age_us = INT64_MAX,
                                 .kind = (uint8_t)kind,
                                 .arm = NO_ARM,
                                 .shadows = {NO_ARM, NO_ARM, NO_ARM, NO_ARM}};
    return slot;
}

/* ---- arms ---- */

static bool arm_is(const struct arm *arm, enum variant variant, const char *model,
                   const char *version)
{
    return arm->used && arm->variant == variant && strcmp(arm->model, model) == 0 &&
           strcmp(arm->version, version) == 0;
}

static void copy_name(char out[NAME_SIZE], const char *name)
{
    size_t size = strnlen(name, NAME_SIZE - 1);
    memcpy(out, name, size);
    out[size] = '\0';
}

/* A place that is free, or held by an arm that is not configured and had no traffic for a day. */
static int arm_place(struct observe *observe)
{
    struct tally day;
    windows_sum(observe->windows, INT64_C(86400) * 1000000, &day);
    for (int i = 0; i < MAX_ARMS; i++) {
        if (!observe->arms[i].used)
            return i;
    }
    for (int i = 0; i < MAX_ARMS; i++) {
        if (isnan(observe->arms[i].share_wanted) && day.arms[i] == 0)
            return i;
    }
    return NO_ARM;
}

int arm_find(struct observe *observe, enum variant variant, const char *model, const char *version)
{
    lock_assert_held(&observe->lock);
    char model_name[NAME_SIZE], version_name[NAME_SIZE];
    copy_name(model_name, model);
    copy_name(version_name, version);
    for (int i = 0; i < MAX_ARMS; i++) {
        if (arm_is(&observe->arms[i], variant, model_name, version_name))
            return i;
    }
    int place = arm_place(observe);
    if (place == NO_ARM)
        return NO_ARM;
    windows_clear_arm(observe->windows, place);
    struct arm *arm = &observe->arms[place];
    *arm = (struct arm){.variant = variant, .share_wanted = NAN, .used = true};
    memcpy(arm->model, model_name, sizeof model_name);
    memcpy(arm->version, version_name, sizeof version_name);
    atomic_fetch_add(&observe->generation, 1);
    return place;
}

void arms_restore(struct observe *observe, const struct arm saved[MAX_ARMS])
{
    lock_assert_held(&observe->lock);
    struct arm configured[MAX_ARMS];
    memcpy(configured, observe->arms, sizeof configured);
    memcpy(observe->arms, saved, sizeof observe->arms);
    for (int i = 0; i < MAX_ARMS; i++) {
        const struct arm *arm = &configured[i];
        int place = arm->used && !isnan(arm->share_wanted)
                        ? arm_find(observe, arm->variant, arm->model, arm->version)
                        : NO_ARM;
        if (place != NO_ARM)
            observe->arms[place].share_wanted = arm->share_wanted;
    }
    atomic_fetch_add(&observe->generation, 1);
}

/* By the shard's own copy; a new arm is the rare case that takes the lock. */
static int8_t shard_arm(struct observe *observe, struct shard *shard, enum variant variant,
                        const char *model, const char *version)
{
    if (!model)
        return NO_ARM;
    version = version ? version : "";
    for (int i = 0; i < MAX_ARMS; i++) {
        if (arm_is(&shard->arms[i], variant, model, version))
            return (int8_t)i;
    }
    lock_take(&observe->lock);
    int place = arm_find(observe, variant, model, version);
    if (place != NO_ARM)
        shard->arms[place] = observe->arms[place];
    lock_release(&observe->lock);
    return (int8_t)place;
}

void observe_set_arms(struct observe *observe, const struct observe_arm *arms, int n_arms)
{
    observe_assert(observe);
    lock_take(&observe->lock);
    for (int i = 0; i < MAX_ARMS; i++)
        observe->arms[i].share_wanted = NAN;
    for (int i = 0; i < n_arms; i++) {
        int place = arm_find(observe, arms[i].variant, arms[i].model, arms[i].version);
        if (place != NO_ARM)
            observe->arms[place].share_wanted = arms[i].share_wanted;
    }
    atomic_fetch_add(&observe->generation, 1);
    lock_release(&observe->lock);
}

/* ---- outcomes ---- */

static int since_start_bucket(int64_t latency_us)
{
    int bits = latency_us < 16 ? 0 : 64 - __builtin_clzll((unsigned long long)latency_us) - 4;
    return bits < LATENCY_BOUNDS ? bits : LATENCY_BOUNDS;
}

static void count_since_start(struct latency_since_start *latency, int64_t latency_us)
{
    if (latency_us < 0)
        return;
    int bucket = since_start_bucket(latency_us);
    atomic_fetch_add_explicit(&latency->n, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&latency->sum_us, (uint_fast64_t)latency_us, memory_order_relaxed);
    atomic_fetch_add_explicit(&latency->buckets[bucket], 1, memory_order_relaxed);
}

void observe_answer_latency(struct observe *observe, int64_t latency_us)
{
    observe_assert(observe);
    count_since_start(&observe->answer_latency, latency_us);
}

static uint8_t score_bin(float score)
{
    int bin = score > 0 ? (int)fminf(score * SCORE_BINS, SCORE_BINS - 1) : 0;
    return (uint8_t)bin;
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
        int8_t arm =
            shard_arm(observe, shard, outcome->variant, outcome->model, outcome->model_version);
        *last = (struct last_arm){outcome->model, outcome->model_version, outcome->variant, arm};
    }
    return last->arm;
}

static void describe(struct observe *observe, struct shard *shard, const struct outcome *outcome,
                     struct last_arm *last)
{
    struct observation *slot = shard_slot(observe, shard, outcome->decided_at_us, OBSERVED_OUTCOME);
    int place = shard->n - 1;
    slot->latency_us = outcome->latency_us;
    slot->decision = (uint8_t)outcome->decision;
    slot->score_bin = score_bin(outcome->score);
    slot->score = outcome->score;
    slot->arm = decided_by(observe, shard, outcome, last);
    for (int i = 0; i < outcome->n_shadows && i < MAX_SHADOWS; i++)
        slot->shadows[i] = shard_arm(observe, shard, VARIANT_SHADOW, outcome->shadows[i].model,
                                     outcome->shadows[i].version);
    if (outcome->event) {
        slot->event_us = outcome->event->time_us;
        slot->age_us = outcome->decided_at_us - outcome->event->time_us;
    }
    if (observe->outcome_judge)
        slot->custom = observe->outcome_judge(observe->outcome_context, outcome);
    if (observe->sink.context)
        slot->labels = observe->sink.labels(observe->sink.context, outcome);
    if (shard->reference) {
        code_columns(observe, shard->reference, outcome, codes_at(observe, shard, place));
        shard->has_codes[place] = true;
    }
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

void observe_outcomes(struct observe *observe, int worker, const struct outcome *const *outcomes,
                      size_t n)
{
    if (n == 0)
        return;
    struct shard *shard = shard_take(observe, worker);
    shard_renew(observe, shard);
    struct last_arm last = {.model = NULL};
    for (size_t i = 0; i < n; i++) {
        if (i + VALUES_AHEAD < n)
            event_prefetch(outcomes[i + VALUES_AHEAD]->event);
        describe(observe, shard, outcomes[i], &last);
        count_since_start(&observe->decision_latency, outcomes[i]->latency_us);
    }
    size_t first = n > MAX_SNAPSHOT_DECISIONS ? n - MAX_SNAPSHOT_DECISIONS : 0;
    for (size_t i = first; i < n; i++)
        remember(shard, outcomes[i]);
    collect(observe, outcomes, n);
    lock_release(&shard->lock);
    slices_outcomes(observe->slices, outcomes, n);
}

/* The event of a row: to the sink it is as it was then. */
static void tell_event(struct observe *observe, struct shard *shard, const struct outcome *outcome,
                       const struct event *event)
{
    struct outcome told = *outcome;
    struct observation *slot = &shard->observations[shard->n - 1];
    if (!event)
        return;
    told.event = event;
    if (observe->outcome_judge)
        slot->custom = observe->outcome_judge(observe->outcome_context, &told);
    if (!observe->sink.context)
        return;
    slot->event_us = event->time_us;
    slot->labels = observe->sink.labels(observe->sink.context, &told);
}

void observe_recorded(struct observe *observe, const struct outcome *outcome,
                      const struct event *event, unsigned places)
{
    struct shard *shard = shard_take(observe, 0);
    shard_pour(observe, shard);
    shard_renew(observe, shard);
    struct last_arm last = {.model = NULL};
    describe(observe, shard, outcome, &last);
    tell_event(observe, shard, outcome, event);
    if (places & OBSERVE_WINDOWS) {
        remember(shard, outcome);
        collect(observe, &outcome, 1);
    }
    lock_take(&observe->lock);
    struct tally before = observe->totals;
    pour_into(observe, shard, places);
    observe->totals = before;
    lock_release(&observe->lock);
    lock_release(&shard->lock);
}

void observe_shadow(struct observe *observe, int worker, int64_t at_us, const char *model,
                    const char *version)
{
    struct shard *shard = shard_take(observe, worker);
    shard_renew(observe, shard);
    struct observation *slot = shard_slot(observe, shard, at_us, OBSERVED_SHADOW);
    slot->shadows[0] = shard_arm(observe, shard, VARIANT_SHADOW, model, version);
    lock_release(&shard->lock);
}

/* ---- everything else that happens ---- */

static void happened(struct observe *observe, int worker, int64_t now_us,
                     enum observation_kind kind)
{
    struct shard *shard = shard_take(observe, worker);
    (void)shard_slot(observe, shard, now_us, kind);
    lock_release(&shard->lock);
}

void observe_quarantine(struct observe *observe, int worker, const struct event *event,
                        int64_t now_us)
{
    struct shard *shard = shard_take(observe, worker);
    struct observation *slot = shard_slot(observe, shard, now_us, OBSERVED_QUARANTINE);
    for (int i = 0; i < event->n_violations && i < MAX_VIOLATIONS; i++) {
        enum violation_code code = event->violations[i].code;
        uint32_t bit = UINT32_C(1) << code;
        shard->reasons[code] += !(slot->reasons & bit);
        slot->reasons |= bit;
    }
    if (observe->sink.context)
        slot->labels = observe->sink.refused(observe->sink.context, event);
    lock_release(&shard->lock);
    slices_quarantine(observe->slices, event, now_us);
}

void observe_duplicate(struct observe *observe, int worker, int64_t now_us)
{
    happened(observe, worker, now_us, OBSERVED_DUPLICATE);
    slices_count(observe->slices, SLICED_DUPLICATES, now_us);
}

void observe_error(struct observe *observe, int worker, int64_t now_us)
{
    happened(observe, worker, now_us, OBSERVED_ERROR);
    slices_count(observe->slices, SLICED_ERRORS, now_us);
}

void observe_label(struct observe *observe, int64_t now_us, int label, int64_t delay_us)
{
    slices_label(observe->slices, now_us, label, delay_us);
}

void observe_ticked(struct observe *observe, const struct snapshot *snapshot)
{
    slices_tick(observe->slices, snapshot);
}

struct slices *observe_slices(struct observe *observe)
{
    return observe->slices;
}
