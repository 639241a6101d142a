/* Rows and cells of reports, and the JSON writer. */
#include "reports/report.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/crypto.h"
#include "engine/base/json.h"

void report_free(struct report *report)
{
    for (int i = 0; i < report->n_tables; i++)
        free(report->tables[i].cells);
    for (int i = 0; i < report->chart.n_series; i++)
        free(report->chart.series[i].points);
    free(report->chart.times_us);
    report->n_tables = 0;
    report->chart = (struct report_chart){0};
}

struct report_cell *report_add_row(struct report_table *table)
{
    size_t width = (size_t)table->n_columns;
    if (table->n_rows == table->capacity) {
        int capacity = table->capacity ? 2 * table->capacity : 32;
        struct report_cell *cells =
            reallocarray(table->cells, (size_t)capacity * width, sizeof *cells);
        if (!cells)
            return NULL;
        table->cells = cells;
        table->capacity = capacity;
    }
    struct report_cell *row = table->cells + (size_t)table->n_rows++ * width;
    for (size_t i = 0; i < width; i++)
        report_number(&row[i], (double)NAN, "no data");
    return row;
}

void report_number(struct report_cell *cell, double number, const char *format, ...)
{
    cell->number = number;
    cell->is_text = false;
    if (isnan(number)) {
        snprintf(cell->text, sizeof cell->text, "no data");
        return;
    }
    va_list args;
    va_start(args, format);
    vsnprintf(cell->text, sizeof cell->text, format, args);
    va_end(args);
}

void report_count(struct report_cell *cell, uint64_t n)
{
    char digits[32], text[96];
    int size = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    size_t at = 0;
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            at += (size_t)snprintf(text + at, sizeof text - at, "\u2009");
        text[at++] = digits[i];
    }
    text[at] = '\0';
    report_number(cell, (double)n, "%s", text);
}

void report_words(struct report_cell *cell, const char *format, ...)
{
    cell->number = (double)NAN;
    cell->is_text = true;
    va_list args;
    va_start(args, format);
    vsnprintf(cell->text, sizeof cell->text, format, args);
    va_end(args);
}

static void table_json(const struct report_table *table, struct json_writer *json)
{
    json_object(json, NULL);
    json_text(json, "name", table->name);
    json_array(json, "columns");
    for (int i = 0; i < table->n_columns; i++)
        json_text(json, NULL, table->columns[i].name);
    json_array_end(json);
    json_array(json, "rows");
    for (int row = 0; row < table->n_rows; row++) {
        json_array(json, NULL);
        for (int i = 0; i < table->n_columns; i++) {
            const struct report_cell *cell = &table->cells[row * table->n_columns + i];
            if (cell->is_text)
                json_text(json, NULL, cell->text);
            else
                json_number(json, NULL, cell->number);
        }
        json_array_end(json);
    }
    json_array_end(json);
    json_object_end(json);
}

void report_json(const struct report *report, struct buffer *out)
{
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    json_text(&json, "kind", report->kind);
    json_text(&json, "service", report->service);
    json_time(&json, "from", report->from_us);
    json_time(&json, "to", report->to_us);
    json_object(&json, "head");
    json_int(&json, "tree_size", (int64_t)report->tree_size);
    json_hex(&json, "root", report->root, SHA256_SIZE);
    json_object_end(&json);
    json_text(&json, "summary", report->summary);
    json_array(&json, "tables");
    for (int i = 0; i < report->n_tables; i++)
        table_json(&report->tables[i], &json);
    json_array_end(&json);
    json_object_end(&json);
}
