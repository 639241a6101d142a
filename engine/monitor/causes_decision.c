/* Causes in what was changed here: the split, the rules, a model; and cohorts that decisions turned
 * against. A change is a cause only where its own slice carries the excess. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/monitor/explain_priv.h"

#define CARRIES 0.5

/* Decisions that are not approvals. */
#define BAD_FIRST (SLICE_DECISION + 1)
#define BAD_COUNT (DECISION_COUNT - 1)

static const struct symptom *decisions_moved(const struct inquiry *inquiry)
{
    const struct symptom *decision = inquiry_symptom(inquiry, SYMPTOM_DECISION, -1);
    const struct symptom *score = inquiry_symptom(inquiry, SYMPTOM_SCORE, -1);
    if (!decision || (score && score->strength > decision->strength))
        return score ? score : decision;
    return decision;
}

static void tell_decisions(struct candidate *candidate, const struct symptom *symptom)
{
    snprintf(candidate->incident, sizeof candidate->incident,
             "%s are spread in another way: %.1f %% of them changed sides",
             symptom->kind == SYMPTOM_DECISION ? "decisions" : "scores", 100 * symptom->now);
}

static int canary_of(const struct contribution *parts, int n)
{
    for (int i = 0; i < n; i++) {
        if (strstr(parts[i].slice->name, variant_name(VARIANT_CANARY)))
            return i;
    }
    return -1;
}

/* The canary against the champion at the same time: who it sees is a matter of chance. */
void find_split(struct inquiry *inquiry)
{
    const struct symptom *seen = decisions_moved(inquiry);
    const struct explain_change *change =
        seen ? inquiry_change(inquiry, EXPLAIN_SPLIT, seen) : NULL;
    struct contribution parts[4];
    double excess;
    if (!change)
        return;
    int n = contributions_find(inquiry->sums, seen, -1, BAD_FIRST, BAD_COUNT, parts, 4, &excess);
    int canary = canary_of(parts, n);
    double moved = canary < 0 ? 0 : parts[canary].traffic_now - parts[canary].traffic_base;
    double carried = canary < 0 ? 0
                                : parts[canary].traffic_now *
                                      (parts[canary].rate_now - parts[1 - canary].rate_base);
    bool both = canary >= 0 && n > 1;
    double share = both && excess != 0 ? carried / (excess / fmax((double)seen->n_now, 1)) : NAN;
    bool guilty = fabs(moved) >= 0.02 && (n == 1 || isnan(share) || share >= CARRIES);
    struct candidate *candidate = inquiry_add(inquiry, "split", "variant=canary", seen);
    if (!candidate)
        return;
    candidate->weight = guilty ? 0.7 + 0.3 * seen->strength : 0.1;
    candidate->cause.share_of_excess = isnan(share) ? NAN : fmin(fmax(share, 0), 1);
    candidate->cause.changed_at_us = change->at_us;
    tell_decisions(candidate, seen);
    snprintf(candidate->cause.evidence, sizeof candidate->cause.evidence,
             "the split was changed (%.100s): the canary decides on %.0f %% of the events, before "
             "%.0f %%, and turns away or reviews %.1f %% of them, the champion %.1f %% before",
             change->what, canary < 0 ? 0 : 100 * parts[canary].traffic_now,
             canary < 0 ? 0 : 100 * parts[canary].traffic_base,
             canary < 0 ? 0 : 100 * parts[canary].rate_now,
             both ? 100 * parts[1 - canary].rate_base : 0);
    snprintf(candidate->action, sizeof candidate->action,
             "take the canary back: binnacle traffic set canary=0 --reason 'decisions moved'");
}

/* The rule whose share of the decisions moved most. */
static int moved_rule(const struct inquiry *inquiry, const struct symptom *seen, double *now,
                      double *base)
{
    const struct slices_view *view = inquiry->sums->view;
    const struct slice_series *rules = slices_find(view, SERIES_RULE, -1);
    int before = span_baseline_from(seen->from), most = -1;
    uint64_t n_now = 0, n_base = 0;
    for (int i = 0; i < rules->n; i++) {
        n_now += span_count(inquiry->sums, rules->first + i, seen->from, seen->to);
        n_base += span_usual(inquiry->sums, rules->first + i, before, seen->from);
    }
    for (int i = 0; i < rules->n && n_now > 0 && n_base > 0; i++) {
        double after = (double)span_count(inquiry->sums, rules->first + i, seen->from, seen->to) /
                       (double)n_now;
        double earlier = (double)span_usual(inquiry->sums, rules->first + i, before, seen->from) /
                         (double)n_base;
        if (view->rules[i] && strcmp(view->rules[i], "default") != 0 &&
            (most < 0 || fabs(after - earlier) > fabs(*now - *base))) {
            most = i;
            *now = after;
            *base = earlier;
        }
    }
    return most;
}

