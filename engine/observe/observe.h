/* What happens, counted: the pipeline tells it every outcome, the tick reads it once a second.
 *
 * Each worker writes into a shard of its own (a lock that only the tick ever contends for); full
 * shards are poured into one set of windows: seconds, minutes, slices of five minutes, hours. All
 * windows are keyed by the engine's clock, so a replay of half a year fills them as the half year
 * would have. Memory is bounded and does not depend on the traffic. */
#ifndef BINNACLE_OBSERVE_OBSERVE_H
#define BINNACLE_OBSERVE_OBSERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/decide/outcome.h"
#include "engine/observe/bins.h"
#include "engine/observe/histogram.h"
#include "engine/observe/observation.h"
#include "engine/observe/slices.h"
#include "engine/observe/snapshot.h"
#include "engine/observe/tally.h"
#include "engine/observe/value_points.h"

struct observe;

#define SLICE_US              (INT64_C(300) * 1000000) /* a slice: five minutes */
#define OBSERVE_MAX_WINDOW_US (INT64_C(31) * 86400 * 1000000)

struct observe_options {
    const struct feature_schema *features;         /* NULL: only the score is watched for drift */
    int64_t latency_limits_us[MAX_LATENCY_LIMITS]; /* for tally.slow; 0: not used */
    int64_t freshness_limit_us;   /* a minute is stale when every event in it was older than this */
    int n_bins;                   /* per column for drift, 2 to MAX_VALUE_BINS */
    int64_t sample_window_us;     /* how far back the sample of rows and the canary's bins reach */
    struct slices_options slices; /* what recent minutes are told apart by */
    int64_t reference_events;     /* the first so many outcomes become the drift reference; 0: only
                                     observe_set_reference() gives one */
};

/* 200 ms, 2 min, 10 bins, the first 2000 outcomes, 1 h. */
void observe_options_init(struct observe_options *options);
MUST_USE enum status observe_create(const struct observe_options *options, struct observe **observe,
                                    struct error *error);
void observe_destroy(struct observe *observe); /* NULL is ignored */

/* --- Written by the pipeline. `worker` is any number from 0; workers with numbers of their own do
 * not wait for each other. Times are the engine's clock and may lie in the past (a ledger read
 * again at start): what is older than a window's memory does not enter that window. --- */

/* decided_at_us is the time. latency_us < 0: not measured. `event` may be NULL (read back from the
 * ledger): it is then neither shown among the newest decisions nor judged for freshness. */
void observe_outcomes(struct observe *observe, int worker, const struct outcome *const *outcomes,
                      size_t n);
/* A shadow scored an event after its outcome was observed without it. event_us: of the event. */
struct observed_shadow {
    int64_t at_us, event_us;
    float decided_score;   /* of the model that decided */
    const float *features; /* as served; NULL: not known */
};
void observe_shadow(struct observe *observe, int worker, const struct observed_shadow *seen,
                    const struct shadow_score *shadow);
/* A row read back at start: counted in the windows, but not in the totals since start. `event` is
 * told to the sink only, and may be NULL. `places`: for whom it is counted. */
enum { OBSERVE_WINDOWS = 1, OBSERVE_SINK = 2 };
void observe_recorded(struct observe *observe, const struct outcome *outcome,
                      const struct event *event, unsigned places);
void observe_quarantine(struct observe *observe, int worker, const struct event *event,
                        int64_t now_us);
void observe_duplicate(struct observe *observe, int worker, int64_t now_us);
/* A caller that should have got a decision did not get one. */
void observe_error(struct observe *observe, int worker, int64_t now_us);
/* From request read to answer ready to send, commit included. Any thread. */
void observe_answer_latency(struct observe *observe, int64_t latency_us);

/* A truth came, so long after its decision. Any thread. */
void observe_label(struct observe *observe, int64_t now_us, int label, int64_t delay_us);

/* Which arms there are and what share of the traffic each should see (0 to 1). Any thread. */
struct observe_arm {
    enum variant variant;
    const char *model, *version; /* copied */
    double share_wanted;
};
void observe_set_arms(struct observe *observe, const struct observe_arm *arms, int n_arms);

/* ---- the drift reference ---- */

/* Replaces it by `n` rows of features (row-major, features->n_features floats each; NULL: none) and
 * as many scores. Everything binned so far is forgotten. STATUS_INVALID for n == 0. Any thread. */
MUST_USE enum status observe_set_reference(struct observe *observe, const float *features,
                                           const float *scores, size_t n, struct error *error);
/* Replaces it by cuts, counts and values found elsewhere, one of each column, copied.
 * STATUS_MEMORY.
 */
MUST_USE enum status observe_set_binnings(struct observe *observe, const struct binning *binnings,
                                          const struct value_points *points, struct error *error);
/* The next reference_events outcomes become the reference, as after another model took over. */
void observe_renew_reference(struct observe *observe);

/* ---- read by the tick and the monitor ---- */

