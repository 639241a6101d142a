/* tiers.db: a row per sealed day. Small and rarely written, so that every reader keeps a copy in
 * memory and reads it anew when SQLite says that another connection has changed the file. */
#include "engine/record/tiers_priv.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/array.h"

static const char *const STEPS[] = {
    "CREATE TABLE days("
    " day INTEGER PRIMARY KEY, name TEXT NOT NULL, tier TEXT NOT NULL,"
    " first_index INTEGER NOT NULL, tree_size INTEGER NOT NULL, root BLOB NOT NULL,"
    " edge BLOB NOT NULL, low_us INTEGER, high_us INTEGER, first_event_us INTEGER,"
    " quarantined INTEGER NOT NULL, marks INTEGER NOT NULL, ended_us INTEGER NOT NULL,"
    " sealed_us INTEGER NOT NULL, bytes INTEGER NOT NULL, sha256 BLOB NOT NULL,"
    " seal_index INTEGER, packed_bytes INTEGER, packed_sha256 BLOB, store INTEGER,"
    " moved_us INTEGER, deleted_us INTEGER, delete_index INTEGER,"
    " raw_deleted INTEGER NOT NULL);"
    "CREATE TABLE filters("
    " day INTEGER NOT NULL, block INTEGER NOT NULL, bits BLOB NOT NULL,"
    " PRIMARY KEY(day, block)) WITHOUT ROWID;"
    "CREATE TABLE stores("
    " id INTEGER PRIMARY KEY, endpoint TEXT NOT NULL, region TEXT NOT NULL, bucket TEXT NOT NULL,"
    " prefix TEXT NOT NULL, access_key_file TEXT NOT NULL, secret_key_file TEXT NOT NULL,"
    " UNIQUE(endpoint, bucket, prefix));"
    "CREATE TABLE holds("
    " id INTEGER PRIMARY KEY, held INTEGER NOT NULL, at_us INTEGER NOT NULL, who TEXT NOT NULL,"
    " reason TEXT NOT NULL, idx INTEGER);"
    "CREATE TABLE settings(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;",
};

struct tiers {
    char *dir;
    bool write;
    struct db *db; /* NULL: no such file yet */
    struct db_stmt *version, *select, *put, *edge;
    int64_t seen; /* data_version of what is in memory */
    bool loaded;
    struct tier_day *days;
    size_t n, capacity;
};

static const char *const NAMES[TIER_COUNT] = {"live", "sealed", "compressed", "archived",
                                              "deleted"};

const char *tier_name(enum tier tier)
{
    return (size_t)tier < TIER_COUNT ? NAMES[tier] : "unknown";
}

static bool tier_of(struct slice name, enum tier *tier)
{
    for (int i = 0; i < TIER_COUNT; i++)
        if (slice_equal(name, slice_of(NAMES[i]))) {
            *tier = (enum tier)i;
            return true;
        }
    return false;
}

static enum status prepare(struct tiers *tiers, struct error *error)
{
    const struct {
        struct db_stmt **stmt;
        const char *sql;
    } statements[] = {
        {&tiers->version, "PRAGMA data_version"},
        {&tiers->select,
         "SELECT day, tier, first_index, tree_size, root, low_us, high_us, first_event_us,"
         " quarantined, marks, ended_us, sealed_us, bytes, sha256, seal_index, packed_bytes,"
         " packed_sha256, store, moved_us, deleted_us, delete_index, raw_deleted FROM days ORDER "
         "BY day"},
        {&tiers->edge, "SELECT edge FROM days WHERE day = ?1"},
        {&tiers->put,
         "INSERT INTO days VALUES(?1, ?2, ?3, ?4, ?5, ?6, coalesce(?7, x''), ?8, ?9, ?10, ?11, ?12,"
         " ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)"
         " ON CONFLICT(day) DO UPDATE SET tier = excluded.tier, first_index = excluded.first_index,"
         " tree_size = excluded.tree_size, root = excluded.root, edge = coalesce(?7, edge),"
         " low_us = excluded.low_us, high_us = excluded.high_us,"
         " first_event_us = excluded.first_event_us, quarantined = excluded.quarantined,"
         " marks = excluded.marks, ended_us = excluded.ended_us, sealed_us = excluded.sealed_us,"
         " bytes = excluded.bytes, sha256 = excluded.sha256, seal_index = excluded.seal_index,"
         " packed_bytes = excluded.packed_bytes, packed_sha256 = excluded.packed_sha256,"
         " store = excluded.store, moved_us = excluded.moved_us,"
         " deleted_us = excluded.deleted_us, delete_index = excluded.delete_index,"
         " raw_deleted = excluded.raw_deleted"},
    };
    enum status status = STATUS_OK;
    size_t n = sizeof statements / sizeof *statements - !tiers->write;
    for (size_t i = 0; status == STATUS_OK && i < n; i++)
        status = db_prepare(tiers->db, statements[i].sql, statements[i].stmt, error);
    return status;
}

