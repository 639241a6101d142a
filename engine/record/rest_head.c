/* The signature over what is not in leaves. Each group's digest goes on from the one before
 * (rest_priv.h), so that one signature speaks for every group up to it; a file keeps the newest.
 * The signed text is "binnacle-rest-v1\n<commits>\n<timestamp_ms>\n<rest hex>\n<digest hex>\n",
 * Ed25519 with the key of the heads. Signing and storing: the writer's thread; the rest is
 * computation. */
#include "engine/record/rest_head_priv.h"

#include <inttypes.h>
#include <stdio.h>

#include "engine/record/day_file_priv.h"

#define TEXT_SIZE 256

static struct slice text_of(const struct rest_head *head, char text[TEXT_SIZE])
{
    char rest[2 * SHA256_SIZE + 1], digest[2 * SHA256_SIZE + 1];
    int size =
        snprintf(text, TEXT_SIZE, "binnacle-rest-v1\n%" PRIu64 "\n%" PRId64 "\n%s\n%s\n",
                 head->commits, head->timestamp_ms, hex_encode(head->rest, SHA256_SIZE, rest),
                 hex_encode(head->digest, SHA256_SIZE, digest));
    return slice_make(text, (size_t)size);
}

enum status rest_head_check(const struct rest_head *head, const uint8_t public_key[PUBLIC_KEY_SIZE])
{
    char text[TEXT_SIZE], key_id[KEY_ID_SIZE];
    enum status status = head_key_id(public_key, key_id);
    if (status == STATUS_OK && strcmp(key_id, head->key_id) != 0)
        status = STATUS_CORRUPT;
    return status == STATUS_OK ? crypto_verify(public_key, text_of(head, text), head->signature)
                               : status;
}

static bool take_bytes(struct slice blob, uint8_t *out, size_t size)
{
    if (blob.size != size)
        return false;
    memcpy(out, blob.data, size);
    return true;
}

enum status rest_head_read(struct db *db, struct rest_head *head, struct error *error)
{
    struct db_stmt *select;
    *head = (struct rest_head){0};
    enum status status = db_prepare(
        db, "SELECT commits, timestamp_ms, rest, digest, key_id, signature FROM rest_head", &select,
        error);
    if (status != STATUS_OK)
        return status;
    status = db_step(select, error);
    if (status == STATUS_OK) {
        head->commits = (uint64_t)db_int(select, 0);
        head->timestamp_ms = db_int(select, 1);
        bool whole = take_bytes(db_blob(select, 2), head->rest, SHA256_SIZE) &&
                     take_bytes(db_blob(select, 3), head->digest, SHA256_SIZE) &&
                     take_bytes(db_text(select, 4), (uint8_t *)head->key_id, KEY_ID_SIZE - 1) &&
                     take_bytes(db_blob(select, 5), head->signature, SIGNATURE_SIZE);
        if (!whole)
            status = error_set(error, STATUS_CORRUPT, "rest_head is malformed");
    }
    db_finish(select);
    return status == STATUS_END ? STATUS_NOT_FOUND : status;
}

/* The digests as the open transaction has them. STATUS_NOT_FOUND: by a binnacle that kept none. */
static enum status read_digests(struct day *day, struct rest_head *head, struct error *error)
{
    struct db_stmt *select;
    enum status status =
        db_prepare(day->db, "SELECT commits, rest, digest FROM state", &select, error);
    if (status != STATUS_OK)
        return status;
    status = db_step(select, error);
    if (status == STATUS_OK) {
        head->commits = (uint64_t)db_int(select, 0);
        if (!take_bytes(db_blob(select, 1), head->rest, SHA256_SIZE) ||
            !take_bytes(db_blob(select, 2), head->digest, SHA256_SIZE))
            status = STATUS_NOT_FOUND;
    }
    db_finish(select);
    return status == STATUS_END ? STATUS_NOT_FOUND : status;
}

enum status rest_head_write(struct day *day, const struct head_key *key, int64_t timestamp_ms,
                            struct error *error)
{
    struct rest_head head = {.timestamp_ms = timestamp_ms};
    char text[TEXT_SIZE];
    struct db_stmt *insert;
    enum status status = read_digests(day, &head, error);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status == STATUS_OK)
        status = db_migrate_within(day->db, DAY_STEPS, SIGNED_VERSION, error);
    if (status != STATUS_OK)
        return status;
    memcpy(head.key_id, key->key_id, KEY_ID_SIZE);
    if (crypto_sign(key->seed, text_of(&head, text), head.signature) != STATUS_OK)
        return error_set(error, STATUS_UNSUPPORTED, "cannot sign the ledger's digests");
    status = db_prepare(day->db, "REPLACE INTO rest_head VALUES(1, ?1, ?2, ?3, ?4, ?5, ?6)",
                        &insert, error);
    if (status != STATUS_OK)
        return status;
    db_bind_int(insert, 1, (int64_t)head.commits);
    db_bind_int(insert, 2, head.timestamp_ms);
    db_bind_blob(insert, 3, slice_make(head.rest, SHA256_SIZE));
    db_bind_blob(insert, 4, slice_make(head.digest, SHA256_SIZE));
    db_bind_text(insert, 5, slice_of(head.key_id));
    db_bind_blob(insert, 6, slice_make(head.signature, SIGNATURE_SIZE));
    status = db_run(insert, error);
    db_finish(insert);
    return status;
}
