/* Arms beside each other: what each decided and how its scores are spread over the range, and how
 * far shadows are from those that decide. One thread. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "ui/tui/pages.h"

#define FRESH_MS 15000
#define MOST     64  /* bins of scores */
#define FAR      0.1 /* a score so different may be another decision */

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
        if (view->arms[i].variant != VARIANT_SHADOW)
            draw_spread(pen, &view->arms[i], each > 3 ? 3 : each);
    }
    curves_free(&set);
}

/* ---- shadows ---- */

/* How much higher the first of its shadows scored; NaN: none saw it. */
static double difference_of(const struct json *decision)
{
    return json_double(json_first(json_get(decision, "shadows")), "score") -
           json_double(decision, "score");
}

struct disagreement {
    int n, far, higher;
    double sum;
    struct curve line; /* by order of decision, the newest last */
};

static bool read_disagreement(const struct json *list, struct disagreement *found)
{
    size_t n = json_size(list);
    *found = (struct disagreement){.line = {.last = NAN}};
    if (n == 0 || !(found->line.values = malloc(n * sizeof(double))))
        return false;
    found->line.n = (int)n;
    int at = (int)n; /* the newest comes first */
    for (const struct json *row = json_first(list); row; row = json_next(row)) {
        double difference = difference_of(row);
        found->line.values[--at] = fabs(difference);
        if (isnan(difference))
            continue;
        if (found->n == 0)
            found->line.last = fabs(difference);
        found->n++;
        found->sum += fabs(difference);
        found->far += fabs(difference) > FAR;
        found->higher += difference > 0;
    }
    return found->n > 0;
}

static void draw_differences(struct pen *pen, const struct json *list, struct disagreement *found)
{
    const struct curve *line = &found->line;
    char mean[WORD_SIZE], far[WORD_SIZE], higher[WORD_SIZE], text[VIEW_LINE_SIZE];
    struct curves span = {0};
    uint64_t n = (uint64_t)found->n;
    snprintf(text, sizeof text, "%s apart by more than .1; mean %s; the shadow higher in %s",
             words_share((double)found->far / found->n, n, far),
             words_score(found->sum / found->n, mean),
             words_share((double)found->higher / found->n, n, higher));
    draw_text(pen, pen->left + 3, pen->width - 4, 2, STYLE_TEXT, text);
    const struct json *oldest = json_item(list, json_size(list) - 1), *newest = json_first(list);
    if (!time_parse(slice_of(json_word(oldest, "decided_at")), &span.from_us) ||
        !time_parse(slice_of(json_word(newest, "decided_at")), &span.to_us))
        span = (struct curves){0};
    struct chart chart = {.title = "difference of scores",
                          .say = words_score,
                          .limit = FAR,
                          .limit_word = "far",
                          .low = 0,
                          .high = NAN,
                          .style = STYLE_SHADOW};
    draw_chart(pen, &line, 1, &span, &chart, pen_left(pen));
}

void draw_disagreement(struct pen *pen)
{
    struct disagreement found;
    struct feed_document document =
        read_document(pen->screen, FRESH_MS, "/api/v1/decisions?order=newest&limit=200");
    const struct json *list = json_get(document.json, "decisions");
    if (draw_absent(pen, &document, "shadow disagreement"))
        return;
    bool any = read_disagreement(list, &found);
    char note[80];
    snprintf(note, sizeof note, any ? "of the newest %d that it saw" : "no shadow saw the newest",
             found.n);
    draw_heading(pen, "shadow disagreement", note);
    if (any)
        draw_differences(pen, list, &found);
    free(found.line.values);
}
