/* One day file as the writer sees it: SQLite tables (day_schema.c), prepared statements, and the
 * dictionaries that the file refers to by number. Names met for the first time are written in the
 * transaction that uses them and forgotten again when that fails. Writer thread only. */
#include "engine/record/day_file_priv.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/base/json.h"
#include "engine/record/files_priv.h"
#include "engine/record/rest_priv.h"

static const char *const SQL[STATEMENTS] = {
    [INSERT_NAME] = "INSERT INTO names VALUES(?1, ?2)",
    [INSERT_FEATURES] = "INSERT INTO feature_sets VALUES(?1, ?2, ?3)",
    [INSERT_DECISIONS] = "INSERT INTO decisions SELECT * FROM " DECISION_ROWS,
    [INSERT_LABEL] = "INSERT INTO labels VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [INSERT_ACTION] = "INSERT INTO actions VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [INSERT_QUARANTINE] = "INSERT INTO quarantine VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [INSERT_MARK] = "INSERT INTO quarantine_marks VALUES(?1, ?2, ?3, ?4)",
    [INSERT_GROUP] = "INSERT INTO commits VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    [INSERT_HEAD] = "INSERT OR REPLACE INTO heads VALUES(?1, ?2, ?3, ?4, ?5)",
    [INSERT_HEAD_KEY] = "INSERT OR IGNORE INTO head_keys VALUES(?1, ?2)",
    [INSERT_NODE] = "INSERT OR REPLACE INTO nodes VALUES(?1, ?2, ?3)",
    [INSERT_RUN] = "INSERT INTO event_runs VALUES(?1, ?2, ?3)",
    [DELETE_RUNS] = "DELETE FROM event_runs WHERE run >= ?1",
    [DELETE_KEYS] = "DELETE FROM event_keys WHERE run >= ?1",
    [INSERT_KEYS] = "INSERT INTO event_keys VALUES(?1, ?2, ?3)",
    [WRITE_STATE] = "INSERT OR REPLACE INTO state VALUES(1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [WRITE_POSITION] = "INSERT OR REPLACE INTO positions VALUES(?1, ?2, ?3)",
    [READ_POSITIONS] = "SELECT source, part, offset FROM positions ORDER BY source, part",
};

