/* Some days of traffic whose latencies and errors come and go, through counting, objectives and
 * history.db in the folder that is named. Prints what the service says at their end, one objective
 * a line as JSON, and writes what the history says of every minute as OpenMetrics into
 * FOLDER/slo.om. usage: burn_history FOLDER [DAYS] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/history/history.h"
#include "engine/history/range.h"
#include "engine/monitor/monitor.h"

#define T0          (INT64_C(1767225600) * US_PER_S) /* 2026-01-01T00:00:00Z */
#define PER_MINUTE  30
#define MAX_MINUTES (40 * 1440)

static uint64_t bits = 88172645463325252u;
static const struct feature_schema features = {NULL, 0};

static double uniform(void)
{
    bits ^= bits << 13;
    bits ^= bits >> 7;
    bits ^= bits << 17;
    return (double)(bits >> 11) / 9007199254740992.0;
}

struct run {
    struct observe *observe;
    struct monitor *monitor;
    struct history_store *history;
    struct monitor_options options;
    FILE *metrics;
    uint64_t counted[2][MAX_MINUTES], bad[2][MAX_MINUTES]; /* by minute: latency, availability */
    int64_t minute;
};

static void die(const struct error *error)
{
    fprintf(stderr, "%s\n", error->message);
    exit(2);
}

static void start(struct run *run, const char *folder)
{
    struct observe_options observe;
    struct history_options history;
    struct error error;
    char path[1000];
    snprintf(path, sizeof path, "%s/history.db", folder);
    monitor_options_init(&run->options);
    observe_options_init(&observe);
    observe.features = &features;
    history_options_init(&history);
    history.path = path;
    history.event_time = true;
    if (monitor_read(NULL, NULL, &run->options, &observe, &error) != STATUS_OK ||
        observe_create(&observe, &run->observe, &error) != STATUS_OK)
        die(&error);
    memcpy(history.latency_limits_us, observe.latency_limits_us, sizeof observe.latency_limits_us);
    if (history_create(&history, &run->history, &error) != STATUS_OK)
        die(&error);
    run->monitor = monitor_create(&run->options, run->observe);
    struct observe_sink sink = history_sink(run->history);
    observe_set_sink(run->observe, &sink);
    history_begin(run->history, T0);
}

/* A minute: how much goes wrong wanders up and down, and is more at times. */
static void minute(struct run *run, int64_t at_us, double slow, double failed)
{
    for (int i = 0; i < PER_MINUTE; i++) {
        int64_t event_us = at_us + i * US_PER_MIN / PER_MINUTE;
        if (uniform() < failed) {
            observe_error(run->observe, 0, event_us);
            continue;
        }
        struct event event = {.time_us = event_us};
        struct outcome outcome = {.event = &event,
                                  .rule = "default",
                                  .model = "m",
                                  .decided_at_us = event_us,
                                  .latency_us = uniform() < slow ? 300000 : 1000};
        const struct outcome *list[] = {&outcome};
        observe_outcomes(run->observe, 0, list, 1);
    }
}

static void take_minute(void *context, const struct point *point)
{
    struct run *run = context;
    int64_t i = run->minute++;
    if (point->n_groups == 0)
        return;
    const struct sums *sums = point->groups[0];
    const uint64_t *scalars = sums->cell.scalars;
    uint64_t measured = sums_measured(sums);
    double below = sums_below(sums, 200000);
    run->counted[0][i] = measured;
    run->bad[0][i] = measured ? measured - (uint64_t)llrint(below * (double)measured) : 0;
    run->counted[1][i] = scalars[SCALAR_ACCEPTED] + scalars[SCALAR_QUARANTINED] +
                         scalars[SCALAR_DUPLICATES] + scalars[SCALAR_ERRORS];
    run->bad[1][i] = scalars[SCALAR_ERRORS];
}

static void write_family(struct run *run, const char *name, uint64_t counts[2][MAX_MINUTES],
                         int64_t minutes)
{
    static const char *const slos[] = {"latency", "availability"};
    fprintf(run->metrics, "# TYPE %s counter\n", name);
    for (int s = 0; s < 2; s++) {
        uint64_t sum = 0;
        for (int64_t i = 0; i < minutes; i++) {
            sum += counts[s][i];
            fprintf(run->metrics, "%s_total{slo=\"%s\"} %llu %lld\n", name, slos[s],
                    (unsigned long long)sum, (long long)(T0 / US_PER_S + (i + 1) * 60));
        }
    }
}

static void write_metrics(struct run *run, const char *folder, int64_t minutes)
{
    char path[1000];
    struct error error;
    struct range range = {.from_s = T0 / US_PER_S,
                          .to_s = T0 / US_PER_S + minutes * 60,
                          .step_s = 60,
                          .sections = SECTION_SCALARS | SECTION_LATENCY};
    if (range_read(run->history, &range, take_minute, run, &error) != STATUS_OK)
        die(&error);
    snprintf(path, sizeof path, "%s/slo.om", folder);
    run->metrics = fopen(path, "w");
    if (!run->metrics)
        exit(2);
    write_family(run, "binnacle_slo_events", run->counted, minutes);
    write_family(run, "binnacle_slo_bad", run->bad, minutes);
    fprintf(run->metrics, "# EOF\n");
    fclose(run->metrics);
}

static void print_slos(struct run *run, int64_t now_us)
{
    struct snapshot *snapshot = snapshot_create();
    observe_fill(run->observe, now_us, now_us * 1000, snapshot);
    monitor_fill(run->monitor, run->observe, now_us, T0, snapshot);
    for (int i = 0; i < 2; i++) {
        const struct slo_status *slo = &snapshot->slos[i];
        printf("{\"name\":\"%s\",\"time\":%lld,\"attainment\":%.9g", slo->name,
               (long long)(now_us / US_PER_S), slo->attainment);
        for (int w = 0; w < BURN_WINDOWS; w++)
            printf(",\"%s\":%.9g", burn_window_name((enum burn_window)w), slo->burn[w]);
        printf("}\n");
    }
    snapshot_release(snapshot);
}

int main(int argc, char **argv)
{
    static struct run run;
    if (argc < 2)
        return 2;
    int64_t days = argc > 2 ? strtoll(argv[2], NULL, 10) : 4, minutes = days * 1440;
    start(&run, argv[1]);
    for (int64_t i = 0; i < minutes && i < MAX_MINUTES; i++) {
        double slow = 0.08 * exp(1.5 * sin((double)i / 190));
        double failed = 0.02 * exp(1.2 * sin((double)i / 330 + 1));
        minute(&run, T0 + i * US_PER_MIN, slow, failed);
    }
    print_slos(&run, T0 + minutes * US_PER_MIN);
    if (!history_flush(run.history, 60000))
        return 2;
    write_metrics(&run, argv[1], minutes);
    monitor_destroy(run.monitor);
    struct observe_sink none = {.context = NULL};
    observe_set_sink(run.observe, &none);
    history_destroy(run.history);
    observe_destroy(run.observe);
    return 0;
}
