/* The statements on history.db. A row's number is its start, so that a range of time is a range of
 * rows. Pages are small ones, because rows of many sizes leave less of them empty. */
#include "engine/history/disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/db.h"
#include "engine/base/packed_bytes.h"

#define MAX_ROW ((size_t)64 << 20)
#define NO_ROW  INT64_MIN

const struct shelf_shape shelf_shapes[SHELVES] = {
    [SHELF_MINUTE] = {60, SLICE_S, SECTION_ALL},
    [SHELF_MINUTE_LABELS] = {60, SLICE_S, SECTION_SCALARS | SECTION_LATENCY},
    [SHELF_SLICE_LABELS] = {SLICE_S, SLICE_S, SECTION_SCORES | SECTION_BINS},
    [SHELF_HOUR] = {3600, 3600, SECTION_ALL},
    [SHELF_HOUR_LABEL] = {3600, 3600, SECTION_ALL},
    [SHELF_HOUR_LABELS] = {3600, 3600, SECTION_ALL},
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
    /* No table changes, but rows that are written from now on (row.c) tell an earlier release
     * nothing: it is to say so, and not that the file is damaged. */
    "SELECT 1;",
};

_Static_assert(SHELVES == 6, "each shelf has its table");

/* Of each shelf. */
enum shelf_statement { GET_PIECES, PUT_PIECE, DROP_INSIDE, PRUNE, SHELF_STATEMENTS };

static const char *const shelf_sql[SHELF_STATEMENTS] = {
    [GET_PIECES] = "SELECT start_s, content FROM piece%d WHERE start_s >= ?1 AND start_s < ?2 "
                   "ORDER BY start_s",
    [PUT_PIECE] = "INSERT OR REPLACE INTO piece%d VALUES (?1, ?2)",
    [DROP_INSIDE] = "DELETE FROM piece%d WHERE start_s > ?1 AND start_s < ?2",
    [PRUNE] = "DELETE FROM piece%d WHERE start_s < ?1",
};

