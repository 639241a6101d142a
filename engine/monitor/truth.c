/* The join of decisions and labels. In: decisions and labels in the order of the record. Out: rows
 * with their truth, counts by period, a sample of each period's scores with what was estimated from
 * it, and where the error stream changed. One thread at a time.
 *
 * An event is known by the index of its decision: a second label of it is a repetition, or a
 * correction that takes the first one's place. Rows are a ring in the order of arrival with buckets
 * over it. A period's sample is chosen by a hash of the index, so that reading the record again
 * chooses the same. */
#include "engine/monitor/truth_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_REFERENCE ((size_t)20000) /* newest labels that estimates are learned from */

enum status truth_create(const struct truth_options *options, struct truth **truth,
                         struct error *error)
{
    double values[DETECTOR_MAX_PARAMETERS];
    struct truth *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->options = *options;
    for (made->n_buckets = 1024; made->n_buckets < (size_t)options->keep;)
        made->n_buckets *= 2;
    made->rows = calloc((size_t)options->keep, sizeof *made->rows);
    made->buckets = calloc(made->n_buckets, sizeof *made->buckets);
    made->periods = calloc(TRUTH_PERIODS, sizeof *made->periods);
    detector_defaults(options->method, values);
    enum status status = detector_create(options->method, values, &made->detector, error);
    if (status == STATUS_OK && (!made->rows || !made->buckets || !made->periods))
        status = error_set(error, STATUS_MEMORY, "out of memory for %lld outcomes",
                           (long long)options->keep);
    if (status == STATUS_OK)
        *truth = made;
    else
        truth_destroy(made);
    return status;
}

void truth_destroy(struct truth *truth)
{
    if (!truth)
        return;
    detector_destroy(truth->detector);
    cbpe_destroy(truth->cbpe);
    free(truth->periods);
    free(truth->buckets);
    free(truth->rows);
    free(truth);
}

void truth_reset(struct truth *truth)
{
    cbpe_destroy(truth->cbpe);
    detector_restart(truth->detector);
    memset(truth->buckets, 0, truth->n_buckets * sizeof *truth->buckets);
    truth->cbpe = NULL;
    truth->counts = (struct truth_counts){0};
    truth->n = truth->next = truth->n_periods = truth->n_cohorts = truth->n_reference = 0;
    truth->learned_at = truth->n_errors = truth->n_detections = 0;
}

const struct truth_options *truth_options(const struct truth *truth)
{
    return &truth->options;
}

/* ---- periods ---- */

static bool is_predicted(const struct truth_options *options, const struct truth_decision *decision)
{
    return isnan(options->threshold) ? decision->decision != DECISION_APPROVE
                                     : (double)decision->score >= options->threshold;
}

static int64_t period_start(const struct truth *truth, int64_t at_us)
{
    int64_t length = truth->options.period_us, past = at_us % length;
    return at_us - past - (past < 0 ? length : 0);
}

static struct truth_period *find_period(const struct truth *truth, int64_t at_us)
{
    int64_t start_us = period_start(truth, at_us);
    for (size_t i = truth->n_periods; i-- > 0;) {
        if (truth->periods[i].start_us == start_us)
            return &truth->periods[i];
    }
    return NULL;
}

/* Writes down what is expected of the newest period, which is over, before its truth is known. */
static void freeze(struct truth *truth)
{
    truth_learn(truth);
    if (!truth->cbpe || truth->n_periods == 0)
        return;
    struct truth_period *period = &truth->periods[truth->n_periods - 1];
    for (int v = 0; v < TRUTH_VARIANTS; v++) {
        struct truth_side *side = &period->sides[v];
        enum status status = STATUS_OK;
        for (int m = 0; status == STATUS_OK && m < TRUTH_ESTIMATES; m++)
            status = truth_estimate(truth, side, (enum cbpe_metric)m, &side->estimates[m], NULL);
        side->frozen = status == STATUS_OK && side->seen > 0;
    }
}

