/* A table that a person walks in: rows of cells, sorted by a column, filtered by a pattern, one row
 * selected. It keeps no terminal and no page; grid_draw.c draws it. Plain data, one thread. */
#ifndef BINNACLE_TUI_GRID_H
#define BINNACLE_TUI_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/regex.h"

#define GRID_FILTER_SIZE 200
#define GRID_MAX_COLUMNS 12

struct grid_column {
    const char *title; /* "" for none */
    int width;         /* columns of the screen; the widest gets what is left over */
    bool right;        /* numbers */
    int from_width;    /* shown on pages at least so wide; 0: always */
};

struct grid_cell {
    uint32_t text; /* where its text begins in `texts` */
    uint8_t style; /* enum style */
    double number; /* to sort by; NaN: its text is */
};

struct grid {
    const struct grid_column *columns;
    int n_columns;
    struct buffer texts;
    struct grid_cell *cells; /* n rows of n_columns */
    uint32_t *rows;          /* where each row's texts begin; n + 1 of them */
    int32_t *tags;           /* the row's meaning, as its filler numbers them */
    size_t n, capacity;
    bool truncated;  /* memory ran out: rows are missing */
    uint32_t *shown; /* rows that pass the filter, in their order */
    size_t n_shown, selected;
    int sort; /* column, -1: as filled */
    bool descending;
    char filter[GRID_FILTER_SIZE];
    char plain[GRID_FILTER_SIZE]; /* the filter in lower case when it is a mere word; else "" */
    struct regex *regex;          /* else its pattern; NULL: none */
    bool inverse;
    char wrong[120];  /* what is wrong with the filter, "" when nothing is */
    char kept[80];    /* the selected row's key while rows are filled again */
    size_t kept_same; /* as many rows of that key are shown before it */
    uint64_t version; /* of the data that rows were made of; 0: none */
    int filled;       /* cells of the row in the making */
};

/* True when the rows were made of this version of the data already; else it is remembered. */
bool grid_is_of(struct grid *grid, uint64_t version);
void grid_init(struct grid *grid);
void grid_free(struct grid *grid);

/* Filling: begin, then for each row its cells from the left, then end. The first cell is what the
 * selection is kept by when rows are filled again, of several alike the one in the same place.
 * Columns are borrowed. */
void grid_begin(struct grid *grid, const struct grid_column *columns, int n_columns);
void grid_row(struct grid *grid, int32_t tag);
void grid_text(struct grid *grid, int style, const char *text);
/* A number with the text that stands for it. */
void grid_number(struct grid *grid, int style, double number, const char *text);
void grid_end(struct grid *grid);

/* `row` counts the rows shown. */
const char *grid_cell_text(const struct grid *grid, size_t row, int column);
const struct grid_cell *grid_cell(const struct grid *grid, size_t row, int column);
/* The selected row's tag, or -1 when no row is shown. */
int32_t grid_tag(const struct grid *grid);

void grid_move(struct grid *grid, long by);
/* Sorts by the next column, or turns the order around. */
void grid_sort_next(struct grid *grid);
void grid_turn(struct grid *grid);
/* "word" shows the rows that hold a match of the pattern, case aside, "!word" the others, ""
 * all. A pattern that cannot be used shows all and says what is wrong in `wrong`. */
void grid_set_filter(struct grid *grid, const char *pattern);

/* RFC 4180 with a line of titles, of the rows shown. Cells that a spreadsheet would take for a
 * formula get an apostrophe. */
void grid_csv(const struct grid *grid, struct buffer *out);
/* One field of it, quoted where it has to be. */
void grid_csv_field(const char *text, struct buffer *out);

#endif
