/* What needs a person, worst first, with the cause and what to do before any other figure. Drawn by
 * the screen's thread. */
#include <stdio.h>
#include <string.h>

#include "ui/tui/pages.h"

#define EVIDENCE_LEFT 11

/* Rows of the evidence's lines: what each needs, and what it gets of those that are left. */
struct evidence_rows {
    int needed[VIEW_EVIDENCE], given[VIEW_EVIDENCE];
    int left;
};

static int need_rows(const struct pen *pen, const struct view_attention *item,
                     struct evidence_rows *rows)
{
    int all = 0;
    *rows = (struct evidence_rows){0};
    for (int i = 0; i < item->n_evidence; i++) {
        rows->needed[i] =
            text_rows(pen->canvas, item->evidence[i].text, pen->width - EVIDENCE_LEFT - 1);
        all += rows->needed[i];
    }
    return all;
}

/* Lets line i have up to `most` rows of those it needs. */
static void give_rows(struct evidence_rows *rows, int i, int most)
{
    int more = (rows->needed[i] < most ? rows->needed[i] : most) - rows->given[i];
    if (more > rows->left)
        more = rows->left;
    if (more <= 0)
        return;
    rows->given[i] += more;
    rows->left -= more;
}

static bool is_conclusion(const struct view_evidence *line)
{
    static const char *const labels[] = {"cause", "impact", "do"};
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
        if (strcmp(line->label, labels[i]) == 0)
            return true;
    return false;
}

/* Who has five seconds needs the cause and what to do before any figure: where there are few rows,
 * the conclusion and the first figure have one each, then the conclusion what it needs, then the
 * rest. */
static void share_rows(const struct view_attention *item, struct evidence_rows *rows)
{
    int n = item->n_evidence;
    for (int i = 0; i < n; i++)
        if (is_conclusion(&item->evidence[i]))
            give_rows(rows, i, 1);
    give_rows(rows, 0, 1);
    for (int i = 0; i < n; i++)
        if (is_conclusion(&item->evidence[i]))
            give_rows(rows, i, rows->needed[i]);
    for (int i = 0; i < n; i++)
        give_rows(rows, i, 1);
    for (int i = 0; i < n; i++)
        give_rows(rows, i, rows->needed[i]);
}

static void draw_evidence_lines(struct pen *pen, const struct view_attention *item)
{
    struct evidence_rows rows;
    need_rows(pen, item, &rows);
    rows.left = pen_left(pen);
    share_rows(item, &rows);
    for (int i = 0; i < item->n_evidence; i++) {
        const struct view_evidence *line = &item->evidence[i];
        if (rows.given[i] == 0)
            continue;
        canvas_put(pen->canvas, pen->row, pen->left + 3, 8, STYLE_QUIET, line->label);
        if (draw_text(pen, pen->left + EVIDENCE_LEFT, pen->width - EVIDENCE_LEFT - 1, rows.given[i],
                      STYLE_TEXT, line->text) == 0)
            pen->row++;
    }
}

/* What is known of it speaks of the canary: who reads that may want to roll it back. */
static bool is_of_canary(const struct view_attention *item)
{
    const char *canary = variant_name(VARIANT_CANARY);
    bool found = strstr(item->title, canary) != NULL;
    for (int i = 0; i < item->n_evidence && !found; i++)
        found = strstr(item->evidence[i].text, canary) != NULL;
    return found;
}

/* What can be pressed about it, where there is a line left for that. */
static void draw_attention_keys(struct pen *pen, const struct view_attention *item)
{
    char keys[80] = "Enter why";
    if (!pen->screen->readonly)
        snprintf(keys, sizeof keys, "%sa acknowledge   s silence   Enter why",
                 is_of_canary(item) ? "x roll the canary back   " : "");
    canvas_put(pen->canvas, pen->row++, pen->left + EVIDENCE_LEFT, pen->width - EVIDENCE_LEFT - 1,
               STYLE_TEXT, keys);
    pen->screen->keys_shown = true;
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

/* Of those there are, the selected one, else the first. */
static int find_open(const struct pen *pen)
{
    for (int i = 0; i < pen->screen->view.n_attention; i++)
        if (screen_is_selected(pen->screen, ITEM_ATTENTION, i))
            return i;
    return 0;
}

int attention_rows(const struct pen *pen)
{
    const struct view *view = &pen->screen->view;
    int wanted = view->n_attention;
    struct evidence_rows needs;
    if (view->n_attention == 0)
        return 0;
    const struct view_attention *item = &view->attention[find_open(pen)];
    need_rows(pen, item, &needs);
    for (int i = 0; i < item->n_evidence; i++)
        wanted += is_conclusion(&item->evidence[i]) ? needs.needed[i] : i == 0;
    return wanted;
}

void draw_attention(struct pen *pen, int rows)
{
    const struct view *view = &pen->screen->view;
    int n = view->n_attention, open = find_open(pen), bottom = pen->bottom;
    if (n == 0) {
        draw_quiet(pen);
        return;
    }
    if (pen->row + rows < pen->bottom)
        pen->bottom = pen->row + rows;
    int first = first_shown(pen, ITEM_ATTENTION, n, rows);
    int titles = n - first < rows ? n - first : rows, spare = rows - titles;
    struct evidence_rows needs;
    int kept = need_rows(pen, &view->attention[open], &needs); /* for the selected one */
    for (int i = first; i < n && pen_left(pen) > 0; i++) {
        bool last = pen_left(pen) == 1 && i + 1 < n;
        if (last && i != open) {
            canvas_printf(pen->canvas, pen->row++, pen->left + 3, STYLE_QUIET,
                          "%d more: j moves to them", n - i);
            break;
        }
        draw_attention_title(pen, i);
        int wanted = need_rows(pen, &view->attention[i], &needs);
        if ((i == open || spare >= wanted + (i < open ? kept : 0)) && spare > 0) {
            int end = pen->bottom;
            pen->bottom = pen->row + (wanted < spare ? wanted : spare);
            spare -= wanted < spare ? wanted : spare;
            draw_evidence_lines(pen, &view->attention[i]);
            pen->bottom = end;
            if (i == open && spare > 0) {
                draw_attention_keys(pen, &view->attention[i]);
                spare--;
            }
        }
    }
    pen->bottom = bottom;
}
