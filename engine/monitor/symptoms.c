/* Looks at each series through every window that ends about now, and keeps the one that differs
 * most from the minutes before it. Reads no clock; runs in whichever thread asks. */
#include "engine/monitor/symptoms.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/order.h"

#define LONGEST    150
#define ENDS       SYMPTOM_OVER_CELLS
#define SURE       6.0 /* of z: about one in a thousand million */
#define SLOW_SHARE 0.1
#define TAIL_CELLS 5
#define STILL      0.5 /* of the difference has to be there at the end */

/* Buckets of the series of durations; see slices.h. */
#define ANSWER_SLOW   15 /* 262 ms and more */
#define LATENCY_LEAST 10 /* 8 ms: below that nobody is hurt */
#define COMMIT_LEAST  12 /* 33 ms */
#define OLD           8  /* 128 s */

/* ---- sums ---- */

static bool in_trouble(const struct slices_view *view, int cell, const struct trouble *troubles,
                       int n)
{
    int64_t from_us = view->start_us + cell * SLICE_CELL_US, to_us = from_us + SLICE_CELL_US;
    for (int i = 0; i < n; i++) {
        if (to_us > troubles[i].from_us && from_us < troubles[i].to_us)
            return true;
    }
    return false;
}

bool span_sums_make(const struct slices_view *view, const struct trouble *troubles, int n_troubles,
                    struct span_sums *sums)
{
    size_t width = (size_t)view->n_counters, rows = (size_t)view->n_cells + 1;
    *sums = (struct span_sums){.view = view,
                               .all = calloc(rows * width + 1, sizeof *sums->all),
                               .usual = calloc(rows * width + 1, sizeof *sums->usual)};
    if (!sums->all || !sums->usual) {
        span_sums_free(sums);
        return false;
    }
    for (int cell = 0; cell < view->n_cells; cell++) {
        const uint32_t *row = view->rows + (size_t)cell * width;
        uint32_t *all = sums->all + (size_t)cell * width;
        uint32_t *usual = sums->usual + (size_t)cell * width;
        bool counts = !in_trouble(view, cell, troubles, n_troubles);
        for (size_t i = 0; i < width; i++) {
            all[width + i] = all[i] + row[i];
            usual[width + i] = usual[i] + (counts ? row[i] : 0);
        }
    }
    return true;
}

void span_sums_free(struct span_sums *sums)
{
    free(sums->all);
    free(sums->usual);
    sums->all = sums->usual = NULL;
}

static uint64_t difference(const struct span_sums *sums, const uint32_t *rows, int c, int from,
                           int to)
{
    size_t width = (size_t)sums->view->n_counters;
    return (uint32_t)(rows[(size_t)to * width + (size_t)c] -
                      rows[(size_t)from * width + (size_t)c]);
}

uint64_t span_count(const struct span_sums *sums, int c, int from, int to)
{
    return difference(sums, sums->all, c, from, to);
}

uint64_t span_usual(const struct span_sums *sums, int c, int from, int to)
{
    return difference(sums, sums->usual, c, from, to);
}

int baseline_from(int from)
{
    int first = from - BASELINE_CELLS;
    return first > STARTING_CELLS ? first : STARTING_CELLS;
}

/* ---- mathematics ---- */

double share_z(uint64_t bad_now, uint64_t n_now, uint64_t bad_base, uint64_t n_base)
{
    if (n_now == 0 || n_base == 0)
        return 0;
    double now = (double)bad_now / (double)n_now, base = (double)bad_base / (double)n_base;
    double pooled = (double)(bad_now + bad_base) / (double)(n_now + n_base);
    double variance = pooled * (1 - pooled) * (1 / (double)n_now + 1 / (double)n_base);
    return variance > 0 ? (now - base) / sqrt(variance) : 0;
}

static double likelihood_part(double observed, double expected)
{
    return observed > 0 ? observed * log(observed / expected) : 0;
}

