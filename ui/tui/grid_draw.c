/* The list of a page: titles with the mark of the order, the rows around the selected one, and how
 * many there are. One thread. */
#include <stdio.h>
#include <string.h>

#include "ui/tui/pages.h"

/* Text may be long: the widest column takes what is left. Of a list that ends with numbers it takes
 * as much again as it has, and all share the rest: names stay near their numbers. */
static void widen(const struct grid *grid, int rest, int n, int widths[GRID_MAX_COLUMNS])
{
    int widest = 0, last = 0, shown = 0;
    for (int i = 0; i < n; i++) {
        widest = widths[i] > widths[widest] ? i : widest;
        last = widths[i] ? i : last;
        shown += widths[i] > 0;
    }
    int taken = grid->columns[last].right && rest > widths[widest] ? widths[widest] : rest;
    widths[widest] += taken;
    if (widths[widest] < 4)
        widths[widest] = 4;
    for (int i = 0; i < n && shown > 0; i++)
        widths[i] += widths[i] ? (rest - taken) / shown : 0;
}

/* The columns that there is room for, and their widths. */
static int lay_out(const struct grid *grid, int room, int widths[GRID_MAX_COLUMNS])
{
    int used = 0, n = grid->n_columns < GRID_MAX_COLUMNS ? grid->n_columns : GRID_MAX_COLUMNS;
    for (int i = 0; i < n; i++) {
        widths[i] = grid->columns[i].from_width <= room ? grid->columns[i].width : 0;
        used += widths[i] ? widths[i] + 1 : 0;
    }
    widen(grid, room - used, n, widths);
    return n;
}

static void draw_titles(struct pen *pen, const struct grid *grid, const int *widths, int n)
{
    int column = pen->left + 2;
    for (int i = 0; i < n; i++) {
        char title[64];
        if (!widths[i])
            continue;
        const char *mark = grid->sort != i ? "" : grid->descending ? "↓" : "↑";
        snprintf(title, sizeof title, "%s%s", mark, grid->columns[i].title);
        int style = grid->sort == i ? STYLE_BOLD : STYLE_QUIET;
        if (grid->columns[i].right)
            canvas_right(pen->canvas, pen->row, column, widths[i], style, title);
        else
            canvas_put(pen->canvas, pen->row, column, widths[i], style, title);
        column += widths[i] + 1;
    }
    pen->row++;
}

static void draw_row(struct pen *pen, const struct grid *grid, size_t row, const int *widths, int n)
{
    bool selected = row == grid->selected;
    int column = pen->left + 2;
    if (selected)
        canvas_put(pen->canvas, pen->row, pen->left, 1, STYLE_BOLD, "›");
    for (int i = 0; i < n; i++) {
        const struct grid_cell *cell = grid_cell(grid, row, i);
        const char *text = grid->texts.data + cell->text;
        int style = cell->style | (selected ? STYLE_BOLD : 0);
        if (!widths[i])
            continue;
        if (grid->columns[i].right)
            canvas_right(pen->canvas, pen->row, column, widths[i], style, text);
        else
            canvas_put(pen->canvas, pen->row, column, widths[i], style, text);
        column += widths[i] + 1;
    }
    pen->row++;
}

/* "3 of 120", with the filter when there is one. */
static void draw_place(struct pen *pen, const struct grid *grid)
{
    char at[WORD_SIZE], shown[WORD_SIZE], all[WORD_SIZE], text[VIEW_LINE_SIZE];
    if (pen_left(pen) <= 0)
        return;
    words_count(grid->selected + 1, at);
    words_count(grid->n_shown, shown);
    words_count(grid->n, all);
    if (grid->n_shown < grid->n)
        snprintf(text, sizeof text, "%s of %s shown, %s in all", at, shown, all);
    else
        snprintf(text, sizeof text, "%s of %s", at, all);
    canvas_right(pen->canvas, pen->row, pen->left + 1, pen->width - 2, STYLE_QUIET, text);
    pen->row++;
}

static void draw_none(struct pen *pen, const struct grid *grid, const char *empty)
{
    char text[VIEW_LINE_SIZE];
    if (grid->n > 0)
        snprintf(text, sizeof text, "no line %s '%s'; Esc shows all",
                 grid->inverse ? "is left by" : "matches", grid->filter);
    else
        snprintf(text, sizeof text, "%s", empty);
    words_plain(text);
    draw_text(pen, pen->left + 2, pen->width - 3, 3, STYLE_NODATA, text);
}

void draw_grid(struct pen *pen, const char *empty)
{
    struct screen *screen = pen->screen;
    const struct grid *grid = screen_grid(screen);
    int widths[GRID_MAX_COLUMNS] = {0};
    if (pen_left(pen) <= 0)
        return;
    screen->body_rows = 0;
    if (grid->n_shown == 0) {
        draw_none(pen, grid, empty);
        return;
    }
    int n = lay_out(grid, pen->width - 3, widths);
    if (pen_left(pen) > 1)
        draw_titles(pen, grid, widths, n);
    int rows = pen_left(pen);
    if ((size_t)rows < grid->n_shown && rows > 2)
        rows--; /* for the place */
    size_t first = grid->selected < (size_t)rows ? 0 : grid->selected - (size_t)rows + 1;
    screen->body_row = pen->row;
    screen->body_top = first;
    for (size_t i = first; i < grid->n_shown && rows > 0; i++, rows--) {
        draw_row(pen, grid, i, widths, n);
        screen->body_rows++;
    }
    if (first > 0 || first + (size_t)screen->body_rows < grid->n_shown)
        draw_place(pen, grid);
}
