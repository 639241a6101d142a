/* Parts of pages: headings, rules, facts, text over several lines, markers. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/utf8.h"
#include "ui/tui/pages.h"

#define MOST_ROWS 12 /* of one fact: 10 kB of somebody's text leave room for the next one */

int style_of(enum health health)
{
    static const int styles[] = {STYLE_NODATA, STYLE_OK, STYLE_TICKET, STYLE_PAGE};
    return styles[health];
}

int style_of_arm(enum variant variant)
{
    static const int styles[] = {STYLE_CHAMPION, STYLE_CANARY, STYLE_SHADOW};
    return styles[variant];
}

int pen_left(const struct pen *pen)
{
    return pen->bottom - pen->row;
}

struct pen pen_part(const struct pen *pen, int column, int width, int rows)
{
    struct pen part = *pen;
    part.left = pen->left + column;
    part.width = width;
    if (part.bottom > part.row + rows)
        part.bottom = part.row + rows;
    return part;
}

void draw_rule(struct pen *pen)
{
    if (pen_left(pen) > 0)
        canvas_rule(pen->canvas, pen->row++, pen->left, pen->width);
}

void draw_heading(struct pen *pen, const char *title, const char *note)
{
    if (pen_left(pen) <= 0)
        return;
    int used = canvas_put(pen->canvas, pen->row, pen->left + 1, pen->width - 1, STYLE_BOLD, title);
    canvas_put(pen->canvas, pen->row++, pen->left + used + 3, pen->width - used - 3, STYLE_QUIET,
               note);
}

/* How many bytes of text fit into `width` columns, broken at a space where there is one. */
static size_t fitting(const struct canvas *canvas, const char *text, int width)
{
    size_t size = 0, space = 0;
    int used = 0;
    while (text[size]) {
        char character[8] = "";
        size_t length = utf8_length(slice_of(text + size));
        length = length ? length : 1;
        memcpy(character, text + size, length);
        used += canvas_width(canvas, character);
        if (used > width)
            return space ? space : size;
        if (text[size] == ' ')
            space = size;
        size += length;
    }
    return size;
}

int text_rows(const struct canvas *canvas, const char *text, int width)
{
    int rows = 0;
    while (*text && width > 0) {
        size_t size = fitting(canvas, text, width);
        text += size ? size : 1;
        text += *text == ' ';
        rows++;
    }
    return rows > 0 ? rows : 1;
}

int draw_text(struct pen *pen, int column, int width, int rows, int style, const char *text)
{
    char line[1024];
    int used = 0;
    if (rows > pen_left(pen))
        rows = pen_left(pen);
    while (*text && used < rows && width > 0) {
        size_t size = fitting(pen->canvas, text, width);
        if (used + 1 == rows) /* what does not fit any more is cut there */
            size = strlen(text);
        size = size < sizeof line ? size : sizeof line - 1;
        memcpy(line, text, size);
        line[size] = '\0';
        canvas_put(pen->canvas, pen->row++, column, width, style, line);
        used++;
        text += size ? size : 1;
        text += *text == ' ';
    }
    return used;
}

void draw_fact(struct pen *pen, const char *label, const char *format, ...)
{
    char text[12000];
    va_list list;
    if (pen_left(pen) <= 0)
        return;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    words_plain(text);
    canvas_put(pen->canvas, pen->row, pen->left + 3, 14, STYLE_QUIET, label);
    if (draw_text(pen, pen->left + 18, pen->width - 19, MOST_ROWS, STYLE_TEXT, text) == 0)
        pen->row++;
}

int draw_marker(struct pen *pen, enum item_kind kind, int index)
{
    if (!screen_is_selected(pen->screen, kind, index))
        return STYLE_TEXT;
    canvas_put(pen->canvas, pen->row, pen->left, 1, STYLE_BOLD, "›");
    return STYLE_BOLD;
}

int first_shown(const struct pen *pen, enum item_kind kind, int n, int rows)
{
    for (int i = rows > 0 ? rows : 0; i < n; i++)
        if (screen_is_selected(pen->screen, kind, i))
            return i - rows + 1;
    return 0;
}
