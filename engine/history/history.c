/* The counting side. Whoever pours observations counts them into the open epoch, under one lock
 * that is never held while anybody waits for a disk. When the clock has passed an epoch's end by
 * SEAL_GRACE_US, so that all workers have poured what they held back, the epoch is handed to the
 * writer; what was decided after its end is counted apart, so that after a crash it is known by its
 * time which rows of the ledger are on the disk.
 *
 * When the disk takes nothing, epochs are not ended any more: the open one grows until it is full,
 * then the oldest waiting one is given up and counted as lost. */
#include "engine/history/history_priv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRITER_PATIENCE_MS 2000

/* ---- epochs ---- */

void epoch_release(struct epoch *epoch)
{
    if (epoch && atomic_fetch_sub(&epoch->users, 1) == 1) {
        span_destroy(epoch->span);
        free(epoch);
    }
}

static int64_t end_of_minute_us(int64_t time_us)
{
    return (floor_to(floor_to(time_us, US_PER_S) / US_PER_S, MINUTE_S) + MINUTE_S) * US_PER_S;
}

/* While some are being written, what is open is given up instead. */
static void give_up_oldest(struct history_store *history)
{
    struct epoch *oldest = history->first;
    history->stats.lost_minutes++;
    if (history->writing || !oldest) {
        span_clear(history->open);
        return;
    }
    history->first = oldest->next;
    if (!history->first)
        history->last = NULL;
    history->n_waiting--;
    epoch_release(oldest);
}

/* Hands the open epoch over. False: out of memory, and it stays open. */
static bool seal(struct history_store *history, int64_t upto_us)
{
    struct span *fresh = history->spare ? history->spare : span_create(MAX_CELLS);
    struct epoch *epoch = calloc(1, sizeof *epoch);
    history->spare = NULL;
    if (!fresh || !epoch) {
        span_destroy(fresh);
        free(epoch);
        return false;
    }
    atomic_init(&epoch->users, 1);
    span_settle(history->open);
    epoch->span = history->open;
    epoch->upto_us = upto_us;
    epoch->seq = ++history->seq;
    history->open = fresh;
    if (history->last)
        history->last->next = epoch;
    else
        history->first = epoch;
    history->last = epoch;
    history->n_waiting++;
    pthread_cond_broadcast(&history->changed);
    return true;
}

/* In event time whoever brings events waits for a disk that works. */
static bool may_seal(struct history_store *history)
{
    while (history->options.event_time && history->n_waiting >= MAX_WAITING &&
           history->stats.problem[0] == '\0' && !history->stopping) {
        if (!condition_wait(&history->changed, &history->lock, WRITER_PATIENCE_MS))
            break;
    }
    return history->n_waiting < MAX_WAITING;
}

static void swap_spans(struct history_store *history)
{
    struct span *open = history->open;
    history->open = history->coming;
    history->coming = open;
}

/* Ends the open epoch when the clock has passed its end for long enough. */
static void follow_clock(struct history_store *history, int64_t now_us)
{
    if (history->open_end_us == INT64_MIN)
        history->open_end_us = end_of_minute_us(now_us);
    if (now_us < history->open_end_us + SEAL_GRACE_US || !may_seal(history) ||
        !seal(history, history->open_end_us))
        return;
    swap_spans(history);
    int64_t next_us = history->open_end_us + MINUTE_S * US_PER_S;
    if (now_us < next_us + SEAL_GRACE_US) {
        history->open_end_us = next_us;
        return;
    }
    /* A step: whatever came after the end belongs to the minute that the clock stands in. */
    history->open_end_us = end_of_minute_us(now_us);
}

/* The span that counts what was decided at this time. */
static struct span *span_for(struct history_store *history, int64_t at_us)
{
    follow_clock(history, at_us);
    return at_us < history->open_end_us ? history->open : history->coming;
}

/* A span is full of cells, as when a backlog of many hours is read in one minute: it goes to the
 * disk early. */
static struct cell *make_room(struct history_store *history, int64_t at_us, int64_t start_s,
                              uint64_t labels)
{
    if (history->n_waiting >= MAX_WAITING) {
        give_up_oldest(history);
        return span_cell(span_for(history, at_us), start_s, labels, history->layout);
    }
    if (at_us >= history->open_end_us && seal(history, history->open_end_us)) {
        swap_spans(history);
        history->open_end_us = end_of_minute_us(at_us);
    }
    if (!seal(history, at_us))
        return NULL;
    return span_cell(span_for(history, at_us), start_s, labels, history->layout);
}

static struct cell *cell_for(struct history_store *history, int64_t at_us, int64_t event_us,
                             uint64_t labels)
{
    int64_t start_s = floor_to(floor_to(event_us, US_PER_S) / US_PER_S, MINUTE_S);
    struct cell *cell = span_cell(span_for(history, at_us), start_s, labels, history->layout);
    return cell ? cell : make_room(history, at_us, start_s, labels);
}

/* ---- seconds ---- */

