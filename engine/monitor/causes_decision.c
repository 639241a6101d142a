/* Causes in what was changed here: the split, the rules, a model; and cohorts that decisions turned
 * against. A change is a cause only where its own slice carries the excess. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/monitor/explain_priv.h"
#include "engine/stats/deviates.h"

#define CARRIES      0.5
#define LEAST_OF_ARM 30 /* events: fewer say nothing of how an arm decides */

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

/* ---- the split ---- */

/* What one variant has decided and scored, in the window and before it. */
struct arm_counts {
    uint64_t now[SLICE_COUNTERS], base[SLICE_COUNTERS];
    uint64_t n_now, n_base;
};

static void count_arm(const struct inquiry *inquiry, const struct symptom *seen,
                      enum variant variant, struct arm_counts *arm)
{
    const struct slice_series *arms = slices_find(inquiry->sums->view, SERIES_SLICE, -1);
    int before = span_baseline_from(seen->from);
    *arm = (struct arm_counts){.n_now = 0};
    for (int i = 0; arms && i < SLICE_COUNTERS; i++) {
        int counter = arms[variant].first + i;
        arm->now[i] = span_count(inquiry->sums, counter, seen->from, seen->to);
        arm->base[i] = span_usual(inquiry->sums, counter, before, seen->from);
        arm->n_now += i < DECISION_COUNT ? arm->now[i] : 0;
        arm->n_base += i < DECISION_COUNT ? arm->base[i] : 0;
    }
}

/* How far one lies from the other in what the symptom was seen in: decisions or scores. */
static double distance_of(const struct symptom *seen, const uint64_t *counts, const uint64_t *base)
{
    bool scores = seen->kind == SYMPTOM_SCORE;
    int first = scores ? SLICE_SCORE : SLICE_DECISION, n = scores ? SCORE_BINS : DECISION_COUNT;
    double distance;
    (void)deviates_mix(counts + first, base + first, n, &distance);
    return distance;
}

static double share_of(uint64_t part, uint64_t rest)
{
    return part + rest > 0 ? (double)part / (double)(part + rest) : 0;
}

static double turned_away(const uint64_t *counts, uint64_t n)
{
    return n > 0 ? 1 - (double)counts[SLICE_DECISION + DECISION_APPROVE] / (double)n : 0;
}

/* How much of what moved is because events came to the canary or left it, rather than because the
 * champion itself does something else; NaN: nothing moved. Who sees which is a matter of chance, so
 * that the two at the same time differ by what they are. */
static double carried_by_split(const struct symptom *seen, const struct arm_counts *canary,
                               const struct arm_counts *champion, double moved)
{
    bool tells = champion->n_now >= LEAST_OF_ARM;
    const uint64_t *beside = tells && canary->n_now > 0 ? champion->now : champion->base;
    const uint64_t *own = canary->n_now > 0 ? canary->now : canary->base;
    double carried = fabs(moved) * distance_of(seen, own, beside);
    double rest = tells ? distance_of(seen, champion->now, champion->base) : 0;
    return carried + rest > 0 ? carried / (carried + rest) : NAN;
}

void find_split(struct inquiry *inquiry)
{
    const struct symptom *seen = decisions_moved(inquiry);
    const struct explain_change *change =
        seen ? inquiry_change(inquiry, EXPLAIN_SPLIT, seen) : NULL;
    struct arm_counts canary, champion;
    struct candidate *candidate =
        change ? inquiry_add(inquiry, "split", "variant=canary", seen) : NULL;
    if (!candidate)
        return;
    count_arm(inquiry, seen, VARIANT_CANARY, &canary);
    count_arm(inquiry, seen, VARIANT_CHAMPION, &champion);
    double now = share_of(canary.n_now, champion.n_now);
    double before = share_of(canary.n_base, champion.n_base);
    double share = carried_by_split(seen, &canary, &champion, now - before);
    bool guilty = fabs(now - before) >= 0.02 && (isnan(share) || share >= CARRIES);
    candidate->weight = guilty ? 0.7 + 0.3 * seen->strength : 0.1;
    candidate->cause.share_of_excess = share;
    candidate->cause.changed_at_us = change->at_us;
    tell_decisions(candidate, seen);
    snprintf(candidate->cause.evidence, sizeof candidate->cause.evidence,
             "the split was changed (%.100s): the canary decides on %.0f %% of the events, before "
             "%.0f %%, and turns away or reviews %.1f %% of them, the champion %.1f %% before",
             change->what, 100 * now, 100 * before,
             100 * (canary.n_now > 0 ? turned_away(canary.now, canary.n_now)
                                     : turned_away(canary.base, canary.n_base)),
             100 * turned_away(champion.base, champion.n_base));
    snprintf(candidate->action, sizeof candidate->action,
             "take the canary back: binnacle traffic set canary=0 --reason 'decisions moved'");
}

/* ---- rules, models, cohorts ---- */

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