double mix_z(const uint64_t *now, const uint64_t *base, int n, double *distance)
{
    uint64_t n_now = 0, n_base = 0;
    double g = 0, apart = 0;
    int used = 0;
    *distance = 0;
    for (int i = 0; i < n; i++) {
        n_now += now[i];
        n_base += base[i];
    }
    if (n_now == 0 || n_base == 0)
        return 0;
    double all = (double)(n_now + n_base);
    for (int i = 0; i < n; i++) {
        double both = (double)(now[i] + base[i]);
        used += both > 0;
        g += likelihood_part((double)now[i], both * (double)n_now / all) +
             likelihood_part((double)base[i], both * (double)n_base / all);
        apart += fabs((double)now[i] / (double)n_now - (double)base[i] / (double)n_base);
    }
    *distance = apart / 2;
    if (used < 2)
        return 0;
    double freedom = used - 1, part = 2 / (9 * freedom);
    return (cbrt(2 * g / freedom) - (1 - part)) / sqrt(part);
}

double count_z(double count, double expected)
{
    return 2 * (sqrt(count + 0.375) - sqrt(expected + 0.375));
}

/* ---- one window ---- */

struct window {
    const struct span_sums *sums;
    const struct slice_series *series;
    int base, from, to;
    int usual_to; /* usual are the cells [base, usual_to) */
};

struct finding {
    double z, strength, base, now;
    uint64_t n_base, n_now;
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

/* A share that has grown by at least `least`. */
static bool judge_share(uint64_t bad_now, uint64_t n_now, uint64_t bad_base, uint64_t n_base,
                        double least, struct finding *finding)
{
    *finding = (struct finding){.z = share_z(bad_now, n_now, bad_base, n_base),
                                .base = share(bad_base, n_base),
                                .now = share(bad_now, n_now),
                                .n_base = n_base,
                                .n_now = n_now};
    double more = finding->now - finding->base;
    finding->strength = clamp(0.4 + more / (5 * least) * 0.6);
    return more >= least && finding->z >= SURE;
}

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

static bool judge_slow(const struct window *w, int least_bucket, struct finding *finding)
{
    uint64_t now[LOG_BUCKETS], base[LOG_BUCKETS];
    counts_of(w, 0, LOG_BUCKETS, now, base);
    uint64_t n_base = total(base, LOG_BUCKETS), n_now = total(now, LOG_BUCKETS);
    if (n_now < 20 || n_base < 40)
        return false;
    int slow = bucket_at(base, LOG_BUCKETS, 0.99) + 2;
    slow = slow > least_bucket ? slow : least_bucket;
    if (slow >= LOG_BUCKETS)
        return false;
    return judge_share(total(now + slow, LOG_BUCKETS - slow), n_now,
                       total(base + slow, LOG_BUCKETS - slow), n_base, SLOW_SHARE, finding);
}

static bool judge_latency(const struct window *w, struct finding *finding)
{
    return judge_slow(w, LATENCY_LEAST, finding);
}

/* Callers over HTTP may come only now and then: what they should get needs no comparison. */
static bool judge_answer(const struct window *w, struct finding *finding)
{
    uint64_t now[LOG_BUCKETS], base[LOG_BUCKETS];
    counts_of(w, 0, LOG_BUCKETS, now, base);
    uint64_t n_base = total(base, LOG_BUCKETS), n_now = total(now, LOG_BUCKETS);
    uint64_t slow_now = total(now + ANSWER_SLOW, LOG_BUCKETS - ANSWER_SLOW);
    uint64_t slow_base = total(base + ANSWER_SLOW, LOG_BUCKETS - ANSWER_SLOW);
    *finding = (struct finding){.z = sqrt((double)slow_now) * 4,
                                .base = share(slow_base, n_base),
                                .now = share(slow_now, n_now),
                                .n_base = n_base,
                                .n_now = n_now};
    finding->strength = clamp(0.4 + finding->now);
    return slow_now >= 4 && finding->now - finding->base >= 0.15;
}

static double mean_bucket(const uint64_t *counts, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += (double)counts[i] * i;
    return sum / (double)total(counts, n);
}

static bool judge_commit(const struct window *w, struct finding *finding)
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
    return after - before >= 2.5 && after >= COMMIT_LEAST;
}

static bool judge_record(const struct window *w, struct finding *finding)
{
    uint64_t now[2], base[2];
    counts_of(w, 0, 2, now, base);
    *finding = (struct finding){.z = 10 * sqrt((double)now[1]),
                                .strength = 1,
                                .base = share(base[1], total(base, 2)),
                                .now = share(now[1], total(now, 2)),
                                .n_base = total(base, 2),
                                .n_now = total(now, 2)};
    return now[1] >= 2 && finding->now - finding->base >= 0.2;
}

