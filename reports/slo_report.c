/* Feeds the range's decisions through the windows that count live ones, day by day, and judges the
 * sums. Formulas: engine/monitor/slo.h. */
#include "reports/slo_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/number.h"
#include "engine/monitor/slo.h"
#include "engine/observe/histogram.h"
#include "engine/record/reader.h"

#define MAX_DAYS 3653

struct slo_counts {
    uint64_t counted, bad;
};

struct day {
    int64_t start_us;
    uint64_t decisions, declined, quarantined;
    double p95_us;
    struct slo_counts slos[MAX_SNAPSHOT_SLOS];
};

struct builder {
    const struct slo_report_options *options;
    const struct slo_set *slos;
    struct observe *observe;
    struct monitor *monitor;
    struct snapshot *scratch;
    struct day *days;
    int n_days;
    int64_t begin_us; /* event time of the ledger's first decision; 0: it has none */
    struct slo_counts totals[MAX_SNAPSHOT_SLOS];
};

/* ---- counting ---- */

static int64_t day_start(int64_t time_us)
{
    return time_day(time_us) * US_PER_DAY;
}

static void count_row(struct builder *builder, const struct ledger_row *row)
{
    char model[NAME_SIZE], version[NAME_SIZE];
    snprintf(model, sizeof model, SLICE_FORMAT, SLICE_ARGS(row->model));
    snprintf(version, sizeof version, SLICE_FORMAT, SLICE_ARGS(row->model_version));
    const struct feature_schema *features = builder->options->observe->features;
    bool same = features && features->n_features == row->n_features;
    struct outcome outcome = {
        .features = {features, same ? (float *)(uintptr_t)row->features : NULL},
        .margin = row->margin,
        .score = row->score,
        .decision = row->decision,
        .rule = "",
        .model = model,
        .model_version = version,
        .variant = row->variant,
        .decided_at_us = row->at_us,
        .latency_us = row->latency_us,
        .ledger_index = row->index,
    };
    monitor_note_time(builder->monitor, row->at_us, builder->begin_us);
    observe_recorded(builder->observe, &outcome, NULL, OBSERVE_WINDOWS);
}

/* The first decision of all, in the range or before it: since then windows have been filled. */
static enum status find_begin(struct builder *builder, struct reader *reader, struct error *error)
{
    struct query_filter filter;
    struct query *query = NULL;
    struct ledger_row row;
    query_filter_init(&filter);
    filter.limit = 1;
    enum status status = query_open(reader, &filter, &query, error);
    if (status == STATUS_OK)
        status = query_next(query, &row, error);
    if (status == STATUS_OK)
        builder->begin_us = row.event_us;
    query_close(query);
    return status == STATUS_END ? STATUS_OK : status;
}

/* The day is over: takes its sums out of the windows. */
static void close_day(struct builder *builder, struct day *day)
{
    struct tally tally = {0};
    struct histogram *latency = calloc(1, sizeof *latency);
    observe_fill(builder->observe, day->start_us + US_PER_DAY - 1, monotonic_ns(),
                 builder->scratch);
    /* A second less than the day: windows are rounded up to whole slices and hours. */
    observe_sum(builder->observe, US_PER_DAY - US_PER_S, &tally);
    day->p95_us = (double)NAN;
    if (latency) {
        observe_latency(builder->observe, US_PER_DAY - US_PER_S, latency);
        day->p95_us = histogram_quantile(latency, 0.95);
    }
    free(latency);
    for (int i = 0; i < DECISION_COUNT; i++)
        day->decisions += tally.decisions[i];
    day->declined = tally.decisions[DECISION_DECLINE];
    for (int i = 0; i < builder->slos->n; i++) {
        const struct slo *slo = &builder->slos->slos[i];
        struct slo_counts *counts = &day->slos[i];
        /* Refusals and freshness do not leave rows: the ledger cannot say. */
        if (slo->indicator == SLO_AVAILABILITY || slo->indicator == SLO_FRESHNESS)
            continue;
        slo_count(slo, &tally, &counts->counted, &counts->bad);
        builder->totals[i].counted += counts->counted;
        builder->totals[i].bad += counts->bad;
    }
}

