/* One small report by hand through all three writers: JSON, a zip of CSV, PDF. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <zip.h>

#include "engine/base/json.h"
#include "reports/report.h"

#define T0 INT64_C(1533686400000000)

static void make(struct report *report)
{
    *report = (struct report){
        .kind = "slo",
        .title = "Service level objectives",
        .service = "cards, \"live\"",
        .from_us = T0,
        .to_us = T0 + INT64_C(86400000000),
        .tree_size = 42,
        .summary = "1 of 2 met.",
        .n_tables = 1,
    };
    memset(report->root, 0xab, sizeof report->root);
    struct report_table *table = &report->tables[0];
    table->name = "objectives";
    table->title = "Objectives";
    table->n_columns = 3;
    table->columns[0] = (struct report_column){"objective", "objective", .4};
    table->columns[1] = (struct report_column){"attained_ratio", "attained", .3};
    table->columns[2] = (struct report_column){"counted", "counted", .3};
}

static struct report_cell *add(struct report *report, const char *name, double ratio)
{
    struct report_cell *row = report_add_row(&report->tables[0]);
    assert_non_null(row);
    report_words(&row[0], "%s", name);
    report_number(&row[1], ratio, "%.1f %%", 100 * ratio);
    return row;
}

/* ---- cells ---- */

static void a_cell_without_a_number_reads_no_data(void **state)
{
    (void)state;
    struct report report;
    make(&report);
    const struct report_cell *row = add(&report, "latency", (double)NAN);
    assert_string_equal(row[1].text, "no data");
    assert_true(isnan(row[1].number) && !row[1].is_text);
    assert_string_equal(row[2].text, "no data"); /* never filled */
    row = add(&report, "drift", 0);
    assert_string_equal(row[1].text, "0.0 %");
    report_free(&report);
}

static void rows_stay_when_the_table_grows(void **state)
{
    (void)state;
    struct report report;
    make(&report);
    for (int i = 0; i < 1000; i++) {
        char name[16];
        snprintf(name, sizeof name, "row %d", i);
        add(&report, name, i);
    }
    assert_int_equal(report.tables[0].n_rows, 1000);
    for (int i = 0; i < 1000; i++)
        assert_float_equal(report.tables[0].cells[i * 3 + 1].number, i, 0);
    report_free(&report);
}

/* ---- JSON ---- */

