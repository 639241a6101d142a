/* Arms beside each other: what each decided and how its scores are spread, over the range and over
 * time, and how far shadows are from those that decide. One thread. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/tui/pages.h"

#define FRESH_MS    15000
#define MOST        64 /* bins of scores */
#define DAY_S       86400
#define HALF_HOUR_S 1800 /* scores of an arm are kept by these */
#define FAR_SERIES  "shadow_disagreement_ratio"

/* ---- decisions and scores of each ---- */

static double sum_of(const struct curves *set, const char *name, const char *arm)
{
    double sum = 0;
    for (int i = 0; i < set->n; i++) {
        const struct curve *curve = &set->series[i];
        if (strcmp(curve->name, name) == 0 && strcmp(curve->label, arm) == 0)
            for (int k = 0; k < curve->n; k++)
                sum += fmax(curve->values[k], 0); /* NaN gives 0 */
    }
    return sum;
}

/* "champion   approve 97.2 %   review .4 %   decline 2.4 %   n 34 239" */
static void draw_shares(struct pen *pen, const struct view_arm *arm, const struct curves *set)
{
    const char *name = variant_name(arm->variant);
    double sums[DECISION_COUNT], n = 0;
    char text[WORD_SIZE];
    for (int i = 0; i < DECISION_COUNT; i++)
        n += sums[i] = sum_of(set, decision_name((enum decision)i), name);
    canvas_put(pen->canvas, pen->row, pen->left + 1, 9, style_of_arm(arm->variant), name);
    int column = pen->left + 11;
    if (n <= 0) {
        canvas_put(pen->canvas, pen->row++, column, pen->width - 12, STYLE_NODATA,
                   arm->variant == VARIANT_SHADOW ? "decides nothing" : "decided nothing");
        return;
    }
    for (int i = 0; i < DECISION_COUNT; i++) {
        column += canvas_put(pen->canvas, pen->row, column, 8, STYLE_QUIET,
                             decision_name((enum decision)i)) +
                  1;
        column += canvas_put(pen->canvas, pen->row, column, 8, STYLE_TEXT,
                             words_share(sums[i] / n, (uint64_t)n, text)) +
                  2;
    }
    int room = pen->left + pen->width - column;
    char count[WORD_SIZE + 2];
    snprintf(count, sizeof count, "n %s", words_count((uint64_t)n, text));
    if (canvas_width(pen->canvas, count) < room)
        canvas_put(pen->canvas, pen->row, column, room, STYLE_QUIET, count);
    pen->row++;
}

/* Counts of the bins, of all times; the number of bins. */
static int read_bins(const struct json *heatmap, double bins[MOST])
{
    int n = 0;
    memset(bins, 0, MOST * sizeof *bins);
    for (const struct json *cell = json_first(json_get(heatmap, "cells")); cell;
         cell = json_next(cell)) {
        int i = 0;
        for (const struct json *count = json_first(json_item(cell, 1)); count && i < MOST;
             count = json_next(count), i++)
            bins[i] += fmax(json_as_number(count, 0), 0);
        n = i > n ? i : n;
    }
    return n;
}

/* Heights on a root scale, as everywhere: most scores are near 0. */
static void draw_spread(struct pen *pen, const struct view_arm *arm, int rows)
{
    char query[120];
    double bins[MOST], most = 0;
    int64_t range_s = screen_range_s(pen->screen);
    screen_past_query(pen->screen, range_s, range_s > 3600 ? 3600 : 1800, query, sizeof query);
    struct feed_document document =
        read_document(pen->screen, FRESH_MS, "/api/v1/heatmap?of=score&where=variant:%s&%s",
                      variant_name(arm->variant), query);
    int n = read_bins(document.json, bins);
    for (int i = 0; i < n; i++)
        most = fmax(most, bins[i]);
    if (most <= 0 || rows < 1)
        return;
    for (int above = rows - 1; above >= 0 && pen_left(pen) > 0; above--, pen->row++) {
        for (int i = 0; i < n && i < pen->width - 14; i++)
            canvas_column(pen->canvas, pen->row, pen->left + 11 + i, style_of_arm(arm->variant),
                          sqrt(bins[i] / most), above, rows);
        if (above == 0)
            canvas_put(pen->canvas, pen->row, pen->left + 3, 7, STYLE_QUIET, "scores");
    }
}

