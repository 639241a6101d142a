/* What a day file holds beside rows, groups and heads: opened, and at its end positions and state,
 * keys, and rows that no group accounts for. The thread that verifies, except file_check(). */
#include "engine/record/verify_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "engine/record/codec_priv.h"
#include "engine/record/files_priv.h"
#include "engine/record/rest_priv.h"

/* ---- opening ---- */

static enum status load_state(struct day_check *check, struct error *error)
{
    struct db_stmt *select;
    bool rested = check->reader.version >= 2;
    enum status status = db_prepare(
        check->reader.db,
        rested ? "SELECT commits, first_index, next_quarantine, high_us, tree_size, edge,"
                 " root, rest, digest FROM state"
               : "SELECT commits, first_index, next_quarantine, high_us, tree_size, edge,"
                 " root FROM state",
        &select, error);
    if (status != STATUS_OK)
        return status;
    status = db_step(select, error);
    if (status == STATUS_OK) {
        struct slice root = db_blob(select, 6);
        struct day_state *state = &check->state;
        check->has_state = true;
        state->commits = (uint64_t)db_int(select, 0);
        state->first_index = (uint64_t)db_int(select, 1);
        state->next_quarantine = (uint64_t)db_int(select, 2);
        state->high_us = db_int(select, 3);
        buffer_append_slice(&check->state_bytes, db_blob(select, 5));
        check->edges = buffer_slice(&check->state_bytes);
        if (!tree_load(&state->tree, (uint64_t)db_int(select, 4), check->edges))
            state->tree = (struct tree){.size = (uint64_t)db_int(select, 4)};
        if (root.size == SHA256_SIZE)
            memcpy(check->stored_root, root.data, SHA256_SIZE);
        struct slice rest = rested ? db_blob(select, 7) : (struct slice){0};
        struct slice digest = rested ? db_blob(select, 8) : (struct slice){0};
        if (rest.size == SHA256_SIZE)
            memcpy(state->rest, rest.data, SHA256_SIZE);
        check->has_digest = rested && !db_is_null(select, 8);
        if (digest.size == SHA256_SIZE)
            memcpy(check->stored_digest, digest.data, SHA256_SIZE);
    }
    db_finish(select);
    return status == STATUS_END ? STATUS_OK : status;
}

static enum status prepare(struct day_check *check, struct error *error)
{
    struct db *db = check->reader.db;
    bool kept = check->reader.version >= 2;
    enum status status = db_prepare(
        db,
        kept ? "SELECT id, received_us, source, part, offset, contract, contract_version,"
               " violations, sealed, digest FROM quarantine WHERE id >= ?1 AND id < ?2 ORDER BY id"
             : "SELECT id, received_us, source, part, offset, contract, contract_version,"
               " violations, sealed, NULL FROM quarantine WHERE id >= ?1 AND id < ?2 ORDER BY id",
        &check->quarantine, error);
    if (status == STATUS_OK)
        status = db_prepare(db,
                            "SELECT n, id, status, at_us FROM quarantine_marks"
                            " WHERE n > ?1 AND n <= ?2 ORDER BY n",
                            &check->marks, error);
    if (status == STATUS_OK && kept)
        status = db_prepare(db, "SELECT hash FROM nodes WHERE level = ?1 AND position = ?2",
                            &check->node, error);
    return status;
}

static void init_buffers(struct day_check *check)
{
    buffer_init(&check->state_bytes, 2 * (size_t)TREE_EDGES_SIZE);
    buffer_init(&check->scratch, (size_t)256 << 20);
    buffer_init(&check->new_names, (size_t)64 << 20);
    buffer_init(&check->stored_digests, (size_t)64 << 20);
    buffer_init(&check->computed_digests, (size_t)64 << 20);
    buffer_init(&check->new_marks, (size_t)64 << 20);
}

enum status day_check_open(struct verify *verify, int64_t day, const struct carry *carry,
                           struct day_check *check, struct error *error)
{
    char path[PATH_SIZE];
    *check = (struct day_check){.verify = verify, .carry = *carry};
    if (day_path(path, ".", day))
        snprintf(check->name, sizeof check->name, "%.15s", path + 2);
    init_buffers(check);
    check->storage = malloc(sizeof *check->storage);
    if (!check->storage)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = day_reader_open(verify->options->dir, day, &check->lists, check->storage,
                                         &check->reader, error);
    if (status == STATUS_OK)
        status = db_exec(check->reader.db, "BEGIN", error);
    if (status == STATUS_OK)
        status = load_state(check, error);
    if (status == STATUS_OK)
        status = names_load(&check->reader.names, check->reader.db, error);
    if (status == STATUS_OK)
        status = derived_check_load(check, error);
    if (status == STATUS_OK)
        status = rest_check_load(check, error);
    if (status == STATUS_OK)
        status = prepare(check, error);
    check->counted = check->reader.version >= 2;
    return status;
}