static void close_db(struct tiers *tiers)
{
    db_finish(tiers->version);
    db_finish(tiers->select);
    db_finish(tiers->put);
    db_finish(tiers->edge);
    db_close(tiers->db);
    tiers->version = tiers->select = tiers->put = tiers->edge = NULL;
    tiers->db = NULL;
}

/* *made: it has its tables, of a version that is known. */
static enum status check_version(struct tiers *tiers, bool *made, struct error *error)
{
    struct db_stmt *select;
    enum status status = db_prepare(tiers->db, "PRAGMA user_version", &select, error);
    if (status != STATUS_OK)
        return status;
    status = db_step(select, error);
    int64_t version = status == STATUS_OK ? db_int(select, 0) : 0;
    db_finish(select);
    *made = version > 0;
    if (version > (int64_t)(sizeof STEPS / sizeof *STEPS))
        return error_set(error, STATUS_UNSUPPORTED,
                         "%s/tiers.db is of format %d, newer than this binnacle knows: upgrade it",
                         tiers->dir, (int)version);
    return status;
}

/* A reader that comes before the keeper has made the file looks again at the next refresh. */
static enum status open_db(struct tiers *tiers, struct error *error)
{
    char path[PATH_SIZE];
    if (!path_join(path, tiers->dir, "tiers.db"))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", tiers->dir);
    if (!tiers->write && access(path, F_OK) != 0)
        return STATUS_OK;
    enum status status =
        db_open(path, tiers->write ? DB_WRITE : DB_READ, DB_SYNC_FULL, &tiers->db, error);
    bool made = true;
    if (status == STATUS_OK)
        status = tiers->write ? db_migrate(tiers->db, STEPS, sizeof STEPS / sizeof *STEPS, error)
                              : check_version(tiers, &made, error);
    if (status == STATUS_OK && made)
        status = prepare(tiers, error);
    if (status != STATUS_OK || !made)
        close_db(tiers);
    return status;
}

enum status tiers_open(const char *dir, bool write, struct tiers **tiers, struct error *error)
{
    struct tiers *opened = calloc(1, sizeof *opened);
    if (opened)
        opened->dir = strdup(dir);
    if (!opened || !opened->dir) {
        free(opened);
        return error_set(error, STATUS_MEMORY, "out of memory");
    }
    opened->write = write;
    enum status status = tiers_refresh(opened, error);
    if (status != STATUS_OK) {
        tiers_close(opened);
        return status;
    }
    *tiers = opened;
    return STATUS_OK;
}

void tiers_close(struct tiers *tiers)
{
    if (!tiers)
        return;
    close_db(tiers);
    free(tiers->days);
    free(tiers->dir);
    free(tiers);
}

/* ---- reading ---- */

static int64_t int_or(struct db_stmt *stmt, int column, int64_t otherwise)
{
    return db_is_null(stmt, column) ? otherwise : db_int(stmt, column);
}

static bool take_hash(struct db_stmt *stmt, int column, uint8_t out[SHA256_SIZE])
{
    struct slice hash = db_blob(stmt, column);
    if (hash.size == SHA256_SIZE)
        memcpy(out, hash.data, SHA256_SIZE);
    return hash.size == SHA256_SIZE;
}

