/* The deciding steps of a batch: which model, its score, the rule that fires, and why. Nothing here
 * reads a clock, a file or a database, so a recorded row can be decided again by calling it. */
#include <math.h>
#include <string.h>

#include "engine/model/model.h"
#include "engine/reasons_priv.h"
#include "engine/shadow.h"
#include "engine/worker_priv.h"

/* ---- route ---- */

static void route_item(const struct traffic_plan *plan, struct item *item)
{
    struct traffic_route route;
    traffic_route(plan, item->entity.size > 0 ? item->entity : item->id, &route);
    const struct traffic_arm *arm = traffic_plan_arm(plan, (size_t)route.arm);
    item->scorer = arm->handle;
    item->outcome.variant = (enum variant)arm->role;
    const struct model *model = scorer_model(item->scorer);
    item->outcome.model = model_name(model);
    item->outcome.model_version = model_version(model);
    item->n_shadows = route.n_shadows;
    for (int i = 0; i < route.n_shadows; i++)
        item->shadows[i] = traffic_plan_arm(plan, (size_t)route.shadows[i])->handle;
}

enum status step_route(struct worker *worker, struct error *error)
{
    (void)error;
    const struct traffic_plan *plan = traffic_enter(worker->traffic);
    for (size_t i = 0; i < worker->n; i++) {
        if (worker->items[i].alive)
            route_item(plan, &worker->items[i]);
    }
    /* What the items keep belongs to the engine's models, which outlive every plan. */
    traffic_leave(worker->traffic);
    return STATUS_OK;
}

/* ---- score ---- */

static bool is_scored_by(const struct item *item, const struct scorer *scorer, int shadow)
{
    if (!item->alive)
        return false;
    return shadow < 0 ? item->scorer == scorer
                      : shadow < item->n_shadows && item->shadows[shadow] == scorer;
}

/* Copies the rows that `scorer` scores (as shadow number `shadow`, or as the deciding model when
 * that is -1) next to each other; returns their number. */
static size_t gather(struct worker *worker, const struct scorer *scorer, int shadow)
{
    size_t width = worker->engine->features->n_features, n = 0;
    for (size_t i = 0; i < worker->n; i++) {
        if (!is_scored_by(&worker->items[i], scorer, shadow))
            continue;
        memcpy(worker->gathered + n * width, worker_features(worker, i), width * sizeof(float));
        worker->gathered_items[n++] = (int)i;
    }
    reasons_scale(worker->engine, scorer, worker->gathered, n);
    return n;
}

static void keep_scores(struct worker *worker, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct outcome *outcome = &worker->items[worker->gathered_items[i]].outcome;
        outcome->margin = worker->margins[i];
        outcome->score = worker->scores[i];
    }
}

static void keep_shadows(struct worker *worker, const struct scorer *scorer, size_t n)
{
    const struct model *model = scorer_model(scorer);
    for (size_t i = 0; i < n; i++) {
        struct outcome *outcome = &worker->items[worker->gathered_items[i]].outcome;
        outcome->shadows[outcome->n_shadows++] =
            (struct shadow_score){model_name(model), model_version(model), worker->scores[i]};
    }
}

static enum status score_with(struct worker *worker, const struct scorer *scorer,
                              struct error *error)
{
    size_t n = gather(worker, scorer, -1);
    if (n == 0)
        return STATUS_OK;
    enum status status = scorer_score(scorer, worker->scorer_scratch, worker->gathered, n,
                                      worker->margins, worker->scores, error);
    if (status == STATUS_OK)
        keep_scores(worker, n);
    return status;
}

static enum status shadow_with(struct worker *worker, const struct scorer *scorer,
                               struct error *error)
{
    for (int shadow = 0; shadow < MAX_SHADOWS; shadow++) {
        size_t n = gather(worker, scorer, shadow);
        if (n == 0)
            continue;
        enum status status = scorer_score(scorer, worker->scorer_scratch, worker->gathered, n, NULL,
                                          worker->scores, error);
        if (status != STATUS_OK)
            return status;
        keep_shadows(worker, scorer, n);
    }
    return STATUS_OK;
}

enum status step_score(struct worker *worker, struct error *error)
{
    const struct engine *engine = worker->engine;
    enum status status = STATUS_OK;
    for (int i = 0; i < engine->parts.n_models && status == STATUS_OK; i++)
        status = score_with(worker, engine->scorers[i], error);
    return status;
}

/* Where somebody waits for the answer, shadows are scored by the engine's own thread instead, from
 * a copy of the features: see shadow.c. */
enum status step_shadow(struct worker *worker, struct error *error)
{
    const struct engine *engine = worker->engine;
    if (!worker->options.wait_for_room) {
        shadow_offer(worker);
        return STATUS_OK;
    }
    enum status status = STATUS_OK;
    for (int i = 0; i < engine->parts.n_models && status == STATUS_OK; i++)
        status = shadow_with(worker, engine->scorers[i], error);
    return status;
}

/* ---- decide and say why ---- */

enum status step_decide(struct worker *worker, struct error *error)
{
    (void)error;
    const struct rules *rules = engine_rules(worker->engine);
    for (size_t i = 0; i < worker->n; i++) {
        struct item *item = &worker->items[i];
        if (i + VALUES_AHEAD < worker->n)
            event_prefetch(&worker->items[i + VALUES_AHEAD].event);
        if (!item->alive)
            continue;
        struct outcome *outcome = &item->outcome;
        struct verdict verdict;
        rules_decide(rules, worker->rules_scratch, &item->event, &outcome->features, outcome->score,
                     outcome->margin, item->now_us, &verdict);
        outcome->decision = verdict.decision;
        outcome->rule = verdict.rule;
        outcome->rule_code = verdict.code;
    }
    return STATUS_OK;
}

/* A rule's own code comes first: it is what decided. */
static enum status give_reasons(struct worker *worker, size_t i, struct error *error)
{
    struct outcome *outcome = &worker->items[i].outcome;
    bool explained = outcome->decision != DECISION_APPROVE || worker->items[i].always;
    int top = worker->items[i].top;
    size_t n = 0, most = top < 0 ? worker->engine->features->n_features : (size_t)top;
    if (!explained && !outcome->rule_code)
        return STATUS_OK;
    struct reason *reasons = arena_alloc(worker->arena, (most + 1) * sizeof *reasons);
    if (!reasons)
        return error_set(error, STATUS_MEMORY, "out of memory for reasons");
    if (outcome->rule_code)
        reasons[n++] = (struct reason){outcome->rule_code, -1, NAN, NAN};
    const struct reasons_room room = {worker->engine, worker->scorer_scratch, worker->gathered,
                                      worker->contribs};
    enum status status = explained ? reasons_give(&room, worker->items[i].scorer,
                                                  &outcome->features, top, reasons, &n, error)
                                   : STATUS_OK;
    outcome->reasons = reasons;
    outcome->n_reasons = (int)n;
    return status;
}

enum status step_reason(struct worker *worker, struct error *error)
{
    for (size_t i = 0; i < worker->n; i++) {
        if (!worker->items[i].alive || worker->items[i].top == 0)
            continue;
        enum status status = give_reasons(worker, i, error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}
