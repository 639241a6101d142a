/* What is said of one objective beside its row: the burn of each window against the limit that is
 * read there, and when the budget runs out. Pure functions. */
#include <math.h>
#include <stdio.h>

#include "engine/base/clock.h"
#include "engine/monitor/slo.h"
#include "ui/view/view_priv.h"

double view_slo_left_us(const struct slo_status *slo)
{
    double burn = slo->burn[BURN_1H];
    if (slo->n == 0 || !(slo->budget_left > 0) || !(burn > 0) || !isfinite(burn))
        return NAN;
    double window_us = slo->window_us > 0 ? (double)slo->window_us : 30 * (double)US_PER_DAY;
    return fmin(slo->budget_left / burn * window_us, 1e17);
}

void view_slo_build(const struct slo_status *slo, struct view_objective *row)
{
    double left_us = view_slo_left_us(slo);
    row->attainment = slo->n ? slo->attainment : NAN;
    row->target = slo->target;
    row->since_us = slo->since_us;
    words_duration(slo->window_us, row->window);
    if (isfinite(left_us) && slo->burn[BURN_1H] > 1)
        words_duration((int64_t)left_us, row->gone);
    for (int i = 0; i < BURN_WINDOWS; i++) {
        struct view_burn *burn = &row->burns[i];
        burn->window = burn_window_name((enum burn_window)i);
        burn->burn_rate = slo->burn[i];
        burn->limit = slo_burn_limit((enum burn_window)i, &burn->health);
        burn->beyond = burn->burn_rate > burn->limit;
        words_burn(burn->burn_rate, burn->burn);
        words_count(slo->bad[i], burn->bad);
        words_count(slo->counted[i], burn->counted);
    }
}
