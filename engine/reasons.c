/* Why it was decided so. While a decision is made and when its record is looked at later, the same
 * function asks the model for its contributions and ranks them, so the two cannot differ. */
#include "engine/reasons.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/model.h"
#include "engine/reasons_priv.h"

bool reasons_parse(const char *text, int *reasons)
{
    char *end;
    long n = strtol(text, &end, 10);
    *reasons = strcmp(text, "all") == 0 ? -1 : (int)n;
    return *reasons == -1 ? text[0] == 'a' : text[0] && !*end && n >= 0 && n <= MAX_FEATURES;
}

/* ---- while it is made ---- */

void reasons_scale(const struct engine *engine, const struct scorer *scorer, float *rows, size_t n)
{
    for (int i = 0; i < engine->parts.n_models; i++) {
        if (engine->scorers[i] == scorer && engine->scalings[i])
            feature_scaling_apply(engine->scalings[i], engine->features->n_features, rows, n, rows);
    }
}

enum status reasons_give(const struct reasons_room *room, const struct scorer *scorer,
                         const struct feature_vector *features, int top, struct reason *out,
                         size_t *n, struct error *error)
{
    const struct engine *engine = room->engine;
    memcpy(room->scaled, features->values, engine->features->n_features * sizeof *room->scaled);
    reasons_scale(engine, scorer, room->scaled, 1);
    enum status status =
        scorer_explain(scorer, room->scratch, room->scaled, 1, room->contribs, error);
    size_t left = MAX_FEATURES - *n; /* the most that a row holds */
    if (status == STATUS_OK)
        *n += reasons_rank(engine_rules(engine), features, room->contribs, top, left, out + *n);
    return status;
}

/* ---- from the record ---- */

struct explainer {
    struct reasons_room room;
    float scaled[MAX_FEATURES], contribs[MAX_FEATURES + 1];
    struct reason reasons[MAX_FEATURES];
    struct row_reason given[MAX_FEATURES];
};

enum status explainer_create(struct engine *engine, struct explainer **explainer,
                             struct error *error)
{
    *explainer = NULL;
    struct explainer *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->room =
        (struct reasons_room){.engine = engine, .scaled = made->scaled, .contribs = made->contribs};
    enum status status = scorer_scratch_create(1, MAX_FEATURES, &made->room.scratch, error);
    if (status != STATUS_OK) {
        free(made);
        return status;
    }
    *explainer = made;
    return STATUS_OK;
}

void explainer_destroy(struct explainer *explainer)
{
    if (!explainer)
        return;
    scorer_scratch_destroy(explainer->room.scratch);
    free(explainer);
}

static enum status check_features(const struct engine *engine, const struct ledger_row *row,
                                  struct error *error)
{
    const struct feature_schema *ours = engine->features;
    bool same = row->names && row->n_features == ours->n_features;
    for (size_t i = 0; i < ours->n_features && same; i++)
        same = strcmp(row->names->names[i], ours->names[i]) == 0;
    return same ? STATUS_OK
                : error_set(error, STATUS_CONFLICT,
                            "row %llu was decided with other features than the configuration's; "
                            "give the configuration of that time",
                            (unsigned long long)row->index);
}

static enum status find_scorer(const struct engine *engine, const struct ledger_row *row,
                               const struct scorer **scorer, struct error *error)
{
    for (int i = 0; i < engine->parts.n_models; i++) {
        const struct model *model = engine->models[i];
        *scorer = engine->scorers[i];
        if (slice_is(row->model, model_name(model)) &&
            slice_is(row->model_version, model_version(model)))
            return STATUS_OK;
    }
    return error_set(error, STATUS_CONFLICT,
                     "row %llu was decided by model " SLICE_FORMAT " version " SLICE_FORMAT
                     ", which is not loaded; name it in binnacle.yaml under `models`",
                     (unsigned long long)row->index, SLICE_ARGS(row->model),
                     SLICE_ARGS(row->model_version));
}

