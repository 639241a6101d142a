/* Margins and contributions by our own code, both held against libxgboost at load. The
 * logistic function is XGBoost's own formula (src/common/math.h: 1 / (1 + exp(min(-x, 88.7))) in
 * float), applied to the margins here so that one pass gives both. */
#include "engine/model/model.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/model/evaluator.h"
#include "engine/model/library.h"
#include "engine/model/model_file_priv.h"
#include "engine/model/treeshap.h"

#define MODEL_MAGIC 0x6d6f6465u
/* Compared with the library at load; fewer rows where they are very wide. */
#define SAMPLE_ROWS  256
#define SAMPLE_CELLS ((size_t)1 << 20)
/* Contributions cost the library a thousand times what they cost us: two rows of a model of 100
 * trees 6 deep, at most; one of 500 trees 8 deep; none where a tree is deeper than the library's
 * float can follow. In leaves times the depth's square. */
#define CONTRIBS_ROWS  16
#define THEIR_COST_ROW ((size_t)20000000)
#define THEIR_COST_ALL ((size_t)500000)
#define THEIR_DEPTH    16
#define TOLERANCE      1e-5 /* of the sum of a row's contributions without their signs */

struct model {
    unsigned magic;
    atomic_size_t references;
    char *name, *version;
    struct forest *forest;
    struct evaluator *evaluator;
    struct treeshap *treeshap;
    enum model_check check; /* where it differs the library scores and explains */
    bool contribs_differ;   /* then it explains */
    char check_text[320];
    struct library *library; /* NULL when it will not take the model */
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

/* A model that the library refuses is scored by the evaluator all the same. */
static enum status create_library(struct model *model, struct error *error)
{
    struct error why = {.message = ""};
    enum status status = library_create(model->forest, &model->library, &why);
    if (status == STATUS_UNSUPPORTED) {
        model->check = MODEL_UNCHECKED;
        (void)snprintf(model->check_text, sizeof model->check_text,
                       "unchecked against libxgboost: %.256s", why.message);
        return STATUS_OK;
    }
    return status ? error_set(error, status, "%s", why.message) : STATUS_OK;
}

static void describe_check(struct model *model, size_t n)
{
    char version[LIBRARY_VERSION_SIZE];
    library_version(model->library, version);
    (void)snprintf(model->check_text, sizeof model->check_text,
                   model->check == MODEL_EQUAL
                       ? "equal to libxgboost %s on %zu rows"
                       : "the evaluator differs from libxgboost %s on %zu rows, which scores it",
                   version, n);
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
    if (status == STATUS_OK && memcmp(ours, theirs, n * sizeof *ours) != 0)
        model->check = MODEL_DIFFERS;
    free(rows);
    describe_check(model, n);
    return status;
}

/* ---- contributions at load ---- */

static double sum_of(const float *contribs, size_t n, double *size)
{
    double sum = 0;
    *size = 1;
    for (size_t i = 0; i < n; i++) {
        sum += (double)contribs[i];
        *size += fabs((double)contribs[i]);
    }
    return sum;
}

/* Whether the row's contributions are its margin. False for what is no number, too. */
static bool adds_up(const float *contribs, size_t n, float margin)
{
    double size, sum = sum_of(contribs, n, &size);
    return fabs(sum - (double)margin) <= TOLERANCE * size;
}

/* Where a node has no cover the library divides zero by zero: that says nothing about ours. */
static bool is_alike(const float *ours, const float *theirs, size_t n)
{
    double size, sum = sum_of(theirs, n, &size);
    bool alike = true;
    for (size_t i = 0; i < n && isfinite(sum); i++)
        alike = alike && fabs((double)ours[i] - (double)theirs[i]) <= TOLERANCE * size;
    return alike;
}

/* How many rows the library can be asked to explain in a few milliseconds. */
static size_t affordable_rows(const struct forest *forest)
{
    size_t cost = 1;
    for (size_t i = 0; i < forest->n_trees; i++) {
        size_t depth = (size_t)forest->trees[i].depth;
        if (depth > THEIR_DEPTH)
            return 0;
        cost += forest->trees[i].n_nodes / 2 * depth * depth;
    }
    size_t n = THEIR_COST_ALL / cost;
    if (cost > THEIR_COST_ROW)
        return 0;
    return n < 1 ? 1 : n < CONTRIBS_ROWS ? n : CONTRIBS_ROWS;
}

static enum status compare_contribs(struct model *model, const float *rows, size_t n,
                                    const float *margins, struct error *error)
{
    size_t width = model->forest->n_features;
    size_t n_theirs = model->library ? affordable_rows(model->forest) : 0;
    float *contribs = malloc(2 * (width + 1) * n * sizeof *contribs);
    if (!contribs)
        return error_set(error, STATUS_MEMORY, "out of memory");
    float *theirs = contribs + (width + 1) * n;
    n_theirs = n_theirs < n ? n_theirs : n;
    enum status status =
        treeshap_contribs(model->treeshap, model->forest->n_trees, rows, n, width, contribs, error);
    if (status == STATUS_OK && n_theirs > 0)
        status = library_contribs(model->library, 0, rows, n_theirs, width, theirs, error);
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        const float *ours = contribs + i * (width + 1);
        bool good = adds_up(ours, width + 1, margins[i]) &&
                    (i >= n_theirs || is_alike(ours, theirs + i * (width + 1), width + 1));
        model->contribs_differ = model->contribs_differ || !good;
    }
    free(contribs);
    return status;
}

