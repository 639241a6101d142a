/* `query` and `quarantine list|export|retry`: what the ledger holds, on stdout. */
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/entity.h"
#include "app/output.h"
#include "app/retry.h"
#include "app/session.h"
#include "engine/base/json.h"
#include "engine/reasons.h"
#include "engine/record/reader.h"

#define LINE_BYTES (16u << 20)

/* ---- query ---- */

/* -1 when the word is none of the names. */
static int decision_of(const char *word)
{
    for (int i = 0; i < DECISION_COUNT; i++) {
        if (strcmp(decision_name((enum decision)i), word) == 0)
            return i;
    }
    return -1;
}

static int variant_of(const char *word)
{
    for (int i = 0; i < VARIANT_COUNT; i++) {
        if (strcmp(variant_name((enum variant)i), word) == 0)
            return i;
    }
    return -1;
}

static struct slice option_slice(const struct cli_args *args, const char *name)
{
    return slice_of(cli_text(args, name));
}

static int fill_filter(const struct cli_args *args, struct query_filter *filter)
{
    query_filter_init(filter);
    if (cli_has(args, "from"))
        filter->from_us = cli_time_us(args, "from");
    if (cli_has(args, "to"))
        filter->to_us = cli_time_us(args, "to");
    filter->event_id = option_slice(args, "event-id");
    filter->reason = option_slice(args, "reason");
    if (cli_has(args, "min-score"))
        filter->min_score = cli_number(args, "min-score");
    if (cli_has(args, "max-score"))
        filter->max_score = cli_number(args, "max-score");
    if (cli_has(args, "decision") &&
        (filter->decision = decision_of(cli_text(args, "decision"))) < 0)
        return cli_usage(args, "--decision is approve, review or decline");
    if (cli_has(args, "variant") && (filter->variant = variant_of(cli_text(args, "variant"))) < 0)
        return cli_usage(args, "--variant is champion or canary");
    filter->limit = cli_int(args, "limit");
    char *end = NULL;
    if (cli_has(args, "cursor"))
        filter->cursor = strtoll(cli_text(args, "cursor"), &end, 10);
    if (end && (*end != '\0' || end == cli_text(args, "cursor")))
        return cli_usage(args, "--cursor is the ledger_index of the last row already seen");
    return EXIT_DONE;
}

/* Where the rows come from, and how their reasons are shown. */
struct asked {
    struct reader *reader;
    struct explainer *explainer; /* NULL: the recorded ones */
    int reasons;
};

static enum status print_rows(const struct asked *asked, const struct query_filter *filter,
                              bool *any, struct error *error)
{
    struct query *query = NULL;
    struct buffer line;
    buffer_init(&line, LINE_BYTES);
    enum status status = query_open(asked->reader, filter, &query, error);
    struct ledger_row row;
    while (status == STATUS_OK && (status = query_next(query, &row, error)) == STATUS_OK) {
        buffer_reset(&line);
        if (asked->explainer)
            status = explainer_explain(asked->explainer, asked->reasons, &row, error);
        if (status != STATUS_OK)
            break;
        row_query_json(&row, &line);
        *any = true;
        buffer_append_char(&line, '\n');
        status = output_write(stdout, "stdout", buffer_slice(&line), error);
    }
    query_close(query);
    buffer_free(&line);
    return status == STATUS_END ? STATUS_OK : status;
}

static enum status query_entity(const struct cli_args *args, const struct asked *asked,
                                struct query_filter *filter, struct error *error)
{
    char pseudonym[PSEUDONYM_SIZE];
    bool any = false;
    filter->entity = option_slice(args, "entity");
    enum status status = print_rows(asked, filter, &any, error);
    if (status != STATUS_OK || any)
        return status;
    status = entity_pseudonym(cli_text(args, "ledger"), filter->entity, pseudonym, error);
    if (status != STATUS_OK)
        return status;
    filter->entity = slice_of(pseudonym);
    status = print_rows(asked, filter, &any, error);
    filter->entity = slice_of(NULL); /* it ends with this function */
    return status;
}

static enum status query_rows(const struct cli_args *args, const struct asked *asked,
                              struct query_filter *filter, struct error *error)
{
    bool any = false;
    return cli_has(args, "entity") ? query_entity(args, asked, filter, error)
                                   : print_rows(asked, filter, &any, error);
}

