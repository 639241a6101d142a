/* Scores and contributions of a model alone, for `binnacle bench`; and what its files share. */
#ifndef BINNACLE_APP_BENCH_SCORES_H
#define BINNACLE_APP_BENCH_SCORES_H

#include "app/bench.h"
#include "engine/feature/views.h"
#include "engine/model/model.h"

struct bench_rows {
    const struct feature_schema *schema;
    const float *rows; /* n_rows of the schema's width, one at least */
    size_t n_rows;
    struct interrupt *interrupt;
};

/* Fills one_row_ns, batch_row_ns, contribs_row_ns and n_rows. STATUS_END when interrupted. */
MUST_USE enum status bench_scores(struct model *model, const struct bench_rows *rows,
                                  struct bench_figures *figures, struct error *error);

double bench_median(double *values, size_t n); /* n > 0; sorts them */
/* STATUS_END with a message once the interrupt came. */
MUST_USE enum status bench_interrupted(struct interrupt *interrupt, struct error *error);

#endif
