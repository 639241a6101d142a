/* Causes in what comes in: fields that changed at their source, events and labels that are late or
 * wrong. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/monitor/explain_priv.h"

#define CARRIES 0.75 /* a slice with so much of the excess is where it is */

/* The cohort that an excess of quarantined events sits in, when one has it almost alone and is not
 * most of the traffic anyway. */
static bool find_carrier(const struct inquiry *inquiry, const struct symptom *symptom,
                         struct contribution *carrier)
{
    const struct slices_view *view = inquiry->sums->view;
    int last = -1;
    for (int i = 0; i < view->n_series; i++) {
        const struct slice_series *series = &view->series[i];
        struct contribution parts[MAX_SERIES];
        double excess;
        if (series->kind != SERIES_SLICE || series->field < 0 || series->field == last ||
            series->field == symptom->series->field)
            continue;
        last = series->field;
        int n = contributions_find(inquiry->sums, symptom, series->field, SLICE_QUARANTINED, 1,
                                   parts, MAX_SERIES, &excess);
        if (n > 1 && excess > 5 && parts[0].share >= CARRIES && parts[0].traffic_base < 0.5) {
            *carrier = parts[0];
            return true;
        }
    }
    return false;
}

static double excess_of(const struct symptom *symptom)
{
    return fmax((symptom->now - symptom->base) * (double)symptom->n_now, 0);
}

/* How much of all that fields suffer, this field does. */
static double share_among_fields(const struct inquiry *inquiry, const struct symptom *symptom)
{
    double sum = 0;
    for (int i = 0; i < inquiry->n_symptoms; i++) {
        if (inquiry->symptoms[i].kind == symptom->kind)
            sum += excess_of(&inquiry->symptoms[i]);
    }
    return sum > 0 ? excess_of(symptom) / sum : NAN;
}

/* Fields that broke the contract, each for itself, account for most of what is quarantined. */
static bool fields_tell(const struct inquiry *inquiry, const struct symptom *refused)
{
    double sum = 0;
    for (int i = 0; i < inquiry->n_symptoms; i++) {
        const struct symptom *symptom = &inquiry->symptoms[i];
        if (symptom->kind == SYMPTOM_MISSING || symptom->kind == SYMPTOM_INVALID)
            sum += excess_of(symptom);
    }
    return sum >= 0.5 * excess_of(refused);
}

/* The field for which most of it is quarantined, also one that the contract did not have before;
 * where that is none: its checks, or events that cannot be read. */
static const char *refused_for(const struct inquiry *inquiry, const struct symptom *symptom)
{
    const struct slices_view *view = inquiry->sums->view;
    const struct slice_series *most = NULL;
    double more = 0.5 * excess_of(symptom);
    int before = span_baseline_from(symptom->from);
    for (int i = 0; i < view->n_series; i++) {
        const struct slice_series *series = &view->series[i];
        double now = 0, base = 0;
        for (int k = 0; series->kind == SERIES_REASON && k < series->n; k++) {
            int counter = series->first + k;
            now += (double)span_count(inquiry->sums, counter, symptom->from, symptom->to);
            base += (double)span_usual(inquiry->sums, counter, before, symptom->from);
        }
        base *= (double)symptom->n_now / fmax((double)symptom->n_base, 1);
        if (now - base > more) {
            more = now - base;
            most = series;
        }
    }
    return most ? most->name : "events";
}

/* Where the symptom is seen, as causes name it. */
static const char *place_of(const struct inquiry *inquiry, const struct symptom *symptom)
{
    bool refused = symptom->kind == SYMPTOM_REFUSED || symptom->kind == SYMPTOM_COHORT;
    return refused ? refused_for(inquiry, symptom) : symptom->series->name;
}

