/* Chooses joined outcomes by time, variant and cohort and measures them. In: the join. Out: figures
 * with intervals, label delay, coverage, and how past estimates did. Pure reading; the thread that
 * has the join. */
#include "engine/monitor/truth_measure.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/base/order.h"

static const double not_known = (double)NAN;

/* ---- choosing ---- */

struct chosen {
    struct classify_row *judged;
    struct top_k_event *events;
    double *delays_s;
    size_t n;
};

static void chosen_free(struct chosen *chosen)
{
    free(chosen->delays_s);
    free(chosen->events);
    free(chosen->judged);
}

static bool is_chosen(const struct truth_selection *selection, const struct truth_row *row)
{
    return row->decided_us >= selection->from_us && row->decided_us < selection->to_us &&
           (selection->variant < 0 || row->variant == selection->variant) &&
           (selection->cohort < 0 || row->cohort == selection->cohort) && !isnan(row->score);
}

static size_t count_chosen(const struct truth *truth, const struct truth_selection *selection)
{
    size_t n = 0;
    for (size_t i = 0; i < truth_n_rows(truth); i++)
        n += is_chosen(selection, truth_row(truth, i));
    return n;
}

/* Free in any case. */
static enum status choose(const struct truth *truth, const struct truth_selection *selection,
                          struct chosen *chosen, struct error *error)
{
    size_t n = count_chosen(truth, selection);
    *chosen = (struct chosen){.judged = calloc(n + 1, sizeof *chosen->judged),
                              .events = calloc(n + 1, sizeof *chosen->events),
                              .delays_s = calloc(n + 1, sizeof *chosen->delays_s)};
    if (!chosen->judged || !chosen->events || !chosen->delays_s)
        return error_set(error, STATUS_MEMORY, "out of memory for %zu outcomes", n);
    for (size_t i = 0; i < truth_n_rows(truth); i++) {
        const struct truth_row *row = truth_row(truth, i);
        if (!is_chosen(selection, row))
            continue;
        size_t at = chosen->n++;
        chosen->judged[at] = truth_judged(row);
        chosen->delays_s[at] = (double)(row->arrived_us - row->decided_us) / 1e6;
        chosen->events[at] = (struct top_k_event){.entity = row->entity,
                                                  .day = time_day(row->decided_us),
                                                  .score = (double)row->score,
                                                  .positive = row->positive};
    }
    return STATUS_OK;
}

/* ---- figures ---- */

static void measure_delays(struct chosen *chosen, struct truth_figures *out)
{
    size_t n = chosen->n;
    qsort(chosen->delays_s, n, sizeof *chosen->delays_s, order_doubles);
    out->delay_p50_s = n ? chosen->delays_s[(n - 1) / 2] : not_known;
    out->delay_p95_s = n ? chosen->delays_s[(size_t)ceil(0.95 * (double)n) - 1] : not_known;
    out->delay_max_s = n ? chosen->delays_s[n - 1] : not_known;
}

static void count_decisions(const struct truth *truth, const struct truth_selection *selection,
                            struct truth_figures *out)
{
    out->decided = out->labelled = 0;
    for (size_t i = 0; i < truth_n_periods(truth); i++) {
        const struct truth_period *period = truth_period(truth, i);
        if (period->start_us + truth_options(truth)->period_us <= selection->from_us ||
            period->start_us >= selection->to_us)
            continue;
        for (int v = 0; v < TRUTH_VARIANTS; v++) {
            const struct truth_side *side = &period->sides[v];
            if (selection->variant >= 0 && selection->variant != v)
                continue;
            struct truth_coverage all = {side->decided, side->labelled};
            const struct truth_coverage *counts =
                selection->cohort < 0 ? &all : &side->cohorts[selection->cohort];
            out->decided += counts->decided;
            out->labelled += counts->labelled;
        }
    }
}

enum status truth_measure(const struct truth *truth, const struct truth_selection *selection,
                          struct truth_figures *out, struct error *error)
{
    struct classify_options options = truth_classify_options(truth_options(truth));
    struct chosen chosen;
    enum status status = choose(truth, selection, &chosen, error);
    if (status == STATUS_OK) {
        measure_delays(&chosen, out);
        count_decisions(truth, selection, out);
        status = classify(chosen.judged, chosen.n, &options, &out->result, error);
    }
    if (status == STATUS_OK)
        status = top_k_precision(chosen.events, chosen.n, (size_t)truth_options(truth)->k,
                                 &out->top, error);
    chosen_free(&chosen);
    return status;
}

/* ---- estimates and what came out ---- */

static bool is_labelled(const struct truth_side *side)
{
    return side->labelled >= TRUTH_TRACKED_LABELS &&
           (double)side->labelled >= TRUTH_TRACKED_SHARE * (double)side->decided;
}

enum status truth_realized(const struct truth *truth, const struct truth_period *period,
                           int variant, double out[TRUTH_ESTIMATES], struct error *error)
{
    static const enum classify_figure figures[TRUTH_ESTIMATES] = {
        [CBPE_ROC_AUC] = CLASSIFY_AUC,   [CBPE_AVERAGE_PRECISION] = CLASSIFY_AVERAGE_PRECISION,
        [CBPE_F1] = CLASSIFY_F1,         [CBPE_PRECISION] = CLASSIFY_PRECISION,
        [CBPE_RECALL] = CLASSIFY_RECALL,
    };
    struct truth_selection selection = {
        period->start_us, period->start_us + truth_options(truth)->period_us, variant, -1};
    struct truth_figures measured;
    for (int m = 0; m < TRUTH_ESTIMATES; m++)
        out[m] = not_known;
    if (!is_labelled(&period->sides[variant]))
        return STATUS_OK;
    enum status status = truth_measure(truth, &selection, &measured, error);
    for (int m = 0; status == STATUS_OK && m < TRUTH_ESTIMATES; m++)
        out[m] = measured.result.figures[figures[m]].value;
    return status;
}

static void track(struct truth_track *track, const struct truth_estimate *estimate, double realized)
{
    double error = estimate->estimated - realized;
    if (isnan(error))
        return;
    track->n++;
    track->mean_error += fabs(error);
    track->bias += error;
    track->within += realized >= estimate->lower && realized <= estimate->upper;
}

enum status truth_track(const struct truth *truth, struct truth_track out[TRUTH_ESTIMATES],
                        struct error *error)
{
    for (int m = 0; m < TRUTH_ESTIMATES; m++)
        out[m] = (struct truth_track){0};
    for (size_t i = 0; i < truth_n_periods(truth); i++) {
        const struct truth_period *period = truth_period(truth, i);
        const struct truth_side *side = &period->sides[VARIANT_CHAMPION];
        double realized[TRUTH_ESTIMATES];
        if (!side->frozen)
            continue;
        enum status status = truth_realized(truth, period, VARIANT_CHAMPION, realized, error);
        if (status != STATUS_OK)
            return status;
        for (int m = 0; m < TRUTH_ESTIMATES; m++)
            track(&out[m], &side->estimates[m], realized[m]);
    }
    for (int m = 0; m < TRUTH_ESTIMATES; m++) {
        double n = out[m].n ? (double)out[m].n : not_known;
        out[m].mean_error /= n;
        out[m].bias /= n;
    }
    return STATUS_OK;
}
