/* Each point is judged over the objective's window that ends with it: what is counted in the window
 * before the first point, plus what came with each point, less what left at the far end. All lines
 * that are asked for together share one read of what came, and those of one window the two others.
 * The window is rounded up to whole steps. Runs in whichever thread asks. */
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

static struct judged count_callers(const struct slo *slo, const struct sums *sums)
{
    (void)slo;
    const uint64_t *scalars = sums->cell.scalars;
    double errors = (double)scalars[SCALAR_ERRORS];
    return (struct judged){.n = (double)(scalars[SCALAR_ACCEPTED] + scalars[SCALAR_QUARANTINED] +
                                         scalars[SCALAR_DUPLICATES]) +
                                errors,
                           .bad = errors};
}

static struct judged count_verdicts(const struct sums *sums, enum scalar good, enum scalar bad)
{
    const uint64_t *scalars = sums->cell.scalars;
    return (struct judged){.n = (double)scalars[good] + (double)scalars[bad],
                           .bad = (double)scalars[bad]};
}

static struct judged count_drift(const struct slo *slo, const struct sums *sums)
{
    (void)slo;
    return count_verdicts(sums, SCALAR_STEADY_SLICES, SCALAR_DRIFTED_SLICES);
}

static struct judged count_freshness(const struct slo *slo, const struct sums *sums)
{
    (void)slo;
    return count_verdicts(sums, SCALAR_FRESH_MINUTES, SCALAR_STALE_MINUTES);
}

static struct judged count_custom(const struct slo *slo, const struct sums *sums)
{
    const uint64_t *scalars = sums->cell.scalars;
    return (struct judged){.n = (double)scalars[SCALAR_CUSTOM_COUNTED + slo->custom],
                           .bad = (double)scalars[SCALAR_CUSTOM_BAD + slo->custom]};
}

static const struct {
    struct judged (*count)(const struct slo *slo, const struct sums *sums);
    unsigned sections; /* that it counts by */
} indicators[SLO_INDICATORS] = {
    [SLO_LATENCY] = {count_latency, SECTION_SCALARS | SECTION_LATENCY},
    [SLO_AVAILABILITY] = {count_callers, SECTION_SCALARS},
    [SLO_DRIFT] = {count_drift, SECTION_SCALARS},
    [SLO_FRESHNESS] = {count_freshness, SECTION_SCALARS},
    [SLO_DECISIONS] = {count_custom, SECTION_SCALARS},
    [SLO_SLICES] = {count_custom, SECTION_SCALARS},
};

/* ---- reading ---- */

enum part { ADDED, GONE, BEFORE, PARTS };

struct line {
    const struct slo *slo;
    bool burn; /* its rate, not what is left */
    int64_t window_s;
    struct judged *parts[PARTS]; /* n points; n points; one */
};

/* Lines and the points of time that they are wanted at. */
struct plan {
    struct history_store *history;
    struct line *lines;
    int n_lines;
    int64_t from_s, step_s; /* from_s: a multiple of step_s */
    size_t n;
};

struct reading {
    const struct plan *plan;
    int64_t window_s; /* only lines of this one; 0: all */
    enum part part;
    size_t n, at;
};

static bool is_read(const struct reading *reading, const struct line *line)
{
    return reading->window_s == 0 || line->window_s == reading->window_s;
}

static void take_point(void *context, const struct point *point)
{
    struct reading *reading = context;
    if (reading->at == reading->n)
        return;
    for (int i = 0; i < reading->plan->n_lines; i++) {
        const struct line *line = &reading->plan->lines[i];
        if (!is_read(reading, line))
            continue;
        struct judged *judged = &line->parts[reading->part][reading->at];
        if (point->n_groups > 0)
            *judged = indicators[line->slo->indicator].count(line->slo, point->groups[0]);
        judged->covered = point->covered;
    }
    reading->at++;
}

/* step_s 0: all up to to_s as one point. */
static enum status read_part(struct reading reading, int64_t from_s, int64_t to_s, int64_t step_s,
                             struct error *error)
{
    struct range range = {.from_s = from_s, .to_s = to_s, .step_s = step_s};
    for (int i = 0; i < reading.plan->n_lines; i++) {
        const struct line *line = &reading.plan->lines[i];
        if (is_read(&reading, line))
            range.sections |= indicators[line->slo->indicator].sections;
    }
    return range_read(reading.plan->history, &range, take_point, &reading, error);
}

