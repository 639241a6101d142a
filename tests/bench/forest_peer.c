/* The peers that are libraries with a C interface, measured by tests/bench/run: any libxgboost, and
 * trees that TL2cgen has compiled. Both are loaded when this starts, so that two versions of one
 * library can be measured in one run, each in a process of its own.
 *
 * usage: forest_peer xgboost LIBRARY MODEL ROWS WIDTH
 *        forest_peer tl2cgen LIBRARY - ROWS WIDTH */
#include "tests/bench/worker.h"

#include <dlfcn.h>
#include <math.h>

typedef void *handle;
typedef uint64_t bst_ulong;

/* As c_api.h of XGBoost and the header that TL2cgen writes declare them. */
union entry {
    int missing; /* -1: no value */
    float fvalue;
    int qvalue;
};
struct peer {
    struct rows rows;
    handle booster;
    int (*booster_create)(const handle matrices[], bst_ulong n, handle *booster);
    int (*load)(handle booster, const char *path);
    int (*set)(handle booster, const char *name, const char *value);
    int (*matrix_create)(const float *data, bst_ulong rows, bst_ulong columns, float missing,
                         handle *matrix);
    int (*matrix_free)(handle matrix);
    int (*predict_matrix)(handle booster, handle matrix, const char *config,
                          const bst_ulong **shape, bst_ulong *dim, const float **result);
    int (*predict_dense)(handle booster, const char *array, const char *config, handle proxy,
                         const bst_ulong **shape, bst_ulong *dim, const float **result);
    const char *(*last_error)(void);
    void (*compiled)(union entry *data, int margin, float *result);
    union entry *entries; /* of the rows */
    float out[BATCH_ROWS];
};

#define MARGIN                                                                                     \
    "{\"type\":1,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,"                    \
    "\"strict_shape\":false,\"missing\":NaN,\"cache_id\":0}"
#define CONTRIBS                                                                                   \
    "{\"type\":2,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,"                    \
    "\"strict_shape\":false}"

static void must(const struct peer *peer, int failed)
{
    if (!failed)
        return;
    fprintf(stderr, "forest_peer: %s\n", peer->last_error());
    exit(2);
}

static void *symbol(void *library, const char *name)
{
    void *found = dlsym(library, name);
    if (!found) {
        fprintf(stderr, "forest_peer: %s\n", dlerror());
        exit(2);
    }
    return found;
}

/* ---- libxgboost ---- */

/* Straight from the rows. */
static const float *dense(struct peer *peer, const float *rows, size_t n)
{
    char array[256];
    const bst_ulong *shape;
    bst_ulong dim;
    const float *result;
    snprintf(array, sizeof array,
             "{\"data\":[%llu,true],\"shape\":[%zu,%zu],\"typestr\":\"<f4\",\"version\":3}",
             (unsigned long long)(uintptr_t)rows, n, peer->rows.width);
    must(peer, peer->predict_dense(peer->booster, array, MARGIN, NULL, &shape, &dim, &result));
    return result;
}

/* By way of a matrix, made anew each time: predictions for one that is known are remembered. */
static const float *matrix(struct peer *peer, const float *rows, size_t n, const char *config,
                           handle *made)
{
    const bst_ulong *shape;
    bst_ulong dim;
    const float *result;
    must(peer, peer->matrix_create(rows, n, peer->rows.width, NAN, made));
    must(peer, peer->predict_matrix(peer->booster, *made, config, &shape, &dim, &result));
    return result;
}

static size_t through_matrix(struct peer *peer, size_t n, const char *config)
{
    handle made;
    matrix(peer, rows_next(&peer->rows, n), n, config, &made);
    must(peer, peer->matrix_free(made));
    return n;
}

static size_t one_dense(void *context)
{
    struct peer *peer = context;
    dense(peer, rows_next(&peer->rows, 1), 1);
    return 1;
}

static size_t one_matrix(void *context)
{
    return through_matrix(context, 1, MARGIN);
}

static size_t batch_dense(void *context)
{
    struct peer *peer = context;
    dense(peer, rows_next(&peer->rows, BATCH_ROWS), BATCH_ROWS);
    return BATCH_ROWS;
}

static size_t batch_matrix(void *context)
{
    return through_matrix(context, BATCH_ROWS, MARGIN);
}

