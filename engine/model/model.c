/* Margins by our own evaluator, held against libxgboost at load; contributions by the library. The
 * logistic function is XGBoost's own formula (src/common/math.h: 1 / (1 + exp(min(-x, 88.7))) in
 * float), applied to the margins here so that one pass gives both. */
#include "engine/model/model.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/model/evaluator.h"
#include "engine/model/library.h"
#include "engine/model/model_file_priv.h"

#define MODEL_MAGIC 0x6d6f6465u
/* Compared with the library at load; fewer rows where they are very wide. */
#define SAMPLE_ROWS  256
#define SAMPLE_CELLS ((size_t)1 << 20)

struct model {
    unsigned magic;
    atomic_size_t references;
    char *name, *version;
    char digest[33];
    struct forest *forest;
    struct evaluator *evaluator;
    bool differs; /* from the library, at load: then the library scores */
    struct library *library;
};

/* ---- loading ---- */

/* Values on both sides of the model's own thresholds, missing ones, and whole numbers for codes of
 * categories; the same for the same model. */
static void fill_sample(const struct forest *forest, float *rows, size_t n)
{
    uint64_t state = 1;
    for (size_t i = 0; i < n * forest->n_features; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t chance = state >> 33;
        float threshold = forest->n_nodes ? forest->threshold[chance / 8 % forest->n_nodes] : 0;
        const float values[8] = {NAN,
                                 threshold,
                                 nextafterf(threshold, INFINITY),
                                 nextafterf(threshold, -INFINITY),
                                 threshold * 2,
                                 -threshold,
                                 (float)(chance / 8 % 64),
                                 0};
        rows[i] = values[chance % 8];
    }
}

/* Whether the evaluator gives the library's bits. What it gets wrong it must not score. */
static enum status check_against_library(struct model *model, struct error *error)
{
    size_t width = model->forest->n_features;
    size_t n = width < SAMPLE_CELLS / SAMPLE_ROWS ? SAMPLE_ROWS : SAMPLE_CELLS / width + 1;
    float *rows = malloc((width + 1) * n * sizeof *rows);
    float ours[SAMPLE_ROWS], theirs[SAMPLE_ROWS];
    if (!rows)
        return error_set(error, STATUS_MEMORY, "out of memory");
    fill_sample(model->forest, rows, n);
    evaluator_margins(model->evaluator, model->forest->n_trees, rows, n, width, ours);
    enum status status = library_margins(model->library, 0, rows, n, width, theirs, error);
    model->differs = status == STATUS_OK && memcmp(ours, theirs, n * sizeof *ours) != 0;
    free(rows);
    return status;
}

static enum status build(struct model *model, struct slice bytes, const char *name,
                         const char *version, struct error *error)
{
    *model = (struct model){.magic = MODEL_MAGIC};
    atomic_init(&model->references, 1);
    struct hash128 hash = hash128(bytes.data, bytes.size, 0);
    (void)snprintf(model->digest, sizeof model->digest, "%016llx%016llx",
                   (unsigned long long)hash.high, (unsigned long long)hash.low);
    model->name = strdup(name);
    model->version = strdup(version);
    if (!model->name || !model->version)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = forest_read(bytes, &model->forest, error);
    if (!status)
        status = library_create(model->forest, &model->library, error);
    if (!status)
        status = evaluator_create(model->forest, &model->evaluator, error);
    if (!status)
        status = check_against_library(model, error);
    return status;
}

