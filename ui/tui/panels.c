/* Panels made of the snapshot's figures, which several pages show. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"
#include "ui/tui/pages.h"

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
        int style = STYLE_TEXT, left = pen->left, line = pen->row;
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

void draw_series(struct pen *pen)
{
    const struct view *view = &pen->screen->view;
    const struct view_series *const series[] = {&view->rate, &view->p99_series, &view->decline};
    int width = pen->width - 46 > HISTORY_POINTS ? HISTORY_POINTS : pen->width - 46;
    int end = pen->left + 15 + width;
    for (int i = 0; i < 3 && pen_left(pen) > 0; i++, pen->row++) {
        canvas_put(pen->canvas, pen->row, pen->left + 3, 10, STYLE_QUIET, series[i]->name);
        canvas_spark(pen->canvas, pen->row, pen->left + 14, width, STYLE_QUIET,
                     &series[i]->history);
        canvas_right(pen->canvas, pen->row, end, 11, STYLE_TEXT, series[i]->end);
        canvas_put(pen->canvas, pen->row, end + 13, 4, STYLE_QUIET, "top");
        canvas_put(pen->canvas, pen->row, end + 17, 11, STYLE_QUIET, series[i]->top);
    }
}

static void draw_drift_row(struct pen *pen, enum item_kind kind, int index,
                           const struct view_drift *row)
{
    if (pen_left(pen) <= 0)
        return;
    int style = draw_marker(pen, kind, index), left = pen->left, line = pen->row++;
    int name = pen->width >= 100 ? 32 : 20, bar = pen->width >= 100 ? 24 : 14;
    bool alarming = row->state >= HEALTH_TICKET;
    canvas_put(pen->canvas, line, left + 1, 1, style_of(row->state), words_mark(row->state));
    canvas_put(pen->canvas, line, left + 3, name, alarming ? style_of(row->state) | style : style,
               row->feature);
    left += 4 + name;
    if (row->waits[0]) {
        canvas_put(pen->canvas, line, left + 1, 27 + bar, STYLE_NODATA, row->waits);
    } else {
        canvas_right(pen->canvas, line, left, 8, style, row->psi);
        canvas_right(pen->canvas, line, left + 8, 10, STYLE_QUIET, row->noise);
        canvas_right(pen->canvas, line, left + 18, 8, STYLE_QUIET, row->limit);
        canvas_bar(pen->canvas, line, left + 28, bar, alarming ? style_of(row->state) : STYLE_QUIET,
                   row->limit_ratio > 0 ? row->psi_ratio / row->limit_ratio : NAN);
    }
    canvas_right(pen->canvas, line, left + 28 + bar, 10, STYLE_QUIET, row->n);
}

void draw_drift_table(struct pen *pen)
{
    const struct view *view = &pen->screen->view;
    draw_heading(pen, "drift", view->drift_note);
    if (view->n_drift == 0 && !view->score_drift.feature[0])
        return;
    int name = pen->width >= 100 ? 32 : 20, bar = pen->width >= 100 ? 24 : 14;
    int left = pen->left + 4 + name;
    if (pen_left(pen) > 0) {
        canvas_right(pen->canvas, pen->row, left, 8, STYLE_QUIET, "PSI");
        canvas_right(pen->canvas, pen->row, left + 8, 10, STYLE_QUIET, "no drift");
        canvas_right(pen->canvas, pen->row, left + 18, 8, STYLE_QUIET, "limit");
        canvas_put(pen->canvas, pen->row, left + 28, bar, STYLE_QUIET, "of the limit");
        canvas_right(pen->canvas, pen->row++, left + 28 + bar, 10, STYLE_QUIET, "n");
    }
    if (view->score_drift.feature[0])
        draw_drift_row(pen, ITEM_SCORE_DRIFT, 0, &view->score_drift);
    int rows = pen_left(pen), first = first_shown(pen, ITEM_DRIFT, view->n_drift, rows);
    for (int i = first; i < view->n_drift && pen_left(pen) > 0; i++)
        draw_drift_row(pen, ITEM_DRIFT, i, &view->drift[i]);
}

/* ---- what was changed ---- */

void draw_changes(struct pen *pen, int rows)
{
    int bottom = pen->row + rows < pen->bottom ? pen->row + rows : pen->bottom;
    struct feed_document document = read_document(pen->screen, 5000, CHANGES);
    const struct json *list = json_get(document.json, "changes");
    draw_heading(pen, "changes", "newest first, 7 d");
    if (draw_absent(pen, &document, "changes"))
        return;
    int n = list ? (int)json_size(list) : 0;
    if (n == 0 && pen->row < bottom)
        canvas_put(pen->canvas, pen->row++, pen->left + 3, pen->width - 4, STYLE_QUIET,
                   "nothing was changed");
    for (int i = 0; i < n && pen->row < bottom; i++) {
        const struct json *change = json_item(list, (size_t)(n - 1 - i));
        char at[WORD_SIZE] = "", text[VIEW_LINE_SIZE];
        int64_t time_us = 0;
        if (time_parse(slice_of(json_word(change, "at")), &time_us))
            screen_time(pen->screen, time_us, false, at);
        bool alert = strcmp(json_word(change, "kind"), "alert") == 0;
        snprintf(text, sizeof text, "%s %s%s%s%s%s", json_word(change, "kind"),
                 json_word(change, "what"), json_word(change, "who")[0] ? ", " : "",
                 json_word(change, "who"), json_word(change, "reason")[0] ? ": " : "",
                 json_word(change, "reason"));
        words_plain(text);
        canvas_put(pen->canvas, pen->row, pen->left + 1, 13, STYLE_QUIET, at);
        canvas_put(pen->canvas, pen->row++, pen->left + 15, pen->width - 16,
                   alert ? STYLE_TICKET : STYLE_TEXT, text);
    }
}
