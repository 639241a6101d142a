/* `contract check|schema|diff`. */
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "app/output.h"
#include "engine/base/json.h"
#include "engine/base/number.h"
#include "engine/contract/audit.h"
#include "engine/contract/compat.h"
#include "engine/contract/contract.h"
#include "engine/contract/jsonschema.h"

#define DOCUMENT_BYTES (16u << 20)

static const char *field_name(const struct schema *schema, int field)
{
    return field < 0 ? "the event" : schema->fields[field].name;
}

static int print_document(const struct cli_args *args, struct buffer *document)
{
    struct error error;
    buffer_append_char(document, '\n');
    enum status status = document->overflow
                             ? error_set(&error, STATUS_FULL, "the document is too large")
                             : output_write(stdout, "stdout", buffer_slice(document), &error);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}

static void audit_json(const struct schema *schema, const struct audit *audit, struct buffer *out)
{
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    json_int(&json, "events", (int64_t)audit->n_events);
    json_int(&json, "accepted", (int64_t)audit->n_accepted);
    json_array(&json, "findings");
    for (size_t i = 0; i < audit->n_counts; i++) {
        const struct audit_count *count = &audit->counts[i];
        json_object(&json, NULL);
        json_text(&json, "field", count->field < 0 ? NULL : schema->fields[count->field].name);
        json_text(&json, "reason", violation_name(count->code));
        json_text(&json, "check", count->check);
        json_int(&json, "n", (int64_t)count->n);
        json_int(&json, "first_line", count->first_line);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
}

static void audit_text(const struct schema *schema, const struct audit *audit, struct buffer *out)
{
    buffer_printf(out, "%llu %s, %llu accepted", (unsigned long long)audit->n_events,
                  number_noun(audit->n_events, "event", "events"),
                  (unsigned long long)audit->n_accepted);
    for (size_t i = 0; i < audit->n_counts; i++) {
        const struct audit_count *count = &audit->counts[i];
        buffer_printf(out, "\n%10llu  %-20s %s%s%s  (first in line %lld)",
                      (unsigned long long)count->n, field_name(schema, count->field),
                      violation_name(count->code), count->check ? " " : "",
                      count->check ? count->check : "", (long long)count->first_line);
    }
}

static int check_data(const struct cli_args *args, const struct contract *contract)
{
    struct audit audit;
    struct error error;
    if (audit_file(contract, cli_argument(args, 1), &audit, &error) != STATUS_OK)
        return cli_fail(args, &error);
    struct buffer out;
    buffer_init(&out, DOCUMENT_BYTES);
    (cli_flag(args, "json") ? audit_json : audit_text)(contract_schema(contract), &audit, &out);
    int code = print_document(args, &out);
    if (code == EXIT_DONE && audit.n_accepted < audit.n_events)
        code = EXIT_FINDING;
    buffer_free(&out);
    audit_free(&audit);
    return code;
}

int command_contract_check(const struct cli_args *args)
{
    struct contract *contract;
    struct error error;
    if (contract_load(cli_argument(args, 0), &contract, &error) != STATUS_OK)
        return cli_fail(args, &error);
    const struct schema *schema = contract_schema(contract);
    int code = EXIT_DONE;
    if (cli_n_arguments(args) == 2)
        code = check_data(args, contract);
    else
        printf("%s version %s: %zu %s, %zu %s: ok\n", schema->name, schema->version,
               schema->n_fields, number_noun(schema->n_fields, "field", "fields"),
               contract_n_checks(contract),
               number_noun(contract_n_checks(contract), "check", "checks"));
    contract_destroy(contract);
    return code;
}

int command_contract_schema(const struct cli_args *args)
{
    struct contract *contract;
    struct error error;
    if (contract_load(cli_argument(args, 0), &contract, &error) != STATUS_OK)
        return cli_fail(args, &error);
    struct buffer out;
    buffer_init(&out, DOCUMENT_BYTES);
    contract_json_schema(contract, &out);
    int code = print_document(args, &out);
    buffer_free(&out);
    contract_destroy(contract);
    return code;
}

static void diff_json(const struct compat_report *report, enum compat_mode mode, struct buffer *out)
{
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    json_text(&json, "mode", compat_mode_name(mode));
    json_bool(&json, "compatible", compat_breaks(report, mode) == 0);
    json_array(&json, "findings");
    for (size_t i = 0; i < report->n_findings; i++) {
        const struct compat_finding *finding = &report->findings[i];
        json_object(&json, NULL);
        json_text(&json, "field", finding->field);
        json_text(&json, "change", finding->change);
        json_text(&json, "text", finding->text);
        json_bool(&json, "breaks_backward", finding->breaks_backward);
        json_bool(&json, "breaks_forward", finding->breaks_forward);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
}

static void diff_text(const struct compat_report *report, enum compat_mode mode, struct buffer *out)
{
    for (size_t i = 0; i < report->n_findings; i++) {
        const struct compat_finding *finding = &report->findings[i];
        buffer_printf(out, "%s  %-20s %s\n",
                      compat_finding_breaks(finding, mode) ? "breaks" : "fine  ", finding->field,
                      finding->text);
    }
    size_t breaks = compat_breaks(report, mode);
    if (breaks > 0)
        buffer_printf(out, "not %s compatible: %zu of %zu %s %s", compat_mode_name(mode), breaks,
                      report->n_findings, number_noun(report->n_findings, "change", "changes"),
                      number_noun(breaks, "breaks", "break"));
    else
        buffer_printf(out, "%s compatible: %zu %s", compat_mode_name(mode), report->n_findings,
                      number_noun(report->n_findings, "change", "changes"));
}

static int diff_contracts(const struct cli_args *args, const struct contract *last,
                          const struct contract *next, enum compat_mode mode)
{
    struct compat_report report;
    struct error error;
    if (compat_compare(last, next, &report, &error) != STATUS_OK)
        return cli_fail(args, &error);
    struct buffer out;
    buffer_init(&out, DOCUMENT_BYTES);
    (cli_flag(args, "json") ? diff_json : diff_text)(&report, mode, &out);
    int code = print_document(args, &out);
    if (code == EXIT_DONE && compat_breaks(&report, mode) > 0)
        code = EXIT_FINDING;
    buffer_free(&out);
    compat_free(&report);
    return code;
}

int command_contract_diff(const struct cli_args *args)
{
    enum compat_mode mode;
    if (!compat_mode_parse(cli_text(args, "mode"), &mode))
        return cli_usage(args, "--mode is backward, forward or full, not '%s'",
                         cli_text(args, "mode"));
    struct contract *last = NULL, *next = NULL;
    struct error error;
    int code;
    if (contract_load(cli_argument(args, 0), &last, &error) != STATUS_OK ||
        contract_load(cli_argument(args, 1), &next, &error) != STATUS_OK)
        code = cli_fail(args, &error);
    else
        code = diff_contracts(args, last, next, mode);
    contract_destroy(next);
    contract_destroy(last);
    return code;
}
