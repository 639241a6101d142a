/* The service's newest log lines, the newest first, so that what just happened is on the screen. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"
#include "ui/tui/pages.h"

#define LOGS      "/api/v1/logs?limit=1000"
#define LOG_LINES 1024

static struct feed_document read_logs(struct screen *screen)
{
    return read_document(screen, list_every(screen, 2000), LOGS);
}

static int style_of_level(const char *level)
{
    static const struct {
        const char *level;
        int style;
    } styles[] = {{"error", STYLE_PAGE}, {"warn", STYLE_TICKET}, {"debug", STYLE_QUIET}};
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++)
        if (strcmp(level, styles[i].level) == 0)
            return styles[i].style;
    return STYLE_TEXT;
}

static char *line_time(const struct screen *screen, const struct json *line, char out[WORD_SIZE])
{
    int64_t time_us = 0;
    out[0] = '\0';
    if (time_parse(slice_of(json_word(line, "time")), &time_us))
        screen_time(screen, time_us, true, out);
    return out;
}

void fill_logs(struct screen *screen, struct grid *grid)
{
    static const struct grid_column columns[] = {{"time", 13, false, 0},
                                                 {"level", 5, false, 0},
                                                 {"from", 10, false, 60},
                                                 {"event", 18, false, 70},
                                                 {"message", 30, false, 0}};
    struct feed_document document = read_logs(screen);
    const struct json *lines = json_get(document.json, "lines");
    int n = 0;
    const struct json *newest[LOG_LINES]; /* json_item() walks: the list is walked once */
    if (grid_is_of(grid, document.version * 2 + screen->local_time))
        return;
    grid_begin(grid, columns, 5);
    for (const struct json *line = lines ? json_first(lines) : NULL; line && n < LOG_LINES;
         line = json_next(line))
        newest[n++] = line;
    for (int i = n - 1; i >= 0; i--) {
        const struct json *line = newest[i];
        const char *level = json_word(line, "level");
        char at[WORD_SIZE];
        grid_row(grid, ITEM_TAG(ITEM_ROW, i));
        grid_number(grid, STYLE_QUIET, json_double(line, "seq"), line_time(screen, line, at));
        grid_text(grid, style_of_level(level), level);
        grid_text(grid, STYLE_QUIET, json_word(line, "component"));
        grid_text(grid, STYLE_TEXT, json_word(line, "event"));
        grid_text(grid, STYLE_TEXT, json_word(line, "message"));
    }
    grid_end(grid);
}

void draw_logs(struct pen *pen)
{
    struct feed_document document = read_logs(pen->screen);
    draw_heading(pen, "log", "newest first; Enter shows a line whole");
    if (!draw_absent(pen, &document, "log"))
        draw_grid(pen, "nothing was written to the log since the start");
}

void open_logs(struct pen *pen)
{
    struct feed_document document = read_logs(pen->screen);
    const struct json *line = json_item(json_get(document.json, "lines"),
                                        (size_t)TAG_INDEX(grid_tag(screen_grid(pen->screen))));
    char at[WORD_SIZE];
    if (!line)
        return;
    draw_heading(pen, json_word(line, "event"), json_word(line, "level"));
    draw_fact(pen, "time", "%s (%s)", line_time(pen->screen, line, at), json_word(line, "time"));
    draw_fact(pen, "from", "%s", json_word(line, "component"));
    draw_fact(pen, "message", "%s", json_word(line, "message"));
}
