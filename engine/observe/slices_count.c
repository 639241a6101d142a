/* Counting into a ring of cells. A cell is cleared when its time comes round: each carries the
 * number of the two seconds it stands for. One lock, taken once for a batch; nothing under it
 * waits. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/observe/slices_priv.h"

void slices_clear_extras(struct cell_extra *extras, int n)
{
    memset(extras, 0, (size_t)n * sizeof *extras);
    for (int i = 0; i < n; i++) {
        extras[i].low = INFINITY;
        extras[i].high = -INFINITY;
    }
}

static void add_extra(struct slices *slices, int cell, size_t field, const struct value *value)
{
    int place = slices->extra_of[field];
    if (place < 0)
        return;
    struct cell_extra *extra =
        &slices->extras[(size_t)cell * (size_t)slices->n_extras + (size_t)place];
    if (value->type == VALUE_STRING)
        sketch_add(&extra->sketch, hash64(value->string.data, value->string.size, 0));
    if (value->type == VALUE_NUMBER && isfinite(value->number)) {
        extra->low = value->number < extra->low ? value->number : extra->low;
        extra->high = value->number > extra->high ? value->number : extra->high;
    }
}

uint32_t *slices_row(struct slices *slices, int64_t stamp, int *cell)
{
    *cell = (int)(stamp % SLICE_CELLS);
    if (stamp <= 0 || stamp < slices->stamps[*cell])
        return NULL;
    uint32_t *row = slices->rows + (size_t)*cell * (size_t)slices->n_counters;
    if (stamp > slices->stamps[*cell]) {
        memset(row, 0, (size_t)slices->n_counters * sizeof *row);
        slices->amounts[*cell] = slices->declined[*cell] = 0;
        slices_clear_extras(slices->extras + (size_t)*cell * (size_t)slices->n_extras,
                            slices->n_extras);
        slices->stamps[*cell] = stamp;
    }
    if (slices->first_stamp == 0)
        slices->first_stamp = stamp;
    return row;
}

static uint32_t *row_at(struct slices *slices, int64_t at_us, int *cell)
{
    return slices_row(slices, at_us / SLICE_CELL_US, cell);
}

static int log_bucket(int64_t value, int64_t first)
{
    if (value < first)
        return 0;
    int bits = 64 - __builtin_clzll((unsigned long long)(value / first));
    return bits < LOG_BUCKETS ? bits : LOG_BUCKETS - 1;
}

/* What frexp() calls the exponent of a normal number. */
static int exponent_of(double magnitude)
{
    uint64_t bits;
    memcpy(&bits, &magnitude, sizeof bits);
    return (int)(bits >> 52 & 0x7ff) - 1022;
}

/* A bin for each power of two from 2^-4 to 2^11 and beyond, either sign; zero in the middle. */
static int number_bin(double number)
{
    double magnitude = fabs(number);
    if (magnitude < 1.0 / 16)
        return FIELD_BIN_COUNT / 2;
    int step = exponent_of(magnitude) + 4;
    step = step < 16 ? step : 16;
    step = step < 1 ? 1 : step;
    return FIELD_BIN_COUNT / 2 + (number < 0 ? -step : step);
}

/* The field's counter for this value. */
static int value_bin(const struct place *place, const struct value *value, int word)
{
    switch (value->type) {
    case VALUE_NULL:
        return FIELD_MISSING;
    case VALUE_NUMBER:
        return isfinite(value->number) ? FIELD_BINS + number_bin(value->number) : FIELD_INVALID;
    case VALUE_BOOL:
        return FIELD_BINS + value->boolean;
    case VALUE_TIME:
        return FIELD_BINS;
    case VALUE_STRING:
        break;
    }
    if (place->texts)
        return word < 0                     ? FIELD_INVALID
               : word < FIELD_BIN_COUNT - 1 ? FIELD_BINS + word
                                            : FIELD_BINS + FIELD_BIN_COUNT - 1;
    size_t size = value->string.size;
    return FIELD_BINS + (int)(size < FIELD_BIN_COUNT ? size : FIELD_BIN_COUNT - 1);
}

static bool is_absence(enum violation_code code)
{
    return code == VIOLATION_MISSING || code == VIOLATION_NULL;
}

/* How a violation changes the counter that a field's value would have. */
static int violated_bin(const struct event *event, int field, int bin)
{
    for (int i = 0; i < event->n_violations && i < MAX_VIOLATIONS; i++) {
        if (event->violations[i].field == field)
            return is_absence(event->violations[i].code) ? FIELD_MISSING : FIELD_INVALID;
    }
    return bin;
}

/* What of an event its slices count: a number of this offset in each of them. */
struct tick {
    int offsets[3];
    int n;
};

