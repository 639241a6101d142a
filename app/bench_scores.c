/* Times a model alone, on one thread, by what the thread used of a processor: rows one by one, all
 * at once, and their contributions. */
#include "app/bench_scores.h"

#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/base/order.h"
#include "engine/model/scorer.h"

#define REPETITIONS      7
#define REPETITION_NS    20000000 /* at least, so that reading the clock costs nothing */
#define CONTRIBS_AT_ONCE 16

double bench_median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, order_doubles);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

enum status bench_interrupted(struct interrupt *interrupt, struct error *error)
{
    if (!interrupt_came(interrupt))
        return STATUS_OK;
    return error_set(error, STATUS_END, "interrupted: nothing was measured to its end");
}

struct alone {
    const struct bench_rows *given;
    struct scorer *scorer;
    struct scorer_scratch *scratch;
    float *out;
    size_t width;
    size_t at, n_done; /* contributions: the next row; all: rows of the last call */
};

typedef enum status score_rows(struct alone *alone, struct error *error);

static enum status one_by_one(struct alone *alone, struct error *error)
{
    enum status status = STATUS_OK;
    alone->n_done = alone->given->n_rows;
    for (size_t i = 0; i < alone->n_done && status == STATUS_OK; i++)
        status = scorer_score(alone->scorer, alone->scratch, alone->given->rows + i * alone->width,
                              1, NULL, alone->out, error);
    return status;
}

static enum status all_at_once(struct alone *alone, struct error *error)
{
    alone->n_done = alone->given->n_rows;
    return scorer_score(alone->scorer, alone->scratch, alone->given->rows, alone->n_done, NULL,
                        alone->out, error);
}

static enum status contributions(struct alone *alone, struct error *error)
{
    enum status status = STATUS_OK;
    alone->n_done = CONTRIBS_AT_ONCE;
    for (size_t i = 0; i < alone->n_done && status == STATUS_OK; i++) {
        const float *row = alone->given->rows + alone->at * alone->width;
        status = scorer_explain(alone->scorer, alone->scratch, row, 1, alone->out, error);
        alone->at = (alone->at + 1) % alone->given->n_rows;
    }
    return status;
}

/* Per row, the median of some repetitions that are each long enough. */
static enum status time_rows(struct alone *alone, score_rows *score, double *ns,
                             struct error *error)
{
    double values[REPETITIONS];
    enum status status = STATUS_OK;
    for (int i = 0; i < REPETITIONS && status == STATUS_OK; i++) {
        int64_t began_ns = thread_cpu_ns(), passed_ns = 0;
        size_t rows = 0;
        while (passed_ns < REPETITION_NS && status == STATUS_OK) {
            status = score(alone, error);
            rows += alone->n_done;
            passed_ns = thread_cpu_ns() - began_ns;
        }
        values[i] = (double)passed_ns / (double)rows;
        if (status == STATUS_OK)
            status = bench_interrupted(alone->given->interrupt, error);
    }
    if (status == STATUS_OK)
        *ns = bench_median(values, REPETITIONS);
    return status;
}

enum status bench_scores(struct model *model, const struct bench_rows *rows,
                         struct bench_figures *figures, struct error *error)
{
    const struct feature_schema *schema = rows->schema;
    struct alone alone = {.given = rows, .width = schema->n_features};
    size_t n_out = schema->n_features + 1 > MAX_BATCH ? schema->n_features + 1 : MAX_BATCH;
    alone.out = calloc(n_out, sizeof *alone.out);
    enum status status = STATUS_OK;
    if (!alone.out)
        status = error_set(error, STATUS_MEMORY, "out of memory");
    if (status == STATUS_OK)
        status = scorer_create(model, schema, &alone.scorer, error);
    if (status == STATUS_OK)
        status = scorer_scratch_create(MAX_BATCH, MAX_FEATURES, &alone.scratch, error);
    if (status == STATUS_OK)
        status = time_rows(&alone, one_by_one, &figures->one_row_ns, error);
    if (status == STATUS_OK)
        status = time_rows(&alone, all_at_once, &figures->batch_row_ns, error);
    if (status == STATUS_OK)
        status = time_rows(&alone, contributions, &figures->contribs_row_ns, error);
    figures->n_rows = rows->n_rows;
    scorer_scratch_destroy(alone.scratch);
    scorer_destroy(alone.scorer);
    free(alone.out);
    return status;
}
