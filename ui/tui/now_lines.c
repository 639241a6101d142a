/* Now, the lines that sum up: rate, split, decisions, drift, contract and what was changed, one
 * line each, of which a piece that does not fit whole is left out. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"
#include "ui/tui/pages.h"

/* Label, then pieces of text one after the other. */
struct line {
    struct pen *pen;
    int column;
};

static struct line line_begin(struct pen *pen, const char *label)
{
    canvas_put(pen->canvas, pen->row, pen->left + 1, 9, STYLE_QUIET, label);
    return (struct line){pen, pen->left + 11};
}

/* How much room is left; a piece that does not fit whole is better left out. */
static int line_left(const struct line *line)
{
    return line->pen->left + line->pen->width - line->column;
}

static void line_add(struct line *line, int style, const char *text)
{
    int room = line_left(line);
    if (room > 0)
        line->column +=
            canvas_put(line->pen->canvas, line->pen->row, line->column, room, style, text);
}

static void draw_rate(struct pen *pen)
{
    const struct view *view = &pen->screen->view;
    struct line line = line_begin(pen, "rate");
    int width = pen->width >= 100 ? 40 : pen->width >= 74 ? 18 : 10;
    line_add(&line, STYLE_BOLD, view->headline.rate);
    int at = pen->left + 23;
    canvas_spark(pen->canvas, pen->row, at, width, STYLE_QUIET, &view->rate.history);
    line.column = at + width + 2;
    line_add(&line, STYLE_QUIET, "p50 ");
    line_add(&line, STYLE_TEXT, view->p50);
    line_add(&line, STYLE_QUIET, "  p95 ");
    line_add(&line, STYLE_TEXT, view->p95);
    line_add(&line, STYLE_QUIET, "  p99 ");
    line_add(&line, STYLE_TEXT, view->p99);
}

/* A share without its unit, which the line's label has. */
static void line_add_share(struct line *line, int style, const char *share)
{
    char number[WORD_SIZE];
    const char *unit = strstr(share, "\u2009%");
    int length = unit ? (int)(unit - share) : (int)strlen(share);
    snprintf(number, sizeof number, "%.*s", length, share);
    line_add(line, style, number);
}

static void draw_split(struct pen *pen)
{
    const struct view *view = &pen->screen->view;
    struct line line = line_begin(pen, "split %");
    if (view->n_arms == 0)
        line_add(&line, STYLE_NODATA, "no model gets traffic");
    bool measured = false;
    for (int i = 0; i < view->n_arms; i++) {
        const struct view_arm *arm = &view->arms[i];
        line_add(&line, style_of_arm(arm->variant), variant_name(arm->variant));
        line_add(&line, STYLE_QUIET, arm->variant == VARIANT_SHADOW ? " sees " : " ");
        if (isfinite(arm->share_measured)) {
            measured = true;
            line_add_share(&line, STYLE_TEXT, arm->measured);
            line_add(&line, STYLE_QUIET, " of ");
        }
        line_add_share(&line, STYLE_QUIET, arm->wanted);
        line_add(&line, STYLE_TEXT, "   ");
    }
    if (!measured && view->n_arms > 0)
        line_add(&line, STYLE_NODATA, "no event in the last minute");
}

/* With one decimal at most: this line has to hold six of them. */
static void line_add_tenths(struct line *line, int style, double ratio)
{
    char number[WORD_SIZE];
    snprintf(number, sizeof number, "%.1f", 100 * ratio);
    line_add(line, style, isfinite(ratio) ? number : words_nodata);
}

static void draw_decided_line(struct pen *pen)
{
    const struct view *view = &pen->screen->view;
    struct line line = line_begin(pen, "decided %");
    bool usual = !isnan(view->decisions[0].usual_ratio);
    if (isnan(view->decisions[0].ratio)) {
        line_add(&line, STYLE_NODATA, "no decision in the last minute");
        return;
    }
    for (int i = 0; i < DECISION_COUNT; i++) {
        const struct view_decision *row = &view->decisions[i];
        line_add(&line, STYLE_TEXT, decision_name(row->decision));
        line_add(&line, STYLE_TICKET, row->unusual ? " ◆" : " ");
        line_add_tenths(&line, row->unusual ? STYLE_TICKET | STYLE_BOLD : STYLE_TEXT, row->ratio);
        if (usual) {
            line_add(&line, STYLE_QUIET, i == 0 ? " · usual " : " · ");
            line_add_tenths(&line, STYLE_QUIET, row->usual_ratio);
        }
        line_add(&line, STYLE_TEXT, "   ");
    }
    if (!usual)
        line_add(&line, STYLE_QUIET, "usual: no data yet");
}