/* NULL: older than what is kept. Clocks may go back a little: a period is put where it belongs. */
static struct truth_period *open_period(struct truth *truth, int64_t at_us)
{
    struct truth_period *found = find_period(truth, at_us);
    size_t n = truth->n_periods, place = n;
    int64_t start_us = period_start(truth, at_us);
    if (found)
        return found;
    while (place > 0 && truth->periods[place - 1].start_us > start_us)
        place--;
    if (place == n)
        freeze(truth);
    if (n == TRUTH_PERIODS) {
        if (place == 0)
            return NULL;
        place--;
        n--;
        memmove(truth->periods, truth->periods + 1, n * sizeof *truth->periods);
    }
    memmove(truth->periods + place + 1, truth->periods + place,
            (n - place) * sizeof *truth->periods);
    memset(&truth->periods[place], 0, sizeof *truth->periods);
    truth->periods[place].start_us = start_us;
    truth->n_periods = n + 1;
    return &truth->periods[place];
}

/* Bits that look random (the finaliser of SplitMix64). */
static uint64_t mix(uint64_t bits)
{
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
    return bits ^ (bits >> 31);
}

static int find_cohort(const struct truth *truth, const char *name)
{
    for (size_t i = 0; i < truth->n_cohorts; i++) {
        if (strcmp(truth->cohorts[i], name) == 0)
            return (int)i;
    }
    return -1;
}

/* The last place is for all that find no other. */
static uint8_t cohort_of(struct truth *truth, struct slice name)
{
    char text[TRUTH_COHORT] = "";
    size_t size = name.size < sizeof text ? name.size : sizeof text - 1;
    if (size)
        memcpy(text, name.data, size);
    int found = find_cohort(truth, text);
    if (found < 0 && truth->n_cohorts >= TRUTH_MAX_COHORTS - 1) {
        memcpy(text, "other", sizeof "other");
        found = find_cohort(truth, text);
    }
    if (found >= 0)
        return (uint8_t)found;
    memcpy(truth->cohorts[truth->n_cohorts], text, sizeof text);
    return (uint8_t)truth->n_cohorts++;
}

void truth_decided(struct truth *truth, const struct truth_decision *decision)
{
    struct truth_period *period = open_period(truth, decision->at_us);
    if (!period || (int)decision->variant >= TRUTH_VARIANTS)
        return;
    struct truth_side *side = &period->sides[decision->variant];
    side->decided++;
    side->cohorts[cohort_of(truth, decision->cohort)].decided++;
    if (!(decision->score >= 0 && decision->score <= 1))
        return; /* estimates are of probabilities */
    uint64_t place = side->seen++;
    if (place >= TRUTH_SAMPLE)
        place = mix(decision->index + 0x9e3779b97f4a7c15u) % side->seen; /* Vitter's algorithm R */
    if (place < TRUTH_SAMPLE) {
        side->scores[place] = decision->score;
        side->predicted[place] = is_predicted(&truth->options, decision);
    }
}

/* ---- the join ---- */

static uint32_t *bucket_of(const struct truth *truth, uint64_t index)
{
    return &truth->buckets[mix(index) & (truth->n_buckets - 1)];
}

static struct truth_row *find_row(const struct truth *truth, uint64_t index)
{
    for (uint32_t at = *bucket_of(truth, index); at; at = truth->rows[at - 1].next) {
        if (truth->rows[at - 1].index == index)
            return &truth->rows[at - 1];
    }
    return NULL;
}

static void unlink_row(struct truth *truth, uint32_t number)
{
    uint32_t *at = bucket_of(truth, truth->rows[number - 1].index);
    while (*at != number)
        at = &truth->rows[*at - 1].next;
    *at = truth->rows[number - 1].next;
}

