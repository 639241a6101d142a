/* Inputs and scores against their reference: a list by how far they moved over their own noise,
 * features by time as a heat map, and one of them opened. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/tui/pages.h"

#define HISTORY_MS 15000
#define NAME_WIDTH 18

static void add_row(struct grid *grid, enum item_kind kind, int index, const struct view_drift *row)
{
    char state[WORD_SIZE];
    bool alarming = row->state >= HEALTH_TICKET;
    int style = alarming ? style_of(row->state) : STYLE_TEXT;
    snprintf(state, sizeof state, "%s %s", words_mark(row->state), words_health(row->state));
    grid_row(grid, ITEM_TAG(kind, index));
    grid_text(grid, style, row->name);
    grid_number(grid, style_of(row->state), (double)row->state, state);
    grid_number(grid, row->waits[0] ? STYLE_NODATA : style, row->psi_ratio,
                !row->waits[0]                  ? row->psi
                : strstr(row->waits, "warming") ? "warming up"
                                                : words_nodata);
    grid_number(grid, STYLE_QUIET, row->noise_ratio, row->waits[0] ? "" : row->noise);
    grid_number(grid, STYLE_QUIET, row->limit_ratio, row->limit);
    grid_text(grid, STYLE_QUIET, row->n);
    grid_text(grid, STYLE_QUIET, row->n_reference);
}

void fill_drift(struct screen *screen, struct grid *grid)
{
    static const struct grid_column columns[] = {
        {"feature", 24, false, 0},     {"state", 9, false, 0}, {"PSI", 10, true, 0},
        {"no drift ≤", 10, true, 0},   {"limit", 7, true, 0},  {"n", 11, true, 70},
        {"n reference", 12, true, 100}};
    const struct view *view = &screen->view;
    grid_begin(grid, columns, 7);
    if (view->score_drift.feature[0])
        add_row(grid, ITEM_SCORE_DRIFT, 0, &view->score_drift);
    for (int i = 0; i < view->n_other_drift; i++)
        add_row(grid, ITEM_OTHER_DRIFT, i, &view->other_drift[i]);
    for (int i = 0; i < view->n_drift; i++)
        add_row(grid, ITEM_DRIFT, i, &view->drift[i]);
    grid_end(grid);
}

static const struct view_drift *selected(const struct screen *screen)
{
    int32_t tag = grid_tag(&screen->grids[VIEW_DRIFT]);
    if (TAG_KIND(tag) == ITEM_SCORE_DRIFT)
        return &screen->view.score_drift;
    if (TAG_KIND(tag) == ITEM_OTHER_DRIFT)
        return TAG_INDEX(tag) < screen->view.n_other_drift
                   ? &screen->view.other_drift[TAG_INDEX(tag)]
                   : NULL;
    return TAG_KIND(tag) == ITEM_DRIFT && TAG_INDEX(tag) < screen->view.n_drift
               ? &screen->view.drift[TAG_INDEX(tag)]
               : NULL;
}

/* ---- features by time ---- */

/* One line: how much of its limit the feature's PSI was. */
static void draw_heat_line(struct pen *pen, const struct curve *series, double limit)
{
    int wide = pen->width - NAME_WIDTH - 3, row = pen->row++;
    canvas_put(pen->canvas, row, pen->left + 1, NAME_WIDTH, STYLE_TEXT,
               strncmp(series->name, "psi.", 4) == 0 ? series->name + 4 : series->name);
    for (int column = 0; column < wide; column++) {
        int from = (int)((long)column * series->n / wide);
        int to = (int)((long)(column + 1) * series->n / wide);
        double most = NAN;
        for (int i = from; i < (to > from ? to : from + 1) && i < series->n; i++)
            most = fmax(most, series->values[i]);
        heat_cell(pen->canvas, row, pen->left + NAME_WIDTH + 2 + column,
                  isnan(most) ? -1
                  : most <= 0 ? 0
                              : heat_level(most / limit));
    }
}

/* "psi.score,psi.amount,...": of those listed, as many as one question may ask for. */
static void put_names(const struct screen *screen, int most, char *out, size_t size)
{
    const struct view *view = &screen->view;
    size_t used = 0;
    int n = 0;
    out[0] = '\0';
    if (view->score_drift.feature[0] && !view->score_drift.waits[0]) {
        used = (size_t)snprintf(out, size, "psi.%s", view->score_drift.feature);
        n++;
    }
    for (int i = 0; i < view->n_drift && n < most; i++, n++) {
        size_t length = strlen(view->drift[i].feature) + 5;
        if (used + length >= size)
            break;
        used += (size_t)snprintf(out + used, size - used, "%spsi.%s", used ? "," : "",
                                 view->drift[i].feature);
    }
}

