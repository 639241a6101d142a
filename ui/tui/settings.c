/* The configuration in effect: each value with the file and line it came from. */
#include <stdio.h>
#include <string.h>

#include "ui/tui/pages.h"

static struct feed_document read_settings(struct screen *screen)
{
    return read_document(screen, 60000, "/api/v1/settings");
}

static const char *say_value(const struct json *setting)
{
    if (json_as_bool(json_get(setting, "secret"), false))
        return "(secret)";
    return json_as_text(json_get(setting, "value"), "(not set)");
}

static void say_place(const struct json *setting, char *out, size_t size)
{
    double line = json_double(setting, "line");
    const char *from = json_word(setting, "from");
    if (line > 0)
        snprintf(out, size, "%s:%.0f", json_word(setting, "file"), line);
    else
        snprintf(out, size, "%s", from);
}

void fill_settings(struct screen *screen, struct grid *grid)
{
    static const struct grid_column columns[] = {
        {"key", 30, false, 0}, {"value", 30, false, 0}, {"where", 20, false, 0}};
    struct feed_document document = read_settings(screen);
    int index = 0;
    if (grid_is_of(grid, document.version))
        return;
    grid_begin(grid, columns, 3);
    for (const struct json *setting = json_first(json_get(document.json, "settings")); setting;
         setting = json_next(setting), index++) {
        char place[200];
        say_place(setting, place, sizeof place);
        bool set = strcmp(json_word(setting, "from"), "default") != 0;
        grid_row(grid, ITEM_TAG(ITEM_ROW, index));
        grid_text(grid, set ? STYLE_TEXT : STYLE_QUIET, json_word(setting, "key"));
        grid_text(grid, set ? STYLE_TEXT : STYLE_QUIET, say_value(setting));
        grid_text(grid, STYLE_QUIET, place);
    }
    grid_end(grid);
}

void draw_settings(struct pen *pen)
{
    struct feed_document document = read_settings(pen->screen);
    draw_heading(pen, "settings", json_word(document.json, "folder"));
    if (!draw_absent(pen, &document, "settings"))
        draw_grid(pen, "there is none");
}

void open_settings(struct pen *pen)
{
    struct feed_document document = read_settings(pen->screen);
    const struct json *setting = json_item(json_get(document.json, "settings"),
                                           (size_t)TAG_INDEX(grid_tag(screen_grid(pen->screen))));
    char place[200];
    if (!setting)
        return;
    say_place(setting, place, sizeof place);
    draw_heading(pen, json_word(setting, "key"), json_word(setting, "from"));
    draw_fact(pen, "value", "%s", say_value(setting));
    draw_fact(pen, "where", "%s", place);
    if (json_word(setting, "help")[0])
        draw_fact(pen, "meaning", "%s", json_word(setting, "help"));
    draw_fact(pen, "folder", "%s", json_word(document.json, "folder"));
}