static void tell_field(struct candidate *candidate, const struct symptom *symptom)
{
    const char *field = symptom->series->name;
    const char *what =
        symptom->kind == SYMPTOM_MISSING ? "is null or missing in" : "breaks the contract in";
    if (symptom->kind == SYMPTOM_COHORT)
        snprintf(candidate->incident, sizeof candidate->incident,
                 "%.1f %% of the events of %s are quarantined, before %.2f %%", 100 * symptom->now,
                 field, 100 * symptom->base);
    else if (symptom->kind == SYMPTOM_REFUSED)
        snprintf(candidate->incident, sizeof candidate->incident,
                 "%.1f %% of the events are quarantined, before %.2f %%", 100 * symptom->now,
                 100 * symptom->base);
    else if (symptom->kind == SYMPTOM_VALUES)
        snprintf(candidate->incident, sizeof candidate->incident,
                 "the values of %s are spread in another way: %.0f %% of them lie elsewhere", field,
                 100 * symptom->now);
    else
        snprintf(candidate->incident, sizeof candidate->incident,
                 "%s %s %.1f %% of the events, before %.2f %%", field, what, 100 * symptom->now,
                 100 * symptom->base);
}

static void blame_contract(struct inquiry *inquiry, const struct symptom *symptom)
{
    const struct explain_change *change = inquiry_change(inquiry, EXPLAIN_CONTRACT, symptom);
    const char *place = place_of(inquiry, symptom);
    struct candidate *candidate = change && symptom->kind != SYMPTOM_VALUES
                                      ? inquiry_add(inquiry, "contract", place, symptom)
                                      : NULL;
    if (!candidate)
        return;
    candidate->weight = 0.7 + 0.3 * symptom->strength;
    candidate->cause.changed_at_us = change->at_us;
    candidate->cause.share_of_excess = share_among_fields(inquiry, symptom);
    tell_field(candidate, symptom);
    snprintf(
        candidate->cause.evidence, sizeof candidate->cause.evidence,
        "the contract was changed just before (%.120s), and what is quarantined is quarantined "
        "for %s",
        change->what, place);
    snprintf(candidate->action, sizeof candidate->action,
             "compare with the version before: binnacle contract diff OLD NEW; then binnacle "
             "quarantine retry");
}

static void blame_cohort(struct inquiry *inquiry, const struct symptom *symptom,
                         const struct contribution *carrier)
{
    struct candidate *candidate = inquiry_add(inquiry, "cohort", carrier->slice->name, symptom);
    if (!candidate)
        return;
    candidate->weight = 0.65 + 0.35 * symptom->strength;
    candidate->cause.share_of_excess = fmin(carrier->share, 1);
    tell_field(candidate, symptom);
    snprintf(candidate->cause.evidence, sizeof candidate->cause.evidence,
             "%s carries %.0f %% of the excess in %s and is %.0f %% of the traffic",
             carrier->slice->name, 100 * fmin(carrier->share, 1), place_of(inquiry, symptom),
             100 * carrier->traffic_now);
    snprintf(candidate->action, sizeof candidate->action,
             "ask whoever sends %s; binnacle quarantine list shows the events",
             carrier->slice->name);
}

static void blame_upstream(struct inquiry *inquiry, const struct symptom *symptom, double part)
{
    const char *place = place_of(inquiry, symptom);
    struct candidate *candidate = inquiry_add(inquiry, "upstream", place, symptom);
    if (!candidate)
        return;
    candidate->weight = (0.5 + 0.4 * symptom->strength) * part;
    candidate->cause.share_of_excess = share_among_fields(inquiry, symptom);
    tell_field(candidate, symptom);
    snprintf(candidate->cause.evidence, sizeof candidate->cause.evidence,
             "%s changed in the events as they come in (%.2f %% now, %.2f %% before, n = %llu); no "
             "change of ours names it",
             place, 100 * symptom->now, 100 * symptom->base, (unsigned long long)symptom->n_now);
    snprintf(candidate->action, sizeof candidate->action, "%s",
             symptom->kind == SYMPTOM_VALUES
                 ? "ask the team that sends the field what they changed; until then "
                   "binnacle drift shows how far scores moved"
                 : "ask the team that sends it what they changed; binnacle quarantine "
                   "list shows the events, binnacle quarantine retry takes them once it is "
                   "mended");
}

