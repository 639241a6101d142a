/* What drift needs beside the windows' counts, by slices of five minutes: a sample of the rows that
 * were decided on, for methods that look at values, and what the canary decided. Private to
 * engine/observe.
 *
 * The sample is bounded and every decision of a slice has the same chance to be in it: at first all
 * are taken; whenever a slice's room is full, half of its rows are given up by chance and from then
 * on half as many are taken. Who brings decisions draws how many to pass over (a geometric number,
 * as in J. Vitter, "Random Sampling with a Reservoir", 1985), so that most cost a comparison. */
#ifndef BINNACLE_OBSERVE_DRIFT_SLICES_H
#define BINNACLE_OBSERVE_DRIFT_SLICES_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/slice.h"
#include "engine/decide/outcome.h"
#include "engine/observe/bins.h"
#include "engine/observe/observe.h"

struct drift_slices;

/* `window_us`: how far back it is asked; at most a day. NULL: out of memory. */
struct drift_slices *drift_slices_create(int n_columns, int64_t window_us);
void drift_slices_destroy(struct drift_slices *slices); /* NULL is ignored */

/* Outcomes of one place of DRIFT_DRAWS; each place one thread at a time. */
#define DRIFT_DRAWS 32
void drift_slices_outcomes(struct drift_slices *slices, int place,
                           const struct outcome *const *outcomes, size_t n);

/* Moves the clock, and back to a time that has come again: later slices are forgotten. */
void drift_slices_advance(struct drift_slices *slices, int64_t now_us);
void drift_slices_rewind(struct drift_slices *slices, int64_t now_us);

/* The cuts by which the canary's rows are counted from now on; NULL: none. Copied. `keep`: what is
 * counted already is by the same. */
void drift_slices_set_binnings(struct drift_slices *slices, const struct binning *binnings,
                               bool keep);

/* Of the `window_us` up to now, rounded up to whole slices, as observe.h has them. Any thread. */
size_t drift_slices_values(struct drift_slices *slices, int column, enum variant variant,
                           struct observed_value values[OBSERVE_SAMPLE]);
void drift_slices_bins(struct drift_slices *slices, int column, uint64_t counts[MAX_BINS]);
void drift_slices_decisions(struct drift_slices *slices, uint64_t counts[DECISION_COUNT]);

/* Sample and counts as bytes, and back; into slices that are new. */
void drift_slices_encode(struct drift_slices *slices, struct buffer *out);
bool drift_slices_decode(struct drift_slices *slices, struct slice *bytes);

#endif
