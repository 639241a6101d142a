/* The first page: what hurts, the objectives, and one line each for rate, split, decisions, drift,
 * quarantine and the newest decision. Wide terminals get more beside it, tall ones below it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"
#include "ui/tui/pages.h"

#define WIDE 130 /* from here on two columns */

#define EVIDENCE_LEFT 11

/* Lines that the evidence takes when no line is cut. */
static int evidence_rows(const struct pen *pen, const struct view_attention *item)
{
    int rows = 0;
    for (int i = 0; i < item->n_evidence; i++)
        rows += text_rows(pen->canvas, item->evidence[i].text, pen->width - EVIDENCE_LEFT - 1);
    return rows;
}

/* Each over as many rows as it needs, while the others keep one. */
static void draw_evidence_lines(struct pen *pen, const struct view_attention *item)
{
    int width = pen->width - EVIDENCE_LEFT - 1, extra = pen_left(pen) - item->n_evidence;
    for (int i = 0; i < item->n_evidence && pen_left(pen) > 0; i++) {
        const struct view_evidence *line = &item->evidence[i];
        int rows = text_rows(pen->canvas, line->text, width);
        if (rows > 1 + extra)
            rows = extra > 0 ? 1 + extra : 1;
        extra -= rows - 1;
        canvas_put(pen->canvas, pen->row, pen->left + 3, 8, STYLE_QUIET, line->label);
        if (draw_text(pen, pen->left + EVIDENCE_LEFT, width, rows, STYLE_TEXT, line->text) == 0)
            pen->row++;
    }
}

/* What can be pressed about it, where there is a line left for that. */
static void draw_attention_keys(struct pen *pen)
{
    const struct screen *screen = pen->screen;
    const struct view *view = &screen->view;
    char keys[80] = "Enter why";
    bool canary = false;
    for (int i = 0; i < view->n_arms; i++)
        canary =
            canary || (view->arms[i].variant == VARIANT_CANARY && view->arms[i].share_wanted > 0);
    if (!screen->readonly)
        snprintf(keys, sizeof keys, "%sa acknowledge   s silence   Enter why",
                 canary ? "x roll the canary back   " : "");
    canvas_put(pen->canvas, pen->row++, pen->left + EVIDENCE_LEFT, pen->width - EVIDENCE_LEFT - 1,
               STYLE_QUIET, keys);
}

static void draw_attention_title(struct pen *pen, int index)
{
    const struct view_attention *item = &pen->screen->view.attention[index];
    char since[2 * WORD_SIZE] = "", at[WORD_SIZE];
    if (item->since_us && pen->screen->local_time)
        snprintf(since, sizeof since, "since %s",
                 screen_time(pen->screen, item->since_us, false, at));
    else if (item->since[0])
        snprintf(since, sizeof since, "since %s", item->since);
    int style = draw_marker(pen, ITEM_ATTENTION, index);
    int room = pen->width - 5 - canvas_width(pen->canvas, since);
    canvas_put(pen->canvas, pen->row, pen->left + 1, 1, style_of(item->severity),
               words_mark(item->severity));
    canvas_put(pen->canvas, pen->row, pen->left + 3, room,
               style_of(item->severity) | STYLE_BOLD | style, item->title);
    canvas_right(pen->canvas, pen->row++, pen->left + 3 + room + 1, pen->width - 5 - room,
                 STYLE_QUIET, since);
}

static void draw_quiet(struct pen *pen)
{
    const struct view *view = &pen->screen->view;
    if (pen_left(pen) <= 0)
        return;
    if (!view->ready) {
        canvas_put(pen->canvas, pen->row, pen->left + 1, 1, STYLE_NODATA, "○");
        canvas_put(pen->canvas, pen->row++, pen->left + 3, pen->width - 3, STYLE_QUIET,
                   view->not_ready[0] ? view->not_ready : "starting");
        return;
    }
    canvas_put(pen->canvas, pen->row, pen->left + 1, 1, STYLE_OK, "●");
    canvas_put(pen->canvas, pen->row++, pen->left + 3, pen->width - 3, STYLE_TEXT,
               "nothing needs a person");
}

/* Titles of all that fit; the room that is left goes to the evidence of the selected, else the
 * first. */
static void draw_attention(struct pen *pen, int rows)
{
    const struct view *view = &pen->screen->view;
    int n = view->n_attention, open = 0, bottom = pen->bottom;
    if (n == 0) {
        draw_quiet(pen);
        return;
    }
    if (pen->row + rows < pen->bottom)
        pen->bottom = pen->row + rows;
    int first = first_shown(pen, ITEM_ATTENTION, n, rows);
    for (int i = 0; i < n; i++)
        if (screen_is_selected(pen->screen, ITEM_ATTENTION, i))
            open = i;
    int titles = n - first < rows ? n - first : rows, spare = rows - titles;
    for (int i = first; i < n && pen_left(pen) > 0; i++) {
        bool last = pen_left(pen) == 1 && i + 1 < n;
        if (last && i != open) {
            canvas_printf(pen->canvas, pen->row++, pen->left + 3, STYLE_QUIET,
                          "%d more: j moves to them", n - i);
            break;
        }
        draw_attention_title(pen, i);
        int wanted = evidence_rows(pen, &view->attention[i]);
        if ((i == open || spare >= wanted) && spare > 0) {
            int end = pen->bottom;
            pen->bottom = pen->row + (wanted < spare ? wanted : spare);
            spare -= wanted < spare ? wanted : spare;
            draw_evidence_lines(pen, &view->attention[i]);
            pen->bottom = end;
            if (i == open && spare > 0) {
                draw_attention_keys(pen);
                spare--;
            }
        }
    }
    pen->bottom = bottom;
}

