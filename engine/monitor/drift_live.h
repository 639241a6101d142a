/* What the snapshot says of drift: features and score, of all traffic and of the canary, and what
 * is decided. One thread. */
#ifndef BINNACLE_MONITOR_DRIFT_LIVE_H
#define BINNACLE_MONITOR_DRIFT_LIVE_H

#include "engine/monitor/monitor.h"

struct drift_live;
/* Both are borrowed. NULL: out of memory. */
struct drift_live *drift_live_create(const struct monitor_options *options,
                                     struct observe *observe);
void drift_live_destroy(struct drift_live *live); /* NULL is ignored */

/* Since `start_us` (0: not yet) windows have been filled. */
void drift_live_fill(struct drift_live *live, int64_t now_us, int64_t start_us,
                     struct snapshot *snapshot);

#endif
