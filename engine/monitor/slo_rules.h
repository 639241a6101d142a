/* The objectives as rules for Prometheus, which come to the same from the counters of /metrics. */
#ifndef BINNACLE_MONITOR_SLO_RULES_H
#define BINNACLE_MONITOR_SLO_RULES_H

#include "engine/base/buffer.h"
#include "engine/monitor/slo.h"

/* A file of rules: burn rates and attainment recorded, the pairs of windows as alerts. */
void slo_rules_yaml(const struct slo_set *set, struct buffer *out);

#endif
