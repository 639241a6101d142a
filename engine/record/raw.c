/* The bytes of quarantined events, which are the only ones in a ledger that are as somebody sent
 * them, are kept for a shorter time than the record: what was wrong with them, when and where they
 * came from stays. Done to the copy that a day is sealed as, so that the sealed file's SHA-256
 * covers what is left. */
#include "engine/record/raw_priv.h"

#include <string.h>

#include "engine/record/codec_priv.h"

bool raw_is_gone(struct slice sealed)
{
    return sealed.size == RAW_GONE_SIZE && memcmp(sealed.data, RAW_GONE, sizeof RAW_GONE - 1) == 0;
}

enum status raw_gone_make(struct db_stmt *event, uint8_t out[RAW_GONE_SIZE])
{
    struct buffer scratch;
    buffer_init(&scratch, (size_t)64 << 20);
    for (int i = 0; i < 7; i++)
        put_i64(&scratch, db_int(event, i));
    put_text(&scratch, db_text(event, 7));
    put_text(&scratch, db_blob(event, 9));
    memcpy(out, RAW_GONE, sizeof RAW_GONE - 1);
    enum status status = scratch.overflow
                             ? STATUS_MEMORY
                             : crypto_sha256(buffer_slice(&scratch), (struct slice){0},
                                             (struct slice){0}, out + sizeof RAW_GONE - 1);
    buffer_free(&scratch);
    return status;
}

static enum status replace(struct db_stmt *select, struct db_stmt *update, uint64_t *n,
                           struct error *error)
{
    uint8_t gone[RAW_GONE_SIZE];
    enum status status;
    while ((status = db_step(select, error)) == STATUS_OK) {
        if (raw_is_gone(db_blob(select, 8)))
            continue;
        if (raw_gone_make(select, gone) != STATUS_OK)
            return error_set(error, STATUS_MEMORY, "out of memory for a quarantined event");
        db_bind_int(update, 1, db_int(select, 0));
        db_bind_blob(update, 2, slice_make(gone, sizeof gone));
        status = db_run(update, error);
        if (status != STATUS_OK)
            return status;
        ++*n;
    }
    return status == STATUS_END ? STATUS_OK : status;
}

/* An older binnacle's events have no digest. */
static enum status has_digests(struct db *db, bool *has, struct error *error)
{
    struct db_stmt *select;
    enum status status =
        db_prepare(db, "SELECT count(*) FROM pragma_table_info('quarantine') WHERE name = 'digest'",
                   &select, error);
    if (status != STATUS_OK)
        return status;
    status = db_step(select, error);
    *has = status == STATUS_OK && db_int(select, 0) > 0;
    db_finish(select);
    return status;
}

enum status raw_delete(struct db *db, uint64_t *n, struct error *error)
{
    struct db_stmt *select = NULL, *update = NULL;
    bool digests = false;
    *n = 0;
    enum status status = has_digests(db, &digests, error);
    if (status == STATUS_OK)
        status = db_exec(db, "PRAGMA secure_delete = ON", error);
    if (status == STATUS_OK)
        status = db_prepare(db,
                            digests ? "SELECT " RAW_COLUMNS " FROM quarantine ORDER BY id"
                                    : "SELECT id, received_us, source, part, offset, contract,"
                                      " contract_version, violations, sealed, x''"
                                      " FROM quarantine ORDER BY id",
                            &select, error);
    if (status == STATUS_OK)
        status = db_prepare(db, "UPDATE quarantine SET sealed = ?2 WHERE id = ?1", &update, error);
    if (status == STATUS_OK)
        status = replace(select, update, n, error);
    db_finish(select);
    db_finish(update);
    return status == STATUS_OK && *n > 0 ? db_exec(db, "VACUUM", error) : status;
}
