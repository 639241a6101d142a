/* What is said of one objective beside its row: the burn of each window against the limit that is
 * read there, and when the budget runs out. Pure functions. */
#include <math.h>
#include <stdio.h>
#include <string.h>

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

bool view_slo_is_short(const struct slo_status *slo, int64_t window_us)
{
    return slo->reach_us > 0 && slo->reach_us < window_us;
}

/* Services of before say neither unit nor limit: theirs are told by their names. Of latencies the
 * history counts those under the lowest limit that there is. */
static struct view_kept kept_of(const struct slo_status *slo, int64_t lowest_limit_us)
{
    static const struct {
        const char *name, *unit;
        struct view_kept kept;
    } kinds[] = {{"latency", "decisions", {"latency_good_ratio", false}},
                 {"availability", "events", {"error_ratio", true}},
                 {"freshness", "minutes", {"fresh_ratio", false}},
                 {"drift", "", {"steady_ratio", false}}};
    bool latency = slo->latency_limit_us > 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        bool named = strcmp(slo->name, kinds[i].name) == 0;
        bool counts = slo->unit[0] && strcmp(slo->unit, kinds[i].unit) == 0;
        if (i == 0 ? latency && slo->latency_limit_us == lowest_limit_us
                   : !latency && (named || counts))
            return kinds[i].kept;
    }
    return (struct view_kept){0};
}

void view_slo_build(const struct slo_status *slo, int64_t lowest_limit_us,
                    struct view_objective *row)
{
    double left_us = view_slo_left_us(slo);
    char reach[WORD_SIZE], whole[WORD_SIZE];
    row->kept = kept_of(slo, lowest_limit_us);
    snprintf(row->sentence, sizeof row->sentence, "%s", slo->sentence);
    words_plain(row->sentence);
    row->attainment = slo->n ? slo->attainment : NAN;
    row->target = slo->target;
    row->total = slo->n;
    row->since_us = slo->since_us;
    words_duration(slo->window_us, row->window);
    if (view_slo_is_short(slo, slo->window_us))
        snprintf(row->window, sizeof row->window, "%.20s of %.20s",
                 words_duration(slo->reach_us, reach), words_duration(slo->window_us, whole));
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
