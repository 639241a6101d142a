/* A year of traffic of a stable distribution, with the rhythm of days and weeks, through counting,
 * objectives, drift and alerts at their default settings. Prints one line of JSON: what woke
 * people, and how often. usage: year_of_traffic [SEED [DAYS [DRIFT_DAY]]]: from DRIFT_DAY on,
 * scores move. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/alerts.h"
#include "engine/base/clock.h"
#include "engine/monitor/monitor.h"
#include "engine/observe/observe.h"

#define T0         (INT64_C(1767225600) * US_PER_S) /* 2026-01-01T00:00:00Z, a Thursday */
#define PER_MINUTE 60.0
#define N_FEATURES 12
#define BATCH      64
#define TICK_MIN   5

static const char *const names[N_FEATURES + 1] = {"score",  "amount", "ratio", "gap",  "night",
                                                  "count1", "count7", "avg1",  "avg7", "risk1",
                                                  "risk7",  "device", "web"};
static const struct feature_schema features = {names + 1, N_FEATURES};
static uint64_t bits;

static double uniform(void)
{
    bits ^= bits << 13;
    bits ^= bits >> 7;
    bits ^= bits << 17;
    return (double)(bits >> 11) / 9007199254740992.0;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform() + 1e-300)) * cos(6.283185307179586 * uniform());
}

/* Events of a minute: twice as many in the evening as at night, fewer at weekends. */
static int events_of(int64_t minute)
{
    double hour = (double)(minute % 1440) / 60;
    int64_t weekday = minute / 1440 % 7;
    double rate = PER_MINUTE * (1 + 0.6 * sin(6.283185307179586 * (hour - 12) / 24));
    if (weekday == 2 || weekday == 3) /* Saturday, Sunday */
        rate *= 0.6;
    double n = rate + sqrt(rate) * normal();
    return n > 0 ? (int)n : 0;
}

struct year {
    struct observe *observe;
    struct monitor *monitor;
    struct alerts *alerts;
    double shift;
    int64_t pages, tickets, drift_pages, slices_drifted;
    struct {
        char name[NAME_SIZE];
        bool fires;
    } seen[MAX_SNAPSHOT_ALERTS];
    int n_seen;
};

static void make_row(float row[N_FEATURES])
{
    for (int i = 0; i < N_FEATURES; i++) {
        double value = i % 4 == 3 ? uniform() < 0.3 : i % 4 == 2 ? exp(normal()) : normal();
        row[i] = uniform() < 0.01 ? NAN : (float)value;
    }
}

static void tell(struct year *year, int64_t minute, int n)
{
    struct outcome outcomes[BATCH];
    const struct outcome *list[BATCH];
    float rows[BATCH][N_FEATURES];
    for (int first = 0; first < n; first += BATCH) {
        int size = n - first < BATCH ? n - first : BATCH;
        for (int i = 0; i < size; i++) {
            make_row(rows[i]);
            double score = 1 / (1 + exp(3 - 1.2 * normal() - year->shift));
            outcomes[i] = (struct outcome){
                .features = {&features, rows[i]},
                .score = (float)score,
                .decision = score > 0.7 ? DECISION_DECLINE : DECISION_APPROVE,
                .rule = "default",
                .model = "fraud",
                .model_version = "1",
                .variant = VARIANT_CHAMPION,
                .decided_at_us =
                    T0 + minute * US_PER_MIN + (first + i) * US_PER_MIN / (n > 0 ? n : 1),
                .latency_us = (int64_t)(80 * exp(0.5 * normal())),
            };
            list[i] = &outcomes[i];
        }
        observe_outcomes(year->observe, 0, list, (size_t)size);
    }
}

/* Counts an alert each time it begins to fire. */
static void note(struct year *year, const struct alert_status *alert)
{
    int i = 0;
    while (i < year->n_seen && strcmp(year->seen[i].name, alert->name) != 0)
        i++;
    if (i == year->n_seen && i < MAX_SNAPSHOT_ALERTS)
        memcpy(year->seen[year->n_seen++].name, alert->name, NAME_SIZE);
    bool fires = strcmp(alert->state, "firing") == 0;
    if (fires && !year->seen[i].fires) {
        bool page = strcmp(alert->severity, "page") == 0;
        year->pages += page;
        year->tickets += !page;
        year->drift_pages += page && strncmp(alert->name, "drift", 5) == 0;
        fprintf(stderr, "%s %s: %s\n", alert->severity, alert->name, alert->summary);
    }
    year->seen[i].fires = fires;
}

static void tick(struct year *year, int64_t now_us)
{
    struct snapshot *snapshot = snapshot_create();
    if (!snapshot)
        exit(2);
    snapshot->time_us = now_us;
    snapshot->ready = true;
    observe_fill(year->observe, now_us, now_us * 1000, snapshot);
    monitor_fill(year->monitor, year->observe, now_us, T0, snapshot);
    alerts_evaluate(year->alerts, snapshot);
    alerts_fill(year->alerts, snapshot);
    for (int i = 0; i < snapshot->n_alerts; i++)
        note(year, &snapshot->alerts[i]);
    snapshot_release(snapshot);
}

static enum status start(struct year *year, struct error *error)
{
    struct monitor_options monitor;
    struct observe_options observe;
    struct alert_objective slos[MAX_SNAPSHOT_SLOS];
    monitor_options_init(&monitor);
    observe_options_init(&observe);
    observe.features = &features;
    enum status status = monitor_read(NULL, NULL, &monitor, &observe, error);
    if (status == STATUS_OK)
        status = observe_create(&observe, &year->observe, error);
    if (status != STATUS_OK)
        return status;
    year->monitor = monitor_create(&monitor, year->observe);
    for (int i = 0; i < monitor.objectives.n; i++)
        slos[i] = (struct alert_objective){monitor.objectives.slos[i].name, true};
    struct alerts_options alerts = {.service = "year",
                                    .slos = slos,
                                    .n_slos = monitor.objectives.n,
                                    .columns = names,
                                    .n_columns = N_FEATURES + 1};
    return alerts_create(&alerts, &year->alerts, error);
}

int main(int argc, char **argv)
{
    static struct year year;
    struct error error;
    bits = 88172645463325252u + (argc > 1 ? strtoull(argv[1], NULL, 10) * 7919 : 0);
    int64_t days = argc > 2 ? strtoll(argv[2], NULL, 10) : 365;
    int64_t drift_day = argc > 3 ? strtoll(argv[3], NULL, 10) : INT64_MAX;
    if (start(&year, &error) != STATUS_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 2;
    }
    int64_t n = 0;
    for (int64_t minute = 0; minute < days * 1440; minute++) {
        int events = events_of(minute);
        year.shift = minute >= drift_day * 1440 && drift_day < days ? 1.5 : 0;
        tell(&year, minute, events);
        n += events;
        if (minute % TICK_MIN == 0)
            tick(&year, T0 + (minute + 1) * US_PER_MIN);
    }
    struct tally month;
    observe_sum(year.observe, OBSERVE_MAX_WINDOW_US, &month);
    printf("{\"events\":%lld,\"days\":%lld,\"pages\":%lld,\"drift_pages\":%lld,\"tickets\":%lld,"
           "\"slices_last_month\":%llu,\"drifted_last_month\":%llu}\n",
           (long long)n, (long long)days, (long long)year.pages, (long long)year.drift_pages,
           (long long)year.tickets,
           (unsigned long long)(month.steady_slices + month.drifted_slices),
           (unsigned long long)month.drifted_slices);
    alerts_destroy(year.alerts);
    monitor_destroy(year.monitor);
    observe_destroy(year.observe);
    return 0;
}
