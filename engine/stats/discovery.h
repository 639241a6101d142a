/* Many tests at once: which of their findings are to be believed. */
#ifndef BINNACLE_STATS_DISCOVERY_H
#define BINNACLE_STATS_DISCOVERY_H

#include <stddef.h>

#include "engine/base/status.h"

/* p-values adjusted so that among those at or below q at most the share q is expected to be false
 * (Y. Benjamini and Y. Hochberg, "Controlling the False Discovery Rate", 1995). NaN is no test: it
 * stays NaN and is not counted. `adjusted` may be p_values itself. STATUS_MEMORY. */
MUST_USE enum status discovery_adjust(const double *p_values, size_t n, double *adjusted);

#endif
