/* Drawings: lines over time with an axis and a limit, heat maps. Dots of braille where the terminal
 * shows them, else blocks, else ASCII. They draw on a canvas only. */
#ifndef BINNACLE_TUI_PLOT_H
#define BINNACLE_TUI_PLOT_H

#include "ui/tui/canvas.h"
#include "ui/view/words.h"

#define PLOT_LINES 6

/* One line over time. */
struct plot_line {
    const double *values; /* n of them, evenly spaced; NaN: no data, a gap */
    int n;
    int style;
    int dash; /* 0 solid, 1 dashed, 2 dotted: arms differ by more than colour */
};

struct plot {
    struct plot_line lines[PLOT_LINES];
    int n_lines;
    bool logarithmic; /* equal steps are equal factors; low is then found from the values */
    double low, high; /* of the axis; NaN: from the values, and from 0 where they are positive */
    double limit;     /* a line across; NaN: none */
    const char *limit_word; /* "limit", "want" */
    int limit_style;
    char *(*say)(double value, char out[WORD_SIZE]); /* the axis's numbers */
    int64_t from_us, to_us;                          /* what it spans; 0: no times below */
    char *(*say_time)(const void *context, int64_t time_us, char out[WORD_SIZE]);
    const void *context;
};

/* Rows of times: `rows` includes them where there are times. */
void plot_draw(struct canvas *canvas, const struct plot *plot, int row, int column, int width,
               int rows);

/* Levels of a heat map, from none (0) to the most. */
#define HEAT_LEVELS 7
/* The level of a share of the largest value; a root scale, so that few can be seen. NaN: -1. */
int heat_level(double ratio);
/* One cell: lightness and the density of the character both carry the level; -1 is hatched. */
void heat_cell(struct canvas *canvas, int row, int column, int level);

#endif
