/* Signed heads out of the day files. One thread per reader. */
#include "engine/record/day_priv.h"
#include "engine/record/reader_priv.h"

/* STATUS_NOT_FOUND: there is none in this file. */
static enum status head_of_file(struct reader *reader, struct signed_head *head,
                                uint8_t public_key[PUBLIC_KEY_SIZE], struct error *error)
{
    struct db_stmt *select;
    if (reader->file->version < 2)
        return STATUS_NOT_FOUND;
    enum status status =
        db_prepare(reader->file->db,
                   "SELECT h.tree_size, h.timestamp_ms, h.root, h.key_id, h.signature, k.public_key"
                   " FROM heads h LEFT JOIN head_keys k ON k.key_id = h.key_id"
                   " ORDER BY h.tree_size DESC LIMIT 1",
                   &select, error);
    if (status != STATUS_OK)
        return status;
    status = db_step(select, error);
    if (status == STATUS_OK) {
        struct slice key = db_blob(select, 5);
        if (head_take(select, head) && key.size == PUBLIC_KEY_SIZE)
            memcpy(public_key, key.data, PUBLIC_KEY_SIZE);
        else
            status = error_set(error, STATUS_CORRUPT,
                               "the newest signed head is damaged: run `binnacle ledger verify`");
    }
    db_finish(select);
    return status == STATUS_END ? STATUS_NOT_FOUND : status;
}

enum status reader_signed_head(struct reader *reader, struct signed_head *head,
                               uint8_t public_key[PUBLIC_KEY_SIZE], struct error *error)
{
    enum status status = reader_look(reader, error);
    for (size_t i = reader->n_days; status == STATUS_OK && i-- > 0;) {
        status = reader_open_day(reader, i, error);
        if (status == STATUS_OK)
            status = head_of_file(reader, head, public_key, error);
        if (status != STATUS_NOT_FOUND)
            return status;
        status = STATUS_OK;
    }
    return status != STATUS_OK
               ? status
               : error_set(error, STATUS_NOT_FOUND,
                           "the ledger %s has no signed head yet: heads are signed while a service "
                           "or a replay writes it",
                           reader->dir);
}
