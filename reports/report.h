/* A report before it is on paper: facts about what it covers, tables, and one chart. The writers of
 * PDF, CSV and JSON all read this, so the three cannot disagree. */
#ifndef BINNACLE_REPORTS_REPORT_H
#define BINNACLE_REPORTS_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/status.h"

#define REPORT_COLUMNS 12
#define REPORT_SERIES  4
#define REPORT_TEXT    160

/* A cell holds a number and how it reads; "no data" is a NaN number and those words. */
struct report_cell {
    double number; /* NaN: the cell is a text, or there is no data */
    bool is_text;
    char text[REPORT_TEXT];
};

struct report_column {
    const char *name;  /* snake_case with its unit, for JSON and CSV */
    const char *title; /* for people */
    double width;      /* share of the page's width */
};

struct report_table {
    const char *name;
    const char *title;
    const char *note; /* below the table, or NULL */
    struct report_column columns[REPORT_COLUMNS];
    int n_columns;
    struct report_cell *cells; /* n_rows * n_columns */
    int n_rows, capacity;
};

/* Lines over time; a NaN leaves a gap. */
struct report_series {
    char name[64];
    double *points;
};

struct report_chart {
    const char *title;
    const char *unit; /* of the vertical axis */
    int64_t *times_us;
    int n_points;
    struct report_series series[REPORT_SERIES];
    int n_series;
    double limit; /* drawn as a line with its words; NaN: none */
    const char *limit_text;
    double low, high; /* of the axis */
};

struct report {
    const char *kind;  /* "slo" */
    const char *title; /* "Service level objectives" */
    char service[64];
    int64_t from_us, to_us; /* [from, to) */
    uint64_t tree_size;     /* the ledger's head that this was made from */
    uint8_t root[32];
    char summary[512]; /* a sentence or two: what a reader should take away */
    struct report_table tables[4];
    int n_tables;
    struct report_chart chart;
};

void report_free(struct report *report);

/* Appends an empty row and returns its cells, NULL when out of memory. */
struct report_cell *report_add_row(struct report_table *table);
void report_number(struct report_cell *cell, double number, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* "1 754 155" with thin spaces. */
void report_count(struct report_cell *cell, uint64_t n);
void report_words(struct report_cell *cell, const char *format, ...) PRINTF_LIKE(2, 3);

/* The document of `--format json`. */
void report_json(const struct report *report, struct buffer *out);
/* A zip with one CSV file (RFC 4180, UTF-8, LF) a table and the facts in about.csv. */
MUST_USE enum status report_csv(const struct report *report, struct buffer *out,
                                struct error *error);
/* A4, one or more pages; the chart, then the tables. */
MUST_USE enum status report_pdf(const struct report *report, struct buffer *out,
                                struct error *error);

#endif
