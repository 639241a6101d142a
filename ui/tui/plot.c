/* Lines of dots. A raster of dots, so many to a cell as the characters offer (braille 2x4, blocks
 * 1x2, ASCII 1x1), is filled by each line in turn and then turned into characters. One thread a
 * canvas. */
#include "ui/tui/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AXIS       10  /* columns of the numbers at the left, with the line beside them */
#define MOST_CELLS 400 /* each way */

struct raster {
    int columns, rows;     /* in cells */
    int across, down;      /* dots a cell */
    unsigned char *dots;   /* a mask for each cell */
    unsigned char *styles; /* of the last line that came through */
};

static bool raster_init(struct raster *raster, const struct canvas *canvas, int columns, int rows)
{
    bool braille = !canvas->ascii && !canvas->blocks;
    *raster = (struct raster){.columns = columns < MOST_CELLS ? columns : MOST_CELLS,
                              .rows = rows < MOST_CELLS ? rows : MOST_CELLS,
                              .across = braille ? 2 : 1,
                              .down = braille         ? 4
                                      : canvas->ascii ? 1
                                                      : 2};
    size_t cells = (size_t)raster->columns * (size_t)raster->rows;
    raster->dots = calloc(2, cells);
    raster->styles = raster->dots ? raster->dots + cells : NULL;
    return raster->dots != NULL;
}

/* `y` counts from the bottom. */
static void raster_set(struct raster *raster, int x, int y, int style)
{
    int height = raster->rows * raster->down;
    if (x < 0 || x >= raster->columns * raster->across || y < 0 || y >= height)
        return;
    int line = height - 1 - y;
    int cell = line / raster->down * raster->columns + x / raster->across;
    raster->dots[cell] |=
        (unsigned char)(1 << (line % raster->down * raster->across + x % raster->across));
    raster->styles[cell] = (unsigned char)style;
}

/* Dots of a braille character are numbered down the left column first, the lowest two last. */
static void braille_text(unsigned mask, char out[4])
{
    static const unsigned char bits[8] = {0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80};
    unsigned code = 0x2800;
    for (int i = 0; i < 8; i++)
        code |= mask >> i & 1 ? bits[i] : 0;
    out[0] = (char)(0xe0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 0x3f));
    out[2] = (char)(0x80 | (code & 0x3f));
    out[3] = '\0';
}

static void raster_show(const struct raster *raster, struct canvas *canvas, int row, int column)
{
    static const char *const halves[] = {" ", "▀", "▄", "█"};
    for (int i = 0; i < raster->rows * raster->columns; i++) {
        unsigned mask = raster->dots[i];
        char text[4];
        if (mask == 0)
            continue;
        braille_text(mask, text);
        canvas_put(canvas, row + i / raster->columns, column + i % raster->columns, 1,
                   raster->styles[i],
                   raster->down == 4   ? text
                   : raster->down == 2 ? halves[mask]
                                       : "*");
    }
}

/* ---- lines ---- */

struct scale {
    double low, high;
    bool logarithmic;
};

/* The next number at or above `value` that begins with 1, 2 or 5. */
static double round_up(double value)
{
    static const double steps[] = {1, 2, 5, 10};
    double power = pow(10, floor(log10(value)));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (steps[i] * power >= value * 0.999999)
            return steps[i] * power;
    return value;
}

static double round_down(double value)
{
    static const double steps[] = {5, 2, 1};
    double power = pow(10, floor(log10(value)));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (steps[i] * power <= value * 1.000001)
            return steps[i] * power;
    return value;
}

static struct scale find_scale(const struct plot *plot)
{
    struct scale scale = {plot->low, plot->high, plot->logarithmic};
    double least = isfinite(plot->limit) ? plot->limit : NAN, most = least;
    for (int i = 0; i < plot->n_lines; i++)
        for (int j = 0; j < plot->lines[i].n; j++) {
            double value = plot->lines[i].values[j];
            if (plot->logarithmic && !(value > 0))
                continue;
            least = fmin(least, value);
            most = fmax(most, value);
        }
    if (plot->logarithmic && least > 0 && most > 0) {
        scale.low = round_down(least);
        scale.high = round_up(most);
    } else {
        scale.logarithmic = false;
        if (!isfinite(scale.low))
            scale.low = least < 0 ? least : 0;
        if (!isfinite(scale.high))
            scale.high = most > 0 ? round_up(most) : scale.low + 1;
    }
    if (!(scale.high > scale.low))
        scale.high = scale.logarithmic ? 10 * scale.low : scale.low + 1;
    return scale;
}

/* Where a value stands between bottom (0) and top (1). */
static double scale_place(const struct scale *scale, double value)
{
    if (!scale->logarithmic)
        return (value - scale->low) / (scale->high - scale->low);
    return value > 0 ? log(value / scale->low) / log(scale->high / scale->low) : 0;
}

static double scale_value(const struct scale *scale, double place)
{
    if (!scale->logarithmic)
        return scale->low + (scale->high - scale->low) * place;
    return scale->low * pow(scale->high / scale->low, place);
}

/* The mean of what falls on one column of dots; of few values the nearest one. */
static double value_at(const struct plot_line *line, int x, int width)
{
    int from = (int)((long)x * line->n / width), to = (int)((long)(x + 1) * line->n / width);
    double sum = 0;
    int n = 0;
    for (int i = from; i < (to > from ? to : from + 1) && i < line->n; i++)
        if (isfinite(line->values[i])) {
            sum += line->values[i];
            n++;
        }
    return n ? sum / n : NAN;
}

