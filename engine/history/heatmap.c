/* Distributions over time: the cells of each point, counted between edges that a screen can draw.
 * Written as they are read. */
#include "engine/history/answer.h"

#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/history/question.h"
#include "engine/history/measure.h"

#define LATENCY_STEPS 4 /* cells per doubling */
#define MAX_STEPS     128

struct heatmap {
    struct json_writer json;
    unsigned section;
    int column; /* of SECTION_BINS */
    double edges[MAX_STEPS];
    int n_edges;
};

static int find_edge(const struct heatmap *heatmap, double value)
{
    int n = 0;
    while (n < heatmap->n_edges && value >= heatmap->edges[n])
        n++;
    return n;
}

static bool count_latency(const struct heatmap *heatmap, const struct sums *sums,
                          uint64_t counts[MAX_STEPS + 2])
{
    const struct cell *cell = &sums->cell;
    for (size_t i = 0; cell->latency && i < HISTOGRAM_BUCKETS; i++)
        counts[find_edge(heatmap, (double)histogram_low(i))] += cell->latency[i];
    for (int i = 0; cell->latency && i < cell->layout->n_limits; i++)
        counts[find_edge(heatmap, (double)cell->layout->limits_us[i])] +=
            cell->latency[HISTOGRAM_BUCKETS + i];
    for (size_t i = 0; sums->older && i < HISTOGRAM_BUCKETS; i++)
        counts[find_edge(heatmap, (double)histogram_low(i))] += sums->older[i];
    return true;
}

static bool count_group(const struct heatmap *heatmap, const struct sums *sums,
                        uint64_t counts[MAX_STEPS + 2])
{
    if (heatmap->section == SECTION_LATENCY)
        return count_latency(heatmap, sums, counts);
    if (heatmap->section == SECTION_SCORES) {
        for (int i = 0; i < SCORE_STEPS; i++)
            counts[i * (heatmap->n_edges + 1) / SCORE_STEPS] += sums->cell.scores[i];
        return true;
    }
    const uint64_t *bins = sums_bins(sums, heatmap->column);
    for (int i = 0; bins && i <= heatmap->n_edges; i++)
        counts[i] += bins[i];
    if (bins)
        counts[heatmap->n_edges + 1] += bins[MISSING_BIN];
    return true;
}

static void put_cell(void *context, const struct point *point)
{
    struct heatmap *heatmap = context;
    uint64_t counts[MAX_STEPS + 2] = {0};
    struct json_writer *json = &heatmap->json;
    json_array(json, NULL);
    json_int(json, NULL, point->start_s * 1000);
    if (point->n_groups == 0 && !point->covered) {
        json_null(json, NULL);
        json_array_end(json);
        return;
    }
    for (int i = 0; i < point->n_groups; i++)
        (void)count_group(heatmap, point->groups[i], counts);
    json_array(json, NULL);
    int n = heatmap->n_edges + 1 + (heatmap->section == SECTION_BINS);
    for (int i = 0; i < n; i++)
        json_int(json, NULL, (int64_t)counts[i]);
    json_array_end(json);
    json_array_end(json);
}

/* A quarter of a doubling each, from 16 us to 67 s, and the limits of the objectives. */
static void latency_edges(const struct layout *layout, struct heatmap *heatmap)
{
    for (int i = 0; i < 22 * LATENCY_STEPS; i++) {
        int64_t doubling = INT64_C(16) << (i / LATENCY_STEPS);
        double edge = (double)(doubling + doubling * (i % LATENCY_STEPS) / LATENCY_STEPS);
        for (int k = 0; k < layout->n_limits; k++) {
            double limit = (double)layout->limits_us[k];
            double last = heatmap->n_edges ? heatmap->edges[heatmap->n_edges - 1] : 0;
            if (limit > last && limit < edge)
                heatmap->edges[heatmap->n_edges++] = limit;
        }
        heatmap->edges[heatmap->n_edges++] = edge;
    }
}

static enum status choose_edges(const struct layout *layout, struct slice of,
                                struct heatmap *heatmap, struct error *error)
{
    struct measure series;
    char name[2 * NAME_SIZE] = "psi.";
    if (slice_is(of, "latency")) {
        heatmap->section = SECTION_LATENCY;
        latency_edges(layout, heatmap);
        return STATUS_OK;
    }
    if (slice_is(of, "score")) {
        heatmap->section = SECTION_SCORES;
        for (int i = 1; i < SCORE_STEPS; i++)
            heatmap->edges[heatmap->n_edges++] = (double)i / SCORE_STEPS;
        return STATUS_OK;
    }
    if (of.size > 0 && of.size < NAME_SIZE)
        memcpy(name + strlen(name), of.data, of.size);
    if (measure_find(layout, slice_of(name), &series, error) != STATUS_OK)
        return error_set(error, STATUS_INVALID,
                         "of: latency, score or a watched feature is needed");
    heatmap->section = SECTION_BINS;
    heatmap->column = series.column;
    const struct binning *binning = &layout->binnings[series.column];
    heatmap->n_edges = binning->n_edges;
    for (int i = 0; i < binning->n_edges; i++)
        heatmap->edges[i] = (double)binning->edges[i];
    return STATUS_OK;
}

static void put_head(const struct heatmap *heatmap, const struct range *range, struct slice of,
                     struct json_writer *json)
{
    json_object(json, NULL);
    json_string(json, "of", of);
    json_text(json, "unit", heatmap->section == SECTION_LATENCY ? "us" : "value");
    json_time(json, "from", range->from_s * US_PER_S);
    json_time(json, "to", range->to_s * US_PER_S);
    json_int(json, "step_s", range->step_s);
    json_array(json, "edges");
    for (int i = 0; i < heatmap->n_edges; i++)
        json_number(json, NULL, heatmap->edges[i]);
    json_array_end(json);
    json_bool(json, "missing", heatmap->section == SECTION_BINS);
    json_array(json, "cells");
}

enum status history_heatmap(struct history_store *history, const struct history_question *question,
                            struct buffer *out, struct error *error)
{
    struct range range = {0};
    struct heatmap heatmap = {.column = -1};
    enum status status = choose_edges(history_layout(history), question->of, &heatmap, error);
    range.sections = heatmap.section;
    if (status == STATUS_OK)
        status = question_read(history, question, &range, error);
    if (status != STATUS_OK)
        return status;
    range.by_mask = 0;
    json_begin(&heatmap.json, out);
    put_head(&heatmap, &range, question->of, &heatmap.json);
    status = range_read(history, &range, put_cell, &heatmap, error);
    json_array_end(&heatmap.json);
    json_object_end(&heatmap.json);
    return status;
}
