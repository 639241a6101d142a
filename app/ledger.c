/* `ledger head` and `ledger prove`: what others can check the record by. */
#include <inttypes.h>
#include <string.h>

#include "app/commands.h"
#include "app/output.h"
#include "engine/base/clock.h"
#include "engine/record/proof.h"
#include "engine/record/reader.h"
#include "engine/record/tree.h"

#define TEXT_BYTES (256u << 20)

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

/* ---- prove ---- */

static void put_hash(struct json_writer *json, const char *key, const uint8_t hash[SHA256_SIZE])
{
    char text[2 * SHA256_SIZE + 1];
    json_text(json, key, hex_encode(hash, SHA256_SIZE, text));
}

static void put_path(struct json_writer *json, const struct proof_path *path)
{
    json_array(json, "path");
    for (size_t i = 0; i < path->n; i++)
        put_hash(json, NULL, path->hashes[i]);
    json_array_end(json);
}

/* The row that is asked for: its index and leaf. */
static enum status find_leaf(const struct cli_args *args, struct reader *reader, uint64_t *index,
                             struct buffer *leaf, uint8_t hash[SHA256_SIZE], struct error *error)
{
    struct ledger_row row;
    uint8_t stored[SHA256_SIZE];
    enum status status = STATUS_OK;
    if (cli_has(args, "index"))
        *index = (uint64_t)cli_int(args, "index");
    else
        status = reader_find_event(reader, slice_of(cli_argument(args, 0)), &row, error);
    if (status == STATUS_OK && !cli_has(args, "index"))
        *index = row.index;
    if (status == STATUS_OK)
        status = reader_leaf(reader, *index, leaf, stored, error);
    if (status == STATUS_OK)
        status = tree_leaf_hash(buffer_slice(leaf), hash);
    if (status == STATUS_OK && memcmp(hash, stored, SHA256_SIZE) != 0)
        status = error_set(error, STATUS_CORRUPT,
                           "row %" PRIu64 " is not what was recorded: run `binnacle ledger verify`",
                           *index);
    return status;
}

struct row_proof {
    uint64_t index;
    struct buffer leaf;
    uint8_t hash[SHA256_SIZE];
    struct signed_head head;
    struct proof_path path;
};

static enum status make_row_proof(const struct cli_args *args, struct reader *reader,
                                  struct row_proof *proof, struct error *error)
{
    struct proofs *proofs = NULL;
    uint8_t public_key[PUBLIC_KEY_SIZE];
    enum status status = find_leaf(args, reader, &proof->index, &proof->leaf, proof->hash, error);
    if (status == STATUS_OK)
        status = reader_signed_head(reader, &proof->head, public_key, error);
    if (status == STATUS_OK && proof->index >= proof->head.tree_size)
        status = error_set(error, STATUS_UNAVAILABLE,
                           "row %" PRIu64 " is newer than the newest signed head: try again in a "
                           "second",
                           proof->index);
    if (status == STATUS_OK)
        status = proofs_open(reader, &proofs, error);
    if (status == STATUS_OK)
        status = proof_inclusion(proofs, proof->index, proof->head.tree_size, &proof->path, error);
    if (status == STATUS_OK && (head_check(&proof->head, public_key) != STATUS_OK ||
                                !proof_includes(proof->hash, proof->index, proof->head.tree_size,
                                                &proof->path, proof->head.root)))
        status = error_set(error, STATUS_CORRUPT,
                           "the rows do not lead to the newest signed head: run `binnacle ledger "
                           "verify`");
    proofs_close(proofs);
    return status;
}

static enum status prove_row(const struct cli_args *args, struct reader *reader,
                             struct buffer *text, struct error *error)
{
    struct row_proof proof = {0};
    struct buffer leaf;
    struct json_writer json;
    buffer_init(&proof.leaf, TEXT_BYTES);
    buffer_init(&leaf, TEXT_BYTES);
    enum status status = make_row_proof(args, reader, &proof, error);
    if (status == STATUS_OK) {
        base64_encode(buffer_slice(&proof.leaf), &leaf);
        json_begin(&json, text);
        json_object(&json, NULL);
        json_int(&json, "leaf_index", (int64_t)proof.index);
        json_int(&json, "tree_size", (int64_t)proof.head.tree_size);
        json_string(&json, "leaf_b64", buffer_slice(&leaf));
        put_hash(&json, "leaf_hash", proof.hash);
        put_path(&json, &proof.path);
        head_json(&proof.head, &json, "head");
        json_object_end(&json);
        buffer_append_char(text, '\n');
    }
    buffer_free(&proof.leaf);
    buffer_free(&leaf);
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
    put_hash(&json, "first_root", first_root);
    put_hash(&json, "second_root", second_root);
    put_path(&json, &path);
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
    int code = need_ledger(args);
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
