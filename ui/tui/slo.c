/* Objectives: attainment, budget and its line over time, burn per window against its limits,
 * latency percentiles and heat map with the objective drawn in, throughput, errors by cause, and
 * when the budget runs out. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/tui/pages.h"

#define HISTORY_MS   10000
#define LEAST_WINDOW 7 /* columns of a window's burn; where they do not fit the long windows go */

void fill_slo(struct screen *screen, struct grid *grid)
{
    static const struct grid_column columns[] = {
        {"objective", 15, false, 0},   {"state", 9, false, 0},       {"now", 9, true, 0},
        {"want", 7, true, 60},         {"budget left", 14, true, 0}, {"burn 1h", 8, true, 0},
        {"runs out in", 13, true, 92}, {"over", 7, true, 100},       {"n", 12, true, 110}};
    const struct view *view = &screen->view;
    grid_begin(grid, columns, 9);
    for (int i = 0; i < view->n_objectives; i++) {
        const struct view_objective *row = &view->objectives[i];
        bool alarming = row->state >= HEALTH_TICKET;
        int style = alarming ? style_of(row->state) : STYLE_TEXT;
        char state[WORD_SIZE];
        snprintf(state, sizeof state, "%s %s", words_mark(row->state), words_health(row->state));
        grid_row(grid, ITEM_TAG(ITEM_OBJECTIVE, i));
        grid_text(grid, style, row->name);
        grid_number(grid, style_of(row->state), (double)row->state, state);
        grid_number(grid, style, row->attainment, row->now);
        grid_number(grid, STYLE_QUIET, row->target, row->want);
        grid_number(grid, style, row->budget_left, row->budget);
        grid_number(grid, style, row->burns[BURN_1H].burn_rate, row->burn_1h);
        grid_text(grid, style, row->gone[0] ? row->gone : "");
        grid_text(grid, STYLE_QUIET, row->window);
        grid_text(grid, STYLE_QUIET, row->n);
    }
    grid_end(grid);
}

/* The objective of the selected row, else the first; NULL: there is none. */
static const struct view_objective *selected(const struct screen *screen)
{
    int32_t tag = grid_tag(&screen->grids[VIEW_SLO]);
    int index = TAG_KIND(tag) == ITEM_OBJECTIVE ? TAG_INDEX(tag) : 0;
    return index < screen->view.n_objectives ? &screen->view.objectives[index] : NULL;
}

/* ---- burn ---- */

/* `bad`: with how many bad events stand behind each. */
static void draw_burns(struct pen *pen, const struct view_objective *objective, bool bad)
{
    int room = pen->width - 9, n = room / LEAST_WINDOW, row = pen->row;
    n = n > BURN_WINDOWS ? BURN_WINDOWS : n > 1 ? n : 1;
    int wide = room / n > 22 ? 22 : room / n;
    if (pen_left(pen) < 3 + bad)
        return;
    canvas_put(pen->canvas, row, pen->left + 1, 8, STYLE_BOLD, "burn");
    if (bad)
        canvas_put(pen->canvas, row + 3, pen->left + 1, 8, STYLE_QUIET, "bad");
    canvas_put(pen->canvas, row + 2, pen->left + 1, 8, STYLE_QUIET, "limit");
    canvas_put(pen->canvas, row + 1, pen->left + 1, 8, STYLE_QUIET, "now");
    for (int i = 0; i < n; i++) {
        const struct view_burn *burn = &objective->burns[i];
        int left = pen->left + 8 + i * wide;
        char limit[WORD_SIZE];
        int style = burn->beyond ? style_of(burn->health) | STYLE_BOLD : STYLE_TEXT;
        canvas_right(pen->canvas, row, left, wide - 1, STYLE_QUIET, burn->window);
        canvas_right(pen->canvas, row + 1, left, wide - 1,
                     isnan(burn->burn_rate) ? STYLE_NODATA : style, burn->burn);
        canvas_right(pen->canvas, row + 2, left, wide - 1, STYLE_QUIET,
                     isnan(burn->limit) ? "–" : words_burn(burn->limit, limit));
        if (bad)
            canvas_right(pen->canvas, row + 3, left, wide - 1, STYLE_QUIET,
                         isnan(burn->burn_rate) ? "–" : burn->bad);
    }
    pen->row += 3 + bad;
}

