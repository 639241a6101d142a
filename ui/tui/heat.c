/* Heat maps: counts by band and time, the highest band first, cropped to the bands that hold
 * anything, with the objective as a line. One thread. */
#include <math.h>
#include <stdlib.h>

#include "ui/tui/pages.h"

#define MOST_POINTS 2000
#define BAND_LABEL  9 /* columns of the edges' numbers */

struct heat {
    const struct json *cells;
    double *edges; /* the lower edge of each band; NaN: it has none */
    int n_bands, n_times;
    double *counts; /* n_times rows of n_bands; NaN: no data */
    int64_t first_ms, last_ms;
};

/* With an edge less than bands the first band lies below the first edge. */
static void read_edges(const struct json *edges, struct heat *heat)
{
    bool below = edges && (int)json_size(edges) < heat->n_bands;
    const struct json *edge = edges ? json_first(edges) : NULL;
    for (int band = 0; band < heat->n_bands; band++) {
        heat->edges[band] = below && band == 0 ? NAN : json_as_number(edge, NAN);
        if (edge && !(below && band == 0))
            edge = json_next(edge);
    }
}

static void read_cells(struct heat *heat)
{
    int time = 0;
    for (const struct json *cell = json_first(heat->cells); cell; cell = json_next(cell), time++) {
        const struct json *count = json_first(json_item(cell, 1));
        int64_t at_ms = (int64_t)json_as_number(json_first(cell), 0);
        heat->first_ms = time == 0 ? at_ms : heat->first_ms;
        heat->last_ms = at_ms;
        for (int band = 0; band < heat->n_bands; band++) {
            heat->counts[time * heat->n_bands + band] = json_as_number(count, NAN);
            count = count ? json_next(count) : NULL;
        }
    }
}

static void heat_free(struct heat *heat)
{
    free(heat->counts);
    free(heat->edges);
}

static bool heat_read(const struct json *heatmap, struct heat *heat)
{
    *heat = (struct heat){.cells = json_get(heatmap, "cells")};
    for (const struct json *cell = heat->cells ? json_first(heat->cells) : NULL; cell;
         cell = json_next(cell)) {
        int bands = json_item(cell, 1) ? (int)json_size(json_item(cell, 1)) : 0;
        heat->n_bands = bands > heat->n_bands ? bands : heat->n_bands;
        heat->n_times++;
    }
    if (heat->n_bands < 1 || heat->n_times > MOST_POINTS)
        return false;
    heat->counts = malloc((size_t)heat->n_times * (size_t)heat->n_bands * sizeof(double));
    heat->edges = malloc((size_t)heat->n_bands * sizeof(double));
    if (!heat->counts || !heat->edges) {
        heat_free(heat);
        return false;
    }
    read_edges(json_get(heatmap, "edges"), heat);
    read_cells(heat);
    return true;
}

/* The bands that hold anything, and the limit's with them. */
static void heat_crop(const struct heat *heat, double limit, int *low, int *high)
{
    *low = heat->n_bands;
    *high = 0;
    for (int band = 0; band < heat->n_bands; band++) {
        bool any = isfinite(limit) && heat->edges[band] >= limit &&
                   (band == 0 || !(heat->edges[band - 1] >= limit));
        for (int time = 0; time < heat->n_times && !any; time++)
            any = heat->counts[time * heat->n_bands + band] > 0;
        if (!any)
            continue;
        *low = band < *low ? band : *low;
        *high = band + 1;
    }
    if (*high <= *low) {
        *low = 0;
        *high = heat->n_bands;
    }
}

/* Sums of the bands and times that fall on a cell of the screen. */
static double heat_sum(const struct heat *heat, int time_from, int time_to, int band_from,
                       int band_to)
{
    double sum = 0;
    bool any = false;
    for (int time = time_from; time < time_to; time++)
        for (int band = band_from; band < band_to; band++) {
            double value = heat->counts[time * heat->n_bands + band];
            if (isfinite(value)) {
                sum += value;
                any = true;
            }
        }
    return any ? sum : NAN;
}

static void heat_range(int index, int cells, int n, int *from, int *to)
{
    *from = (int)((long)index * n / cells);
    *to = (int)((long)(index + 1) * n / cells);
    if (*to <= *from)
        *to = *from + 1;
}