/* Of the feature whose series is "psi.FEATURE". */
static double limit_of(const struct view *view, const char *series)
{
    const char *feature = strncmp(series, "psi.", 4) == 0 ? series + 4 : series;
    for (int i = 0; i < view->n_drift; i++) {
        if (strcmp(view->drift[i].feature, feature) == 0)
            return view->drift[i].limit_ratio;
    }
    return view->score_drift.limit_ratio;
}

static void draw_heat(struct pen *pen)
{
    struct curves set;
    char query[120], note[120], names[FEED_TARGET_SIZE - 160];
    int most = pen_left(pen) - 1 < MAX_CURVES ? pen_left(pen) - 1 : MAX_CURVES;
    put_names(pen->screen, most, names, sizeof names);
    screen_range_query(pen->screen, pen->width - NAME_WIDTH, query, sizeof query);
    snprintf(note, sizeof note, "last %s; full: at the limit%s", screen_range_word(pen->screen),
             pen->width < 72 ? "" : "; hatched: no data");
    draw_heading(pen, "features over time", note);
    if (!names[0]) {
        draw_text(pen, pen->left + 3, pen->width - 4, 2, STYLE_NODATA,
                  pen->screen->view.drift_note);
        return;
    }
    struct feed_document document =
        read_document(pen->screen, HISTORY_MS, "/api/v1/history?series=%s&%s", names, query);
    if (draw_absent(pen, &document, "features over time"))
        return;
    curves_read(document.json, &set);
    for (int i = 0; i < set.n && pen_left(pen) > 0; i++)
        if (set.series[i].values)
            draw_heat_line(pen, &set.series[i], limit_of(&pen->screen->view, set.series[i].name));
    curves_free(&set);
}

static void draw_score_bins(struct pen *pen)
{
    draw_scores(pen, pen_left(pen) - 2 < 8 ? pen_left(pen) - 2 : 8);
}

/* ---- one feature opened ---- */

static double member(const struct json *object, const char *one, const char *other)
{
    double value = json_double(object, one);
    return isnan(value) ? json_double(object, other) : value;
}

static void draw_bin(struct pen *pen, const struct json *bin, double most)
{
    int row = pen->row++, half = (pen->width - 28) / 2, bar = half - 9;
    double reference = json_double(bin, "reference"), live = member(bin, "live", "current");
    double carries = json_double(bin, "contribution");
    char text[WORD_SIZE];
    canvas_put(pen->canvas, row, pen->left + 1, 16, STYLE_TEXT, json_word(bin, "label"));
    int left = pen->left + 18;
    canvas_meter(pen->canvas, row, left, bar, STYLE_QUIET, reference / most);
    canvas_right(pen->canvas, row, left + bar, 8, STYLE_QUIET,
                 words_share(reference, 100000, text));
    left += half;
    canvas_meter(pen->canvas, row, left, bar, STYLE_CHAMPION, live / most);
    canvas_right(pen->canvas, row, left + bar, 8, STYLE_TEXT, words_share(live, 100000, text));
    canvas_right(pen->canvas, row, pen->left + pen->width - 9, 7,
                 carries > 0.02 ? STYLE_BOLD : STYLE_QUIET, words_statistic(carries, 0.001, text));
}

/* What a bin must carry to be shown where there is room for only so many of them. */
static double least_carried(const struct json *bins, int room)
{
    double least = -INFINITY;
    for (const struct json *bin = json_first(bins); bin; bin = json_next(bin)) {
        double carries = json_double(bin, "contribution");
        int more = 0;
        for (const struct json *other = json_first(bins); other; other = json_next(other))
            more += json_double(other, "contribution") > carries;
        if (more >= room)
            least = fmax(least, carries);
    }
    return least;
}

