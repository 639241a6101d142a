/* What a day file holds so that the rest can be proved: groups with their roots and digests, signed
 * heads, nodes of the tree, and marks, which have no leaf of their own. Writer thread only. */
#include "engine/record/codec_priv.h"
#include "engine/record/day_file_priv.h"
#include "engine/record/rest_priv.h"

enum status day_load_marks(struct day *day, struct error *error)
{
    struct db_stmt *select;
    enum status status =
        db_prepare(day->db, "SELECT coalesce(max(n), 0) FROM quarantine_marks", &select, error);
    if (status != STATUS_OK)
        return status;
    status = db_step(select, error);
    if (status == STATUS_OK)
        day->n_marks = (uint64_t)db_int(select, 0);
    db_finish(select);
    return status;
}

enum status day_insert_mark(struct day *day, uint64_t id, enum quarantine_status quarantine,
                            int64_t at_us, struct error *error)
{
    struct db_stmt *insert = day->statements[INSERT_MARK];
    put_i64(&day->new_marks, (int64_t)id);
    put_i64(&day->new_marks, quarantine);
    put_i64(&day->new_marks, at_us);
    db_bind_int(insert, 1, (int64_t)++day->n_marks);
    db_bind_int(insert, 2, (int64_t)id);
    db_bind_int(insert, 3, quarantine);
    db_bind_int(insert, 4, at_us);
    return db_run(insert, error);
}

static enum status add_rest(struct day *day, const struct day_group *group, struct day_state *state)
{
    buffer_reset(&day->scratch);
    for (size_t i = day->committed_names; i < day->names.n; i++)
        put_text(&day->scratch, day->names.texts[i]);
    if (day->scratch.overflow || day->new_quarantine.overflow || day->new_marks.overflow)
        return STATUS_MEMORY;
    struct rest_group rest = {.group = group,
                              .names = day->names.n,
                              .next_quarantine = state->next_quarantine,
                              .marks = day->n_marks,
                              .new_names = buffer_slice(&day->scratch),
                              .new_quarantine = buffer_slice(&day->new_quarantine),
                              .new_marks = buffer_slice(&day->new_marks)};
    return rest_add(state->rest, &rest, &day->group_scratch);
}

enum status day_insert_group(struct day *day, const struct day_group *group,
                             struct day_state *state, struct error *error)
{
    enum status status = add_rest(day, group, state);
    if (status != STATUS_OK)
        return error_set(error, status, "out of memory for a group's digest");
    struct db_stmt *insert = day->statements[INSERT_GROUP];
    db_bind_int(insert, 1, (int64_t)group->commit);
    db_bind_int(insert, 2, (int64_t)group->first_index);
    db_bind_int(insert, 3, (int64_t)group->tree_size);
    if (group->low_us <= group->high_us) {
        db_bind_int(insert, 4, group->low_us);
        db_bind_int(insert, 5, group->high_us);
    }
    db_bind_int(insert, 6, group->committed_us);
    db_bind_blob(insert, 7, slice_make(group->root, SHA256_SIZE));
    db_bind_int(insert, 8, (int64_t)day->names.n);
    db_bind_int(insert, 9, (int64_t)state->next_quarantine);
    db_bind_int(insert, 10, (int64_t)day->n_marks);
    db_bind_blob(insert, 11, slice_make(state->rest, SHA256_SIZE));
    return db_run(insert, error);
}

enum status day_state_digest(struct day *day, const struct day_state *state, struct slice edges,
                             const uint8_t root[SHA256_SIZE], uint8_t digest[SHA256_SIZE],
                             struct error *error)
{
    struct db_stmt *select = day->statements[READ_POSITIONS];
    enum status status;
    buffer_reset(&day->scratch);
    while ((status = db_step(select, error)) == STATUS_OK) {
        put_text(&day->scratch, db_text(select, 0));
        put_i64(&day->scratch, db_int(select, 1));
        put_i64(&day->scratch, db_int(select, 2));
    }
    db_reset(select);
    if (status != STATUS_END)
        return status;
    if (day->scratch.overflow || rest_state(state, edges, root, buffer_slice(&day->scratch),
                                             &day->group_scratch, digest) != STATUS_OK)
        return error_set(error, STATUS_MEMORY, "out of memory for the digest of source positions");
    return STATUS_OK;
}