/* The place of one drawing of bands on the screen. */
struct heat_area {
    const struct heat *heat;
    int low, high;             /* bands */
    int row, rows, left, wide; /* cells */
};

static double area_sum(const struct heat_area *area, int row, int column)
{
    int from, to, low, high;
    heat_range(area->rows - 1 - row, area->rows, area->high - area->low, &low, &high);
    heat_range(column, area->wide, area->heat->n_times, &from, &to);
    return heat_sum(area->heat, from, to, area->low + low,
                    area->low + high < area->high ? area->low + high : area->high);
}

static double area_edge(const struct heat_area *area, int row)
{
    int low, high;
    heat_range(area->rows - 1 - row, area->rows, area->high - area->low, &low, &high);
    return area->heat->edges[area->low + low];
}

/* The row whose band begins at or below the limit, -1 when none does. */
static int limit_row(const struct heat_area *area, double limit)
{
    for (int row = 0; row < area->rows && isfinite(limit); row++)
        if (area_edge(area, row) <= limit)
            return row;
    return -1;
}

static void draw_band(struct pen *pen, const struct heat_area *area, int row, double most,
                      bool limit)
{
    for (int column = 0; column < area->wide; column++) {
        double sum = area_sum(area, row, column);
        int level = isnan(sum) ? -1 : heat_level(most > 0 ? sum / most : 0);
        if (level == 0 && limit)
            canvas_put(pen->canvas, area->row + row, area->left + column, 1, STYLE_TICKET, "┄");
        else
            heat_cell(pen->canvas, area->row + row, area->left + column, level);
    }
}

static void draw_bands(struct pen *pen, const struct heat_area *area, double limit,
                       char *(*say)(double, char[WORD_SIZE]))
{
    double most = 0;
    int at = limit_row(area, limit);
    for (int row = 0; row < area->rows; row++)
        for (int column = 0; column < area->wide; column++)
            most = fmax(most, area_sum(area, row, column));
    for (int row = 0; row < area->rows; row++) {
        char text[WORD_SIZE] = "";
        double edge = area_edge(area, row);
        bool here = row == at;
        int style = here ? STYLE_TICKET : STYLE_QUIET;
        draw_band(pen, area, row, most, here);
        if (here)
            say(limit, text);
        else if (isfinite(edge) && (row == 0 || row == area->rows - 1 || row % 3 == 0) &&
                 (at < 0 || abs(row - at) > 1))
            say(edge, text);
        canvas_right(pen->canvas, area->row + row, pen->left + 1, BAND_LABEL - 2, style, text);
        canvas_put(pen->canvas, area->row + row, area->left - 1, 1, here ? style : STYLE_RULE,
                   here ? "├" : "┤");
    }
}

void draw_heatmap(struct pen *pen, const struct json *heatmap, int rows, double limit,
                  char *(*say)(double value, char out[WORD_SIZE]))
{
    struct heat heat;
    char from[WORD_SIZE], to[WORD_SIZE];
    if (rows > pen_left(pen))
        rows = pen_left(pen);
    if (rows < 3)
        return;
    chart_csv_cells(pen->screen, json_word(heatmap, "of"), heatmap);
    if (!heat_read(heatmap, &heat)) {
        canvas_put(pen->canvas, pen->row++, pen->left + 3, pen->width - 4, STYLE_NODATA, "no data");
        return;
    }
    struct heat_area area = {.heat = &heat,
                             .row = pen->row,
                             .rows = rows - 1,
                             .left = pen->left + BAND_LABEL + 1,
                             .wide = pen->width - BAND_LABEL - 2};
    heat_crop(&heat, limit, &area.low, &area.high);
    if (area.rows > area.high - area.low)
        area.rows = area.high - area.low;
    draw_bands(pen, &area, limit, say);
    pen->row += area.rows;
    screen_time(pen->screen, heat.first_ms * 1000, false, from);
    screen_time(pen->screen, heat.last_ms * 1000, false, to);
    canvas_put(pen->canvas, pen->row, area.left, 20, STYLE_QUIET, from);
    canvas_right(pen->canvas, pen->row++, pen->left + pen->width - 21, 20, STYLE_QUIET, to);
    heat_free(&heat);
}
