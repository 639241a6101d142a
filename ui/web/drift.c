/* Drift opened: every method, and the bins of one feature, out of the newest snapshot. Handlers run
 * in the server's workers. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/json.h"
#include "engine/monitor/drift.h"
#include "ui/web/web_priv.h"

/* ---- bins ---- */

struct bins {
    const struct drift_status *drift;
    bool live; /* false: nothing is known of this variant's */
    double n, m;
    double terms[MAX_BINS]; /* of PSI */
};

static void write_bin(struct json_writer *json, const struct bins *bins, int bin)
{
    char label[BIN_LABEL_SIZE];
    const struct drift_status *drift = bins->drift;
    binning_label(&drift->binning, bin, label);
    json_object(json, NULL);
    json_text(json, "label", label);
    json_number(json, "reference", (double)drift->binning.reference[bin] / bins->n);
    json_number(json, "live", bins->live ? (double)drift->live[bin] / bins->m : (double)NAN);
    json_number(json, "contribution", bins->live ? bins->terms[bin] : (double)NAN);
    json_int(json, "reference_n", (int64_t)drift->binning.reference[bin]);
    if (bins->live)
        json_int(json, "live_n", (int64_t)drift->live[bin]);
    else
        json_null(json, "live_n");
    json_object_end(json);
}

static void write_bins(struct json_writer *json, const struct drift_status *drift, bool live)
{
    struct bins bins = {.drift = drift, .live = live};
    for (int i = 0; i < MAX_BINS; i++) {
        bins.n += (double)drift->binning.reference[i];
        bins.m += (double)drift->live[i];
    }
    (void)drift_psi(drift->binning.reference, drift->live, MAX_BINS, bins.terms);
    json_array(json, "bins");
    for (int i = 0; i < MAX_BINS; i++) {
        if (binning_has(&drift->binning, i))
            write_bin(json, &bins, i);
    }
    json_array_end(json);
}

/* ---- features ---- */

static void write_methods(struct json_writer *json, const struct drift_status *drift, bool live)
{
    static const struct drift_measure none = {(double)NAN, (double)NAN, (double)NAN};
    json_array(json, "methods");
    for (int i = 0; i < DRIFT_METHODS; i++) {
        const struct drift_measure *measure = live ? &drift->measures[i] : &none;
        json_object(json, NULL);
        json_text(json, "method", drift_method_name((enum drift_method)i));
        json_number(json, "statistic", measure->statistic);
        json_number(json, "expected_null", measure->expected);
        json_number(json, "p_value", measure->p_value);
        json_number(json, "threshold", i == DRIFT_PSI ? drift->threshold : (double)NAN);
        json_object_end(json);
    }
    json_array_end(json);
}

static void write_feature(struct json_writer *json, const struct drift_status *drift, bool live)
{
    json_text(json, "feature", drift->feature);
    json_text(json, "state", health_name(live ? drift->state : HEALTH_NODATA));
    json_time_or_null(json, "since", live ? drift->since_us : 0);
    json_time_or_null(json, "warm_at", drift->warm_us);
    json_int(json, "n", live ? (int64_t)drift->n : 0);
    json_int(json, "n_reference", (int64_t)drift->n_reference);
    json_number(json, "psi", live ? drift->psi : (double)NAN);
    json_number(json, "noise", live ? drift->noise : (double)NAN);
    json_number(json, "threshold", drift->threshold);
    json_number(json, "p_adjusted", live ? drift->p_adjusted : (double)NAN);
    json_number(json, "missing_reference_ratio", drift->missing_reference_ratio);
    json_number(json, "missing_live_ratio", live ? drift->missing_live_ratio : (double)NAN);
    json_bool(json, "nulls_risen", live && drift->nulls_risen);
    write_methods(json, drift, live);
}

static void write_all(struct json_writer *json, const struct snapshot *snapshot, bool live)
{
    const struct drift_verdict *verdict = &snapshot->drift_verdict;
    json_number(json, "drift_share",
                live && verdict->n_features ? verdict->drifted_ratio : (double)NAN);
    json_bool(json, "dataset_drift", live && verdict->drift);
    json_array(json, "features");
    for (int i = 0; i < snapshot->n_drift; i++) {
        json_object(json, NULL);
        write_feature(json, &snapshot->drift[i], live);
        json_object_end(json);
    }
    json_array_end(json);
}

static const struct drift_status *find_feature(const struct snapshot *snapshot, const char *name)
{
    for (int i = 0; i < snapshot->n_drift; i++) {
        if (strcmp(snapshot->drift[i].feature, name) == 0)
            return &snapshot->drift[i];
    }
    return NULL;
}

static void answer(const struct snapshot *snapshot, const char *feature, const char *variant,
                   struct http_response *response)
{
    /* Bins are counted over what the champion decided, and its shadows saw: of others nothing. */
    enum variant of = variant ? variant_find(variant) : VARIANT_CHAMPION;
    bool live = of == VARIANT_CHAMPION;
    const struct drift_status *drift = feature ? find_feature(snapshot, feature) : NULL;
    struct json_writer json;
    if (feature && !drift) {
        http_problem(response, 404, "Not found", "no feature of this name is watched for drift");
        return;
    }
    if (of == VARIANT_COUNT) {
        http_problem(response, 404, "Not found", "no variant has this name");
        return;
    }
    json_begin(&json, response->body);
    json_object(&json, NULL);
    json_time(&json, "time", snapshot->time_us);
    json_text(&json, "variant", variant_name(of));
    if (drift) {
        write_feature(&json, drift, live);
        write_bins(&json, drift, live);
    } else {
        write_all(&json, snapshot, live);
    }
    json_object_end(&json);
}

void web_get_drift(void *context, const struct http_request *request,
                   struct http_response *response)
{
    struct web *web = context;
    const struct snapshot *snapshot = snapshot_acquire(web->backend.board);
    if (!snapshot) {
        buffer_append_text(response->headers, "Retry-After: 1\r\n");
        http_problem(response, 503, "Unavailable", "the first snapshot comes within a second");
        return;
    }
    char feature[NAME_SIZE], variant[NAME_SIZE];
    bool named = http_query(request, "feature", feature, sizeof feature);
    bool of = http_query(request, "variant", variant, sizeof variant);
    answer(snapshot, named ? feature : NULL, of ? variant : NULL, response);
    snapshot_release(snapshot);
}