static void draw_runs_out(struct pen *pen, const struct view_objective *objective)
{
    char since[WORD_SIZE], text[VIEW_LINE_SIZE];
    if (pen_left(pen) <= 0)
        return;
    if (objective->gone[0])
        snprintf(text, sizeof text, "at this hour's rate the budget is gone in %s",
                 objective->gone);
    else if (isnan(objective->budget_left))
        snprintf(text, sizeof text, "no data: nothing was counted");
    else if (objective->budget_left < 0)
        snprintf(text, sizeof text, "the budget is %s", objective->budget);
    else
        snprintf(text, sizeof text, "at this hour's rate the budget lasts the window");
    int style = objective->gone[0] && objective->state >= HEALTH_TICKET ? style_of(objective->state)
                                                                        : STYLE_QUIET;
    canvas_put(pen->canvas, pen->row, pen->left + 1, pen->width - 2, style, text);
    if (objective->since_us && objective->state >= HEALTH_TICKET) {
        screen_time(pen->screen, objective->since_us, false, since);
        snprintf(text, sizeof text, "%s since %s", words_health(objective->state), since);
        canvas_right(pen->canvas, pen->row, pen->left + 1, pen->width - 2, STYLE_QUIET, text);
    }
    pen->row++;
}

/* ---- charts ---- */

/* One document for all charts of the page, so that they are of the same moment. */
static bool read_history(struct pen *pen, const char *names, const char *what, struct curves *set)
{
    char query[120];
    screen_range_query(pen->screen, pen->width * 2, query, sizeof query);
    struct feed_document document =
        read_document(pen->screen, HISTORY_MS, "/api/v1/history?series=%s&%s", names, query);
    if (draw_absent(pen, &document, what))
        return false;
    curves_read(document.json, set);
    return true;
}

static void draw_budget(struct pen *pen)
{
    const struct view_objective *objective = selected(pen->screen);
    if (objective)
        draw_budget_line(pen, objective);
}

static void draw_good(struct pen *pen)
{
    const struct view_objective *objective = selected(pen->screen);
    if (objective)
        draw_good_line(pen, objective);
}

static void draw_latency(struct pen *pen)
{
    static const char *const names[] = {"latency_p50_us", "latency_p95_us", "latency_p99_us"};
    const struct curve *lines[3];
    struct curves set;
    int n = 0;
    if (!has_history(pen->screen)) {
        draw_last_minutes(pen, &pen->screen->view.p99_series, "p99", words_latency,
                          pen->screen->view.latency_limit_us);
        return;
    }
    if (!read_history(pen, "latency_p50_us,latency_p95_us,latency_p99_us", "latency percentiles",
                      &set))
        return;
    for (int i = 0; i < 3; i++)
        if ((lines[n] = curves_find(&set, names[i])))
            n++;
    struct chart chart = {.logarithmic = true,
                          .title = "latency",
                          .say = words_latency,
                          .limit = pen->screen->view.latency_limit_us,
                          .limit_word = "objective",
                          .low = 0,
                          .high = NAN};
    if (n)
        draw_chart(pen, lines, n, &set, &chart, pen_left(pen));
    else
        draw_heading(pen, "latency", "no data over this time");
    curves_free(&set);
}

static void draw_heat(struct pen *pen)
{
    char query[120];
    screen_range_query(pen->screen, pen->width - 12, query, sizeof query);
    struct feed_document document =
        read_document(pen->screen, HISTORY_MS, "/api/v1/heatmap?of=latency&%s", query);
    draw_heading(pen, "latency, all events", "fuller: more; ┄ objective");
    if (!draw_absent(pen, &document, "heat map"))
        draw_heatmap(pen, document.json, pen_left(pen), pen->screen->view.latency_limit_us,
                     words_latency);
}

