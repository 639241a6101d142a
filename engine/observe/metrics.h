/* Everything that /metrics says, from one table: name, type, help, labels, and where the number
 * comes from in the snapshot. */
#ifndef BINNACLE_OBSERVE_METRICS_H
#define BINNACLE_OBSERVE_METRICS_H

#include "engine/base/buffer.h"
#include "engine/observe/snapshot.h"

/* Content-Type of metrics_text(). */
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };
/* "counter", "gauge", "histogram". */
const char *metric_type_name(enum metric_type type);

struct metric {
    const char *name; /* NULL ends the table */
    enum metric_type type;
    const char *unit;   /* base unit: "seconds", "bytes", "ratio", or "" */
    const char *labels; /* "slo,window", or "" */
    const char *help;
    /* Writes the samples of one metric. */
    void (*write)(const struct metric *metric, const struct snapshot *snapshot, struct buffer *out);
};

/* For documentation generated from the same rows. */
const struct metric *metrics_table(void);

/* The Prometheus text exposition (format 0.0.4): HELP and TYPE before the samples of each metric.
 * What has no data has no sample. Check out->overflow. Any thread. */
void metrics_text(const struct snapshot *snapshot, struct buffer *out);

#endif