/* A slice is judged when it has been over for a little, which for the last one is after the range;
 * those at the end of other days count towards the next. */
static void count_last_slice(struct builder *builder, struct day *day)
{
    struct tally tally = {0};
    observe_fill(builder->observe, day->start_us + US_PER_DAY + US_PER_MIN, monotonic_ns(),
                 builder->scratch);
    observe_sum(builder->observe, US_PER_MIN, &tally);
    for (int i = 0; i < builder->slos->n; i++) {
        const struct slo *slo = &builder->slos->slos[i];
        struct slo_counts last = {0};
        if (slo->indicator != SLO_DRIFT)
            continue;
        slo_count(slo, &tally, &last.counted, &last.bad);
        day->slos[i].counted += last.counted;
        day->slos[i].bad += last.bad;
        builder->totals[i].counted += last.counted;
        builder->totals[i].bad += last.bad;
    }
}

static struct day *next_day(struct builder *builder, int64_t start_us)
{
    struct day *day = &builder->days[builder->n_days++];
    *day = (struct day){.start_us = start_us};
    return day;
}

/* Days without decisions stand in the report too. */
static struct day *advance(struct builder *builder, struct day *day, int64_t start_us)
{
    while (day->start_us < start_us) {
        close_day(builder, day);
        day = next_day(builder, day->start_us + US_PER_DAY);
    }
    return day;
}

static enum status count_rows(struct builder *builder, struct reader *reader, struct error *error)
{
    struct query_filter filter;
    struct query *query = NULL;
    struct ledger_row row;
    query_filter_init(&filter);
    filter.from_us = builder->options->from_us;
    filter.to_us = builder->options->to_us;
    filter.limit = -1;
    struct day *day = next_day(builder, day_start(filter.from_us));
    enum status status = query_open(reader, &filter, &query, error);
    while (status == STATUS_OK && (status = query_next(query, &row, error)) == STATUS_OK) {
        day = advance(builder, day, day_start(row.at_us));
        count_row(builder, &row);
    }
    query_close(query);
    if (status != STATUS_END)
        return status;
    day = advance(builder, day, day_start(filter.to_us - 1));
    close_day(builder, day);
    count_last_slice(builder, day);
    return STATUS_OK;
}

static enum status count_quarantined(void *context, const struct quarantine_row *row,
                                     struct error *error)
{
    (void)error;
    struct builder *builder = context;
    int64_t at = (day_start(row->received_us) - builder->days[0].start_us) / US_PER_DAY;
    if (at >= 0 && at < builder->n_days)
        builder->days[at].quarantined++;
    return STATUS_OK;
}

static enum status read_quarantine(struct builder *builder, struct reader *reader,
                                   struct error *error)
{
    struct quarantine_filter filter;
    quarantine_filter_init(&filter);
    filter.from_us = builder->options->from_us;
    filter.to_us = builder->options->to_us;
    filter.limit = -1;
    return quarantine_scan(reader, &filter, false, count_quarantined, builder, error);
}

/* ---- writing ---- */

static double attainment(const struct slo_counts *counts)
{
    return counts->counted ? 1 - (double)counts->bad / (double)counts->counted : (double)NAN;
}

static double budget_left(const struct slo *slo, uint64_t counted, uint64_t bad)
{
    return counted ? 1 - (double)bad / ((double)counted * (1 - slo->target)) : (double)NAN;
}

