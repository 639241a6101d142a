/* Reports on A4 by cairo and pango: a headline, the summary, the chart, the tables, and on every
 * page a foot with the ledger's head, so that a printed page can be held against the record. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/crypto.h"
#include "engine/base/number.h"
#include "reports/pango_priv.h"
#include "reports/report.h"

/* Points. */
#define PAGE_WIDTH   595.276
#define PAGE_HEIGHT  841.89
#define MARGIN       48.0
#define FOOT         40.0
#define TEXT_WIDTH   (PAGE_WIDTH - 2 * MARGIN)
#define CHART_HEIGHT 170.0
#define ROW_HEIGHT   16.0

struct colour {
    double red, green, blue;
};

static const struct colour ink = {0.106, 0.122, 0.137};
static const struct colour quiet = {0.353, 0.388, 0.424};
static const struct colour rule = {0.851, 0.863, 0.875};
static const struct colour warning = {0.702, 0.149, 0.118};
static const struct colour lines[REPORT_SERIES] = {
    {0.122, 0.373, 0.659}, {0.698, 0.357, 0.0}, {0.478, 0.310, 0.639}, {0.106, 0.498, 0.361}};
static const double dashes[REPORT_SERIES][2] = {{0, 0}, {5, 2.5}, {1.5, 2}, {8, 2}};

struct page {
    struct pango pango;
    const struct report *report;
    cairo_t *cairo;
    double y; /* where the next thing goes */
    int number;
};

static void set_colour(struct page *page, const struct colour *colour)
{
    page->pango.cairo_set_source_rgb(page->cairo, colour->red, colour->green, colour->blue);
}

struct type {
    double size;
    bool bold;
    const struct colour *colour;
    PangoAlignment align;
};

/* Writes text into a box `width` wide with its top at y; returns its height. One line, ending in an
 * ellipsis where it does not fit, unless `wrap`. */
static double write_text(struct page *page, double x, double y, double width, bool wrap,
                         struct type type, const char *text)
{
    PangoLayout *layout = page->pango.pango_cairo_create_layout(page->cairo);
    PangoFontDescription *font =
        page->pango.pango_font_description_from_string("DejaVu Sans, Sans");
    page->pango.pango_font_description_set_absolute_size(font, type.size * PANGO_SCALE);
    page->pango.pango_font_description_set_weight(font, type.bold ? PANGO_WEIGHT_BOLD
                                                                  : PANGO_WEIGHT_NORMAL);
    page->pango.pango_layout_set_font_description(layout, font);
    page->pango.pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
    page->pango.pango_layout_set_alignment(layout, type.align);
    if (wrap)
        page->pango.pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    else
        page->pango.pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    char *valid = page->pango.g_utf8_make_valid(text, -1);
    page->pango.pango_layout_set_text(layout, valid, -1);
    page->pango.g_free(valid);
    set_colour(page, type.colour);
    page->pango.cairo_move_to(page->cairo, x, y);
    page->pango.pango_cairo_show_layout(page->cairo, layout);
    int height;
    page->pango.pango_layout_get_size(layout, NULL, &height);
    page->pango.pango_font_description_free(font);
    page->pango.g_object_unref(layout);
    return (double)height / PANGO_SCALE;
}

static void draw_rule(struct page *page, double y, const struct colour *colour)
{
    set_colour(page, colour);
    page->pango.cairo_set_line_width(page->cairo, 0.6);
    page->pango.cairo_move_to(page->cairo, MARGIN, y);
    page->pango.cairo_line_to(page->cairo, PAGE_WIDTH - MARGIN, y);
    page->pango.cairo_stroke(page->cairo);
}

static void draw_foot(struct page *page)
{
    char root[2 * SHA256_SIZE + 1], text[256];
    double y = PAGE_HEIGHT - FOOT;
    draw_rule(page, y, &rule);
    snprintf(text, sizeof text, "record: %llu %s, root %s",
             (unsigned long long)page->report->tree_size,
             number_noun(page->report->tree_size, "row", "rows"),
             hex_encode(page->report->root, SHA256_SIZE, root));
    struct type type = {7, false, &quiet, PANGO_ALIGN_LEFT};
    write_text(page, MARGIN, y + 6, TEXT_WIDTH - 60, false, type, text);
    snprintf(text, sizeof text, "page %d", page->number);
    type.align = PANGO_ALIGN_RIGHT;
    write_text(page, PAGE_WIDTH - MARGIN - 60, y + 6, 60, false, type, text);
}

static void next_page(struct page *page)
{
    draw_foot(page);
    page->pango.cairo_show_page(page->cairo);
    page->number++;
    page->y = MARGIN;
}

static void make_room(struct page *page, double height)
{
    if (page->y + height > PAGE_HEIGHT - FOOT - 8)
        next_page(page);
}