static void json_has_the_documented_shape(void **state)
{
    (void)state;
    struct report report;
    struct buffer out;
    struct json *json;
    struct error error = {0};
    make(&report);
    add(&report, "latency", 0.975);
    add(&report, "freshness", (double)NAN);
    buffer_init(&out, 1u << 20);
    report_json(&report, &out);
    if (json_parse(buffer_slice(&out), &json, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_string_equal(json_as_text(json_get(json, "kind"), ""), "slo");
    assert_string_equal(json_as_text(json_get(json, "service"), ""), "cards, \"live\"");
    assert_string_equal(json_as_text(json_get(json, "from"), ""), "2018-08-08T00:00:00Z");
    assert_string_equal(json_as_text(json_get(json, "to"), ""), "2018-08-09T00:00:00Z");
    assert_string_equal(json_as_text(json_get(json, "summary"), ""), "1 of 2 met.");
    const struct json *head = json_get(json, "head");
    assert_int_equal((int)json_as_number(json_get(head, "tree_size"), 0), 42);
    assert_int_equal(strlen(json_as_text(json_get(head, "root"), "")), 64);
    const struct json *table = json_item(json_get(json, "tables"), 0);
    assert_string_equal(json_as_text(json_get(table, "name"), ""), "objectives");
    const struct json *columns = json_get(table, "columns");
    assert_int_equal(json_size(columns), 3);
    assert_string_equal(json_as_text(json_item(columns, 1), ""), "attained_ratio");
    const struct json *rows = json_get(table, "rows");
    assert_int_equal(json_size(rows), 2);
    const struct json *first = json_item(rows, 0), *second = json_item(rows, 1);
    assert_int_equal(json_size(first), 3);
    assert_string_equal(json_as_text(json_item(first, 0), ""), "latency");
    assert_float_equal(json_as_number(json_item(first, 1), 0), 0.975, 0);
    assert_int_equal(json_kind(json_item(second, 1)), JSON_NULL);
    assert_int_equal(json_kind(json_item(second, 2)), JSON_NULL);
    json_destroy(json);
    buffer_free(&out);
    report_free(&report);
}

/* ---- CSV ---- */

/* One file of the archive as text; the caller frees it. */
static char *unzip(const struct buffer *archive, const char *name)
{
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(archive->data, archive->size, 0, &error);
    zip_t *zip = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
    assert_non_null(zip);
    char *text = calloc(1, 65536);
    assert_non_null(text);
    zip_file_t *file = zip_fopen(zip, name, 0);
    if (!file)
        fail_msg("the archive has no %s", name);
    assert_true(zip_fread(file, text, 65535) >= 0);
    zip_fclose(file);
    zip_close(zip);
    zip_error_fini(&error);
    return text;
}

static struct buffer to_csv(const struct report *report)
{
    struct buffer out;
    struct error error = {0};
    buffer_init(&out, 1u << 20);
    if (report_csv(report, &out, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return out;
}

static void csv_is_a_zip_with_a_file_a_table(void **state)
{
    (void)state;
    struct report report;
    make(&report);
    report_number(&add(&report, "latency", 0.975)[2], 1754155, "1 754 155");
    add(&report, "freshness", (double)NAN);
    struct buffer archive = to_csv(&report);
    char *text = unzip(&archive, "objectives.csv");
    assert_string_equal(text, "objective,attained_ratio,counted\n"
                              "latency,0.975,1754155\n"
                              "freshness,,\n");
    free(text);
    text = unzip(&archive, "about.csv");
    assert_string_equal(text, "name,value\nkind,slo\nfrom,2018-08-08T00:00:00Z\n"
                              "to,2018-08-09T00:00:00Z\ntree_size,42\nroot,"
                              "abababababababababababababababababababababababababababababababab\n"
                              "service,\"cards, \"\"live\"\"\"\n");
    free(text);
    struct buffer again = to_csv(&report);
    assert_int_equal(again.size, archive.size);
    assert_memory_equal(again.data, archive.data, archive.size);
    buffer_free(&again);
    buffer_free(&archive);
    report_free(&report);
}

static void csv_quotes_texts_and_disarms_formulas(void **state)
{
    (void)state;
    struct report report;
    make(&report);
    add(&report, "=1+1", -0.5);
    add(&report, "@cmd|' /C calc'!A0", -1);
    add(&report, "a,b\n\"c\"", 1e-12);
    struct buffer archive = to_csv(&report);
    char *text = unzip(&archive, "objectives.csv");
    assert_string_equal(text, "objective,attained_ratio,counted\n"
                              "'=1+1,-0.5,\n"
                              "'@cmd|' /C calc'!A0,-1,\n"
                              "\"a,b\n\"\"c\"\"\",1e-12,\n");
    free(text);
    buffer_free(&archive);
    report_free(&report);
}

static void an_archive_that_does_not_fit_is_an_error(void **state)
{
    (void)state;
    struct report report;
    struct buffer out;
    struct error error = {0};
    make(&report);
    add(&report, "latency", 1);
    buffer_init(&out, 100);
    assert_int_equal(report_csv(&report, &out, &error), STATUS_IO);
    buffer_free(&out);
    report_free(&report);
}

/* ---- PDF ---- */

static int count_pages(const struct buffer *pdf)
{
    int n = 0;
    const char *at = pdf->data, *end = pdf->data + pdf->size;
    while ((at = memmem(at, (size_t)(end - at), "/Type /Page", 11)) != NULL) {
        at += 11;
        n += *at != 's'; /* the root of the pages */
    }
    return n;
}

static struct buffer to_pdf(const struct report *report)
{
    struct buffer out;
    struct error error = {0};
    buffer_init(&out, 16u << 20);
    if (report_pdf(report, &out, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_true(out.size > 100);
    assert_memory_equal(out.data, "%PDF-1.", 7);
    assert_non_null(memmem(out.data + out.size - 16, 16, "%%EOF", 5));
    return out;
}

static void a_short_report_is_one_page_and_a_long_one_several(void **state)
{
    (void)state;
    struct report report;
    make(&report);
    add(&report, "latency", 0.975);
    struct buffer pdf = to_pdf(&report);
    assert_int_equal(count_pages(&pdf), 1);
    buffer_free(&pdf);
    for (int i = 0; i < 149; i++)
        add(&report, "day", 1);
    pdf = to_pdf(&report);
    /* 842 points less margins hold 46 rows of 16, fewer below the head: 150 rows need four. */
    assert_int_equal(count_pages(&pdf), 4);
    buffer_free(&pdf);
    report_free(&report);
}

static void draws_charts_with_gaps_and_texts_that_are_no_utf8(void **state)
{
    (void)state;
    struct report report;
    make(&report);
    add(&report, "caf\xff <b>&", (double)NAN);
    report.chart = (struct report_chart){.title = "Budget",
                                         .unit = "%",
                                         .n_points = 4,
                                         .n_series = 2,
                                         .limit = 0,
                                         .limit_text = "used up",
                                         .low = -25,
                                         .high = 100};
    report.chart.times_us = calloc(4, sizeof *report.chart.times_us);
    for (int s = 0; s < 2; s++) {
        report.chart.series[s].points = calloc(4, sizeof(double));
        assert_non_null(report.chart.series[s].points);
        for (int i = 0; i < 4; i++)
            report.chart.series[s].points[i] = i == 1 || s == 1 ? (double)NAN : 50.0 * i - 75;
    }
    assert_non_null(report.chart.times_us);
    struct buffer pdf = to_pdf(&report);
    assert_int_equal(count_pages(&pdf), 1);
    buffer_free(&pdf);
    report.chart.n_points = 1; /* a single day */
    pdf = to_pdf(&report);
    assert_int_equal(count_pages(&pdf), 1);
    buffer_free(&pdf);
    report_free(&report);
}

static void a_pdf_that_does_not_fit_is_an_error(void **state)
{
    (void)state;
    struct report report;
    struct buffer out;
    struct error error = {0};
    make(&report);
    add(&report, "latency", 1);
    buffer_init(&out, 100);
    assert_int_equal(report_pdf(&report, &out, &error), STATUS_IO);
    buffer_free(&out);
    report_free(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cell_without_a_number_reads_no_data),
        cmocka_unit_test(rows_stay_when_the_table_grows),
        cmocka_unit_test(json_has_the_documented_shape),
        cmocka_unit_test(csv_is_a_zip_with_a_file_a_table),
        cmocka_unit_test(csv_quotes_texts_and_disarms_formulas),
        cmocka_unit_test(an_archive_that_does_not_fit_is_an_error),
        cmocka_unit_test(a_short_report_is_one_page_and_a_long_one_several),
        cmocka_unit_test(draws_charts_with_gaps_and_texts_that_are_no_utf8),
        cmocka_unit_test(a_pdf_that_does_not_fit_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
