/* The statements on history.db and the packing of rows. A row's number is its start, so that a
 * range of time is a range of rows. */
#include "engine/history/disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/db.h"
#include "engine/base/packed_bytes.h"

#define MAX_ROW ((size_t)64 << 20)

const struct shelf_shape shelf_shapes[SHELVES] = {
    [SHELF_MINUTE] = {60, SECTION_ALL},
    [SHELF_MINUTE_LABELS] = {60, SECTION_SCALARS | SECTION_LATENCY},
    [SHELF_SLICE_LABELS] = {SLICE_S, SECTION_SCORES | SECTION_BINS},
    [SHELF_HOUR] = {3600, SECTION_ALL},
    [SHELF_HOUR_LABEL] = {3600, SECTION_ALL},
    [SHELF_HOUR_LABELS] = {3600, SECTION_ALL},
};

static const char *const migrations[] = {
    "CREATE TABLE piece (id INTEGER PRIMARY KEY, content BLOB NOT NULL);"
    "CREATE TABLE layout (id INTEGER PRIMARY KEY, content BLOB NOT NULL);"
    "CREATE TABLE label (position INTEGER PRIMARY KEY, name TEXT NOT NULL);"
    "CREATE TABLE label_value (position INTEGER NOT NULL, code INTEGER NOT NULL,"
    " text TEXT NOT NULL, PRIMARY KEY (position, code)) WITHOUT ROWID;"
    "CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), upto_us INTEGER NOT NULL,"
    " seq INTEGER NOT NULL);"
    "CREATE TABLE run (id INTEGER PRIMARY KEY, from_us INTEGER NOT NULL, to_us INTEGER NOT NULL);"
    "CREATE INDEX run_to ON run (to_us);",
    /* A table for each shelf, because rows come in order of time within one. The first step's rows
     * summed scores in another unit, and are given up. */
    "DROP TABLE piece;"
    "DELETE FROM run;"
    "CREATE TABLE piece0 (start_s INTEGER PRIMARY KEY, content BLOB NOT NULL);"
    "CREATE TABLE piece1 (start_s INTEGER PRIMARY KEY, content BLOB NOT NULL);"
    "CREATE TABLE piece2 (start_s INTEGER PRIMARY KEY, content BLOB NOT NULL);"
    "CREATE TABLE piece3 (start_s INTEGER PRIMARY KEY, content BLOB NOT NULL);"
    "CREATE TABLE piece4 (start_s INTEGER PRIMARY KEY, content BLOB NOT NULL);"
    "CREATE TABLE piece5 (start_s INTEGER PRIMARY KEY, content BLOB NOT NULL);",
};

_Static_assert(SHELVES == 6, "each shelf has its table");

/* Of each shelf. */
enum shelf_statement { GET_PIECE, GET_PIECES, PUT_PIECE, PRUNE, SHELF_STATEMENTS };

static const char *const shelf_sql[SHELF_STATEMENTS] = {
    [GET_PIECE] = "SELECT content FROM piece%d WHERE start_s = ?1",
    [GET_PIECES] = "SELECT start_s, content FROM piece%d WHERE start_s >= ?1 AND start_s < ?2 "
                   "ORDER BY start_s",
    [PUT_PIECE] = "INSERT OR REPLACE INTO piece%d VALUES (?1, ?2)",
    [PRUNE] = "DELETE FROM piece%d WHERE start_s < ?1",
};

enum statement {
    NEWEST,
    GET_LAYOUTS,
    PUT_LAYOUT,
    GET_LABELS,
    PUT_LABEL,
    GET_VALUES,
    PUT_VALUE,
    GET_STATE,
    PUT_STATE,
    GET_RUNS,
    PUT_RUN,
    STATEMENTS
};

static const char *const sql[STATEMENTS] = {
    [NEWEST] = "SELECT max(start_s) FROM piece0",
    [GET_LAYOUTS] = "SELECT id, content FROM layout ORDER BY id",
    [PUT_LAYOUT] = "INSERT OR REPLACE INTO layout VALUES (?1, ?2)",
    [GET_LABELS] = "SELECT position, name FROM label ORDER BY position",
    [PUT_LABEL] = "INSERT OR REPLACE INTO label VALUES (?1, ?2)",
    [GET_VALUES] = "SELECT position, code, text FROM label_value ORDER BY position, code",
    [PUT_VALUE] = "INSERT OR REPLACE INTO label_value VALUES (?1, ?2, ?3)",
    [GET_STATE] = "SELECT upto_us, seq FROM state",
    [PUT_STATE] = "INSERT OR REPLACE INTO state VALUES (1, ?1, ?2)",
    [GET_RUNS] = "SELECT id, from_us, to_us FROM run WHERE to_us > ?1 AND from_us < ?2 "
                 "ORDER BY from_us",
    [PUT_RUN] = "INSERT OR REPLACE INTO run VALUES (?1, ?2, ?3)",
};

