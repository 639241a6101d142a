/* Ranks what the finders found and tells what to do. Runs in whichever thread asks, one at a time.
 */
#include "engine/monitor/explain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/monitor/explain_priv.h"

#define CHANGE_BEFORE_US INT64_C(90000000)
#define CHANGE_AFTER_US  INT64_C(6000000) /* a window begins at a cell's edge */
#define RECOVERED_WEIGHT 0.5

/* ---- what finders ask ---- */

const struct symptom *inquiry_symptom(const struct inquiry *inquiry, enum symptom_kind kind,
                                      int field)
{
    for (int i = 0; i < inquiry->n_symptoms; i++) {
        if (inquiry->symptoms[i].kind == kind &&
            (field < 0 || inquiry->symptoms[i].series->field == field))
            return &inquiry->symptoms[i];
    }
    return NULL;
}

int64_t inquiry_cell_us(const struct inquiry *inquiry, int cell)
{
    return slices_cell_us(inquiry->sums->view, cell);
}

int inquiry_cell_at(const struct inquiry *inquiry, int64_t at_us)
{
    const struct slices_view *view = inquiry->sums->view;
    int cell = 0;
    while (cell < view->n_cells && slices_cell_us(view, cell) + SLICE_CELL_US <= at_us)
        cell++;
    return cell;
}

struct candidate *inquiry_add(struct inquiry *inquiry, const char *cause, const char *slice,
                              const struct symptom *symptom)
{
    if (inquiry->n_candidates == MAX_CANDIDATES)
        return NULL;
    struct candidate *candidate = &inquiry->candidates[inquiry->n_candidates++];
    *candidate = (struct candidate){.symptom = symptom};
    candidate->cause.share_of_excess = (double)NAN;
    candidate->cause.changed_at_us = inquiry_cell_us(inquiry, symptom->from);
    snprintf(candidate->cause.cause, sizeof candidate->cause.cause, "%s", cause);
    snprintf(candidate->cause.slice, sizeof candidate->cause.slice, "%s", slice);
    return candidate;
}

const struct explain_change *inquiry_change(const struct inquiry *inquiry,
                                            enum explain_change_kind kind,
                                            const struct symptom *symptom)
{
    int64_t began_us = inquiry_cell_us(inquiry, symptom->from);
    for (int i = inquiry->facts->n_changes - 1; i >= 0; i--) {
        const struct explain_change *change = &inquiry->facts->changes[i];
        if (change->kind == kind && change->at_us >= began_us - CHANGE_BEFORE_US &&
            change->at_us <= began_us + CHANGE_AFTER_US)
            return change;
    }
    return NULL;
}

/* ---- ranking ---- */

/* What is over explains what is wrong now only where nothing else does. */
static double standing(const struct candidate *candidate)
{
    return candidate->weight * (candidate->symptom->recovered ? RECOVERED_WEIGHT : 1);
}

static int heavier_first(const void *a, const void *b)
{
    double x = standing(a), y = standing(b);
    return (x < y) - (x > y);
}

static void say_nothing(struct explanation *out, const char *why)
{
    struct explained_cause *cause = &out->causes[0];
    out->n_causes = 1;
    snprintf(cause->cause, sizeof cause->cause, "none");
    cause->share_of_excess = (double)NAN;
    snprintf(cause->evidence, sizeof cause->evidence, "%s", why);
}

static void tell_cause(const struct inquiry *inquiry, const struct candidate *candidate,
                       struct explained_cause *out)
{
    *out = candidate->cause;
    if (candidate->symptom->recovered)
        out->recovered_at_us = inquiry_cell_us(inquiry, candidate->symptom->to);
}

static bool is_told(const struct explanation *out, const struct explained_cause *cause)
{
    for (int i = 0; i < out->n_causes; i++) {
        if (strcmp(out->causes[i].cause, cause->cause) == 0 &&
            strcmp(out->causes[i].slice, cause->slice) == 0)
            return true;
    }
    return false;
}

static void tell(const struct inquiry *inquiry, struct explain_basis *basis,
                 struct explanation *out)
{
    const struct candidate *best = &inquiry->candidates[0];
    const struct symptom *symptom = best->symptom;
    memcpy(out->incident, best->incident, sizeof out->incident);
    memcpy(out->action, best->action, sizeof out->action);
    out->since_us = inquiry_cell_us(inquiry, symptom->from);
    for (int i = 0; i < inquiry->n_candidates && out->n_causes < MAX_CAUSES; i++) {
        if (!is_told(out, &inquiry->candidates[i].cause))
            tell_cause(inquiry, &inquiry->candidates[i], &out->causes[out->n_causes++]);
    }
    out->until_us = out->causes[0].recovered_at_us;
    inquiry_impact(inquiry, symptom, basis, out);
}