static size_t contribs(void *context)
{
    return through_matrix(context, 1, CONTRIBS);
}

static void margins(void *context)
{
    struct peer *peer = context;
    handle made;
    print_values(matrix(peer, peer->rows.values, VALUE_ROWS, MARGIN, &made), VALUE_ROWS);
    must(peer, peer->matrix_free(made));
}

static void contribs_values(void *context)
{
    struct peer *peer = context;
    handle made;
    print_values(matrix(peer, peer->rows.values, FEW_ROWS, CONTRIBS, &made),
                 FEW_ROWS * (peer->rows.width + 1));
    must(peer, peer->matrix_free(made));
}

static const struct mode xgboost_modes[] = {
    {"one_dense", one_dense, NULL},
    {"one_matrix", one_matrix, NULL},
    {"batch_dense", batch_dense, NULL},
    {"batch_matrix", batch_matrix, NULL},
    {"contribs", contribs, NULL},
    {"margins", NULL, margins},
    {"contribs_values", NULL, contribs_values},
    {NULL, NULL, NULL},
};

static void load_xgboost(struct peer *peer, void *library, const char *model)
{
    *(void **)&peer->booster_create = symbol(library, "XGBoosterCreate");
    *(void **)&peer->load = symbol(library, "XGBoosterLoadModel");
    *(void **)&peer->set = symbol(library, "XGBoosterSetParam");
    *(void **)&peer->matrix_create = symbol(library, "XGDMatrixCreateFromMat");
    *(void **)&peer->matrix_free = symbol(library, "XGDMatrixFree");
    *(void **)&peer->predict_matrix = symbol(library, "XGBoosterPredictFromDMatrix");
    *(void **)&peer->predict_dense = symbol(library, "XGBoosterPredictFromDense");
    *(void **)&peer->last_error = symbol(library, "XGBGetLastError");
    must(peer, peer->booster_create(NULL, 0, &peer->booster));
    must(peer, peer->load(peer->booster, model));
    must(peer, peer->set(peer->booster, "nthread", "1"));
}

/* ---- TL2cgen ---- */

static size_t compiled_rows(struct peer *peer, size_t n)
{
    size_t first = (size_t)(rows_next(&peer->rows, n) - peer->rows.values);
    for (size_t i = 0; i < n; i++) {
        peer->out[i] = 0;
        peer->compiled(peer->entries + first + i * peer->rows.width, 1, &peer->out[i]);
    }
    return n;
}

static size_t compiled_one(void *context)
{
    return compiled_rows(context, FEW_ROWS);
}

static size_t compiled_batch(void *context)
{
    return compiled_rows(context, BATCH_ROWS);
}

static void compiled_margins(void *context)
{
    struct peer *peer = context;
    peer->rows.at = 0;
    compiled_rows(peer, VALUE_ROWS);
    print_values(peer->out, VALUE_ROWS);
}

static const struct mode compiled_modes[] = {
    {"one", compiled_one, NULL},
    {"batch", compiled_batch, NULL},
    {"margins", NULL, compiled_margins},
    {NULL, NULL, NULL},
};

/* Rows as the compiled code takes them; making them is not timed. */
static void load_compiled(struct peer *peer, void *library)
{
    size_t n = peer->rows.n * peer->rows.width;
    *(void **)&peer->compiled = symbol(library, "predict");
    peer->entries = calloc(n, sizeof *peer->entries);
    for (size_t i = 0; peer->entries && i < n; i++) {
        if (isnan(peer->rows.values[i]))
            peer->entries[i].missing = -1;
        else
            peer->entries[i].fvalue = peer->rows.values[i];
    }
    if (!peer->entries)
        exit(2);
}

int main(int argc, char **argv)
{
    static struct peer peer;
    if (argc != 6) {
        fputs("usage: forest_peer xgboost|tl2cgen LIBRARY MODEL ROWS WIDTH\n", stderr);
        return 2;
    }
    void *library = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        fprintf(stderr, "forest_peer: %s\n", dlerror());
        return 2;
    }
    peer.rows = rows_read(argv[4], strtoul(argv[5], NULL, 10));
    if (strcmp(argv[1], "tl2cgen") == 0) {
        load_compiled(&peer, library);
        return converse(compiled_modes, &peer);
    }
    load_xgboost(&peer, library, argv[3]);
    return converse(xgboost_modes, &peer);
}
