/* Objectives judged by burn rates, and what becomes of their budgets. Burn rate b means: at this
 * rate the budget of the objective's window lasts window / b. Nothing here keeps state. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/monitor/slo.h"
#include "engine/stats/exhaustion.h"

#define MAX_PAST  48
#define REACHABLE 0.9 /* of the fastest burn there can be: nine of ten are bad */

/* What share of the budget goes in the wide window when it burns at the rate. */
static const struct {
    double share;
    enum burn_window wide, narrow;
    enum health severity;
} pair_rules[SLO_PAIRS] = {
    {0.02, BURN_1H, BURN_5M, HEALTH_PAGE},
    {0.05, BURN_6H, BURN_30M, HEALTH_PAGE},
    {0.10, BURN_1D, BURN_2H, HEALTH_TICKET},
    {0.10, BURN_3D, BURN_6H, HEALTH_TICKET},
};

static const int64_t burn_windows_us[BURN_WINDOWS] = {
    5 * US_PER_MIN,  30 * US_PER_MIN, US_PER_HOUR,    2 * US_PER_HOUR,
    6 * US_PER_HOUR, US_PER_DAY,      3 * US_PER_DAY,
};

int64_t burn_window_us(enum burn_window window)
{
    return burn_windows_us[window];
}

/* bad / counted over what the target allows; NaN when nothing was counted. */
static double burn_rate(double target, uint64_t counted, uint64_t bad)
{
    return counted ? (double)bad / (double)counted / (1 - target) : (double)NAN;
}

double slo_burn_limit(enum burn_window window, enum health *health)
{
    double limit = (double)NAN;
    *health = HEALTH_NODATA;
    for (int i = 0; i < SLO_PAIRS; i++) {
        double rate = pair_rules[i].share * (double)(30 * US_PER_DAY) /
                      (double)burn_windows_us[pair_rules[i].wide];
        if ((pair_rules[i].wide != window && pair_rules[i].narrow != window) || rate >= limit)
            continue;
        limit = rate;
        *health = pair_rules[i].severity;
    }
    return limit;
}

/* ---- pairs ---- */

static void cap(const struct slo *slo, struct slo_pair *pair)
{
    double fastest = 1 / (1 - slo->target);
    double usual = pair->rate;
    if (usual <= REACHABLE * fastest)
        return;
    pair->rate = REACHABLE * fastest;
    snprintf(pair->note, sizeof pair->note,
             "with a target of %.4g %% burn cannot exceed %.3g: it fires at %.3g instead of %.3g",
             100 * slo->target, fastest, pair->rate, usual);
}

void slo_pairs(const struct slo *slo, struct slo_pair pairs[SLO_PAIRS])
{
    memset(pairs, 0, SLO_PAIRS * sizeof *pairs);
    for (int i = 0; i < SLO_PAIRS; i++) {
        struct slo_pair *pair = &pairs[i];
        pair->wide = pair_rules[i].wide;
        pair->narrow = pair_rules[i].narrow;
        pair->severity = pair_rules[i].severity;
        int64_t wide_us = burn_windows_us[pair->wide];
        pair->rate = pair_rules[i].share * (double)slo->window_us / (double)wide_us;
        if (wide_us > slo->window_us) {
            pair->rate = (double)NAN;
            snprintf(pair->note, sizeof pair->note,
                     "not used: %s is longer than the objective's own window",
                     burn_window_name(pair->wide));
            continue;
        }
        cap(slo, pair);
    }
}

/* Enough over the wide window, and both burning at the rate. The narrow window decides when to
 * stop, so only the wide one needs evidence. */
static bool fires(const struct slo_status *status, const struct slo_pair *pair)
{
    return status->burn[pair->wide] > pair->rate && status->burn[pair->narrow] > pair->rate &&
           status->bad[pair->wide] >= status->min_bad &&
           status->counted[pair->wide] >= status->min_counted;
}

static enum health judge_pairs(struct slo_status *status)
{
    enum health worst = status->counted[BURN_1H] > 0 ? HEALTH_OK : HEALTH_NODATA;
    for (int i = 0; i < SLO_PAIRS; i++) {
        struct slo_pair *pair = &status->pairs[i];
        pair->fires = fires(status, pair);
        if (pair->fires && pair->severity > worst)
            worst = pair->severity;
    }
    return worst;
}

void slo_judge(const struct slo *slo, const struct tally burn[BURN_WINDOWS],
               const struct tally *whole, struct slo_status *status)
{
    memcpy(status->name, slo->name, sizeof status->name);
    snprintf(status->unit, sizeof status->unit, "%s", slo_unit(slo));
    status->target = slo->target;
    status->window_us = slo->window_us;
    status->latency_limit_us = slo->indicator == SLO_LATENCY ? slo->limit_us : 0;
    status->min_bad = (uint64_t)slo->min_bad;
    status->min_counted = (uint64_t)slo->min_events;
    for (int i = 0; i < BURN_WINDOWS; i++) {
        slo_count(slo, &burn[i], &status->counted[i], &status->bad[i]);
        status->burn[i] = burn_rate(slo->target, status->counted[i], status->bad[i]);
    }
    uint64_t bad;
    slo_count(slo, whole, &status->n, &bad);
    status->attainment = status->n ? 1 - (double)bad / (double)status->n : (double)NAN;
    status->budget_left = 1 - burn_rate(slo->target, status->n, bad);
    slo_pairs(slo, status->pairs);
    status->state = judge_pairs(status);
}

/* ---- the future ---- */

/* Of a budget counted in events: what is left of it, and what each stretch took more than came in
 * or fell out of the window at the same time. */
static size_t taken(const struct slo *slo, const struct slo_past *past, double allowed_ratio,
                    double out[MAX_PAST])
{
    size_t n = 0;
    for (int i = 0; i < past->n && n < MAX_PAST; i++) {
        uint64_t counted, bad;
        slo_count(slo, &past->tallies[i], &counted, &bad);
        if (n > 0 || counted > 0)
            out[n++] = (double)bad - allowed_ratio * (double)counted;
    }
    return n;
}

static int64_t moment(int64_t now_us, double steps, int64_t width_us, int64_t window_us)
{
    double after_us = steps * (double)width_us;
    return after_us < (double)window_us ? now_us + (int64_t)after_us : 0; /* NaN: 0 */
}

void slo_forecast(const struct slo *slo, const struct slo_past *past, bool full, int64_t now_us,
                  struct slo_status *status)
{
    double taken_by[MAX_PAST];
    status->forecast = (struct slo_forecast){0};
    if (status->n == 0)
        return;
    double bad = (1 - status->attainment) * (double)status->n;
    double allowed = (1 - slo->target) * (double)status->n;
    size_t n = taken(slo, past, full ? bad / (double)status->n : 1 - slo->target, taken_by);
    struct exhaustion gone = exhaustion_of(allowed - bad, taken_by, n);
    if (isnan(gone.expected))
        return;
    status->forecast = (struct slo_forecast){
        .basis_us = (int64_t)n * past->width_us,
        .runs_out_us = moment(now_us, gone.expected, past->width_us, slo->window_us),
        .earliest_us = moment(now_us, gone.earliest, past->width_us, slo->window_us),
        .latest_us = moment(now_us, gone.latest, past->width_us, slo->window_us),
    };
}
