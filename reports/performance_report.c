/* Reads the record through the join that a service has, and writes what that measures: figures with
 * their intervals for all, by variant, cohort and time, with coverage and label delay; and what was
 * estimated before labels came, beside the truth. */
#include "reports/performance_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/base/number.h"
#include "engine/join.h"
#include "engine/monitor/truth_measure.h"
#include "engine/record/reader.h"

#define CONFIDENCE 0.95

struct writing {
    const struct truth *truth;
    struct report *report;
    struct report_table *coverage, *figures, *estimates, *track;
};

/* ---- the record ---- */

static enum status take_row(void *join, const struct ledger_row *row, struct error *error)
{
    return join_row(join, row, error);
}

static enum status read_record(const struct performance_report_options *options, struct join *join,
                               struct report *report, struct error *error)
{
    struct reader *reader = NULL;
    uint64_t first = 0;
    enum status status = reader_open(options->ledger_dir, &reader, error);
    if (status == STATUS_OK)
        status = reader_head(reader, &report->tree_size, report->root, error);
    if (status == STATUS_OK)
        status = reader_first_here(reader, &first, error);
    if (status == STATUS_OK)
        status = reader_scan(reader, first, take_row, join, error);
    reader_close(reader);
    return status;
}

/* ---- groups ---- */

struct group {
    const char *by;
    char value[TIME_TEXT_SIZE + 64];
    struct truth_selection selection;
};

static enum status no_memory(struct error *error)
{
    return error_set(error, STATUS_MEMORY, "out of memory for the report");
}

static double ratio(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : (double)NAN;
}

static bool add_coverage(struct report_table *table, const struct group *group,
                         const struct truth_figures *figures)
{
    struct report_cell *row = report_add_row(table);
    double covered = ratio(figures->labelled, figures->decided);
    if (!row)
        return false;
    report_words(&row[0], "%s", group->by);
    report_words(&row[1], "%s", group->value);
    report_count(&row[2], figures->decided);
    report_count(&row[3], figures->labelled);
    report_number(&row[4], covered, "%.1f %%", 100 * covered);
    report_number(&row[5], figures->delay_p50_s, "%.3g h", figures->delay_p50_s / 3600);
    report_number(&row[6], figures->delay_p95_s, "%.3g h", figures->delay_p95_s / 3600);
    return true;
}

static bool add_figure(struct report_table *table, const struct group *group, const char *name,
                       const struct classify_value *value, size_t n)
{
    struct report_cell *row = report_add_row(table);
    if (!row)
        return false;
    report_words(&row[0], "%s", group->by);
    report_words(&row[1], "%s", group->value);
    report_words(&row[2], "%s", name);
    report_number(&row[3], value->value, "%.4g", value->value);
    report_number(&row[4], value->low, "%.4g", value->low);
    report_number(&row[5], value->high, "%.4g", value->high);
    report_count(&row[6], n);
    return true;
}

static bool add_figures(const struct writing *writing, const struct group *group,
                        const struct truth_figures *figures)
{
    struct report_table *table = writing->figures;
    double half = classify_deviations(CONFIDENCE) * figures->top.standard_error;
    struct classify_value top = {figures->top.precision, fmax(figures->top.precision - half, 0),
                                 fmin(figures->top.precision + half, 1)};
    if (isnan(half))
        top.low = top.high = (double)NAN;
    for (int i = 0; i < CLASSIFY_COUNT; i++) {
        if (i == CLASSIFY_COST && isnan(figures->result.cost_total))
            continue;
        if (!add_figure(
                table, group, classify_name((enum classify_figure)i), &figures->result.figures[i],
                figures->result.n - (i == CLASSIFY_COST ? figures->result.amounts_missing : 0)))
            return false;
    }
    return add_figure(table, group, "precision_at_k", &top, figures->result.n);
}