static void draw_drift_line(struct pen *pen)
{
    const struct view *view = &pen->screen->view;
    struct line line = line_begin(pen, "drift");
    if (view->n_drift == 0)
        line_add(&line, STYLE_NODATA, view->drift_note);
    for (int i = 0; i < view->n_drift && i < 6; i++) {
        const struct view_drift *row = &view->drift[i];
        bool alarming = row->state >= HEALTH_TICKET;
        if (line_left(&line) < canvas_width(pen->canvas, row->feature) + 12)
            break;
        line_add(&line, alarming ? style_of(row->state) : STYLE_TEXT, row->feature);
        line_add(&line, STYLE_TEXT, " ");
        line_add(&line, alarming ? style_of(row->state) : STYLE_TEXT, row->psi);
        line_add(&line, STYLE_QUIET, " of ");
        line_add(&line, STYLE_QUIET, row->limit);
        line_add(&line, STYLE_TEXT, "   ");
    }
}

static void draw_quarantine_line(struct pen *pen)
{
    const struct view *view = &pen->screen->view;
    struct line line = line_begin(pen, "contract");
    line_add(&line, STYLE_TEXT, view->events);
    line_add(&line, STYLE_QUIET,
             strcmp(view->events, "1") == 0 ? " event   quarantined " : " events   quarantined ");
    line_add(&line, STYLE_TEXT, view->quarantined);
    if (view->error_share[0]) {
        line_add(&line, STYLE_QUIET, "   errors ");
        line_add(&line, STYLE_TEXT, view->error_share);
    }
    for (int i = 0; i < view->n_quarantine && i < 6; i++) {
        if (line_left(&line) < canvas_width(pen->canvas, view->quarantine[i].reason) + 10)
            break;
        line_add(&line, STYLE_TEXT, "   ");
        line_add(&line, STYLE_TEXT, view->quarantine[i].reason);
        line_add(&line, STYLE_TEXT, " ");
        line_add(&line, STYLE_QUIET, view->quarantine[i].n);
    }
}

static void draw_last(struct pen *pen)
{
    const struct view *view = &pen->screen->view;
    struct line line = line_begin(pen, "last");
    if (view->n_recent == 0)
        line_add(&line, STYLE_NODATA, "no event was decided yet");
    for (int i = 0; i < view->n_recent && i < 6 && line_left(&line) > 28; i++) {
        char at[WORD_SIZE];
        line_add(&line, STYLE_QUIET, screen_time(pen->screen, view->recent[i].at_us, true, at));
        line_add(&line, STYLE_TEXT, " ");
        line_add(&line, STYLE_TEXT, decision_name(view->recent[i].decision));
        line_add(&line, STYLE_TEXT, " ");
        line_add(&line, style_of_arm(view->recent[i].variant), view->recent[i].score);
        line_add(&line, STYLE_TEXT, "   ");
    }
}

/* What was changed lately, the newest first; where nobody keeps that, the last decisions. */
static void draw_changes_line(struct pen *pen)
{
    struct feed_document document = read_document(pen->screen, 5000, CHANGES);
    const struct json *list = json_get(document.json, "changes");
    int n = list ? (int)json_size(list) : 0;
    if (n == 0) {
        draw_last(pen);
        return;
    }
    struct line line = line_begin(pen, "changed");
    for (int i = n - 1; i >= 0; i--) {
        const struct json *change = json_item(list, (size_t)i);
        char at[WORD_SIZE] = "", what[VIEW_LINE_SIZE];
        int64_t time_us = 0;
        if (time_parse(slice_of(json_word(change, "at")), &time_us))
            screen_time(pen->screen, time_us, false, at);
        snprintf(what, sizeof what, " %s%s%s   ", json_word(change, "what"),
                 json_word(change, "who")[0] ? ", " : "", json_word(change, "who"));
        words_plain(what);
        if (i < n - 1 && line_left(&line) < canvas_width(pen->canvas, what) + 7)
            break;
        line_add(&line, STYLE_QUIET, at);
        line_add(&line, STYLE_TEXT, what);
    }
}

void draw_summary(struct pen *pen, int rows)
{
    /* `from`: where there are as many rows; the last change stands beside what hurts. */
    static const struct {
        void (*draw)(struct pen *);
        int from;
    } lines[SUMMARY_LINES] = {{draw_rate, 0},
                              {draw_split, 0},
                              {draw_decided_line, 0},
                              {draw_drift_line, SUMMARY_LINES - 1},
                              {draw_quarantine_line, SUMMARY_LINES},
                              {draw_changes_line, 0}};
    for (int i = 0; i < SUMMARY_LINES && pen_left(pen) > 0; i++)
        if (rows >= lines[i].from) {
            lines[i].draw(pen);
            pen->row++;
        }
}
