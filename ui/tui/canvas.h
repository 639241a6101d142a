/* A grid of character cells that pages draw on, without a terminal: the screen shows it through
 * curses, `top --once` prints it, tests read it. Texts are UTF-8 and may be anybody's: control
 * characters and bytes that are not UTF-8 become "?", wide characters take two cells, combining
 * ones join the cell before them. Widths are those of the calling thread's locale (wcwidth). */
#ifndef BINNACLE_TUI_CANVAS_H
#define BINNACLE_TUI_CANVAS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/buffer.h"
#include "engine/observe/snapshot.h"

#define CELL_SIZE 16 /* bytes of one character with its combining marks */

/* What a text means; the terminal decides which colour that is. */
enum style {
    STYLE_TEXT,
    STYLE_QUIET,
    STYLE_RULE,
    STYLE_PAGE,
    STYLE_TICKET,
    STYLE_OK,
    STYLE_NODATA,
    STYLE_CHAMPION,
    STYLE_CANARY,
    STYLE_SHADOW,
    STYLE_HEAT, /* the lightest of the ramp of heat maps; five more follow */
    STYLE_HEAT_LAST = STYLE_HEAT + 5,
    STYLE_COUNT,
    STYLE_BOLD = 32,    /* may be added to a meaning */
    STYLE_REVERSE = 64, /* likewise */
    STYLE_MEANING = 31, /* mask */
};

struct cell {
    char text[CELL_SIZE]; /* "" in the second half of a wide character */
    unsigned char style;
};

struct canvas {
    int columns, rows;
    bool blocks; /* charts are drawn of blocks: the terminal has no braille */
    bool ascii;  /* every character beyond ASCII is drawn as its nearest ASCII one */
    struct cell *cells;
};

/* Blank. False when out of memory; sizes below 1 are taken as 1. */
bool canvas_init(struct canvas *canvas, int columns, int rows, bool ascii);
void canvas_free(struct canvas *canvas);
void canvas_clear(struct canvas *canvas);
const struct cell *canvas_cell(const struct canvas *canvas, int row, int column);

/* Draws into at most `width` columns from `column`; what does not fit ends with "…". Places outside
 * the canvas are left alone. Returns the columns used. */
int canvas_put(struct canvas *canvas, int row, int column, int width, int style, const char *text);
/* The same, at the right end of the width. */
void canvas_right(struct canvas *canvas, int row, int column, int width, int style,
                  const char *text);
/* From `column` to the right edge. */
int canvas_printf(struct canvas *canvas, int row, int column, int style, const char *format, ...)
    PRINTF_LIKE(5, 6);
void canvas_rule(struct canvas *canvas, int row, int column, int width);
/* A horizontal bar of `ratio` (0 to 1, beyond is cut) of the width in eighths of a column, the rest
 * dotted; NaN draws the hatching of "no data". */
void canvas_bar(struct canvas *canvas, int row, int column, int width, int style, double ratio);
/* The same without dots: what a row of a histogram is. */
void canvas_meter(struct canvas *canvas, int row, int column, int width, int style, double ratio);
/* The newest points of a history, one column each, newest at the right, from 0 to the largest; a
 * point without data is a gap. */
void canvas_spark(struct canvas *canvas, int row, int column, int width, int style,
                  const struct history *history);
/* A column of a histogram: the eighths of `ratio` that fall into the row `above` rows over the
 * lowest of `rows`. */
void canvas_column(struct canvas *canvas, int row, int column, int style, double ratio, int above,
                   int rows);

/* Columns that a text takes when drawn. */
int canvas_width(const struct canvas *canvas, const char *text);

/* Rows as lines of text without trailing blanks. */
void canvas_text(const struct canvas *canvas, struct buffer *out);

#endif