void draw_by_arms(struct pen *pen)
{
    const struct view *view = &pen->screen->view;
    struct curves set;
    char query[120], note[60];
    snprintf(note, sizeof note, "last %s; scores from 0 to 1, height = √n",
             screen_range_word(pen->screen));
    draw_heading(pen, "decided by arm", note);
    screen_range_query(pen->screen, 60, query, sizeof query);
    struct feed_document document =
        read_document(pen->screen, FRESH_MS,
                      "/api/v1/history?series=approve,review,decline&by=variant&%s", query);
    if (draw_absent(pen, &document, "decisions by arm"))
        return;
    curves_read(document.json, &set);
    int each = view->n_arms > 0 ? (pen_left(pen) - 1) / view->n_arms - 1 : 0;
    for (int i = 0; i < view->n_arms && pen_left(pen) > 0; i++) {
        draw_shares(pen, &view->arms[i], &set);
        draw_spread(pen, &view->arms[i], each > 3 ? 3 : each);
    }
    curves_free(&set);
}

/* ---- shadows ---- */

static char *say_ratio(double ratio, char out[WORD_SIZE])
{
    return words_percent(round(ratio * 1e4) / 1e4, out);
}

/* Over the range: of how many, and the means by how many each point holds. */
struct disagreement {
    double n, far, higher, distance;
};

static void add_mean(const struct curves *set, const char *name, const struct curve *counts,
                     double *sum)
{
    const struct curve *curve = curves_find(set, name);
    for (int i = 0; curve && i < curve->n && i < counts->n; i++)
        if (isfinite(curve->values[i]) && counts->values[i] > 0)
            *sum += curve->values[i] * counts->values[i];
}

static struct disagreement read_disagreement(const struct curves *set)
{
    struct disagreement found = {0};
    const struct curve *counts = curves_find(set, "shadow_scored");
    for (int i = 0; counts && i < counts->n; i++)
        found.n += fmax(counts->values[i], 0); /* NaN gives 0 */
    if (found.n <= 0)
        return found;
    add_mean(set, FAR_SERIES, counts, &found.far);
    add_mean(set, "shadow_higher_ratio", counts, &found.higher);
    add_mean(set, "shadow_distance_mean", counts, &found.distance);
    return found;
}

static void draw_differences(struct pen *pen, const struct curves *set,
                             const struct disagreement *found)
{
    char mean[WORD_SIZE], far[WORD_SIZE], higher[WORD_SIZE], text[VIEW_LINE_SIZE];
    uint64_t n = (uint64_t)found->n;
    snprintf(text, sizeof text, "%s apart by more than .1; mean %s; the shadow higher in %s",
             words_share(found->far / found->n, n, far),
             words_score(found->distance / found->n, mean),
             words_share(found->higher / found->n, n, higher));
    draw_text(pen, pen->left + 3, pen->width - 4, 2, STYLE_TEXT, text);
    const struct curve *line = curves_find(set, FAR_SERIES);
    struct chart chart = {.title = "apart by more than .1",
                          .say = say_ratio,
                          .limit = NAN,
                          .low = 0,
                          .high = NAN,
                          .style = STYLE_SHADOW};
    if (line)
        draw_chart(pen, &line, 1, set, &chart, pen_left(pen));
}

void draw_disagreement(struct pen *pen)
{
    struct curves set;
    char query[120], note[80], n[WORD_SIZE];
    screen_range_query(pen->screen, pen->width * 2, query, sizeof query);
    struct feed_document document = read_document(pen->screen, FRESH_MS,
                                                  "/api/v1/history?series=shadow_scored," FAR_SERIES
                                                  ",shadow_higher_ratio,shadow_distance_mean&%s",
                                                  query);
    if (draw_absent(pen, &document, "shadow disagreement"))
        return;
    curves_read(document.json, &set);
    struct disagreement found = read_disagreement(&set);
    snprintf(note, sizeof note, found.n > 0 ? "last %s, n %s" : "no shadow scored in the last %s",
             screen_range_word(pen->screen), words_count((uint64_t)found.n, n));
    draw_heading(pen, "shadow disagreement", note);
    if (found.n > 0)
        draw_differences(pen, &set, &found);
    curves_free(&set);
}

/* ---- scores of one over time ---- */

void draw_scores_over_time(struct pen *pen, const struct view_arm *arm)
{
    char query[120], note[80];
    int64_t range_s = screen_range_s(pen->screen);
    screen_past_query(pen->screen, range_s < DAY_S ? DAY_S : range_s, HALF_HOUR_S, query,
                      sizeof query);
    struct feed_document document =
        read_document(pen->screen, FRESH_MS, "/api/v1/heatmap?of=score&where=variant:%s&%s",
                      variant_name(arm->variant), query);
    if (draw_absent(pen, &document, "scores over time"))
        return;
    snprintf(note, sizeof note, "by half hours, last %s; fuller: more",
             range_s < DAY_S ? "24 h" : screen_range_word(pen->screen));
    draw_heading(pen, "scores over time", note);
    draw_heatmap(pen, document.json, pen_left(pen), NAN, words_score);
}
