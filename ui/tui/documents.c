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

struct feed_document read_document(struct screen *screen, int64_t every_ms, const char *format, ...)
{
    char target[FEED_TARGET_SIZE];
    va_list list;
    va_start(list, format);
    vsnprintf(target, sizeof target, format, list);
    va_end(list);
    /* A recording's documents are of the picture that was stepped to. */
    bool still = screen->paused && !screen->playing;
    return feed_read(screen->feed, target, still ? FEED_HOLD : every_ms);
}

int64_t list_every(const struct screen *screen, int64_t every_ms)
{
    return screen->opened ? FEED_HOLD : every_ms;
}

double json_double(const struct json *object, const char *key)
{
    return json_as_number(json_get(object, key), NAN);
}

const char *json_word(const struct json *object, const char *key)
{
    return json_as_text(json_get(object, key), "");
}

char *json_moment(const struct screen *screen, const struct json *object, const char *key,
                  char out[WORD_SIZE])
{
    int64_t time_us = 0;
    out[0] = '\0';
    if (time_parse(slice_of(json_word(object, key)), &time_us))
        screen_time(screen, time_us, true, out);
    return out;
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
    /* Points lie on whole steps, the first one perhaps before the range begins. */
    double first_ms = json_as_number(json_first(json_first(points)), NAN);
    int64_t base_us = isfinite(first_ms) ? (int64_t)(first_ms * 1000) : set->from_us;
    int64_t n = step_us > 0 ? (set->to_us - base_us) / step_us + 1 : 0;
    series->last = NAN;
    if (n <= 0 || n > MOST_POINTS || !(series->values = malloc((size_t)n * sizeof(double))))
        return;
    series->n = (int)n;
    series->base_us = base_us;
    for (int i = 0; i < series->n; i++)
        series->values[i] = NAN;
    for (const struct json *point = json_first(points); point; point = json_next(point)) {
        double at_ms = json_as_number(json_first(point), NAN);
        double value = json_as_number(json_item(point, 1), NAN);
        if (!isfinite(at_ms))
            continue;
        int64_t index = ((int64_t)(at_ms * 1000) - base_us) / step_us;
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
    set->step_us = step_us;
    for (const struct json *item = json_first(json_get(history, "series"));
         item && set->n < MAX_CURVES; item = json_next(item)) {
        struct curve *series = &set->series[set->n++];
        const struct json *label = json_first(json_get(item, "labels"));
        snprintf(series->name, sizeof series->name, "%s", json_word(item, "name"));
        snprintf(series->unit, sizeof series->unit, "%s", json_word(item, "unit"));
        const char *value = label ? json_as_text(label, "") : "";
        snprintf(series->label, sizeof series->label, "%s", label && !value[0] ? "none" : value);
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

/* Its label; of several without one the name without its unit: "latency_p95_us" is "p95". */
static void curve_name(const struct curve *curve, bool several, char out[NAME_SIZE])
{
    const char *name = curve->label[0] ? curve->label : several ? curve->name : "";
    const char *cut = strchr(name, '_');
    if (!curve->label[0] && strncmp(name, "latency_", 8) == 0)
        name = cut + 1;
    snprintf(out, NAME_SIZE, "%s", name);
    if (!curve->label[0] && (cut = strrchr(name, '_')) && strcmp(cut, "_us") == 0)
        out[cut - name] = '\0';
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
        char name[NAME_SIZE];
        curve_name(lines[i], n > 1, name);
        column += 3;
        int room = pen->left + pen->width - column;
        if (room < 14)
            break;
        int style = line_style(lines[i], i, chart->style);
        if (name[0]) {
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
    struct plot plot = {.logarithmic = chart->logarithmic,
                        .low = chart->low,
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
    chart_csv_lines(pen->screen, chart->title, lines, n, set);
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
                          .high = NAN,
                          .logarithmic = say == words_latency};
    const struct curve *line = &curve;
    draw_chart(pen, &line, 1, &set, &chart, pen_left(pen));
}
