/* libxgboost (1.7) on a checked forest.
 *
 * The library's in-place prediction and its contributions are safe for many threads on one booster
 * of trees once the first prediction has configured it, which happens here when it is made; results
 * come back in memory of the calling thread. With more than one thread inside the library its p99
 * is three orders above its median, so nthread is 1 and parallelism is the caller's. */
#include "engine/model/library.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/buffer.h"
#include "engine/model/model_file_priv.h"
#include "engine/model/xgboost_priv.h"

#define MAX_SET_BYTES ((size_t)16 << 20)

struct library {
    struct xgboost xgboost;
    const struct forest *forest;
    BoosterHandle booster;
};

/* ---- asking the library ---- */

enum predict_type { PREDICT_MARGIN = 1, PREDICT_CONTRIBS = 2 };

#define CONFIG_SIZE 256

static const char *predict_config(const struct library *library, enum predict_type type,
                                  size_t n_rounds, char config[CONFIG_SIZE])
{
    size_t end =
        n_rounds < library->forest->n_trees / library->forest->trees_per_round ? n_rounds : 0;
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

enum status library_margins(const struct library *library, size_t n_rounds, const float *rows,
                            size_t n, size_t stride, float *margins, struct error *error)
{
    char config[CONFIG_SIZE], array[CONFIG_SIZE];
    const bst_ulong *shape;
    bst_ulong n_dimensions;
    const float *result;
    if (library->xgboost.XGBoosterPredictFromDense(
            library->booster, array_interface(rows, n, library->forest->n_features, stride, array),
            predict_config(library, PREDICT_MARGIN, n_rounds, config), NULL, &shape, &n_dimensions,
            &result))
        return xgboost_failed(&library->xgboost, error, "prediction");
    memcpy(margins, result, n * sizeof *margins);
    return STATUS_OK;
}

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

enum status library_contribs(const struct library *library, size_t n_rounds, const float *rows,
                             size_t n, size_t stride, float *out, struct error *error)
{
    if (n == 0)
        return STATUS_OK;
    size_t n_columns = library->forest->n_features;
    char config[CONFIG_SIZE], array[CONFIG_SIZE];
    float *copy = finite_copy(rows, n, n_columns, stride);
    if (!copy)
        return error_set(error, STATUS_MEMORY, "out of memory");
    DMatrixHandle matrix = NULL;
    const bst_ulong *shape;
    bst_ulong n_dimensions;
    const float *result;
    enum status status = STATUS_OK;
    predict_config(library, PREDICT_CONTRIBS, n_rounds, config);
    if (library->xgboost.XGDMatrixCreateFromDense(
            array_interface(copy, n, n_columns, n_columns, array), config, &matrix) ||
        library->xgboost.XGBoosterPredictFromDMatrix(library->booster, matrix, config, &shape,
                                                     &n_dimensions, &result))
        status = xgboost_failed(&library->xgboost, error, "contributions");
    else
        memcpy(out, result, n * (n_columns + 1) * sizeof *out);
    if (matrix)
        library->xgboost.XGDMatrixFree(matrix);
    free(copy);
    return status;
}

/* ---- making ---- */

static enum status create_booster(struct library *library, struct slice bytes, struct error *error)
{
    char n_features[24];
    (void)snprintf(n_features, sizeof n_features, "%zu", library->forest->n_features);
    const char *const parameters[][2] = {
        {"nthread", "1"}, {"verbosity", "0"}, {"num_feature", n_features}};
    if (library->xgboost.XGBoosterCreate(NULL, 0, &library->booster))
        return xgboost_failed(&library->xgboost, error, "no booster");
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++)
        if (library->xgboost.XGBoosterSetParam(library->booster, parameters[i][0],
                                               parameters[i][1]))
            return xgboost_failed(&library->xgboost, error, parameters[i][0]);
    /* Asking for anything puts the parameters into force; else loading would use every core. */
    int n_rounds;
    if (library->xgboost.XGBoosterBoostedRounds(library->booster, &n_rounds))
        return xgboost_failed(&library->xgboost, error, "its parameters");
    if (library->xgboost.XGBoosterLoadModelFromBuffer(library->booster, bytes.data, bytes.size))
        return xgboost_failed(&library->xgboost, error, "the model");
    return STATUS_OK;
}

/* The first prediction configures the booster; after it, prediction only reads. */
static enum status warm_up(const struct library *library, struct error *error)
{
    size_t n = library->forest->n_features;
    float *row = calloc(n + 1, sizeof *row), margin;
    if (!row)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = library_margins(library, 0, row, 1, n, &margin, error);
    free(row);
    return status;
}

/* The library keeps sets of categories as bits up to the largest one; what a file of a few bytes
 * could ask for is not given. */
static enum status check_sets(const struct forest *forest, struct error *error)
{
    size_t bits = 0;
    for (size_t i = 0; i < forest->n_nodes; i++) {
        int32_t largest = -1;
        for (uint32_t k = 0; k < forest->category_count[i]; k++) {
            int32_t category = forest->categories[forest->category_first[i] + k];
            largest = category > largest ? category : largest;
        }
        bits += (size_t)(largest + 1);
    }
    if (bits <= 8 * MAX_SET_BYTES)
        return STATUS_OK;
    return error_set(error, STATUS_UNSUPPORTED,
                     "its sets of categories would take %zu MiB in libxgboost, and %zu are allowed",
                     bits >> 23, MAX_SET_BYTES >> 20);
}

static enum status give_forest(struct library *library, struct error *error)
{
    struct buffer bytes;
    buffer_init(&bytes, 4 * MODEL_FILE_MAX_BYTES);
    enum status status = forest_write(library->forest, &bytes);
    if (status)
        error_set(error, status, "out of memory for a model of this size");
    else
        status = create_booster(library, buffer_slice(&bytes), error);
    buffer_free(&bytes);
    return status;
}

enum status library_create(const struct forest *forest, struct library **library,
                           struct error *error)
{
    *library = NULL;
    struct library *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->forest = forest;
    enum status status = check_sets(forest, error);
    if (status == STATUS_OK)
        status = xgboost_load(&made->xgboost, error);
    if (status == STATUS_OK)
        status = give_forest(made, error);
    if (status == STATUS_OK)
        status = warm_up(made, error);
    if (status != STATUS_OK) {
        library_destroy(made);
        return status;
    }
    *library = made;
    return STATUS_OK;
}

void library_version(const struct library *library, char version[LIBRARY_VERSION_SIZE])
{
    int major, minor, patch;
    library->xgboost.XGBoostVersion(&major, &minor, &patch);
    (void)snprintf(version, LIBRARY_VERSION_SIZE, "%d.%d.%d", major, minor, patch);
}

void library_destroy(struct library *library)
{
    if (!library)
        return;
    if (library->booster)
        library->xgboost.XGBoosterFree(library->booster);
    free(library);
}