static void put_row(struct truth *truth, const struct truth_row *row)
{
    uint32_t number = (uint32_t)truth->next + 1;
    if (truth->n == (size_t)truth->options.keep) {
        unlink_row(truth, number);
        truth->counts.evicted++;
    } else {
        truth->n++;
    }
    struct truth_row *place = &truth->rows[truth->next];
    uint32_t *bucket = bucket_of(truth, row->index);
    *place = *row;
    place->next = *bucket;
    *bucket = number;
    truth->next = (truth->next + 1) % (size_t)truth->options.keep;
}

/* The champion's wrong decisions in the order in which they become known. */
static void tell_detector(struct truth *truth, const struct truth_row *row)
{
    bool fired;
    if (row->variant != VARIANT_CHAMPION ||
        detector_update(truth->detector, row->predicted != row->positive, &fired, NULL))
        return;
    if (fired)
        truth->detections[truth->n_detections++ % TRUTH_DETECTIONS] =
            (struct truth_detection){row->arrived_us, truth->n_errors};
    truth->n_errors++;
}

void truth_restore_row(struct truth *truth, const struct truth_row *row)
{
    put_row(truth, row);
    tell_detector(truth, row);
}

/* `by`: +1 when a label comes, and the change of positives. */
static void count_label(struct truth *truth, const struct truth_row *row, int by, int positives)
{
    struct truth_period *period = find_period(truth, row->decided_us);
    if (!period)
        return;
    struct truth_side *side = &period->sides[row->variant];
    side->labelled += (uint64_t)by;
    side->cohorts[row->cohort].labelled += (uint64_t)by;
    side->positives = (uint64_t)((int64_t)side->positives + positives);
}

static enum truth_join correct(struct truth *truth, struct truth_row *row,
                               const struct truth_label *label)
{
    bool positive = label->label != 0;
    if (row->positive == positive) {
        truth->counts.repeated++;
        return TRUTH_REPEATED;
    }
    count_label(truth, row, 0, positive ? 1 : -1);
    row->positive = positive;
    row->observed_us = label->observed_us;
    truth->counts.corrected++;
    return TRUTH_CORRECTED;
}

enum truth_join truth_labelled(struct truth *truth, const struct truth_label *label)
{
    const struct truth_decision *decision = &label->decision;
    struct truth_row *known = find_row(truth, decision->index);
    if (known)
        return correct(truth, known, label);
    struct truth_row row = {
        .index = decision->index,
        .entity = label->entity,
        .decided_us = decision->at_us,
        .observed_us = label->observed_us,
        .arrived_us = label->arrived_us,
        .amount = label->amount,
        .score = decision->score,
        .variant = decision->variant == VARIANT_CANARY,
        .cohort = cohort_of(truth, decision->cohort),
        .predicted = is_predicted(&truth->options, decision),
        .positive = label->label != 0,
    };
    put_row(truth, &row);
    tell_detector(truth, &row);
    count_label(truth, &row, 1, row.positive);
    truth->counts.joined++;
    return TRUTH_JOINED;
}

void truth_unmatched(struct truth *truth)
{
    truth->counts.unmatched++;
}

/* ---- estimates ---- */

/* The newest labels of the champion, oldest first. */
static size_t take_reference(const struct truth *truth, double *scores, double *predictions,
                             double *labels)
{
    size_t n = 0;
    for (size_t back = 0; back < truth->n && n < MAX_REFERENCE; back++) {
        size_t keep = (size_t)truth->options.keep;
        const struct truth_row *row = &truth->rows[(truth->next + 2 * keep - 1 - back) % keep];
        if (row->variant != VARIANT_CHAMPION || !(row->score >= 0 && row->score <= 1))
            continue;
        scores[n] = (double)row->score;
        predictions[n] = row->predicted;
        labels[n++] = row->positive;
    }
    return n;
}