static enum status add_group(const struct writing *writing, const struct group *group,
                             struct error *error)
{
    struct truth_figures figures;
    enum status status = truth_measure(writing->truth, &group->selection, &figures, error);
    if (status != STATUS_OK || (figures.decided == 0 && figures.result.n == 0))
        return status;
    bool added =
        add_coverage(writing->coverage, group, &figures) && add_figures(writing, group, &figures);
    return added ? STATUS_OK : no_memory(error);
}

static enum status add_variants(const struct writing *writing, const struct truth_selection *all,
                                struct error *error)
{
    enum status status = STATUS_OK;
    for (int v = 0; v < TRUTH_VARIANTS && status == STATUS_OK; v++) {
        struct group group = {.by = "variant", .selection = *all};
        group.selection.variant = v;
        snprintf(group.value, sizeof group.value, "%s", variant_name((enum variant)v));
        status = add_group(writing, &group, error);
    }
    return status;
}

static enum status add_cohorts(const struct writing *writing, const struct truth_selection *all,
                               struct error *error)
{
    enum status status = STATUS_OK;
    if (!truth_options(writing->truth)->cohort)
        return status;
    for (size_t c = 0; c < truth_n_cohorts(writing->truth) && status == STATUS_OK; c++) {
        struct group group = {.by = "cohort", .selection = *all};
        group.selection.cohort = (int)c;
        snprintf(group.value, sizeof group.value, "%s", truth_cohort(writing->truth, c));
        status = add_group(writing, &group, error);
    }
    return status;
}

/* Periods count where they begin in the range. */
static bool is_within(const struct writing *writing, const struct truth_period *period)
{
    return period->start_us >= writing->report->from_us &&
           period->start_us < writing->report->to_us;
}

static enum status add_times(const struct writing *writing, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < truth_n_periods(writing->truth) && status == STATUS_OK; i++) {
        const struct truth_period *period = truth_period(writing->truth, i);
        struct group group = {.by = "time", .selection = {.variant = -1, .cohort = -1}};
        if (!is_within(writing, period))
            continue;
        group.selection.from_us = period->start_us;
        group.selection.to_us = period->start_us + truth_options(writing->truth)->period_us;
        time_format(period->start_us, group.value);
        status = add_group(writing, &group, error);
    }
    return status;
}

static enum status add_groups(const struct writing *writing, struct error *error)
{
    struct group all = {.by = "all",
                        .selection = {writing->report->from_us, writing->report->to_us, -1, -1}};
    enum status status = add_group(writing, &all, error);
    if (status == STATUS_OK)
        status = add_variants(writing, &all.selection, error);
    if (status == STATUS_OK)
        status = add_cohorts(writing, &all.selection, error);
    if (status == STATUS_OK)
        status = add_times(writing, error);
    return status;
}

/* ---- estimates ---- */

static bool add_estimate(struct report_table *table, int64_t start_us, int variant, int metric,
                         const struct truth_estimate *estimate, double realized)
{
    struct report_cell *row = report_add_row(table);
    char at[TIME_TEXT_SIZE];
    if (!row)
        return false;
    report_words(&row[0], "%s", time_format(start_us, at));
    report_words(&row[1], "%s", variant_name((enum variant)variant));
    report_words(&row[2], "%s", cbpe_name((enum cbpe_metric)metric));
    report_number(&row[3], estimate->estimated, "%.4g", estimate->estimated);
    report_number(&row[4], estimate->lower, "%.4g", estimate->lower);
    report_number(&row[5], estimate->upper, "%.4g", estimate->upper);
    report_number(&row[6], realized, "%.4g", realized);
    return true;
}

static enum status add_period(const struct writing *writing, const struct truth_period *period,
                              int variant, struct error *error)
{
    const struct truth_side *side = &period->sides[variant];
    double realized[TRUTH_ESTIMATES];
    enum status status = truth_realized(writing->truth, period, variant, realized, error);
    for (int m = 0; m < TRUTH_ESTIMATES && status == STATUS_OK; m++) {
        struct truth_estimate estimate = side->estimates[m];
        if (!side->frozen)
            status = truth_estimate(writing->truth, side, (enum cbpe_metric)m, &estimate, error);
        if (status == STATUS_OK &&
            !add_estimate(writing->estimates, period->start_us, variant, m, &estimate, realized[m]))
            status = no_memory(error);
    }
    return status;
}

