/* A loaded model: what is asked for scores. */
#ifndef BINNACLE_MODEL_MODEL_H
#define BINNACLE_MODEL_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/slice.h"
#include "engine/base/status.h"
#include "engine/model/forest.h"

/* Immutable once loaded, counted. Any number of threads may predict with one model at once. */
struct model;

/* Loads and checks `path`; `name` and `version` are what the operator calls it and are copied. The
 * caller gets one reference. Errors as of forest_read_file(). */
MUST_USE enum status model_load(const char *path, const char *name, const char *version,
                                struct model **model, struct error *error);
MUST_USE enum status model_load_bytes(struct slice bytes, const char *name, const char *version,
                                      struct model **model, struct error *error);
struct model *model_acquire(struct model *model); /* returns its argument */
void model_release(struct model *model);          /* NULL is ignored; the last one frees it */

/* Texts live as long as the model. */
const char *model_name(const struct model *model);
const char *model_version(const struct model *model);
enum model_objective model_objective(const struct model *model);
size_t model_n_features(const struct model *model);
size_t model_n_trees(const struct model *model);
size_t model_n_rounds(const struct model *model);
const char *const *model_feature_names(const struct model *model); /* NULL: the file has none */
const char *model_attribute(const struct model *model, const char *key); /* NULL: none such */
int64_t model_best_iteration(const struct model *model);                 /* -1: none */
/* What scores it: "avx512", "avx2", "portable" or "walk" (the evaluator's ways), or "libxgboost"
 * where the evaluator was found to differ from the library at load. */
const char *model_kernel(const struct model *model);
/* What explains it, by the same words. */
const char *model_explainer(const struct model *model);

/* How the evaluator's margins of a sample of rows were held against libxgboost's at load. */
enum model_check {
    MODEL_EQUAL,    /* bit by bit */
    MODEL_DIFFERS,  /* then the library scores */
    MODEL_UNCHECKED /* the library will not take the model: the evaluator scores */
};
enum model_check model_check(const struct model *model);
const char *model_check_word(const struct model *model); /* "equal", "differs", "unchecked" */
/* The same for an operator, with the library's version or why it was not asked. */
const char *model_check_text(const struct model *model);

/* Scores n rows of model_n_features() floats in the model's own order; `stride` floats lie between
 * the beginnings of two rows. NaN is missing; infinities compare like any number, at a split by
 * categories they go left (the training library refuses them). `margin` and `score` take n floats
 * each; either may be NULL. The score is what Booster.predict gives: a probability for the logistic
 * objectives, else the margin. All trees are used. Fails only where the library scores. Any thread;
 * allocates nothing. */
MUST_USE enum status model_predict(const struct model *model, const float *rows, size_t n,
                                   size_t stride, float *margin, float *score, struct error *error);
/* The same with the first `n_rounds` boosting rounds only; 0: all. */
MUST_USE enum status model_predict_rounds(const struct model *model, size_t n_rounds,
                                          const float *rows, size_t n, size_t stride, float *margin,
                                          float *score, struct error *error);
/* Each feature's share of the margin (TreeSHAP; Lundberg et al. 2020, Nature Machine Intelligence
 * 2, 56-67): out takes n * (n_features + 1) floats, the bias last; a row adds up to its margin but
 * for rounding. Values compare as in model_predict(); where the library explains, infinities count
 * as the largest finite floats. The same bytes on every processor, whatever rows stand beside. */
MUST_USE enum status model_contribs(const struct model *model, const float *rows, size_t n,
                                    size_t stride, float *out, struct error *error);
MUST_USE enum status model_contribs_rounds(const struct model *model, size_t n_rounds,
                                           const float *rows, size_t n, size_t stride, float *out,
                                           struct error *error);

#endif
