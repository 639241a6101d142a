/* The snapshot's member about known outcomes as JSON. */
#include <math.h>

#include "engine/base/json.h"
#include "engine/observe/performance.h"
#include "engine/stats/classify_json.h"

static void write_variant(const struct performance_status *status,
                          const struct variant_performance *variant, struct json_writer *json)
{
    json_object(json, NULL);
    json_text(json, "variant", variant->variant);
    json_int(json, "decided", (int64_t)variant->decided);
    json_int(json, "labelled", (int64_t)variant->labelled);
    json_number(json, "coverage_ratio",
                variant->decided ? (double)variant->labelled / (double)variant->decided
                                 : (double)NAN);
    json_object(json, "label_delay_s");
    json_number(json, "p50", variant->delay_p50_s);
    json_number(json, "p95", variant->delay_p95_s);
    json_object_end(json);
    classify_json(json, &variant->figures);
    json_object(json, "precision_at_k");
    json_int(json, "k", status->k);
    json_number(json, "value", variant->precision_at_k);
    json_object_end(json);
    json_object_end(json);
}

static void write_estimates(const struct performance_status *status, struct json_writer *json)
{
    json_time_or_null(json, "estimate_from", status->estimate_from_us);
    json_array(json, "estimates");
    for (int m = 0; m < PERFORMANCE_ESTIMATES; m++) {
        const struct estimate_status *estimate = &status->estimates[m];
        json_object(json, NULL);
        json_text(json, "metric", cbpe_name((enum cbpe_metric)m));
        json_number(json, "estimated", estimate->estimated);
        json_number(json, "lower", estimate->lower);
        json_number(json, "upper", estimate->upper);
        json_int(json, "tracked_periods", (int64_t)estimate->tracked);
        json_number(json, "mean_abs_error", estimate->mean_abs_error);
        json_object_end(json);
    }
    json_array_end(json);
}

void performance_status_json(const struct performance_status *status, struct json_writer *json)
{
    if (!status->used || status->at_us == 0) {
        json_null(json, "performance");
        return;
    }
    json_object(json, "performance");
    json_time(json, "at", status->at_us);
    json_number(json, "window_s", (double)status->window_us / 1e6);
    json_int(json, "joined", (int64_t)status->joined);
    json_int(json, "repeated", (int64_t)status->repeated);
    json_int(json, "corrected", (int64_t)status->corrected);
    json_int(json, "unmatched", (int64_t)status->unmatched);
    json_int(json, "rows_behind", (int64_t)status->behind);
    json_array(json, "variants");
    for (int i = 0; i < status->n_variants; i++)
        write_variant(status, &status->variants[i], json);
    json_array_end(json);
    write_estimates(status, json);
    json_object(json, "concept_drift");
    json_text(json, "method", status->detector);
    json_int(json, "detected", (int64_t)status->drift_detected);
    json_time_or_null(json, "last", status->drift_at_us);
    json_object_end(json);
    json_object_end(json);
}
