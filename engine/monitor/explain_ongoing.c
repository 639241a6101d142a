/* Incidents that last: what trouble was compared with moves out of what is known, and out of what
 * counts as usual, long before a fault is mended. One that was found goes on until its symptom has
 * recovered, and keeps its beginning and all that it has touched since. */
#include <string.h>

#include "engine/monitor/explain_priv.h"

#define SAME_WITHIN_US INT64_C(60000000) /* since it was last seen */

static bool is_recent(const struct explain_memory *memory, int64_t now_us)
{
    return memory->last.n_causes > 0 && now_us - memory->last.at_us <= SAME_WITHIN_US;
}

static bool is_open(const struct explain_memory *memory, int64_t now_us)
{
    return is_recent(memory, now_us) && memory->last.until_us == 0;
}

static bool is_same(const struct explain_memory *memory, const struct explanation *found)
{
    const struct explanation *last = &memory->last;
    return is_recent(memory, found->at_us) &&
           strcmp(last->causes[0].cause, found->causes[0].cause) == 0 &&
           strcmp(last->causes[0].slice, found->causes[0].slice) == 0 &&
           (last->until_us == 0 || found->since_us <= last->until_us);
}

/* What came since it was last counted is added; users are about as many as in the larger part. */
static void add_impact(const struct inquiry *inquiry, struct explain_memory *memory,
                       const struct symptom *symptom, struct explanation *out)
{
    struct symptom rest = *symptom;
    rest.from = inquiry_cell_at(inquiry, memory->counted_us);
    if (rest.to < rest.from)
        rest.to = rest.from;
    inquiry_impact_add(inquiry, &rest, &memory->basis, &memory->last, out);
}

static void remember(const struct inquiry *inquiry, const struct symptom *symptom,
                     struct explain_memory *memory, const struct explanation *out)
{
    memory->last = *out;
    memory->symptom = *symptom;
    memory->counted_us = inquiry_cell_us(inquiry, symptom->to);
    memcpy(memory->series, symptom->series->name, sizeof memory->series);
}

void ongoing_tell(const struct inquiry *inquiry, const struct symptom *symptom,
                  const struct explain_basis *basis, struct explain_memory *memory,
                  struct explanation *out)
{
    if (is_same(memory, out) && memory->last.since_us < out->since_us) {
        out->since_us = memory->last.since_us;
        out->causes[0].changed_at_us = memory->last.causes[0].changed_at_us;
        add_impact(inquiry, memory, symptom, out);
    } else {
        memory->basis = *basis;
    }
    remember(inquiry, symptom, memory, out);
}

static const struct slice_series *find_series(const struct slices_view *view,
                                              const struct explain_memory *memory)
{
    for (int i = 0; i < view->n_series; i++) {
        if (view->series[i].kind == symptom_series(memory->symptom.kind) &&
            strcmp(view->series[i].name, memory->series) == 0)
            return &view->series[i];
    }
    return NULL;
}

/* The symptom of the incident that is open, from its beginning to now. */
static bool take_up(const struct inquiry *inquiry, const struct explain_memory *memory,
                    struct symptom *symptom)
{
    *symptom = memory->symptom;
    symptom->series = find_series(inquiry->sums->view, memory);
    symptom->from = inquiry_cell_at(inquiry, memory->last.since_us);
    symptom->to = inquiry->sums->view->n_cells - 1;
    return symptom->series && is_open(memory, inquiry->facts->now_us);
}

void ongoing_check(const struct inquiry *inquiry, struct explain_memory *memory)
{
    struct symptom symptom;
    if (take_up(inquiry, memory, &symptom) &&
        !symptom_goes_on(inquiry->sums, &symptom, symptom.from))
        memory->last.until_us = memory->last.causes[0].recovered_at_us = memory->last.at_us;
}

bool ongoing_continue(const struct inquiry *inquiry, struct explain_memory *memory,
                      struct explanation *out)
{
    struct symptom symptom;
    if (!take_up(inquiry, memory, &symptom))
        return false;
    *out = memory->last;
    out->at_us = inquiry->facts->now_us;
    add_impact(inquiry, memory, &symptom, out);
    remember(inquiry, &symptom, memory, out);
    return true;
}