static void remember_trouble(struct explain_memory *memory, int64_t from_us, int64_t to_us)
{
    struct trouble *last =
        memory->n_troubles > 0 ? &memory->troubles[memory->n_troubles - 1] : NULL;
    if (last && from_us <= last->to_us + 2 * SLICE_CELL_US) {
        last->to_us = to_us > last->to_us ? to_us : last->to_us;
        return;
    }
    if (memory->n_troubles == EXPLAIN_TROUBLES)
        memmove(memory->troubles, memory->troubles + 1,
                (size_t)--memory->n_troubles * sizeof *memory->troubles);
    memory->troubles[memory->n_troubles++] = (struct trouble){from_us, to_us};
}

/* Trouble that goes on is compared with what was before it, and not hidden by itself. */
static int settled_troubles(const struct explain_memory *memory, int64_t now_us)
{
    int n = memory->n_troubles;
    int64_t since_us = now_us - (SYMPTOM_OVER_CELLS + 1) * SLICE_CELL_US;
    while (memory->last.until_us == 0 && n > 0 && memory->troubles[n - 1].to_us > since_us)
        n--;
    return n;
}

static cause_finder *const finders[] = {
    find_slow_record, find_slow_decisions, find_errors, find_volume,
    find_upstream,    find_refused_cohort, find_age,    find_labels,
    find_split,       find_rules,          find_model,  find_cohort,
};

static void conclude(struct inquiry *inquiry, struct explain_memory *memory,
                     struct explanation *out)
{
    for (size_t i = 0; i < sizeof finders / sizeof *finders; i++)
        finders[i](inquiry);
    qsort(inquiry->candidates, (size_t)inquiry->n_candidates, sizeof *inquiry->candidates,
          heavier_first);
    if (inquiry->n_candidates == 0 || inquiry->candidates[0].weight < LEAST_WEIGHT) {
        if (ongoing_continue(inquiry, memory, out))
            remember_trouble(memory, out->since_us, out->at_us);
        else
            say_nothing(out, "nothing differs from the minutes before by more than chance");
        return;
    }
    struct explain_basis basis;
    tell(inquiry, &basis, out);
    const struct symptom *symptom = inquiry->candidates[0].symptom;
    ongoing_tell(inquiry, symptom, &basis, memory, out);
    remember_trouble(memory, inquiry_cell_us(inquiry, symptom->from),
                     inquiry_cell_us(inquiry, symptom->to));
}

/* Where something was changed here that decides; returns how many. */
static int changed_cells(const struct inquiry *inquiry, int cells[MAX_CHANGED_CELLS])
{
    const struct explain_facts *facts = inquiry->facts;
    int n = 0;
    for (int i = facts->n_changes - 1; i >= 0 && n < MAX_CHANGED_CELLS; i--) {
        if (facts->changes[i].kind != EXPLAIN_CONTRACT)
            cells[n++] = inquiry_cell_at(inquiry, facts->changes[i].at_us);
    }
    return n;
}

static bool look(struct inquiry *inquiry, const struct slices_view *view,
                 struct explain_memory *memory, struct explanation *out)
{
    struct span_sums sums;
    inquiry->sums = &sums;
    if (!span_sums_make(view, NULL, 0, &sums))
        return false;
    ongoing_check(inquiry, memory);
    span_sums_free(&sums);
    int n_settled = settled_troubles(memory, inquiry->facts->now_us);
    if (!span_sums_make(view, memory->troubles, n_settled, &sums))
        return false;
    int cells[MAX_CHANGED_CELLS], n_cells = changed_cells(inquiry, cells);
    if (symptoms_find(&sums, cells, n_cells, inquiry->symptoms, &inquiry->n_symptoms))
        conclude(inquiry, memory, out);
    else
        say_nothing(out, "no data yet to compare with: half a minute is needed");
    span_sums_free(&sums);
    return true;
}

void explain(const struct slices_view *view, const struct explain_facts *facts,
             struct explain_memory *memory, struct explanation *out)
{
    *out = (struct explanation){.at_us = facts->now_us,
                                .requests = (double)NAN,
                                .users = (double)NAN,
                                .errors = (double)NAN,
                                .money = (double)NAN,
                                .decisions = (double)NAN};
    struct inquiry *inquiry = calloc(1, sizeof *inquiry);
    if (inquiry)
        inquiry->facts = facts;
    if (!inquiry || !look(inquiry, view, memory, out))
        say_nothing(out, "no memory to look into it");
    free(inquiry);
}
