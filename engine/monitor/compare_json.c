/* A comparison as JSON: the shape that INTERFACE promises, and what was added to it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/monitor/compare_priv.h"

static const struct {
    enum compare_why why;
    const char *word;
} reasons[] = {
    {COMPARE_VANISHED, "vanished"},
    {COMPARE_UNSEEN, "unseen_category"},
    {COMPARE_NULLS, "null_rate"},
    {COMPARE_BY_STATISTIC, "statistic"},
};
#define N_REASONS (sizeof reasons / sizeof reasons[0])

const char *compare_reasons(const struct compared_feature *feature, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < N_REASONS; i++) {
        if (!(feature->why & reasons[i].why) || used + 1 >= size)
            continue;
        int n = snprintf(out + used, size - used, "%s%s", used ? ", " : "", reasons[i].word);
        used += n > 0 ? (size_t)n : 0;
    }
    return out;
}

static void write_bins(struct json_writer *writer, const struct compared_feature *feature)
{
    double n = 0, m = 0;
    for (size_t i = 0; i < feature->n_bins; i++) {
        n += feature->bins[i].reference;
        m += feature->bins[i].current;
    }
    json_array(writer, "bins");
    for (size_t i = 0; i < feature->n_bins; i++) {
        const struct compared_bin *bin = &feature->bins[i];
        json_object(writer, NULL);
        json_text(writer, "label", bin->label);
        json_number(writer, "reference", n > 0 ? bin->reference / n : NAN);
        json_number(writer, "current", m > 0 ? bin->current / m : NAN);
        json_number(writer, "contribution", bin->contribution);
        json_int(writer, "reference_n", (int64_t)bin->reference);
        json_int(writer, "current_n", (int64_t)bin->current);
        json_object_end(writer);
    }
    json_array_end(writer);
}

static void write_feature(struct json_writer *writer, const struct compared_feature *feature)
{
    json_object(writer, NULL);
    json_text(writer, "feature", feature->name);
    json_text(writer, "type", feature->categorical ? "categorical" : "numeric");
    json_text(writer, "method", compare_method_name(feature->method));
    json_number(writer, "statistic", feature->statistic);
    json_number(writer, "threshold", feature->threshold);
    json_text(writer, "threshold_of", feature->threshold_of_p ? "p_value" : "statistic");
    json_number(writer, "p_value", feature->p_value);
    json_number(writer, "p_adjusted", feature->p_adjusted);
    json_number(writer, "expected_null", feature->expected_null);
    json_bool(writer, "drift", feature->drift);
    json_array(writer, "reasons");
    for (size_t i = 0; i < N_REASONS; i++) {
        if (feature->why & reasons[i].why)
            json_text(writer, NULL, reasons[i].word);
    }
    json_array_end(writer);
    json_int(writer, "n_reference", (int64_t)feature->n_reference);
    json_int(writer, "n_current", (int64_t)feature->n_current);
    json_int(writer, "missing_reference", (int64_t)feature->missing_reference);
    json_int(writer, "missing_current", (int64_t)feature->missing_current);
    json_int(writer, "unseen", (int64_t)feature->n_unseen);
    write_bins(writer, feature);
    json_object_end(writer);
}

void comparison_json(struct json_writer *writer, const struct comparison *result)
{
    json_object(writer, NULL);
    json_int(writer, "n_reference", (int64_t)result->n_reference);
    json_int(writer, "n_current", (int64_t)result->n_current);
    json_number(writer, "drift_share", result->drift_share);
    json_bool(writer, "dataset_drift", result->dataset_drift);
    json_array(writer, "features");
    for (size_t i = 0; i < result->n_features; i++)
        write_feature(writer, &result->features[i]);
    json_array_end(writer);
    json_object_end(writer);
}
