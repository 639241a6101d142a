/* Prometheus' text exposition, format 0.0.4: HELP and TYPE of a metric, then its samples.
 * Everything is appended to `out`, whose overflow the caller checks. Any thread. */
#ifndef BINNACLE_OBSERVE_EXPOSITION_H
#define BINNACLE_OBSERVE_EXPOSITION_H

#include "engine/base/buffer.h"
#include "engine/observe/snapshot.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* The two lines before the samples; `help` is one line without backslashes. */
void exposition_head(struct buffer *out, const char *name, enum metric_type type, const char *help);
/* One sample of name + suffix. `labels` alternates names and values and ends in NULL (NULL: none);
 * values are escaped. A value that is not finite is no data: no sample. */
void exposition_sample(struct buffer *out, const char *name, const char *suffix,
                       const char *const *labels, double value);
/* A histogram in seconds: its buckets, their sum and count. */
void exposition_latency(struct buffer *out, const char *name, const struct latency_counts *counts);

#endif
