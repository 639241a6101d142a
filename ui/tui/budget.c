/* An objective over time, out of what the history keeps of it: the line of its error budget, and
 * its share of good ones. One thread. */
#include <math.h>
#include <stdio.h>

#include "ui/tui/pages.h"

#define HISTORY_MS 10000

static char *say_share(double ratio, char out[WORD_SIZE])
{
    return words_percent(round(ratio * 1e3) / 1e3, out);
}

static bool read_line(struct pen *pen, const char *series, const char *what, struct curves *set)
{
    char query[120];
    screen_range_query(pen->screen, pen->width * 2, query, sizeof query);
    struct feed_document document =
        read_document(pen->screen, HISTORY_MS, "/api/v1/history?series=%s&%s", series, query);
    if (draw_absent(pen, &document, what))
        return false;
    curves_read(document.json, set);
    if (curves_find(set, series))
        return true;
    draw_heading(pen, what, "no data over this time");
    curves_free(set);
    return false;
}

static double least_of(const struct curve *line, double least)
{
    for (int i = 0; i < line->n; i++)
        least = fmin(least, line->values[i]);
    return least;
}

void draw_budget_line(struct pen *pen, const struct view_objective *objective)
{
    struct curves set;
    char series[2 * NAME_SIZE];
    snprintf(series, sizeof series, "budget_left.%s", objective->name);
    if (!read_line(pen, series, "budget left", &set))
        return;
    struct curve *line = set.series;
    line->last = objective->budget_left;
    const struct curve *drawn = line;
    struct chart chart = {.title = "budget left",
                          .say = say_share,
                          .limit = 0,
                          .limit_word = "used up",
                          .low = least_of(line, 0),
                          .high = 1};
    draw_chart(pen, &drawn, 1, &set, &chart, pen_left(pen));
    curves_free(&set);
}

void draw_good_line(struct pen *pen, const struct view_objective *objective)
{
    struct curves set;
    const char *share = objective->kept.share;
    bool bad = objective->kept.bad;
    const char *what = bad ? "share of bad ones" : "share of good ones";
    if (!share) {
        draw_heading(pen, what, "the history keeps nothing of such an objective");
        return;
    }
    if (!read_line(pen, share, what, &set))
        return;
    const struct curve *line = curves_find(&set, share);
    struct chart chart = {.title = what,
                          .say = say_share,
                          .limit = bad ? 1 - objective->target : objective->target,
                          .limit_word = bad ? "most" : "want",
                          .low = bad ? 0 : NAN,
                          .high = bad ? NAN : 1};
    /* So that what happens near 100 % can be seen. */
    if (!bad)
        chart.low = fmax(0, least_of(line, objective->target) - (1 - objective->target));
    draw_chart(pen, &line, 1, &set, &chart, pen_left(pen));
    curves_free(&set);
}