enum status day_check_state(struct day *day, const struct day_state *state, struct error *error)
{
    struct db_stmt *select;
    uint8_t edges[TREE_EDGES_SIZE], root[SHA256_SIZE], digest[SHA256_SIZE];
    size_t size = tree_save(&state->tree, edges);
    enum status status = db_prepare(day->db, "SELECT digest FROM state", &select, error);
    if (status != STATUS_OK)
        return status;
    status = db_step(select, error);
    if (status == STATUS_OK && tree_root(&state->tree, root) != STATUS_OK)
        status = error_set(error, STATUS_MEMORY, "cannot hash the ledger's tree");
    if (status == STATUS_OK)
        status = day_state_digest(day, state, slice_make(edges, size), root, digest, error);
    if (status == STATUS_OK && !slice_equal(db_blob(select, 0), slice_make(digest, sizeof digest)))
        status = error_set(error, STATUS_CORRUPT, "the ledger's state is not what it says");
    db_finish(select);
    return status;
}

enum status day_insert_node(struct day *day, int level, uint64_t position,
                            const uint8_t hash[SHA256_SIZE], struct error *error)
{
    struct db_stmt *insert = day->statements[INSERT_NODE];
    db_bind_int(insert, 1, level);
    db_bind_int(insert, 2, (int64_t)position);
    db_bind_blob(insert, 3, slice_make(hash, SHA256_SIZE));
    return db_run(insert, error);
}

enum status day_insert_head(struct day *day, const struct signed_head *head,
                            const uint8_t public_key[PUBLIC_KEY_SIZE], struct error *error)
{
    struct db_stmt *insert = day->statements[INSERT_HEAD_KEY];
    db_bind_text(insert, 1, slice_of(head->key_id));
    db_bind_blob(insert, 2, slice_make(public_key, PUBLIC_KEY_SIZE));
    enum status status = db_run(insert, error);
    if (status != STATUS_OK)
        return status;
    insert = day->statements[INSERT_HEAD];
    db_bind_int(insert, 1, (int64_t)head->tree_size);
    db_bind_int(insert, 2, head->timestamp_ms);
    db_bind_blob(insert, 3, slice_make(head->root, SHA256_SIZE));
    db_bind_text(insert, 4, slice_of(head->key_id));
    db_bind_blob(insert, 5, slice_make(head->signature, SIGNATURE_SIZE));
    return db_run(insert, error);
}

bool head_take(struct db_stmt *stmt, struct signed_head *head)
{
    struct slice root = db_blob(stmt, 2), key_id = db_text(stmt, 3), signature = db_blob(stmt, 4);
    *head = (struct signed_head){.tree_size = (uint64_t)db_int(stmt, 0),
                                 .timestamp_ms = db_int(stmt, 1)};
    if (root.size != SHA256_SIZE || key_id.size != KEY_ID_SIZE - 1 ||
        signature.size != SIGNATURE_SIZE)
        return false;
    memcpy(head->root, root.data, SHA256_SIZE);
    memcpy(head->key_id, key_id.data, KEY_ID_SIZE - 1);
    memcpy(head->signature, signature.data, SIGNATURE_SIZE);
    return true;
}

enum status day_newest_head(struct day *day, struct signed_head *head, struct error *error)
{
    struct db_stmt *select;
    enum status status =
        db_prepare(day->db, HEAD_SQL " ORDER BY tree_size DESC LIMIT 1", &select, error);
    if (status != STATUS_OK)
        return status;
    status = db_step(select, error);
    if (status == STATUS_OK && !head_take(select, head))
        status = error_set(error, STATUS_CORRUPT, "a signed head in the ledger is malformed");
    db_finish(select);
    return status == STATUS_END ? STATUS_NOT_FOUND : status;
}
