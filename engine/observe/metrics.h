/* Everything that /metrics says, from one table: name, type, help, and where the number
 * comes from in the snapshot. */
#ifndef BINNACLE_OBSERVE_METRICS_H
#define BINNACLE_OBSERVE_METRICS_H

#include "engine/base/buffer.h"
#include "engine/observe/snapshot.h"

/* Content-Type of metrics_text(). */
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The Prometheus text exposition (format 0.0.4): HELP and TYPE before the samples of each metric.
 * What has no data has no sample. Check out->overflow. Any thread. */
void metrics_text(const struct snapshot *snapshot, struct buffer *out);

#endif
