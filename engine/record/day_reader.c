/* Reading a day file: opening it in whatever tier it is, its head, its names, and decisions by the
 * id of their event (the rows themselves: day_rows.c). Layout in README.md. */
#include "engine/record/day_reader_priv.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "engine/base/hash.h"
#include "engine/record/day_priv.h"
#include "engine/record/tiers_priv.h"

#define OPEN_TRIES 3

static enum status check_version(struct day_reader *reader, struct error *error)
{
    struct db_stmt *select;
    enum status status = db_prepare(reader->db, "PRAGMA user_version", &select, error);
    if (status != STATUS_OK)
        return status;
    status = db_step(select, error);
    int64_t version = status == STATUS_OK ? db_int(select, 0) : 0;
    db_finish(select);
    if (status != STATUS_OK)
        return status;
    if (version == 0)
        return STATUS_NOT_FOUND;
    reader->version = (int)version;
    if (version < 0 || version > DAY_VERSION)
        return error_set(error, STATUS_UNSUPPORTED,
                         "a ledger day is of format %d, this binnacle knows %d: upgrade it",
                         (int)version, DAY_VERSION);
    return STATUS_OK;
}

/* A file whose writer was killed may need its journal played back, which takes write access;
 * opening it once as a writer does that and nothing else. */
static enum status open_file(const char *path, struct db **db, struct error *error)
{
    enum status status = db_open(path, DB_READ, DB_SYNC_FULL, db, error);
    if (status != STATUS_DENIED)
        return status;
    struct db *recovered;
    status = db_open(path, DB_WRITE, DB_SYNC_FULL, &recovered, error);
    if (status != STATUS_OK)
        return status;
    db_abandon(recovered);
    return db_open(path, DB_READ, DB_SYNC_FULL, db, error);
}

/* 0: there is none. */
static uint64_t inode_of(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 ? (uint64_t)about.st_ino : 0;
}

/* Between finding a file and opening it the day may go to its next tier: then it is looked for
 * again. */
static enum status find_file(const char *dir, struct day_reader *reader, struct error *error)
{
    char path[PATH_SIZE];
    enum status status = STATUS_NOT_FOUND;
    for (int i = 0; i < OPEN_TRIES; i++) {
        status = tier_path(dir, reader->day, path, error);
        if (status != STATUS_OK)
            return status;
        reader->file = inode_of(path);
        status = open_file(path, &reader->db, error);
        if (status != STATUS_NOT_FOUND)
            return status;
    }
    return error_set(error, STATUS_IO, "%s: comes and goes", path);
}

bool day_reader_stale(const struct day_reader *reader, const char *dir)
{
    char path[PATH_SIZE];
    uint64_t now = day_path(path, dir, reader->day) ? inode_of(path) : 0;
    return now != 0 && now != reader->file;
}

enum status day_reader_open(const char *dir, int64_t day, struct feature_list **lists,
                            struct leaf_storage *storage, struct day_reader *reader,
                            struct error *error)
{
    *reader = (struct day_reader){.day = day, .lists = lists, .storage = storage};
    enum status status = find_file(dir, reader, error);
    if (status == STATUS_OK)
        status = check_version(reader, error);
    if (status != STATUS_OK)
        day_reader_close(reader);
    return status;
}

void day_reader_close(struct day_reader *reader)
{
    for (int i = 0; i < DAY_STATEMENTS; i++)
        db_finish(reader->statements[i]);
    db_close(reader->db);
    names_free(&reader->names);
    *reader = (struct day_reader){0};
}

static const char *const SQL[DAY_STATEMENTS] = {
    [DAY_HEAD] = "SELECT first_index, tree_size, root FROM state",
    [DAY_FIND_TAIL] = "SELECT idx FROM decisions WHERE event_id = ?1 AND idx > "
                      "coalesce((SELECT max(last_index) FROM event_runs), -1) ORDER BY idx",
    [DAY_FIND_RUNS] = "SELECT k.keys FROM event_runs r JOIN event_keys k"
                      " ON k.run = r.run AND k.bucket = ?1 ORDER BY r.run",
    [DAY_FIND_CHECK] = "SELECT 1 FROM decisions WHERE idx = ?1 AND event_id = ?2",
};

static enum status statement(struct day_reader *reader, enum day_statement which,
                             struct db_stmt **stmt, struct error *error)
{
    enum status status = STATUS_OK;
    if (!reader->statements[which])
        status = db_prepare(reader->db, SQL[which], &reader->statements[which], error);
    *stmt = reader->statements[which];
    return status;
}

enum status day_reader_row_statement(struct day_reader *reader, enum row_kind kind,
                                     struct db_stmt **stmt, struct error *error)
{
    struct db_stmt **kept = &reader->statements[DAY_ROW + (int)kind];
    enum status status = STATUS_OK;
    if (!*kept)
        status = day_reader_select(reader, kind, "idx = ?1", kept, error);
    *stmt = *kept;
    return status;
}

