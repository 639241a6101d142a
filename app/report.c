/* `report KIND`: out of the ledger, as PDF, CSV or JSON. */
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "app/config.h"
#include "app/output.h"
#include "engine/contract/contract.h"
#include "engine/feature/views.h"
#include "engine/join.h"
#include "engine/monitor/monitor.h"
#include "reports/performance_report.h"
#include "reports/slo_report.h"

#define DOCUMENT_BYTES (512u << 20)

static enum status write_json(const struct report *report, struct buffer *out, struct error *error)
{
    (void)error;
    report_json(report, out);
    buffer_append_char(out, '\n');
    return STATUS_OK;
}

static const struct format {
    const char *name;
    enum status (*write)(const struct report *report, struct buffer *out, struct error *error);
} formats[] = {
    {"json", write_json},
    {"csv", report_csv},
    {"pdf", report_pdf},
};

static enum status build_slo(const struct cli_args *args, const struct config *config,
                             struct report *report, struct error *error)
{
    struct monitor_options monitor;
    struct observe_options observe;
    monitor_options_init(&monitor);
    observe_options_init(&observe);
    enum status status = monitor_read(config ? config->objectives : NULL,
                                      config ? config->drift : NULL, &monitor, &observe, error);
    if (status != STATUS_OK)
        return status;
    observe.features = config ? feature_views_schema(config->views) : NULL;
    const struct schema *schema = config ? contract_schema(config->contract) : NULL;
    struct history_options history;
    history_options_init(&history);
    history.schema = schema;
    status = history_read(config ? config->history : NULL, &history, error);
    if (status != STATUS_OK)
        return status;
    struct slo_report_options options = {
        .ledger_dir = cli_text(args, "ledger"),
        .service = config ? config->service : "binnacle",
        .objectives = &monitor.objectives,
        .observe = &observe,
        .history = &history,
        .schema = schema,
        .from_us = cli_time_us(args, "from"),
        .to_us = cli_time_us(args, "to"),
    };
    status = indicators_create(options.objectives, options.schema, observe.features,
                               &options.indicators, error);
    if (status == STATUS_OK)
        status = slo_report_build(&options, report, error);
    indicators_destroy(options.indicators);
    return status;
}

static enum status build_performance(const struct cli_args *args, const struct config *config,
                                     struct report *report, struct error *error)
{
    struct truth_options truth;
    const struct schema *schema = config ? contract_schema(config->contract) : NULL;
    enum status status = join_options(config ? config->performance : NULL, schema, &truth, error);
    if (status != STATUS_OK)
        return status;
    struct performance_report_options options = {
        .ledger_dir = cli_text(args, "ledger"),
        .service = config ? config->service : "binnacle",
        .schema = schema,
        .truth = &truth,
        .from_us = cli_time_us(args, "from"),
        .to_us = cli_time_us(args, "to"),
    };
    return performance_report_build(&options, report, error);
}

static const struct kind {
    const char *name;
    enum status (*build)(const struct cli_args *args, const struct config *config,
                         struct report *report, struct error *error);
} kinds[] = {
    {"slo", build_slo},
    {"performance", build_performance},
};

static const struct format *find_format(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    }
    return NULL;
}

static const struct kind *find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    }
    return NULL;
}

static enum status write_report(const struct cli_args *args, const struct format *format,
                                const struct report *report, struct error *error)
{
    struct buffer document;
    struct output output = {0};
    buffer_init(&document, DOCUMENT_BYTES);
    enum status status = format->write(report, &document, error);
    if (status == STATUS_OK && document.overflow)
        status = error_set(error, STATUS_FULL, "the report is too large");
    if (status == STATUS_OK)
        status = output_open(cli_text(args, "output"), &output, error);
    if (status == STATUS_OK)
        status =
            output_write(output.file, cli_text(args, "output"), buffer_slice(&document), error);
    if (status == STATUS_OK)
        status = output_commit(&output, error);
    output_discard(&output);
    buffer_free(&document);
    return status;
}

int command_report(const struct cli_args *args)
{
    const struct kind *kind = find_kind(cli_argument(args, 0));
    const struct format *format = find_format(cli_text(args, "format"));
    if (!kind)
        return cli_usage(args, "there is no report '%s'; there are: slo, performance",
                         cli_argument(args, 0));
    if (!format)
        return cli_usage(args, "--format is pdf, csv or json, not '%s'", cli_text(args, "format"));
    if (!cli_has(args, "ledger") || !cli_has(args, "from") || !cli_has(args, "to"))
        return cli_usage(args, "--ledger DIR, --from TIME and --to TIME are needed");
    struct config *config = NULL;
    struct report report = {0};
    struct error error;
    enum status status = STATUS_OK;
    if (cli_has(args, "config"))
        status = config_load(cli_text(args, "config"), &config, &error);
    if (status == STATUS_OK)
        status = kind->build(args, config, &report, &error);
    if (status == STATUS_OK)
        status = write_report(args, format, &report, &error);
    report_free(&report);
    config_destroy(config);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}
