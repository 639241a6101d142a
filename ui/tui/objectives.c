/* The list of objectives on Now: state, attainment, budget, burn, and how each day of the last
 * month was. One thread. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/tui/pages.h"

#define DAYS  30
#define DAY_S INT64_C(86400)
#define FRESH 60000 /* ms between questions about days */
#define LEAST 10    /* columns of days; with less none are drawn */
#define GAP   2

/* Widths of the columns; what does not fit is 0. */
struct columns {
    int name, now, want, bar, budget, burn_1h, burn_6h, days;
};

static struct columns objective_columns(int width)
{
    struct columns at = {13, 9, 8, 5, 13, width >= 60 ? 7 : 0, 0, 0};
    if (width < 54)
        at = (struct columns){10, 9, 7, 0, 9, 0, 0, 0};
    else if (width >= 100)
        at = (struct columns){18, 10, 9, 16, 9, 9, 8, 0};
    else if (width >= 78)
        at = (struct columns){14, 9, 8, 10, 7, 8, 0, 0};
    int left =
        width - 3 - at.name - at.now - at.want - 2 - at.bar - at.budget - at.burn_1h - at.burn_6h;
    int days = left - GAP;
    at.days = days >= DAYS ? DAYS : days >= DAYS / 2 ? DAYS / 2 : days >= LEAST ? LEAST : 0;
    return at;
}

/* ---- the days ---- */

/* "latency_good_ratio,error_ratio": what the history keeps of those listed. */
static void put_series(const struct view *view, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < view->n_objectives; i++) {
        const char *share = view->objectives[i].kept.share;
        if (share && !strstr(out, share) && used + strlen(share) + 2 < size)
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? "," : "", share);
    }
}

/* False: there is no history of them. */
static bool read_days(struct pen *pen, struct curves *set)
{
    char names[200], query[120];
    put_series(&pen->screen->view, names, sizeof names);
    if (!names[0])
        return false;
    screen_past_query(pen->screen, DAYS * DAY_S, DAY_S, query, sizeof query);
    struct feed_document document =
        read_document(pen->screen, FRESH, "/api/v1/history?series=%s&%s", names, query);
    if (!document.json)
        return false;
    curves_read(document.json, set);
    return true;
}

/* A column for each day or few, the worst of them, newest at the right: half high at what is
 * wanted. */
static void draw_days(struct pen *pen, int line, int left, int width,
                      const struct view_objective *objective, const struct curves *set)
{
    const struct curve *curve =
        objective->kept.share ? curves_find(set, objective->kept.share) : NULL;
    int each = DAYS / width;
    double allowed = 1 - objective->target;
    for (int column = 0; column < width; column++) {
        double worst = NAN;
        for (int i = 0; curve && i < each; i++) {
            int day = curve->n - (width - column) * each + i;
            double value = day >= 0 && day < curve->n ? curve->values[day] : NAN;
            worst = fmin(worst, objective->kept.bad ? 1 - value : value);
        }
        if (isnan(worst)) {
            canvas_put(pen->canvas, line, left + column, 1, STYLE_RULE, "·");
            continue;
        }
        double height = allowed > 0 ? (worst - objective->target + allowed) / (2 * allowed) : worst;
        canvas_column(pen->canvas, line, left + column,
                      worst < objective->target ? STYLE_TICKET : STYLE_QUIET, fmax(height, 0.1), 0,
                      1);
    }
}

/* ---- the list ---- */

static void draw_heads(struct pen *pen, const struct columns *at, bool days)
{
    int left = pen->left + 3, row = pen->row++;
    canvas_put(pen->canvas, row, left, at->name, STYLE_QUIET, "objective");
    left += at->name;
    canvas_right(pen->canvas, row, left, at->now, STYLE_QUIET, "now");
    left += at->now;
    canvas_right(pen->canvas, row, left, at->want, STYLE_QUIET, "want");
    left += at->want + 2;
    canvas_put(pen->canvas, row, left, at->bar + at->budget, STYLE_QUIET,
               at->bar ? "budget left" : "   budget");
    left += at->bar + at->budget;
    canvas_right(pen->canvas, row, left, at->burn_1h, STYLE_QUIET, "burn 1h");
    left += at->burn_1h;
    canvas_right(pen->canvas, row, left, at->burn_6h, STYLE_QUIET, "6h");
    if (days)
        canvas_put(pen->canvas, row, left + at->burn_6h + GAP, at->days, STYLE_QUIET, "30 days");
}

