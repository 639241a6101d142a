/* How large a year of history becomes, and how long a panel over all of it takes. Feeds made-up
 * events of 7 countries (or as many as are named), 3 devices, 2 variants, 3 decisions and 16
 * columns to the history by an event clock; a folder that has a history of so many days is asked as
 * it is. Prints one line of JSON. usage: history FOLDER [DAYS [EVENTS_PER_S [COUNTRIES [PANEL]]]]
 */
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
#define TRIES     9

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

/* The first ones as they come, then names that are made up. */
static const char *country_of(uint64_t i, char text[8])
{
    if (i < sizeof countries / sizeof *countries)
        return countries[i];
    snprintf(text, 8, "%c%c", (char)('A' + i % 26), (char)('a' + i / 26));
    return text;
}

static void tell(struct observe_sink *sink, int64_t at_us, uint64_t n_countries)
{
    uint8_t codes[BIN_STAGE_STEP];
    char text[8];
    uint64_t chance = random_below(1000);
    int decision = chance < 960 ? 0 : chance < 985 ? 1 : 2;
    struct value values[4] = {
        [2] = value_string(slice_of(country_of(random_below(n_countries), text))),
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

static const struct panel {
    const char *name, *series, *by, *where;
    int64_t days, step_s;
} panels[] = {
    {"panel", "latency_p99_us", "", "", 30, 3600},
    {"panel_by_country", "latency_p99_us", "country", "", 30, 3600},
    {"panel_psi", "psi.a", "", "", 30, 3600},
    {"panel_by_two", "latency_p99_us", "country,device", "", 30, 3600},
    {"panel_by_four", "decline", "country,device,variant,decision", "", 30, 3600},
    {"panel_psi_by_two", "psi.h", "country,device", "", 30, 3600},
    {"panel_distances_by_country", "psi.a,js.a,chi_square.a,tvd.a", "country", "", 30, 3600},
    {"panel_where", "latency_p999_us", "", "country:DE,device:web", 30, 3600},
    {"panel_usual_step_by_two", "latency_p99_us", "country,device", "", 30, 7200},
    {"panel_half_hours", "latency_p75_us", "", "", 30, 1800},
    {"week_half_hours_by_two", "latency_p99_us", "country,device", "", 7, 1800},
};
#define N_PANELS (sizeof panels / sizeof *panels)

/* The fastest of some tries, in milliseconds of the processor: nothing in it waits. */
static double ask(struct history_store *history, const struct panel *panel, int64_t to_us)
{
    double best = INFINITY;
    for (int i = 0; i < TRIES; i++) {
        struct buffer out;
        struct error error;
        buffer_init(&out, (size_t)64 << 20);
        struct history_question question = {.from_us = to_us - panel->days * US_PER_DAY,
                                            .to_us = to_us,
                                            .step_us = panel->step_s * US_PER_S,
                                            .series = slice_of(panel->series),
                                            .by = slice_of(panel->by),
                                            .where = slice_of(panel->where)};
        int64_t start_ns = thread_cpu_ns();
        if (history_answer(history, &question, &out, &error) != STATUS_OK) {
            fprintf(stderr, "%s\n", error.message);
            exit(2);
        }
        best = fmin(best, (double)(thread_cpu_ns() - start_ns) / 1e6);
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
    uint64_t n_countries = argc > 4 ? strtoull(argv[4], NULL, 10) : 9; /* three of them the same */
    const char *only = argc > 5 ? argv[5] : NULL;
    snprintf(path, sizeof path, "%s/history.db", argv[1]);
    bool is_there = stat(path, &file) == 0;
    struct history_store *history = open_history(path, &sink);
    history_begin(history, T0);
    int64_t n = days * 86400 * rate, end_us = T0 + days * US_PER_DAY;
    int64_t start_ns = monotonic_ns(), cpu_ns = thread_cpu_ns();
    for (int64_t i = 0; i < n && !is_there; i++)
        tell(&sink, T0 + i * US_PER_S / rate, n_countries);
    double cpu_s = (double)(thread_cpu_ns() - cpu_ns) / 1e9;
    if (!history_flush(history, 600000))
        return 2;
    double seconds = (double)(monotonic_ns() - start_ns) / 1e9;
    printf("{\"events\":%lld,\"seconds\":%.1f,\"counting_ns_per_event\":%.0f", (long long)n,
           seconds, cpu_s * 1e9 / (double)n);
    for (size_t i = 0; i < N_PANELS; i++)
        if (!only || strcmp(only, panels[i].name) == 0)
            printf(",\"%s_ms\":%.2f", panels[i].name, ask(history, &panels[i], end_us));
    history_destroy(history);
    if (stat(path, &file) != 0)
        return 2;
    printf(",\"bytes\":%lld,\"year_gb\":%.2f}\n", (long long)file.st_size,
           (double)file.st_size * 365 / (double)days / 1e9);
    return 0;
}