/* Whether contributions add up to the margins, and are the library's where it has the model. */
static enum status check_contribs(struct model *model, struct error *error)
{
    size_t width = model->forest->n_features;
    size_t n = width < SAMPLE_CELLS / CONTRIBS_ROWS ? CONTRIBS_ROWS : 1;
    float *rows = malloc((width + 1) * n * sizeof *rows);
    float margins[CONTRIBS_ROWS];
    if (!rows)
        return error_set(error, STATUS_MEMORY, "out of memory");
    fill_sample(model->forest, rows, n);
    for (size_t i = 0; i < n * width; i++)
        rows[i] = isinf(rows[i]) ? 0 : rows[i]; /* the library's matrices refuse them */
    evaluator_margins(model->evaluator, model->forest->n_trees, rows, n, width, margins);
    enum status status = compare_contribs(model, rows, n, margins, error);
    free(rows);
    return status;
}

static enum status build(struct model *model, struct slice bytes, const char *name,
                         const char *version, struct error *error)
{
    *model = (struct model){.magic = MODEL_MAGIC};
    atomic_init(&model->references, 1);
    model->name = strdup(name);
    model->version = strdup(version);
    if (!model->name || !model->version)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = forest_read(bytes, &model->forest, error);
    if (!status)
        status = create_library(model, error);
    if (!status)
        status = evaluator_create(model->forest, &model->evaluator, error);
    if (!status && model->library)
        status = check_against_library(model, error);
    if (!status)
        status = treeshap_create(model->forest, &model->treeshap, error);
    if (!status)
        status = check_contribs(model, error);
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
    enum status status = file_read_whole(path, &bytes, error);
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
    treeshap_destroy(model->treeshap);
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
    return model->check == MODEL_DIFFERS ? "libxgboost" : evaluator_kernel(model->evaluator);
}

static bool library_explains(const struct model *model)
{
    return model->check == MODEL_DIFFERS || model->contribs_differ;
}

enum model_check model_check(const struct model *model)
{
    return model->check;
}

const char *model_check_word(const struct model *model)
{
    static const char *const words[] = {"equal", "differs", "unchecked"};
    return words[model->check];
}

const char *model_check_text(const struct model *model)
{
    return model->check_text;
}

const char *model_explainer(const struct model *model)
{
    if (!library_explains(model))
        return treeshap_kernel(model->treeshap);
    return model->library ? "libxgboost" : "nothing";
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

static size_t trees_of(const struct model *model, size_t n_rounds)
{
    return n_rounds > 0 && n_rounds < model_n_rounds(model)
               ? n_rounds * model->forest->trees_per_round
               : model->forest->n_trees;
}

static enum status margins_of(const struct model *model, size_t n_rounds, const float *rows,
                              size_t n, size_t stride, float *margins, struct error *error)
{
    if (model->check == MODEL_DIFFERS)
        return library_margins(model->library, n_rounds, rows, n, stride, margins, error);
    evaluator_margins(model->evaluator, trees_of(model, n_rounds), rows, n, stride, margins);
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
        enum status status =
            margins_of(model, n_rounds, rows + first * stride, n_now, stride, margins, error);
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
    if (library_explains(model) && !model->library)
        return error_set(error, STATUS_UNSUPPORTED, "contributions do not add up to the margin; %s",
                         model->check_text);
    if (library_explains(model))
        return library_contribs(model->library, n_rounds, rows, n, stride, out, error);
    return treeshap_contribs(model->treeshap, trees_of(model, n_rounds), rows, n, stride, out,
                             error);
}

enum status model_contribs(const struct model *model, const float *rows, size_t n, size_t stride,
                           float *out, struct error *error)
{
    return model_contribs_rounds(model, 0, rows, n, stride, out, error);
}
