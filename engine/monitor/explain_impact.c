/* What trouble has touched, in numbers that mean what they say: events that got no decision are
 * those refused beyond the usual, decisions that would have come out otherwise are those that the
 * usual shares do not account for. Pure. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/monitor/explain_priv.h"
#include "engine/stats/deviates.h"

#define BEYOND_CHANCE 3.0 /* of z: the trouble itself is known by now */
#define LEAST_NOW     50
#define LEAST_USUAL   100

/* ---- counted ---- */

static uint64_t count(const struct span_sums *sums, int counter, int from, int to, bool usual)
{
    return usual ? span_usual(sums, counter, from, to) : span_count(sums, counter, from, to);
}

static void add_events(const struct span_sums *sums, int from, int to, bool usual,
                       struct explain_counts *out)
{
    const struct slice_series *events = slices_find(sums->view, SERIES_EVENTS, -1);
    const struct slice_series *decisions = slices_find(sums->view, SERIES_DECISION, -1);
    for (int kind = 0; kind < SLICED_KINDS; kind++)
        out->events[kind] += count(sums, events->first + kind, from, to, usual);
    for (int i = 0; i < DECISION_COUNT; i++)
        out->decisions[i] += count(sums, decisions->first + i, from, to, usual);
    for (int cell = from; cell < to && !usual; cell++)
        out->amount += sums->view->amounts[cell];
}

static uint64_t total(const uint64_t *counts, int n)
{
    uint64_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += counts[i];
    return sum;
}

/* ---- concluded ---- */

/* How many of `part` the usual share of `whole` does not account for; `least`: the z below which
 * that is chance. NaN: what is usual is not known. */
static double excess(uint64_t part, uint64_t whole, uint64_t usual_part, uint64_t usual,
                     double least)
{
    if (usual == 0)
        return (double)NAN;
    if (deviates_share(part, whole, usual_part, usual) < least)
        return 0;
    double expected = (double)usual_part / (double)usual * (double)whole;
    return fmax(round((double)part - expected), 0);
}

static double without_decision(const struct explain_basis *basis)
{
    const uint64_t *now = basis->since.events, *usual = basis->usual.events;
    double refused =
        excess(now[SLICED_QUARANTINED], total(now, SLICED_DUPLICATES), usual[SLICED_QUARANTINED],
               total(usual, SLICED_DUPLICATES), BEYOND_CHANCE);
    return refused + excess(now[SLICED_ERRORS], total(now, SLICED_KINDS), usual[SLICED_ERRORS],
                            total(usual, SLICED_KINDS), 0);
}

/* At most `most`: those of the touched events that were decided. */
static double decided_otherwise(const struct explain_basis *basis, double most)
{
    uint64_t n_now = total(basis->since.decisions, DECISION_COUNT);
    uint64_t n_usual = total(basis->usual.decisions, DECISION_COUNT);
    double distance;
    if (most <= 0)
        return 0;
    if (isnan(most) || n_now < LEAST_NOW || n_usual < LEAST_USUAL)
        return (double)NAN;
    double z =
        deviates_mix(basis->since.decisions, basis->usual.decisions, DECISION_COUNT, &distance);
    return z < BEYOND_CHANCE ? 0 : fmin(round(distance * (double)n_now), most);
}

static bool is_of_amounts(const struct symptom *symptom, const char *amount_field)
{
    return (symptom->kind == SYMPTOM_MISSING || symptom->kind == SYMPTOM_INVALID) &&
           strcmp(symptom->series->name, amount_field) == 0;
}

/* The mean amount of those accepted, for each that was decided: of others it is not known. */
static double money_of(const struct explain_basis *basis, double decided)
{
    uint64_t accepted = basis->since.events[SLICED_ACCEPTED];
    return accepted > 0 && decided > 0 ? basis->since.amount / (double)accepted * decided
                                       : (double)NAN;
}

