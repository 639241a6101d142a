/* Cells: decoding, widths, clipping and the small drawings made of block characters. One thread a
 * canvas; no terminal is touched. */
#include "ui/tui/canvas.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "engine/base/utf8.h"

#define MAX_SIDE 1000 /* cells each way; a terminal that claims more is cut */

/* One character as it is drawn. */
struct glyph {
    char text[5];
    int width; /* 0 joins the cell before */
};

static const struct {
    const char *character, *ascii;
} ascii_forms[] = {
    {"▲", "^"}, {"◆", "*"}, {"●", "o"}, {"○", "-"}, {"×", "x"},      {"µ", "u"},      {"·", "."},
    {"…", "~"}, {"→", ">"}, {"←", "<"}, {"─", "-"}, {"│", "|"},      {"±", "+"},      {"≤", "<"},
    {"≥", ">"}, {"–", "-"}, {"—", "-"}, {"›", ">"}, {"\u2009", " "}, {"\u00a0", " "}, {"▁", "_"},
    {"▂", "."}, {"▃", "-"}, {"▄", ":"}, {"▅", "="}, {"▆", "+"},      {"▇", "*"},      {"█", "#"},
    {"▏", "."}, {"▎", "."}, {"▍", ":"}, {"▌", ":"}, {"▋", "+"},      {"▊", "+"},      {"▉", "*"},
    {"░", "-"}, {"╱", "/"}, {"╌", "-"}, {"▒", "+"}, {"▓", "#"},      {"▀", "\""},     {"┤", "|"},
    {"┼", "+"}, {"┄", "-"}, {"┊", ":"}, {"├", "|"}, {"└", "`"},      {"┬", "+"},      {"┴", "+"},
    {"■", "#"}, {"□", "."}, {"√", "v"}, {"’", "'"}, {"“", "\""},     {"”", "\""},     {"↑", "^"},
    {"↓", "v"},
};