enum status day_reader_head(struct day_reader *reader, struct day_head *head, struct error *error)
{
    struct db_stmt *select;
    enum status status = statement(reader, DAY_HEAD, &select, error);
    if (status != STATUS_OK)
        return status;
    status = db_step(select, error);
    if (status == STATUS_OK) {
        struct slice root = db_blob(select, 2);
        head->first_index = (uint64_t)db_int(select, 0);
        head->tree_size = (uint64_t)db_int(select, 1);
        if (root.size == SHA256_SIZE)
            memcpy(head->root, root.data, SHA256_SIZE);
        else
            status = error_set(error, STATUS_CORRUPT, "the state of a ledger day is damaged");
    } else if (status == STATUS_END) {
        status = STATUS_NOT_FOUND;
    }
    db_reset(select);
    return status;
}

enum status day_reader_name(struct day_reader *reader, int64_t id, struct slice *name,
                            struct error *error)
{
    if (id > (int64_t)reader->names.n) {
        enum status status = names_load(&reader->names, reader->db, error);
        if (status != STATUS_OK)
            return status;
    }
    if (id < 0 || id > (int64_t)reader->names.n)
        return error_set(error, STATUS_CORRUPT, "a ledger row refers to a name that is missing");
    *name = names_text(&reader->names, id);
    return STATUS_OK;
}

/* Keeps the list ascending and short: the smallest go first. */
static void insert_index(uint64_t indexes[MAX_SAME_EVENT], size_t *n, uint64_t index)
{
    size_t at = *n;
    while (at > 0 && indexes[at - 1] > index)
        at--;
    if (at > 0 && indexes[at - 1] == index)
        return;
    if (*n == MAX_SAME_EVENT) {
        if (at == 0)
            return;
        memmove(indexes, indexes + 1, (at - 1) * sizeof *indexes);
        indexes[at - 1] = index;
        return;
    }
    memmove(indexes + at + 1, indexes + at, (*n - at) * sizeof *indexes);
    indexes[at] = index;
    ++*n;
}

/* Rows that are in no run yet are looked through. */
static enum status find_in_tail(struct day_reader *reader, struct slice event_id,
                                uint64_t indexes[MAX_SAME_EVENT], size_t *n, struct error *error)
{
    struct db_stmt *select;
    enum status status = statement(reader, DAY_FIND_TAIL, &select, error);
    if (status != STATUS_OK)
        return status;
    db_bind_text(select, 1, event_id);
    while ((status = db_step(select, error)) == STATUS_OK)
        insert_index(indexes, n, (uint64_t)db_int(select, 0));
    db_reset(select);
    return status == STATUS_END ? STATUS_OK : status;
}

/* Hashes may collide: the rows themselves have the last word. */
static enum status check_keys(struct day_reader *reader, struct slice keys, uint64_t hash,
                              struct slice event_id, uint64_t indexes[MAX_SAME_EVENT], size_t *n,
                              struct error *error)
{
    struct db_stmt *check;
    enum status status = statement(reader, DAY_FIND_CHECK, &check, error);
    struct event_key key;
    for (size_t at = 0; at + sizeof key <= keys.size && status == STATUS_OK; at += sizeof key) {
        memcpy(&key, keys.data + at, sizeof key);
        if (key.hash != hash)
            continue;
        db_bind_int(check, 1, (int64_t)key.index);
        db_bind_text(check, 2, event_id);
        status = db_step(check, error);
        if (status == STATUS_OK)
            insert_index(indexes, n, key.index);
        if (status == STATUS_END)
            status = STATUS_OK;
        db_reset(check);
    }
    return status;
}

static enum status find_in_runs(struct day_reader *reader, struct slice event_id,
                                uint64_t indexes[MAX_SAME_EVENT], size_t *n, struct error *error)
{
    uint64_t hash = hash64(event_id.data, event_id.size, 0);
    struct db_stmt *select;
    enum status status = statement(reader, DAY_FIND_RUNS, &select, error);
    if (status != STATUS_OK)
        return status;
    db_bind_int(select, 1, (int64_t)EVENT_BUCKET(hash));
    while ((status = db_step(select, error)) == STATUS_OK) {
        status = check_keys(reader, db_blob(select, 0), hash, event_id, indexes, n, error);
        if (status != STATUS_OK)
            break;
    }
    db_reset(select);
    return status == STATUS_END ? STATUS_OK : status;
}

enum status day_reader_find(struct day_reader *reader, struct slice event_id,
                            uint64_t indexes[MAX_SAME_EVENT], size_t *n, struct error *error)
{
    *n = 0;
    enum status status = find_in_runs(reader, event_id, indexes, n, error);
    if (status == STATUS_OK)
        status = find_in_tail(reader, event_id, indexes, n, error);
    return status;
}
