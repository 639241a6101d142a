/* The views on the terminal: one row of the table each. */
#ifndef BINNACLE_TUI_PAGES_H
#define BINNACLE_TUI_PAGES_H

#include "ui/tui/plot.h"
#include "ui/tui/screen.h"

/* Where the next line goes: columns left..left+width, rows row..bottom-1. */
struct pen {
    struct canvas *canvas;
    struct screen *screen;
    int row, left, width, bottom;
};

/* A view more is a row more. `fill` lists what can be selected there and `open` draws the selected
 * one in full; both may be NULL. */
struct page {
    void (*fill)(struct screen *screen, struct grid *grid);
    void (*draw)(struct pen *pen);
    void (*open)(struct pen *pen);
    /* What keys do here and not everywhere, what they do while a row is open, and which of them
     * change the service. */
    const char *keys, *inside, *acts;
};
extern const struct page pages[VIEW_COUNT];

void fill_now(struct screen *screen, struct grid *grid);
void draw_now(struct pen *pen);
void open_now(struct pen *pen);
void fill_slo(struct screen *screen, struct grid *grid);
void draw_slo(struct pen *pen);
void open_slo(struct pen *pen);
void fill_traffic(struct screen *screen, struct grid *grid);
void draw_traffic(struct pen *pen);
void open_traffic(struct pen *pen);
void fill_drift(struct screen *screen, struct grid *grid);
void draw_drift(struct pen *pen);
void open_drift(struct pen *pen);
void fill_quality(struct screen *screen, struct grid *grid);
void draw_quality(struct pen *pen);
void open_quality(struct pen *pen);
void fill_decisions(struct screen *screen, struct grid *grid);
void draw_decisions(struct pen *pen);
void open_decisions(struct pen *pen);
void fill_logs(struct screen *screen, struct grid *grid);
void draw_logs(struct pen *pen);
void open_logs(struct pen *pen);
void fill_settings(struct screen *screen, struct grid *grid);
void draw_settings(struct pen *pen);
void open_settings(struct pen *pen);
void fill_own(struct screen *screen, struct grid *grid);
void draw_own(struct pen *pen);
void fill_help(struct screen *screen, struct grid *grid);
void draw_help(struct pen *pen);

/* ---- parts.c: what pages share ---- */
int style_of(enum health health);
int style_of_arm(enum variant variant);
int pen_left(const struct pen *pen); /* rows that are left */
void draw_rule(struct pen *pen);
void draw_heading(struct pen *pen, const char *title, const char *note);
/* "label   text", the text over as many lines as it needs. */
void draw_fact(struct pen *pen, const char *label, const char *format, ...) PRINTF_LIKE(3, 4);
/* Text broken at spaces into at most `rows` rows, the last one cut; returns the rows used. */
int draw_text(struct pen *pen, int column, int width, int rows, int style, const char *text);
/* Rows that text takes when it is broken so. */
int text_rows(const struct canvas *canvas, const char *text, int width);
/* The mark of the selected line at the left edge, and the style of its text. */
int draw_marker(struct pen *pen, enum item_kind kind, int index);
/* The first of n lines to show in `rows`, so that the selected one is among them. */
int first_shown(const struct pen *pen, enum item_kind kind, int n, int rows);
/* The part of the pen from `column` on, `width` wide and at most `rows` high. */
struct pen pen_part(const struct pen *pen, int column, int width, int rows);

/* ---- attention.c ---- */
/* Titles of all that needs a person, as far as they fit into `rows` rows; the room that is left
 * goes to what is known about the selected one, else the first. */
void draw_attention(struct pen *pen, int rows);
/* Rows for all titles, and for the conclusion about the selected one with its first figure. */
int attention_rows(const struct pen *pen);

/* ---- now_lines.c ---- */
#define SUMMARY_LINES 6
#define SUMMARY_LEAST 4
void draw_summary(struct pen *pen, int rows); /* SUMMARY_LEAST to SUMMARY_LINES */

/* ---- objectives.c ---- */
void draw_objectives(struct pen *pen, int rows);

/* ---- budget.c: in the rows that are left ---- */
void draw_budget_line(struct pen *pen, const struct view_objective *objective);
void draw_good_line(struct pen *pen, const struct view_objective *objective);

