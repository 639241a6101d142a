/* binnacle's own evaluator, measured by tests/bench/run: margins of one row and of many, by the
 * kernel that is asked for, and contributions.
 *
 * usage: forest_own MODEL ROWS best|avx512|avx2|portable */
#include "tests/bench/worker.h"

#include "engine/model/evaluator_priv.h"
#include "engine/model/forest.h"
#include "engine/model/model.h"
#include "engine/model/model_file.h"
#include "engine/model/wide.h"

struct own {
    struct rows rows;
    struct evaluator *evaluator;
    size_t n_trees;
    struct model *model;
    float out[BATCH_ROWS];
    float contribs[MAX_COLUMNS + 1];
};

static size_t one(void *context)
{
    struct own *own = context;
    for (size_t i = 0; i < FEW_ROWS; i++)
        evaluator_margins(own->evaluator, own->n_trees, rows_next(&own->rows, 1), 1,
                          own->rows.width, own->out);
    return FEW_ROWS;
}

static size_t batch(void *context)
{
    struct own *own = context;
    evaluator_margins(own->evaluator, own->n_trees, rows_next(&own->rows, BATCH_ROWS), BATCH_ROWS,
                      own->rows.width, own->out);
    return BATCH_ROWS;
}

static size_t contribs(void *context)
{
    struct own *own = context;
    struct error error;
    if (model_contribs(own->model, rows_next(&own->rows, 1), 1, own->rows.width, own->contribs,
                       &error) != STATUS_OK)
        exit(2);
    return 1;
}

static void margins(void *context)
{
    struct own *own = context;
    evaluator_margins(own->evaluator, own->n_trees, own->rows.values, VALUE_ROWS, own->rows.width,
                      own->out);
    print_values(own->out, VALUE_ROWS);
}

/* The same rows one at a time: another way through the trees. */
static void margins_singly(void *context)
{
    struct own *own = context;
    for (size_t i = 0; i < VALUE_ROWS; i++)
        evaluator_margins(own->evaluator, own->n_trees, own->rows.values + i * own->rows.width, 1,
                          own->rows.width, own->out + i);
    print_values(own->out, VALUE_ROWS);
}

static void contribs_values(void *context)
{
    struct own *own = context;
    own->rows.at = 0;
    for (size_t i = 0; i < FEW_ROWS; i++) {
        contribs(own);
        print_values(own->contribs, own->rows.width + 1);
    }
}

static const struct mode modes[] = {
    {"one", one, NULL},
    {"batch", batch, NULL},
    {"contribs", contribs, NULL},
    {"margins", NULL, margins},
    {"margins_singly", NULL, margins_singly},
    {"contribs_values", NULL, contribs_values},
    {NULL, NULL, NULL},
};

static bool choose(struct evaluator *evaluator, const char *kernel)
{
    if (strcmp(kernel, "avx512") == 0)
        return evaluator_use(evaluator, &wide_avx512);
    if (strcmp(kernel, "avx2") == 0)
        return evaluator_use(evaluator, &wide_avx2);
    if (strcmp(kernel, "portable") == 0)
        return evaluator_use(evaluator, NULL);
    return strcmp(kernel, "best") == 0;
}

int main(int argc, char **argv)
{
    static struct own own;
    struct forest *forest = NULL;
    struct error error;
    if (argc != 4) {
        fputs("usage: forest_own MODEL ROWS KERNEL\n", stderr);
        return 2;
    }
    enum status status = forest_read_file(argv[1], &forest, &error);
    if (status == STATUS_OK)
        status = evaluator_create(forest, &own.evaluator, &error);
    if (status == STATUS_OK)
        status = model_load(argv[1], "bench", "1", &own.model, &error);
    if (status != STATUS_OK) {
        fprintf(stderr, "forest_own: %s\n", error.message);
        return 2;
    }
    own.n_trees = forest->n_trees;
    own.rows = rows_read(argv[2], forest->n_features);
    int code = 3; /* the kernel does not run here */
    if (choose(own.evaluator, argv[3]))
        code = converse(modes, &own);
    free(own.rows.values);
    model_release(own.model);
    evaluator_destroy(own.evaluator);
    forest_destroy(forest);
    return code;
}