static bool add_objectives(const struct builder *builder, struct report_table *table)
{
    *table = (struct report_table){
        .name = "objectives",
        .title = "Objectives over the whole range",
        .note =
            "Budget left: 1 - bad / (counted x (1 - target)). Availability and freshness leave "
            "no rows when they fail, so a ledger cannot say; the live screens do. Drift is "
            "judged in slices of five minutes against the first decisions of the range, from when "
            "windows had filled.",
        .columns = {{"objective", "objective", .18},
                    {"target_ratio", "target", .13},
                    {"attained_ratio", "attained", .15},
                    {"counted", "counted", .17},
                    {"bad", "bad", .12},
                    {"budget_left_ratio", "budget left", .13},
                    {"verdict", "verdict", .12}},
        .n_columns = 7,
    };
    for (int i = 0; i < builder->slos->n; i++) {
        const struct slo *slo = &builder->slos->slos[i];
        const struct slo_counts *total = &builder->totals[i];
        struct report_cell *row = report_add_row(table);
        if (!row)
            return false;
        double attained = attainment(total);
        report_words(&row[0], "%s", slo->name);
        report_number(&row[1], slo->target, "%.4g %%", 100 * slo->target);
        report_number(&row[2], attained, "%.3f %%", 100 * attained);
        if (total->counted > 0) { /* else the row says that there is no data */
            report_count(&row[3], total->counted);
            report_count(&row[4], total->bad);
        }
        double left = budget_left(slo, total->counted, total->bad);
        report_number(&row[5], left, "%.1f %%", 100 * left);
        report_words(&row[6], "%s",
                     isnan(attained)           ? "no data"
                     : attained >= slo->target ? "met"
                                               : "missed");
    }
    return true;
}

static bool add_days(const struct builder *builder, struct report_table *table)
{
    *table = (struct report_table){
        .name = "days",
        .title = "Day by day",
        .columns = {{"day", "day (UTC)", .2},
                    {"decisions", "decisions", .2},
                    {"declined_ratio", "declined", .15},
                    {"quarantined", "quarantined", .15},
                    {"latency_attained_ratio", "in time", .15},
                    {"latency_p95_us", "p95", .15}},
        .n_columns = 6,
    };
    int latency = -1;
    for (int i = 0; i < builder->slos->n && latency < 0; i++)
        latency = builder->slos->slos[i].indicator == SLO_LATENCY ? i : -1;
    for (int i = 0; i < builder->n_days; i++) {
        const struct day *day = &builder->days[i];
        struct report_cell *row = report_add_row(table);
        if (!row)
            return false;
        char text[TIME_TEXT_SIZE];
        time_format(day->start_us, text);
        report_words(&row[0], "%.10s", text);
        report_count(&row[1], day->decisions);
        double declined =
            day->decisions ? (double)day->declined / (double)day->decisions : (double)NAN;
        report_number(&row[2], declined, "%.2f %%", 100 * declined);
        report_count(&row[3], day->quarantined);
        double within = latency < 0 ? (double)NAN : attainment(&day->slos[latency]);
        report_number(&row[4], within, "%.2f %%", 100 * within);
        report_number(&row[5], day->p95_us, "%.3g ms", day->p95_us / 1000);
    }
    return true;
}

/* How much of each objective's budget for the range is left after each day. */
static bool add_chart(const struct builder *builder, struct report_chart *chart)
{
    *chart = (struct report_chart){.title = "Error budget left",
                                   .unit = "%",
                                   .limit = 0,
                                   .limit_text = "budget used up",
                                   .low = -25,
                                   .high = 100,
                                   .n_points = builder->n_days};
    size_t n = (size_t)builder->n_days;
    chart->times_us = calloc(n, sizeof *chart->times_us);
    if (!chart->times_us)
        return false;
    for (size_t i = 0; i < n; i++)
        chart->times_us[i] = builder->days[i].start_us;
    for (int s = 0; s < builder->slos->n && chart->n_series < REPORT_SERIES; s++) {
        if (builder->totals[s].counted == 0)
            continue;
        struct report_series *series = &chart->series[chart->n_series];
        series->points = calloc(n, sizeof *series->points);
        if (!series->points)
            return false;
        chart->n_series++;
        snprintf(series->name, sizeof series->name, "%s", builder->slos->slos[s].name);
        uint64_t bad = 0;
        for (size_t i = 0; i < n; i++) {
            bad += builder->days[i].slos[s].bad;
            series->points[i] =
                100 * budget_left(&builder->slos->slos[s], builder->totals[s].counted, bad);
        }
    }
    return true;
}

