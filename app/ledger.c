/* `ledger head` and `ledger prove`: what others can check the record by. */
#include <inttypes.h>

#include "app/commands.h"
#include "app/output.h"
#include "engine/base/clock.h"
#include "engine/record/proof.h"
#include "engine/record/reader.h"
#include "engine/record/row_proof.h"

#define TEXT_BYTES (256u << 20)

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
    int code = cli_need(args, "ledger");
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

/* ---- prove ---- */

static enum status prove_row(const struct cli_args *args, struct reader *reader,
                             struct buffer *text, struct error *error)
{
    struct ledger_row row = {.index =
                                 cli_has(args, "index") ? (uint64_t)cli_int(args, "index") : 0};
    enum status status = STATUS_OK;
    if (!cli_has(args, "index"))
        status = reader_find_event(reader, slice_of(cli_argument(args, 0)), &row, error);
    if (status == STATUS_OK)
        status = row_proof_json(reader, row.index, text, error);
    if (status == STATUS_OK)
        buffer_append_char(text, '\n');
    return status;
}

static enum status prove_growth(const struct cli_args *args, struct reader *reader,
                                struct buffer *text, struct error *error)
{
    uint64_t first = (uint64_t)cli_int(args, "from"), second = (uint64_t)cli_int(args, "to");
    uint8_t first_root[SHA256_SIZE], second_root[SHA256_SIZE];
    struct proofs *proofs = NULL;
    struct proof_path path;
    struct json_writer json;
    enum status status = proofs_open(reader, &proofs, error);
    if (status == STATUS_OK)
        status = proof_consistency(proofs, first, second, &path, error);
    if (status == STATUS_OK)
        status = proof_root(proofs, first, first_root, error);
    if (status == STATUS_OK)
        status = proof_root(proofs, second, second_root, error);
    proofs_close(proofs);
    if (status != STATUS_OK)
        return status;
    json_begin(&json, text);
    json_object(&json, NULL);
    json_int(&json, "first", (int64_t)first);
    json_int(&json, "second", (int64_t)second);
    json_hex(&json, "first_root", first_root, SHA256_SIZE);
    json_hex(&json, "second_root", second_root, SHA256_SIZE);
    proof_path_json(&json, &path);
    json_object_end(&json);
    buffer_append_char(text, '\n');
    return STATUS_OK;
}

int command_ledger_prove(const struct cli_args *args)
{
    struct error error;
    struct reader *reader = NULL;
    struct buffer text;
    bool growth = cli_has(args, "from") || cli_has(args, "to");
    int code = cli_need(args, "ledger");
    if (code != EXIT_DONE)
        return code;
    if (growth && !(cli_has(args, "from") && cli_has(args, "to")))
        return cli_usage(args, "--from and --to go together");
    if (cli_n_arguments(args) + cli_has(args, "index") + growth != 1)
        return cli_usage(args, "give one of EVENT_ID, --index N, or --from N --to M");
    buffer_init(&text, TEXT_BYTES);
    enum status status = reader_open(cli_text(args, "ledger"), &reader, &error);
    if (status == STATUS_OK)
        status = growth ? prove_growth(args, reader, &text, &error)
                        : prove_row(args, reader, &text, &error);
    if (status == STATUS_OK)
        status = write_text(args, &text, &error);
    reader_close(reader);
    buffer_free(&text);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}