void find_upstream(struct inquiry *inquiry)
{
    for (int i = 0; i < inquiry->n_symptoms; i++) {
        const struct symptom *symptom = &inquiry->symptoms[i];
        struct contribution carrier;
        if (symptom->kind != SYMPTOM_MISSING && symptom->kind != SYMPTOM_INVALID &&
            symptom->kind != SYMPTOM_VALUES && symptom->kind != SYMPTOM_REFUSED)
            continue;
        if (symptom->kind == SYMPTOM_REFUSED && fields_tell(inquiry, symptom))
            continue;
        bool carried = symptom->kind != SYMPTOM_VALUES && find_carrier(inquiry, symptom, &carrier);
        blame_contract(inquiry, symptom);
        if (carried)
            blame_cohort(inquiry, symptom, &carrier);
        blame_upstream(inquiry, symptom, carried ? 0.6 : 1);
    }
}

static bool is_refused_at_large(const struct inquiry *inquiry)
{
    return inquiry_symptom(inquiry, SYMPTOM_MISSING, -1) ||
           inquiry_symptom(inquiry, SYMPTOM_INVALID, -1) ||
           inquiry_symptom(inquiry, SYMPTOM_REFUSED, -1);
}

/* Of a cohort that sends few events, all may be refused, and that is little among all. */
void find_refused_cohort(struct inquiry *inquiry)
{
    const struct symptom *seen = inquiry_symptom(inquiry, SYMPTOM_COHORT, -1);
    struct contribution parts[MAX_SERIES];
    double excess;
    if (!seen || is_refused_at_large(inquiry))
        return;
    int n = contributions_find(inquiry->sums, seen, seen->series->field, SLICE_QUARANTINED, 1,
                               parts, MAX_SERIES, &excess);
    if (n < 2 || parts[0].slice != seen->series || parts[0].share < CARRIES ||
        parts[0].traffic_base >= 0.5)
        return;
    blame_contract(inquiry, seen);
    blame_cohort(inquiry, seen, &parts[0]);
}

void find_age(struct inquiry *inquiry)
{
    const struct symptom *seen = inquiry_symptom(inquiry, SYMPTOM_AGE, -1);
    struct candidate *candidate =
        seen ? inquiry_add(inquiry, "freshness", "event time", seen) : NULL;
    if (!candidate)
        return;
    candidate->weight = 0.6 + 0.4 * seen->strength;
    candidate->cause.share_of_excess = 1;
    snprintf(candidate->incident, sizeof candidate->incident,
             "%.1f %% of the events are over two minutes old when they are decided, before %.2f %%",
             100 * seen->now, 100 * seen->base);
    snprintf(candidate->cause.evidence, sizeof candidate->cause.evidence,
             "the time between an event and its arrival grew, and deciding it takes no longer than "
             "before: events are held up on their way here");
    snprintf(candidate->action, sizeof candidate->action,
             "look at what lies between the sender and this service: queues, retries, the lag of "
             "the topic (binnacle doctor)");
}

void find_labels(struct inquiry *inquiry)
{
    const struct symptom *seen = inquiry_symptom(inquiry, SYMPTOM_LABELS, -1);
    struct candidate *candidate = seen ? inquiry_add(inquiry, "labels", "base rate", seen) : NULL;
    if (!candidate)
        return;
    candidate->weight = 0.55 + 0.4 * seen->strength;
    candidate->cause.share_of_excess = 1;
    snprintf(candidate->incident, sizeof candidate->incident,
             "%.0f %% of the labels are positive, before %.1f %%", 100 * seen->now,
             100 * seen->base);
    snprintf(candidate->cause.evidence, sizeof candidate->cause.evidence,
             "the share of positive labels changed (n = %llu) and the scores of the events did "
             "not: the labels are wrong, or of other events than before",
             (unsigned long long)seen->n_now);
    snprintf(candidate->action, sizeof candidate->action,
             "stop what posts labels, and have them looked at; a corrected label posted again "
             "counts instead of the wrong one");
}
