/* Counts by time: rings of cells of one second, one minute, five minutes and one hour, each cell
 * the sum of what happened in it. Private to engine/observe: outsiders go through observe.h, which
 * holds the lock. */
#ifndef BINNACLE_OBSERVE_WINDOWS_H
#define BINNACLE_OBSERVE_WINDOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/observe/bins.h"
#include "engine/observe/histogram.h"
#include "engine/observe/observation.h"
#include "engine/observe/observe.h"
#include "engine/observe/tally.h"

struct windows_options {
    int n_columns;
    int64_t latency_limits_us[MAX_LATENCY_LIMITS];
    int64_t freshness_limit_us;
};

struct windows;
struct windows *windows_create(const struct windows_options *options); /* NULL: out of memory */
void windows_destroy(struct windows *windows);

/* Takes over the judge and the sink of other windows. */
void windows_inherit_judge(struct windows *windows, const struct windows *from);
void windows_set_judge(struct windows *windows, slice_judge *judge, void *context);
/* Who is told of verdicts; borrowed, and taken over by windows_inherit_judge(). */
void windows_set_sink(struct windows *windows, const struct observe_sink *sink);
/* The cuts that the codes below follow; NULL: none yet. Borrowed. Forgets all bins. */
void windows_set_binnings(struct windows *windows, const struct binning *binnings);

/* Counts what was judged elsewhere. */
void windows_verdict(struct windows *windows, int64_t time_us, const struct tally *verdict);
void windows_advance(struct windows *windows, int64_t now_us);
/* Gives up what was counted after time_us, so that the present can be seen. */
void windows_rewind(struct windows *windows, int64_t time_us);
/* Counts the observations from the place `first` on that fall into the second of that one; returns
 * the place of the first that does not. */
int windows_put(struct windows *windows, const struct observations *observations, int first);
/* Whether verdicts fall due when the clock comes to time_us. */
bool windows_judges_by(const struct windows *windows, int64_t time_us);
/* Forgets what was counted under one arm, whose place another one takes. */
void windows_clear_arm(struct windows *windows, int arm);

void windows_sum(const struct windows *windows, int64_t window_us, struct tally *sum);
/* Since these windows were made. */
const struct tally *windows_ever(const struct windows *windows);
void windows_past(const struct windows *windows, int64_t width_us, struct tally *sums, int n);
void windows_latency(const struct windows *windows, int64_t window_us, struct histogram *sum);
void windows_arm_latency(const struct windows *windows, int arm, struct histogram *sum);
void windows_bins(const struct windows *windows, int column, int64_t window_us,
                  uint64_t counts[MAX_BINS]);

/* All of it as bytes, and back into fresh windows of the same options. */
void windows_encode(const struct windows *windows, struct buffer *out);
bool windows_decode(struct windows *windows, struct slice *bytes);

#endif
