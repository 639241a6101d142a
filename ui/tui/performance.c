/* How good the model is: figures on the decisions whose truth is known, each with its interval, and
 * beside them what was estimated before labels came. One thread. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"
#include "ui/tui/pages.h"

#define FRESH_MS 15000

static const struct figure {
    const char *label, *name, *estimate; /* estimate: NULL where there is none of it */
} figures[] = {
    {"AUC", "auc", "roc_auc"},
    {"average precision", "average_precision", "average_precision"},
    {"precision", "precision", "precision"},
    {"recall", "recall", "recall"},
    {"F1", "f1", "f1"},
    {"Brier score", "brier", NULL},
    {"log loss", "log_loss", NULL},
    {"calibration error", "ece", NULL},
};

/* ".990–.996", in as many digits as tell its ends apart. */
static void say_interval(double low, double high, char out[WORD_SIZE])
{
    char from[WORD_SIZE], to[WORD_SIZE];
    double noise = (high - low) / 4;
    out[0] = '\0';
    if (isfinite(low) && isfinite(high))
        snprintf(out, WORD_SIZE, "%.20s–%.20s", words_statistic(low, noise, from),
                 words_statistic(high, noise, to));
}

/* The newest period's estimate of the champion; NULL: there is none. */
static const struct json *find_estimates(const struct json *performance)
{
    const struct json *found = NULL;
    for (const struct json *period =
             json_first(json_get(json_get(performance, "estimates"), "periods"));
         period; period = json_next(period))
        if (strcmp(json_word(period, "variant"), "champion") == 0)
            found = json_get(period, "metrics");
    return found;
}

static const struct json *find_metric(const struct json *metrics, const char *name)
{
    for (const struct json *metric = json_first(metrics); metric && name;
         metric = json_next(metric))
        if (strcmp(json_word(metric, "metric"), name) == 0)
            return metric;
    return NULL;
}

static void draw_figure(struct pen *pen, const struct figure *figure, const struct json *all,
                        const struct json *estimates)
{
    const struct json *interval = json_get(json_get(all, "ci"), figure->name);
    const struct json *metric = find_metric(estimates, figure->estimate);
    double low = json_as_number(json_first(interval), NAN);
    double high = json_as_number(json_item(interval, 1), NAN);
    double value = json_double(all, figure->name), guess = json_double(metric, "estimated");
    double lower = json_double(metric, "lower"), upper = json_double(metric, "upper");
    char text[WORD_SIZE];
    int row = pen->row++, left = pen->left + 3, name = pen->width >= 76 ? 20 : 18;
    canvas_put(pen->canvas, row, left, name, STYLE_TEXT, figure->label);
    left += name;
    canvas_right(pen->canvas, row, left, 7, isnan(value) ? STYLE_NODATA : STYLE_BOLD,
                 isnan(value) ? words_nodata : words_statistic(value, (high - low) / 4, text));
    say_interval(low, high, text);
    canvas_put(pen->canvas, row, left + 8, 11, STYLE_QUIET, text);
    if (isnan(guess))
        return;
    /* What is true lies where it was estimated, or the estimate is to be doubted. */
    bool off = isfinite(value) && (value < lower || value > upper);
    canvas_put(pen->canvas, row, left + 19, 1, STYLE_TICKET, off ? "◆" : "");
    canvas_right(pen->canvas, row, left + 20, 6, off ? STYLE_TICKET : STYLE_TEXT,
                 words_statistic(guess, (upper - lower) / 4, text));
    say_interval(lower, upper, text);
    canvas_put(pen->canvas, row, left + 27, pen->left + pen->width - left - 27, STYLE_QUIET, text);
}

static void draw_heads(struct pen *pen)
{
    int left = pen->left + 3 + (pen->width >= 76 ? 20 : 18);
    canvas_right(pen->canvas, pen->row, left, 7, STYLE_QUIET, "truth");
    canvas_put(pen->canvas, pen->row, left + 8, 11, STYLE_QUIET, "95 %");
    canvas_put(pen->canvas, pen->row++, left + 21, pen->left + pen->width - left - 21, STYLE_QUIET,
               "estimated before");
}

/* "labels of 68 831 of 72 186 decisions, 95 %; they take 2 min, 19 of 20 at most 3 min" */
static void draw_coverage(struct pen *pen, const struct json *performance, const struct json *all)
{
    const struct json *delay = json_get(all, "label_delay_s");
    char labelled[WORD_SIZE], decided[WORD_SIZE], share[WORD_SIZE], usual[WORD_SIZE];
    char most[WORD_SIZE], text[VIEW_LINE_SIZE];
    double n = json_double(performance, "decided"), p50 = json_double(delay, "p50");
    double p95 = json_double(delay, "p95");
    size_t used = (size_t)snprintf(
        text, sizeof text, "%s of %s decisions have a label, %s",
        words_count((uint64_t)fmax(json_double(performance, "labelled"), 0), labelled),
        words_count((uint64_t)fmax(n, 0), decided),
        words_share(json_double(performance, "coverage_ratio"), (uint64_t)fmax(n, 0), share));
    if (isfinite(p50) && isfinite(p95))
        snprintf(text + used, sizeof text - used, "; it takes %s (95 %% within %s)",
                 words_duration((int64_t)(p50 * US_PER_S), usual),
                 words_duration((int64_t)(p95 * US_PER_S), most));
    draw_text(pen, pen->left + 3, pen->width - 4, 2, STYLE_TEXT, text);
}

static void draw_concept(struct pen *pen, const struct json *concept_drift)
{
    const struct json *newest = NULL;
    char at[WORD_SIZE];
    for (const struct json *one = json_first(json_get(concept_drift, "detections")); one;
         one = json_next(one))
        newest = one;
    if (newest && pen_left(pen) > 0)
        draw_fact(pen, "errors", "◆ their rate changed at %s (%s)",
                  json_moment(pen->screen, newest, "at", at), json_word(concept_drift, "method"));
}

void draw_performance(struct pen *pen)
{
    struct feed_document document = read_document(pen->screen, FRESH_MS, "/api/v1/performance");
    if (draw_absent(pen, &document, "performance"))
        return;
    const struct json *all = json_get(document.json, "all");
    const struct json *estimates = find_estimates(document.json);
    draw_heading(pen, "performance", "of the model, where the truth is known");
    draw_coverage(pen, document.json, all);
    draw_heads(pen);
    for (size_t i = 0; i < sizeof figures / sizeof *figures && pen_left(pen) > 0; i++)
        draw_figure(pen, &figures[i], all, estimates);
    draw_concept(pen, json_get(document.json, "concept_drift"));
}
