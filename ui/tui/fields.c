/* What came in against what is usual: fields, volume, freshness, duplicates, expectations, and the
 * series that are held against their past. One thread. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/tui/pages.h"

#define FRESH_MS 5000

static struct feed_document read_quality(struct screen *screen)
{
    return read_document(screen, FRESH_MS, "/api/v1/quality");
}

static enum health health_of(const struct json *item)
{
    const char *state = json_word(item, "state");
    return strcmp(state, "page") == 0     ? HEALTH_PAGE
           : strcmp(state, "ticket") == 0 ? HEALTH_TICKET
           : strcmp(state, "failed") == 0 ? HEALTH_TICKET
           : strcmp(state, "ok") == 0     ? HEALTH_OK
                                          : HEALTH_NODATA;
}

static uint64_t count_of(const struct json *object, const char *name)
{
    double count = json_double(object, name);
    return count > 0 ? (uint64_t)count : 0;
}

static int draw_mark(struct pen *pen, enum health health, const char *name, int width)
{
    int style = health >= HEALTH_TICKET ? style_of(health) : STYLE_TEXT;
    canvas_put(pen->canvas, pen->row, pen->left + 1, 1, style_of(health), words_mark(health));
    canvas_put(pen->canvas, pen->row, pen->left + 3, width, style, name);
    return style;
}

/* ---- fields ---- */

static int name_width(const struct pen *pen)
{
    int width = pen->width - 41;
    return width > 30 ? 30 : width;
}

static void draw_field(struct pen *pen, const struct json *field)
{
    static const char *const ratios[] = {"null_ratio", "usual_null_ratio", "invalid_ratio",
                                         "usual_invalid_ratio"};
    const char *name = json_word(field, "field");
    int width = name_width(pen), left = pen->left + 3 + width;
    int style =
        draw_mark(pen, health_of(field), *name ? name : json_word(field, "name"), width - 1);
    for (int i = 0; i < 4; i++) {
        char share[WORD_SIZE];
        double ratio = json_double(field, ratios[i]);
        canvas_right(pen->canvas, pen->row, left + i * 9, 8, i % 2 ? STYLE_QUIET : style,
                     isnan(ratio) ? "–" : words_share(ratio, count_of(field, "n"), share));
    }
    pen->row++;
}

static void draw_field_heads(struct pen *pen)
{
    static const char *const heads[] = {"missing", "usual", "invalid", "usual"};
    int left = pen->left + 3 + name_width(pen);
    canvas_put(pen->canvas, pen->row, pen->left + 3, 20, STYLE_QUIET, "field");
    for (int i = 0; i < 4; i++)
        canvas_right(pen->canvas, pen->row, left + i * 9, 8, STYLE_QUIET, heads[i]);
    pen->row++;
}

/* Those that are not sound first; those that find no room are counted. */
static void draw_field_list(struct pen *pen, const struct json *fields)
{
    int n = (int)json_size(fields), drawn = 0;
    if (n == 0 || pen_left(pen) < 2)
        return;
    draw_field_heads(pen);
    int room = n <= pen_left(pen) ? n : pen_left(pen) - 1;
    for (int pass = 0; pass < 2; pass++)
        for (const struct json *field = json_first(fields); field; field = json_next(field))
            if ((health_of(field) >= HEALTH_TICKET) == (pass == 0) && drawn < room) {
                draw_field(pen, field);
                drawn++;
            }
    if (drawn < n && pen_left(pen) > 0)
        canvas_printf(pen->canvas, pen->row++, pen->left + 3, STYLE_QUIET,
                      "%d more, none worse; a taller terminal shows them", n - drawn);
}

