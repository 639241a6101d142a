/* Writes down the sums of a range: two tables, a chart and a sentence. */
#include "reports/slo_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/number.h"
#include "reports/slo_sums.h"

static double attainment(const struct slo_counts *counts)
{
    return counts->counted ? 1 - (double)counts->bad / (double)counts->counted : (double)NAN;
}

static double budget_left(const struct slo *slo, uint64_t counted, uint64_t bad)
{
    return counted ? 1 - (double)bad / ((double)counted * (1 - slo->target)) : (double)NAN;
}

static double covered_ratio(int64_t known_minutes, int64_t minutes)
{
    return (double)known_minutes / (double)minutes; /* a range has one at least */
}

static bool add_objectives(const struct slo_set *slos, const struct slo_sums *sums,
                           struct report_table *table)
{
    *table = (struct report_table){
        .name = "objectives",
        .title = "Objectives over the whole range",
        .note =
            "Budget left: 1 - bad / (counted x (1 - target)). Latency and expressions over "
            "decisions are judged by the ledger, which holds them all; availability, freshness, "
            "drift and expressions over slices by the history that the service keeps beside it. "
            "Covered: in what share of the range's minutes it was counting; of the others nothing "
            "is known, and they are not judged.",
        .columns = {{"objective", "objective", .16},
                    {"target_ratio", "target", .11},
                    {"attained_ratio", "attained", .14},
                    {"counted", "counted", .14},
                    {"bad", "bad", .11},
                    {"budget_left_ratio", "budget left", .12},
                    {"verdict", "verdict", .11},
                    {"covered_ratio", "covered", .11}},
        .n_columns = 8,
    };
    for (int i = 0; i < slos->n; i++) {
        const struct slo *slo = &slos->slos[i];
        const struct slo_counts *total = &sums->totals[i];
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
        double covered = slo_of_ledger(slo) ? 1 : covered_ratio(sums->known_minutes, sums->minutes);
        report_number(&row[7], covered, "%.1f %%", 100 * covered);
    }
    return true;
}

static bool add_days(const struct slo_set *slos, const struct slo_sums *sums,
                     struct report_table *table)
{
    *table = (struct report_table){
        .name = "days",
        .title = "Day by day",
        .columns = {{"day", "day (UTC)", .18},
                    {"decisions", "decisions", .18},
                    {"declined_ratio", "declined", .13},
                    {"quarantined", "quarantined", .14},
                    {"latency_attained_ratio", "in time", .13},
                    {"latency_p95_us", "p95", .12},
                    {"covered_ratio", "covered", .12}},
        .n_columns = 7,
    };
    int latency = -1;
    for (int i = 0; i < slos->n && latency < 0; i++)
        latency = slos->slos[i].indicator == SLO_LATENCY ? i : -1;
    for (int i = 0; i < sums->n_days; i++) {
        const struct slo_day *day = &sums->days[i];
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
        double covered = covered_ratio(day->known_minutes, day->minutes);
        report_number(&row[6], covered, "%.1f %%", 100 * covered);
    }
    return true;
}

/* How much of each objective's budget for the range is left after each day. */
static bool add_chart(const struct slo_set *slos, const struct slo_sums *sums,
                      struct report_chart *chart)
{
    *chart = (struct report_chart){.title = "Error budget left",
                                   .unit = "%",
                                   .limit = 0,
                                   .limit_text = "budget used up",
                                   .low = -25,
                                   .high = 100,
                                   .n_points = sums->n_days};
    size_t n = (size_t)sums->n_days;
    chart->times_us = calloc(n, sizeof *chart->times_us);
    if (!chart->times_us)
        return false;
    for (size_t i = 0; i < n; i++)
        chart->times_us[i] = sums->days[i].start_us;
    for (int s = 0; s < slos->n && chart->n_series < REPORT_SERIES; s++) {
        if (sums->totals[s].counted == 0)
            continue;
        struct report_series *series = &chart->series[chart->n_series];
        series->points = calloc(n, sizeof *series->points);
        if (!series->points)
            return false;
        chart->n_series++;
        snprintf(series->name, sizeof series->name, "%s", slos->slos[s].name);
        uint64_t bad = 0;
        for (size_t i = 0; i < n; i++) {
            bad += sums->days[i].slos[s].bad;
            series->points[i] = 100 * budget_left(&slos->slos[s], sums->totals[s].counted, bad);
        }
    }
    return true;
}

static void summarise(const struct slo_set *slos, const struct slo_sums *sums,
                      struct report *report)
{
    int met = 0, judged = 0;
    uint64_t decisions = 0;
    char missed[256] = "";
    for (int i = 0; i < sums->n_days; i++)
        decisions += sums->days[i].decisions;
    for (int i = 0; i < slos->n; i++) {
        double attained = attainment(&sums->totals[i]);
        if (isnan(attained))
            continue;
        judged++;
        if (attained >= slos->slos[i].target) {
            met++;
            continue;
        }
        size_t used = strlen(missed);
        snprintf(missed + used, sizeof missed - used, "%s%s", used ? ", " : "", slos->slos[i].name);
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

static enum status write_report(const struct slo_set *slos, const struct slo_sums *sums,
                                struct report *report, struct error *error)
{
    report->n_tables = 2;
    if (!add_objectives(slos, sums, &report->tables[0]) ||
        !add_days(slos, sums, &report->tables[1]) || !add_chart(slos, sums, &report->chart))
        return error_set(error, STATUS_MEMORY, "out of memory for the report");
    summarise(slos, sums, report);
    return STATUS_OK;
}

enum status slo_report_build(const struct slo_report_options *options, struct report *report,
                             struct error *error)
{
    struct slo_sums sums = {.days = NULL};
    struct reader *reader = NULL;
    *report = (struct report){.kind = "slo",
                              .title = "Service level objectives",
                              .from_us = options->from_us,
                              .to_us = options->to_us};
    snprintf(report->service, sizeof report->service, "%s", options->service);
    enum status status = reader_open(options->ledger_dir, &reader, error);
    if (status == STATUS_OK)
        status = reader_head(reader, &report->tree_size, report->root, error);
    if (status == STATUS_OK)
        status = slo_sums_count(options, reader, &sums, error);
    if (status == STATUS_OK)
        status = write_report(options->objectives, &sums, report, error);
    reader_close(reader);
    free(sums.days);
    if (status != STATUS_OK)
        report_free(report);
    return status;
}
