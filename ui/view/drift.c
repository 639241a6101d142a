/* The panel of drift: the inputs that moved most, the score, decisions, and what other models make
 * of the inputs. Pure functions. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/view/view_priv.h"

#define OF_WHOM_SIZE (2 * NAME_SIZE + 8)

/* Local days are not known here: a time of another UTC day says its date. */
static void say_waiting(const struct drift_status *drift, int64_t now_us, char out[VIEW_LINE_SIZE])
{
    char at[WORD_SIZE];
    if (drift->n == 0 || !isfinite(drift->psi))
        snprintf(out, VIEW_LINE_SIZE, "no data yet");
    else if (drift->warm_us > 0)
        snprintf(out, VIEW_LINE_SIZE, "warming up until %s",
                 words_time(drift->warm_us, now_us, false, at));
    else
        out[0] = '\0';
}

static void build_drift_row(const struct drift_status *drift, int64_t now_us,
                            struct view_drift *row)
{
    say_waiting(drift, now_us, row->waits);
    row->state = drift->state;
    view_copy_name(row->feature, sizeof row->feature, drift->feature);
    view_copy_name(row->name, sizeof row->name, drift->feature);
    row->variant[0] = '\0';
    /* While windows fill the number says how full they are. */
    row->psi_ratio = drift->n && drift->warm_us == 0 ? drift->psi : NAN;
    row->noise_ratio = drift->noise;
    row->limit_ratio = drift->threshold;
    words_statistic(row->psi_ratio, drift->noise, row->psi);
    words_statistic(drift->noise, drift->noise, row->noise);
    words_statistic(drift->threshold, 0.1, row->limit);
    words_count(drift->n, row->n);
    words_count(drift->n_reference, row->n_reference);
}

/* How many of the inputs are listed, and what became of the others. */
static void say_drift(struct view *view, int n_known)
{
    char *out = view->drift_note;
    int without = view->n_drift_all - n_known;
    if (view->n_drift_all == 0)
        snprintf(out, VIEW_LINE_SIZE, "no input is watched: drift needs a reference");
    else if (n_known == 0)
        snprintf(out, VIEW_LINE_SIZE, "%d watched, no data yet", view->n_drift_all);
    else if (n_known > view->n_drift)
        snprintf(out, VIEW_LINE_SIZE, "%d of %d, most moved first", view->n_drift,
                 view->n_drift_all);
    else if (without > 0)
        snprintf(out, VIEW_LINE_SIZE, "%d watched, %d without data", view->n_drift_all, without);
    else
        snprintf(out, VIEW_LINE_SIZE, "%d watched", view->n_drift_all);
}

/* In place of how many are without data: why, and until when the last of them will be. */
static void say_warming(int n_warming, int64_t warm_us, int64_t now_us, struct view *view)
{
    char at[WORD_SIZE];
    snprintf(view->drift_note, VIEW_LINE_SIZE, "%d watched, %d warming up until %s",
             view->n_drift_all, n_warming, words_time(warm_us, now_us, false, at));
}

/* NULL and what is not watched make no row. */
static void add_other_drift(const struct snapshot *snapshot, const struct drift_status *drift,
                            const char *variant, const char *of_whom, struct view *view)
{
    if (!drift || !drift->feature[0])
        return;
    struct view_drift *row = &view->other_drift[view->n_other_drift++];
    build_drift_row(drift, snapshot->time_us, row);
    snprintf(row->variant, sizeof row->variant, "%s", variant);
    if (of_whom[0])
        snprintf(row->name, sizeof row->name, "%s (%s)", drift->feature, of_whom);
}

/* "shadow", and which one where there are several: one of them is judged. */
static void name_shadow(const struct snapshot *snapshot, char out[OF_WHOM_SIZE])
{
    const struct arm_status *judged = NULL;
    int n = 0;
    for (int i = 0; i < snapshot->n_arms; i++) {
        n += snapshot->arms[i].variant == VARIANT_SHADOW;
        judged = snapshot->arms[i].judged ? &snapshot->arms[i] : judged;
    }
    if (n > 1 && judged)
        snprintf(out, OF_WHOM_SIZE, "shadow %s %s", judged->model, judged->version);
    else
        snprintf(out, OF_WHOM_SIZE, "shadow");
    words_plain(out);
}

/* What no input is: how often each decision is made, and what other models make of the inputs. */
static void build_other_drift(const struct snapshot *snapshot, struct view *view)
{
    const char *canary = variant_name(VARIANT_CANARY), *shadow = variant_name(VARIANT_SHADOW);
    int n_canary = snapshot->n_canary_drift, n_shadow = snapshot->n_shadow_drift;
    char which[OF_WHOM_SIZE];
    name_shadow(snapshot, which);
    add_other_drift(snapshot, &snapshot->decision_drift, "", "", view);
    add_other_drift(snapshot, drift_find(snapshot->canary_drift, n_canary, "score"), canary, canary,
                    view);
    if (n_canary > 0)
        add_other_drift(snapshot, &snapshot->canary_decision_drift, canary, canary, view);
    add_other_drift(snapshot, drift_find(snapshot->shadow_drift, n_shadow, "score"), shadow, which,
                    view);
}

void view_drift_build(const struct snapshot *snapshot, struct view *view)
{
    int n_known = 0;
    int n_warming = 0;
    int64_t warm_us = 0;
    build_drift_row(&(struct drift_status){.psi = NAN, .noise = NAN, .threshold = NAN}, 0,
                    &view->score_drift);
    for (int i = 0; i < snapshot->n_drift; i++) {
        const struct drift_status *drift = &snapshot->drift[i];
        if (strcmp(drift->feature, "score") == 0) {
            build_drift_row(drift, snapshot->time_us, &view->score_drift);
            continue;
        }
        view->n_drift_all++;
        n_warming += drift->warm_us > 0;
        if (drift->warm_us > warm_us)
            warm_us = drift->warm_us;
        if (drift->n == 0 || !isfinite(drift->psi) || drift->warm_us > 0)
            continue;
        n_known++;
        if (view->n_drift < VIEW_MAX_DRIFT)
            build_drift_row(drift, snapshot->time_us, &view->drift[view->n_drift++]);
    }
    say_drift(view, n_known);
    if (n_warming > 0)
        say_warming(n_warming, warm_us, snapshot->time_us, view);
    build_other_drift(snapshot, view);
}