static bool take_day(struct db_stmt *stmt, struct tier_day *day)
{
    *day = (struct tier_day){
        .day = db_int(stmt, 0),
        .first_index = (uint64_t)db_int(stmt, 2),
        .tree_size = (uint64_t)db_int(stmt, 3),
        .low_us = int_or(stmt, 5, INT64_MAX),
        .high_us = int_or(stmt, 6, INT64_MIN),
        .first_event_us = int_or(stmt, 7, INT64_MIN),
        .quarantined = (uint64_t)db_int(stmt, 8),
        .marks = (uint64_t)db_int(stmt, 9),
        .ended_us = db_int(stmt, 10),
        .sealed_us = db_int(stmt, 11),
        .plain.bytes = db_int(stmt, 12),
        .seal_index = int_or(stmt, 14, -1),
        .packed.bytes = int_or(stmt, 15, 0),
        .store = int_or(stmt, 17, 0),
        .moved_us = int_or(stmt, 18, 0),
        .deleted_us = int_or(stmt, 19, 0),
        .delete_index = int_or(stmt, 20, -1),
        .raw_deleted = (uint64_t)db_int(stmt, 21),
    };
    return tier_of(db_text(stmt, 1), &day->tier) && take_hash(stmt, 4, day->root) &&
           take_hash(stmt, 13, day->plain.sha256) &&
           (day->packed.bytes == 0 || take_hash(stmt, 16, day->packed.sha256));
}

static bool add_day(struct tiers *tiers, const struct tier_day *day)
{
    struct tier_day *days = array_grow(tiers->days, tiers->n, &tiers->capacity, sizeof *days);
    if (!days)
        return false;
    tiers->days = days;
    days[tiers->n++] = *day;
    return true;
}

static enum status load(struct tiers *tiers, struct error *error)
{
    struct tier_day day;
    enum status status;
    tiers->n = 0;
    tiers->loaded = false;
    while ((status = db_step(tiers->select, error)) == STATUS_OK) {
        if (!take_day(tiers->select, &day))
            status = error_set(error, STATUS_CORRUPT,
                               "%s/tiers.db: the row of day %lld is malformed: put the file back "
                               "from a backup",
                               tiers->dir, (long long)day.day);
        else if (!add_day(tiers, &day))
            status = error_set(error, STATUS_MEMORY, "out of memory");
        if (status != STATUS_OK)
            break;
    }
    db_reset(tiers->select);
    tiers->loaded = status == STATUS_END;
    return tiers->loaded ? STATUS_OK : status;
}

enum status tiers_refresh(struct tiers *tiers, struct error *error)
{
    enum status status = tiers->db ? STATUS_OK : open_db(tiers, error);
    if (status != STATUS_OK || !tiers->db)
        return status;
    status = db_step(tiers->version, error);
    if (status != STATUS_OK)
        return status;
    int64_t version = db_int(tiers->version, 0);
    db_reset(tiers->version);
    if (tiers->loaded && version == tiers->seen)
        return STATUS_OK;
    tiers->seen = version;
    return load(tiers, error);
}

size_t tiers_count(const struct tiers *tiers)
{
    return tiers->n;
}

const struct tier_day *tiers_at(const struct tiers *tiers, size_t i)
{
    return &tiers->days[i];
}

const struct tier_day *tiers_find(const struct tiers *tiers, int64_t day)
{
    size_t low = 0, high = tiers->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tiers->days[middle].day < day)
            low = middle + 1;
        else
            high = middle;
    }
    return low < tiers->n && tiers->days[low].day == day ? &tiers->days[low] : NULL;
}

const struct tier_day *tiers_last_deleted(const struct tiers *tiers)
{
    const struct tier_day *last = NULL;
    for (size_t i = 0; i < tiers->n && tiers->days[i].tier == TIER_DELETED; i++)
        last = &tiers->days[i];
    return last;
}

enum status tiers_tree(struct tiers *tiers, int64_t day, struct tree *tree, struct error *error)
{
    const struct tier_day *entry = tiers_find(tiers, day);
    uint8_t root[SHA256_SIZE];
    if (!entry)
        return error_set(error, STATUS_NOT_FOUND, "no such day was sealed");
    db_bind_int(tiers->edge, 1, day);
    enum status status = db_step(tiers->edge, error);
    bool whole = status == STATUS_OK &&
                 tree_load(tree, entry->tree_size, db_blob(tiers->edge, 0)) &&
                 tree_root(tree, root) == STATUS_OK && memcmp(root, entry->root, SHA256_SIZE) == 0;
    db_reset(tiers->edge);
    if (status == STATUS_OK && !whole)
        status = error_set(error, STATUS_CORRUPT,
                           "%s/tiers.db: the tree of day %lld does not give its root: put the file "
                           "back from a backup",
                           tiers->dir, (long long)day);
    return status;
}