void truth_learn(struct truth *truth)
{
    uint64_t labels = truth->counts.joined + truth->counts.corrected;
    if (labels < (uint64_t)truth->options.reference ||
        (truth->cbpe && labels < truth->learned_at + truth->learned_at / 10 + 1))
        return;
    double *columns = calloc(3 * MAX_REFERENCE, sizeof *columns);
    struct cbpe *made = NULL;
    if (!columns)
        return;
    struct cbpe_columns reference = {columns, columns + MAX_REFERENCE, columns + 2 * MAX_REFERENCE,
                                     0};
    reference.n =
        take_reference(truth, columns, columns + MAX_REFERENCE, columns + 2 * MAX_REFERENCE);
    struct cbpe_options options = {.chunk_size = reference.n / 10 + 1, .seed = 42};
    for (int i = 0; i < TRUTH_ESTIMATES; i++)
        options.metrics[i] = true;
    truth->learned_at = labels;
    if (reference.n >= (size_t)truth->options.reference &&
        cbpe_fit(&reference, &options, &made, NULL) == STATUS_OK) {
        cbpe_destroy(truth->cbpe);
        truth->cbpe = made;
        truth->n_reference = reference.n;
    }
    free(columns);
}

enum status truth_estimate(const struct truth *truth, const struct truth_side *side,
                           enum cbpe_metric metric, struct truth_estimate *out, struct error *error)
{
    double scores[TRUTH_SAMPLE], predictions[TRUTH_SAMPLE];
    struct cbpe_estimate estimate;
    size_t n = side->seen < TRUTH_SAMPLE ? (size_t)side->seen : TRUTH_SAMPLE;
    *out = (struct truth_estimate){(double)NAN, (double)NAN, (double)NAN};
    if (!truth->cbpe || n == 0)
        return STATUS_OK;
    for (size_t i = 0; i < n; i++) {
        scores[i] = (double)side->scores[i];
        predictions[i] = side->predicted[i];
    }
    struct cbpe_columns columns = {scores, predictions, NULL, n};
    enum status status = cbpe_estimate(truth->cbpe, &columns, 0, n, metric, &estimate, error);
    if (status == STATUS_OK)
        *out = (struct truth_estimate){estimate.estimated, estimate.lower, estimate.upper};
    return status;
}

/* ---- reading ---- */

const struct truth_counts *truth_counts(const struct truth *truth)
{
    return &truth->counts;
}

size_t truth_n_rows(const struct truth *truth)
{
    return truth->n;
}

const struct truth_row *truth_row(const struct truth *truth, size_t place)
{
    size_t keep = (size_t)truth->options.keep;
    return &truth->rows[(truth->next + keep - truth->n + place) % keep];
}

size_t truth_n_periods(const struct truth *truth)
{
    return truth->n_periods;
}

const struct truth_period *truth_period(const struct truth *truth, size_t place)
{
    return &truth->periods[place];
}

size_t truth_n_cohorts(const struct truth *truth)
{
    return truth->n_cohorts;
}

const char *truth_cohort(const struct truth *truth, size_t cohort)
{
    return truth->cohorts[cohort];
}

const struct cbpe *truth_estimator(const struct truth *truth, size_t *n_reference)
{
    *n_reference = truth->cbpe ? truth->n_reference : 0;
    return truth->cbpe;
}

size_t truth_detections(const struct truth *truth, struct truth_detection out[TRUTH_DETECTIONS],
                        uint64_t *n_all, uint64_t *n_labels)
{
    size_t n =
        truth->n_detections < TRUTH_DETECTIONS ? (size_t)truth->n_detections : TRUTH_DETECTIONS;
    for (size_t i = 0; i < n; i++)
        out[i] = truth->detections[(truth->n_detections - n + i) % TRUTH_DETECTIONS];
    *n_all = truth->n_detections;
    *n_labels = truth->n_errors;
    return n;
}

struct classify_row truth_judged(const struct truth_row *row)
{
    return (struct classify_row){.score = (double)row->score,
                                 .amount = row->amount,
                                 .predicted = row->predicted,
                                 .positive = row->positive};
}

struct classify_options truth_classify_options(const struct truth_options *options)
{
    struct classify_options classify = classify_defaults();
    classify.decided = true;
    classify.cost_false_positive = options->cost_false_positive;
    classify.cost_false_negative = options->cost_false_negative;
    return classify;
}