/* Moves the windows to `now_us` and fills what observe knows: totals, rates, latencies, decisions,
 * scores, quarantine, arms, newest decisions, histories. Rates are per second of `monotonic_ns`
 * (so a replay shows its own speed). To be called by one thread, about once a second. */
void observe_fill(struct observe *observe, int64_t now_us, int64_t monotonic_ns,
                  struct snapshot *snapshot);

/* A service starts with a clock behind what was counted before: its screens would show nothing
 * until that time comes round again. What was counted after now_us is given up; the ledger has it.
 */
void observe_rewind(struct observe *observe, int64_t now_us);

/* The counts of (now - window_us, now], now being where observe_fill or the newest outcome left
 * the clock. To the second up to 5 min, to the minute up to 6 h, to the slice up to 3 d, else to
 * the hour: the span is rounded up to whole cells. */
void observe_sum(struct observe *observe, int64_t window_us, struct tally *sum);
/* Once a tick, when the snapshot is filled but for what is concluded from recent minutes. */
void observe_ticked(struct observe *observe, const struct snapshot *snapshot);
/* Recent minutes by slice; lives as long as observe. */
struct slices *observe_slices(struct observe *observe);

/* All counts since start, with what was read back then: they only grow while the service runs. */
void observe_ever(struct observe *observe, struct tally *sum);
/* The counts of the last n whole slices or hours, oldest first: width_us is SLICE_US or an hour. */
void observe_past(struct observe *observe, int64_t width_us, struct tally *sums, int n);
/* Latencies of the last minute, or of whole hours up to 31 days. */
void observe_latency(struct observe *observe, int64_t window_us, struct histogram *sum);

/* The columns watched for drift: 0 is "score", then the features in order. */
int observe_columns(const struct observe *observe);
/* n_bins of the options. */
int observe_value_bins(const struct observe *observe);
const char *observe_column_name(const struct observe *observe, int column);
/* Copies a column's cuts and reference; false while there is no reference yet. */
bool observe_binning(struct observe *observe, int column, struct binning *binning);
/* Counts per bin over the last window_us (to the slice, at most 1 d). */
void observe_bins(struct observe *observe, int column, int64_t window_us,
                  uint64_t counts[MAX_BINS]);

/* The same of what the canary decided on, or of what the first shadow of the split has scored, over
 * sample_window_us; and how the canary decided. */
void observe_variant_bins(struct observe *observe, enum variant variant, int column,
                          uint64_t counts[MAX_BINS]);
void observe_canary_decisions(struct observe *observe, uint64_t counts[DECISION_COUNT]);

/* A sample of what was decided on in the last sample_window_us: of every slice of five minutes all
 * decisions had the same chance to be in it. */
#define OBSERVE_SAMPLE 4096
struct observed_value {
    double value;
    double weight; /* decisions that it stands for */
};
/* A column's values in no order, missing ones left out; VARIANT_COUNT: of all that decide. Returns
 * how many. Any thread. */
size_t observe_values(struct observe *observe, int column, enum variant variant,
                      struct observed_value values[OBSERVE_SAMPLE]);
/* Copies what is known of a column's values in the reference; false: nothing. */
bool observe_points(struct observe *observe, int column, struct value_points *points);

/* Judges a slice of five minutes when it is over: the counts of all columns, one after another.
 * Called with the windows locked: it must not call observe. */
enum slice_verdict { SLICE_TOO_FEW, SLICE_STEADY, SLICE_DRIFTED };
typedef enum slice_verdict slice_judge(void *context, const struct binning *binnings,
                                       const uint32_t (*counts)[MAX_BINS], int n_columns);
/* Set before the first outcome. */
void observe_set_judge(struct observe *observe, slice_judge *judge, void *context);

/* Judges single decisions for objectives by expression, on the thread that brings them. Set before
 * the first outcome. `digest` says what it judges by: counts of another one are not taken up. */
void observe_set_outcome_judge(struct observe *observe, outcome_judge *judge, void *context,
                               uint64_t digest);
/* Counts what was judged elsewhere at this time. Any thread. */
void observe_verdict(struct observe *observe, int64_t time_us, const struct tally *verdict);
/* Who is told of everything besides. Set before the first outcome; copied. */
void observe_set_sink(struct observe *observe, const struct observe_sink *sink);

/* ---- across restarts ---- */

/* The windows, the reference and the histories as they are at this moment, to be freed in any case.
 * `mark` is the caller's: the first ledger row not contained. */
void observe_encode(struct observe *observe, uint64_t mark, struct buffer *encoded);
/* Their file, written aside, then renamed, so a crash leaves the old one. Any thread. */
MUST_USE enum status observe_write(const struct buffer *encoded, const char *path,
                                   struct error *error);
/* Reads it back into a fresh observe; under another reference than was set, bins start afresh.
 * STATUS_NOT_FOUND: no file; STATUS_CONFLICT: written under
 * other features or bins, and nothing is taken over; STATUS_CORRUPT. Rows from *mark on are then
 * given to observe_recorded(). */
MUST_USE enum status observe_load(struct observe *observe, const char *path, uint64_t *mark,
                                  struct error *error);

#endif