static void draw_rate(struct pen *pen)
{
    struct curves set;
    if (!has_history(pen->screen)) {
        draw_last_minutes(pen, &pen->screen->view.rate, "throughput", words_rate, NAN);
        return;
    }
    if (!read_history(pen, "events_per_s", "throughput", &set))
        return;
    const struct curve *line = curves_find(&set, "events_per_s");
    struct chart chart = {
        .title = "throughput", .say = words_rate, .limit = NAN, .low = 0, .high = NAN};
    if (line)
        draw_chart(pen, &line, 1, &set, &chart, pen_left(pen));
    else
        draw_heading(pen, "throughput", "no data over this time");
    curves_free(&set);
}

/* "null   412   ▁▂▁▃": how many of the range, and when. */
static void draw_cause(struct pen *pen, const struct curve *curve)
{
    const char *dot = strchr(curve->name, '.');
    int wide = pen->width - 44;
    char n[WORD_SIZE];
    double sum = 0, most = 0;
    for (int i = 0; i < curve->n; i++) {
        sum += fmax(curve->values[i], 0); /* NaN gives 0 */
        most = fmax(most, curve->values[i]);
    }
    int row = pen->row++, style = sum > 0 ? STYLE_TEXT : STYLE_QUIET;
    canvas_put(pen->canvas, row, pen->left + 3, 26, style, dot ? dot + 1 : "not decided: an error");
    canvas_right(pen->canvas, row, pen->left + 29, 10, style, words_count((uint64_t)sum, n));
    for (int column = 0; column < wide && most > 0; column++) {
        double here = 0;
        for (int i = column * curve->n / wide; i < (column + 1) * curve->n / wide; i++)
            here = fmax(here, curve->values[i]);
        canvas_column(pen->canvas, row, pen->left + 42 + column, STYLE_QUIET, here / most, 0, 1);
    }
}

/* What was refused or failed over the range, the most frequent first, each over time. */
static void draw_errors(struct pen *pen)
{
    const struct view *view = &pen->screen->view;
    struct curves set;
    char names[400] = "errors", note[60];
    snprintf(note, sizeof note, "last %s", screen_range_word(pen->screen));
    draw_heading(pen, "errors by cause", note);
    for (int i = 0; i < view->n_quarantine && i < MAX_CURVES - 1; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, ",quarantine.%s", view->quarantine[i].reason);
    }
    if (!read_history(pen, names, "errors by cause", &set))
        return;
    for (int i = 0; i < set.n && pen_left(pen) > 0; i++)
        draw_cause(pen, &set.series[i]);
    curves_free(&set);
}

void draw_slo(struct pen *pen)
{
    static const struct panel panels[] = {{draw_latency}, {draw_budget}, {draw_heat},
                                          {draw_errors},  {draw_rate},   {draw_good}};
    const struct view_objective *objective = selected(pen->screen);
    int n = pen->screen->view.n_objectives;
    if (n == 0) {
        draw_grid(pen, "no objectives are configured: `objectives` in binnacle.yaml");
        return;
    }
    int rows = n + 1 < pen_left(pen) / 3 ? n + 1 : pen_left(pen) / 3;
    struct pen list = pen_part(pen, 0, pen->width, rows < 3 ? 3 : rows);
    draw_grid(&list, "");
    pen->row = list.bottom;
    draw_rule(pen);
    if (objective) {
        draw_burns(pen, objective, false);
        draw_runs_out(pen, objective);
    }
    draw_rule(pen);
    draw_panels(pen, panels, 6);
}

void open_slo(struct pen *pen)
{
    const struct view_objective *row = selected(pen->screen);
    if (!row)
        return;
    draw_heading(pen, row->name, words_health(row->state));
    draw_fact(pen, "now", "%s good of %s wanted, n %s over %s", row->now, row->want, row->n,
              row->window);
    draw_fact(pen, "budget left", "%s%s%s", row->budget, row->gone[0] ? ", gone in " : "",
              row->gone);
    if (row->sentence[0])
        draw_fact(pen, "that is", "%s", row->sentence);
    draw_fact(pen, "method",
              "budget left = 1 - bad / (n * (1 - wanted)); burn = share of bad "
              "events / (1 - wanted), per window; both windows of a rule must burn");
    draw_rule(pen);
    draw_burns(pen, row, true);
    draw_rule(pen);
    static const struct panel panels[] = {{draw_budget}, {draw_good}};
    draw_panels(pen, panels, 2);
}