/* The second that was open goes into the ring. */
static void seal_second(struct history_store *history)
{
    struct second *slot = &history->seconds[(uint64_t)history->second_s % SECOND_SLOTS];
    slot->start_s = history->second_s;
    buffer_reset(&slot->cells);
    for (size_t i = 0; i < span_size(history->second); i++)
        cell_encode(span_at(history->second, i), SECOND_SECTION, &slot->cells);
    span_clear(history->second);
}

/* By the clock, not by the events' times: it is the moment that is looked at. */
static struct cell *second_for(struct history_store *history, int64_t at_us, uint64_t labels)
{
    int64_t second_s = floor_to(at_us, US_PER_S) / US_PER_S;
    if (!history->second || second_s < history->second_s)
        return NULL;
    if (second_s > history->second_s) {
        seal_second(history);
        history->second_s = second_s;
    }
    return span_cell(history->second, second_s, labels, history->layout);
}

/* ---- counting ---- */

static int score_step(float score)
{
    if (!(score > 0))
        return 0;
    return score < 1 ? (int)(score * SCORE_STEPS) : SCORE_STEPS - 1;
}

static uint64_t millionths(float score)
{
    return score > 0 ? (uint64_t)llrint((double)score * 1e6) : 0;
}

static void count_outcome(const struct observation *observation, struct cell *cell)
{
    cell->scalars[SCALAR_ACCEPTED]++;
    cell->scalars[SCALAR_APPROVED + observation->decision]++;
    cell->scores[score_step(observation->score)]++;
    cell->scalars[SCALAR_SCORE_MILLIONTHS] += millionths(observation->score);
    for (int i = 0; observation->custom.counted >> i; i++) {
        cell->scalars[SCALAR_CUSTOM_COUNTED + i] += observation->custom.counted >> i & 1;
        cell->scalars[SCALAR_CUSTOM_BAD + i] += observation->custom.bad >> i & 1;
    }
    if (observation->age_us != INT64_MAX) {
        cell->scalars[SCALAR_AGED]++;
        cell->scalars[SCALAR_AGE_S] +=
            observation->age_us > 0 ? (uint64_t)(observation->age_us / US_PER_S) : 0;
    }
    if (observation->latency_us >= 0)
        cell_count_latency(cell, observation->latency_us);
}

/* Its own score is kept as those of other arms are, where arms are told apart. */
static void count_shadow(const struct observation *observation, bool apart, struct cell *cell)
{
    float distance = observation->score - observation->decided_score;
    cell->scalars[SCALAR_SHADOWED]++;
    cell->scalars[SCALAR_SHADOW_FAR] += fabs((double)distance) > SHADOW_FAR;
    cell->scalars[SCALAR_SHADOW_HIGHER] += distance > 0;
    cell->scalars[SCALAR_SHADOW_DISTANCE_MILLIONTHS] += millionths(fabsf(distance));
    cell->scalars[SCALAR_SHADOW_SCORE_MILLIONTHS] += millionths(observation->score);
    if (apart)
        cell->scores[score_step(observation->score)]++;
}

static void count(const struct observation *observation, uint64_t nothing, struct cell *cell)
{
    switch ((enum observation_kind)observation->kind) {
    case OBSERVED_OUTCOME:
        count_outcome(observation, cell);
        break;
    case OBSERVED_QUARANTINE:
        cell->scalars[SCALAR_QUARANTINED]++;
        for (int code = 0; code < VIOLATION_CODES; code++)
            cell->scalars[SCALAR_VIOLATIONS + code] += observation->reasons >> code & 1;
        break;
    case OBSERVED_DUPLICATE:
        cell->scalars[SCALAR_DUPLICATES]++;
        break;
    case OBSERVED_ERROR:
        cell->scalars[SCALAR_ERRORS]++;
        break;
    case OBSERVED_SHADOW:
        count_shadow(observation, cell->labels != nothing, cell);
        break;
    }
}

/* The time since when the service counts, and until when it has. */
static void note_time(struct history_store *history, int64_t at_us)
{
    if (history->recovering)
        return;
    if (!history->running)
        history->run.from_us = history->run.to_us = at_us;
    history->running = true;
    if (at_us > history->run.to_us)
        history->run.to_us = at_us;
}

static bool is_known(const struct history_store *history, int64_t at_us)
{
    return history->recovering && at_us < history->upto_us;
}

static uint64_t labels_for(struct history_store *history, const struct observation *observation,
                           uint64_t nothing)
{
    if (observation->kind == OBSERVED_SHADOW)
        return labels_of_shadow(history->labels);
    return observation->labels ? observation->labels : nothing;
}

static void take_one(struct history_store *history, const struct observation *observation,
                     const uint8_t *codes, uint64_t nothing)
{
    note_time(history, observation->at_us);
    if (is_known(history, observation->at_us))
        return;
    uint64_t labels = labels_for(history, observation, nothing);
    struct cell *cell = cell_for(history, observation->at_us, observation->event_us, labels);
    if (cell)
        count(observation, nothing, cell);
    if (cell && codes)
        cell_count_bins(cell, codes);
    struct cell *second = second_for(history, observation->at_us, labels);
    if (second)
        count(observation, nothing, second);
}

