/* Judges what observe counted: objectives and drift, once a tick, into the snapshot. */
#ifndef BINNACLE_MONITOR_MONITOR_H
#define BINNACLE_MONITOR_MONITOR_H

#include "engine/monitor/drift.h"
#include "engine/monitor/slo.h"
#include "engine/observe/observe.h"
#include "engine/observe/snapshot.h"

#define MONITOR_UNWATCHED (-1)

struct monitor_options {
    struct slo_set objectives;
    struct drift_options drift;
    /* By column of observe, the score first: how far back events matter to it. Until the service
     * has seen so much, its windows are not those of the reference: no data. MONITOR_UNWATCHED: it
     * is different all day long, and not drift. */
    int64_t reach_us[MAX_FEATURES + 1];
};

/* The defaults of both. */
void monitor_options_init(struct monitor_options *options);
/* Reads `objectives:` and `drift:` (either may be NULL: defaults) and sets in *observe what the
 * windows must count for them. */
MUST_USE enum status monitor_read(const struct yaml_node *objectives, const struct yaml_node *drift,
                                  struct monitor_options *options, struct observe_options *observe,
                                  struct error *error);

struct monitor;
/* Becomes the judge of observe's slices; observe must outlive it. NULL when out of memory. */
struct monitor *monitor_create(const struct monitor_options *options, struct observe *observe);
void monitor_destroy(struct monitor *monitor); /* NULL is ignored */

/* Fills slos and drift. Call after observe_fill() with the same time; one thread. `start_us`: since
 * when windows have been filled; 0: not yet. */
void monitor_fill(struct monitor *monitor, struct observe *observe, int64_t now_us,
                  int64_t start_us, struct snapshot *snapshot);

#endif