struct disk {
    struct db *db;
    struct db_stmt *statements[STATEMENTS];
    struct db_stmt *shelves[SHELVES][SHELF_STATEMENTS];
    struct packer *packer;
    struct buffer plain, packed;
};

/* ---- opening ---- */

static enum status prepare_shelves(struct disk *disk, struct error *error)
{
    char text[128];
    enum status status = STATUS_OK;
    for (int i = 0; i < SHELVES * SHELF_STATEMENTS && status == STATUS_OK; i++) {
        int shelf = i / SHELF_STATEMENTS, statement = i % SHELF_STATEMENTS;
        const char *percent = strchr(shelf_sql[statement], '%');
        snprintf(text, sizeof text, "%.*s%d%s", (int)(percent - shelf_sql[statement]),
                 shelf_sql[statement], shelf, percent + 2);
        status = db_prepare(disk->db, text, &disk->shelves[shelf][statement], error);
    }
    return status;
}

static enum status prepare(struct disk *disk, bool write, struct error *error)
{
    enum status status = write ? db_migrate(disk->db, migrations,
                                            (int)(sizeof migrations / sizeof *migrations), error)
                               : STATUS_OK;
    for (int i = 0; i < STATEMENTS && status == STATUS_OK; i++)
        status = db_prepare(disk->db, sql[i], &disk->statements[i], error);
    return status == STATUS_OK ? prepare_shelves(disk, error) : status;
}

enum status disk_open(const char *path, bool write, struct disk **disk, struct error *error)
{
    struct disk *made = calloc(1, sizeof *made);
    if (made)
        made->packer = packer_create();
    if (!made || !made->packer) {
        free(made);
        return error_set(error, STATUS_MEMORY, "out of memory for %s", path);
    }
    buffer_init(&made->plain, MAX_ROW);
    buffer_init(&made->packed, MAX_ROW);
    enum status status =
        db_open(path, write ? DB_WRITE_LARGE : DB_READ, DB_SYNC_NORMAL, &made->db, error);
    if (status == STATUS_OK)
        status = prepare(made, write, error);
    if (status != STATUS_OK) {
        disk_close(made);
        return status;
    }
    *disk = made;
    return STATUS_OK;
}

static void free_all(struct disk *disk)
{
    packer_destroy(disk->packer);
    buffer_free(&disk->plain);
    buffer_free(&disk->packed);
    free(disk);
}

static void finish_all(struct disk *disk)
{
    for (int i = 0; i < STATEMENTS; i++)
        db_finish(disk->statements[i]);
    for (int i = 0; i < SHELVES * SHELF_STATEMENTS; i++)
        db_finish(disk->shelves[i / SHELF_STATEMENTS][i % SHELF_STATEMENTS]);
}

void disk_close(struct disk *disk)
{
    if (!disk)
        return;
    finish_all(disk);
    db_close(disk->db);
    free_all(disk);
}

void disk_abandon(struct disk *disk)
{
    if (!disk)
        return;
    finish_all(disk);
    db_abandon(disk->db);
    free_all(disk);
}

/* ---- rows ---- */

static enum status damaged(const struct disk *disk, struct error *error)
{
    return error_set(error, STATUS_CORRUPT,
                     "%s: a row is damaged; remove the file to begin the history anew",
                     db_path(disk->db));
}

static enum status unpack_row(struct disk *disk, const struct layouts *layouts, int64_t start_s,
                              struct span *span, struct error *error)
{
    struct slice bytes = buffer_slice(&disk->plain);
    while (bytes.size > 0) {
        struct packed_cell packed;
        if (!cell_next(&bytes, &packed))
            return damaged(disk, error);
        const struct layout *layout = layouts_get(layouts, packed.layout);
        struct cell *cell = layout ? span_cell(span, start_s, packed.labels, layout) : NULL;
        if (!cell || !cell_unpack(cell, &packed, SECTION_ALL))
            return damaged(disk, error);
    }
    return STATUS_OK;
}