static void take(void *context, const struct observations *observations)
{
    struct history_store *history = context;
    lock_take(&history->lock);
    uint64_t nothing = labels_of_nothing(history->labels);
    for (int i = 0; i < observations->n; i++)
        take_one(history, &observations->list[i], observation_codes(observations, i), nothing);
    lock_release(&history->lock);
}

static void take_verdict(void *context, int64_t at_us, const struct tally *verdict)
{
    struct history_store *history = context;
    lock_take(&history->lock);
    struct cell *cell = is_known(history, at_us)
                            ? NULL
                            : cell_for(history, at_us, at_us, labels_of_nothing(history->labels));
    if (cell) {
        cell->scalars[SCALAR_FRESH_MINUTES] += verdict->fresh_minutes;
        cell->scalars[SCALAR_STALE_MINUTES] += verdict->stale_minutes;
        cell->scalars[SCALAR_STEADY_SLICES] += verdict->steady_slices;
        cell->scalars[SCALAR_DRIFTED_SLICES] += verdict->drifted_slices;
        for (int i = 0; i < MAX_CUSTOM; i++) {
            cell->scalars[SCALAR_CUSTOM_COUNTED + i] += verdict->custom_counted[i];
            cell->scalars[SCALAR_CUSTOM_BAD + i] += verdict->custom_bad[i];
        }
    }
    lock_release(&history->lock);
}

/* ---- what the counts mean ---- */

static const struct layout *known_layout(const struct history_store *history, uint64_t digest)
{
    for (int i = 0; i < history->layouts.n; i++) {
        if (history->layouts.list[i]->digest == digest)
            return history->layouts.list[i];
    }
    return NULL;
}

/* Takes what is made. A history of more layouts than it has numbers for counts on without bins. */
static void use_layout(struct history_store *history, struct layout *made)
{
    struct layouts *all = &history->layouts;
    const struct layout *known = made ? known_layout(history, made->digest) : NULL;
    bool full = all->n == (int)(sizeof all->list / sizeof *all->list);
    if (known || !made || full) {
        layout_destroy(made);
        history->layout = known ? known : all->list[0];
        return;
    }
    made->id = all->n;
    all->list[all->n] = made;
    atomic_fetch_add(&all->n, 1);
    history->layout = made;
}

static void take_cuts(void *context, const struct binning *binnings, int n_columns)
{
    struct history_store *history = context;
    bool named = binnings && n_columns <= history->options.n_columns;
    struct layout *made = layout_create(history->options.latency_limits_us, history->options.judges,
                                        named ? n_columns : 0, history->column_names, binnings);
    lock_take(&history->lock);
    use_layout(history, made);
    lock_release(&history->lock);
}

static void label_outcomes(void *context, const struct outcome *const *outcomes, size_t n,
                           uint64_t *labels)
{
    struct history_store *history = context;
    labels_of_outcomes(history->labels, outcomes, n, labels);
}

static uint64_t label_refusal(void *context, const struct event *event)
{
    struct history_store *history = context;
    const char *why = event->n_violations > 0 ? violation_name(event->violations[0].code) : "";
    return labels_of_refusal(history->labels, event, why);
}

struct observe_sink history_sink(struct history_store *history)
{
    return (struct observe_sink){.context = history,
                                 .labels = label_outcomes,
                                 .refused = label_refusal,
                                 .take = take,
                                 .cuts = take_cuts,
                                 .verdict = take_verdict};
}

/* ---- time ---- */

int64_t history_upto_us(const struct history_store *history)
{
    return history->upto_us;
}

void history_begin(struct history_store *history, int64_t now_us)
{
    lock_take(&history->lock);
    history->recovering = false;
    lock_release(&history->lock);
    history_tick(history, now_us);
}

void history_tick(struct history_store *history, int64_t now_us)
{
    if (now_us <= 0) /* an event clock that no event has set yet */
        return;
    lock_take(&history->lock);
    note_time(history, now_us);
    follow_clock(history, now_us);
    (void)second_for(history, now_us, labels_of_nothing(history->labels));
    lock_release(&history->lock);
}

bool history_flush(struct history_store *history, int64_t timeout_ms)
{
    int64_t deadline_ns = monotonic_ns() + timeout_ms * 1000000;
    lock_take(&history->lock);
    if (history->open_end_us != INT64_MIN) {
        bool more = span_size(history->coming) > 0;
        int64_t upto_us =
            history->run.to_us > history->upto_us ? history->run.to_us + 1 : history->open_end_us;
        if (seal(history, upto_us) && more) {
            swap_spans(history);
            (void)seal(history, upto_us);
        }
    }
    while (history->n_waiting > 0 && monotonic_ns() < deadline_ns)
        (void)condition_wait(&history->changed, &history->lock, 50);
    bool written = history->n_waiting == 0;
    lock_release(&history->lock);
    return written;
}

void history_stats(struct history_store *history, struct history_stats *stats)
{
    lock_take(&history->lock);
    *stats = history->stats;
    stats->waiting = (uint64_t)history->n_waiting;
    stats->capacity = MAX_WAITING;
    lock_release(&history->lock);
}