static void count_slice(uint32_t *row, int first, const struct tick *tick)
{
    for (int i = 0; i < tick->n; i++)
        row[first + tick->offsets[i]]++;
}

/* Of a text that one of the words may be, counted from 0; -1: it is none of them. */
static int number_of(const struct place *place, const struct value *value)
{
    return value->word > 0 ? (int)value->word - 1 : dictionary_find(place->texts, value->string);
}

static void count_event(struct slices *slices, uint32_t *row, int cell, const struct event *event,
                        const struct tick *tick)
{
    const struct schema *schema = slices->schema;
    if (!schema || event->schema != schema || !event->values)
        return;
    for (size_t i = 0; i < schema->n_fields; i++) {
        const struct place *place = &slices->places[i];
        const struct value *value = &event->values[i];
        int word = place->texts && value->type == VALUE_STRING ? number_of(place, value) : -1;
        if (place->field != NO_SERIES)
            row[place->field + violated_bin(event, (int)i, value_bin(place, value, word))]++;
        add_extra(slices, cell, i, value);
        if (word >= 0 && place->words != NO_SERIES)
            count_slice(row, place->words + word * SLICE_COUNTERS, tick);
    }
}

/* Unread events have no values: nothing of theirs is known by field. */
static bool was_read(const struct event *event)
{
    for (int i = 0; i < event->n_violations && i < MAX_VIOLATIONS; i++) {
        if (event->violations[i].field < 0 && event->violations[i].code != VIOLATION_CHECK &&
            event->violations[i].code != VIOLATION_UNKNOWN_FIELD)
            return false;
    }
    return true;
}

int slices_rule(struct slices *slices, const char *rule)
{
    for (int i = 0; i < RULES - 1; i++) {
        if (slices->rules[i][0] == '\0')
            snprintf(slices->rules[i], NAME_SIZE, "%s", rule);
        if (strncmp(slices->rules[i], rule, NAME_SIZE - 1) == 0)
            return i;
    }
    return RULES - 1;
}

/* Of the outcome before, in the same batch: time and rule most often are those of the next one. */
struct last {
    int64_t from_us; /* of the row; INT64_MIN: none yet */
    uint32_t *row;
    int cell;
    const char *rule; /* told apart by where its name stands */
    int rule_counter;
};

static void follow_time(struct slices *slices, int64_t at_us, struct last *last)
{
    if (last->from_us != INT64_MIN && at_us >= last->from_us &&
        at_us - last->from_us < SLICE_CELL_US)
        return;
    int64_t stamp = at_us / SLICE_CELL_US;
    last->from_us = stamp * SLICE_CELL_US;
    last->row = slices_row(slices, stamp, &last->cell);
}

static int rule_counter(struct slices *slices, const char *rule, struct last *last)
{
    if (rule != last->rule) {
        last->rule = rule;
        last->rule_counter = slices_rule(slices, rule);
    }
    return last->rule_counter;
}

static void count_amount(struct slices *slices, int cell, const struct outcome *outcome)
{
    const struct event *event = outcome->event;
    if (slices->amount < 0 || event->schema != slices->schema)
        return;
    const struct value *value = &event->values[slices->amount];
    if (value->type != VALUE_NUMBER || !isfinite(value->number))
        return;
    slices->amounts[cell] += value->number;
    if (outcome->decision == DECISION_DECLINE)
        slices->declined[cell] += value->number;
}

/* Up to FULL_EVENTS of a cell are looked at one by one; of what comes beyond, one in ONE_IN: shares
 * are known well enough by then, and whoever reads a file at full speed pays nothing. */
static bool is_looked_at(const struct slices *slices, const uint32_t *row)
{
    const uint32_t *events = row + slices->fixed[SERIES_EVENTS];
    uint32_t seen = events[SLICED_ACCEPTED] + events[SLICED_QUARANTINED];
    return seen <= FULL_EVENTS || seen % ONE_IN == 0;
}

static void look_at_outcome(struct slices *slices, const struct outcome *outcome, struct last *last)
{
    uint32_t *row = last->row;
    float score = isfinite(outcome->score) ? fminf(fmaxf(outcome->score, 0), 1) : 0;
    int bin = (int)fminf(score * SCORE_BINS, SCORE_BINS - 1);
    int64_t age_us = outcome->decided_at_us - outcome->event->time_us;
    struct tick tick = {.offsets = {SLICE_DECISION + (int)outcome->decision, SLICE_SCORE + bin},
                        .n = 2};
    row[slices->fixed[SERIES_SCORE] + bin]++;
    row[slices->fixed[SERIES_AGE] + log_bucket(age_us, 1000000)]++;
    row[slices->fixed[SERIES_RULE] + rule_counter(slices, outcome->rule, last)]++;
    if (outcome->latency_us >= 0) {
        int slow = log_bucket(outcome->latency_us, 16);
        row[slices->fixed[SERIES_LATENCY] + slow]++;
        tick.offsets[tick.n++] = SLICE_LATENCY + slow;
    }
    if (outcome->variant < VARIANT_SHADOW)
        count_slice(row, slices->variants + (int)outcome->variant * SLICE_COUNTERS, &tick);
    count_event(slices, row, last->cell, outcome->event, &tick);
}