static const char *const column_eighths[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const bar_eighths[] = {"·", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};

bool canvas_init(struct canvas *canvas, int columns, int rows, bool ascii)
{
    canvas->columns = columns < 1 ? 1 : columns > MAX_SIDE ? MAX_SIDE : columns;
    canvas->rows = rows < 1 ? 1 : rows > MAX_SIDE ? MAX_SIDE : rows;
    canvas->ascii = ascii;
    canvas->blocks = false;
    canvas->cells = calloc((size_t)canvas->columns * (size_t)canvas->rows, sizeof *canvas->cells);
    if (!canvas->cells)
        return false;
    canvas_clear(canvas);
    return true;
}

void canvas_free(struct canvas *canvas)
{
    free(canvas->cells);
    canvas->cells = NULL;
}

void canvas_clear(struct canvas *canvas)
{
    size_t n = (size_t)canvas->columns * (size_t)canvas->rows;
    for (size_t i = 0; i < n; i++)
        canvas->cells[i] = (struct cell){.text = " ", .style = STYLE_TEXT};
}

static struct cell *cell_at(const struct canvas *canvas, int row, int column)
{
    if (row < 0 || row >= canvas->rows || column < 0 || column >= canvas->columns)
        return NULL;
    return &canvas->cells[(size_t)row * (size_t)canvas->columns + (size_t)column];
}

const struct cell *canvas_cell(const struct canvas *canvas, int row, int column)
{
    return cell_at(canvas, row, column);
}

static wchar_t code_point(const char *text, size_t length)
{
    static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code = (unsigned char)text[0] & masks[length];
    for (size_t i = 1; i < length; i++)
        code = code << 6 | ((unsigned char)text[i] & 0x3f);
    return (wchar_t)code;
}

static const char *ascii_form(const char *text)
{
    for (size_t i = 0; i < sizeof ascii_forms / sizeof ascii_forms[0]; i++)
        if (strcmp(ascii_forms[i].character, text) == 0)
            return ascii_forms[i].ascii;
    return "?";
}

/* Takes the first character off `text`; false at its end. */
static bool next_glyph(const struct canvas *canvas, const char **text, struct glyph *glyph)
{
    if (!**text)
        return false;
    size_t length = utf8_length(slice_of(*text));
    *glyph = (struct glyph){.text = "?", .width = 1};
    if (length == 0) {
        (*text)++;
        return true;
    }
    if (utf8_unsafe(slice_make(*text, length), NULL)) { /* a terminal would obey it */
        *text += length;
        return true;
    }
    wchar_t code = code_point(*text, length);
    int width = code < 0x80 ? (code >= ' ' && code != 0x7f ? 1 : -1) : wcwidth(code);
    char raw[5] = "";
    memcpy(raw, *text, length);
    *text += length;
    if (canvas->ascii && length > 1)
        memcpy(glyph->text, ascii_form(raw), 2);
    else if (width >= 0) {
        memcpy(glyph->text, raw, sizeof raw);
        glyph->width = width;
    }
    return true;
}

int canvas_width(const struct canvas *canvas, const char *text)
{
    struct glyph glyph;
    int width = 0;
    while (next_glyph(canvas, &text, &glyph))
        width += glyph.width;
    return width;
}

static void set_cell(struct canvas *canvas, int row, int column, int style, const char *text)
{
    struct cell *cell = cell_at(canvas, row, column);
    if (!cell)
        return;
    snprintf(cell->text, sizeof cell->text, "%s", text);
    cell->style = (unsigned char)style;
}

/* A mark without a cell before it, or one too many, is left out. */
static void join_cell(struct canvas *canvas, int row, int column, const char *text)
{
    struct cell *cell = cell_at(canvas, row, column);
    if (cell && !cell->text[0])
        cell = cell_at(canvas, row, column - 1);
    if (!cell)
        return;
    size_t size = strlen(cell->text), more = strlen(text);
    if (size + more < sizeof cell->text)
        memcpy(cell->text + size, text, more + 1);
}

int canvas_put(struct canvas *canvas, int row, int column, int width, int style, const char *text)
{
    if (column + width > canvas->columns)
        width = canvas->columns - column;
    if (width <= 0 || row < 0 || row >= canvas->rows)
        return 0;
    bool cut = canvas_width(canvas, text) > width;
    int room = cut ? width - 1 : width, used = 0;
    struct glyph glyph;
    while (next_glyph(canvas, &text, &glyph)) {
        if (glyph.width == 0) {
            if (used > 0)
                join_cell(canvas, row, column + used - 1, glyph.text);
            continue;
        }
        if (used + glyph.width > room)
            break;
        set_cell(canvas, row, column + used, style, glyph.text);
        if (glyph.width == 2)
            set_cell(canvas, row, column + used + 1, style, "");
        used += glyph.width;
    }
    if (cut)
        set_cell(canvas, row, column + used++, style, canvas->ascii ? "~" : "…");
    return used;
}

void canvas_right(struct canvas *canvas, int row, int column, int width, int style,
                  const char *text)
{
    int used = canvas_width(canvas, text);
    int gap = used < width ? width - used : 0;
    canvas_put(canvas, row, column + gap, width - gap, style, text);
}

int canvas_printf(struct canvas *canvas, int row, int column, int style, const char *format, ...)
{
    char text[1024];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return canvas_put(canvas, row, column, canvas->columns - column, style, text);
}

void canvas_rule(struct canvas *canvas, int row, int column, int width)
{
    for (int i = 0; i < width; i++)
        canvas_put(canvas, row, column + i, 1, STYLE_RULE, "─");
}

static void put_eighths(struct canvas *canvas, int row, int column, int width, int style,
                        double ratio, bool dotted)
{
    int eighths = 0;
    if (isfinite(ratio))
        eighths = (int)lround(fmin(fmax(ratio, 0), 1) * 8 * width);
    for (int i = 0; i < width; i++) {
        int part = eighths - 8 * i;
        part = part < 0 ? 0 : part > 8 ? 8 : part;
        if (part || (dotted && isfinite(ratio)))
            canvas_put(canvas, row, column + i, 1, part ? style : STYLE_RULE, bar_eighths[part]);
        else if (!isfinite(ratio))
            canvas_put(canvas, row, column + i, 1, STYLE_NODATA, "░");
    }
}

void canvas_bar(struct canvas *canvas, int row, int column, int width, int style, double ratio)
{
    put_eighths(canvas, row, column, width, style, ratio, true);
}

void canvas_meter(struct canvas *canvas, int row, int column, int width, int style, double ratio)
{
    put_eighths(canvas, row, column, width, style, ratio, false);
}

void canvas_spark(struct canvas *canvas, int row, int column, int width, int style,
                  const struct history *history)
{
    int n = history->n < width ? history->n : width;
    const float *points = history->points + history->n - n;
    double top = 0;
    for (int i = 0; i < n; i++)
        top = fmax(top, (double)points[i]);
    for (int i = 0; i < n; i++) {
        double ratio = top > 0 ? (double)points[i] / top : 0;
        int level = isfinite(ratio) ? 1 + (int)lround(fmax(ratio, 0) * 7) : 0;
        canvas_put(canvas, row, column + width - n + i, 1, style, column_eighths[level]);
    }
}

void canvas_column(struct canvas *canvas, int row, int column, int style, double ratio, int above,
                   int rows)
{
    if (!isfinite(ratio))
        return;
    int part = (int)ceil(fmin(fmax(ratio, 0), 1) * 8 * rows) - 8 * above;
    part = part < 0 ? 0 : part > 8 ? 8 : part;
    if (part)
        canvas_put(canvas, row, column, 1, style, column_eighths[part]);
}

void canvas_text(const struct canvas *canvas, struct buffer *out)
{
    for (int row = 0; row < canvas->rows; row++) {
        int end = canvas->columns;
        while (end > 0 && strcmp(canvas_cell(canvas, row, end - 1)->text, " ") == 0)
            end--;
        for (int column = 0; column < end; column++)
            buffer_append_text(out, canvas_cell(canvas, row, column)->text);
        buffer_append_char(out, '\n');
    }
}