static bool judge_errors(const struct window *w, struct finding *finding)
{
    uint64_t now[SLICED_KINDS], base[SLICED_KINDS];
    counts_of(w, 0, SLICED_KINDS, now, base);
    return judge_share(now[SLICED_ERRORS], total(now, SLICED_KINDS), base[SLICED_ERRORS],
                       total(base, SLICED_KINDS), 0.02, finding) &&
           now[SLICED_ERRORS] >= 5;
}

static bool judge_missing(const struct window *w, struct finding *finding)
{
    uint64_t now[FIELD_COUNTERS], base[FIELD_COUNTERS];
    counts_of(w, 0, FIELD_COUNTERS, now, base);
    return judge_share(now[FIELD_MISSING], total(now, FIELD_COUNTERS), base[FIELD_MISSING],
                       total(base, FIELD_COUNTERS), 0.02, finding) &&
           now[FIELD_MISSING] >= 5;
}

static bool judge_invalid(const struct window *w, struct finding *finding)
{
    uint64_t now[FIELD_COUNTERS], base[FIELD_COUNTERS];
    counts_of(w, 0, FIELD_COUNTERS, now, base);
    return judge_share(now[FIELD_INVALID], total(now, FIELD_COUNTERS), base[FIELD_INVALID],
                       total(base, FIELD_COUNTERS), 0.02, finding) &&
           now[FIELD_INVALID] >= 5;
}

static bool judge_mix(const struct window *w, int first, int n, double least,
                      struct finding *finding)
{
    uint64_t now[FIELD_COUNTERS], base[FIELD_COUNTERS];
    double distance;
    counts_of(w, first, n, now, base);
    *finding = (struct finding){
        .z = mix_z(now, base, n, &distance), .n_base = total(base, n), .n_now = total(now, n)};
    finding->now = distance;
    finding->strength = clamp(0.4 + distance / (5 * least) * 0.6);
    return finding->n_now >= 50 && finding->n_base >= 100 && distance >= least &&
           finding->z >= SURE;
}

static bool judge_values(const struct window *w, struct finding *finding)
{
    return judge_mix(w, FIELD_BINS, FIELD_BIN_COUNT, 0.1, finding);
}

static bool judge_decision(const struct window *w, struct finding *finding)
{
    return judge_mix(w, 0, DECISION_COUNT, 0.04, finding);
}

static bool judge_score(const struct window *w, struct finding *finding)
{
    return judge_mix(w, 0, SCORE_BINS, 0.08, finding);
}