static void draw_head(struct page *page)
{
    const struct report *report = page->report;
    char from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE], text[256];
    page->y += write_text(page, MARGIN, page->y, TEXT_WIDTH, false,
                          (struct type){20, true, &ink, PANGO_ALIGN_LEFT}, report->title);
    snprintf(text, sizeof text, "%s · %s to %s", report->service,
             time_format(report->from_us, from), time_format(report->to_us, to));
    page->y += 4 + write_text(page, MARGIN, page->y + 4, TEXT_WIDTH, false,
                              (struct type){10, false, &quiet, PANGO_ALIGN_LEFT}, text);
    page->y += 10;
    draw_rule(page, page->y, &ink);
    page->y += 10;
    page->y += write_text(page, MARGIN, page->y, TEXT_WIDTH, true,
                          (struct type){11, false, &ink, PANGO_ALIGN_LEFT}, report->summary);
    page->y += 16;
}

/* ---- the chart ---- */

struct axes {
    double left, top, width, height;
    const struct report_chart *chart;
};

static double at_x(const struct axes *axes, int point)
{
    int last = axes->chart->n_points - 1;
    return axes->left + (last > 0 ? axes->width * point / last : axes->width / 2);
}

static double at_y(const struct axes *axes, double value)
{
    const struct report_chart *chart = axes->chart;
    double ratio = (value - chart->low) / (chart->high - chart->low);
    ratio = ratio < 0 ? 0 : ratio > 1 ? 1 : ratio;
    return axes->top + axes->height * (1 - ratio);
}

static void draw_scale(struct page *page, const struct axes *axes)
{
    const struct report_chart *chart = axes->chart;
    for (int i = 0; i <= 4; i++) {
        double value = chart->low + (chart->high - chart->low) * i / 4;
        double y = at_y(axes, value);
        char text[48];
        set_colour(page, &rule);
        page->pango.cairo_set_line_width(page->cairo, 0.5);
        page->pango.cairo_move_to(page->cairo, axes->left, y);
        page->pango.cairo_line_to(page->cairo, axes->left + axes->width, y);
        page->pango.cairo_stroke(page->cairo);
        snprintf(text, sizeof text, "%.4g %s", value, chart->unit);
        write_text(page, MARGIN, y - 5, axes->left - MARGIN - 6, false,
                   (struct type){8, false, &quiet, PANGO_ALIGN_RIGHT}, text);
    }
    for (int i = 0; i < 2 && chart->n_points > 0; i++) {
        char text[TIME_TEXT_SIZE];
        time_format(chart->times_us[i ? chart->n_points - 1 : 0], text);
        text[10] = '\0';
        write_text(page, axes->left, axes->top + axes->height + 4, axes->width, false,
                   (struct type){8, false, &quiet, i ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT}, text);
    }
}

static void draw_limit(struct page *page, const struct axes *axes)
{
    const struct report_chart *chart = axes->chart;
    if (isnan(chart->limit))
        return;
    double y = at_y(axes, chart->limit);
    set_colour(page, &warning);
    page->pango.cairo_set_line_width(page->cairo, 0.8);
    page->pango.cairo_set_dash(page->cairo, (double[]){3, 2}, 2, 0);
    page->pango.cairo_move_to(page->cairo, axes->left, y);
    page->pango.cairo_line_to(page->cairo, axes->left + axes->width, y);
    page->pango.cairo_stroke(page->cairo);
    page->pango.cairo_set_dash(page->cairo, NULL, 0, 0);
    write_text(page, axes->left, y - 11, axes->width, false,
               (struct type){8, false, &warning, PANGO_ALIGN_RIGHT}, chart->limit_text);
}

static void draw_series(struct page *page, const struct axes *axes, int number)
{
    const struct report_series *series = &axes->chart->series[number];
    bool pen_down = false;
    set_colour(page, &lines[number]);
    page->pango.cairo_set_line_width(page->cairo, 1.4);
    page->pango.cairo_set_dash(page->cairo, dashes[number], dashes[number][0] > 0 ? 2 : 0, 0);
    for (int i = 0; i < axes->chart->n_points; i++) {
        if (isnan(series->points[i])) {
            pen_down = false;
            continue;
        }
        double x = at_x(axes, i), y = at_y(axes, series->points[i]);
        bool alone = !pen_down && (i + 1 == axes->chart->n_points || isnan(series->points[i + 1]));
        if (pen_down)
            page->pango.cairo_line_to(page->cairo, x, y);
        else
            page->pango.cairo_move_to(page->cairo, alone ? x - 2 : x, y);
        if (alone)
            page->pango.cairo_line_to(page->cairo, x + 2, y);
        pen_down = true;
    }
    page->pango.cairo_stroke(page->cairo);
    page->pango.cairo_set_dash(page->cairo, NULL, 0, 0);
}