static void summarise(const struct builder *builder, struct report *report)
{
    int met = 0, judged = 0;
    uint64_t decisions = 0;
    char missed[256] = "";
    for (int i = 0; i < builder->n_days; i++)
        decisions += builder->days[i].decisions;
    for (int i = 0; i < builder->slos->n; i++) {
        double attained = attainment(&builder->totals[i]);
        if (isnan(attained))
            continue;
        judged++;
        if (attained >= builder->slos->slos[i].target) {
            met++;
            continue;
        }
        size_t used = strlen(missed);
        snprintf(missed + used, sizeof missed - used, "%s%s", used ? ", " : "",
                 builder->slos->slos[i].name);
    }
    struct report_cell count;
    report_count(&count, decisions);
    if (judged == 0)
        snprintf(report->summary, sizeof report->summary,
                 "No objective can be judged: the range holds %s %s.", count.text,
                 number_noun(decisions, "decision", "decisions"));
    else
        snprintf(report->summary, sizeof report->summary,
                 "%d of %d %s that the record can judge %s met over %s %s.%s%s%s", met, judged,
                 number_noun((uint64_t)judged, "objective", "objectives"),
                 number_noun((uint64_t)judged, "was", "were"), count.text,
                 number_noun(decisions, "decision", "decisions"), missed[0] ? " Missed: " : "",
                 missed, missed[0] ? "." : "");
}

static enum status write_report(const struct builder *builder, struct report *report,
                                struct error *error)
{
    report->n_tables = 2;
    if (!add_objectives(builder, &report->tables[0]) || !add_days(builder, &report->tables[1]) ||
        !add_chart(builder, &report->chart))
        return error_set(error, STATUS_MEMORY, "out of memory for the report");
    summarise(builder, report);
    return STATUS_OK;
}

static enum status start(struct builder *builder, struct error *error)
{
    const struct slo_report_options *options = builder->options;
    uint64_t span_us = (uint64_t)options->to_us - (uint64_t)options->from_us;
    uint64_t days = span_us / US_PER_DAY + 2;
    if (options->from_us >= options->to_us || days > MAX_DAYS)
        return error_set(
            error, STATUS_INVALID,
            "the range is empty or longer than ten years; --from must lie before --to");
    builder->days = calloc(days, sizeof *builder->days);
    builder->scratch = snapshot_create();
    if (!builder->days || !builder->scratch)
        return error_set(error, STATUS_MEMORY, "out of memory for %llu days",
                         (unsigned long long)days);
    enum status status = observe_create(options->observe, &builder->observe, error);
    if (status != STATUS_OK)
        return status;
    builder->monitor = monitor_create(options->monitor, builder->observe);
    return builder->monitor ? STATUS_OK : error_set(error, STATUS_MEMORY, "out of memory");
}

enum status slo_report_build(const struct slo_report_options *options, struct report *report,
                             struct error *error)
{
    struct builder builder = {.options = options, .slos = &options->monitor->objectives};
    struct reader *reader = NULL;
    *report = (struct report){.kind = "slo",
                              .title = "Service level objectives",
                              .from_us = options->from_us,
                              .to_us = options->to_us};
    snprintf(report->service, sizeof report->service, "%s", options->service);
    enum status status = start(&builder, error);
    if (status == STATUS_OK)
        status = reader_open(options->ledger_dir, &reader, error);
    if (status == STATUS_OK)
        status = reader_head(reader, &report->tree_size, report->root, error);
    if (status == STATUS_OK)
        status = find_begin(&builder, reader, error);
    if (status == STATUS_OK)
        status = count_rows(&builder, reader, error);
    if (status == STATUS_OK)
        status = read_quarantine(&builder, reader, error);
    if (status == STATUS_OK)
        status = write_report(&builder, report, error);
    reader_close(reader);
    monitor_destroy(builder.monitor);
    observe_destroy(builder.observe);
    if (builder.scratch)
        snapshot_release(builder.scratch);
    free(builder.days);
    if (status != STATUS_OK)
        report_free(report);
    return status;
}