void fill_now(struct screen *screen, struct grid *grid)
{
    static const struct grid_column columns[] = {
        {"what", 40, false, 0}, {"state", 8, false, 0}, {"since", 20, false, 0}};
    const struct view *view = &screen->view;
    grid_begin(grid, columns, 3);
    for (int i = 0; i < view->n_attention; i++) {
        const struct view_attention *item = &view->attention[i];
        grid_row(grid, ITEM_TAG(ITEM_ATTENTION, i));
        grid_text(grid, STYLE_TEXT, item->title);
        grid_text(grid, STYLE_TEXT, words_health(item->severity));
        grid_text(grid, STYLE_TEXT, item->since);
    }
    for (int i = 0; i < view->n_objectives; i++) {
        const struct view_objective *row = &view->objectives[i];
        grid_row(grid, ITEM_TAG(ITEM_OBJECTIVE, i));
        grid_text(grid, STYLE_TEXT, row->name);
        grid_text(grid, STYLE_TEXT, words_health(row->state));
        grid_text(grid, STYLE_TEXT, row->now);
    }
    grid_end(grid);
}

static void draw_main(struct pen *pen)
{
    const struct view *view = &pen->screen->view;
    int objectives = view->n_objectives ? view->n_objectives + 1 : 1;
    int spare = pen_left(pen) - SUMMARY_LINES - 2;
    if (objectives > spare - 2)
        objectives = spare - 2 > 2 ? spare - 2 : 2;
    draw_attention(pen, spare - objectives > 1 ? spare - objectives : 1);
    draw_rule(pen);
    draw_objectives(pen, objectives);
    draw_rule(pen);
    draw_summary(pen);
}

static void draw_below(struct pen *pen)
{
    if (pen_left(pen) < 5)
        return;
    draw_rule(pen);
    draw_scores(pen, pen_left(pen) > 24 ? 6 : pen_left(pen) > 12 ? 4 : 2);
    if (pen_left(pen) < 4)
        return;
    draw_rule(pen);
    draw_recent(pen);
}

static void draw_beside(struct pen *pen)
{
    draw_scores(pen, pen_left(pen) > 40 ? 8 : pen_left(pen) > 24 ? 4 : 2);
    draw_rule(pen);
    draw_decided(pen);
    draw_rule(pen);
    int bottom = pen->bottom;
    if (pen_left(pen) > 12)
        pen->bottom = pen->row + pen_left(pen) / 2;
    draw_quarantine(pen);
    pen->bottom = bottom;
    draw_rule(pen);
    draw_recent(pen);
}

void draw_now(struct pen *pen)
{
    if (pen->width < WIDE) {
        draw_main(pen);
        draw_below(pen);
        return;
    }
    struct pen beside = *pen;
    pen->width = pen->width * 11 / 20;
    beside.left = pen->left + pen->width + 2;
    beside.width -= pen->width + 2;
    for (int row = pen->row; row < pen->bottom; row++)
        canvas_put(pen->canvas, row, beside.left - 1, 1, STYLE_RULE, "│");
    draw_main(pen);
    if (pen_left(pen) > 6) {
        draw_rule(pen);
        draw_series(pen);
        draw_rule(pen);
        draw_drift_table(pen);
        if (pen->screen->view.n_attention) {
            draw_rule(pen);
            draw_causes(pen);
        }
        draw_rule(pen);
        draw_changes(pen, pen_left(pen));
    }
    draw_beside(&beside);
}

/* ---- one of them in full ---- */

static void open_attention(struct pen *pen, int index)
{
    const struct view_attention *item = &pen->screen->view.attention[index];
    char at[WORD_SIZE];
    draw_heading(pen, item->title, words_health(item->severity));
    if (item->since_us)
        draw_fact(pen, "since", "%s (%s)", screen_time(pen->screen, item->since_us, true, at),
                  item->since);
    for (int i = 0; i < item->n_evidence; i++)
        draw_fact(pen, item->evidence[i].label, "%s", item->evidence[i].text);
    draw_rule(pen);
    draw_causes(pen);
    draw_rule(pen);
    draw_changes(pen, pen_left(pen));
}

static void open_objective(struct pen *pen, int index)
{
    const struct view_objective *row = &pen->screen->view.objectives[index];
    draw_heading(pen, row->name, words_health(row->state));
    draw_fact(pen, "now", "%s good, n %s in the objective's window of %s", row->now, row->n,
              row->window);
    draw_fact(pen, "wanted", "%s", row->want);
    draw_fact(pen, "budget left", "%s", row->budget);
    draw_fact(pen, "burn", "%s over 1 h, %s over 6 h", row->burn_1h, row->burn_6h);
    draw_fact(pen, "method",
              "budget left = 1 - bad / (n * (1 - wanted)); "
              "burn = share of bad events / (1 - wanted), per window");
    draw_fact(pen, "more", "2 shows its budget over time and its burn in every window");
}

void open_now(struct pen *pen)
{
    int32_t tag = grid_tag(screen_grid(pen->screen));
    const struct view *view = &pen->screen->view;
    if (TAG_KIND(tag) == ITEM_ATTENTION && TAG_INDEX(tag) < view->n_attention)
        open_attention(pen, TAG_INDEX(tag));
    else if (TAG_KIND(tag) == ITEM_OBJECTIVE && TAG_INDEX(tag) < view->n_objectives)
        open_objective(pen, TAG_INDEX(tag));
}