static void count_outcome(struct slices *slices, const struct outcome *outcome, struct last *last)
{
    follow_time(slices, outcome->decided_at_us, last);
    if (!last->row || !outcome->event)
        return;
    last->row[slices->fixed[SERIES_EVENTS] + SLICED_ACCEPTED]++;
    last->row[slices->fixed[SERIES_DECISION] + (int)outcome->decision]++;
    if (outcome->event->time_us > slices->newest_event_us)
        slices->newest_event_us = outcome->event->time_us;
    count_amount(slices, last->cell, outcome);
    if (is_looked_at(slices, last->row))
        look_at_outcome(slices, outcome, last);
}

void slices_outcomes(struct slices *slices, const struct outcome *const *outcomes, size_t n)
{
    struct last last = {.from_us = INT64_MIN};
    lock_take(&slices->lock);
    for (size_t i = 0; i < n; i++)
        count_outcome(slices, outcomes[i], &last);
    lock_release(&slices->lock);
}

void slices_quarantine(struct slices *slices, const struct event *event, int64_t now_us)
{
    int cell;
    const struct tick tick = {.offsets = {SLICE_QUARANTINED}, .n = 1};
    lock_take(&slices->lock);
    uint32_t *row = row_at(slices, now_us, &cell);
    if (row) {
        row[slices->fixed[SERIES_EVENTS] + SLICED_QUARANTINED]++;
        if (was_read(event) && is_looked_at(slices, row))
            count_event(slices, row, cell, event, &tick);
        for (int i = 0; i < event->n_violations && i < MAX_VIOLATIONS; i++) {
            const struct violation *violation = &event->violations[i];
            if (slices->schema && violation->field >= 0 &&
                (size_t)violation->field < slices->schema->n_fields &&
                slices->places[violation->field].reasons != NO_SERIES)
                row[slices->places[violation->field].reasons + (int)violation->code]++;
        }
    }
    lock_release(&slices->lock);
}

void slices_count(struct slices *slices, int kind, int64_t now_us)
{
    int cell;
    lock_take(&slices->lock);
    uint32_t *row = row_at(slices, now_us, &cell);
    if (row)
        row[slices->fixed[SERIES_EVENTS] + kind]++;
    lock_release(&slices->lock);
}

void slices_label(struct slices *slices, int64_t now_us, int label, int64_t delay_us)
{
    int cell;
    lock_take(&slices->lock);
    uint32_t *row = row_at(slices, now_us, &cell);
    if (row) {
        row[slices->fixed[SERIES_LABELS] + (label != 0)]++;
        row[slices->fixed[SERIES_DELAY] + log_bucket(delay_us, 1000000)]++;
    }
    lock_release(&slices->lock);
}

/* Answers are counted since start, by power of two from 16 us and cumulated: what came since the
 * last tick is the difference. */
static void take_answers(struct slices *slices, uint32_t *row, const struct latency_counts *now)
{
    uint32_t *answers = row + slices->fixed[SERIES_ANSWER];
    const struct latency_counts *before = &slices->answers;
    uint64_t under = 0;
    for (int i = 0; i < LOG_BUCKETS - 1; i++) {
        uint64_t cumulated = now->under[i] - before->under[i];
        answers[i] += (uint32_t)(cumulated - under);
        under = cumulated;
    }
    answers[LOG_BUCKETS - 1] += (uint32_t)(now->n - before->n - under);
    slices->answers = *now;
}

void slices_tick(struct slices *slices, const struct snapshot *snapshot)
{
    int cell;
    lock_take(&slices->lock);
    uint32_t *row = row_at(slices, snapshot->time_us, &cell);
    if (row) {
        take_answers(slices, row, &snapshot->answer_latency);
        if (snapshot->record.used) {
            uint32_t *record = row + slices->fixed[SERIES_RECORD];
            record[snapshot->record.state == RECORD_WRITES ? RECORD_GOOD : RECORD_BAD]++;
            record[RECORD_LOCKED_MS] +=
                (uint32_t)((snapshot->record.lock_waited_us - slices->lock_waited_us) / 1000);
            slices->lock_waited_us = snapshot->record.lock_waited_us;
            if (!isnan(snapshot->record.commit_us))
                row[slices->fixed[SERIES_COMMIT] +
                    log_bucket((int64_t)snapshot->record.commit_us, 16)]++;
        }
    }
    lock_release(&slices->lock);
}
