/* Each point is judged over the objective's window that ends with it: what is counted in the window
 * before the first point, plus what came with each point, less what left at the far end. So three
 * reads of the history make a line, however long the window. The window is rounded up to whole
 * steps. Runs in whichever thread asks. */
#include "engine/monitor/budget.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/history/range.h"

#define LEAST_STEP_S INT64_C(60) /* budgets move by minutes */

/* What an objective judged in one point of time. */
struct judged {
    double n, bad;
    bool covered; /* the service was counting */
};

/* ---- counts ---- */

static struct judged count_latency(const struct slo *slo, const struct sums *sums)
{
    double n = (double)sums_measured(sums), good = sums_below(sums, slo->limit_us);
    return isfinite(good) ? (struct judged){.n = n, .bad = n * (1 - good)}
                          : (struct judged){.n = 0};
}

static struct judged count_verdicts(const struct sums *sums, enum scalar good)
{
    double steady = (double)sums->cell.scalars[good], bad = (double)sums->cell.scalars[good + 1];
    return (struct judged){.n = steady + bad, .bad = bad};
}

static struct judged count_callers(const struct sums *sums)
{
    const uint64_t *scalars = sums->cell.scalars;
    double errors = (double)scalars[SCALAR_ERRORS];
    return (struct judged){.n = (double)(scalars[SCALAR_ACCEPTED] + scalars[SCALAR_QUARANTINED] +
                                         scalars[SCALAR_DUPLICATES]) +
                                errors,
                           .bad = errors};
}

static struct judged count_custom(const struct slo *slo, const struct sums *sums)
{
    const uint64_t *scalars = sums->cell.scalars;
    return (struct judged){.n = (double)scalars[SCALAR_CUSTOM_COUNTED + slo->custom],
                           .bad = (double)scalars[SCALAR_CUSTOM_BAD + slo->custom]};
}

static struct judged count_objective(const struct slo *slo, const struct sums *sums)
{
    switch (slo->indicator) {
    case SLO_LATENCY:
        return count_latency(slo, sums);
    case SLO_AVAILABILITY:
        return count_callers(sums);
    case SLO_DRIFT:
        return count_verdicts(sums, SCALAR_STEADY_SLICES);
    case SLO_FRESHNESS:
        return count_verdicts(sums, SCALAR_FRESH_MINUTES);
    case SLO_DECISIONS:
    case SLO_SLICES:
        return count_custom(slo, sums);
    case SLO_INDICATORS:
        break;
    }
    return (struct judged){.n = 0};
}

/* ---- reading ---- */

struct reading {
    const struct slo *slo;
    struct judged *points;
    size_t n, at;
};

static void take_point(void *context, const struct point *point)
{
    struct reading *reading = context;
    if (reading->at == reading->n)
        return;
    struct judged *judged = &reading->points[reading->at++];
    if (point->n_groups > 0)
        *judged = count_objective(reading->slo, point->groups[0]);
    judged->covered = point->covered;
}

/* n points from from_s on; step_s 0: all up to to_s as one. */
static enum status read_judged(struct budget_lines *lines, const struct slo *slo, int64_t from_s,
                               int64_t to_s, int64_t step_s, struct judged *points, size_t n,
                               struct error *error)
{
    struct reading reading = {slo, points, n, 0};
    struct range range = {.from_s = from_s,
                          .to_s = to_s,
                          .step_s = step_s,
                          .sections = SECTION_SCALARS |
                                      (slo->indicator == SLO_LATENCY ? SECTION_LATENCY : 0)};
    return range_read(lines->history, &range, take_point, &reading, error);
}

/* ---- lines ---- */

struct line {
    double allowed; /* share of bad ones */
    bool burn;      /* its rate, not what is left */
    int64_t window_s;
};

static double value_of(const struct line *line, double n, double bad)
{
    double used = n >= 0.5 ? fmax(bad, 0) / n / line->allowed : (double)NAN;
    return line->burn ? used : 1 - used;
}

/* `added` and `gone`: n points each. */
static void roll(const struct line *line, struct judged window, const struct judged *added,
                 const struct judged *gone, size_t n, double *values)
{
    for (size_t i = 0; i < n; i++) {
        window.n += added[i].n - gone[i].n;
        window.bad += added[i].bad - gone[i].bad;
        values[i] = added[i].covered ? value_of(line, window.n, window.bad) : (double)NAN;
    }
}

/* From from_s on, a multiple of step_s. */
static enum status make_line(struct budget_lines *lines, const struct slo *slo,
                             const struct line *line, int64_t from_s, int64_t step_s, size_t n,
                             double *values, struct error *error)
{
    struct judged *points = calloc(2 * n + 1, sizeof *points), before = {.n = 0};
    int64_t window_s = (line->window_s + step_s - 1) / step_s * step_s;
    int64_t span_s = (int64_t)n * step_s;
    if (!points)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = read_judged(lines, slo, from_s - window_s, from_s, 0, &before, 1, error);
    if (status == STATUS_OK)
        status = read_judged(lines, slo, from_s, from_s + span_s, step_s, points, n, error);
    if (status == STATUS_OK)
        status = read_judged(lines, slo, from_s - window_s, from_s - window_s + span_s, step_s,
                             points + n, n, error);
    if (status == STATUS_OK)
        roll(line, before, points, points + n, n, values);
    free(points);
    return status;
}

/* ---- as series of the history ---- */

enum { LINE_BUDGET, LINE_BURN, LINES };

static void describe(void *context, int index, char name[2 * NAME_SIZE], const char **unit,
                     const char **help)
{
    static const struct {
        const char *name, *unit, *help;
    } kinds[LINES] = {
        {"budget_left", "ratio",
         "of the objective's error budget, over its window up to then; below 0: overspent"},
        {"burn_1h", "x",
         "of the hour up to then; 1 uses the budget up exactly by the window's end"},
    };
    const struct budget_lines *lines = context;
    snprintf(name, (size_t)2 * NAME_SIZE, "%s.%s", kinds[index % LINES].name,
             lines->objectives->slos[index / LINES].name);
    *unit = kinds[index % LINES].unit;
    *help = kinds[index % LINES].help;
}

static enum status values_of(void *context, int index, int64_t from_s, int64_t step_s, size_t n,
                             double *values, struct error *error)
{
    struct budget_lines *lines = context;
    const struct slo *slo = &lines->objectives->slos[index / LINES];
    struct line line = {.allowed = 1 - slo->target,
                        .burn = index % LINES == LINE_BURN,
                        .window_s = slo->window_us / US_PER_S};
    int64_t wide_s = step_s < LEAST_STEP_S ? LEAST_STEP_S : step_s;
    int64_t first_s = from_s - (from_s % wide_s + wide_s) % wide_s;
    size_t n_wide = n ? (size_t)((from_s + (int64_t)(n - 1) * step_s - first_s) / wide_s) + 1 : 0;
    if (line.burn)
        line.window_s = burn_window_us(BURN_1H) / US_PER_S;
    double *wide = calloc(n_wide + 1, sizeof *wide);
    if (!wide)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = make_line(lines, slo, &line, first_s, wide_s, n_wide, wide, error);
    for (size_t i = 0; i < n && status == STATUS_OK; i++)
        values[i] = wide[(from_s + (int64_t)i * step_s - first_s) / wide_s];
    free(wide);
    return status;
}

struct history_derived budget_lines_series(struct budget_lines *lines)
{
    return (struct history_derived){.context = lines,
                                    .n = lines->objectives->n * LINES,
                                    .describe = describe,
                                    .values = values_of};
}