/* A share of what came in and the refusals for it are two estimates of the same events. */
static bool is_all_refused(const struct symptom *symptom, const struct explanation *out)
{
    bool refused = symptom->kind == SYMPTOM_MISSING || symptom->kind == SYMPTOM_INVALID ||
                   symptom->kind == SYMPTOM_REFUSED || symptom->kind == SYMPTOM_COHORT ||
                   symptom->kind == SYMPTOM_ERRORS;
    return refused && out->errors > 0 &&
           out->requests - out->errors <= BEYOND_CHANCE * sqrt(out->requests);
}

static void conclude(const struct inquiry *inquiry, const struct symptom *symptom,
                     const struct explain_basis *basis, struct explanation *out)
{
    const char *amount_field = inquiry->sums->view->amount_field;
    out->errors = without_decision(basis);
    if (out->requests < out->errors || is_all_refused(symptom, out))
        out->requests = out->errors;
    double decided = out->requests - (isnan(out->errors) ? 0 : out->errors);
    out->decisions = decided_otherwise(basis, decided);
    if (!amount_field)
        return;
    out->money = is_of_amounts(symptom, amount_field) ? (double)NAN : money_of(basis, decided);
    snprintf(out->money_field, sizeof out->money_field, "%s", amount_field);
}

/* ---- touched ---- */

/* How much of the window's events the symptom touches; NaN: it is no share of events. */
static double touched_share(const struct symptom *symptom, double events)
{
    switch (symptom->kind) {
    case SYMPTOM_VOLUME:
        return symptom->now > symptom->base ? (symptom->now - symptom->base) / symptom->now
                                            : (double)NAN;
    case SYMPTOM_COMMIT:
    case SYMPTOM_RECORD:
        return 1;
    case SYMPTOM_LABELS:
        return (double)NAN;
    case SYMPTOM_COHORT: /* its share is one of the cohort's events */
        return (double)symptom->n_now * fmax(symptom->now - symptom->base, 0) / fmax(events, 1);
    default:
        return fmax(symptom->now - symptom->base, 0);
    }
}

/* Requests and users of the symptom's cells. */
static void tell_touched(const struct inquiry *inquiry, const struct symptom *symptom,
                         struct explanation *out)
{
    const struct span_sums *sums = inquiry->sums;
    struct explain_counts counts = {.amount = 0};
    add_events(sums, symptom->from, symptom->to, false, &counts);
    double events = (double)total(counts.events, SLICED_KINDS);
    double touched = touched_share(symptom, events);
    double users = slices_distinct(sums->view, inquiry->facts->entity, symptom->from, symptom->to);
    out->requests = round(events * touched);
    if (symptom->kind == SYMPTOM_LABELS)
        out->requests = round((double)symptom->n_now * (symptom->now - symptom->base));
    if (!isnan(touched) && !isnan(users))
        out->users = round(fmin(users * touched, out->requests));
}

void inquiry_impact(const struct inquiry *inquiry, const struct symptom *symptom,
                    struct explain_basis *basis, struct explanation *out)
{
    int before = span_baseline_from(symptom->from);
    *basis = (struct explain_basis){.usual.amount = 0};
    if (before < symptom->from)
        add_events(inquiry->sums, before, symptom->from, true, &basis->usual);
    add_events(inquiry->sums, symptom->from, symptom->to, false, &basis->since);
    tell_touched(inquiry, symptom, out);
    conclude(inquiry, symptom, basis, out);
}

static double sum(double before, double more)
{
    return isnan(before) ? more : isnan(more) ? before : before + more;
}

void inquiry_impact_add(const struct inquiry *inquiry, const struct symptom *rest,
                        struct explain_basis *basis, const struct explanation *before,
                        struct explanation *out)
{
    add_events(inquiry->sums, rest->from, rest->to, false, &basis->since);
    tell_touched(inquiry, rest, out);
    out->requests = sum(before->requests, out->requests);
    out->users = fmax(before->users, out->users);
    conclude(inquiry, rest, basis, out);
}