/* Fewer rows than there once were are never given without a word. */
static void tell_deleted(const struct asked *asked, const struct query_filter *filter)
{
    struct deleted_rows rows;
    char when[TIME_TEXT_SIZE], until[TIME_TEXT_SIZE];
    if (!reader_deleted(asked->reader, &rows) || filter->from_us >= rows.until_us)
        return;
    fprintf(
        stderr,
        "binnacle query: rows 0 to %llu, of days before %.10s, were deleted by policy, the last "
        "on %.10s\n",
        (unsigned long long)rows.n - 1, time_format(rows.until_us, until),
        time_format(rows.deleted_us, when));
}

/* Reasons are computed by the configuration's models; nothing is written. */
static enum status query_explained(const struct cli_args *args, struct asked *asked,
                                   struct query_filter *filter, struct error *error)
{
    struct session_options options = {.config_dir = cli_text(args, "config"),
                                      .model_file = cli_text(args, "model")};
    struct session session = {0};
    enum status status = session_open(&options, &session, error);
    if (status == STATUS_OK)
        status = explainer_create(session.engine, &asked->explainer, error);
    if (status == STATUS_OK)
        status = query_rows(args, asked, filter, error);
    explainer_destroy(asked->explainer);
    session_close(&session);
    return status;
}

static int read_reasons(const struct cli_args *args, int *reasons)
{
    const char *text = cli_text(args, "reasons");
    if (!text)
        return EXIT_DONE;
    if (!reasons_parse(text, reasons))
        return cli_usage(args, "--reasons is a number or 'all', not '%s'", text);
    return cli_text(args, "config")
               ? EXIT_DONE
               : cli_usage(args, "--reasons needs --config DIR, whose models compute them");
}

int command_query(const struct cli_args *args)
{
    struct query_filter filter;
    struct asked asked = {.reasons = 0};
    int code = cli_need(args, "ledger");
    if (code == EXIT_DONE)
        code = fill_filter(args, &filter);
    if (code == EXIT_DONE)
        code = read_reasons(args, &asked.reasons);
    if (code != EXIT_DONE)
        return code;
    struct error error;
    enum status status = reader_open(cli_text(args, "ledger"), &asked.reader, &error);
    if (status == STATUS_OK)
        status = cli_text(args, "reasons") ? query_explained(args, &asked, &filter, &error)
                                           : query_rows(args, &asked, &filter, &error);
    if (status == STATUS_OK)
        tell_deleted(&asked, &filter);
    reader_close(asked.reader);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}

/* ---- quarantine ---- */

static void fill_quarantine_filter(const struct cli_args *args, bool all,
                                   struct quarantine_filter *filter)
{
    quarantine_filter_init(filter);
    filter->reason = option_slice(args, "reason");
    filter->field = option_slice(args, "field");
    filter->status = all ? -1 : QUARANTINE_OPEN;
}

static void fill_quarantine_times(const struct cli_args *args, struct quarantine_filter *filter)
{
    if (cli_has(args, "from"))
        filter->from_us = cli_time_us(args, "from");
    if (cli_has(args, "to"))
        filter->to_us = cli_time_us(args, "to");
}

struct listing {
    FILE *out;
    const char *name;
    struct buffer line;
    bool json;
};

static enum status list_row(void *context, const struct quarantine_row *row, struct error *error)
{
    struct listing *listing = context;
    buffer_reset(&listing->line);
    if (listing->json) {
        quarantine_json(row, &listing->line);
    } else {
        char when[TIME_TEXT_SIZE];
        buffer_printf(&listing->line, "%8llu  %s  %-8s  ", (unsigned long long)row->id,
                      time_format(row->received_us, when), quarantine_status_name(row->status));
        json_plain(row->violations, &listing->line);
    }
    buffer_append_char(&listing->line, '\n');
    return output_write(listing->out, listing->name, buffer_slice(&listing->line), error);
}

int command_quarantine_list(const struct cli_args *args)
{
    int code = cli_need(args, "ledger");
    if (code != EXIT_DONE)
        return code;
    struct quarantine_filter filter;
    fill_quarantine_filter(args, cli_flag(args, "all"), &filter);
    fill_quarantine_times(args, &filter);
    filter.limit = cli_int(args, "limit");
    struct listing listing = {.out = stdout, .name = "stdout", .json = cli_flag(args, "json")};
    buffer_init(&listing.line, LINE_BYTES);
    struct error error;
    struct reader *reader = NULL;
    enum status status = reader_open(cli_text(args, "ledger"), &reader, &error);
    if (status == STATUS_OK)
        status = quarantine_scan(reader, &filter, false, list_row, &listing, &error);
    reader_close(reader);
    buffer_free(&listing.line);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}