enum status disk_read(struct disk *disk, const struct layouts *layouts, enum shelf shelf,
                      int64_t start_s, struct span *span, struct error *error)
{
    struct db_stmt *get = disk->shelves[shelf][GET_PIECE];
    db_bind_int(get, 1, start_s);
    enum status status = db_step(get, error);
    if (status == STATUS_OK && !packer_unpack(disk->packer, db_blob(get, 0), &disk->plain))
        status = damaged(disk, error);
    if (status == STATUS_OK)
        status = unpack_row(disk, layouts, start_s, span, error);
    db_reset(get);
    return status == STATUS_END ? STATUS_OK : status;
}

enum status disk_write(struct disk *disk, enum shelf shelf, int64_t start_s, struct slice cells,
                       struct error *error)
{
    struct db_stmt *put = disk->shelves[shelf][PUT_PIECE];
    buffer_reset(&disk->packed);
    if (!packer_pack(disk->packer, cells, &disk->packed))
        return error_set(error, STATUS_MEMORY, "out of memory for a row of the history");
    db_bind_int(put, 1, start_s);
    db_bind_blob(put, 2, buffer_slice(&disk->packed));
    return db_run(put, error);
}

enum status disk_visit(struct disk *disk, enum shelf shelf, int64_t from_s, int64_t to_s,
                       disk_visitor *visit, void *context, struct error *error)
{
    struct db_stmt *get = disk->shelves[shelf][GET_PIECES];
    db_bind_int(get, 1, from_s);
    db_bind_int(get, 2, to_s);
    enum status status;
    while ((status = db_step(get, error)) == STATUS_OK) {
        if (!packer_unpack(disk->packer, db_blob(get, 1), &disk->plain))
            status = damaged(disk, error);
        else
            status = visit(context, db_int(get, 0), buffer_slice(&disk->plain), error);
        if (status != STATUS_OK)
            break;
    }
    db_reset(get);
    return status == STATUS_END ? STATUS_OK : status;
}

enum status disk_prune(struct disk *disk, enum shelf shelf, int64_t before_s, struct error *error)
{
    struct db_stmt *prune = disk->shelves[shelf][PRUNE];
    db_bind_int(prune, 1, before_s);
    return db_run(prune, error);
}

/* ---- what the rows mean ---- */

const struct layout *layouts_get(const struct layouts *layouts, int id)
{
    return id >= 0 && id < layouts->n ? layouts->list[id] : NULL;
}

static enum status load_layouts(struct disk *disk, struct layouts *layouts, struct error *error)
{
    struct db_stmt *get = disk->statements[GET_LAYOUTS];
    enum status status;
    while ((status = db_step(get, error)) == STATUS_OK) {
        int64_t id = db_int(get, 0);
        if (id < layouts->n)
            continue;
        struct layout *layout =
            id == layouts->n && id < 256 ? layout_decode(db_blob(get, 1)) : NULL;
        if (!layout) {
            status = damaged(disk, error);
            break;
        }
        layout->id = (int)id;
        layouts->list[layouts->n++] = layout;
    }
    db_reset(get);
    return status == STATUS_END ? STATUS_OK : status;
}

/* db's texts end where their slices end, not with a zero. */
static void copy_text(struct db_stmt *stmt, int column, char out[NAME_SIZE])
{
    struct slice text = db_text(stmt, column);
    size_t size = text.size < NAME_SIZE ? text.size : NAME_SIZE - 1;
    if (size > 0)
        memcpy(out, text.data, size);
    out[size] = '\0';
}

static enum status load_labels(struct disk *disk, struct labels *labels, struct error *error)
{
    char text[NAME_SIZE];
    struct db_stmt *get = disk->statements[GET_LABELS];
    enum status status = STATUS_END;
    bool whole = true;
    while (whole && (status = db_step(get, error)) == STATUS_OK) {
        copy_text(get, 1, text);
        whole = labels_restore(labels, (int)db_int(get, 0), text);
    }
    db_reset(get);
    get = disk->statements[GET_VALUES];
    while (whole && (status = db_step(get, error)) == STATUS_OK) {
        copy_text(get, 2, text);
        whole = labels_restore_value(labels, (int)db_int(get, 0), (int)db_int(get, 1), text);
    }
    db_reset(get);
    if (!whole)
        return damaged(disk, error);
    return status == STATUS_END ? STATUS_OK : status;
}