/* Only the model that decided gives the recorded margin again. */
static enum status check_margin(const struct explainer *explainer, const struct scorer *scorer,
                                const struct ledger_row *row, struct error *error)
{
    const struct reasons_room *room = &explainer->room;
    float margin;
    memcpy(room->scaled, row->features, row->n_features * sizeof *room->scaled);
    reasons_scale(room->engine, scorer, room->scaled, 1);
    enum status status = scorer_score(scorer, room->scratch, room->scaled, 1, &margin, NULL, error);
    if (status != STATUS_OK || margin == row->margin || (isnan(margin) && isnan(row->margin)))
        return status;
    return error_set(
        error, STATUS_CONFLICT,
        "row %llu was decided by another model than the one that is loaded as " SLICE_FORMAT
        " version " SLICE_FORMAT ": its margin was %.9g, not %.9g",
        (unsigned long long)row->index, SLICE_ARGS(row->model), SLICE_ARGS(row->model_version),
        (double)row->margin, (double)margin);
}

/* The code of the rule that decided: as recorded, or of the rule by its name where no reasons were
 * recorded at all. */
static size_t take_rule_code(const struct explainer *explainer, const struct ledger_row *row,
                             struct row_reason *given)
{
    for (int i = 0; i < row->n_reasons; i++) {
        if (row->reasons[i].feature < 0) {
            *given = row->reasons[i];
            return 1;
        }
    }
    const char *code =
        row->n_reasons == 0 ? rules_code_of(engine_rules(explainer->room.engine), row->rule) : NULL;
    if (code)
        *given = (struct row_reason){slice_of(code), -1, NAN, NAN};
    return code != NULL;
}

static enum status fill_reasons(struct explainer *explainer, const struct scorer *scorer, int top,
                                struct ledger_row *row, struct error *error)
{
    /* Ranking reads the values; nothing writes them. */
    const struct feature_vector features = {explainer->room.engine->features,
                                            (float *)row->features};
    size_t first = take_rule_code(explainer, row, explainer->given), n = first;
    enum status status =
        reasons_give(&explainer->room, scorer, &features, top, explainer->reasons, &n, error);
    for (size_t i = first; i < n && status == STATUS_OK; i++) {
        const struct reason *reason = &explainer->reasons[i];
        explainer->given[i] = (struct row_reason){slice_of(reason->code), reason->feature,
                                                  reason->value, reason->contribution};
    }
    row->reasons = explainer->given;
    row->n_reasons = (int)n;
    return status;
}

enum status explainer_explain(struct explainer *explainer, int top, struct ledger_row *row,
                              struct error *error)
{
    const struct engine *engine = explainer->room.engine;
    const struct scorer *scorer = NULL;
    enum status status = check_features(engine, row, error);
    if (status == STATUS_OK)
        status = find_scorer(engine, row, &scorer, error);
    if (status == STATUS_OK)
        status = check_margin(explainer, scorer, row, error);
    if (status == STATUS_OK && top == 0)
        row->n_reasons = 0; /* none asked for, none recorded: the rule's neither */
    else if (status == STATUS_OK)
        status = fill_reasons(explainer, scorer, top, row, error);
    return status;
}

static enum status explain_event(struct engine *engine, struct explainer *explainer,
                                 struct slice event_id, int top, struct buffer *out,
                                 struct error *error)
{
    struct ledger_row row;
    enum status status = reader_find_event(engine->reader, event_id, &row, error);
    if (status == STATUS_NOT_FOUND)
        return error_set(error, status, "no decision on event " SLICE_FORMAT " is in the ledger",
                         SLICE_ARGS(event_id));
    if (status == STATUS_OK)
        status = explainer_explain(explainer, top, &row, error);
    if (status == STATUS_OK)
        row_answer_json(&row, false, -1, out);
    return status;
}

enum status engine_explain_event(struct engine *engine, struct slice event_id, int top,
                                 struct buffer *out, struct error *error)
{
    if (!engine->ledger)
        return error_set(error, STATUS_UNSUPPORTED,
                         "recorded decisions need a ledger; start with --ledger DIR");
    struct explainer *explainer;
    enum status status = explainer_create(engine, &explainer, error);
    if (status != STATUS_OK)
        return status;
    lock_take(&engine->reader_lock);
    status = explain_event(engine, explainer, event_id, top, out, error);
    lock_release(&engine->reader_lock);
    explainer_destroy(explainer);
    return status;
}
