/* kernel_margins MODEL ROWS OUT: margins of a model by each of the evaluator's ways that run here,
 * for model_kernels.py. ROWS is a file of float32, row after row; each way's margins go to
 * OUT.KERNEL likewise, and its name to stdout. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/model/evaluator_priv.h"
#include "engine/model/model_file.h"
#include "engine/model/wide.h"

#define MAX_CELLS ((size_t)64 << 20)

struct work {
    struct forest *forest;
    float *rows, *margins;
    size_t n;
    const char *out;
};

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "kernel_margins: %s\n", what);
    exit(1);
}

static void read_rows(struct work *work, const char *path)
{
    FILE *file = fopen(path, "rb");
    work->rows = malloc(MAX_CELLS * sizeof(float));
    if (!file || !work->rows)
        give_up(path);
    work->n = fread(work->rows, sizeof(float), MAX_CELLS, file) / work->forest->n_features;
    fclose(file);
    work->margins = malloc((work->n + 1) * sizeof(float));
    if (!work->margins)
        give_up("out of memory");
}

static void write_margins(const struct work *work, const char *kernel)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s.%s", work->out, kernel);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(work->margins, sizeof(float), work->n, file) != work->n || fclose(file))
        give_up(path);
    puts(kernel);
}

/* Every tree node by node, whatever its shape. */
static void walk_all(const struct work *work)
{
    struct walk walk = {0};
    struct error error;
    if (walk_create(work->forest, &walk, &error))
        give_up(error.message);
    for (size_t i = 0; i < work->n; i++) {
        work->margins[i] = evaluator_base_margin(work->forest);
        for (size_t t = 0; t < work->forest->n_trees; t++)
            work->margins[i] += walk_leaf(&walk, work->forest->trees[t].first_node,
                                          work->rows + i * work->forest->n_features);
    }
    walk_free(&walk);
    write_margins(work, "walk");
}

static void by_kernel(const struct work *work, const struct wide_kernel *kernel)
{
    struct evaluator *evaluator = NULL;
    struct error error;
    if (evaluator_create(work->forest, &evaluator, &error))
        give_up(error.message);
    if (evaluator_use(evaluator, kernel)) {
        evaluator_margins(evaluator, work->forest->n_trees, work->rows, work->n,
                          work->forest->n_features, work->margins);
        write_margins(work, kernel ? kernel->name : "portable");
    }
    evaluator_destroy(evaluator);
}

int main(int argc, char **argv)
{
    struct work work = {0};
    struct error error;
    if (argc != 4)
        give_up("usage: kernel_margins MODEL ROWS OUT");
    if (forest_read_file(argv[1], &work.forest, &error))
        give_up(error.message);
    work.out = argv[3];
    read_rows(&work, argv[2]);
    walk_all(&work);
    static const struct wide_kernel *const kernels[] = {NULL, &wide_avx2, &wide_avx512};
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++)
        by_kernel(&work, kernels[i]);
    free(work.rows);
    free(work.margins);
    forest_destroy(work.forest);
    return 0;
}
