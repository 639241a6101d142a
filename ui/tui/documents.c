/* Documents of the API made into drawings: why there is none, series as charts, bands as heat maps.
 * What others wrote in them is drawn as text. One thread. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "ui/tui/pages.h"

#define MOST_POINTS 2000
#define BAND_LABEL  9

struct feed_document read_document(struct screen *screen, int64_t every_ms, const char *format, ...)
{
    char target[FEED_TARGET_SIZE];
    va_list list;
    va_start(list, format);
    vsnprintf(target, sizeof target, format, list);
    va_end(list);
    return feed_read(screen->feed, target, every_ms);
}

double json_double(const struct json *object, const char *key)
{
    return json_as_number(json_get(object, key), NAN);
}

const char *json_word(const struct json *object, const char *key)
{
    return json_as_text(json_get(object, key), "");
}

bool draw_absent(struct pen *pen, const struct feed_document *document, const char *what)
{
    static const struct {
        const char *mark, *words;
        int style;
    } pictures[] = {
        [FEED_LOADING] = {"…", "loading", STYLE_QUIET},
        [FEED_READY] = {"○", "no data", STYLE_NODATA},
        [FEED_NOT_OFFERED] = {"○", "not configured", STYLE_NODATA},
        [FEED_REFUSED] = {"◆", "refused: --token FILE names who you are", STYLE_TICKET},
        [FEED_FAILED] = {"◆", "cannot be had", STYLE_TICKET},
        [FEED_AWAY] = {"◆", "no answer", STYLE_TICKET},
    };
    if (document->json)
        return false;
    if (pen_left(pen) <= 0)
        return true;
    enum feed_state state = document->state;
    int style = pictures[state].style;
    canvas_put(pen->canvas, pen->row, pen->left + 1, 1, style, pictures[state].mark);
    char text[400];
    bool why = state != FEED_NOT_OFFERED && document->why[0];
    snprintf(text, sizeof text, "%s: %s%s%s", what, pictures[state].words, why ? ": " : "",
             why ? document->why : "");
    words_plain(text);
    canvas_put(pen->canvas, pen->row++, pen->left + 3, pen->width - 4, style, text);
    return true;
}

/* ---- series ---- */

static void read_points(const struct json *points, const struct curves *set, int64_t step_us,
                        struct curve *series)
{
    int64_t n = step_us > 0 ? (set->to_us - set->from_us) / step_us + 1 : 0;
    series->last = NAN;
    if (n <= 0 || n > MOST_POINTS || !(series->values = malloc((size_t)n * sizeof(double))))
        return;
    series->n = (int)n;
    for (int i = 0; i < series->n; i++)
        series->values[i] = NAN;
    for (const struct json *point = json_first(points); point; point = json_next(point)) {
        double at_ms = json_as_number(json_first(point), NAN);
        double value = json_as_number(json_item(point, 1), NAN);
        if (!isfinite(at_ms))
            continue;
        int64_t index = ((int64_t)(at_ms * 1000) - set->from_us) / step_us;
        if (index >= 0 && index < n)
            series->values[index] = value;
        if (isfinite(value))
            series->last = value;
    }
}

static int64_t read_time(const struct json *json)
{
    int64_t time_us = 0;
    if (json && json_kind(json) == JSON_NUMBER)
        return (int64_t)json_as_number(json, 0) * 1000;
    if (!time_parse(slice_of(json_as_text(json, "")), &time_us))
        time_us = 0;
    return time_us;
}

void curves_read(const struct json *history, struct curves *set)
{
    *set = (struct curves){.from_us = read_time(json_get(history, "from")),
                           .to_us = read_time(json_get(history, "to"))};
    int64_t step_us = (int64_t)(json_as_number(json_get(history, "step_s"), 0) * 1e6);
    for (const struct json *item = json_first(json_get(history, "series"));
         item && set->n < MAX_CURVES; item = json_next(item)) {
        struct curve *series = &set->series[set->n++];
        const struct json *label = json_first(json_get(item, "labels"));
        snprintf(series->name, sizeof series->name, "%s", json_word(item, "name"));
        snprintf(series->unit, sizeof series->unit, "%s", json_word(item, "unit"));
        snprintf(series->label, sizeof series->label, "%s", label ? json_as_text(label, "") : "");
        words_plain(series->name);
        words_plain(series->label);
        read_points(json_get(item, "points"), set, step_us, series);
    }
}

void curves_free(struct curves *set)
{
    for (int i = 0; i < set->n; i++)
        free(set->series[i].values);
    set->n = 0;
}