static void draw_legend(struct page *page)
{
    const struct report_chart *chart = &page->report->chart;
    double step = TEXT_WIDTH / REPORT_SERIES;
    for (int i = 0; i < chart->n_series; i++) {
        double x = MARGIN + step * i;
        set_colour(page, &lines[i]);
        page->pango.cairo_set_line_width(page->cairo, 1.4);
        page->pango.cairo_set_dash(page->cairo, dashes[i], dashes[i][0] > 0 ? 2 : 0, 0);
        page->pango.cairo_move_to(page->cairo, x, page->y + 6);
        page->pango.cairo_line_to(page->cairo, x + 20, page->y + 6);
        page->pango.cairo_stroke(page->cairo);
        page->pango.cairo_set_dash(page->cairo, NULL, 0, 0);
        write_text(page, x + 26, page->y, step - 30, false,
                   (struct type){9, false, &ink, PANGO_ALIGN_LEFT}, chart->series[i].name);
    }
    page->y += 22;
}

static void draw_chart(struct page *page)
{
    const struct report_chart *chart = &page->report->chart;
    if (chart->n_series == 0 || chart->n_points == 0)
        return;
    make_room(page, CHART_HEIGHT + 60);
    page->y += 6 + write_text(page, MARGIN, page->y, TEXT_WIDTH, false,
                              (struct type){11, true, &ink, PANGO_ALIGN_LEFT}, chart->title);
    struct axes axes = {MARGIN + 52, page->y + 8, TEXT_WIDTH - 52, CHART_HEIGHT, chart};
    draw_scale(page, &axes);
    draw_limit(page, &axes);
    for (int i = 0; i < chart->n_series; i++)
        draw_series(page, &axes, i);
    page->y += CHART_HEIGHT + 30;
    draw_legend(page);
}

/* ---- the tables ---- */

static void draw_row(struct page *page, const struct report_table *table, int row)
{
    double x = MARGIN;
    for (int i = 0; i < table->n_columns; i++) {
        const struct report_column *column = &table->columns[i];
        const struct report_cell *cell = row < 0 ? NULL : &table->cells[row * table->n_columns + i];
        bool numeric = i > 0;
        bool nothing = cell && !cell->is_text && isnan(cell->number);
        struct type type = {9, row < 0, nothing || row < 0 ? &quiet : &ink,
                            numeric ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT};
        double width = TEXT_WIDTH * column->width;
        write_text(page, x, page->y + 3, width - 8, false, type, cell ? cell->text : column->title);
        x += width;
    }
    page->y += ROW_HEIGHT;
    draw_rule(page, page->y, row < 0 ? &ink : &rule);
}

static void draw_table(struct page *page, const struct report_table *table)
{
    make_room(page, 4 * ROW_HEIGHT);
    page->y += 4 + write_text(page, MARGIN, page->y, TEXT_WIDTH, false,
                              (struct type){11, true, &ink, PANGO_ALIGN_LEFT}, table->title);
    draw_row(page, table, -1);
    for (int row = 0; row < table->n_rows; row++) {
        int before = page->number;
        make_room(page, ROW_HEIGHT);
        if (page->number != before)
            draw_row(page, table, -1);
        draw_row(page, table, row);
    }
    if (table->note)
        page->y += write_text(page, MARGIN, page->y + 5, TEXT_WIDTH, true,
                              (struct type){8, false, &quiet, PANGO_ALIGN_LEFT}, table->note);
    page->y += 24;
}

static cairo_status_t collect(void *context, const unsigned char *data, unsigned size)
{
    struct buffer *out = context;
    return buffer_append(out, data, size) ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static cairo_status_t draw_report(struct page *page, struct buffer *out)
{
    const struct pango *pango = &page->pango;
    const struct report *report = page->report;
    cairo_surface_t *surface =
        pango->cairo_pdf_surface_create_for_stream(collect, out, PAGE_WIDTH, PAGE_HEIGHT);
    pango->cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, report->title);
    pango->cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR,
                                          "binnacle " BINNACLE_VERSION);
    page->cairo = pango->cairo_create(surface);
    draw_head(page);
    draw_chart(page);
    for (int i = 0; i < report->n_tables; i++)
        draw_table(page, &report->tables[i]);
    draw_foot(page);
    pango->cairo_show_page(page->cairo);
    cairo_status_t state = pango->cairo_status(page->cairo);
    pango->cairo_destroy(page->cairo);
    pango->cairo_surface_finish(surface);
    if (state == CAIRO_STATUS_SUCCESS)
        state = pango->cairo_surface_status(surface);
    pango->cairo_surface_destroy(surface);
    return state;
}

enum status report_pdf(const struct report *report, struct buffer *out, struct error *error)
{
    struct page page = {.report = report, .y = MARGIN, .number = 1};
    enum status status = pango_load(&page.pango, error);
    if (status != STATUS_OK)
        return status;
    cairo_status_t state = draw_report(&page, out);
    if (state == CAIRO_STATUS_SUCCESS)
        return STATUS_OK;
    return error_set(error, STATUS_IO, "the PDF cannot be made: %s",
                     page.pango.cairo_status_to_string(state));
}