/* ---- writing ---- */

static void bind_or_null(struct db_stmt *stmt, int index, int64_t value, bool known)
{
    if (known)
        db_bind_int(stmt, index, value);
    else
        db_bind_null(stmt, index);
}

static void bind_day(struct db_stmt *put, const struct tier_day *day, const char *name)
{
    bool timed = day->low_us <= day->high_us;
    db_bind_int(put, 1, day->day);
    db_bind_text(put, 2, slice_make(name, 10));
    db_bind_text(put, 3, slice_of(tier_name(day->tier)));
    db_bind_int(put, 4, (int64_t)day->first_index);
    db_bind_int(put, 5, (int64_t)day->tree_size);
    db_bind_blob(put, 6, slice_make(day->root, SHA256_SIZE));
    bind_or_null(put, 8, day->low_us, timed);
    bind_or_null(put, 9, day->high_us, timed);
    bind_or_null(put, 10, day->first_event_us, day->first_event_us != INT64_MIN);
    db_bind_int(put, 11, (int64_t)day->quarantined);
    db_bind_int(put, 12, (int64_t)day->marks);
    db_bind_int(put, 13, day->ended_us);
    db_bind_int(put, 14, day->sealed_us);
    db_bind_int(put, 15, day->plain.bytes);
    db_bind_blob(put, 16, slice_make(day->plain.sha256, SHA256_SIZE));
    bind_or_null(put, 17, day->seal_index, day->seal_index >= 0);
    bind_or_null(put, 18, day->packed.bytes, day->packed.bytes > 0);
    if (day->packed.bytes > 0)
        db_bind_blob(put, 19, slice_make(day->packed.sha256, SHA256_SIZE));
    bind_or_null(put, 20, day->store, day->store > 0);
    bind_or_null(put, 21, day->moved_us, day->moved_us > 0);
    bind_or_null(put, 22, day->deleted_us, day->deleted_us > 0);
    bind_or_null(put, 23, day->delete_index, day->delete_index >= 0);
    db_bind_int(put, 24, (int64_t)day->raw_deleted);
}

enum status tiers_put(struct tiers *tiers, const struct tier_day *day, const struct tree *tree,
                      struct error *error)
{
    char name[TIME_TEXT_SIZE];
    uint8_t edges[TREE_EDGES_SIZE];
    const struct tier_day copy = *day; /* it may lie in the list that is read anew */
    time_format(copy.day * US_PER_DAY, name);
    bind_day(tiers->put, &copy, name);
    if (tree)
        db_bind_blob(tiers->put, 7, slice_make(edges, tree_save(tree, edges)));
    enum status status = db_run(tiers->put, error);
    return status == STATUS_OK ? load(tiers, error) : status;
}

struct db *tiers_db(struct tiers *tiers)
{
    return tiers->db;
}

const char *tiers_dir(const struct tiers *tiers)
{
    return tiers->dir;
}

enum status tiers_set(struct tiers *tiers, const char *name, int64_t value, struct error *error)
{
    struct db_stmt *put;
    enum status status =
        db_prepare(tiers->db, "INSERT OR REPLACE INTO settings VALUES(?1, ?2)", &put, error);
    if (status != STATUS_OK)
        return status;
    db_bind_text(put, 1, slice_of(name));
    db_bind_int(put, 2, value);
    status = db_run(put, error);
    db_finish(put);
    return status;
}

enum status tiers_get(struct tiers *tiers, const char *name, int64_t otherwise, int64_t *value,
                      struct error *error)
{
    struct db_stmt *select;
    *value = otherwise;
    if (!tiers->db)
        return STATUS_OK;
    enum status status =
        db_prepare(tiers->db, "SELECT value FROM settings WHERE name = ?1", &select, error);
    if (status != STATUS_OK)
        return status;
    db_bind_text(select, 1, slice_of(name));
    status = db_step(select, error);
    if (status == STATUS_OK)
        *value = db_int(select, 0);
    db_finish(select);
    return status == STATUS_END ? STATUS_OK : status;
}
