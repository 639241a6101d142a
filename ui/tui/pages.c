/* The other pages and the evidence of a line. */
#include "ui/tui/pages.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/number.h"

/* "label   text" of a panel. */
static void PRINTF_LIKE(3, 4) draw_fact(struct pen *pen, const char *label, const char *format, ...)
{
    char text[512];
    va_list list;
    if (pen_left(pen) <= 0)
        return;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    canvas_put(pen->canvas, pen->row, pen->left + 3, 14, STYLE_QUIET, label);
    canvas_put(pen->canvas, pen->row++, pen->left + 18, pen->width - 19, STYLE_TEXT, text);
}

static void draw_arms(struct pen *pen)
{
    const struct view *view = &pen->screen->view;
    static const char *const heads[] = {"wanted", "measured", "p50", "p95", "p99", "n"};
    int name = pen->width >= 100 ? 32 : pen->width >= 76 ? 12 : 0, left = pen->left + 13 + name;
    draw_heading(pen, "traffic", view->n_arms ? "last minute" : "no model gets traffic");
    if (view->n_arms == 0 || pen_left(pen) <= 0)
        return;
    for (int i = 0; i < 6; i++)
        canvas_right(pen->canvas, pen->row, left + 9 * i, 9, STYLE_QUIET, heads[i]);
    pen->row++;
    for (int i = 0; i < view->n_arms && pen_left(pen) > 0; i++, pen->row++) {
        const struct view_arm *arm = &view->arms[i];
        const char *const cells[] = {arm->wanted, arm->measured, arm->p50,
                                     arm->p95,    arm->p99,      arm->n};
        int style = draw_marker(pen, ITEM_ARM, i);
        canvas_put(pen->canvas, pen->row, pen->left + 3, 9, style_of_arm(arm->variant) | style,
                   variant_name(arm->variant));
        canvas_put(pen->canvas, pen->row, pen->left + 13, name, style, arm->model);
        for (int j = 0; j < 6; j++)
            canvas_right(pen->canvas, pen->row, left + 9 * j, 9, j == 0 ? STYLE_QUIET : style,
                         cells[j]);
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

void draw_traffic(struct pen *pen)
{
    draw_arms(pen);
    draw_rule(pen);
    draw_decided(pen);
    draw_rule(pen);
    if (pen_left(pen) > 5) {
        draw_series(pen);
        draw_rule(pen);
    }
    draw_recent(pen);
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

void draw_drift(struct pen *pen)
{
    draw_drift_table(pen);
    if (pen_left(pen) > 6) {
        draw_rule(pen);
        draw_scores(pen, pen_left(pen) > 12 ? 6 : 3);
    }
}

void draw_quality(struct pen *pen)
{
    const struct view *view = &pen->screen->view;
    draw_heading(pen, "events", "since the start");
    draw_fact(pen, "taken", "%s   accepted %s   duplicates %s   errors %s", view->events,
              view->accepted, view->duplicates, view->errors);
    draw_fact(pen, "source", "%s, up %s",
              view->headline.broker[0] ? view->headline.broker : view->headline.source,
              view->headline.uptime);
    draw_rule(pen);
    draw_heading(pen, "ledger", view->root[0] ? "" : "no row yet");
    draw_fact(pen, "rows", "%s", view->tree_size);
    if (view->root[0])
        draw_fact(pen, "root", "%s", view->root);
    draw_fact(pen, "queue", "%s", view->queue);
    draw_fact(pen, "answers", "%s", view->durability);
    if (view->stops[0])
        draw_fact(pen, "stopped", "%s", view->stops);
    draw_fact(pen, "state", "%s entities in windows, %s", view->entities, view->feature_memory);
    draw_rule(pen);
    draw_quarantine(pen);
}

/* ---- evidence ---- */

static void show_attention(struct pen *pen, int index)
{
    const struct view_attention *item = &pen->screen->view.attention[index];
    char at[WORD_SIZE];
    draw_heading(pen, item->title, words_health(item->severity));
    if (item->since_us)
        draw_fact(pen, "since", "%s (%s)", screen_time(pen->screen, item->since_us, true, at),
                  item->since);
    for (int i = 0; i < item->n_evidence; i++)
        draw_fact(pen, item->evidence[i].label, "%s", item->evidence[i].text);
}

static void show_objective(struct pen *pen, int index)
{
    const struct view_objective *row = &pen->screen->view.objectives[index];
    draw_heading(pen, row->name, words_health(row->state));
    draw_fact(pen, "now", "%s good, n %s in the objective's window", row->now, row->n);
    draw_fact(pen, "wanted", "%s", row->want);
    draw_fact(pen, "budget left", "%s", row->budget);
    draw_fact(pen, "burn", "%s over 1 h, %s over 6 h", row->burn_1h, row->burn_6h);
    draw_fact(pen, "method", "budget left = 1 - bad / (n * (1 - wanted));");
    draw_fact(pen, "", "burn = share of bad events / (1 - wanted), per window");
}

static void show_arm(struct pen *pen, int index)
{
    const struct view_arm *arm = &pen->screen->view.arms[index];
    draw_heading(pen, variant_name(arm->variant), arm->model);
    draw_fact(pen, "share", "%s of %s wanted, n %s in the last minute", arm->measured, arm->wanted,
              arm->n);
    draw_fact(pen, "latency", "p50 %s   p95 %s   p99 %s, last minute", arm->p50, arm->p95,
              arm->p99);
    draw_fact(pen, "method",
              "quantiles of a histogram, at most 1 %% wrong; arms by a hash of the"
              " entity");
}

static void show_decision(struct pen *pen, int index)
{
    const struct view_decision *row = &pen->screen->view.decisions[index];
    draw_heading(pen, decision_name(row->decision), row->unusual ? "unusual" : "as usual");
    draw_fact(pen, "now", "%s, n %s of %s in the last minute", row->share, row->n,
              pen->screen->view.decided);
    draw_fact(pen, "usual", "%s, the day before", row->usual);
    draw_fact(pen, "method", "unusual: 3 standard errors of both samples apart, and by a quarter");
}

static void show_recent(struct pen *pen, int index)
{
    const struct view_recent *row = &pen->screen->view.recent[index];
    char at[WORD_SIZE], number[WORD_SIZE];
    draw_heading(pen, row->event_id, decision_name(row->decision));
    draw_fact(pen, "decided", "%s", screen_time(pen->screen, row->at_us, true, at));
    draw_fact(pen, "score", "%s by the %s", row->score, variant_name(row->variant));
    draw_fact(pen, "rule", "%s", row->rule);
    if (row->ledger_index == UINT64_MAX)
        draw_fact(pen, "ledger", "not recorded");
    else
        draw_fact(pen, "ledger", "row %s", words_count(row->ledger_index, number));
}

static void show_drift(struct pen *pen, const struct view_drift *row)
{
    draw_heading(pen, row->feature, words_health(row->state));
    draw_fact(pen, "PSI", "%s, limit %s", row->psi, row->limit);
    draw_fact(pen, "no drift", "at these n up to %s (95 %% of the time)", row->noise);
    draw_fact(pen, "n", "%s live, %s in the reference", row->n, row->n_reference);
    draw_fact(pen, "method", "population stability index: sum of (p - q) ln(p / q) over bins");
}

static void show_quarantine(struct pen *pen, int index)
{
    const struct view_quarantine *row = &pen->screen->view.quarantine[index];
    draw_heading(pen, row->reason, "why events were not scored");
    draw_fact(pen, "now", "%s %s, %s of %s since the start", row->n,
              number_noun(row->count, "event", "events"), row->share, pen->screen->view.events);
    draw_fact(pen, "do", "binnacle quarantine list --reason %s", row->reason);
}

void draw_evidence(struct pen *pen)
{
    struct item items[MAX_ITEMS];
    int n = screen_items(pen->screen, items), selected = pen->screen->selected[pen->screen->page];
    if (n == 0)
        return;
    struct item item = items[selected < n ? selected : n - 1];
    pen->row++;
    switch (item.kind) {
    case ITEM_ATTENTION:
        show_attention(pen, item.index);
        break;
    case ITEM_OBJECTIVE:
        show_objective(pen, item.index);
        break;
    case ITEM_ARM:
        show_arm(pen, item.index);
        break;
    case ITEM_DECISION:
        show_decision(pen, item.index);
        break;
    case ITEM_RECENT:
        show_recent(pen, item.index);
        break;
    case ITEM_DRIFT:
        show_drift(pen, &pen->screen->view.drift[item.index]);
        break;
    case ITEM_SCORE_DRIFT:
        show_drift(pen, &pen->screen->view.score_drift);
        break;
    case ITEM_QUARANTINE:
        show_quarantine(pen, item.index);
        break;
    }
}