void day_check_close(struct day_check *check)
{
    db_finish(check->node);
    db_finish(check->quarantine);
    db_finish(check->marks);
    if (check->reader.db)
        db_rollback(check->reader.db);
    day_reader_close(&check->reader);
    feature_lists_free(check->lists);
    free(check->storage);
    free(check->runs);
    buffer_free(&check->state_bytes);
    buffer_free(&check->scratch);
    buffer_free(&check->new_names);
    buffer_free(&check->stored_digests);
    buffer_free(&check->computed_digests);
    buffer_free(&check->new_marks);
}

/* ---- the end of a file ---- */

static int64_t count(struct day_check *check, const char *sql, int64_t parameter)
{
    struct db_stmt *select;
    struct error error;
    int64_t number = 0;
    if (db_prepare(check->reader.db, sql, &select, &error) != STATUS_OK)
        return 0;
    db_bind_int(select, 1, parameter);
    if (db_step(select, &error) == STATUS_OK)
        number = db_int(select, 0);
    db_finish(select);
    return number;
}

/* Rows that no group accounts for. */
static void check_strays(struct day_check *check, uint64_t end)
{
    static const struct {
        const char *sql, *what;
    } strays[] = {
        {"SELECT count(*) FROM decisions WHERE idx >= ?1", "decisions.idx"},
        {"SELECT count(*) FROM labels WHERE idx >= ?1", "labels.idx"},
        {"SELECT count(*) FROM actions WHERE idx >= ?1", "actions.idx"},
    };
    static const char *const below[] = {"SELECT count(*) FROM decisions WHERE idx < ?1",
                                        "SELECT count(*) FROM labels WHERE idx < ?1",
                                        "SELECT count(*) FROM actions WHERE idx < ?1"};
    for (size_t i = 0; i < sizeof strays / sizeof *strays; i++) {
        int64_t n = count(check, strays[i].sql, (int64_t)end) +
                    count(check, below[i], (int64_t)check->first_index);
        if (n > 0)
            NOTE(check, "%s %s: %lld rows belong to no group", check->name, strays[i].what,
                 (long long)n);
    }
    if (check->reader.version >= 2 &&
        count(check, "SELECT count(*) FROM heads WHERE tree_size > ?1", (int64_t)end) +
                count(check, "SELECT count(*) FROM heads WHERE tree_size < ?1",
                      (int64_t)check->first_index) >
            0)
        NOTE(check, "%s heads.tree_size: a head over rows that are not in this file", check->name);
    if (!check->counted || !check->carry.quarantined)
        return;
    if (count(check, "SELECT count(*) FROM quarantine WHERE id >= ?1",
              (int64_t)check->carry.next_quarantine) > 0)
        NOTE(check, "%s quarantine.id: rows that belong to no group", check->name);
    if (count(check, "SELECT count(*) FROM quarantine_marks WHERE n > ?1 OR n < 1",
              (int64_t)check->n_marks) > 0)
        NOTE(check, "%s quarantine_marks.n: rows that belong to no group", check->name);
    if (check->reader.names.n != check->names)
        NOTE(check, "%s names: %zu, the groups know of %" PRIu64, check->name,
             check->reader.names.n, check->names);
}

static void check_keys(struct day_check *check)
{
    struct db_stmt *select;
    struct error error;
    if (db_prepare(check->reader.db,
                   "SELECT key_id, public_key FROM head_keys UNION"
                   " SELECT key_id, NULL FROM heads WHERE key_id NOT IN"
                   " (SELECT key_id FROM head_keys)",
                   &select, &error) != STATUS_OK)
        return;
    while (db_step(select, &error) == STATUS_OK) {
        char key_id[KEY_ID_SIZE] = "";
        struct slice key = db_blob(select, 1);
        bool good = key.size == PUBLIC_KEY_SIZE &&
                    head_key_id((const uint8_t *)key.data, key_id) == STATUS_OK &&
                    slice_equal(db_text(select, 0), slice_of(key_id));
        if (!good)
            NOTE(check, "%s head_keys, %.*s: key_id or public_key was changed", check->name,
                 (int)db_text(select, 0).size, db_text(select, 0).data);
        else if (check->verify->has_key &&
                 memcmp(key.data, check->verify->public_key, PUBLIC_KEY_SIZE) != 0)
            NOTE(check, "%s head_keys, %s: heads are signed with another key than the ledger's",
                 check->name, key_id);
    }
    db_finish(select);
}

