/* Tiles: drawings in as many columns and rows as have room for them. One thread. */
#include "ui/tui/pages.h"

#define LEAST_WIDTH 58
#define LEAST_ROWS  6
#define GOOD_ROWS   11

void draw_panels(struct pen *pen, const struct panel *panels, int n)
{
    int fit = pen->width / LEAST_WIDTH, down = pen_left(pen) / GOOD_ROWS;
    if (pen_left(pen) < LEAST_ROWS - 2 || n < 1)
        return;
    down = down < 1 ? 1 : down;
    /* Two beside each other read best; a third where not all would be shown. */
    int across = fit < 1 ? 1 : fit > 2 && 2 * down < n ? 3 : fit > 2 ? 2 : fit;
    while (down > 1 && across * (down - 1) >= n)
        down--;
    while (across > 1 && (across - 1) * down >= n)
        across--;
    int shown = across * down < n ? across * down : n;
    int top = pen->row, rows = pen_left(pen) / (down > 0 ? down : 1);
    for (int i = 0; i < shown; i++) {
        /* A last row with fewer of them gives each more room. */
        int line = i / across, place = i % across;
        int here = (line + 1) * across <= shown ? across : shown - line * across;
        int width = pen->width / (here > 0 ? here : 1);
        struct pen part = *pen;
        part.left = pen->left + place * width;
        part.width = width - (place < here - 1);
        part.row = top + line * rows;
        part.bottom = line == down - 1 ? pen->bottom : part.row + rows;
        panels[(i + pen->screen->panel) % n].draw(&part);
    }
    if (shown < n)
        canvas_right(pen->canvas, top - 1, pen->left, pen->width - 2, STYLE_QUIET,
                     " Tab: the next panel ");
    pen->row = pen->bottom;
}
