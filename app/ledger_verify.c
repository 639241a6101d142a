/* `ledger verify`: what is wrong with the record, found and named. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/output.h"
#include "app/progress.h"
#include "engine/base/clock.h"
#include "engine/base/input.h"
#include "engine/record/verify.h"

#define FILE_BYTES (1u << 20)
#define TEXT_BYTES (1u << 30)

/* What the command line asks for; arrays are its own. */
struct request {
    struct verify_options options;
    struct signed_head *heads;
    size_t capacity;
    uint8_t public_key[PUBLIC_KEY_SIZE];
    struct progress progress;
};

static enum status add_head(struct request *request, struct slice line, struct error *error)
{
    struct json *json = NULL;
    struct verify_options *options = &request->options;
    if (options->n_heads == request->capacity) {
        size_t capacity = request->capacity ? 2 * request->capacity : 16;
        struct signed_head *heads = reallocarray(request->heads, capacity, sizeof *heads);
        if (!heads)
            return error_set(error, STATUS_MEMORY, "out of memory");
        request->heads = heads;
        request->capacity = capacity;
    }
    enum status status = json_parse(line, &json, error);
    if (status == STATUS_OK)
        status = head_parse(json, &request->heads[options->n_heads], error);
    options->n_heads += status == STATUS_OK;
    options->heads = request->heads;
    json_destroy(json);
    return status;
}

static enum status read_heads(const char *path, struct request *request, struct error *error)
{
    struct input *input = NULL;
    struct slice line;
    enum status status = input_open(path, FILE_BYTES, &input, error);
    while (status == STATUS_OK && (status = input_line(input, &line, error)) == STATUS_OK) {
        if (line.size == 0)
            continue;
        status = add_head(request, line, error);
        if (status != STATUS_OK)
            error_prefix(error, "%s line %lld", path, (long long)input_line_number(input));
    }
    input_close(input);
    if (status != STATUS_END)
        return status;
    return request->options.n_heads > 0
               ? STATUS_OK
               : error_set(error, STATUS_INVALID, "%s: there is no head in it", path);
}

static enum status read_public_key(const char *path, struct request *request, struct error *error)
{
    struct input *input = NULL;
    struct slice line;
    struct buffer text;
    buffer_init(&text, FILE_BYTES);
    enum status status = input_open(path, FILE_BYTES, &input, error);
    while (status == STATUS_OK && (status = input_line(input, &line, error)) == STATUS_OK) {
        buffer_append_slice(&text, line);
        buffer_append_char(&text, '\n');
    }
    input_close(input);
    if (status == STATUS_END) {
        status = public_key_parse(buffer_slice(&text), request->public_key, error);
        if (status != STATUS_OK)
            error_prefix(error, "%s", path);
    }
    request->options.public_key = request->public_key;
    buffer_free(&text);
    return status;
}

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
    char root[2 * SHA256_SIZE + 1];
    json_begin(&json, out);
    json_object(&json, NULL);
    json_bool(&json, "ok", report->ok);
    json_int(&json, "tree_size", (int64_t)report->tree_size);
    json_text(&json, "root", hex_encode(report->root, SHA256_SIZE, root));
    json_array(&json, "bad");
    for (size_t i = 0; i < report->n_kept; i++)
        put_bad(&report->bad[i], &json);
    json_array_end(&json);
    json_int(&json, "bad_count", (int64_t)report->n_bad);
    json_int(&json, "heads", (int64_t)report->n_heads);
    json_int(&json, "days", (int64_t)report->n_days);
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
    bool ok = false;
    if (!cli_text(args, "ledger"))
        return cli_usage(args, "--ledger DIR is needed");
    struct request request = {.options = {.dir = cli_text(args, "ledger"),
                                          .threads = (int)cli_int(args, "threads"),
                                          .max_bad = (size_t)cli_int(args, "limit"),
                                          .progress = show_progress}};
    request.options.context = &request.progress;
    enum status status = STATUS_OK;
    if (cli_has(args, "head"))
        status = read_heads(cli_text(args, "head"), &request, &error);
    if (status == STATUS_OK && cli_has(args, "public-key"))
        status = read_public_key(cli_text(args, "public-key"), &request, &error);
    if (status == STATUS_OK)
        status = verify_and_print(args, &request, &ok, &error);
    free(request.heads);
    if (status != STATUS_OK)
        return cli_fail(args, &error);
    return ok ? EXIT_DONE : EXIT_FINDING;
}