enum status model_load_bytes(struct slice bytes, const char *name, const char *version,
                             struct model **model, struct error *error)
{
    struct model *made = malloc(sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = build(made, bytes, name, version, error);
    if (status) {
        model_release(made);
        return status;
    }
    *model = made;
    return STATUS_OK;
}

enum status model_load(const char *path, const char *name, const char *version,
                       struct model **model, struct error *error)
{
    struct buffer bytes;
    buffer_init(&bytes, MODEL_FILE_MAX_BYTES);
    enum status status = model_file_bytes(path, &bytes, error);
    if (!status) {
        status = model_load_bytes(buffer_slice(&bytes), name, version, model, error);
        if (status)
            error_prefix(error, "%s", path);
    }
    buffer_free(&bytes);
    return status;
}

struct model *model_acquire(struct model *model)
{
    atomic_fetch_add_explicit(&model->references, 1, memory_order_relaxed);
    return model;
}

void model_release(struct model *model)
{
    if (!model || atomic_fetch_sub_explicit(&model->references, 1, memory_order_acq_rel) != 1)
        return;
    library_destroy(model->library);
    evaluator_destroy(model->evaluator);
    forest_destroy(model->forest);
    free(model->name);
    free(model->version);
    model->magic = 0;
    free(model);
}

/* ---- what it is ---- */

const char *model_name(const struct model *model)
{
    return model->name;
}

const char *model_version(const struct model *model)
{
    return model->version;
}

const char *model_digest(const struct model *model)
{
    return model->digest;
}

enum model_objective model_objective(const struct model *model)
{
    return model->forest->objective;
}

size_t model_n_features(const struct model *model)
{
    return model->forest->n_features;
}

size_t model_n_trees(const struct model *model)
{
    return model->forest->n_trees;
}

size_t model_n_rounds(const struct model *model)
{
    return model->forest->n_trees / model->forest->trees_per_round;
}

const char *const *model_feature_names(const struct model *model)
{
    return (const char *const *)model->forest->feature_names;
}

const char *model_attribute(const struct model *model, const char *key)
{
    return forest_attribute(model->forest, key);
}

const char *model_kernel(const struct model *model)
{
    return model->differs ? "libxgboost" : evaluator_kernel(model->evaluator);
}

int64_t model_best_iteration(const struct model *model)
{
    return model->forest->best_iteration;
}

/* ---- predicting ---- */

static float logistic(float margin)
{
    float x = -margin < 88.7f ? -margin : 88.7f; /* no overflow in expf */
    return 1.0f / (expf(x) + 1.0f);
}

/* A chunk of margins on the stack when the caller wants none. */
#define CHUNK_ROWS 256

static enum status margins_of(const struct model *model, size_t n_rounds, const float *rows,
                              size_t n, size_t stride, float *margins, struct error *error)
{
    size_t n_trees = n_rounds > 0 && n_rounds < model_n_rounds(model)
                         ? n_rounds * model->forest->trees_per_round
                         : model->forest->n_trees;
    if (model->differs)
        return library_margins(model->library, n_rounds, rows, n, stride, margins, error);
    evaluator_margins(model->evaluator, n_trees, rows, n, stride, margins);
    return STATUS_OK;
}

enum status model_predict_rounds(const struct model *model, size_t n_rounds, const float *rows,
                                 size_t n, size_t stride, float *margin, float *score,
                                 struct error *error)
{
    bool is_logistic = objective_is_logistic(model->forest->objective);
    float chunk[CHUNK_ROWS];
    for (size_t first = 0; first < n; first += CHUNK_ROWS) {
        size_t n_now = n - first < CHUNK_ROWS ? n - first : CHUNK_ROWS;
        float *margins = margin ? margin + first : chunk;
        enum status status = margins_of(model, n_rounds, rows + first * stride, n_now, stride,
                                        margins, error);
        if (status)
            return status;
        for (size_t i = 0; score && i < n_now; i++)
            score[first + i] = is_logistic ? logistic(margins[i]) : margins[i];
    }
    return STATUS_OK;
}

enum status model_predict(const struct model *model, const float *rows, size_t n, size_t stride,
                          float *margin, float *score, struct error *error)
{
    return model_predict_rounds(model, 0, rows, n, stride, margin, score, error);
}

/* ---- explaining ---- */

enum status model_contribs_rounds(const struct model *model, size_t n_rounds, const float *rows,
                                  size_t n, size_t stride, float *out, struct error *error)
{
    return library_contribs(model->library, n_rounds, rows, n, stride, out, error);
}

enum status model_contribs(const struct model *model, const float *rows, size_t n, size_t stride,
                           float *out, struct error *error)
{
    return model_contribs_rounds(model, 0, rows, n, stride, out, error);
}
