/* Views of one's own: the panels of the selected one, as charts, numbers and heat maps. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ui/tui/pages.h"

#define EVERY_MS 10000

static struct feed_document read_views(struct screen *screen)
{
    return read_document(screen, 60000, "/api/v1/views");
}

enum own_search own_find(struct screen *screen, const char *word, char name[NAME_SIZE])
{
    struct feed_document document = read_views(screen);
    const struct json *list = json_get(document.json, "views");
    enum own_search found = OWN_NONE;
    size_t length = strlen(word);
    snprintf(name, NAME_SIZE, "%s", word);
    if (!list)
        return document.state == FEED_NOT_OFFERED ? OWN_NONE : OWN_UNKNOWN;
    for (const struct json *view = json_first(list); view; view = json_next(view)) {
        const char *this = json_word(view, "name");
        bool begins = length > 0 && strncasecmp(this, word, length) == 0;
        if (!begins)
            continue;
        if (found == OWN_NONE || strlen(this) == length)
            snprintf(name, NAME_SIZE, "%s", this);
        if (strlen(this) == length)
            return OWN_NAMED;
        found = found == OWN_NONE ? OWN_BEGUN : OWN_SEVERAL;
    }
    return found;
}

bool own_is_asked(struct screen *screen)
{
    return read_views(screen).state == FEED_LOADING;
}

/* The view that was gone to by its name, once the list is there. */
static void select_asked(struct screen *screen, struct grid *grid,
                         const struct feed_document *document)
{
    if (!screen->own[0] || (!document->json && document->state != FEED_NOT_OFFERED))
        return;
    grid_set_filter(grid, "");
    bool found = false;
    for (size_t i = 0; i < grid->n_shown && !found; i++) {
        found = strcasecmp(grid_cell_text(grid, i, 0), screen->own) == 0;
        grid->selected = found ? i : grid->selected;
    }
    if (!found)
        screen_say(screen, STYLE_TICKET, "there is no view '%s'", screen->own);
    screen->own[0] = '\0';
}

void fill_own(struct screen *screen, struct grid *grid)
{
    static const struct grid_column columns[] = {
        {"view", 20, false, 0}, {"title", 40, false, 0}, {"panels", 8, true, 0}};
    struct feed_document document = read_views(screen);
    const struct json *list = json_get(document.json, "views");
    int index = 0;
    if (grid_is_of(grid, document.version)) {
        select_asked(screen, grid, &document);
        return;
    }
    grid_begin(grid, columns, 3);
    for (const struct json *view = list ? json_first(list) : NULL; view;
         view = json_next(view), index++) {
        char n[WORD_SIZE];
        const struct json *panels = json_get(view, "panels");
        grid_row(grid, ITEM_TAG(ITEM_ROW, index));
        grid_text(grid, STYLE_TEXT, json_word(view, "name"));
        grid_text(grid, STYLE_TEXT, json_word(view, "title"));
        grid_text(grid, STYLE_QUIET, words_count(panels ? json_size(panels) : 0, n));
    }
    grid_end(grid);
    select_asked(screen, grid, &document);
}

/* An expression as a part of a query. */
static void encode(const char *text, char *out, size_t size)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t used = 0;
    for (; *text && used + 4 < size; text++) {
        if (strchr(plain, *text))
            out[used++] = *text;
        else
            used += (size_t)snprintf(out + used, size - used, "%%%02X", (unsigned char)*text);
    }
    out[used] = '\0';
}

static char *say_number(double value, char out[WORD_SIZE])
{
    char size[WORD_SIZE];
    if (fabs(value) >= 1000 && fabs(value) < 1e15) {
        words_count((uint64_t)llround(fabs(value)), size);
        snprintf(out, WORD_SIZE, "%s%.*s", value < 0 ? "-" : "", WORD_SIZE - 2, size);
    } else {
        snprintf(out, WORD_SIZE, "%.3g", value);
    }
    return out;
}