static enum status read_window(const struct plan *plan, int64_t window_s, struct error *error)
{
    int64_t from_s = plan->from_s - window_s, span_s = (int64_t)plan->n * plan->step_s;
    enum status status =
        read_part((struct reading){plan, window_s, BEFORE, 1, 0}, from_s, plan->from_s, 0, error);
    if (status == STATUS_OK)
        status = read_part((struct reading){plan, window_s, GONE, plan->n, 0}, from_s,
                           from_s + span_s, plan->step_s, error);
    return status;
}

static bool is_first_of_window(const struct plan *plan, int line)
{
    for (int i = 0; i < line; i++)
        if (plan->lines[i].window_s == plan->lines[line].window_s)
            return false;
    return true;
}

static enum status read_all(const struct plan *plan, struct error *error)
{
    enum status status =
        read_part((struct reading){plan, 0, ADDED, plan->n, 0}, plan->from_s,
                  plan->from_s + (int64_t)plan->n * plan->step_s, plan->step_s, error);
    for (int i = 0; i < plan->n_lines && status == STATUS_OK; i++)
        if (is_first_of_window(plan, i))
            status = read_window(plan, plan->lines[i].window_s, error);
    return status;
}

/* ---- lines ---- */

static double value_of(const struct line *line, const struct judged *window)
{
    double allowed = 1 - line->slo->target;
    double used = window->n >= 0.5 ? fmax(window->bad, 0) / window->n / allowed : (double)NAN;
    return line->burn ? used : 1 - used;
}

/* The value of each of the plan's points, for all points of the answer that lie in it. */
static void roll(const struct plan *plan, const struct line *line, int64_t from_s, int64_t step_s,
                 size_t n, double *values)
{
    const struct judged *added = line->parts[ADDED], *gone = line->parts[GONE];
    struct judged window = *line->parts[BEFORE];
    for (size_t i = 0, next = 0; i < n; i++) {
        size_t at = (size_t)((from_s + (int64_t)i * step_s - plan->from_s) / plan->step_s);
        for (; next <= at; next++) {
            window.n += added[next].n - gone[next].n;
            window.bad += added[next].bad - gone[next].bad;
        }
        values[i] = added[at].covered ? value_of(line, &window) : (double)NAN;
    }
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

static struct line line_of(const struct budget_lines *lines, int index, const struct plan *plan,
                           struct judged *points)
{
    const struct slo *slo = &lines->objectives->slos[index / LINES];
    bool burn = index % LINES == LINE_BURN;
    int64_t window_s = (burn ? burn_window_us(BURN_1H) : slo->window_us) / US_PER_S;
    return (struct line){
        .slo = slo,
        .burn = burn,
        .window_s = (window_s + plan->step_s - 1) / plan->step_s * plan->step_s,
        .parts = {[ADDED] = points, [GONE] = points + plan->n, [BEFORE] = points + 2 * plan->n}};
}

static struct plan plan_of(const struct budget_lines *lines, int64_t from_s, int64_t step_s,
                           size_t n)
{
    struct plan plan = {.history = lines->history,
                        .step_s = step_s < LEAST_STEP_S ? LEAST_STEP_S : step_s};
    plan.from_s = from_s - (from_s % plan.step_s + plan.step_s) % plan.step_s;
    if (n > 0)
        plan.n = (size_t)((from_s + (int64_t)(n - 1) * step_s - plan.from_s) / plan.step_s) + 1;
    return plan;
}

static enum status values_of(void *context, const struct history_line *wanted, int n_lines,
                             int64_t from_s, int64_t step_s, size_t n, struct error *error)
{
    const struct budget_lines *lines = context;
    struct plan plan = plan_of(lines, from_s, step_s, n);
    size_t n_points = 2 * plan.n + 1; /* of each line */
    struct judged *points = calloc((size_t)n_lines * n_points, sizeof *points);
    plan.lines = calloc((size_t)n_lines, sizeof *plan.lines);
    enum status status =
        points && plan.lines ? STATUS_OK : error_set(error, STATUS_MEMORY, "out of memory");
    if (status == STATUS_OK) {
        for (; plan.n_lines < n_lines; plan.n_lines++)
            plan.lines[plan.n_lines] = line_of(lines, wanted[plan.n_lines].index, &plan,
                                               points + (size_t)plan.n_lines * n_points);
        status = read_all(&plan, error);
    }
    for (int i = 0; i < n_lines && status == STATUS_OK; i++)
        roll(&plan, &plan.lines[i], from_s, step_s, n, wanted[i].values);
    free(plan.lines);
    free(points);
    return status;
}

struct history_derived budget_lines_series(struct budget_lines *lines)
{
    return (struct history_derived){.context = lines,
                                    .n = lines->objectives->n * LINES,
                                    .describe = describe,
                                    .values = values_of};
}
