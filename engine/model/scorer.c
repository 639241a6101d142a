/* Puts a model behind a feature view: the columns are found by name once, then every batch is
 * gathered into the model's order (not at all where the orders agree) and scored in one call. */
#include "engine/model/scorer.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/yaml.h"

struct scorer {
    struct model *model;
    const struct feature_schema *schema;
    size_t n_inputs;
    size_t *source; /* model input -> index in the view */
    bool same_order;
};

struct scorer_scratch {
    size_t n_floats;
    float *rows;
    float *contribs;
};

static size_t find_feature(const struct feature_schema *schema, const char *name)
{
    size_t i = 0;
    while (i < schema->n_features && strcmp(schema->names[i], name) != 0)
        i++;
    return i;
}

static enum status missing_feature(const struct scorer *scorer, const char *name,
                                   struct error *error)
{
    const char *nearest = nearest_word(name, scorer->schema->names, scorer->schema->n_features);
    return error_set(error, STATUS_INVALID,
                     "model %s %s wants the feature \"%s\", which the view does not have%s%s%s",
                     model_name(scorer->model), model_version(scorer->model), name,
                     nearest ? "; the nearest is \"" : "", nearest ? nearest : "",
                     nearest ? "\"" : "");
}

static enum status map_inputs(struct scorer *scorer, struct error *error)
{
    const char *const *names = model_feature_names(scorer->model);
    if (!names && scorer->n_inputs != scorer->schema->n_features)
        return error_set(error, STATUS_INVALID,
                         "model %s %s has %zu features without names, the view has %zu",
                         model_name(scorer->model), model_version(scorer->model), scorer->n_inputs,
                         scorer->schema->n_features);
    scorer->same_order = scorer->n_inputs == scorer->schema->n_features;
    for (size_t i = 0; i < scorer->n_inputs; i++) {
        size_t at = names ? find_feature(scorer->schema, names[i]) : i;
        if (at == scorer->schema->n_features)
            return missing_feature(scorer, names[i], error);
        scorer->source[i] = at;
        scorer->same_order = scorer->same_order && at == i;
    }
    return STATUS_OK;
}

enum status scorer_create(struct model *model, const struct feature_schema *schema,
                          struct scorer **scorer, struct error *error)
{
    struct scorer *made = malloc(sizeof *made);
    size_t n_inputs = model_n_features(model);
    size_t *source = calloc(n_inputs, sizeof *source);
    if (!made || !source) {
        free(made);
        free(source);
        return error_set(error, STATUS_MEMORY, "out of memory");
    }
    *made = (struct scorer){
        .model = model_acquire(model), .schema = schema, .n_inputs = n_inputs, .source = source};
    enum status status = map_inputs(made, error);
    if (status)
        scorer_destroy(made);
    else
        *scorer = made;
    return status;
}

void scorer_destroy(struct scorer *scorer)
{
    if (!scorer)
        return;
    model_release(scorer->model);
    free(scorer->source);
    free(scorer);
}

struct model *scorer_model(const struct scorer *scorer)
{
    return scorer->model;
}

enum status scorer_scratch_create(size_t max_rows, size_t max_features,
                                  struct scorer_scratch **scratch, struct error *error)
{
    struct scorer_scratch *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->n_floats = max_rows * (max_features + 1);
    made->rows = malloc(made->n_floats * sizeof(float));
    made->contribs = malloc(made->n_floats * sizeof(float));
    if (!made->rows || !made->contribs) {
        scorer_scratch_destroy(made);
        return error_set(error, STATUS_MEMORY, "out of memory");
    }
    *scratch = made;
    return STATUS_OK;
}

void scorer_scratch_destroy(struct scorer_scratch *scratch)
{
    if (!scratch)
        return;
    free(scratch->rows);
    free(scratch->contribs);
    free(scratch);
}

/* The rows in the model's order: the given ones or a copy in the scratch. */
static enum status gather(const struct scorer *scorer, struct scorer_scratch *scratch,
                          const float *rows, size_t n, const float **gathered, struct error *error)
{
    *gathered = rows;
    if (n * (scorer->n_inputs + 1) > scratch->n_floats)
        return error_set(error, STATUS_FULL, "a batch of %zu rows is larger than the scratch", n);
    if (scorer->same_order)
        return STATUS_OK;
    size_t width = scorer->schema->n_features;
    float *to = scratch->rows;
    for (size_t i = 0; i < n; i++, rows += width)
        for (size_t k = 0; k < scorer->n_inputs; k++)
            *to++ = rows[scorer->source[k]];
    *gathered = scratch->rows;
    return STATUS_OK;
}

enum status scorer_score(const struct scorer *scorer, struct scorer_scratch *scratch,
                         const float *rows, size_t n, float *margin, float *score,
                         struct error *error)
{
    const float *gathered;
    enum status status = gather(scorer, scratch, rows, n, &gathered, error);
    if (status)
        return status;
    return model_predict(scorer->model, gathered, n, scorer->n_inputs, margin, score, error);
}

enum status scorer_explain(const struct scorer *scorer, struct scorer_scratch *scratch,
                           const float *rows, size_t n, float *out, struct error *error)
{
    const float *gathered;
    enum status status = gather(scorer, scratch, rows, n, &gathered, error);
    if (!status)
        status =
            model_contribs(scorer->model, gathered, n, scorer->n_inputs, scratch->contribs, error);
    if (status)
        return status;
    size_t width = scorer->schema->n_features + 1;
    memset(out, 0, n * width * sizeof *out);
    const float *from = scratch->contribs;
    for (size_t i = 0; i < n; i++, out += width) {
        for (size_t k = 0; k < scorer->n_inputs; k++)
            out[scorer->source[k]] = *from++;
        out[width - 1] = *from++;
    }
    return STATUS_OK;
}
