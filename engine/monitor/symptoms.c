/* Looks at each series through every window that ends about now, and keeps the one that differs
 * most from the minutes before it, as far as it lasted. Reads no clock; runs in whichever thread
 * asks. */
#include "engine/monitor/symptoms.h"

#include <math.h>
#include <stdlib.h>

#include "engine/monitor/symptoms_priv.h"

#define LONGEST         150
#define ENDS            SYMPTOM_OVER_CELLS
#define TAIL_CELLS      5
#define STILL           0.5 /* of the difference has to be there at the end */
#define RECOVERED_LEAST 2   /* cells: one may be as before by chance */

/* Without events nothing is known, but for how many there are: that is none. */
static bool tells(enum symptom_kind kind, const struct finding *finding)
{
    return !isnan(finding->now) && (finding->n_now > 0 || kind == SYMPTOM_VOLUME);
}

/* Whether the cells [from, window->to) still show what the whole of the window showed. */
static bool still_shows(enum symptom_kind kind, const struct window *window, int from,
                        const struct finding *whole)
{
    struct window tail = *window;
    struct finding finding = {.now = (double)NAN}; /* stays: too few to tell */
    tail.from = from;
    (void)symptom_judge(kind, &tail, &finding);
    return !tells(kind, &finding) ||
           fabs(finding.now - whole->base) >= STILL * fabs(whole->now - whole->base);
}

/* Trouble that is over makes no window of trouble and the time since. */
static bool lasts_to_the_end(enum symptom_kind kind, const struct window *window,
                             const struct finding *whole)
{
    return window->to - window->from <= TAIL_CELLS ||
           still_shows(kind, window, window->to - TAIL_CELLS, whole);
}

static void keep(const struct window *window, const struct finding *finding, struct symptom *best)
{
    *best = (struct symptom){.kind = best->kind,
                             .series = window->series,
                             .from = window->from,
                             .to = window->to,
                             .since_change = window->since_change,
                             .strength = finding->strength,
                             .base = finding->base,
                             .now = finding->now,
                             .n_base = finding->n_base,
                             .n_now = finding->n_now};
}

/* A window that ends late is made of trouble and of the time since. Trouble ended where the window
 * that begins with it is the most unlikely, if what came afterwards is nearer to the usual than to
 * the trouble: one of two that is the likelier. */
static void find_recovery(const struct span_sums *sums, struct symptom *best)
{
    struct window window = {.sums = sums,
                            .series = best->series,
                            .base = span_baseline_from(best->from),
                            .from = best->from,
                            .usual_to = best->from,
                            .since_change = best->since_change};
    struct symptom peak = *best;
    struct finding finding, at_peak = {0};
    int last = sums->view->n_cells - 1;
    for (int to = best->from + SYMPTOM_LEAST; to <= last; to++) {
        window.to = to;
        if (!symptom_judge(best->kind, &window, &finding) || finding.z <= at_peak.z)
            continue;
        at_peak = finding;
        keep(&window, &finding, &peak);
    }
    window.to = last;
    if (at_peak.z > 0 && last - peak.to >= RECOVERED_LEAST &&
        !still_shows(best->kind, &window, peak.to, &at_peak)) {
        *best = peak;
        best->recovered = true;
    }
}

/* What was changed is decided by in its own cell or in the next. */
static bool is_since_change(const int *changed, int n_changed, int from)
{
    for (int i = 0; i < n_changed; i++) {
        if (from == changed[i] || from == changed[i] + 1)
            return true;
    }
    return false;
}

static bool find_window(const struct span_sums *sums, const struct slice_series *series,
                        const int *changed, int n_changed, enum symptom_kind kind,
                        struct symptom *best)
{
    double most = 0;
    int last = sums->view->n_cells - 1; /* the current cell is not over */
    best->kind = kind;
    for (int to = last; to > last - ENDS && to > 0; to--) {
        for (int cells = SYMPTOM_LEAST; cells <= LONGEST; cells++) {
            int from = to - cells, base = span_baseline_from(from);
            struct window window = {
                sums, series, base, from, to, from, is_since_change(changed, n_changed, from)};
            struct finding finding;
            if (from - base < BASELINE_LEAST)
                break;
            if (!symptom_judge(kind, &window, &finding) || finding.z <= most ||
                !lasts_to_the_end(kind, &window, &finding))
                continue;
            most = finding.z;
            keep(&window, &finding, best);
        }
    }
    if (most > 0)
        find_recovery(sums, best);
    return most > 0 && last - best->to <= SYMPTOM_OVER_CELLS;
}

bool symptom_goes_on(const struct span_sums *sums, const struct symptom *symptom, int from)
{
    int last = sums->view->n_cells - 1, tail = last - TAIL_CELLS;
    struct span_sums trouble = *sums;
    struct window window = {.sums = &trouble,
                            .series = symptom->series,
                            .base = from,
                            .from = tail,
                            .to = last,
                            .usual_to = tail};
    struct finding finding = {.now = (double)NAN};
    trouble.usual = trouble.all;
    if (tail <= from)
        return true; /* it has just begun */
    symptom_hold(symptom, &window, &finding);
    return !tells(symptom->kind, &finding) ||
           fabs(finding.now - finding.base) < STILL * fabs(symptom->now - symptom->base);
}

static int stronger_first(const void *a, const void *b)
{
    const struct symptom *x = a, *y = b;
    return (x->strength < y->strength) - (x->strength > y->strength);
}

/* Of cohorts there are as many as words: the one that stands out most is kept, and none takes the
 * place of what is wrong at large. */
static void add(struct symptom found[MAX_SYMPTOMS], int *n, const struct symptom *seen)
{
    int i = 0;
    while (i < *n && !(seen->kind == SYMPTOM_COHORT && found[i].kind == SYMPTOM_COHORT))
        i++;
    if (i == *n && *n < MAX_SYMPTOMS)
        found[(*n)++] = *seen;
    else if (i < *n && seen->strength > found[i].strength)
        found[i] = *seen;
}

bool symptoms_find(const struct span_sums *sums, const int *changed, int n_changed,
                   struct symptom found[MAX_SYMPTOMS], int *n)
{
    *n = 0;
    if (sums->view->n_cells < STARTING_CELLS + BASELINE_LEAST + SYMPTOM_LEAST + 1)
        return false;
    for (int i = 0; i < sums->view->n_series; i++) {
        const struct slice_series *series = &sums->view->series[i];
        for (int kind = 0; kind < SYMPTOM_KINDS; kind++) {
            struct symptom seen;
            if (symptom_series((enum symptom_kind)kind) == series->kind &&
                find_window(sums, series, changed, n_changed, (enum symptom_kind)kind, &seen))
                add(found, n, &seen);
        }
    }
    qsort(found, (size_t)*n, sizeof *found, stronger_first);
    return true;
}
