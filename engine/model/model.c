/* Scores rows with libxgboost (1.7).
 *
 * In: a checked forest, written again in the library's own layout. The library's in-place
 * prediction and its contributions are safe for many threads on one booster of trees once the first
 * prediction has configured it, which happens at load; results come back in memory of the calling
 * thread. With more than one thread inside the library its p99 is three orders above its median, so
 * nthread is 1 and parallelism is the caller's. The logistic function is XGBoost's own formula
 * (src/common/math.h: 1 / (1 + exp(min(-x, 88.7))) in float), applied to the margins here so that
 * one pass gives both. */
#include "engine/model/model.h"

#include <float.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xgboost/c_api.h>

#include "engine/base/hash.h"
#include "engine/model/model_file_priv.h"

#define MODEL_MAGIC 0x6d6f6465u

struct model {
    unsigned magic;
    atomic_size_t references;
    char *name, *version;
    char digest[33];
    struct forest *forest;
    BoosterHandle booster;
};

static enum status library_error(struct error *error, const char *what)
{
    char message[300];
    /* Its messages carry a stack trace after the first line. */
    snprintf(message, sizeof message, "%s", XGBGetLastError());
    message[strcspn(message, "\n")] = 0;
    return error_set(error, STATUS_UNSUPPORTED, "%s: libxgboost says: %s", what, message);
}

/* ---- loading ---- */

static enum status create_booster(struct model *model, struct slice bytes, struct error *error)
{
    char n_features[24];
    (void)snprintf(n_features, sizeof n_features, "%zu", model->forest->n_features);
    const char *const parameters[][2] = {
        {"nthread",     "1"       },
        {"verbosity",   "0"       },
        {"num_feature", n_features}
    };
    if (XGBoosterCreate(NULL, 0, &model->booster))
        return library_error(error, "no booster");
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++)
        if (XGBoosterSetParam(model->booster, parameters[i][0], parameters[i][1]))
            return library_error(error, parameters[i][0]);
    /* Asking for anything puts the parameters into force; else loading would use every core. */
    int n_rounds;
    if (XGBoosterBoostedRounds(model->booster, &n_rounds))
        return library_error(error, "its parameters");
    if (XGBoosterLoadModelFromBuffer(model->booster, bytes.data, bytes.size))
        return library_error(error, "the model");
    return STATUS_OK;
}

/* The first prediction configures the booster; after it, prediction only reads. */
static enum status warm_up(const struct model *model, struct error *error)
{
    size_t n = model->forest->n_features;
    float *row = calloc(2 * n + 1, sizeof *row), margin;
    if (!row)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = model_predict(model, row, 1, n, &margin, NULL, error);
    if (!status)
        status = model_contribs(model, row, 1, n, row + n, error);
    free(row);
    return status;
}