/* What does not fit beside the bar is an overspent budget, whose bar is empty. */
static void draw_budget(struct pen *pen, int line, int left, const struct columns *at, int style,
                        const struct view_objective *row)
{
    bool alarming = row->state >= HEALTH_TICKET;
    bool beside = canvas_width(pen->canvas, row->budget) < at->budget;
    if (beside)
        canvas_bar(pen->canvas, line, left, at->bar, alarming ? style_of(row->state) : STYLE_QUIET,
                   row->budget_left);
    if (isnan(row->budget_left))
        return; /* said once, under "now" */
    canvas_right(pen->canvas, line, left + (beside ? at->bar : 0),
                 at->budget + (beside ? 0 : at->bar), beside ? style : style_of(row->state) | style,
                 row->budget);
}

static void draw_since(struct pen *pen, int line, int left, int width, int64_t since_us)
{
    char at[WORD_SIZE], text[2 * WORD_SIZE];
    snprintf(text, sizeof text, "since %s", screen_time(pen->screen, since_us, false, at));
    canvas_put(pen->canvas, line, left, width, STYLE_NODATA, text);
}

static void draw_objective(struct pen *pen, const struct columns *at, int index,
                           const struct curves *days)
{
    const struct view_objective *row = &pen->screen->view.objectives[index];
    int style = draw_marker(pen, ITEM_OBJECTIVE, index), left = pen->left + 3, line = pen->row++;
    int colour = style_of(row->state);
    bool alarming = row->state >= HEALTH_TICKET, empty = isnan(row->budget_left);
    canvas_put(pen->canvas, line, pen->left + 1, 1, colour, words_mark(row->state));
    canvas_put(pen->canvas, line, left, at->name, alarming ? colour | style : style, row->name);
    left += at->name;
    canvas_right(pen->canvas, line, left, at->now, empty ? STYLE_NODATA : style, row->now);
    left += at->now;
    canvas_right(pen->canvas, line, left, at->want, STYLE_QUIET, row->want);
    left += at->want + 2;
    draw_budget(pen, line, left, at, style, row);
    left += at->bar + at->budget;
    if (empty && row->since_us)
        draw_since(pen, line, left - at->bar - at->budget, at->bar + at->budget, row->since_us);
    if (!empty) {
        canvas_right(pen->canvas, line, left, at->burn_1h, style, row->burn_1h);
        canvas_right(pen->canvas, line, left + at->burn_1h, at->burn_6h, STYLE_QUIET, row->burn_6h);
    }
    if (days)
        draw_days(pen, line, left + at->burn_1h + at->burn_6h + GAP, at->days, row, days);
}

void draw_objectives(struct pen *pen, int rows)
{
    const struct view *view = &pen->screen->view;
    struct columns at = objective_columns(pen->width);
    struct curves set = {.n = 0};
    if (pen_left(pen) <= 0)
        return;
    if (view->n_objectives == 0) {
        canvas_put(pen->canvas, pen->row++, pen->left + 1, pen->width - 1, STYLE_QUIET,
                   "no objectives are configured: `objectives` in binnacle.yaml");
        return;
    }
    bool days = at.days && read_days(pen, &set);
    draw_heads(pen, &at, days);
    int first = first_shown(pen, ITEM_OBJECTIVE, view->n_objectives, rows - 1);
    for (int i = first; i < view->n_objectives && i - first < rows - 1 && pen_left(pen) > 0; i++)
        draw_objective(pen, &at, i, days ? &set : NULL);
    curves_free(&set);
}
