/* The document of joined outcomes: labels, figures and groups of them, estimates beside the truth,
 * and changes of the error stream. In: the join and a range. Out: JSON. */
#include <math.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/monitor/truth_measure.h"
#include "engine/stats/classify_json.h"

static void write_figures(const struct truth *truth, const struct truth_figures *figures,
                          struct json_writer *json)
{
    double half = classify_deviations(0.95) * figures->top.standard_error;
    classify_json(json, &figures->result);
    json_object(json, "precision_at_k");
    json_int(json, "k", truth_options(truth)->k);
    json_int(json, "days", (int64_t)figures->top.n_days);
    json_number(json, "value", figures->top.precision);
    if (isnan(half)) {
        json_null(json, "ci");
    } else {
        json_array(json, "ci");
        json_number(json, NULL, fmax(figures->top.precision - half, 0));
        json_number(json, NULL, fmin(figures->top.precision + half, 1));
        json_array_end(json);
    }
    json_object_end(json);
    json_object(json, "label_delay_s");
    json_number(json, "p50", figures->delay_p50_s);
    json_number(json, "p95", figures->delay_p95_s);
    json_number(json, "max", figures->delay_max_s);
    json_object_end(json);
}

static void write_coverage(const struct truth_figures *figures, struct json_writer *json)
{
    json_int(json, "decided", (int64_t)figures->decided);
    json_int(json, "labelled", (int64_t)figures->labelled);
    json_number(json, "coverage_ratio",
                figures->decided ? (double)figures->labelled / (double)figures->decided
                                 : (double)NAN);
}

static void write_labels(const struct truth *truth, uint64_t behind, struct json_writer *json)
{
    const struct truth_counts *counts = truth_counts(truth);
    json_object(json, "labels");
    json_int(json, "joined", (int64_t)counts->joined);
    json_int(json, "repeated", (int64_t)counts->repeated);
    json_int(json, "corrected", (int64_t)counts->corrected);
    json_int(json, "unmatched", (int64_t)counts->unmatched);
    json_int(json, "kept", (int64_t)truth_n_rows(truth));
    json_int(json, "evicted", (int64_t)counts->evicted);
    json_int(json, "rows_behind", (int64_t)behind);
    json_object_end(json);
}

/* ---- groups ---- */

static enum status write_group(const struct truth *truth, const struct truth_selection *selection,
                               const char *by, const char *value, struct json_writer *json,
                               struct error *error)
{
    struct truth_figures figures;
    enum status status = truth_measure(truth, selection, &figures, error);
    if (status != STATUS_OK)
        return status;
    json_object(json, NULL);
    json_text(json, "by", by);
    if (value)
        json_text(json, "value", value);
    else
        json_time(json, "value", selection->from_us);
    write_coverage(&figures, json);
    write_figures(truth, &figures, json);
    json_object_end(json);
    return STATUS_OK;
}

static enum status write_times(const struct truth *truth, const struct truth_selection *all,
                               struct json_writer *json, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < truth_n_periods(truth); i++) {
        struct truth_selection one = *all;
        one.from_us = truth_period(truth, i)->start_us;
        one.to_us = one.from_us + truth_options(truth)->period_us;
        if (one.from_us >= all->from_us && one.from_us < all->to_us)
            status = write_group(truth, &one, "time", NULL, json, error);
    }
    return status;
}

static enum status write_groups(const struct truth *truth, const struct truth_selection *all,
                                enum truth_by by, struct json_writer *json, struct error *error)
{
    enum status status = STATUS_OK;
    json_array(json, "groups");
    if (by == TRUTH_BY_TIME)
        status = write_times(truth, all, json, error);
    for (int v = 0; by == TRUTH_BY_VARIANT && status == STATUS_OK && v < TRUTH_VARIANTS; v++) {
        struct truth_selection one = *all;
        one.variant = v;
        status = write_group(truth, &one, "variant", variant_name((enum variant)v), json, error);
    }
    for (size_t c = 0; by == TRUTH_BY_COHORT && status == STATUS_OK && c < truth_n_cohorts(truth);
         c++) {
        struct truth_selection one = *all;
        one.cohort = (int)c;
        status = write_group(truth, &one, "cohort", truth_cohort(truth, c), json, error);
    }
    json_array_end(json);
    return status;
}

/* ---- estimates ---- */

static enum status write_period(const struct truth *truth, const struct truth_period *period,
                                int variant, struct json_writer *json, struct error *error)
{
    const struct truth_side *side = &period->sides[variant];
    double realized[TRUTH_ESTIMATES];
    enum status status = truth_realized(truth, period, variant, realized, error);
    json_object(json, NULL);
    json_time(json, "from", period->start_us);
    json_time(json, "to", period->start_us + truth_options(truth)->period_us);
    json_text(json, "variant", variant_name((enum variant)variant));
    json_int(json, "decided", (int64_t)side->decided);
    json_int(json, "labelled", (int64_t)side->labelled);
    json_int(json, "sample", (int64_t)(side->seen < TRUTH_SAMPLE ? side->seen : TRUTH_SAMPLE));
    json_bool(json, "over", side->frozen);
    json_array(json, "metrics");
    for (int m = 0; status == STATUS_OK && m < TRUTH_ESTIMATES; m++) {
        struct truth_estimate estimate = side->estimates[m];
        if (!side->frozen)
            status = truth_estimate(truth, side, (enum cbpe_metric)m, &estimate, error);
        json_object(json, NULL);
        json_text(json, "metric", cbpe_name((enum cbpe_metric)m));
        json_number(json, "estimated", estimate.estimated);
        json_number(json, "lower", estimate.lower);
        json_number(json, "upper", estimate.upper);
        json_number(json, "realized", realized[m]);
        json_object_end(json);
    }
    json_array_end(json);
    json_object_end(json);
    return status;
}