/* ---- arms.c ---- */
void draw_by_arms(struct pen *pen);      /* what each decided, how its scores are spread */
void draw_disagreement(struct pen *pen); /* of shadows with those that decide */
void draw_scores_over_time(struct pen *pen, const struct view_arm *arm);

/* ---- fields.c, performance.c ---- */
void draw_fields(struct pen *pen);
void draw_usual(struct pen *pen); /* series against their past */
void draw_performance(struct pen *pen);

/* ---- panels.c: figures of the snapshot that several pages show ---- */
void draw_scores(struct pen *pen, int rows);
void draw_decided(struct pen *pen);
void draw_quarantine(struct pen *pen);
void draw_series(struct pen *pen);
#define CHANGES "/api/v1/changes?from={now-604800}&to={now}"
void draw_changes(struct pen *pen, int rows);
/* What /api/v1/explain says: causes, best first, with their evidence. */
void draw_causes(struct pen *pen);
void draw_recent(struct pen *pen);
void draw_drift_table(struct pen *pen);

/* ---- panels_tile.c ---- */
/* Drawings side by side and below each other, as many as there is room for; Tab brings the next one
 * to the front. */
struct panel {
    void (*draw)(struct pen *pen);
};
void draw_panels(struct pen *pen, const struct panel *panels, int n);

/* ---- grid_draw.c ---- */
/* The list of the page in the rows that are left. `empty` is said when there is no row. */
void draw_grid(struct pen *pen, const char *empty);

/* ---- documents.c: what is fetched ---- */
struct feed_document read_document(struct screen *screen, int64_t every_ms, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* For read_document() of a list: while a row of it is open the list stays, so that what one reads
 * is not another row a moment later. */
int64_t list_every(const struct screen *screen, int64_t every_ms);
/* Says why there is nothing to show of `what`, in one line; a picture for each reason. False, and
 * nothing is drawn, when there is a document. */
bool draw_absent(struct pen *pen, const struct feed_document *document, const char *what);
/* A series of the document of /api/v1/history. */
struct curve {
    char name[NAME_SIZE], unit[16], label[NAME_SIZE]; /* label: of by=variant; "" */
    double *values;                                   /* owned */
    int64_t base_us;                                  /* of the first */
    int n;
    double last; /* the newest that there is; NaN */
};
#define MAX_CURVES 16
struct curves {
    struct curve series[MAX_CURVES];
    int n;
    int64_t from_us, to_us, step_us;
};
/* Reads them, evenly spaced, NaN where there is no data. Free with curves_free(). */
void curves_read(const struct json *history, struct curves *set);
void curves_free(struct curves *set);
const struct curve *curves_find(const struct curves *set, const char *name);
/* A heat map of the document of /api/v1/heatmap: rows are bands, the highest first. Draws into
 * `rows` rows of the pen and moves on; `limit` (NaN: none) is marked at its band. */
void draw_heatmap(struct pen *pen, const struct json *heatmap, int rows, double limit,
                  char *(*say)(double value, char out[WORD_SIZE]));
/* ---- chart_csv.c: what the first chart is drawn of, while it is asked for ---- */
void chart_csv_lines(struct screen *screen, const char *title, const struct curve *const *lines,
                     int n, const struct curves *set);
void chart_csv_cells(struct screen *screen, const char *title, const struct json *heatmap);

/* A chart of up to PLOT_LINES series, each named at its end below. */
struct chart {
    const char *title;
    char *(*say)(double value, char out[WORD_SIZE]);
    double limit;
    const char *limit_word;
    double low, high;
    bool logarithmic;
    int style; /* of the first line; others follow as arms do */
};
void draw_chart(struct pen *pen, const struct curve *const *lines, int n, const struct curves *set,
                const struct chart *chart, int rows);
/* The moment of a document's member on the screen's clock; "" when it is none. */
char *json_moment(const struct screen *screen, const struct json *object, const char *key,
                  char out[WORD_SIZE]);
/* False where this instance keeps no history: then charts are of the last minutes. */
bool has_history(struct screen *screen);
void draw_last_minutes(struct pen *pen, const struct view_series *series, const char *title,
                       char *(*say)(double value, char out[WORD_SIZE]), double limit);
/* A member of an object as a double; NaN when it is absent or null. */
double json_double(const struct json *object, const char *key);
const char *json_word(const struct json *object, const char *key);

#endif
