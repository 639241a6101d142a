/* What the numbered counts of a cell mean: which latencies are edges of the histogram, which
 * columns are watched and where their bins are cut. A configuration that changes them makes a new
 * layout; what was counted under the old one keeps its own. Immutable once made. */
#ifndef BINNACLE_HISTORY_LAYOUT_H
#define BINNACLE_HISTORY_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/observe/bins.h"
#include "engine/observe/histogram.h"
#include "engine/observe/tally.h"

/* After the histogram's own buckets: for each limit what lies in its bucket at or above it. */
#define LATENCY_COUNTS ((size_t)HISTOGRAM_BUCKETS + MAX_LATENCY_LIMITS)

struct layout {
    int id;          /* in the history's list */
    uint64_t digest; /* of all that follows */
    int n_limits;
    int64_t limits_us[MAX_LATENCY_LIMITS]; /* ascending */
    uint64_t judges;                       /* of the expressions of objectives; 0: none */
    int n_columns;                         /* 0: no reference yet, nothing is binned */
    char (*names)[64];                     /* by column, NAME_SIZE */
    struct binning *binnings;
    bool narrow; /* stored before bins outside the reference's range were: NARROW_BINS a column */
};
#define NARROW_BINS 11 /* the last one: missing */

/* `judges` is a digest. `names` and `binnings` are copied; n_columns may be 0. NULL: out of memory.
 */
struct layout *layout_create(const int64_t limits_us[MAX_LATENCY_LIMITS], uint64_t judges,
                             int n_columns, const char *const *names,
                             const struct binning *binnings);
void layout_destroy(struct layout *layout);

void layout_encode(const struct layout *layout, struct buffer *out);
/* NULL: damaged, or out of memory. */
struct layout *layout_decode(struct slice bytes);

/* Where a latency is counted: below LATENCY_COUNTS. */
int layout_latency(const struct layout *layout, int64_t latency_us);
/* Sum of the counts below `limit_us`. False when that is no edge of this layout, but where the
 * counts happen to leave no doubt. */
bool layout_below(const struct layout *layout, const uint64_t counts[LATENCY_COUNTS],
                  int64_t limit_us, uint64_t *below);
int layout_column(const struct layout *layout, const char *name); /* -1: not watched */
/* Whether counts of this column mean the same under both. */
bool layout_same_column(const struct layout *a, int column_a, const struct layout *b, int column_b);

#endif