static enum status write_track(const struct truth *truth, struct json_writer *json,
                               struct error *error)
{
    struct truth_track tracks[TRUTH_ESTIMATES];
    enum status status = truth_track(truth, tracks, error);
    if (status != STATUS_OK)
        return status;
    json_array(json, "track_record");
    for (int m = 0; m < TRUTH_ESTIMATES; m++) {
        json_object(json, NULL);
        json_text(json, "metric", cbpe_name((enum cbpe_metric)m));
        json_int(json, "periods", (int64_t)tracks[m].n);
        json_number(json, "mean_abs_error", tracks[m].mean_error);
        json_number(json, "bias", tracks[m].bias);
        json_int(json, "within_band", (int64_t)tracks[m].within);
        json_object_end(json);
    }
    json_array_end(json);
    return STATUS_OK;
}

/* A range may be open. */
static void write_bound(struct json_writer *json, const char *name, int64_t time_us)
{
    if (time_us == INT64_MIN || time_us == INT64_MAX)
        json_null(json, name);
    else
        json_time(json, name, time_us);
}

static enum status write_estimates(const struct truth *truth, int64_t from_us, int64_t to_us,
                                   struct json_writer *json, struct error *error)
{
    size_t n_reference;
    const struct cbpe *cbpe = truth_estimator(truth, &n_reference);
    enum status status = STATUS_OK;
    json_object(json, "estimates");
    json_int(json, "n_reference", (int64_t)n_reference);
    if (cbpe)
        json_bool(json, "calibrated", cbpe_is_calibrated(cbpe));
    else
        json_null(json, "calibrated");
    json_array(json, "periods");
    for (size_t i = 0; status == STATUS_OK && i < truth_n_periods(truth); i++) {
        const struct truth_period *period = truth_period(truth, i);
        for (int v = 0; status == STATUS_OK && v < TRUTH_VARIANTS; v++) {
            if (period->start_us + truth_options(truth)->period_us > from_us &&
                period->start_us < to_us && period->sides[v].decided)
                status = write_period(truth, period, v, json, error);
        }
    }
    json_array_end(json);
    if (status == STATUS_OK)
        status = write_track(truth, json, error);
    json_object_end(json);
    return status;
}

static void write_detections(const struct truth *truth, struct json_writer *json)
{
    struct truth_detection detections[TRUTH_DETECTIONS];
    uint64_t n_all, n_labels;
    size_t n = truth_detections(truth, detections, &n_all, &n_labels);
    json_object(json, "concept_drift");
    json_text(json, "method", truth_options(truth)->detector);
    json_int(json, "n", (int64_t)n_labels);
    json_int(json, "detected", (int64_t)n_all);
    json_array(json, "detections");
    for (size_t i = 0; i < n; i++) {
        json_object(json, NULL);
        json_time(json, "at", detections[i].at_us);
        json_int(json, "position", (int64_t)detections[i].position);
        json_object_end(json);
    }
    json_array_end(json);
    json_object_end(json);
}

enum status truth_json(const struct truth *truth, int64_t from_us, int64_t to_us, enum truth_by by,
                       uint64_t behind, struct buffer *out, struct error *error)
{
    const struct truth_options *options = truth_options(truth);
    struct truth_selection all = {from_us, to_us, -1, -1};
    struct truth_figures figures;
    struct json_writer json;
    enum status status = truth_measure(truth, &all, &figures, error);
    if (status != STATUS_OK)
        return status;
    json_begin(&json, out);
    json_object(&json, NULL);
    write_bound(&json, "from", from_us);
    write_bound(&json, "to", to_us);
    json_number(&json, "period_s", (double)options->period_us / 1e6);
    if (isnan(options->threshold))
        json_text(&json, "predicted_positive", "decision is not approve");
    else
        json_number(&json, "threshold", options->threshold);
    json_text(&json, "cohort_field", options->cohort);
    write_labels(truth, behind, &json);
    write_coverage(&figures, &json);
    json_object(&json, "all");
    write_figures(truth, &figures, &json);
    json_object_end(&json);
    classify_methods_json(&json, !isnan(options->cost_false_positive));
    status = write_groups(truth, &all, by, &json, error);
    if (status == STATUS_OK)
        status = write_estimates(truth, from_us, to_us, &json, error);
    write_detections(truth, &json);
    json_object_end(&json);
    if (status == STATUS_OK && out->overflow)
        status = error_set(error, STATUS_MEMORY, "out of memory for the figures");
    return status;
}