static bool is_dashed_away(int dash, int x)
{
    return dash == 1 ? x / 3 % 2 == 1 : dash == 2 ? x % 3 != 0 : false;
}

static void draw_line(struct raster *raster, const struct plot_line *line, struct scale scale)
{
    int width = raster->columns * raster->across, height = raster->rows * raster->down;
    int before = -1;
    for (int x = 0; x < width; x++) {
        double value = value_at(line, x, width);
        if (!isfinite(value)) {
            before = -1;
            continue;
        }
        double ratio = scale_place(&scale, value);
        int y = (int)lround(fmin(fmax(ratio, 0), 1) * (height - 1));
        int from = before < 0 ? y : before < y ? before + 1 : before > y ? before - 1 : y;
        if (!is_dashed_away(line->dash, x))
            for (int at = from < y ? from : y; at <= (from < y ? y : from); at++)
                raster_set(raster, x, at, line->style);
        before = y;
    }
}

/* ---- around them ---- */

static void draw_axis(struct canvas *canvas, const struct plot *plot, struct scale scale, int row,
                      int column, int rows)
{
    int every = rows >= 9 ? rows / 4 : rows >= 3 ? (rows - 1 + 1) / 2 : rows;
    for (int i = 0; i < rows; i++) {
        bool last = i == rows - 1;
        char text[WORD_SIZE];
        double value = scale_value(&scale, rows > 1 ? 1 - (double)i / (rows - 1) : 1);
        if (i == 0 || last || (i % every == 0 && rows - 1 - i >= every))
            canvas_right(canvas, row + i, column, AXIS - 2, STYLE_QUIET, plot->say(value, text));
        canvas_put(canvas, row + i, column + AXIS - 1, 1, STYLE_RULE, last ? "┼" : "┤");
    }
}

static void draw_limit(struct canvas *canvas, const struct plot *plot, struct scale scale, int row,
                       int column, int width, int rows)
{
    if (!isfinite(plot->limit))
        return;
    double ratio = scale_place(&scale, plot->limit);
    int at = row + rows - 1 - (int)lround(ratio * (rows - 1));
    if (at < row || at >= row + rows)
        return;
    int word = plot->limit_word ? canvas_width(canvas, plot->limit_word) + 1 : 0;
    for (int i = 0; i < width - word; i++)
        if (strcmp(canvas_cell(canvas, at, column + i)->text, " ") == 0)
            canvas_put(canvas, at, column + i, 1, plot->limit_style, "┄");
    if (word)
        canvas_put(canvas, at, column + width - word + 1, word, plot->limit_style,
                   plot->limit_word);
}

static void draw_times(struct canvas *canvas, const struct plot *plot, int row, int column,
                       int width)
{
    int n = width >= 90 ? 4 : width >= 40 ? 3 : 2;
    for (int i = 0; i < n; i++) {
        char text[WORD_SIZE];
        int64_t at = plot->from_us + (plot->to_us - plot->from_us) * i / (n - 1);
        plot->say_time(plot->context, at, text);
        int wide = canvas_width(canvas, text), place = column + (width - 1) * i / (n - 1);
        place -= i == 0 ? 0 : i == n - 1 ? wide - 1 : wide / 2;
        canvas_put(canvas, row, place, wide, STYLE_QUIET, text);
    }
}

void plot_draw(struct canvas *canvas, const struct plot *plot, int row, int column, int width,
               int rows)
{
    struct raster raster;
    bool times = plot->say_time && plot->to_us > plot->from_us && rows > 2;
    int high = rows - times, wide = width - AXIS;
    struct scale scale = find_scale(plot);
    if (wide < 4 || high < 1 || !raster_init(&raster, canvas, wide, high))
        return;
    for (int i = 0; i < plot->n_lines; i++)
        draw_line(&raster, &plot->lines[i], scale);
    draw_axis(canvas, plot, scale, row, column, high);
    raster_show(&raster, canvas, row, column + AXIS);
    draw_limit(canvas, plot, scale, row, column + AXIS, wide, high);
    if (times)
        draw_times(canvas, plot, row + high, column + AXIS, wide);
    free(raster.dots);
}

/* ---- heat ---- */

int heat_level(double ratio)
{
    if (!isfinite(ratio))
        return -1;
    if (ratio <= 0)
        return 0;
    int level = (int)ceil(sqrt(fmin(ratio, 1)) * (HEAT_LEVELS - 1));
    return level < 1 ? 1 : level > HEAT_LEVELS - 1 ? HEAT_LEVELS - 1 : level;
}

void heat_cell(struct canvas *canvas, int row, int column, int level)
{
    static const char *const marks[HEAT_LEVELS] = {" ", "·", "░", "░", "▒", "▓", "█"};
    static const char *const plain[HEAT_LEVELS] = {" ", ".", ":", "-", "+", "%", "#"};
    if (level < 0) {
        if ((row + column) % 4 == 0) /* hatched, and quieter than what is measured */
            canvas_put(canvas, row, column, 1, STYLE_RULE, canvas->ascii ? "/" : "╱");
    } else if (level > 0)
        canvas_put(canvas, row, column, 1, STYLE_HEAT + level - 1,
                   canvas->ascii ? plain[level] : marks[level]);
}