static void draw_bins(struct pen *pen, const struct json *bins)
{
    double most = 0;
    int half = (pen->width - 28) / 2, hidden = 0;
    if (!bins || pen_left(pen) < 4)
        return;
    for (const struct json *bin = json_first(bins); bin; bin = json_next(bin))
        most = fmax(most, fmax(json_double(bin, "reference"), member(bin, "live", "current")));
    canvas_put(pen->canvas, pen->row, pen->left + 1, 16, STYLE_QUIET, "bin");
    canvas_put(pen->canvas, pen->row, pen->left + 18, half, STYLE_QUIET, "reference");
    canvas_put(pen->canvas, pen->row, pen->left + 18 + half, half, STYLE_QUIET, "live");
    canvas_right(pen->canvas, pen->row++, pen->left + pen->width - 9, 7, STYLE_QUIET, "carries");
    int room = pen_left(pen) - 1;
    bool all = (int)json_size(bins) <= room;
    double least = all ? -INFINITY : least_carried(bins, room - 1);
    for (const struct json *bin = json_first(bins); bin; bin = json_next(bin)) {
        if (pen_left(pen) > 1 && (all || json_double(bin, "contribution") > least))
            draw_bin(pen, bin, most > 0 ? most : 1);
        else
            hidden++;
    }
    if (hidden > 0 && pen_left(pen) > 1)
        canvas_printf(pen->canvas, pen->row++, pen->left + 1, STYLE_QUIET,
                      "%d more that carry less", hidden);
}

static char *say_statistic(double value, char out[WORD_SIZE])
{
    return words_statistic(value, 0.01, out);
}

/* The history knows the score's PSI and the inputs'. */
static bool is_kept(const struct view_drift *row)
{
    return !row->variant[0] && strcmp(row->feature, "decisions") != 0;
}

/* `name`: the feature's is not said elsewhere. */
static void draw_line(struct pen *pen, const struct view_drift *row, bool name, int rows)
{
    char title[WORD_SIZE + NAME_SIZE] = "PSI";
    struct curves set;
    char query[120];
    struct pen part = pen_part(pen, 0, pen->width, rows);
    screen_range_query(pen->screen, pen->width * 2, query, sizeof query);
    struct feed_document document = read_document(
        pen->screen, HISTORY_MS, "/api/v1/history?series=psi.%s&%s", row->feature, query);
    if (!draw_absent(&part, &document, "PSI over time")) {
        curves_read(document.json, &set);
        const struct curve *line = set.n && set.series[0].values ? &set.series[0] : NULL;
        if (name)
            snprintf(title, sizeof title, "PSI of %s", row->feature);
        struct chart chart = {.title = title,
                              .say = say_statistic,
                              .limit = row->limit_ratio,
                              .limit_word = "limit",
                              .low = 0,
                              .high = NAN};
        if (line)
            draw_chart(&part, &line, 1, &set, &chart, rows);
        curves_free(&set);
    }
    pen->row = part.row;
}

/* "js .19   ks .11 (p .002) of 3,120": the methods in one line, the chosen one first; of a sample
 * how many values were looked at. */
static void draw_methods(struct pen *pen, const struct json *methods)
{
    int n = methods ? (int)json_size(methods) : 0, column = pen->left + 1;
    for (int i = 0; i < n && pen_left(pen) > 0; i++) {
        const struct json *method = json_item(methods, (size_t)((i + pen->screen->method) % n));
        char value[WORD_SIZE], p[WORD_SIZE], count[WORD_SIZE], of[2 * WORD_SIZE] = "";
        char text[VIEW_LINE_SIZE];
        double chance = json_double(method, "p_value");
        const char *name = json_word(method, "method");
        words_statistic(member(method, "statistic", "value"), 0.001, value);
        if (isnan(chance))
            p[0] = '\0';
        else
            snprintf(p, sizeof p, chance < 1e-9 ? " (p<1e-9)" : " (p %.2g)", chance);
        if (json_as_bool(json_get(method, "sampled"), false))
            snprintf(of, sizeof of, " of %s",
                     words_count((uint64_t)fmax(0, json_double(method, "n")), count));
        snprintf(text, sizeof text, "%s %s%s%s", *name ? name : json_item_key(method), value, p,
                 of);
        if (column + canvas_width(pen->canvas, text) > pen->left + pen->width - 2)
            break;
        column += canvas_put(pen->canvas, pen->row, column, pen->width,
                             i == 0 ? STYLE_BOLD : STYLE_TEXT, text) +
                  3;
    }
    if (n)
        pen->row++;
}

static struct feed_document read_opened(struct screen *screen, const struct view_drift *row)
{
    const char *variant = row->variant[0] ? row->variant : screen->variant_canary ? "canary" : "";
    return read_document(screen, 5000, "/api/v1/drift?feature=%s%s%s", row->feature,
                         variant[0] ? "&variant=" : "", variant);
}