const struct curve *curves_find(const struct curves *set, const char *name)
{
    for (int i = 0; i < set->n; i++)
        if (strcmp(set->series[i].name, name) == 0 && set->series[i].values)
            return &set->series[i];
    return NULL;
}

static char *say_moment(const void *context, int64_t time_us, char out[WORD_SIZE])
{
    const struct screen *screen = context;
    return screen_time(screen, time_us, false, out);
}

/* Champion, canary and shadow as everywhere; else one after the other. */
static int line_style(const struct curve *series, int index, int first)
{
    static const struct {
        const char *label;
        int style;
    } arms[] = {{"champion", STYLE_CHAMPION}, {"canary", STYLE_CANARY}, {"shadow", STYLE_SHADOW}};
    static const int others[] = {STYLE_CHAMPION, STYLE_CANARY, STYLE_SHADOW,
                                 STYLE_TEXT,     STYLE_QUIET,  STYLE_OK};
    for (size_t i = 0; i < sizeof arms / sizeof *arms; i++)
        if (strcmp(series->label, arms[i].label) == 0)
            return arms[i].style;
    return index == 0 && first ? first : others[index % 6];
}

static void draw_legend(struct pen *pen, int row, const struct chart *chart,
                        const struct curve *const *lines, int n)
{
    static const char *const dashes[] = {"──", "╌╌", "··"};
    int column =
        pen->left + 1 +
        canvas_put(pen->canvas, row, pen->left + 1, pen->width - 2, STYLE_BOLD, chart->title);
    for (int i = 0; i < n; i++) {
        char value[WORD_SIZE];
        const char *name = lines[i]->label[0] ? lines[i]->label : n > 1 ? lines[i]->name : "";
        column += 3;
        int room = pen->left + pen->width - column;
        if (room < 14)
            break;
        int style = line_style(lines[i], i, chart->style);
        if (*name) {
            column += canvas_put(pen->canvas, row, column, room, style, dashes[i % 3]) + 1;
            column += canvas_put(pen->canvas, row, column, room - 4, STYLE_TEXT, name) + 1;
        }
        column +=
            canvas_put(pen->canvas, row, column, pen->left + pen->width - column, STYLE_TEXT,
                       isfinite(lines[i]->last) ? chart->say(lines[i]->last, value) : words_nodata);
    }
}

void draw_chart(struct pen *pen, const struct curve *const *lines, int n, const struct curves *set,
                const struct chart *chart, int rows)
{
    if (rows > pen_left(pen))
        rows = pen_left(pen);
    if (rows < 3)
        return;
    struct plot plot = {.low = chart->low,
                        .high = chart->high,
                        .limit = chart->limit,
                        .limit_word = chart->limit_word,
                        .limit_style = STYLE_TICKET,
                        .say = chart->say,
                        .from_us = set->from_us,
                        .to_us = set->to_us,
                        .say_time = say_moment,
                        .context = pen->screen};
    for (int i = 0; i < n && plot.n_lines < PLOT_LINES; i++)
        plot.lines[plot.n_lines++] =
            (struct plot_line){.values = lines[i]->values,
                               .n = lines[i]->n,
                               .style = line_style(lines[i], i, chart->style),
                               .dash = n > 1 ? i % 3 : 0};
    draw_legend(pen, pen->row, chart, lines, n);
    plot_draw(pen->canvas, &plot, pen->row + 1, pen->left, pen->width - 1, rows - 1);
    pen->row += rows;
}

bool has_history(struct screen *screen)
{
    struct feed_document document = read_document(screen, 60000, "/api/v1/history/series");
    return document.state != FEED_NOT_OFFERED;
}

void draw_last_minutes(struct pen *pen, const struct view_series *series, const char *title,
                       char *(*say)(double value, char out[WORD_SIZE]), double limit)
{
    double values[HISTORY_POINTS];
    const struct history *history = &series->history;
    struct curve curve = {.values = values, .n = HISTORY_POINTS, .last = NAN};
    struct curves set = {.to_us = pen->screen->view.time_us};
    char heading[80];
    set.from_us = set.to_us - HISTORY_POINTS * US_PER_S;
    for (int i = 0; i < HISTORY_POINTS; i++) {
        int point = i - (HISTORY_POINTS - history->n);
        values[i] = point >= 0 ? (double)history->points[point] : NAN;
        curve.last = isfinite(values[i]) ? values[i] : curve.last;
    }
    snprintf(heading, sizeof heading, "%s, last 2 min", title);
    struct chart chart = {.title = heading,
                          .say = say,
                          .limit = limit,
                          .limit_word = "objective",
                          .low = 0,
                          .high = NAN};
    const struct curve *line = &curve;
    draw_chart(pen, &line, 1, &set, &chart, pen_left(pen));
}

