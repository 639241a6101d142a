/* Champion, canary and shadow beside each other: shares wanted and measured, latency, errors, score
 * and decisions of each, where the shadow disagrees, and what was changed. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/tui/pages.h"

#define HISTORY_MS 10000

void fill_traffic(struct screen *screen, struct grid *grid)
{
    static const struct grid_column columns[] = {{"arm", 9, false, 0},   {"model", 14, false, 60},
                                                 {"wanted", 8, true, 0}, {"measured", 9, true, 0},
                                                 {"p50", 9, true, 0},    {"p95", 9, true, 0},
                                                 {"p99", 9, true, 0},    {"n", 9, true, 82}};
    const struct view *view = &screen->view;
    grid_begin(grid, columns, 8);
    for (int i = 0; i < view->n_arms; i++) {
        const struct view_arm *arm = &view->arms[i];
        grid_row(grid, ITEM_TAG(ITEM_ARM, i));
        grid_text(grid, style_of_arm(arm->variant), variant_name(arm->variant));
        grid_text(grid, STYLE_TEXT, arm->model);
        grid_number(grid, STYLE_QUIET, arm->share_wanted, arm->wanted);
        grid_number(grid, STYLE_TEXT, arm->share_measured, arm->measured);
        grid_text(grid, STYLE_TEXT, arm->p50);
        grid_number(grid, STYLE_TEXT, arm->p95_us, arm->p95);
        grid_text(grid, STYLE_TEXT, arm->p99);
        grid_text(grid, STYLE_QUIET, arm->n);
    }
    grid_end(grid);
}

/* A chart with a line for each arm. */
static void draw_by_arm(struct pen *pen, const char *name, struct chart chart)
{
    const struct curve *lines[MAX_CURVES];
    struct curves set;
    char query[120];
    int n = 0;
    screen_range_query(pen->screen, pen->width * 2, query, sizeof query);
    struct feed_document document = read_document(
        pen->screen, HISTORY_MS, "/api/v1/history?series=%s&by=variant&%s", name, query);
    if (draw_absent(pen, &document, chart.title))
        return;
    curves_read(document.json, &set);
    for (int i = 0; i < set.n; i++)
        if (strcmp(set.series[i].name, name) == 0 && set.series[i].values)
            lines[n++] = &set.series[i];
    if (n)
        draw_chart(pen, lines, n, &set, &chart, pen_left(pen));
    else
        draw_heading(pen, chart.title, "no data over this time");
    curves_free(&set);
}

static char *say_share(double ratio, char out[WORD_SIZE])
{
    return words_percent(round(ratio * 1e4) / 1e4, out);
}

static void draw_latency(struct pen *pen)
{
    draw_by_arm(pen, "latency_p95_us",
                (struct chart){.logarithmic = true,
                               .title = "p95 by arm",
                               .say = words_latency,
                               .limit = pen->screen->view.latency_limit_us,
                               .limit_word = "objective",
                               .low = 0,
                               .high = NAN});
}

static void draw_share(struct pen *pen)
{
    draw_by_arm(
        pen, "events_per_s",
        (struct chart){
            .title = "events by arm", .say = words_rate, .limit = NAN, .low = 0, .high = NAN});
}

static void draw_declined(struct pen *pen)
{
    draw_by_arm(
        pen, "decline_ratio",
        (struct chart){
            .title = "declined by arm", .say = say_share, .limit = NAN, .low = 0, .high = NAN});
}

static void draw_errors(struct pen *pen)
{
    draw_by_arm(
        pen, "error_ratio",
        (struct chart){
            .title = "errors by arm", .say = say_share, .limit = NAN, .low = 0, .high = NAN});
}

static void draw_score(struct pen *pen)
{
    draw_by_arm(
        pen, "score_mean",
        (struct chart){
            .title = "mean score by arm", .say = words_score, .limit = NAN, .low = 0, .high = NAN});
}

static void draw_score_bins(struct pen *pen)
{
    draw_scores(pen, pen_left(pen) - 2 < 8 ? pen_left(pen) - 2 : 8);
}

static void draw_what_changed(struct pen *pen)
{
    draw_changes(pen, pen_left(pen));
}

void draw_traffic(struct pen *pen)
{
    static const struct panel panels[] = {{draw_latency},      {draw_by_arms}, {draw_what_changed},
                                          {draw_disagreement}, {draw_share},   {draw_declined},
                                          {draw_score},        {draw_errors},  {draw_score_bins}};
    int n = pen->screen->view.n_arms;
    struct pen list = pen_part(pen, 0, pen->width, n ? n + 1 : 1);
    draw_grid(&list, "no model gets traffic");
    pen->row = list.bottom;
    if (pen->screen->view.arms_note[0])
        draw_heading(pen, "shadow", pen->screen->view.arms_note);
    draw_rule(pen);
    draw_decided(pen);
    draw_rule(pen);
    draw_panels(pen, panels, sizeof panels / sizeof *panels);
}

void open_traffic(struct pen *pen)
{
    int index = TAG_INDEX(grid_tag(screen_grid(pen->screen)));
    if (index >= pen->screen->view.n_arms)
        return;
    const struct view_arm *arm = &pen->screen->view.arms[index];
    draw_heading(pen, variant_name(arm->variant), arm->model);
    if (isfinite(arm->share_measured))
        draw_fact(pen, "share", "%s of %s wanted, n %s in the last minute", arm->measured,
                  arm->wanted, arm->n);
    else
        draw_fact(pen, "share", "%s wanted; no event in the last minute", arm->wanted);
    if (isfinite(arm->p95_us))
        draw_fact(pen, "latency", "p50 %s   p95 %s   p99 %s, last minute", arm->p50, arm->p95,
                  arm->p99);
    if (arm->variant == VARIANT_SHADOW)
        draw_fact(pen, "drift", "%s",
                  arm->judged ? "its scores and inputs are compared with the reference"
                              : "not judged: of several shadows the first of the split is");
    draw_fact(pen, "method",
              "quantiles of a histogram, at most 1 %% wrong; arms by a hash of the entity");
    draw_rule(pen);
    struct pen scores = pen_part(pen, 0, pen->width, pen_left(pen) * 2 / 3);
    draw_scores_over_time(&scores, arm);
    pen->row = scores.row;
    draw_rule(pen);
    draw_changes(pen, pen_left(pen));
}
