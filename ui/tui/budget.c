/* An objective over time: the line of its error budget and its share of good ones, out of what the
 * history keeps of it. One thread. */
#include <math.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "ui/tui/pages.h"

#define HISTORY_MS 10000

static char *say_share(double ratio, char out[WORD_SIZE])
{
    return words_percent(round(ratio * 1e3) / 1e3, out);
}

static bool read_kept(struct pen *pen, const struct view_objective *objective, const char *what,
                      struct curves *set)
{
    const struct view_kept *kept = &objective->kept;
    char query[120];
    if (!kept->share) {
        draw_heading(pen, what, "the history keeps nothing of such an objective");
        return false;
    }
    screen_range_query(pen->screen, pen->width * 2, query, sizeof query);
    struct feed_document document =
        read_document(pen->screen, HISTORY_MS, "/api/v1/history?series=%s%s%s&%s", kept->share,
                      kept->counted ? "," : "", kept->counted ? kept->counted : "", query);
    if (draw_absent(pen, &document, what))
        return false;
    curves_read(document.json, set);
    if (curves_find(set, kept->share))
        return true;
    draw_heading(pen, what, "no data over this time");
    curves_free(set);
    return false;
}

/* How many the point stands for: counted, or as many minutes or slices as its time holds. */
static double counted_at(const struct curves *set, const struct view_objective *objective, int i)
{
    const struct view_kept *kept = &objective->kept;
    const struct curve *counted = kept->counted ? curves_find(set, kept->counted) : NULL;
    if (counted)
        return i < counted->n ? counted->values[i] : NAN;
    return fmax(1, (double)set->step_us / ((double)kept->each_s * (double)US_PER_S));
}

/* Makes a line of the budget out of one of shares: what is left now is known, and back from there
 * each point takes away what it added. What left the objective's window meanwhile at its far end is
 * small against it, and left in. */
static const struct curve *make_budget(struct curves *set, const struct view_objective *objective)
{
    struct curve *line = set->series; /* asked for first */
    double allowed = 1 - objective->target, n = (double)objective->total;
    double bad = n * allowed * (1 - objective->budget_left);
    for (int i = line->n - 1; i >= 0; i--) {
        double share = line->values[i], counted = counted_at(set, objective, i);
        bool known = isfinite(share) && isfinite(counted);
        line->values[i] = known && n >= 1 ? 1 - fmax(bad, 0) / (n * allowed) : NAN;
        if (known) {
            bad -= counted * (objective->kept.bad ? share : 1 - share);
            n -= counted;
        }
    }
    line->last = objective->budget_left;
    return line;
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
    if (!read_kept(pen, objective, "budget left", &set))
        return;
    const struct curve *line = make_budget(&set, objective);
    struct chart chart = {.title = "budget left",
                          .say = say_share,
                          .limit = 0,
                          .limit_word = "used up",
                          .low = least_of(line, 0),
                          .high = 1};
    draw_chart(pen, &line, 1, &set, &chart, pen_left(pen));
    curves_free(&set);
}

void draw_good_line(struct pen *pen, const struct view_objective *objective)
{
    struct curves set;
    bool bad = objective->kept.bad;
    if (!read_kept(pen, objective, bad ? "share of bad ones" : "share of good ones", &set))
        return;
    const struct curve *line = curves_find(&set, objective->kept.share);
    struct chart chart = {.title = bad ? "share of bad ones" : "share of good ones",
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