enum statement {
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
    struct shelf_row {
        struct row *row;
        int64_t start_s; /* NO_ROW: nothing is in it */
        unsigned sections;
    } visited[SHELVES];
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

static void free_all(struct disk *disk)
{
    packer_destroy(disk->packer);
    buffer_free(&disk->plain);
    buffer_free(&disk->packed);
    for (int i = 0; i < SHELVES; i++)
        row_destroy(disk->visited[i].row);
    free(disk);
}

static struct disk *create(void)
{
    struct disk *disk = calloc(1, sizeof *disk);
    if (!disk)
        return NULL;
    buffer_init(&disk->plain, MAX_ROW);
    buffer_init(&disk->packed, MAX_ROW);
    disk->packer = packer_create();
    bool whole = disk->packer != NULL;
    for (int i = 0; i < SHELVES && whole; i++) {
        disk->visited[i] = (struct shelf_row){.row = row_create(), .start_s = NO_ROW};
        whole = disk->visited[i].row != NULL;
    }
    if (whole)
        return disk;
    free_all(disk);
    return NULL;
}

enum status disk_open(const char *path, bool write, struct disk **disk, struct error *error)
{
    struct disk *made = create();
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory for %s", path);
    enum status status =
        db_open(path, write ? DB_WRITE : DB_READ, DB_SYNC_NORMAL, &made->db, error);
    if (status == STATUS_OK)
        status = prepare(made, write, error);
    if (status != STATUS_OK) {
        disk_close(made);
        return status;
    }
    *disk = made;
    return STATUS_OK;
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

enum status disk_unpack(const struct disk *disk, const struct layouts *layouts,
                        struct row_cells cells, int64_t start_s, struct span *span,
                        struct error *error)
{
    while (cells.n > 0) {
        struct packed_cell packed;
        if (!row_next(&cells, &packed))
            return damaged(disk, error);
        const struct layout *layout = layouts_get(layouts, packed.layout);
        struct cell *cell = layout ? span_cell(span, start_s, packed.labels, layout) : NULL;
        if (!cell || !cell_unpack(cell, &packed, SECTION_ALL, ALL_COLUMNS))
            return damaged(disk, error);
    }
    return STATUS_OK;
}

/* Only an earlier release left rows that begin inside of another. */
static bool take_piece(struct disk *disk, struct slice piece, int index, struct row *row)
{
    if (index == 0)
        return row_unpack(row, disk->packer, piece, SECTION_ALL);
    return packer_unpack(disk->packer, piece, &disk->plain) &&
           row_put(row, index, buffer_slice(&disk->plain), SECTION_ALL);
}

enum status disk_read_row(struct disk *disk, enum shelf shelf, int64_t start_s, struct row *row,
                          struct error *error)
{
    const struct shelf_shape *shape = &shelf_shapes[shelf];
    struct db_stmt *get = disk->shelves[shelf][GET_PIECES];
    enum status status;
    row_clear(row);
    db_bind_int(get, 1, start_s);
    db_bind_int(get, 2, start_s + shape->row_s);
    while ((status = db_step(get, error)) == STATUS_OK) {
        int index = (int)((db_int(get, 0) - start_s) / shape->width_s);
        if (!take_piece(disk, db_blob(get, 1), index, row)) {
            status = damaged(disk, error);
            break;
        }
    }
    db_reset(get);
    return status == STATUS_END ? STATUS_OK : status;
}

enum status disk_write_row(struct disk *disk, enum shelf shelf, int64_t start_s, struct row *row,
                           struct error *error)
{
    struct db_stmt *put = disk->shelves[shelf][PUT_PIECE];
    struct db_stmt *drop = disk->shelves[shelf][DROP_INSIDE];
    buffer_reset(&disk->packed);
    if (!row_pack(row, disk->packer, &disk->packed))
        return error_set(error, STATUS_MEMORY, "out of memory for a row of the history");
    db_bind_int(put, 1, start_s);
    db_bind_blob(put, 2, buffer_slice(&disk->packed));
    enum status status = db_run(put, error);
    if (status != STATUS_OK || shelf_shapes[shelf].row_s == shelf_shapes[shelf].width_s)
        return status;
    db_bind_int(drop, 1, start_s);
    db_bind_int(drop, 2, start_s + shelf_shapes[shelf].row_s);
    return db_run(drop, error);
}

/* The row that the statement stands at, unless it is the one that was visited last. */
static bool visit_row(struct disk *disk, struct shelf_row *visited, struct db_stmt *get,
                      unsigned sections)
{
    int64_t start_s = db_int(get, 0);
    if (visited->start_s == start_s && (visited->sections & sections) == sections)
        return true;
    visited->start_s = NO_ROW;
    if (!row_unpack(visited->row, disk->packer, db_blob(get, 1), sections))
        return false;
    visited->start_s = start_s;
    visited->sections = sections;
    return true;
}

enum status disk_visit(struct disk *disk, enum shelf shelf, int64_t from_s, int64_t to_s,
                       unsigned sections, disk_visitor *visit, void *context, struct error *error)
{
    const struct shelf_shape *shape = &shelf_shapes[shelf];
    struct shelf_row *visited = &disk->visited[shelf];
    struct db_stmt *get = disk->shelves[shelf][GET_PIECES];
    db_bind_int(get, 1, floor_to(from_s, shape->row_s));
    db_bind_int(get, 2, to_s);
    enum status status;
    while ((status = db_step(get, error)) == STATUS_OK) {
        if (!visit_row(disk, visited, get, sections))
            status = damaged(disk, error);
        for (size_t i = 0; status == STATUS_OK && i < row_size(visited->row); i++) {
            int64_t start_s = visited->start_s + row_index(visited->row, i) * shape->width_s;
            if (start_s >= from_s && start_s < to_s)
                status = visit(context, row_block(visited->row, i), error);
        }
        if (status != STATUS_OK)
            break;
    }
    db_reset(get);
    return status == STATUS_END ? STATUS_OK : status;
}

enum status disk_prune(struct disk *disk, enum shelf shelf, int64_t before_s, struct error *error)
{
    struct db_stmt *prune = disk->shelves[shelf][PRUNE];
    db_bind_int(prune, 1, floor_to(before_s, shelf_shapes[shelf].row_s));
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
    *state = (struct disk_state){.upto_us = INT64_MIN};
    struct db_stmt *get = disk->statements[GET_STATE];
    enum status status = db_step(get, error);
    if (status == STATUS_OK) {
        state->upto_us = db_int(get, 0);
        state->seq = (uint64_t)db_int(get, 1);
    }
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
    for (int i = 0; i < SHELVES; i++)
        disk->visited[i].start_s = NO_ROW;
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