/* ---- heat maps ---- */

struct heat {
    const struct json *edges, *cells;
    int n_bands, n_times;
    double *counts; /* n_times rows of n_bands; NaN: no data */
    double largest;
    int64_t first_ms, last_ms;
};

static bool heat_read(const struct json *heatmap, struct heat *heat)
{
    *heat = (struct heat){.edges = json_get(heatmap, "edges"), .cells = json_get(heatmap, "cells")};
    heat->n_times = heat->cells ? (int)json_size(heat->cells) : 0;
    const struct json *first = heat->cells ? json_first(heat->cells) : NULL;
    heat->n_bands = first && json_item(first, 1) ? (int)json_size(json_item(first, 1)) : 0;
    if (heat->n_times < 1 || heat->n_bands < 1 || heat->n_times > MOST_POINTS)
        return false;
    heat->counts = malloc((size_t)heat->n_times * (size_t)heat->n_bands * sizeof(double));
    if (!heat->counts)
        return false;
    int time = 0;
    for (const struct json *cell = first; cell; cell = json_next(cell), time++) {
        int band = 0;
        int64_t at_ms = (int64_t)json_as_number(json_first(cell), 0);
        heat->first_ms = time == 0 ? at_ms : heat->first_ms;
        heat->last_ms = at_ms;
        for (const struct json *count = json_first(json_item(cell, 1));
             count && band < heat->n_bands; count = json_next(count), band++) {
            double value = json_as_number(count, NAN);
            heat->counts[time * heat->n_bands + band] = value;
            heat->largest = fmax(heat->largest, value);
        }
        for (; band < heat->n_bands; band++)
            heat->counts[time * heat->n_bands + band] = NAN;
    }
    return true;
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

static void draw_bands(struct pen *pen, const struct heat *heat, int rows, double limit,
                       char *(*say)(double, char[WORD_SIZE]))
{
    int wide = pen->width - BAND_LABEL - 2, left = pen->left + BAND_LABEL + 1;
    double most = 0;
    bool drawn = false;
    for (int pass = 0; pass < 2; pass++)
        for (int row = 0; row < rows; row++) {
            int low, high, from, to;
            heat_range(rows - 1 - row, rows, heat->n_bands, &low, &high);
            double edge = json_as_number(json_item(heat->edges, (size_t)low), NAN);
            for (int column = 0; column < wide; column++) {
                heat_range(column, wide, heat->n_times, &from, &to);
                double sum = heat_sum(heat, from, to, low, high);
                if (pass == 0)
                    most = fmax(most, sum);
                else
                    heat_cell(pen->canvas, pen->row + row, left + column,
                              isnan(sum) ? -1 : heat_level(most > 0 ? sum / most : 0));
            }
            if (pass == 0)
                continue;
            char text[WORD_SIZE];
            bool here = isfinite(limit) && !drawn && edge < limit;
            int style = here ? STYLE_TICKET : STYLE_QUIET;
            if (row % 2 == 0 || here || row == rows - 1)
                canvas_right(pen->canvas, pen->row + row, pen->left + 1, BAND_LABEL - 2, style,
                             here             ? say(limit, text)
                             : isfinite(edge) ? say(edge, text)
                                              : "");
            canvas_put(pen->canvas, pen->row + row, left - 1, 1, here ? style : STYLE_RULE,
                       here ? "├" : "┤");
            if (here)
                for (int column = 0; column < wide; column++)
                    if (strcmp(canvas_cell(pen->canvas, pen->row + row, left + column)->text,
                               " ") == 0)
                        canvas_put(pen->canvas, pen->row + row, left + column, 1, STYLE_TICKET,
                                   "┄");
            drawn = drawn || here;
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
    if (!heat_read(heatmap, &heat)) {
        canvas_put(pen->canvas, pen->row++, pen->left + 3, pen->width - 4, STYLE_NODATA, "no data");
        return;
    }
    draw_bands(pen, &heat, rows - 1, limit, say);
    pen->row += rows - 1;
    screen_time(pen->screen, heat.first_ms * 1000, false, from);
    screen_time(pen->screen, heat.last_ms * 1000, false, to);
    canvas_put(pen->canvas, pen->row, pen->left + BAND_LABEL + 1, 20, STYLE_QUIET, from);
    canvas_right(pen->canvas, pen->row++, pen->left + pen->width - 21, 20, STYLE_QUIET, to);
    free(heat.counts);
}