static enum status add_estimates(const struct writing *writing, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < truth_n_periods(writing->truth); i++) {
        const struct truth_period *period = truth_period(writing->truth, i);
        for (int v = 0; v < TRUTH_VARIANTS && status == STATUS_OK; v++) {
            if (is_within(writing, period) && period->sides[v].decided)
                status = add_period(writing, period, v, error);
        }
    }
    return status;
}

static enum status add_track(const struct writing *writing, struct error *error)
{
    struct truth_track tracks[TRUTH_ESTIMATES];
    enum status status = truth_track(writing->truth, tracks, error);
    for (int m = 0; m < TRUTH_ESTIMATES && status == STATUS_OK; m++) {
        struct report_cell *row = report_add_row(writing->track);
        if (!row)
            return no_memory(error);
        report_words(&row[0], "%s", cbpe_name((enum cbpe_metric)m));
        report_count(&row[1], tracks[m].n);
        report_number(&row[2], tracks[m].mean_error, "%.4g", tracks[m].mean_error);
        report_number(&row[3], tracks[m].bias, "%.4g", tracks[m].bias);
        report_count(&row[4], tracks[m].within);
    }
    return status;
}

static enum status add_points(const struct writing *writing, const struct truth_period *period,
                              struct report_chart *chart, struct error *error)
{
    const struct truth_side *side = &period->sides[VARIANT_CHAMPION];
    double realized[TRUTH_ESTIMATES];
    enum status status = truth_realized(writing->truth, period, VARIANT_CHAMPION, realized, error);
    int at = chart->n_points++;
    chart->times_us[at] = period->start_us;
    chart->series[0].points[at] =
        side->frozen ? side->estimates[CBPE_ROC_AUC].estimated : (double)NAN;
    chart->series[1].points[at] = realized[CBPE_ROC_AUC];
    return status;
}

/* The champion's AUC by period, estimated and true. */
static enum status add_chart(const struct writing *writing, struct error *error)
{
    static const char *const names[] = {"estimated before", "by labels"};
    struct report_chart *chart = &writing->report->chart;
    size_t n = truth_n_periods(writing->truth);
    enum status status = STATUS_OK;
    *chart = (struct report_chart){.title = "AUC of the champion by period",
                                   .unit = "",
                                   .limit = (double)NAN,
                                   .limit_text = "",
                                   .low = 0.4,
                                   .high = 1};
    chart->times_us = calloc(n + 1, sizeof *chart->times_us);
    for (; chart->n_series < 2 && status == STATUS_OK; chart->n_series++) {
        struct report_series *series = &chart->series[chart->n_series];
        series->points = calloc(n + 1, sizeof *series->points);
        snprintf(series->name, sizeof series->name, "%s", names[chart->n_series]);
        if (!chart->times_us || !series->points)
            status = no_memory(error);
    }
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        const struct truth_period *period = truth_period(writing->truth, i);
        if (is_within(writing, period))
            status = add_points(writing, period, chart, error);
    }
    return status;
}

/* ---- the whole ---- */