/* Decisions moved and the scores did not: the rules between them did it. */
void find_rules(struct inquiry *inquiry)
{
    const struct symptom *seen = inquiry_symptom(inquiry, SYMPTOM_DECISION, -1);
    const struct symptom *score = inquiry_symptom(inquiry, SYMPTOM_SCORE, -1);
    const struct explain_change *change =
        seen ? inquiry_change(inquiry, EXPLAIN_RULES, seen) : NULL;
    double now = 0, base = 0;
    int rule = change ? moved_rule(inquiry, seen, &now, &base) : -1;
    if (rule < 0)
        return;
    char slice[64];
    snprintf(slice, sizeof slice, "rule=%.56s", inquiry->sums->view->rules[rule]);
    struct candidate *candidate = inquiry_add(inquiry, "rules", slice, seen);
    if (!candidate)
        return;
    bool guilty = fabs(now - base) >= 0.4 * seen->now && (!score || score->now < seen->now);
    candidate->weight = guilty ? 0.72 + 0.28 * seen->strength : 0.1;
    candidate->cause.share_of_excess = seen->now > 0 ? fmin(fabs(now - base) / seen->now, 1) : NAN;
    candidate->cause.changed_at_us = change->at_us;
    tell_decisions(candidate, seen);
    snprintf(
        candidate->cause.evidence, sizeof candidate->cause.evidence,
        "the rules were changed (%.100s): %s decides on %.1f %% of the events, before %.1f %%, "
        "%s",
        change->what, slice, 100 * now, 100 * base,
        score ? "while scores moved as well" : "and the scores are as they were");
    snprintf(candidate->action, sizeof candidate->action,
             "put the rules of before back into the file and have them read: binnacle reload");
}

/* Scores moved, and what came in did not. */
void find_model(struct inquiry *inquiry)
{
    const struct symptom *seen = inquiry_symptom(inquiry, SYMPTOM_SCORE, -1);
    const struct explain_change *change =
        seen ? inquiry_change(inquiry, EXPLAIN_MODEL, seen) : NULL;
    bool input = inquiry_symptom(inquiry, SYMPTOM_VALUES, -1) != NULL;
    struct candidate *candidate =
        seen && !input ? inquiry_add(inquiry, "model", "score", seen) : NULL;
    if (!candidate)
        return;
    candidate->weight = change ? 0.7 + 0.3 * seen->strength : 0.45 * seen->strength;
    candidate->cause.changed_at_us = change ? change->at_us : 0;
    tell_decisions(candidate, seen);
    snprintf(candidate->cause.evidence, sizeof candidate->cause.evidence,
             "scores moved and the fields of the events did not%s%.120s", change ? "; " : "",
             change ? change->what : "");
    snprintf(candidate->action, sizeof candidate->action,
             "give the traffic back to the model of before: binnacle traffic set, or start with "
             "it: binnacle run --model FILE");
}

/* One country, one device: the words of a field whose decisions moved almost alone. */
void find_cohort(struct inquiry *inquiry)
{
    const struct symptom *seen = decisions_moved(inquiry);
    const struct slices_view *view = inquiry->sums->view;
    int last = -1;
    for (int i = 0; seen && i < view->n_series; i++) {
        const struct slice_series *series = &view->series[i];
        struct contribution parts[MAX_SERIES];
        double excess;
        if (series->kind != SERIES_SLICE || series->field < 0 || series->field == last)
            continue;
        last = series->field;
        int n = contributions_find(inquiry->sums, seen, series->field, BAD_FIRST, BAD_COUNT, parts,
                                   MAX_SERIES, &excess);
        if (n < 2 || excess < 10 || !(parts[0].share >= 0.8) || parts[0].traffic_base > 0.5)
            continue;
        struct candidate *candidate = inquiry_add(inquiry, "cohort", parts[0].slice->name, seen);
        if (!candidate)
            return;
        candidate->weight = 0.6 + 0.35 * seen->strength;
        candidate->cause.share_of_excess = fmin(parts[0].share, 1);
        tell_decisions(candidate, seen);
        snprintf(candidate->cause.evidence, sizeof candidate->cause.evidence,
                 "%s carries %.0f %% of the excess in reviews and declines and is %.0f %% of the "
                 "traffic: %.1f %% of its events now, %.1f %% before",
                 parts[0].slice->name, 100 * fmin(parts[0].share, 1), 100 * parts[0].traffic_now,
                 100 * parts[0].rate_now, 100 * parts[0].rate_base);
        snprintf(candidate->action, sizeof candidate->action,
                 "look at its newest decisions: binnacle query --decision decline --limit 20");
    }
}
