/* Service level objectives: what share of the service must be good, over how long, and how fast the
 * room for bad ones (the error budget) is being used up.
 *
 * Burn rate, budget and the pairs of windows follow "Alerting on SLOs", The Site Reliability
 * Workbook (Google, O'Reilly 2018), chapter 5, table 5-8: page when 2 % of the budget go in an hour
 * (14.4 over 1 h and 5 min, for 30 days) or 5 % in six hours (6 over 6 h and 30 min), ticket for
 * 10 % in a day (3 over 1 d and 2 h) or in three days (1 over 3 d and 6 h). For other periods the
 * rates scale with the period; where a lax target cannot burn so fast, they are lowered to what can
 * be reached, with a note. */
#ifndef BINNACLE_MONITOR_SLO_H
#define BINNACLE_MONITOR_SLO_H

#include <stdint.h>

#include "engine/base/status.h"
#include "engine/base/yaml.h"
#include "engine/observe/observe.h"
#include "engine/observe/snapshot.h"
#include "engine/observe/tally.h"

enum slo_indicator {
    SLO_LATENCY,      /* decisions not slower than `limit`; in event time nothing is measured */
    SLO_AVAILABILITY, /* callers that got their decision, or were told what is wrong with the event
                       */
    SLO_DRIFT,        /* five-minute slices whose score shows no more than the drift threshold */
    SLO_FRESHNESS,    /* minutes in which the newest event was no older than `limit` */
    SLO_DECISIONS,    /* decisions that the expression `good` is true of, of those `valid` is */
    SLO_SLICES,       /* likewise slices of time */
    SLO_INDICATORS
};

struct slo {
    char name[NAME_SIZE];
    enum slo_indicator indicator;
    double target;            /* 0.95 */
    int64_t window_us;        /* 30 d */
    int64_t limit_us;         /* latency, freshness */
    int64_t min_bad;          /* a window with fewer bad ones than this pages nobody */
    int64_t min_events;       /* nor does one with fewer judged at all */
    int slow;                 /* latency: index into observe_options.latency_limits_us */
    int custom;               /* by expression: its place in the tally */
    int64_t slice_us;         /* SLO_SLICES */
    const char *good, *valid; /* expressions, borrowed from the configuration; NULL: none */
};

struct slo_set {
    struct slo slos[MAX_SNAPSHOT_SLOS];
    int n;
};

/* DESIGN's: latency 95 % under 200 ms, availability 99.5 %, drift 99 % of slices, freshness 99 % of
 * minutes under 2 min; all over 30 d. */
void slo_defaults(struct slo_set *set);
/* The `objectives:` node: a list of {name, indicator, target, window, limit, min_bad}; target in
 * percent. NULL: the defaults. Names are lower-case words that expressions can use. The error says
 * file, line and column. */
MUST_USE enum status slo_read(const struct yaml_node *node, struct slo_set *set,
                              struct error *error);
/* Tells observe which limits to count by. Before observe_create(). STATUS_INVALID: more different
 * latency limits than observe can count by, or two different freshness limits. */
MUST_USE enum status slo_options(struct slo_set *set, struct observe_options *options,
                                 struct error *error);

/* What it counts: "decisions", "events", "slices", "minutes". */
const char *slo_unit(const struct slo *slo);
/* Whether it judges single events rather than minutes or slices of time. */
bool slo_counts_events(const struct slo *slo);
/* Of a span's counts, those that the objective judges and the bad ones among them. */
void slo_count(const struct slo *slo, const struct tally *tally, uint64_t *counted, uint64_t *bad);
/* How many microseconds each burn window spans. */
int64_t burn_window_us(enum burn_window window);

/* The lowest rate that a rule asks of this window, and what burning at it (in the rule's other
 * window, too) leads to; NaN when no rule reads the window. */
double slo_burn_limit(enum burn_window window, enum health *health);

/* The pairs for this target and period. */
void slo_pairs(const struct slo *slo, struct slo_pair pairs[SLO_PAIRS]);
/* Fills everything but since_us, forecast and sentence from the sums of the burn windows and of the
 * objective's own. No data within the last hour is HEALTH_NODATA unless a longer pair of windows
 * says worse. */
void slo_judge(const struct slo *slo, const struct tally burn[BURN_WINDOWS],
               const struct tally *whole, struct slo_status *status);

/* The last n stretches of equal length, oldest first. */
struct slo_past {
    int64_t width_us;
    const struct tally *tallies;
    int n;
};
/* Fills the forecast of a status that was judged: if it goes on as in the past, of which what lies
 * before the first count is left out. `full`: the service is older than the objective's window, so
 * that what is counted anew pushes out what is old. Beyond the window nothing runs out. */
void slo_forecast(const struct slo *slo, const struct slo_past *past, bool full, int64_t now_us,
                  struct slo_status *status);
/* Says in plain words what all the rest of the status means. */
void slo_sentence(const struct slo *slo, int64_t now_us, struct slo_status *status);

#endif