static const struct report_table shapes[] = {
    {.name = "coverage",
     .title = "Decisions and the labels that came",
     .note = "A label counts once; one that corrects another takes its place. Delay: from the "
             "decision to the label.",
     .columns = {{"by", "by", .12},
                 {"value", "value", .28},
                 {"decided", "decided", .14},
                 {"labelled", "labelled", .14},
                 {"coverage_ratio", "covered", .12},
                 {"label_delay_p50_s", "delay p50", .1},
                 {"label_delay_p95_s", "delay p95", .1}},
     .n_columns = 7},
    {.name = "figures",
     .title = "How good the decisions were, with 95 % intervals",
     .note = "Formulas and intervals are those of binnacle metrics. Predicted positive is every "
             "decision but approve, or a score from the configured threshold on.",
     .columns = {{"by", "by", .11},
                 {"value", "value", .25},
                 {"figure", "figure", .2},
                 {"estimate", "measured", .12},
                 {"ci_low", "from", .11},
                 {"ci_high", "to", .11},
                 {"n", "n", .1}},
     .n_columns = 7},
    {.name = "estimates",
     .title = "Expected without labels, and what came out",
     .note = "CBPE, learned from the champion's newest labels; of a period that is over, as it was "
             "written down when it ended.",
     .columns = {{"period", "period", .24},
                 {"variant", "variant", .13},
                 {"metric", "metric", .19},
                 {"estimated", "estimated", .11},
                 {"lower", "from", .11},
                 {"upper", "to", .11},
                 {"realized", "by labels", .11}},
     .n_columns = 7},
    {.name = "track_record",
     .title = "How far such estimates were off",
     .note = "Periods of the whole record with 100 labels and a fifth of their decisions labelled.",
     .columns = {{"metric", "metric", .3},
                 {"periods", "periods", .15},
                 {"mean_abs_error", "mean error", .2},
                 {"bias", "bias", .15},
                 {"within_band", "within the band", .2}},
     .n_columns = 5},
};

static enum status write_report(const struct truth *truth, struct report *report,
                                struct error *error)
{
    report->n_tables = (int)(sizeof shapes / sizeof *shapes);
    for (int i = 0; i < report->n_tables; i++)
        report->tables[i] = shapes[i];
    struct writing writing = {truth,
                              report,
                              &report->tables[0],
                              &report->tables[1],
                              &report->tables[2],
                              &report->tables[3]};
    enum status status = add_groups(&writing, error);
    if (status == STATUS_OK)
        status = add_estimates(&writing, error);
    if (status == STATUS_OK)
        status = add_track(&writing, error);
    if (status == STATUS_OK)
        status = add_chart(&writing, error);
    return status;
}

static enum status summarise(const struct truth *truth, struct report *report, struct error *error)
{
    struct truth_selection all = {report->from_us, report->to_us, -1, -1};
    const struct truth_counts *counts = truth_counts(truth);
    struct truth_figures figures;
    enum status status = truth_measure(truth, &all, &figures, error);
    if (status != STATUS_OK)
        return status;
    const struct classify_value *auc = &figures.result.figures[CLASSIFY_AUC];
    int size = snprintf(report->summary, sizeof report->summary, "%zu %s of the range %s known.",
                        figures.result.n, number_noun(figures.result.n, "outcome", "outcomes"),
                        number_noun(figures.result.n, "is", "are"));
    if (!isnan(auc->value))
        size += snprintf(report->summary + size, sizeof report->summary - (size_t)size,
                         " AUC %.3f, with 95 %% confidence from %.3f to %.3f.", auc->value,
                         auc->low, auc->high);
    if (counts->evicted > 0)
        snprintf(report->summary + size, sizeof report->summary - (size_t)size,
                 " Figures are of the newest %zu labels: see keep of performance in the "
                 "configuration.",
                 truth_n_rows(truth));
    return STATUS_OK;
}

enum status performance_report_build(const struct performance_report_options *options,
                                     struct report *report, struct error *error)
{
    struct join *join = NULL;
    *report = (struct report){.kind = "performance",
                              .title = "Decisions and their truth",
                              .from_us = options->from_us,
                              .to_us = options->to_us};
    snprintf(report->service, sizeof report->service, "%s", options->service);
    if (options->from_us >= options->to_us)
        return error_set(error, STATUS_INVALID, "the range is empty: --from must lie before --to");
    enum status status =
        join_open(options->ledger_dir, options->schema, options->truth, &join, error);
    if (status == STATUS_OK)
        status = read_record(options, join, report, error);
    if (status == STATUS_OK)
        status = write_report(join_truth(join), report, error);
    if (status == STATUS_OK)
        status = summarise(join_truth(join), report, error);
    join_close(join);
    if (status != STATUS_OK)
        report_free(report);
    return status;
}