/* "also moved: country .050 of .30; not moved: device, hour": against the noise of each. */
static void draw_others(struct pen *pen, const struct view_drift *opened)
{
    const struct view *view = &pen->screen->view;
    char moved[VIEW_LINE_SIZE] = "", still[VIEW_LINE_SIZE] = "", text[2 * VIEW_LINE_SIZE + 40];
    size_t used = 0, quiet = 0;
    for (int i = 0; i < view->n_drift; i++) {
        const struct view_drift *row = &view->drift[i];
        if (row == opened || row->waits[0])
            continue;
        if (row->psi_ratio > row->noise_ratio) {
            if (used + 1 < sizeof moved)
                used += (size_t)snprintf(moved + used, sizeof moved - used, "%s%s %s of %s",
                                         used ? ", " : "", row->feature, row->psi, row->limit);
        } else if (quiet + 1 < sizeof still) {
            quiet += (size_t)snprintf(still + quiet, sizeof still - quiet, "%s%s",
                                      quiet ? ", " : "", row->feature);
        }
    }
    snprintf(text, sizeof text, "%s%s%s%s%s", used ? "also moved: " : "", moved,
             used && quiet ? "; " : "", quiet ? "not moved: " : "", still);
    if (pen_left(pen) > 0 && text[0])
        canvas_put(pen->canvas, pen->row++, pen->left + 1, pen->width - 2, STYLE_QUIET, text);
}

/* ---- the selected one beside the list ---- */

static void draw_selected_line(struct pen *pen)
{
    const struct view_drift *row = selected(pen->screen);
    if (row && is_kept(row))
        draw_line(pen, row, true, pen_left(pen));
}

static void draw_selected_bins(struct pen *pen)
{
    const struct view_drift *row = selected(pen->screen);
    if (!row)
        return;
    struct feed_document document = read_opened(pen->screen, row);
    draw_heading(pen, row->name, "live against its reference");
    if (!draw_absent(pen, &document, "the feature's bins"))
        draw_bins(pen, json_get(document.json, "bins"));
}

/* ---- opened ---- */

void open_drift(struct pen *pen)
{
    const struct view_drift *row = selected(pen->screen);
    if (!row)
        return;
    struct feed_document document = read_opened(pen->screen, row);
    char note[2 * VIEW_LINE_SIZE], since[WORD_SIZE];
    json_moment(pen->screen, document.json, "since", since);
    snprintf(note, sizeof note, "n %s live, %s in the reference", row->n, row->n_reference);
    draw_heading(pen, row->name, note);
    snprintf(note, sizeof note, "PSI %s   no drift at this n ≤ %s (95 %%)   limit %s%s%s", row->psi,
             row->noise, row->limit, since[0] ? "   since " : "", since);
    canvas_put(pen->canvas, pen->row++, pen->left + 1, pen->width - 2,
               row->state >= HEALTH_TICKET ? style_of(row->state) | STYLE_BOLD : STYLE_TEXT, note);
    if (is_kept(row)) {
        draw_line(pen, row, false, pen_left(pen) > 14 ? pen_left(pen) / 3 : 5);
        draw_rule(pen);
    }
    if (draw_absent(pen, &document, "the feature's bins")) {
        draw_fact(pen, "method", "population stability index: sum of (p - q) ln(p / q) over bins");
        return;
    }
    int bottom = pen->bottom;
    pen->bottom -= pen_left(pen) > 8; /* for the others */
    draw_bins(pen, json_get(document.json, "bins"));
    draw_methods(pen, json_get(document.json, "methods"));
    pen->bottom = bottom;
    draw_others(pen, row);
}

void draw_drift(struct pen *pen)
{
    static const struct panel panels[] = {
        {draw_heat}, {draw_selected_line}, {draw_selected_bins}, {draw_score_bins}};
    size_t n = screen_grid(pen->screen)->n_shown + 2;
    draw_heading(pen, "drift", pen->screen->view.drift_note);
    int rows = pen_left(pen) * 3 / 5;
    struct pen list = pen_part(pen, 0, pen->width, n < (size_t)rows ? (int)n : rows);
    draw_grid(&list, pen->screen->view.drift_note);
    pen->row = list.row;
    draw_rule(pen);
    draw_panels(pen, panels, sizeof panels / sizeof *panels);
}
