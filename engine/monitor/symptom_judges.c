/* One window of a series held against what is usual: most kinds are a share that grew or a mix that
 * shifted, told apart by a table; the rest have a rule of their own. Pure. */
#include <math.h>
#include <stdlib.h>

#include "engine/base/order.h"
#include "engine/monitor/symptoms_priv.h"
#include "engine/stats/deviates.h"

/* Of z. One window exceeds 6 by chance about once in a thousand million times, and 4 three times in
 * a hundred thousand. But a change is looked at through every window that begins with it, some 300
 * that share most of their cells, for decisions and for scores. In simulated traffic that nothing
 * moved that found something after about one change in a thousand: 4 of 10,000 at 1 event a second,
 * 13 at 10, 3 at 30, where LEAST_OF_CHANGE keeps most away. Of several changes each has its own. */
#define SURE            6.0
#define SURE_OF_CHANGE  4.0
#define LEAST_OF_CHANGE 0.5 /* of the distance that is enough elsewhere */

/* Buckets of the series of durations; see slices.h. */
#define ANSWER_SLOW   15 /* 262 ms and more */
#define LATENCY_LEAST 10 /* 8 ms: below that nobody is hurt */
#define COMMIT_LEAST  12 /* 33 ms */
#define OLD           8  /* 128 s */

/* What is looked at in a series: `n` counters from `first` on, of `of`. */
struct judged {
    enum series_kind series;
    bool (*judge)(const struct judged *judged, const struct window *window,
                  struct finding *finding);
    int first, n, of;
    double least; /* difference of shares, or distance of mixes */
    uint64_t least_bad;
    bool decided; /* what is changed here moves it */
};

static void counts_of(const struct window *w, int first, int n, uint64_t *now, uint64_t *base)
{
    for (int i = 0; i < n; i++) {
        now[i] = span_count(w->sums, w->series->first + first + i, w->from, w->to);
        base[i] = span_usual(w->sums, w->series->first + first + i, w->base, w->usual_to);
    }
}

static uint64_t total(const uint64_t *counts, int n)
{
    uint64_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += counts[i];
    return sum;
}

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

static double clamp(double value)
{
    return fmin(fmax(value, 0), 1);
}

/* Of two rows of `of` counters, the share that lies in `n` of them from `first` on. */
static struct finding shares_of(const uint64_t *now, const uint64_t *base, int first, int n, int of)
{
    uint64_t n_now = total(now, of), n_base = total(base, of);
    uint64_t bad_now = total(now + first, n), bad_base = total(base + first, n);
    return (struct finding){.z = deviates_share(bad_now, n_now, bad_base, n_base),
                            .base = share(bad_base, n_base),
                            .now = share(bad_now, n_now),
                            .n_base = n_base,
                            .n_now = n_now};
}

/* A share that has grown by at least `least`. */
static bool has_grown(struct finding *finding, double least)
{
    double more = finding->now - finding->base;
    finding->strength = clamp(0.4 + more / (5 * least) * 0.6);
    return more >= least && finding->z >= SURE;
}

static bool judge_share(const struct judged *judged, const struct window *w,
                        struct finding *finding)
{
    uint64_t now[FIELD_COUNTERS], base[FIELD_COUNTERS];
    counts_of(w, 0, judged->of, now, base);
    *finding = shares_of(now, base, judged->first, judged->n, judged->of);
    return has_grown(finding, judged->least) &&
           total(now + judged->first, judged->n) >= judged->least_bad;
}

static bool judge_mix(const struct judged *judged, const struct window *w, struct finding *finding)
{
    uint64_t now[FIELD_COUNTERS], base[FIELD_COUNTERS];
    double distance;
    counts_of(w, judged->first, judged->n, now, base);
    *finding = (struct finding){.z = deviates_mix(now, base, judged->n, &distance),
                                .n_base = total(base, judged->n),
                                .n_now = total(now, judged->n)};
    finding->now = distance;
    finding->strength = clamp(0.4 + distance / (5 * judged->least) * 0.6);
    bool expected = judged->decided && w->since_change;
    double sure = expected ? SURE_OF_CHANGE : SURE;
    double least = judged->least * (expected ? LEAST_OF_CHANGE : 1);
    return finding->n_now >= 50 && finding->n_base >= 100 && distance >= least &&
           finding->z >= sure;
}

/* ---- durations ---- */

/* Which bucket the share `at` of the counts lies below. */
static int bucket_at(const uint64_t *counts, int n, double at)
{
    double wanted = at * (double)total(counts, n), seen = 0;
    for (int i = 0; i < n; i++) {
        seen += (double)counts[i];
        if (seen >= wanted && seen > 0)
            return i;
    }
    return n - 1;
}

