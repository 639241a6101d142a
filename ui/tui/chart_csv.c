/* The chart in front as CSV, for `y`: when somebody asks, the screen is drawn once more, aside, and
 * the first chart leaves the numbers that it is drawn of. One thread. */
#include <math.h>
#include <stdio.h>

#include "engine/base/clock.h"
#include "ui/tui/pages.h"

/* False: nobody asks, or a chart before it was taken down already. */
static bool begin(struct screen *screen, const char *title)
{
    if (!screen->chart_asked || screen->chart_csv.size > 0)
        return false;
    snprintf(screen->chart, sizeof screen->chart, "%s", title);
    words_plain(screen->chart);
    return true;
}

static void put_number(double value, struct buffer *out)
{
    buffer_append_char(out, ',');
    if (isfinite(value))
        buffer_printf(out, "%.10g", value);
}

void chart_csv_take(struct screen *screen)
{
    struct canvas canvas;
    buffer_reset(&screen->chart_csv);
    if (screen->columns < 1 || !canvas_init(&canvas, screen->columns, screen->rows, false))
        return;
    screen->chart_asked = true;
    screen_draw(screen, &canvas);
    screen->chart_asked = false;
    canvas_free(&canvas);
}

void chart_csv_lines(struct screen *screen, const char *title, const struct curve *const *lines,
                     int n, const struct curves *set)
{
    struct buffer *out = &screen->chart_csv;
    if (!begin(screen, title))
        return;
    buffer_append_text(out, "time");
    for (int i = 0; i < n; i++) {
        buffer_append_char(out, ',');
        grid_csv_field(lines[i]->label[0] ? lines[i]->label : lines[i]->name, out);
    }
    for (int point = 0; point < lines[0]->n; point++) {
        char at[TIME_TEXT_SIZE];
        buffer_printf(out, "\r\n%s", time_format(lines[0]->base_us + point * set->step_us, at));
        for (int i = 0; i < n; i++)
            put_number(point < lines[i]->n ? lines[i]->values[point] : NAN, out);
    }
    buffer_append_text(out, "\r\n");
}

void chart_csv_cells(struct screen *screen, const char *title, const struct json *heatmap)
{
    struct buffer *out = &screen->chart_csv;
    const struct json *edges = json_get(heatmap, "edges");
    if (!begin(screen, title))
        return;
    buffer_append_text(out, "time,from,n\r\n");
    for (const struct json *cell = json_first(json_get(heatmap, "cells")); cell;
         cell = json_next(cell)) {
        char at[TIME_TEXT_SIZE];
        const struct json *edge = NULL; /* the first count lies below the first edge */
        time_format((int64_t)json_as_number(json_first(cell), 0) * 1000, at);
        for (const struct json *count = json_first(json_item(cell, 1)); count;
             count = json_next(count)) {
            buffer_append_text(out, at);
            put_number(edge ? json_as_number(edge, NAN) : NAN, out);
            put_number(json_as_number(count, NAN), out);
            buffer_append_text(out, "\r\n");
            edge = edge ? json_next(edge) : json_first(edges);
        }
    }
}