static bool judge_age(const struct window *w, struct finding *finding)
{
    uint64_t now[LOG_BUCKETS], base[LOG_BUCKETS];
    counts_of(w, 0, LOG_BUCKETS, now, base);
    return judge_share(total(now + OLD, LOG_BUCKETS - OLD), total(now, LOG_BUCKETS),
                       total(base + OLD, LOG_BUCKETS - OLD), total(base, LOG_BUCKETS), 0.04,
                       finding);
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
static bool judge_volume(const struct window *w, struct finding *finding)
{
    uint64_t now[2], base[2];
    counts_of(w, 0, 2, now, base);
    int cells = w->to - w->from;
    double count = (double)total(now, 2), usual = usual_cell(w, 2), seconds = SLICE_CELL_US / 1e6;
    double expected = usual * cells, ratio = expected > 0 ? count / expected : 1;
    *finding = (struct finding){.z = fabs(count_z(count, expected)),
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
    struct window scores = {w->sums, score, w->base, w->from, w->to, w->usual_to};
    uint64_t now[SCORE_BINS], base[SCORE_BINS];
    double sum = 0;
    counts_of(&scores, 0, SCORE_BINS, now, base);
    for (int i = 0; i < SCORE_BINS; i++)
        sum += ((double)i + 0.5) / SCORE_BINS * (double)(now[i] + base[i]);
    uint64_t n = total(now, SCORE_BINS) + total(base, SCORE_BINS);
    return n > 0 ? sum / (double)n : NAN;
}

static bool judge_labels(const struct window *w, struct finding *finding)
{
    uint64_t now[2], base[2];
    counts_of(w, 0, 2, now, base);
    uint64_t n_now = total(now, 2), n_base = total(base, 2);
    if (n_now >= 10 && n_base >= 30)
        return judge_share(now[1], n_now, base[1], n_base, 0.06, finding);
    double expected = expected_positives(w);
    *finding = (struct finding){.base = expected,
                                .now = share(now[1], n_now),
                                .n_now = n_now,
                                .z = sqrt((double)n_now) * 3,
                                .strength = 0.8};
    return n_now >= 15 && !isnan(expected) && finding->now > 3 * expected + 0.15;
}

/* ---- all of them ---- */

typedef bool window_judge(const struct window *window, struct finding *finding);

static const struct {
    enum series_kind series;
    window_judge *judge;
} kinds[SYMPTOM_KINDS] = {
    [SYMPTOM_COMMIT] = {SERIES_COMMIT, judge_commit},
    [SYMPTOM_RECORD] = {SERIES_RECORD, judge_record},
    [SYMPTOM_ANSWER] = {SERIES_ANSWER, judge_answer},
    [SYMPTOM_LATENCY] = {SERIES_LATENCY, judge_latency},
    [SYMPTOM_ERRORS] = {SERIES_EVENTS, judge_errors},
    [SYMPTOM_MISSING] = {SERIES_FIELD, judge_missing},
    [SYMPTOM_INVALID] = {SERIES_FIELD, judge_invalid},
    [SYMPTOM_VALUES] = {SERIES_FIELD, judge_values},
    [SYMPTOM_AGE] = {SERIES_AGE, judge_age},
    [SYMPTOM_VOLUME] = {SERIES_EVENTS, judge_volume},
    [SYMPTOM_LABELS] = {SERIES_LABELS, judge_labels},
    [SYMPTOM_DECISION] = {SERIES_DECISION, judge_decision},
    [SYMPTOM_SCORE] = {SERIES_SCORE, judge_score},
};

/* Whether the end of the window still shows what the whole of it shows: trouble that is over makes
 * no window of trouble and the time since. */
static bool lasts_to_the_end(const struct window *window, window_judge *judge,
                             const struct finding *whole)
{
    struct window tail = *window;
    struct finding finding = {.now = (double)NAN}; /* stays: too few to tell */
    if (window->to - window->from <= TAIL_CELLS)
        return true;
    tail.from = window->to - TAIL_CELLS;
    /* What is usual is what was before the whole window. */
    tail.usual_to = window->from;
    (void)judge(&tail, &finding);
    return isnan(finding.now) ||
           fabs(finding.now - whole->base) >= STILL * fabs(whole->now - whole->base);
}

static bool find_window(const struct span_sums *sums, const struct slice_series *series,
                        window_judge *judge, struct symptom *best)
{
    double most = 0;
    int last = sums->view->n_cells - 1; /* the current cell is not over */
    for (int to = last; to > last - ENDS && to > 0; to--) {
        for (int cells = SYMPTOM_LEAST; cells <= LONGEST; cells++) {
            int from = to - cells, base = baseline_from(from);
            struct window window = {sums, series, base, from, to, from};
            struct finding finding;
            if (from - base < BASELINE_LEAST)
                break;
            if (!judge(&window, &finding) || finding.z <= most ||
                !lasts_to_the_end(&window, judge, &finding))
                continue;
            most = finding.z;
            *best = (struct symptom){.series = series,
                                     .from = from,
                                     .to = to,
                                     .strength = finding.strength,
                                     .base = finding.base,
                                     .now = finding.now,
                                     .n_base = finding.n_base,
                                     .n_now = finding.n_now};
        }
    }
    return most > 0;
}

static int stronger_first(const void *a, const void *b)
{
    const struct symptom *x = a, *y = b;
    return (x->strength < y->strength) - (x->strength > y->strength);
}

bool symptoms_find(const struct span_sums *sums, struct symptom found[MAX_SYMPTOMS], int *n)
{
    *n = 0;
    if (sums->view->n_cells < STARTING_CELLS + BASELINE_LEAST + SYMPTOM_LEAST + 1)
        return false;
    for (int i = 0; i < sums->view->n_series; i++) {
        for (int kind = 0; kind < SYMPTOM_KINDS && *n < MAX_SYMPTOMS; kind++) {
            const struct slice_series *series = &sums->view->series[i];
            if (kinds[kind].series == series->kind &&
                find_window(sums, series, kinds[kind].judge, &found[*n]))
                found[(*n)++].kind = (enum symptom_kind)kind;
        }
    }
    qsort(found, (size_t)*n, sizeof *found, stronger_first);
    return true;
}