/* Slow is what lies two buckets above 99 % of the usual ones, and not below `first`. */
static bool judge_slow(const struct judged *judged, const struct window *w, struct finding *finding)
{
    uint64_t now[LOG_BUCKETS], base[LOG_BUCKETS];
    counts_of(w, 0, LOG_BUCKETS, now, base);
    if (total(now, LOG_BUCKETS) < 20 || total(base, LOG_BUCKETS) < 40)
        return false;
    int slow = bucket_at(base, LOG_BUCKETS, 0.99) + 2;
    slow = slow > judged->first ? slow : judged->first;
    if (slow >= LOG_BUCKETS)
        return false;
    *finding = shares_of(now, base, slow, LOG_BUCKETS - slow, LOG_BUCKETS);
    return has_grown(finding, judged->least);
}

/* Callers over HTTP may come only now and then: what they should get needs no comparison. */
static bool judge_answer(const struct judged *judged, const struct window *w,
                         struct finding *finding)
{
    uint64_t now[LOG_BUCKETS], base[LOG_BUCKETS];
    counts_of(w, 0, LOG_BUCKETS, now, base);
    uint64_t slow = total(now + judged->first, judged->n);
    *finding = shares_of(now, base, judged->first, judged->n, LOG_BUCKETS);
    finding->z = sqrt((double)slow) * 4;
    finding->strength = clamp(0.4 + finding->now);
    return slow >= judged->least_bad && finding->now - finding->base >= judged->least;
}

static double mean_bucket(const uint64_t *counts, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += (double)counts[i] * i;
    return sum / (double)total(counts, n);
}

static bool judge_commit(const struct judged *judged, const struct window *w,
                         struct finding *finding)
{
    uint64_t now[LOG_BUCKETS], base[LOG_BUCKETS];
    counts_of(w, 0, LOG_BUCKETS, now, base);
    uint64_t n_base = total(base, LOG_BUCKETS), n_now = total(now, LOG_BUCKETS);
    if (n_now < 3 || n_base < 5)
        return false;
    double before = mean_bucket(base, LOG_BUCKETS), after = mean_bucket(now, LOG_BUCKETS);
    *finding = (struct finding){.z = (after - before) * sqrt((double)n_now),
                                .base = 16 * exp2(before),
                                .now = 16 * exp2(after),
                                .n_base = n_base,
                                .n_now = n_now};
    finding->strength = clamp((after - before) / 5);
    return after - before >= judged->least && after >= judged->first;
}

/* ---- the rest ---- */

static bool judge_record(const struct judged *judged, const struct window *w,
                         struct finding *finding)
{
    uint64_t now[2], base[2];
    counts_of(w, 0, 2, now, base);
    *finding = shares_of(now, base, RECORD_BAD, 1, 2);
    finding->z = 10 * sqrt((double)now[RECORD_BAD]);
    finding->strength = 1;
    return now[RECORD_BAD] >= judged->least_bad && finding->now - finding->base >= judged->least;
}

/* The median cell before: a burst some minutes ago does not make it usual. */
static double usual_cell(const struct window *w, int n)
{
    uint64_t cells[BASELINE_CELLS];
    int used = 0;
    for (int cell = w->base; cell < w->usual_to && used < BASELINE_CELLS; cell++) {
        uint64_t now = 0;
        for (int i = 0; i < n; i++)
            now += span_count(w->sums, w->series->first + i, cell, cell + 1);
        cells[used++] = now;
    }
    qsort(cells, (size_t)used, sizeof *cells, order_uint64);
    return used > 0 ? (double)cells[used / 2] : 0;
}

/* A queue that was held up and comes all at once is as much as in the usual time: a rise has to be
 * there in every cell. */
static bool judge_volume(const struct judged *judged, const struct window *w,
                         struct finding *finding)
{
    uint64_t now[2], base[2];
    (void)judged;
    counts_of(w, 0, 2, now, base);
    int cells = w->to - w->from;
    double count = (double)total(now, 2), usual = usual_cell(w, 2), seconds = SLICE_CELL_US / 1e6;
    double expected = usual * cells, ratio = expected > 0 ? count / expected : 1;
    *finding = (struct finding){.z = fabs(deviates_count(count, expected)),
                                .base = usual / seconds,
                                .now = count / cells / seconds,
                                .n_base = total(base, 2),
                                .n_now = total(now, 2)};
    finding->strength = clamp(0.3 + 0.35 * fabs(log2(fmax(ratio, 1.0 / 16))));
    return usual >= 5 && finding->z >= 8 && (ratio >= 2 || ratio <= 0.4);
}

/* Without labels before, the mean score says what share of positives was to be expected. */
static double expected_positives(const struct window *w)
{
    const struct slice_series *score = slices_find(w->sums->view, SERIES_SCORE, -1);
    struct window scores = *w;
    scores.series = score;
    uint64_t now[SCORE_BINS], base[SCORE_BINS];
    double sum = 0;
    counts_of(&scores, 0, SCORE_BINS, now, base);
    for (int i = 0; i < SCORE_BINS; i++)
        sum += ((double)i + 0.5) / SCORE_BINS * (double)(now[i] + base[i]);
    uint64_t n = total(now, SCORE_BINS) + total(base, SCORE_BINS);
    return n > 0 ? sum / (double)n : NAN;
}

