/* `ledger verify`: what is wrong with the record, found and named. */
#include <inttypes.h>
#include <stdlib.h>

#include "app/commands.h"
#include "app/kept_heads.h"
#include "app/output.h"
#include "app/progress.h"
#include "engine/base/clock.h"
#include "engine/record/verify.h"

#define TEXT_BYTES (1u << 30)

/* What the command line asks for. */
struct request {
    struct verify_options options;
    struct progress progress;
};

static void show_progress(void *context, uint64_t rows)
{
    progress_update(context, -1, (int64_t)rows);
}

static void put_bad(const struct verify_bad *bad, struct json_writer *json)
{
    json_object(json, NULL);
    if (bad->index >= 0)
        json_int(json, "index", bad->index);
    else
        json_null(json, "index");
    json_text(json, "event_id", bad->event_id);
    json_text(json, "where", bad->where);
    json_object_end(json);
}

static void report_json(const struct verify_report *report, struct buffer *out)
{
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    json_bool(&json, "ok", report->ok);
    json_int(&json, "tree_size", (int64_t)report->tree_size);
    json_hex(&json, "root", report->root, SHA256_SIZE);
    json_array(&json, "bad");
    for (size_t i = 0; i < report->n_kept; i++)
        put_bad(&report->bad[i], &json);
    json_array_end(&json);
    json_int(&json, "bad_count", (int64_t)report->n_bad);
    json_int(&json, "heads", (int64_t)report->n_heads);
    json_int(&json, "days", (int64_t)report->n_days);
    json_int(&json, "deleted_rows", (int64_t)report->n_deleted);
    json_time_or_null(&json, "deleted_at", report->n_deleted > 0 ? report->deleted_us : 0);
    json_object_end(&json);
    buffer_append_char(out, '\n');
}

static void report_text(const struct verify_report *report, double seconds, struct buffer *out)
{
    char root[2 * SHA256_SIZE + 1];
    for (size_t i = 0; i < report->n_kept; i++) {
        const struct verify_bad *bad = &report->bad[i];
        buffer_append_text(out, "▲ ");
        if (bad->index >= 0)
            buffer_printf(out, "row %" PRId64 "  ", bad->index);
        if (bad->event_id)
            buffer_printf(out, "event %s  ", bad->event_id);
        buffer_printf(out, "%s\n", bad->where);
    }
    if (report->n_bad > report->n_kept)
        buffer_printf(out, "  and %" PRIu64 " more\n", report->n_bad - report->n_kept);
    buffer_printf(out,
                  "%s %" PRIu64 " rows and %" PRIu64 " signed heads in %zu day files, %.1f s: %s\n"
                  "  root %s\n",
                  report->ok ? "●" : "▲", report->n_rows, report->n_heads, report->n_days, seconds,
                  report->ok ? "all as recorded" : "NOT as recorded",
                  hex_encode(report->root, SHA256_SIZE, root));
    if (report->n_deleted > 0) {
        char when[TIME_TEXT_SIZE];
        buffer_printf(out, "  rows 0 to %" PRIu64 " were deleted by policy, the last on %.10s\n",
                      report->n_deleted - 1, time_format(report->deleted_us, when));
    }
}

static enum status verify_and_print(const struct cli_args *args, struct request *request, bool *ok,
                                    struct error *error)
{
    struct verify_report report;
    struct buffer text;
    int64_t begun_ns = monotonic_ns();
    buffer_init(&text, TEXT_BYTES);
    progress_begin(&request->progress, "verify", "rows");
    enum status status = ledger_verify(&request->options, &report, error);
    progress_end(&request->progress);
    if (status == STATUS_OK) {
        if (cli_flag(args, "json"))
            report_json(&report, &text);
        else
            report_text(&report, (double)(monotonic_ns() - begun_ns) / 1e9, &text);
        status = output_write(stdout, "stdout", buffer_slice(&text), error);
    }
    *ok = report.ok;
    verify_report_free(&report);
    buffer_free(&text);
    return status;
}

int command_ledger_verify(const struct cli_args *args)
{
    struct error error;
    struct kept_heads kept;
    bool ok = false;
    if (cli_need(args, "ledger") != EXIT_DONE)
        return EXIT_FAILED;
    struct request request = {.options = {.dir = cli_text(args, "ledger"),
                                          .threads = (int)cli_int(args, "threads"),
                                          .max_bad = (size_t)cli_int(args, "limit"),
                                          .progress = show_progress}};
    request.options.context = &request.progress;
    enum status status = kept_heads_read(args, &kept, &error);
    if (status == STATUS_OK) {
        request.options.heads = kept.heads;
        request.options.n_heads = kept.n;
        request.options.public_key = kept.has_key ? kept.public_key : NULL;
        status = verify_and_print(args, &request, &ok, &error);
    }
    kept_heads_free(&kept);
    if (status != STATUS_OK)
        return cli_fail(args, &error);
    return ok ? EXIT_DONE : EXIT_FINDING;
}