static enum status load_state(struct disk *disk, struct disk_state *state, struct error *error)
{
    *state = (struct disk_state){.upto_us = INT64_MIN, .newest_s = INT64_MIN};
    struct db_stmt *get = disk->statements[GET_STATE];
    enum status status = db_step(get, error);
    if (status == STATUS_OK) {
        state->upto_us = db_int(get, 0);
        state->seq = (uint64_t)db_int(get, 1);
    }
    db_reset(get);
    if (status != STATUS_OK && status != STATUS_END)
        return status;
    get = disk->statements[NEWEST];
    status = db_step(get, error);
    if (status == STATUS_OK && !db_is_null(get, 0))
        state->newest_s = db_int(get, 0);
    db_reset(get);
    return status == STATUS_END ? STATUS_OK : status;
}

enum status disk_load(struct disk *disk, struct labels *labels, struct layouts *layouts,
                      struct disk_state *state, struct error *error)
{
    enum status status = load_layouts(disk, layouts, error);
    if (status == STATUS_OK)
        status = load_labels(disk, labels, error);
    return status == STATUS_OK ? load_state(disk, state, error) : status;
}

enum status disk_seq(struct disk *disk, uint64_t *seq, struct error *error)
{
    *seq = 0;
    struct db_stmt *get = disk->statements[GET_STATE];
    enum status status = db_step(get, error);
    if (status == STATUS_OK)
        *seq = (uint64_t)db_int(get, 1);
    db_reset(get);
    return status == STATUS_END ? STATUS_OK : status;
}

enum status disk_runs(struct disk *disk, int64_t from_us, int64_t to_us, struct run *runs,
                      size_t max, size_t *n, struct error *error)
{
    struct db_stmt *get = disk->statements[GET_RUNS];
    db_bind_int(get, 1, from_us);
    db_bind_int(get, 2, to_us);
    enum status status = STATUS_END;
    *n = 0;
    while (*n < max && (status = db_step(get, error)) == STATUS_OK)
        runs[(*n)++] = (struct run){db_int(get, 0), db_int(get, 1), db_int(get, 2)};
    db_reset(get);
    return *n == max || status == STATUS_END ? STATUS_OK : status;
}

/* ---- writing what the rows mean ---- */

enum status disk_begin(struct disk *disk, bool write, struct error *error)
{
    return write ? db_begin(disk->db, error) : db_exec(disk->db, "BEGIN", error);
}

enum status disk_commit(struct disk *disk, struct error *error)
{
    return db_commit(disk->db, error);
}

void disk_rollback(struct disk *disk)
{
    db_rollback(disk->db);
}

enum status disk_put_layout(struct disk *disk, const struct layout *layout, struct error *error)
{
    struct db_stmt *put = disk->statements[PUT_LAYOUT];
    buffer_reset(&disk->plain);
    layout_encode(layout, &disk->plain);
    db_bind_int(put, 1, layout->id);
    db_bind_blob(put, 2, buffer_slice(&disk->plain));
    return db_run(put, error);
}

enum status disk_put_label(struct disk *disk, int position, const char *name, struct error *error)
{
    struct db_stmt *put = disk->statements[PUT_LABEL];
    db_bind_int(put, 1, position);
    db_bind_text(put, 2, slice_of(name));
    return db_run(put, error);
}

enum status disk_put_value(struct disk *disk, int position, int code, const char *text,
                           struct error *error)
{
    struct db_stmt *put = disk->statements[PUT_VALUE];
    db_bind_int(put, 1, position);
    db_bind_int(put, 2, code);
    db_bind_text(put, 3, slice_of(text));
    return db_run(put, error);
}

enum status disk_put_state(struct disk *disk, int64_t upto_us, uint64_t seq, struct error *error)
{
    struct db_stmt *put = disk->statements[PUT_STATE];
    db_bind_int(put, 1, upto_us);
    db_bind_int(put, 2, (int64_t)seq);
    return db_run(put, error);
}

enum status disk_put_run(struct disk *disk, const struct run *run, struct error *error)
{
    struct db_stmt *put = disk->statements[PUT_RUN];
    db_bind_int(put, 1, run->id);
    db_bind_int(put, 2, run->from_us);
    db_bind_int(put, 3, run->to_us);
    return db_run(put, error);
}
