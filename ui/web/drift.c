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

/* Bins of decisions have their names. */
static bool has_bin(const struct drift_status *drift, int bin)
{
    return drift->of_decisions ? bin < DECISION_COUNT : binning_has(&drift->binning, bin);
}

static void write_bin(struct json_writer *json, const struct bins *bins, int bin)
{
    char label[BIN_LABEL_SIZE];
    const struct drift_status *drift = bins->drift;
    if (drift->of_decisions)
        snprintf(label, sizeof label, "%s", decision_name((enum decision)bin));
    else
        binning_label(&drift->binning, bin, label);
    json_object(json, NULL);
    json_text(json, "label", label);
    json_number(json, "reference",
                bins->n > 0 ? (double)drift->binning.reference[bin] / bins->n : (double)NAN);
    json_number(json, "live",
                bins->live && bins->m > 0 ? (double)drift->live[bin] / bins->m : (double)NAN);
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
        if (has_bin(drift, i))
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
        bool of_p = false, sampled = i == DRIFT_KS || i == DRIFT_WASSERSTEIN;
        double limit = drift_method_limit((enum drift_method)i, &of_p);
        json_number(json, "threshold", i == DRIFT_PSI ? drift->threshold : limit);
        json_text(json, "threshold_of", of_p ? "p_value" : "statistic");
        json_int(json, "n", live ? (int64_t)(sampled ? drift->n_sample : drift->n) : 0);
        json_bool(json, "sampled", sampled);
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
    json_bool(json, "unseen", live && drift->unseen);
    json_bool(json, "vanished", live && drift->vanished);
    json_int(json, "n_sample", live ? (int64_t)drift->n_sample : 0);
    json_int(json, "sample_most", OBSERVE_SAMPLE);
    write_methods(json, drift, live);
}

/* What is known of one variant. */
struct side {
    const struct drift_status *list;
    int n;
    const struct drift_verdict *verdict;
    const struct drift_status *decisions; /* NULL: a shadow decides nothing */
    bool live; /* false: nothing is known, what is listed are the names */
};

static struct side side_of(const struct snapshot *snapshot, enum variant variant)
{
    if (variant == VARIANT_CANARY && snapshot->n_canary_drift > 0)
        return (struct side){snapshot->canary_drift, snapshot->n_canary_drift,
                             &snapshot->canary_verdict, &snapshot->canary_decision_drift, true};
    if (variant == VARIANT_SHADOW && snapshot->n_shadow_drift > 0)
        return (struct side){snapshot->shadow_drift, snapshot->n_shadow_drift,
                             &snapshot->shadow_verdict, NULL, true};
    return (struct side){snapshot->drift, snapshot->n_drift, &snapshot->drift_verdict,
                         variant == VARIANT_SHADOW ? NULL : &snapshot->decision_drift,
                         variant == VARIANT_CHAMPION};
}

static void write_object(struct json_writer *json, const char *key,
                         const struct drift_status *drift, bool live)
{
    json_object(json, key);
    write_feature(json, drift, live);
    json_object_end(json);
}

static void write_all(struct json_writer *json, const struct side *side)
{
    bool data = side->live && side->verdict->n_features;
    json_number(json, "drift_share", data ? side->verdict->drifted_ratio : (double)NAN);
    if (data)
        json_bool(json, "dataset_drift", side->verdict->drift);
    else
        json_null(json, "dataset_drift");
    json_array(json, "features");
    for (int i = 0; i < side->n; i++)
        write_object(json, NULL, &side->list[i], side->live);
    json_array_end(json);
    if (side->decisions && side->decisions->feature[0])
        write_object(json, "decisions", side->decisions, side->live);
    else
        json_null(json, "decisions");
}

static const struct drift_status *find_feature(const struct side *side, const char *name)
{
    const struct drift_status *found = drift_find(side->list, side->n, name);
    bool decides = side->decisions && name[0] && strcmp(side->decisions->feature, name) == 0;
    return found || !decides ? found : side->decisions;
}

/* Which of several shadows it is; the other variants have one model at a time. */
static void write_model(struct json_writer *json, const struct snapshot *snapshot, enum variant of)
{
    const struct arm_status *judged = NULL;
    for (int i = 0; i < snapshot->n_arms && of == VARIANT_SHADOW; i++) {
        if (snapshot->arms[i].judged)
            judged = &snapshot->arms[i];
    }
    if (!judged) {
        json_null(json, "model");
        return;
    }
    json_object(json, "model");
    json_text(json, "name", judged->model);
    json_text(json, "version", judged->version);
    json_object_end(json);
}

static void answer(const struct snapshot *snapshot, const char *feature, const char *variant,
                   struct http_response *response)
{
    enum variant of = variant ? variant_find(variant) : VARIANT_CHAMPION;
    struct side side = side_of(snapshot, of);
    const struct drift_status *drift = feature ? find_feature(&side, feature) : NULL;
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
    write_model(&json, snapshot, of);
    if (drift) {
        write_feature(&json, drift, side.live);
        write_bins(&json, drift, side.live);
    } else {
        write_all(&json, &side);
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