static bool judge_labels(const struct judged *judged, const struct window *w,
                         struct finding *finding)
{
    uint64_t now[2], base[2];
    counts_of(w, 0, 2, now, base);
    *finding = shares_of(now, base, 1, 1, 2);
    if (finding->n_now >= 10 && finding->n_base >= 30)
        return has_grown(finding, judged->least);
    double expected = expected_positives(w);
    finding->base = expected;
    finding->n_base = 0;
    finding->z = sqrt((double)finding->n_now) * 3;
    finding->strength = 0.8;
    return finding->n_now >= 15 && !isnan(expected) && finding->now > 3 * expected + 0.15;
}

/* ---- all of them ---- */

static const struct judged kinds[SYMPTOM_KINDS] = {
    [SYMPTOM_COMMIT] = {SERIES_COMMIT, judge_commit, COMMIT_LEAST, 0, LOG_BUCKETS, 2.5, 0},
    [SYMPTOM_RECORD] = {SERIES_RECORD, judge_record, RECORD_BAD, 1, 2, 0.2, 2},
    [SYMPTOM_ANSWER] = {SERIES_ANSWER, judge_answer, ANSWER_SLOW, LOG_BUCKETS - ANSWER_SLOW,
                        LOG_BUCKETS, 0.15, 4},
    [SYMPTOM_LATENCY] = {SERIES_LATENCY, judge_slow, LATENCY_LEAST, 0, LOG_BUCKETS, 0.1, 0},
    [SYMPTOM_ERRORS] = {SERIES_EVENTS, judge_share, SLICED_ERRORS, 1, SLICED_KINDS, 0.02, 5},
    [SYMPTOM_MISSING] = {SERIES_FIELD, judge_share, FIELD_MISSING, 1, FIELD_COUNTERS, 0.02, 5},
    [SYMPTOM_INVALID] = {SERIES_FIELD, judge_share, FIELD_INVALID, 1, FIELD_COUNTERS, 0.02, 5},
    [SYMPTOM_VALUES] = {SERIES_FIELD, judge_mix, FIELD_BINS, FIELD_BIN_COUNT, FIELD_COUNTERS, 0.1,
                        0},
    [SYMPTOM_REFUSED] = {SERIES_EVENTS, judge_share, SLICED_QUARANTINED, 1, 2, 0.02, 5},
    [SYMPTOM_COHORT] = {SERIES_SLICE, judge_share, SLICE_QUARANTINED, 1, SLICE_QUARANTINED + 1, 0.2,
                        5},
    [SYMPTOM_AGE] = {SERIES_AGE, judge_share, OLD, LOG_BUCKETS - OLD, LOG_BUCKETS, 0.04, 0},
    [SYMPTOM_VOLUME] = {SERIES_EVENTS, judge_volume, 0, 2, SLICED_KINDS, 0, 0},
    [SYMPTOM_LABELS] = {SERIES_LABELS, judge_labels, 1, 1, 2, 0.06, 0},
    [SYMPTOM_DECISION] = {SERIES_DECISION, judge_mix, 0, DECISION_COUNT, DECISION_COUNT, 0.04, 0,
                          true},
    [SYMPTOM_SCORE] = {SERIES_SCORE, judge_mix, 0, SCORE_BINS, SCORE_BINS, 0.08, 0, true},
};

enum series_kind symptom_series(enum symptom_kind kind)
{
    return kinds[kind].series;
}

bool symptom_judge(enum symptom_kind kind, const struct window *window, struct finding *finding)
{
    return kinds[kind].judge(&kinds[kind], window, finding);
}

/* Where most of the slow ones lay: against trouble itself, two buckets above its 99 % is nothing.
 */
static void hold_slow(const struct symptom *symptom, const struct window *w,
                      struct finding *finding)
{
    uint64_t now[LOG_BUCKETS], base[LOG_BUCKETS];
    counts_of(w, 0, LOG_BUCKETS, now, base);
    if (total(now, LOG_BUCKETS) == 0)
        return;
    int slow = bucket_at(base, LOG_BUCKETS, 1 - 0.9 * symptom->now);
    *finding = shares_of(now, base, slow, LOG_BUCKETS - slow, LOG_BUCKETS);
}

void symptom_hold(const struct symptom *symptom, const struct window *window,
                  struct finding *finding)
{
    if (symptom->kind == SYMPTOM_LATENCY)
        hold_slow(symptom, window, finding);
    else
        (void)symptom_judge(symptom->kind, window, finding);
}
