/* Shares of one window of cells, held against the cells before it. Pure; any thread. */
#include "engine/monitor/quality.h"

#include <math.h>
#include <stdio.h>

#include "engine/stats/deviates.h"
#include "engine/stats/samples.h"

#define SURE         6.0
#define LEAST_SHARE  0.02 /* a share that grew by less is nobody's business */
#define LEAST_MOVED  0.15
#define PAGE_SHARE   0.2
#define OLD_S        120
#define LEAST_EVENTS 30

struct quality_window quality_window(const struct slices_view *view, int cells)
{
    struct quality_window window = {.to = view->n_cells};
    window.from = window.to - cells > 0 ? window.to - cells : 0;
    /* Where little is known half of it is what is usual. */
    if (window.from < window.to / 2 && cells == QUALITY_CELLS)
        window.from = window.to / 2;
    window.base = 0;
    return window;
}

static double ratio(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : (double)NAN;
}

static uint64_t in_window(const struct span_sums *sums, const struct quality_window *window,
                          int counter)
{
    return span_count(sums, counter, window->from, window->to);
}

static uint64_t before(const struct span_sums *sums, const struct quality_window *window,
                       int counter)
{
    return span_usual(sums, counter, window->base, window->from);
}

/* Seconds below which the share `at` of the ages lies. */
static double age_at(const struct span_sums *sums, const struct quality_window *window, double at)
{
    const struct slice_series *ages = slices_find(sums->view, SERIES_AGE, -1);
    uint64_t counts[LOG_BUCKETS], all = 0;
    double seen = 0;
    for (int i = 0; i < LOG_BUCKETS; i++) {
        counts[i] = in_window(sums, window, ages->first + i);
        all += counts[i];
    }
    for (int i = 0; i < LOG_BUCKETS && all > 0; i++) {
        seen += (double)counts[i];
        if (seen >= at * (double)all)
            return exp2(i);
    }
    return (double)NAN;
}

void quality_of_span(const struct span_sums *sums, const struct quality_window *window,
                     struct span_quality *out)
{
    const struct slices_view *view = sums->view;
    int events = slices_find(view, SERIES_EVENTS, -1)->first;
    *out = (struct span_quality){
        .from_us = slices_cell_us(view, window->from),
        .to_us = slices_cell_us(view, window->to),
        .accepted = in_window(sums, window, events + SLICED_ACCEPTED),
        .quarantined = in_window(sums, window, events + SLICED_QUARANTINED),
        .duplicates = in_window(sums, window, events + SLICED_DUPLICATES),
        .errors = in_window(sums, window, events + SLICED_ERRORS),
        .age_p50_s = age_at(sums, window, 0.5),
        .age_p95_s = age_at(sums, window, 0.95),
        .feature_lag_s = view->newest_event_us > 0
                             ? fmax((double)(view->now_us - view->newest_event_us) / 1e6, 0)
                             : (double)NAN,
    };
    out->duplicate_ratio =
        ratio(out->duplicates, out->accepted + out->quarantined + out->duplicates);
    out->state = out->accepted + out->quarantined == 0 ? HEALTH_NODATA
                 : out->age_p95_s > OLD_S              ? HEALTH_TICKET
                                                       : HEALTH_OK;
}

static bool grew(uint64_t bad, uint64_t n, uint64_t bad_base, uint64_t n_base)
{
    if (n < LEAST_EVENTS || n_base < LEAST_EVENTS)
        return false;
    return ratio(bad, n) - ratio(bad_base, n_base) >= LEAST_SHARE &&
           samples_share_z((double)bad, (double)n, (double)bad_base, (double)n_base) >= SURE;
}

static void judge_field(struct field_quality *out, bool missing, bool invalid, bool moved)
{
    double worst = fmax(missing ? out->missing - out->usual_missing : 0,
                        invalid ? out->invalid - out->usual_invalid : 0);
    out->state = out->n == 0                   ? HEALTH_NODATA
                 : worst >= PAGE_SHARE         ? HEALTH_PAGE
                 : missing || invalid || moved ? HEALTH_TICKET
                                               : HEALTH_OK;
    if (missing)
        snprintf(out->why, sizeof out->why, "missing in %.2f %% of the events, usually %.2f %%",
                 100 * out->missing, 100 * out->usual_missing);
    else if (invalid)
        snprintf(out->why, sizeof out->why,
                 "breaks the contract in %.2f %% of the events, usually %.2f %%",
                 100 * out->invalid, 100 * out->usual_invalid);
    else if (moved)
        snprintf(out->why, sizeof out->why, "%.0f %% of the values lie elsewhere than usually",
                 100 * out->distance);
}

void quality_of_field(const struct span_sums *sums, const struct quality_window *window, int field,
                      struct field_quality *out)
{
    const struct slices_view *view = sums->view;
    const struct slice_series *series = slices_find(view, SERIES_FIELD, field);
    const struct slice_series *reasons = slices_find(view, SERIES_REASON, field);
    uint64_t now[FIELD_COUNTERS] = {0}, base[FIELD_COUNTERS] = {0};
    double z = 0;
    *out = (struct field_quality){.field = field, .name = series ? series->name : ""};
    for (int i = 0; series && i < FIELD_COUNTERS; i++) {
        now[i] = in_window(sums, window, series->first + i);
        base[i] = before(sums, window, series->first + i);
        out->n += now[i];
        out->n_usual += base[i];
    }
    for (int i = 0; reasons && i < VIOLATION_CODES; i++)
        out->reasons[i] = in_window(sums, window, reasons->first + i);
    out->missing = ratio(now[FIELD_MISSING], out->n);
    out->invalid = ratio(now[FIELD_INVALID], out->n);
    out->usual_missing = ratio(base[FIELD_MISSING], out->n_usual);
    out->usual_invalid = ratio(base[FIELD_INVALID], out->n_usual);
    out->distance = (double)NAN;
    if (out->n >= LEAST_EVENTS && out->n_usual >= LEAST_EVENTS)
        z = deviates_mix(now + FIELD_BINS, base + FIELD_BINS, FIELD_BIN_COUNT, &out->distance);
    out->distinct = slices_distinct(view, field, window->from, window->to);
    slices_range(view, field, window->from, window->to, &out->low, &out->high);
    judge_field(out, grew(now[FIELD_MISSING], out->n, base[FIELD_MISSING], out->n_usual),
                grew(now[FIELD_INVALID], out->n, base[FIELD_INVALID], out->n_usual),
                out->distance >= LEAST_MOVED && z >= SURE);
}
