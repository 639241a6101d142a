/* The first page: what hurts, the objectives, and one line each for rate, split, decisions, drift,
 * quarantine and the newest decision. Wide terminals get more beside it, tall ones below it. */
#include "ui/tui/pages.h"

#define WIDE 130 /* from here on two columns */

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
    int spare = pen_left(pen) - SUMMARY_LINES - 2, summary = SUMMARY_LINES;
    /* What hurts comes before lines that sum up. */
    while (summary > SUMMARY_LEAST && attention_rows(pen) > spare - objectives) {
        summary--;
        spare++;
    }
    if (objectives > spare - 2)
        objectives = spare - 2 > 2 ? spare - 2 : 2;
    draw_attention(pen, spare - objectives > 1 ? spare - objectives : 1);
    draw_rule(pen);
    draw_objectives(pen, objectives);
    draw_rule(pen);
    draw_summary(pen, summary);
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
