/* What alerts are made of, taken from a configuration: for the service that runs them and for
 * `doctor`, which only checks them. */
#ifndef BINNACLE_APP_ALERTING_H
#define BINNACLE_APP_ALERTING_H

#include "alerts/alerts.h"
#include "app/config.h"
#include "engine/feature/vector.h"
#include "engine/monitor/slo.h"

struct alerting {
    struct alerts_options options; /* points into the rest, so that this may not be copied */
    struct alert_objective slos[MAX_SNAPSHOT_SLOS];
    const char *columns[MAX_FEATURES + 1];
};

/* All but `path` and `log` of the options. Borrows from both until alerts were made or checked. */
void alerting_fill(struct alerting *alerting, const struct config *config,
                   const struct slo_set *objectives);

#endif