static bool positions_fit(struct day_check *check)
{
    struct db_stmt *select;
    struct error error;
    struct buffer positions;
    uint8_t digest[SHA256_SIZE];
    if (db_prepare(check->reader.db,
                   "SELECT source, part, offset FROM positions ORDER BY source, part", &select,
                   &error) != STATUS_OK)
        return false;
    buffer_init(&positions, (size_t)64 << 20);
    while (db_step(select, &error) == STATUS_OK) {
        put_text(&positions, db_text(select, 0));
        put_i64(&positions, db_int(select, 1));
        put_i64(&positions, db_int(select, 2));
    }
    db_finish(select);
    bool fit = rest_state(&check->state, check->edges, check->stored_root, buffer_slice(&positions),
                          &check->scratch, digest) == STATUS_OK &&
               memcmp(digest, check->stored_digest, SHA256_SIZE) == 0;
    buffer_free(&positions);
    return fit;
}

static void check_state(struct day_check *check, const struct tree *tree, bool chained)
{
    const struct day_state *state = &check->state;
    uint8_t edges[TREE_EDGES_SIZE], root[SHA256_SIZE] = {0};
    size_t size = tree ? tree_save(tree, edges) : 0;
    bool rooted = tree && tree_root(tree, root) == STATUS_OK;
    const struct {
        const char *name;
        bool wrong;
    } fields[] = {
        {"commits", state->commits != check->last_commit},
        {"first_index", check->n_groups > 0 && state->first_index != check->first_index},
        {"next_quarantine", check->counted && check->carry.quarantined &&
                                state->next_quarantine != check->carry.next_quarantine},
        {"high_us",
         chained && check->counted && check->carry.timed && state->high_us != check->carry.high_us},
        {"tree_size", rooted && state->tree.size != tree->size},
        {"edge", rooted && !slice_equal(check->edges, slice_make(edges, size))},
        {"root", rooted && memcmp(check->stored_root, root, SHA256_SIZE) != 0},
        {"rest", check->carry.rested && memcmp(state->rest, check->carry.rest, SHA256_SIZE) != 0},
    };
    bool any = false;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (fields[i].wrong)
            NOTE(check, "%s state.%s was changed", check->name, fields[i].name);
        any = any || fields[i].wrong;
    }
    if (!any && check->has_digest && !positions_fit(check))
        NOTE(check, "%s positions, or state.digest, was changed", check->name);
}

void day_check_end(struct day_check *check, const struct tree *tree, bool chained)
{
    uint64_t end = tree ? tree->size : check->state.tree.size;
    if (!check->has_state && check->n_groups == 0)
        return;
    derived_check_end(check);
    check_strays(check, end);
    if (!check->has_state)
        NOTE(check, "%s state is missing", check->name);
    else
        check_state(check, tree, chained);
    rest_check_end(check);
    /* Groups of the format before say nothing of quarantine: the file's own word is taken. */
    if (check->has_state && !check->carry.timed && check->state.high_us > check->carry.high_us)
        check->carry.high_us = check->state.high_us;
    check->carry.timed = true;
    if (check->reader.version < 2) {
        check->carry.next_quarantine = check->state.next_quarantine;
        return;
    }
    check_keys(check);
    if (chained &&
        count(check, "SELECT count(*) FROM nodes WHERE ?1 = ?1", 0) != (int64_t)check->n_nodes)
        NOTE(check, "%s nodes: rows that are not nodes of the tree", check->name);
}

/* ---- SQLite's own check ---- */

void file_check(struct verify *verify, const char *name, const char *path)
{
    struct db *db = NULL;
    struct db_stmt *select = NULL;
    struct error error = {.message = ""};
    struct stat about;
    if (stat(path, &about) != 0)
        return;
    enum status status = db_open(path, DB_READ, DB_SYNC_FULL, &db, &error);
    if (status == STATUS_NOT_FOUND) /* a copy in the cache that has made room meanwhile */
        return;
    if (status == STATUS_OK)
        status = db_prepare(db, "PRAGMA integrity_check(10)", &select, &error);
    while (status == STATUS_OK && (status = db_step(select, &error)) == STATUS_OK)
        if (!slice_equal(db_text(select, 0), slice_of("ok")))
            verify_note(verify, -1, (struct slice){0}, "%s SQLite's own check: " SLICE_FORMAT, name,
                        SLICE_ARGS(db_text(select, 0)));
    if (status != STATUS_END && status != STATUS_OK)
        verify_note(verify, -1, (struct slice){0}, "%s SQLite's own check: %s", name,
                    error.message);
    db_finish(select);
    db_close(db);
}
