/* Parts of pages: headings, lists and the histogram. */
#include "ui/tui/pages.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int style_of(enum health health)
{
    static const int styles[] = {STYLE_NODATA, STYLE_OK, STYLE_TICKET, STYLE_PAGE};
    return styles[health];
}

int style_of_arm(enum variant variant)
{
    static const int styles[] = {STYLE_CHAMPION, STYLE_CANARY, STYLE_SHADOW};
    return styles[variant];
}

int pen_left(const struct pen *pen)
{
    return pen->bottom - pen->row;
}

void draw_rule(struct pen *pen)
{
    if (pen_left(pen) > 0)
        canvas_rule(pen->canvas, pen->row++, pen->left, pen->width);
}

void draw_heading(struct pen *pen, const char *title, const char *note)
{
    if (pen_left(pen) <= 0)
        return;
    int used = canvas_put(pen->canvas, pen->row, pen->left + 1, pen->width - 1, STYLE_BOLD, title);
    canvas_put(pen->canvas, pen->row++, pen->left + used + 3, pen->width - used - 3, STYLE_QUIET,
               note);
}

int draw_marker(struct pen *pen, enum item_kind kind, int index)
{
    if (!screen_is_selected(pen->screen, kind, index))
        return STYLE_TEXT;
    canvas_put(pen->canvas, pen->row, pen->left, 1, STYLE_BOLD, "›");
    return STYLE_BOLD;
}

int first_shown(const struct pen *pen, enum item_kind kind, int n, int rows)
{
    for (int i = rows > 0 ? rows : 0; i < n; i++)
        if (screen_is_selected(pen->screen, kind, i))
            return i - rows + 1;
    return 0;
}

void draw_scores(struct pen *pen, int rows)
{
    const struct view *view = &pen->screen->view;
    char note[2 * WORD_SIZE];
    snprintf(note, sizeof note, "last hour, n %s", view->scored_text);
    draw_heading(pen, "scores", note);
    if (view->scored == 0) {
        if (pen_left(pen) > 0)
            canvas_put(pen->canvas, pen->row++, pen->left + 1, pen->width - 1, STYLE_NODATA,
                       "no scored event yet");
        return;
    }
    int wide = (pen->width - 4) / SCORE_BINS;
    wide = wide < 1 ? 1 : wide > 4 ? 4 : wide;
    /* Most scores are near 0: bins are drawn on a root scale, so that rare ones can be seen. */
    for (int above = rows - 1; above >= 0 && pen_left(pen) > 1; above--, pen->row++)
        for (int i = 0; i < SCORE_BINS * wide; i++) {
            double share = (double)view->score_bins[i / wide] / (double)view->largest_bin;
            canvas_column(pen->canvas, pen->row, pen->left + 2 + i, STYLE_CHAMPION, sqrt(share),
                          above, rows);
        }
    if (pen_left(pen) <= 0)
        return;
    canvas_put(pen->canvas, pen->row, pen->left + 2, 1, STYLE_QUIET, "0");
    canvas_put(pen->canvas, pen->row, pen->left + 2 + SCORE_BINS * wide / 2 - 6, 13, STYLE_QUIET,
               "height = √n");
    canvas_put(pen->canvas, pen->row++, pen->left + 1 + SCORE_BINS * wide, 1, STYLE_QUIET, "1");
}

void draw_decided(struct pen *pen)
{
    const struct view *view = &pen->screen->view;
    char note[2 * WORD_SIZE];
    snprintf(note, sizeof note, "last minute, n %s; usual: the day before", view->decided);
    draw_heading(pen, "decided", note);
    for (int i = 0; i < DECISION_COUNT && pen_left(pen) > 0; i++, pen->row++) {
        const struct view_decision *row = &view->decisions[i];
        int style = draw_marker(pen, ITEM_DECISION, i);
        int left = pen->left, line = pen->row;
        canvas_put(pen->canvas, line, left + 3, 9, style, decision_name(row->decision));
        canvas_right(pen->canvas, line, left + 12, 9,
                     row->unusual ? STYLE_TICKET | STYLE_BOLD : style, row->share);
        canvas_put(pen->canvas, line, left + 23, 6, STYLE_QUIET, "usual");
        canvas_right(pen->canvas, line, left + 28, 9, STYLE_QUIET, row->usual);
        canvas_right(pen->canvas, line, left + 38, 9, STYLE_QUIET, row->n);
        if (row->unusual)
            canvas_put(pen->canvas, line, left + 49, pen->width - 49, STYLE_TICKET, "◆ unusual");
    }
}

void draw_recent(struct pen *pen)
{
    const struct view *view = &pen->screen->view;
    draw_heading(pen, "last decisions", view->n_recent ? "" : "none yet");
    int rows = pen_left(pen), first = first_shown(pen, ITEM_RECENT, view->n_recent, rows);
    for (int i = first; i < view->n_recent && pen_left(pen) > 0; i++, pen->row++) {
        const struct view_recent *row = &view->recent[i];
        char at[WORD_SIZE];
        int style = draw_marker(pen, ITEM_RECENT, i), left = pen->left, line = pen->row;
        canvas_put(pen->canvas, line, left + 2, 15, STYLE_QUIET,
                   screen_time(pen->screen, row->at_us, true, at));
        int column = canvas_width(pen->canvas, at) > 10 ? left + 18 : left + 13;
        canvas_put(pen->canvas, line, column, 8, style, decision_name(row->decision));
        canvas_right(pen->canvas, line, column + 9, 6, style, row->score);
        canvas_put(pen->canvas, line, column + 17, 9, style_of_arm(row->variant),
                   variant_name(row->variant));
        canvas_put(pen->canvas, line, column + 27, 14, STYLE_TEXT, row->rule);
        canvas_put(pen->canvas, line, column + 42, left + pen->width - column - 42, STYLE_QUIET,
                   row->event_id);
    }
}

void draw_quarantine(struct pen *pen)
{
    const struct view *view = &pen->screen->view;
    char note[3 * WORD_SIZE];
    snprintf(note, sizeof note, "%s of all events, n %s", view->quarantined, view->quarantined_n);
    draw_heading(pen, "quarantine", view->n_quarantine ? note : "nothing broke the contract");
    int rows = pen_left(pen);
    int first = first_shown(pen, ITEM_QUARANTINE, view->n_quarantine, rows);
    for (int i = first; i < view->n_quarantine && pen_left(pen) > 0; i++, pen->row++) {
        const struct view_quarantine *row = &view->quarantine[i];
        int style = draw_marker(pen, ITEM_QUARANTINE, i);
        canvas_put(pen->canvas, pen->row, pen->left + 3, 24, style, row->reason);
        canvas_right(pen->canvas, pen->row, pen->left + 27, 9, style, row->share);
        canvas_right(pen->canvas, pen->row, pen->left + 37, 9, STYLE_QUIET, row->n);
        double top = (double)view->quarantine[0].count;
        if (pen->width > 70)
            canvas_bar(pen->canvas, pen->row, pen->left + 49, 20, STYLE_QUIET,
                       (double)row->count / top);
    }
}
