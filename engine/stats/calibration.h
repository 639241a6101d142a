/* Whether scores say more of the truth after an isotonic calibration than before. */
#ifndef BINNACLE_STATS_CALIBRATION_H
#define BINNACLE_STATS_CALIBRATION_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/status.h"

/* NannyML's rule (0.13, calibration.py): ten stratified splits, each with a tenth held out
 * (scikit-learn's StratifiedShuffleSplit with seed 42); calibrated on the rest, the expected
 * calibration error of all that was held out, over ten bins of equal counts, has to fall. Scores of
 * one class only, or that tell the classes apart (AUC over 0.999), are left as they are.
 * `scores` from 0 to 1 without NaN, `labels` 0 or 1. STATUS_INVALID when a class has fewer than two
 * rows, or all have fewer than eleven: no split can be made. Where rows of different truth share a
 * score across a bin's edge, their order is the input's. */
MUST_USE enum status calibration_helps(const double *scores, const double *labels, size_t n,
                                       bool *helps, struct error *error);

#endif