static enum status export_row(void *context, const struct quarantine_row *row, struct error *error)
{
    struct listing *listing = context;
    if (row->raw_deleted) {
        fprintf(stderr,
                "binnacle quarantine export: the bytes of event %llu were deleted by policy\n",
                (unsigned long long)row->id);
        return STATUS_OK;
    }
    enum status status = output_write(listing->out, listing->name, row->raw, error);
    return status == STATUS_OK ? output_write(listing->out, listing->name, slice_of("\n"), error)
                               : status;
}

int command_quarantine_export(const struct cli_args *args)
{
    int code = cli_need(args, "ledger");
    if (code != EXIT_DONE)
        return code;
    struct quarantine_filter filter;
    fill_quarantine_filter(args, cli_flag(args, "all"), &filter);
    fill_quarantine_times(args, &filter);
    struct error error;
    struct reader *reader = NULL;
    struct output output = {0};
    enum status status = reader_open(cli_text(args, "ledger"), &reader, &error);
    if (status == STATUS_OK)
        status = output_open(cli_text(args, "output"), &output, &error);
    struct listing listing = {.out = output.file, .name = cli_text(args, "output")};
    if (status == STATUS_OK)
        status = quarantine_scan(reader, &filter, true, export_row, &listing, &error);
    if (status == STATUS_OK)
        status = output_commit(&output, &error);
    output_discard(&output);
    reader_close(reader);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}

/* ---- quarantine retry ---- */

static int read_ids(const struct cli_args *args, uint64_t *ids)
{
    for (int i = 0; i < cli_n_arguments(args); i++) {
        const char *text = cli_argument(args, i);
        char *end;
        ids[i] = strtoull(text, &end, 10);
        if (text[0] < '0' || text[0] > '9' || *end != '\0')
            return cli_usage(args, "'%s' is not a quarantine_id, which is a number", text);
    }
    return EXIT_DONE;
}

static enum status print_answer(void *context, struct slice answer, struct error *error)
{
    (void)context;
    enum status status = output_write(stdout, "stdout", answer, error);
    return status == STATUS_OK ? output_write(stdout, "stdout", slice_of("\n"), error) : status;
}

static enum status retry_rows(const struct cli_args *args, struct retry *retry,
                              struct retry_count *count, struct error *error)
{
    struct session_options options = {
        .config_dir = cli_text(args, "config"),
        .model_file = cli_text(args, "model"),
        .ledger_dir = cli_text(args, "ledger"),
    };
    struct worker_options worker_options;
    struct session session = {0};
    enum status status = session_open(&options, &session, error);
    if (status == STATUS_OK) {
        worker_options = session_worker_options(&session);
        worker_options.wait_for_room = true;
        status =
            retry_run(retry, session.engine, &worker_options, print_answer, NULL, count, error);
    }
    session_close(&session);
    return status;
}

static int retry_these(const struct cli_args *args, const uint64_t *ids)
{
    struct error error;
    struct retry *retry = NULL;
    struct retry_count count = {0};
    struct quarantine_filter filter;
    fill_quarantine_filter(args, false, &filter);
    enum status status = retry_read(cli_text(args, "ledger"), &filter, ids,
                                    (size_t)cli_n_arguments(args), &retry, &error);
    if (status == STATUS_OK && retry_size(retry) > 0)
        status = retry_rows(args, retry, &count, &error);
    if (status == STATUS_OK)
        fprintf(stderr, "retried %zu: %zu accepted, %zu quarantined again\n", retry_size(retry),
                count.accepted, count.quarantined);
    retry_destroy(retry);
    if (status != STATUS_OK)
        return cli_fail(args, &error);
    return count.quarantined > 0 ? EXIT_FINDING : EXIT_DONE;
}

int command_quarantine_retry(const struct cli_args *args)
{
    if (!cli_text(args, "config") || !cli_text(args, "ledger"))
        return cli_usage(args, "--config DIR and --ledger DIR are needed");
    uint64_t *ids = calloc((size_t)cli_n_arguments(args) + 1, sizeof *ids);
    struct error error;
    if (!ids) {
        error_set(&error, STATUS_MEMORY, "out of memory");
        return cli_fail(args, &error);
    }
    int code = read_ids(args, ids);
    if (code == EXIT_DONE)
        code = retry_these(args, ids);
    free(ids);
    return code;
}
