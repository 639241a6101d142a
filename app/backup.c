/* `backup` and `restore`: the record as a whole, taken while it is written and put back. */
#include <inttypes.h>
#include <string.h>

#include "app/commands.h"
#include "app/kept_heads.h"
#include "app/output.h"
#include "app/progress.h"
#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/record/backup.h"

#define TEXT_BYTES (1u << 20)

struct shown {
    struct progress progress;
    const char *what; /* the part that is drawn now */
};

static void show_progress(void *context, const char *what, double done_ratio, int64_t count)
{
    struct shown *shown = context;
    if (!shown->what || strcmp(shown->what, what) != 0) {
        progress_end(&shown->progress);
        progress_begin(&shown->progress, what, strcmp(what, "copy") == 0 ? "bytes" : "rows");
        shown->what = what;
    }
    progress_update(&shown->progress, done_ratio, count);
}

/* ---- what is printed ---- */

struct result {
    const char *from, *to;
    bool restored;
    double seconds;
    const struct backup_report *report;
};

static void put_json(const struct result *result, struct buffer *out)
{
    const struct backup_report *report = result->report;
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    json_int(&json, "tree_size", (int64_t)report->tree_size);
    json_hex(&json, "root", report->root, SHA256_SIZE);
    json_int(&json, "files", (int64_t)report->n_files);
    json_int(&json, "bytes", report->bytes);
    json_number(&json, "seconds", result->seconds);
    json_int(&json, "copied_files", (int64_t)report->n_copied);
    json_int(&json, "copied_bytes", report->copied_bytes);
    json_bool(&json, "keys", report->has_keys);
    if (report->has_head)
        head_json(&report->head, &json, "head");
    else
        json_null(&json, "head");
    if (result->restored)
        json_text_or_null(&json, "before", report->aside);
    json_object_end(&json);
    buffer_append_char(out, '\n');
}

static void put_text(const struct result *result, struct buffer *out)
{
    const struct backup_report *report = result->report;
    char root[2 * SHA256_SIZE + 1], when[TIME_TEXT_SIZE];
    buffer_printf(out,
                  "● %s to %s: %" PRIu64 " rows in %" PRIu64 " files, %.1f MB (%" PRIu64
                  " files, %.1f MB copied), %.1f s: all as recorded\n  root %s\n",
                  result->from, result->to, report->tree_size, report->n_files,
                  (double)report->bytes / 1e6, report->n_copied, (double)report->copied_bytes / 1e6,
                  result->seconds, hex_encode(report->root, SHA256_SIZE, root));
    if (report->has_head)
        buffer_printf(out, "  head over %" PRIu64 " rows, signed %s by key %s\n",
                      report->head.tree_size, time_format(report->head.timestamp_ms * 1000, when),
                      report->head.key_id);
    if (report->aside[0])
        buffer_printf(out, "  what was there before is in %s\n", report->aside);
}

static enum status print_result(const struct cli_args *args, const struct result *result,
                                struct error *error)
{
    struct buffer text;
    buffer_init(&text, TEXT_BYTES);
    if (cli_flag(args, "json"))
        put_json(result, &text);
    else
        put_text(result, &text);
    enum status status = output_write(stdout, "-", buffer_slice(&text), error);
    buffer_free(&text);
    return status;
}

/* The findings of a copy that is not as it was recorded. */
static void print_findings(const struct backup_report *report)
{
    for (size_t i = 0; i < report->verify.n_kept; i++)
        fprintf(stderr, "▲ %s\n", report->verify.bad[i].where);
    if (report->verify.n_bad > report->verify.n_kept)
        fprintf(stderr, "  and %" PRIu64 " more\n", report->verify.n_bad - report->verify.n_kept);
}

static int finish(const struct cli_args *args, enum status status, const struct result *result,
                  struct error *error)
{
    if (status == STATUS_OK)
        status = print_result(args, result, error);
    if (status == STATUS_OK)
        return EXIT_DONE;
    if (status == STATUS_CORRUPT)
        print_findings(result->report);
    int code = cli_fail(args, error);
    return status == STATUS_CORRUPT ? EXIT_FINDING : code;
}

/* ---- the commands ---- */

int command_backup(const struct cli_args *args)
{
    struct error error;
    struct backup_report report;
    struct shown shown = {0};
    int code = cli_need(args, "ledger");
    if (code == EXIT_DONE)
        code = cli_need(args, "to");
    if (code != EXIT_DONE)
        return code;
    const struct backup_options options = {.ledger = cli_text(args, "ledger"),
                                           .to = cli_text(args, "to"),
                                           .with_keys = cli_flag(args, "with-keys"),
                                           .progress = show_progress,
                                           .context = &shown};
    int64_t begun_ns = monotonic_ns();
    enum status status = ledger_backup(&options, &report, &error);
    progress_end(&shown.progress);
    if (status == STATUS_OK && !report.has_keys)
        fprintf(stderr,
                "binnacle backup: the keys are not in this backup: keep a copy of %s/keys in "
                "another place; without them the record can be read and verified, but not gone on "
                "with, and personal data and quarantined events cannot be opened\n",
                options.ledger);
    const struct result result = {.from = options.ledger,
                                  .to = options.to,
                                  .seconds = (double)(monotonic_ns() - begun_ns) / 1e9,
                                  .report = &report};
    code = finish(args, status, &result, &error);
    backup_report_free(&report);
    return code;
}

static void warn_of_keys(const struct cli_args *args)
{
    fprintf(stderr,
            "binnacle restore: there are no keys in %s/keys: put the ledger's own there before a "
            "service writes it\n",
            cli_text(args, "ledger"));
}

int command_restore(const struct cli_args *args)
{
    struct error error;
    struct backup_report report = {0};
    struct kept_heads kept;
    struct shown shown = {0};
    int code = cli_need(args, "from");
    if (code == EXIT_DONE)
        code = cli_need(args, "ledger");
    if (code != EXIT_DONE)
        return code;
    int64_t begun_ns = monotonic_ns();
    enum status status = kept_heads_read(args, &kept, &error);
    const struct restore_options options = {.from = cli_text(args, "from"),
                                            .ledger = cli_text(args, "ledger"),
                                            .replace = cli_flag(args, "replace"),
                                            .keys = cli_text(args, "keys"),
                                            .heads = kept.heads,
                                            .n_heads = kept.n,
                                            .public_key = kept.has_key ? kept.public_key : NULL,
                                            .progress = show_progress,
                                            .context = &shown};
    if (status == STATUS_OK)
        status = ledger_restore(&options, &report, &error);
    progress_end(&shown.progress);
    if (status == STATUS_OK && !report.has_keys)
        warn_of_keys(args);
    const struct result result = {.from = options.from,
                                  .to = options.ledger,
                                  .restored = true,
                                  .seconds = (double)(monotonic_ns() - begun_ns) / 1e9,
                                  .report = &report};
    code = finish(args, status, &result, &error);
    backup_report_free(&report);
    kept_heads_free(&kept);
    return code;
}