static enum status give_to_library(struct model *model, struct error *error)
{
    struct buffer bytes;
    buffer_init(&bytes, 4 * MODEL_FILE_MAX_BYTES);
    enum status status = forest_write(model->forest, &bytes);
    if (status)
        error_set(error, status, "out of memory for a model of this size");
    else
        status = create_booster(model, buffer_slice(&bytes), error);
    buffer_free(&bytes);
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
        status = give_to_library(model, error);
    if (!status)
        status = warm_up(model, error);
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
    if (model->booster)
        XGBoosterFree(model->booster);
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

int64_t model_best_iteration(const struct model *model)
{
    return model->forest->best_iteration;
}

/* ---- predicting ---- */

enum predict_type { PREDICT_MARGIN = 1, PREDICT_CONTRIBS = 2 };

#define CONFIG_SIZE 256

static const char *predict_config(const struct model *model, enum predict_type type,
                                  size_t n_rounds, char config[CONFIG_SIZE])
{
    size_t end = n_rounds < model_n_rounds(model) ? n_rounds : 0;
    (void)snprintf(config, CONFIG_SIZE,
                   "{\"type\":%d,\"training\":false,\"iteration_begin\":0,\"iteration_end\":%zu,"
                   "\"strict_shape\":false,\"missing\":NaN,\"cache_id\":0,\"nthread\":1}",
                   (int)type, end);
    return config;
}

/* numpy's array interface, version 3. */
static const char *array_interface(const float *rows, size_t n, size_t n_columns, size_t stride,
                                   char text[CONFIG_SIZE])
{
    (void)snprintf(text, CONFIG_SIZE,
                   "{\"data\":[%zu,true],\"shape\":[%zu,%zu],\"strides\":[%zu,%zu],"
                   "\"typestr\":\"<f4\",\"version\":3}",
                   (size_t)(uintptr_t)rows, n, n_columns, stride * sizeof(float), sizeof(float));
    return text;
}

static float logistic(float margin)
{
    float x = -margin < 88.7f ? -margin : 88.7f; /* no overflow in expf */
    return 1.0f / (expf(x) + 1.0f);
}

enum status model_predict_rounds(const struct model *model, size_t n_rounds, const float *rows,
                                 size_t n, size_t stride, float *margin, float *score,
                                 struct error *error)
{
    if (n == 0)
        return STATUS_OK;
    char config[CONFIG_SIZE], array[CONFIG_SIZE];
    const bst_ulong *shape;
    bst_ulong n_dimensions;
    const float *result;
    if (XGBoosterPredictFromDense(
            model->booster, array_interface(rows, n, model->forest->n_features, stride, array),
            predict_config(model, PREDICT_MARGIN, n_rounds, config), NULL, &shape, &n_dimensions,
            &result))
        return library_error(error, "prediction");
    if (margin)
        memcpy(margin, result, n * sizeof *margin);
    bool is_logistic = objective_is_logistic(model->forest->objective);
    for (size_t i = 0; score && i < n; i++)
        score[i] = is_logistic ? logistic(result[i]) : result[i];
    return STATUS_OK;
}

enum status model_predict(const struct model *model, const float *rows, size_t n, size_t stride,
                          float *margin, float *score, struct error *error)
{
    return model_predict_rounds(model, 0, rows, n, stride, margin, score, error);
}

/* ---- explaining ---- */

/* The library's matrices refuse infinities. */
static float *finite_copy(const float *rows, size_t n, size_t n_columns, size_t stride)
{
    float *copy = malloc(n * n_columns * sizeof *copy);
    for (size_t i = 0; copy && i < n; i++)
        for (size_t k = 0; k < n_columns; k++) {
            float value = rows[i * stride + k];
            copy[i * n_columns + k] = isinf(value) ? copysignf(FLT_MAX, value) : value;
        }
    return copy;
}

enum status model_contribs_rounds(const struct model *model, size_t n_rounds, const float *rows,
                                  size_t n, size_t stride, float *out, struct error *error)
{
    if (n == 0)
        return STATUS_OK;
    size_t n_columns = model->forest->n_features;
    char config[CONFIG_SIZE], array[CONFIG_SIZE];
    float *copy = finite_copy(rows, n, n_columns, stride);
    if (!copy)
        return error_set(error, STATUS_MEMORY, "out of memory");
    DMatrixHandle matrix = NULL;
    const bst_ulong *shape;
    bst_ulong n_dimensions;
    const float *result;
    enum status status = STATUS_OK;
    predict_config(model, PREDICT_CONTRIBS, n_rounds, config);
    if (XGDMatrixCreateFromDense(array_interface(copy, n, n_columns, n_columns, array), config,
                                 &matrix) ||
        XGBoosterPredictFromDMatrix(model->booster, matrix, config, &shape, &n_dimensions, &result))
        status = library_error(error, "contributions");
    else
        memcpy(out, result, n * (n_columns + 1) * sizeof *out);
    if (matrix)
        XGDMatrixFree(matrix);
    free(copy);
    return status;
}

enum status model_contribs(const struct model *model, const float *rows, size_t n, size_t stride,
                           float *out, struct error *error)
{
    return model_contribs_rounds(model, 0, rows, n, stride, out, error);
}