static void draw_values(struct pen *pen, const struct json *panel, bool number)
{
    struct curves set;
    char query[120], expression[300], title[NAME_SIZE], text[WORD_SIZE];
    encode(json_word(panel, "expression"), expression, sizeof expression);
    screen_range_query(pen->screen, pen->width * 2, query, sizeof query);
    snprintf(title, sizeof title, "%s", json_word(panel, "title"));
    struct feed_document document =
        read_document(pen->screen, EVERY_MS, "/api/v1/panel?expression=%s&%s", expression, query);
    if (draw_absent(pen, &document, title))
        return;
    curves_read(document.json, &set);
    const struct curve *line = set.n && set.series[0].values ? &set.series[0] : NULL;
    struct chart chart = {.title = title, .say = say_number, .limit = NAN, .low = NAN, .high = NAN};
    if (!line || number)
        draw_heading(pen, title,
                     line && isfinite(line->last) ? say_number(line->last, text) : words_nodata);
    else
        draw_chart(pen, &line, 1, &set, &chart, pen_left(pen));
    curves_free(&set);
}

static void draw_panel(struct pen *pen, const struct json *panel)
{
    const char *kind = json_word(panel, "kind");
    if (strcmp(kind, "heat") != 0) {
        draw_values(pen, panel, strcmp(kind, "number") == 0);
        return;
    }
    char query[120], of[200];
    encode(json_word(panel, "expression"), of, sizeof of);
    screen_range_query(pen->screen, pen->width - 12, query, sizeof query);
    struct feed_document document =
        read_document(pen->screen, EVERY_MS, "/api/v1/heatmap?of=%s&%s", of, query);
    draw_heading(pen, json_word(panel, "title"), "fuller: more");
    if (!draw_absent(pen, &document, json_word(panel, "expression")))
        draw_heatmap(pen, document.json, pen_left(pen), NAN,
                     strcmp(of, "latency") == 0 ? words_latency : say_number);
}

#define MOST_PANELS 64

static bool is_number(const struct json *panel)
{
    return strcmp(json_word(panel, "kind"), "number") == 0;
}

/* Numbers first, a line for as many as stand beside each other. */
static void draw_numbers(struct pen *pen, const struct json *panels)
{
    int across = pen->width >= 116 ? 4 : 2, width = pen->width / across, place = 0;
    for (const struct json *panel = json_first(panels); panel; panel = json_next(panel)) {
        if (!is_number(panel))
            continue;
        struct pen part = pen_part(pen, place * width, width - 1, 1);
        draw_panel(&part, panel);
        place = (place + 1) % across;
        pen->row += place == 0;
    }
    pen->row += place > 0;
}

/* As many charts as fit, Tab brings the next one first. */
static void draw_tiles(struct pen *pen, const struct json *panels)
{
    const struct json *charts[MOST_PANELS];
    int n = 0, across = pen->width >= 116 ? 2 : 1;
    for (const struct json *panel = json_first(panels); panel && n < MOST_PANELS;
         panel = json_next(panel))
        if (!is_number(panel))
            charts[n++] = panel;
    int down = pen_left(pen) / 10, shown = n < across * down ? n : across * down;
    if (shown == 0)
        shown = n > 0 ? 1 : 0;
    int lines = (shown + across - 1) / across;
    int rows = lines > 0 ? pen_left(pen) / lines : 0, width = pen->width / across;
    for (int i = 0; i < shown; i++) {
        struct pen part = *pen;
        part.left = pen->left + i % across * width;
        part.width = width - (across > 1);
        part.row = pen->row + i / across * rows;
        part.bottom = part.row + rows;
        draw_panel(&part, charts[(i + pen->screen->panel) % n]);
    }
    pen->row = pen->bottom;
}

void draw_own(struct pen *pen)
{
    struct feed_document document = read_views(pen->screen);
    const struct grid *grid = screen_grid(pen->screen);
    const struct json *list = json_get(document.json, "views");
    if (draw_absent(pen, &document, "views of your own"))
        return;
    if (grid->n_shown == 0) {
        draw_grid(pen,
                  "none is configured: `views` in binnacle.yaml, a list of {name, title, panels: "
                  "[{title, expression, kind}]}");
        return;
    }
    const struct json *view = json_item(list, (size_t)TAG_INDEX(grid_tag(grid)));
    if (grid->n > 1) {
        struct pen top = pen_part(pen, 0, pen->width, (int)grid->n_shown + 1);
        draw_grid(&top, "");
        pen->row = top.bottom;
        draw_rule(pen);
    } else {
        draw_heading(pen, json_word(view, "title"), screen_range_word(pen->screen));
    }
    const struct json *panels = json_get(view, "panels");
    if (!panels)
        return;
    draw_numbers(pen, panels);
    draw_tiles(pen, panels);
}
