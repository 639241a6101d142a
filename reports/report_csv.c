/* Tables as CSV (RFC 4180) in a zip, by libzip. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "engine/base/clock.h"
#include "engine/base/crypto.h"
#include "reports/report.h"

#define CSV_BYTES (256u << 20)

static void append_cell(struct buffer *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        buffer_append_text(out, text);
        return;
    }
    buffer_append_char(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            buffer_append_char(out, '"');
        buffer_append_char(out, *text);
    }
    buffer_append_char(out, '"');
}

/* A spreadsheet would run a text that begins like a formula. */
static void append_text(struct buffer *out, const char *text)
{
    char safe[REPORT_TEXT + 2];
    snprintf(safe, sizeof safe, "%s%s", text[0] && strchr("=+-@", text[0]) ? "'" : "", text);
    append_cell(out, safe);
}

static void table_csv(const struct report_table *table, struct buffer *out)
{
    for (int i = 0; i < table->n_columns; i++) {
        if (i > 0)
            buffer_append_char(out, ',');
        append_cell(out, table->columns[i].name);
    }
    buffer_append_char(out, '\n');
    for (int row = 0; row < table->n_rows; row++) {
        for (int i = 0; i < table->n_columns; i++) {
            const struct report_cell *cell = &table->cells[row * table->n_columns + i];
            if (i > 0)
                buffer_append_char(out, ',');
            if (cell->is_text)
                append_text(out, cell->text);
            else if (cell->number == cell->number)
                buffer_printf(out, "%.15g", cell->number);
        }
        buffer_append_char(out, '\n');
    }
}

static void about_csv(const struct report *report, struct buffer *out)
{
    char from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE], root[2 * SHA256_SIZE + 1];
    buffer_printf(out, "name,value\nkind,%s\nfrom,%s\nto,%s\ntree_size,%llu\nroot,%s\n",
                  report->kind, time_format(report->from_us, from), time_format(report->to_us, to),
                  (unsigned long long)report->tree_size,
                  hex_encode(report->root, SHA256_SIZE, root));
    buffer_append_text(out, "service,");
    append_text(out, report->service);
    buffer_append_char(out, '\n');
}

/* libzip reads the bytes when the archive is closed, so they must stay until then. */
static bool add_file(zip_t *archive, const char *name, const struct buffer *content)
{
    zip_source_t *source = zip_source_buffer(archive, content->data, content->size, 0);
    if (!source)
        return false;
    char file[128];
    snprintf(file, sizeof file, "%s.csv", name);
    zip_int64_t index = zip_file_add(archive, file, source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
        zip_source_free(source);
        return false;
    }
    /* The same report gives the same bytes. */
    zip_file_set_dostime(archive, (zip_uint64_t)index, 0, 0x21, 0);
    return true;
}

static bool read_archive(zip_source_t *target, struct buffer *out)
{
    if (zip_source_open(target) != 0)
        return false;
    char bytes[16384];
    zip_int64_t n;
    while ((n = zip_source_read(target, bytes, sizeof bytes)) > 0)
        buffer_append(out, bytes, (size_t)n);
    zip_source_close(target);
    return n == 0 && !out->overflow;
}

enum status report_csv(const struct report *report, struct buffer *out, struct error *error)
{
    struct buffer contents[sizeof report->tables / sizeof report->tables[0] + 1];
    int n = report->n_tables + 1;
    for (int i = 0; i < n; i++)
        buffer_init(&contents[i], CSV_BYTES);
    about_csv(report, &contents[0]);
    for (int i = 0; i < report->n_tables; i++)
        table_csv(&report->tables[i], &contents[i + 1]);

    zip_error_t problem;
    zip_error_init(&problem);
    zip_source_t *target = zip_source_buffer_create(NULL, 0, 0, &problem);
    zip_t *archive = NULL;
    bool done = false;
    if (!target)
        goto out;
    zip_source_keep(target);
    archive = zip_open_from_source(target, ZIP_TRUNCATE, &problem);
    if (!archive) {
        zip_source_free(target);
        goto out;
    }
    done = add_file(archive, "about", &contents[0]);
    for (int i = 0; i < report->n_tables && done; i++)
        done = add_file(archive, report->tables[i].name, &contents[i + 1]);
    if (done && zip_close(archive) == 0)
        done = read_archive(target, out);
    else
        zip_discard(archive);
out:
    if (target)
        zip_source_free(target);
    zip_error_fini(&problem);
    for (int i = 0; i < n; i++)
        buffer_free(&contents[i]);
    return done ? STATUS_OK : error_set(error, STATUS_IO, "the zip of tables cannot be made");
}
