/* How large a year of history becomes, and how long a panel over all of it takes. Feeds made-up
 * events of 7 countries, 3 devices, 2 variants, 3 decisions and 16 columns to the history by an
 * event clock. Prints one line of JSON. usage: history_bench FOLDER [DAYS [EVENTS_PER_S]] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/clock.h"
#include "engine/history/answer.h"
#include "engine/observe/bin_stage.h"

#define T0        (INT64_C(1767225600) * US_PER_S)
#define N_COLUMNS 16

static const struct field fields[] = {{"event_id", FIELD_STRING, true, false, false},
                                      {"event_ts", FIELD_TIMESTAMP, true, false, false},
                                      {"country", FIELD_STRING, true, false, false},
                                      {"device", FIELD_STRING, true, false, false}};
static const struct schema schema = {"t", "1", fields, 4, 0, 1, -1, -1};
static const char *const countries[] = {"US", "US", "US", "CA", "GB", "DE", "FR", "IN", "BR"};
static const char *const devices[] = {"ios", "android", "web"};
static const char *const rules[] = {"default", "high-score", "very-high-score"};
static const char *const names[N_COLUMNS] = {"score", "a", "b", "c", "d", "e", "f", "g",
                                             "h",     "i", "j", "k", "l", "m", "n", "o"};
static uint64_t bits = 88172645463325252u;

static uint64_t random_below(uint64_t n)
{
    bits ^= bits << 13;
    bits ^= bits >> 7;
    bits ^= bits << 17;
    return (bits >> 20) % n;
}

static void tell(struct observe_sink *sink, int64_t at_us)
{
    uint8_t codes[BIN_STAGE_STEP];
    uint64_t chance = random_below(1000);
    int decision = chance < 960 ? 0 : chance < 985 ? 1 : 2;
    struct value values[4] = {[2] = value_string(slice_of(countries[random_below(9)])),
                              [3] = value_string(slice_of(devices[random_below(3)]))};
    struct event event = {.schema = &schema, .values = values, .time_us = at_us};
    struct outcome outcome = {.event = &event,
                              .decision = (enum decision)decision,
                              .rule = rules[decision],
                              .variant = random_below(20) ? VARIANT_CHAMPION : VARIANT_CANARY};
    for (int i = 0; i < N_COLUMNS; i++)
        codes[i] = (uint8_t)random_below(10);
    double spread =
        (double)random_below(1000) + (double)random_below(1000) + (double)random_below(1000) - 1500;
    struct observation observation = {.at_us = at_us,
                                      .event_us = at_us,
                                      .latency_us = (int64_t)(150 * exp(spread / 1250)),
                                      .age_us = US_PER_S,
                                      .score = (float)random_below(200) / 1000,
                                      .kind = OBSERVED_OUTCOME,
                                      .decision = (uint8_t)decision,
                                      .arm = NO_ARM,
                                      .coded = true};
    const struct outcome *one = &outcome;
    const struct observations observations = {&observation, codes, sizeof codes, 1};
    sink->labels(sink->context, &one, 1, &observation.labels);
    sink->take(sink->context, &observations);
}

/* The fastest of some tries, in milliseconds. */
static double ask(struct history_store *history, const char *series, const char *by, int64_t to_us)
{
    double best = INFINITY;
    for (int i = 0; i < 5; i++) {
        struct buffer out;
        struct error error;
        buffer_init(&out, (size_t)64 << 20);
        struct history_question question = {.from_us = to_us - 30 * US_PER_DAY,
                                            .to_us = to_us,
                                            .step_us = US_PER_HOUR,
                                            .series = slice_of(series),
                                            .by = slice_of(by)};
        int64_t start_ns = monotonic_ns();
        if (history_answer(history, &question, &out, &error) != STATUS_OK) {
            fprintf(stderr, "%s\n", error.message);
            exit(2);
        }
        best = fmin(best, (double)(monotonic_ns() - start_ns) / 1e6);
        buffer_free(&out);
    }
    return best;
}

static struct history_store *open_history(const char *path, struct observe_sink *sink)
{
    struct history_options options;
    struct history_store *history;
    struct error error;
    struct binning cuts[N_COLUMNS];
    memset(cuts, 0, sizeof cuts);
    for (int i = 0; i < N_COLUMNS; i++) {
        cuts[i].n_edges = 9;
        cuts[i].n_reference = 10000;
        for (int k = 0; k < 10; k++) {
            cuts[i].reference[k] = 1000;
            if (k < 9)
                cuts[i].edges[k] = (float)(k + 1);
        }
    }
    history_options_init(&options);
    options.schema = &schema;
    options.path = path;
    options.columns = names;
    options.n_columns = N_COLUMNS;
    options.event_time = true;
    options.latency_limits_us[0] = 200000;
    if (history_read(NULL, &options, &error) != STATUS_OK ||
        history_create(&options, &history, &error) != STATUS_OK) {
        fprintf(stderr, "%s\n", error.message);
        exit(2);
    }
    *sink = history_sink(history);
    sink->cuts(sink->context, cuts, N_COLUMNS);
    return history;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    char path[1000];
    struct observe_sink sink;
    struct stat file;
    int64_t days = argc > 2 ? strtoll(argv[2], NULL, 10) : 1;
    int64_t rate = argc > 3 ? strtoll(argv[3], NULL, 10) : 40;
    snprintf(path, sizeof path, "%s/history.db", argv[1]);
    struct history_store *history = open_history(path, &sink);
    history_begin(history, T0);
    int64_t n = days * 86400 * rate, end_us = T0 + days * US_PER_DAY;
    int64_t start_ns = monotonic_ns(), cpu_ns = thread_cpu_ns();
    for (int64_t i = 0; i < n; i++)
        tell(&sink, T0 + i * US_PER_S / rate);
    double cpu_s = (double)(thread_cpu_ns() - cpu_ns) / 1e9;
    if (!history_flush(history, 600000))
        return 2;
    double seconds = (double)(monotonic_ns() - start_ns) / 1e9;
    printf("{\"events\":%lld,\"seconds\":%.1f,\"counting_ns_per_event\":%.0f", (long long)n,
           seconds, cpu_s * 1e9 / (double)n);
    printf(",\"panel_ms\":%.2f,\"panel_by_country_ms\":%.2f,\"panel_psi_ms\":%.2f,"
           "\"panel_by_two_ms\":%.2f",
           ask(history, "latency_p99_us", "", end_us),
           ask(history, "latency_p99_us", "country", end_us), ask(history, "psi.a", "", end_us),
           ask(history, "latency_p99_us", "country,device", end_us));
    history_destroy(history);
    if (stat(path, &file) != 0)
        return 2;
    printf(",\"bytes\":%lld,\"year_gb\":%.2f}\n", (long long)file.st_size,
           (double)file.st_size * 365 / (double)days / 1e9);
    return 0;
}