static enum status prepare_all(struct day *day, struct error *error)
{
    for (int i = 0; i < STATEMENTS; i++) {
        enum status status = db_prepare(day->db, SQL[i], &day->statements[i], error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status load_feature_sets(struct day *day, struct error *error)
{
    struct db_stmt *select;
    enum status status =
        db_prepare(day->db, "SELECT digest FROM feature_sets ORDER BY id", &select, error);
    if (status != STATUS_OK)
        return status;
    while ((status = db_step(select, error)) == STATUS_OK) {
        struct slice digest = db_blob(select, 0);
        if (digest.size != FEATURE_SET_SIZE || day->n_feature_sets == MAX_FEATURE_SETS) {
            status =
                error_set(error, STATUS_CORRUPT, "the feature sets of a ledger day are damaged");
            break;
        }
        memcpy(day->feature_sets[day->n_feature_sets++], digest.data, FEATURE_SET_SIZE);
    }
    db_finish(select);
    return status == STATUS_END ? STATUS_OK : status;
}

static void mark_committed(struct day *day)
{
    day->committed_names = day->names.n;
    day->run_keys = 0;
    buffer_reset(&day->new_quarantine);
    buffer_reset(&day->new_marks);
}

static struct day *create(int64_t number)
{
    struct day *made = calloc(1, sizeof *made);
    if (!made)
        return NULL;
    made->number = number;
    buffer_init(&made->decision_bytes, (size_t)64 << 20);
    buffer_init(&made->scratch, (size_t)1 << 20);
    buffer_init(&made->group_scratch, (size_t)256 << 20);
    buffer_init(&made->new_quarantine, (size_t)64 << 20);
    buffer_init(&made->new_marks, (size_t)64 << 20);
    return made;
}

static enum status migrate(struct db *db, struct error *error)
{
    int64_t version = 0;
    enum status status = db_version(db, &version, error);
    bool unsigned_yet = version > 0 && version < SIGNED_VERSION;
    if (status == STATUS_OK)
        status = db_migrate(db, DAY_STEPS, unsigned_yet ? SIGNED_VERSION - 1 : DAY_VERSION, error);
    return status;
}

enum status day_open(const char *dir, int64_t number, struct day **day, struct error *error)
{
    char path[PATH_SIZE];
    if (!day_path(path, dir, number))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", dir);
    struct day *opened = create(number);
    if (!opened)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = db_open(path, DB_WRITE_LARGE, DB_SYNC_FULL, &opened->db, error);
    /* The log is moved by the checkpointer; a file of it that grew beyond 64 MiB is cut again. */
    if (status == STATUS_OK)
        status = db_exec(opened->db,
                         "PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384", error);
    if (status == STATUS_OK)
        db_keep_log(opened->db);
    if (status == STATUS_OK)
        status = migrate(opened->db, error);
    if (status == STATUS_OK)
        status = day_offer_decisions(opened, error);
    if (status == STATUS_OK)
        status = prepare_all(opened, error);
    if (status == STATUS_OK)
        status = names_load(&opened->names, opened->db, error);
    if (status == STATUS_OK)
        status = load_feature_sets(opened, error);
    if (status == STATUS_OK)
        status = day_load_keys(opened, error);
    if (status == STATUS_OK)
        status = day_load_marks(opened, error);
    if (status != STATUS_OK) {
        day_abandon(opened);
        return status;
    }
    mark_committed(opened);
    *day = opened;
    return STATUS_OK;
}

static void destroy(struct day *day, void (*close_db)(struct db *))
{
    for (int i = 0; i < STATEMENTS; i++)
        db_finish(day->statements[i]);
    close_db(day->db);
    names_free(&day->names);
    free(day->keys);
    buffer_free(&day->decision_bytes);
    buffer_free(&day->scratch);
    buffer_free(&day->group_scratch);
    buffer_free(&day->new_quarantine);
    buffer_free(&day->new_marks);
    free(day);
}

void day_close(struct day *day)
{
    if (day)
        destroy(day, db_close);
}

void day_abandon(struct day *day)
{
    if (day)
        destroy(day, db_abandon);
}

enum status day_open_damaged(const char *dir, int64_t number, struct day **day, struct error *error)
{
    char path[PATH_SIZE];
    struct day_state state;
    if (!day_path(path, dir, number))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", dir);
    struct day *opened = create(number);
    if (!opened)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = db_open(path, DB_READ, DB_SYNC_FULL, &opened->db, error);
    if (status == STATUS_OK)
        status =
            db_prepare(opened->db, SQL[READ_POSITIONS], &opened->statements[READ_POSITIONS], error);
    if (status == STATUS_OK)
        status = day_read_state(opened, &state, error);
    if (status == STATUS_OK)
        status = day_check_state(opened, &state, error);
    if (status == STATUS_OK)
        *day = opened;
    else
        day_abandon(opened);
    return status;
}

struct db *day_db(struct day *day)
{
    return day->db;
}

int64_t day_number(const struct day *day)
{
    return day->number;
}

enum status day_begin(struct day *day, struct error *error)
{
    day_forget_decisions(day);
    return db_begin(day->db, error);
}

enum status day_commit(struct day *day, struct error *error)
{
    assert(day->decisions.n == 0);
    enum status status = db_commit(day->db, error);
    if (status != STATUS_OK)
        return status;
    if (day->run_keys > 0) {
        day->n_keys -= day->run_keys;
        day->small_keys = 0;
        memmove(day->keys, day->keys + day->run_keys, day->n_keys * sizeof *day->keys);
    }
    mark_committed(day);
    return STATUS_OK;
}

enum status day_checkpoint(struct day *day, struct db_log *log, struct error *error)
{
    return db_checkpoint(day->db, log, error);
}

enum status day_read_state(struct day *day, struct day_state *state, struct error *error)
{
    struct db_stmt *select;
    enum status status = db_prepare(day->db,
                                    "SELECT commits, first_index, next_quarantine, high_us,"
                                    " tree_size, edge, root, rest FROM state",
                                    &select, error);
    if (status != STATUS_OK)
        return status;
    status = db_step(select, error);
    if (status == STATUS_OK) {
        state->commits = (uint64_t)db_int(select, 0);
        state->first_index = (uint64_t)db_int(select, 1);
        state->next_quarantine = (uint64_t)db_int(select, 2);
        state->high_us = db_int(select, 3);
        uint8_t root[SHA256_SIZE];
        bool whole = tree_load(&state->tree, (uint64_t)db_int(select, 4), db_blob(select, 5)) &&
                     tree_root(&state->tree, root) == STATUS_OK &&
                     slice_equal(db_blob(select, 6), slice_make(root, sizeof root));
        struct slice rest = db_blob(select, 7);
        if (rest.size == SHA256_SIZE)
            memcpy(state->rest, rest.data, SHA256_SIZE);
        else
            memset(state->rest, 0, SHA256_SIZE);
        if (!whole)
            status = error_set(error, STATUS_CORRUPT,
                               "the ledger's last state is damaged: its tree does not give its "
                               "root; restore the newest day file from a copy");
    } else if (status == STATUS_END) {
        status = STATUS_NOT_FOUND;
    }
    db_finish(select);
    return status;
}

enum status day_write_state(struct day *day, const struct day_state *state, struct error *error)
{
    uint8_t edges[TREE_EDGES_SIZE], root[SHA256_SIZE], digest[SHA256_SIZE];
    size_t size = tree_save(&state->tree, edges);
    enum status status = tree_root(&state->tree, root);
    if (status != STATUS_OK)
        return error_set(error, status, "cannot hash the ledger's tree");
    status = day_state_digest(day, state, slice_make(edges, size), root, digest, error);
    if (status != STATUS_OK)
        return status;
    struct db_stmt *write = day->statements[WRITE_STATE];
    db_bind_int(write, 1, (int64_t)state->commits);
    db_bind_int(write, 2, (int64_t)state->first_index);
    db_bind_int(write, 3, (int64_t)state->next_quarantine);
    db_bind_int(write, 4, state->high_us);
    db_bind_int(write, 5, (int64_t)state->tree.size);
    db_bind_blob(write, 6, slice_make(edges, size));
    db_bind_blob(write, 7, slice_make(root, sizeof root));
    db_bind_blob(write, 8, slice_make(state->rest, sizeof state->rest));
    db_bind_blob(write, 9, slice_make(digest, sizeof digest));
    return db_run(write, error);
}

enum status day_name_id(struct day *day, struct slice name, uint32_t *id, struct error *error)
{
    *id = 0;
    if (name.size == 0 || (*id = names_find(&day->names, name)) != 0)
        return STATUS_OK;
    enum status status = names_add(&day->names, name, id);
    if (status != STATUS_OK)
        return error_set(error, status, "too many names in one ledger day");
    db_bind_int(day->statements[INSERT_NAME], 1, *id);
    db_bind_text(day->statements[INSERT_NAME], 2, name);
    return db_run(day->statements[INSERT_NAME], error);
}

/* Binds the number of a name. */
static enum status bind_name(struct day *day, struct db_stmt *stmt, int index, struct slice name,
                             struct error *error)
{
    uint32_t id;
    enum status status = day_name_id(day, name, &id, error);
    db_bind_int(stmt, index, id);
    return status;
}

int64_t day_feature_set_id(const struct day *day, const uint8_t digest[FEATURE_SET_SIZE])
{
    for (size_t i = 0; i < day->n_feature_sets; i++)
        if (memcmp(day->feature_sets[i], digest, FEATURE_SET_SIZE) == 0)
            return (int64_t)i + 1;
    return 0;
}

bool day_has_features(struct day *day, const uint8_t digest[FEATURE_SET_SIZE])
{
    return day_feature_set_id(day, digest) != 0;
}

enum status day_insert_features(struct day *day, const uint8_t digest[FEATURE_SET_SIZE],
                                const struct feature_schema *names, struct error *error)
{
    if (day->n_feature_sets == MAX_FEATURE_SETS)
        return error_set(error, STATUS_FULL, "too many feature sets in one ledger day");
    struct buffer text;
    buffer_init(&text, (size_t)1 << 20);
    struct json_writer json;
    json_begin(&json, &text);
    json_array(&json, NULL);
    for (size_t i = 0; i < names->n_features; i++)
        json_text(&json, NULL, names->names[i]);
    json_array_end(&json);
    memcpy(day->feature_sets[day->n_feature_sets++], digest, FEATURE_SET_SIZE);
    struct db_stmt *insert = day->statements[INSERT_FEATURES];
    db_bind_int(insert, 1, (int64_t)day->n_feature_sets);
    db_bind_blob(insert, 2, slice_make(digest, FEATURE_SET_SIZE));
    db_bind_text(insert, 3, buffer_slice(&text));
    enum status status = text.overflow ? error_set(error, STATUS_MEMORY, "feature names too long")
                                       : db_run(insert, error);
    buffer_free(&text);
    return status;
}

/* Source, part and offset into three parameters from `index` on. */
static enum status bind_place(struct day *day, struct db_stmt *stmt, int index,
                              const struct ledger_row *row, struct error *error)
{
    db_bind_int(stmt, index + 1, row->part);
    db_bind_int(stmt, index + 2, row->offset);
    return bind_name(day, stmt, index, row->source, error);
}

static enum status insert_label(struct day *day, const struct ledger_row *row,
                                const uint8_t leaf_hash[SHA256_SIZE], struct error *error)
{
    struct db_stmt *insert = day->statements[INSERT_LABEL];
    enum status status = bind_place(day, insert, 6, row, error);
    if (status != STATUS_OK)
        return status;
    db_bind_int(insert, 1, (int64_t)row->index);
    db_bind_text(insert, 2, row->event_id);
    db_bind_int(insert, 3, row->label);
    db_bind_int(insert, 4, row->observed_us);
    db_bind_int(insert, 5, row->at_us);
    db_bind_blob(insert, 9, slice_make(leaf_hash, SHA256_SIZE));
    return db_run(insert, error);
}

static enum status insert_action(struct day *day, const struct ledger_row *row,
                                 const uint8_t leaf_hash[SHA256_SIZE], struct error *error)
{
    struct db_stmt *insert = day->statements[INSERT_ACTION];
    enum status status = bind_place(day, insert, 6, row, error);
    if (status != STATUS_OK)
        return status;
    db_bind_int(insert, 1, (int64_t)row->index);
    db_bind_int(insert, 2, row->at_us);
    db_bind_text(insert, 3, row->who);
    db_bind_text(insert, 4, row->what);
    db_bind_text(insert, 5, row->arguments);
    db_bind_blob(insert, 9, slice_make(leaf_hash, SHA256_SIZE));
    return db_run(insert, error);
}

enum status day_insert_row(struct day *day, const struct ledger_row *row,
                           const uint8_t leaf_hash[SHA256_SIZE], struct error *error)
{
    switch (row->kind) {
    case ROW_DECISION:
        return day_add_decision(day, row, leaf_hash, error);
    case ROW_LABEL:
        return insert_label(day, row, leaf_hash, error);
    case ROW_ACTION:
        return insert_action(day, row, leaf_hash, error);
    }
    return error_set(error, STATUS_INVALID, "a row of no known kind");
}

enum status day_insert_quarantine(struct day *day, const struct day_quarantine *event,
                                  struct error *error)
{
    struct db_stmt *insert = day->statements[INSERT_QUARANTINE];
    enum status status = bind_name(day, insert, 3, event->source, error);
    if (status == STATUS_OK)
        status = bind_name(day, insert, 6, event->contract, error);
    if (status == STATUS_OK)
        status = bind_name(day, insert, 7, event->contract_version, error);
    uint8_t digest[SHA256_SIZE];
    if (status == STATUS_OK && quarantine_digest(event, &day->group_scratch, digest) != STATUS_OK)
        status = error_set(error, STATUS_MEMORY, "cannot hash a quarantined event");
    if (status != STATUS_OK)
        return status;
    buffer_append(&day->new_quarantine, digest, sizeof digest);
    db_bind_int(insert, 1, (int64_t)event->id);
    db_bind_int(insert, 2, event->received_us);
    db_bind_int(insert, 4, event->part);
    db_bind_int(insert, 5, event->offset);
    db_bind_text(insert, 8, event->violations);
    db_bind_blob(insert, 9, event->sealed);
    db_bind_blob(insert, 10, slice_make(digest, sizeof digest));
    return db_run(insert, error);
}

enum status day_write_position(struct day *day, struct slice source, int32_t part, int64_t offset,
                               struct error *error)
{
    struct db_stmt *write = day->statements[WRITE_POSITION];
    db_bind_text(write, 1, source);
    db_bind_int(write, 2, part);
    db_bind_int(write, 3, offset);
    return db_run(write, error);
}

enum status day_read_positions(struct day *day, position_visitor *each, void *context,
                               struct error *error)
{
    struct db_stmt *select;
    enum status status =
        db_prepare(day->db, "SELECT source, part, offset FROM positions", &select, error);
    if (status != STATUS_OK)
        return status;
    while ((status = db_step(select, error)) == STATUS_OK) {
        status = each(context, db_text(select, 0), (int32_t)db_int(select, 1), db_int(select, 2));
        if (status != STATUS_OK) {
            error_set(error, status, "too many source positions");
            break;
        }
    }
    db_finish(select);
    return status == STATUS_END ? STATUS_OK : status;
}