/* "volume 29.6/s · usual 31   age 1 s, 95 % within 1 s   duplicates 0 %" */
static void draw_flow(struct pen *pen, const struct json *quality)
{
    const struct json *volume = json_get(quality, "volume");
    const struct json *fresh = json_get(quality, "freshness");
    const struct json *twice = json_get(quality, "duplicates");
    char now[WORD_SIZE], usual[WORD_SIZE], age[WORD_SIZE], share[WORD_SIZE];
    double value = json_double(volume, "value"), normal = json_double(volume, "usual");
    double p95 = json_double(fresh, "age_p95_s"), ratio = json_double(twice, "ratio");
    enum health health = health_of(volume);
    enum health aged = health_of(fresh);
    const char *why = json_word(volume, "why");
    if (isnan(normal))
        draw_fact(pen, "volume", "%s%s%s", isnan(value) ? "" : words_rate(value, now),
                  isnan(value) ? "" : " · usual: ", why[0] ? why : words_nodata);
    else
        draw_fact(pen, "volume", "%s%s · usual %s%s%s", health >= HEALTH_TICKET ? "◆ " : "",
                  isnan(value) ? words_nodata : words_rate(value, now), words_rate(normal, usual),
                  why[0] ? ": " : "", why);
    draw_fact(pen, "freshness", "%s95 %% of events no older than %s; %s%s seen before",
              aged >= HEALTH_TICKET ? "◆ " : "",
              isnan(p95) ? words_nodata : words_duration((int64_t)(p95 * 1e6), age),
              isnan(ratio) ? "" : words_share(ratio, 100000, share),
              isnan(ratio) ? words_nodata : "");
}

static void draw_expectations(struct pen *pen, const struct json *list)
{
    for (const struct json *item = json_first(list); item && pen_left(pen) > 0;
         item = json_next(item)) {
        draw_mark(pen, health_of(item), json_word(item, "name"), 22);
        canvas_put(pen->canvas, pen->row++, pen->left + 26, pen->width - 27, STYLE_QUIET,
                   json_word(item, "check"));
    }
}

void draw_fields(struct pen *pen)
{
    struct feed_document document = read_quality(pen->screen);
    char from[WORD_SIZE], to[WORD_SIZE], note[3 * WORD_SIZE];
    if (draw_absent(pen, &document, "fields, freshness and volume"))
        return;
    json_moment(pen->screen, document.json, "from", from);
    json_moment(pen->screen, document.json, "to", to);
    snprintf(note, sizeof note, "%s%s%s", from, from[0] ? " to " : "", to);
    draw_heading(pen, "what comes in", note);
    draw_flow(pen, document.json);
    draw_expectations(pen, json_get(document.json, "expectations"));
    draw_field_list(pen, json_get(document.json, "fields"));
}

/* ---- against the past ---- */

static char *say_unit(const char *series, double value, char out[WORD_SIZE])
{
    if (isnan(value)) {
        snprintf(out, WORD_SIZE, "–");
        return out;
    }
    if (strstr(series, "_ratio"))
        return words_share(value, 100000, out);
    if (strstr(series, "_per_s"))
        return words_rate(value, out);
    if (strstr(series, "_us"))
        return words_latency(value, out);
    if (strstr(series, "_s"))
        return words_duration((int64_t)(value * 1e6), out);
    return words_statistic(value, 0.01, out);
}

static void draw_against(struct pen *pen, const struct json *item)
{
    const char *series = json_word(item, "series");
    char now[WORD_SIZE], usual[WORD_SIZE], low[WORD_SIZE], high[WORD_SIZE], range[3 * WORD_SIZE];
    int style = draw_mark(pen, health_of(item), series, 17), left = pen->left + 20;
    double least = json_double(item, "low"), most = json_double(item, "high");
    canvas_right(pen->canvas, pen->row, left, 9, style,
                 say_unit(series, json_double(item, "value"), now));
    canvas_right(pen->canvas, pen->row, left + 9, 9, STYLE_QUIET,
                 say_unit(series, json_double(item, "usual"), usual));
    range[0] = '\0';
    if (isfinite(least) && isfinite(most))
        snprintf(range, sizeof range, "%s–%s", say_unit(series, least, low),
                 say_unit(series, most, high));
    canvas_put(pen->canvas, pen->row++, left + 20, pen->width - 41, STYLE_QUIET,
               range[0] ? range : json_word(item, "why"));
}

void draw_usual(struct pen *pen)
{
    struct feed_document document = read_quality(pen->screen);
    const struct json *list = json_get(document.json, "anomalies");
    draw_heading(pen, "against what is usual", "the same hour of other weeks");
    if (draw_absent(pen, &document, "what is usual"))
        return;
    int left = pen->left + 20;
    canvas_right(pen->canvas, pen->row, left, 9, STYLE_QUIET, "now");
    canvas_right(pen->canvas, pen->row, left + 9, 9, STYLE_QUIET, "usual");
    canvas_put(pen->canvas, pen->row++, left + 20, pen->width - 41, STYLE_QUIET, "expected");
    for (const struct json *item = json_first(list); item && pen_left(pen) > 0;
         item = json_next(item))
        draw_against(pen, item);
}
