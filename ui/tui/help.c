/* Keys from the key table, the views, and what the marks and words mean. */
#include <stdio.h>

#include "ui/tui/pages.h"

void fill_help(struct screen *screen, struct grid *grid)
{
    static const struct grid_column columns[] = {{"key", 13, false, 0}, {"does", 40, false, 0}};
    (void)screen;
    int n;
    const struct screen_binding *bindings = screen_bindings(&n);
    grid_begin(grid, columns, 2);
    for (int i = 0; i < VIEW_COUNT; i++) {
        const char key[] = {view_entries[i].key, '\0'};
        grid_row(grid, ITEM_TAG(ITEM_ROW, i));
        grid_text(grid, STYLE_BOLD, key);
        char text[VIEW_LINE_SIZE];
        snprintf(text, sizeof text, "%s: %s", view_entries[i].title, view_entries[i].answers);
        grid_text(grid, STYLE_TEXT, text);
    }
    for (int i = 1; i < n; i++) {
        grid_row(grid, ITEM_TAG(ITEM_ROW, VIEW_COUNT + i));
        grid_text(grid, STYLE_BOLD, bindings[i].shown);
        grid_text(grid, STYLE_TEXT, bindings[i].does);
    }
    grid_end(grid);
}

void draw_help(struct pen *pen)
{
    static const enum health marks[] = {HEALTH_PAGE, HEALTH_TICKET, HEALTH_OK, HEALTH_NODATA};
    draw_heading(pen, "keys and marks", "? or Esc goes back");
    for (int i = 0, column = pen->left + 2; i < 4 && pen_left(pen) > 0; i++)
        column += canvas_printf(pen->canvas, pen->row, column, style_of(marks[i]), "%s %s   ",
                                words_mark(marks[i]), words_health(marks[i]));
    pen->row++;
    draw_rule(pen);
    draw_grid(pen, "");
}
