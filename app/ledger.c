/* `ledger head`: what others can check the record against. */
#include <inttypes.h>
#include <string.h>

#include "app/commands.h"
#include "app/output.h"
#include "engine/base/clock.h"
#include "engine/record/reader.h"

#define TEXT_BYTES (1u << 20)

static int need_ledger(const struct cli_args *args)
{
    return cli_text(args, "ledger") ? EXIT_DONE : cli_usage(args, "--ledger DIR is needed");
}

/* ---- head ---- */

static void head_text(const struct signed_head *head, struct buffer *out)
{
    char root[2 * SHA256_SIZE + 1], when[TIME_TEXT_SIZE];
    buffer_printf(out, "rows    %" PRIu64 "\nroot    %s\nsigned  %s by key %s\n", head->tree_size,
                  hex_encode(head->root, SHA256_SIZE, root),
                  time_format(head->timestamp_ms * 1000, when), head->key_id);
}

static void put_head(const struct cli_args *args, const struct signed_head *head,
                     const uint8_t public_key[PUBLIC_KEY_SIZE], struct buffer *out)
{
    if (cli_flag(args, "public-key")) {
        public_key_pem(public_key, out);
    } else if (cli_flag(args, "json")) {
        struct json_writer json;
        json_begin(&json, out);
        head_json(head, &json, NULL);
        buffer_append_char(out, '\n');
    } else {
        head_text(head, out);
    }
}

static enum status write_text(const struct cli_args *args, const struct buffer *text,
                              struct error *error)
{
    struct output output = {0};
    const char *path = cli_text(args, "output");
    enum status status = output_open(path, &output, error);
    if (status == STATUS_OK)
        status = output_write(output.file, path, buffer_slice(text), error);
    if (status == STATUS_OK)
        status = output_commit(&output, error);
    output_discard(&output);
    return status;
}

int command_ledger_head(const struct cli_args *args)
{
    struct error error;
    struct reader *reader = NULL;
    struct signed_head head;
    uint8_t public_key[PUBLIC_KEY_SIZE];
    struct buffer text;
    int code = need_ledger(args);
    if (code != EXIT_DONE)
        return code;
    buffer_init(&text, TEXT_BYTES);
    enum status status = reader_open(cli_text(args, "ledger"), &reader, &error);
    if (status == STATUS_OK)
        status = reader_signed_head(reader, &head, public_key, &error);
    if (status == STATUS_OK && head_check(&head, public_key) != STATUS_OK)
        status =
            error_set(&error, STATUS_CORRUPT,
                      "the newest head's signature does not fit: run `binnacle ledger verify`");
    if (status == STATUS_OK) {
        put_head(args, &head, public_key, &text);
        status = write_text(args, &text, &error);
    }
    reader_close(reader);
    buffer_free(&text);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}
