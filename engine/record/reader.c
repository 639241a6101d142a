/* Rows of the whole ledger: which day file holds what, scanning in order, looking up. Every file
 * starts with the index that the one before ended with, so that the newest file that starts at or
 * below an index holds it. One thread per reader. */
#include "engine/record/reader_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/record/files_priv.h"
#include "engine/record/tree.h"

#define READER_MAGIC 0x5eade201u

/* A ledger has its keys before its first row. A folder without either is some other one: an empty
 * mount point, for example, which must not pass for a record in which nothing is wrong. */
static enum status expect_ledger(const struct reader *reader, struct error *error)
{
    char keys[PATH_SIZE];
    if (reader->n_days > 0 || tiers_count(reader->tiers) > 0 ||
        (path_join(keys, reader->dir, "keys") && access(keys, F_OK) == 0))
        return STATUS_OK;
    return error_set(error, STATUS_NOT_FOUND,
                     "%s: there is no ledger in this folder; is its disk mounted?", reader->dir);
}

enum status reader_open(const char *dir, struct reader **reader, struct error *error)
{
    struct reader *opened = calloc(1, sizeof *opened);
    if (!opened)
        return error_set(error, STATUS_MEMORY, "out of memory");
    opened->magic = READER_MAGIC;
    buffer_init(&opened->texts, (size_t)256 << 20);
    opened->dir = strdup(dir);
    opened->storage = malloc(sizeof *opened->storage);
    enum status status = opened->dir && opened->storage
                             ? tiers_open(dir, false, &opened->tiers, error)
                             : error_set(error, STATUS_MEMORY, "out of memory");
    if (status == STATUS_OK)
        status = reader_look(opened, error);
    if (status == STATUS_OK)
        status = expect_ledger(opened, error);
    if (status != STATUS_OK) {
        reader_close(opened);
        return status;
    }
    *reader = opened;
    return STATUS_OK;
}

void reader_close(struct reader *reader)
{
    if (!reader)
        return;
    for (int i = 0; i < OPEN_FILES; i++)
        day_reader_close(&reader->files[i]);
    buffer_free(&reader->texts);
    feature_lists_free(reader->lists);
    tiers_close(reader->tiers);
    free(reader->storage);
    free(reader->days);
    free(reader->dir);
    reader->magic = 0;
    free(reader);
}

/* Days with a file and days that are known to be elsewhere, each once, ascending. */
static enum status merge_days(struct reader *reader, const int64_t *files, size_t n_files,
                              struct error *error)
{
    size_t n_tiers = tiers_count(reader->tiers), n = 0;
    int64_t *days = malloc((n_files + n_tiers + 1) * sizeof *days);
    if (!days)
        return error_set(error, STATUS_MEMORY, "out of memory");
    for (size_t i = 0, k = 0; i < n_files || k < n_tiers;) {
        const struct tier_day *sealed = k < n_tiers ? tiers_at(reader->tiers, k) : NULL;
        if (sealed && (i == n_files || sealed->day <= files[i])) {
            i += i < n_files && sealed->day == files[i];
            k++;
            if (sealed->tier != TIER_DELETED)
                days[n++] = sealed->day;
        } else {
            days[n++] = files[i++];
        }
    }
    free(reader->days);
    reader->days = days;
    reader->n_days = n;
    return STATUS_OK;
}

/* Files first: a day that is moved on meanwhile is then found in one or both of the lists. */
enum status reader_look(struct reader *reader, struct error *error)
{
    assert(reader->magic == READER_MAGIC);
    int64_t *files = NULL;
    size_t n = 0;
    enum status status = day_list(reader->dir, &files, &n, error);
    if (status == STATUS_OK)
        status = tiers_refresh(reader->tiers, error);
    if (status == STATUS_OK)
        status = merge_days(reader, files, n, error);
    free(files);
    return status;
}

const struct tier_day *reader_sealed(const struct reader *reader, size_t i)
{
    return tiers_find(reader->tiers, reader->days[i]);
}

/* The file of that day if it is open, else the one that was not used for longest. */
static struct day_reader *pick_file(struct reader *reader, int64_t day)
{
    struct day_reader *oldest = &reader->files[0];
    for (int i = 0; i < OPEN_FILES; i++) {
        struct day_reader *file = &reader->files[i];
        if (file->db && file->day == day)
            return file;
        if (file->used < oldest->used)
            oldest = file;
    }
    return oldest;
}

enum status reader_open_day(struct reader *reader, size_t i, struct error *error)
{
    struct day_reader *file = pick_file(reader, reader->days[i]);
    enum status status = STATUS_OK;
    if (!file->db || file->day != reader->days[i] || day_reader_stale(file, reader->dir)) {
        day_reader_close(file);
        status = day_reader_open(reader->dir, reader->days[i], &reader->lists, reader->storage,
                                 file, error);
    }
    if (status == STATUS_OK)
        file->used = ++reader->uses;
    reader->file = file;
    return status;
}

enum status reader_day_head(struct reader *reader, size_t i, struct day_head *head,
                            struct error *error)
{
    const struct tier_day *sealed = reader_sealed(reader, i);
    if (sealed) {
        head->first_index = sealed->first_index;
        head->tree_size = sealed->tree_size;
        memcpy(head->root, sealed->root, SHA256_SIZE);
        return STATUS_OK;
    }
    enum status status = reader_open_day(reader, i, error);
    return status == STATUS_OK ? day_reader_head(reader->file, head, error) : status;
}

/* The file that holds `index`, opened; *at is its place in reader->days. The newest file comes
 * first: most questions are about today. STATUS_NOT_FOUND. */
static enum status open_holder(struct reader *reader, uint64_t index, size_t *at,
                               struct day_head *head, struct error *error)
{
    enum status status = reader_look(reader, error);
    if (status != STATUS_OK)
        return status;
    for (size_t i = reader->n_days; i-- > 0;) {
        status = reader_day_head(reader, i, head, error);
        if (status == STATUS_NOT_FOUND)
            continue;
        *at = i;
        if (status == STATUS_OK && head->first_index <= index)
            return reader_open_day(reader, i, error);
        if (status != STATUS_OK)
            return status;
    }
    const struct tier_day *deleted = tiers_last_deleted(reader->tiers);
    if (deleted && index < deleted->tree_size)
        return error_set(error, STATUS_NOT_FOUND,
                         "rows 0 to %llu of the ledger %s were deleted by policy",
                         (unsigned long long)deleted->tree_size - 1, reader->dir);
    return error_set(error, STATUS_NOT_FOUND, "the ledger %s has no row %llu", reader->dir,
                     (unsigned long long)index);
}

bool reader_deleted(const struct reader *reader, struct deleted_rows *rows)
{
    const struct tier_day *last = tiers_last_deleted(reader->tiers);
    if (last)
        *rows =
            (struct deleted_rows){last->tree_size, (last->day + 1) * US_PER_DAY, last->deleted_us};
    return last != NULL;
}

enum status reader_head(struct reader *reader, uint64_t *tree_size, uint8_t root[SHA256_SIZE],
                        struct error *error)
{
    struct day_head head = {0};
    size_t at;
    enum status status = open_holder(reader, UINT64_MAX, &at, &head, error);
    *tree_size = head.tree_size;
    if (status == STATUS_OK)
        memcpy(root, head.root, SHA256_SIZE);
    else if (status == STATUS_NOT_FOUND)
        status = tree_root(&(struct tree){0}, root);
    return status;
}

static enum status root_in_file(struct reader *reader, uint64_t tree_size,
                                uint8_t root[SHA256_SIZE], struct error *error)
{
    struct db_stmt *select;
    enum status status = db_prepare(
        reader->file->db, "SELECT root FROM commits WHERE tree_size = ?1 LIMIT 1", &select, error);
    if (status != STATUS_OK)
        return status;
    db_bind_int(select, 1, (int64_t)tree_size);
    status = db_step(select, error);
    if (status == STATUS_OK) {
        struct slice stored = db_blob(select, 0);
        if (stored.size == SHA256_SIZE)
            memcpy(root, stored.data, SHA256_SIZE);
        else
            status = error_set(error, STATUS_CORRUPT, "the root of a group is malformed");
    }
    db_finish(select);
    return status == STATUS_END
               ? error_set(error, STATUS_NOT_FOUND, "no group of the ledger ended at row %llu",
                           (unsigned long long)tree_size)
               : status;
}

enum status reader_root_at(struct reader *reader, uint64_t tree_size, uint8_t root[SHA256_SIZE],
                           struct error *error)
{
    struct day_head head;
    size_t at;
    if (tree_size == 0)
        return tree_root(&(struct tree){0}, root);
    enum status status = open_holder(reader, tree_size - 1, &at, &head, error);
    return status == STATUS_OK ? root_in_file(reader, tree_size, root, error) : status;
}

static const enum row_kind ALL_KINDS[] = {ROW_DECISION, ROW_LABEL, ROW_ACTION};
#define N_KINDS (sizeof ALL_KINDS / sizeof *ALL_KINDS)

/* The three tables of one file, merged by index. */
struct merge {
    struct db_stmt *stmts[N_KINDS];
    bool ready[N_KINDS]; /* stands on a row */
};

static enum status merge_step(struct merge *merge, size_t i, struct error *error)
{
    enum status status = db_step(merge->stmts[i], error);
    merge->ready[i] = status == STATUS_OK;
    return status == STATUS_END ? STATUS_OK : status;
}

static void merge_close(struct merge *merge)
{
    for (size_t i = 0; i < N_KINDS; i++)
        db_finish(merge->stmts[i]);
}

static enum status merge_open(struct reader *reader, uint64_t index, struct merge *merge,
                              struct error *error)
{
    *merge = (struct merge){0};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < N_KINDS && status == STATUS_OK; i++) {
        status = day_reader_select(reader->file, ALL_KINDS[i], "idx >= ?1 ORDER BY idx",
                                   &merge->stmts[i], error);
        if (status == STATUS_OK) {
            db_bind_int(merge->stmts[i], 1, (int64_t)index);
            status = merge_step(merge, i, error);
        }
    }
    return status;
}

/* N_KINDS when all are at their end. */
static size_t merge_smallest(const struct merge *merge)
{
    size_t best = N_KINDS;
    for (size_t i = 0; i < N_KINDS; i++)
        if (merge->ready[i] &&
            (best == N_KINDS || db_int(merge->stmts[i], 0) < db_int(merge->stmts[best], 0)))
            best = i;
    return best;
}

static enum status scan_file(struct reader *reader, uint64_t index, row_visitor *each,
                             void *context, struct error *error)
{
    struct merge merge = {0};
    enum status status = db_exec(reader->file->db, "BEGIN", error);
    if (status != STATUS_OK)
        return status;
    status = merge_open(reader, index, &merge, error);
    for (size_t i; status == STATUS_OK && (i = merge_smallest(&merge)) < N_KINDS;) {
        struct ledger_row row;
        status = day_reader_row(reader->file, ALL_KINDS[i], merge.stmts[i], &row, error);
        if (status == STATUS_OK)
            status = each(context, &row, error);
        if (status == STATUS_OK)
            status = merge_step(&merge, i, error);
    }
    merge_close(&merge);
    db_rollback(reader->file->db);
    return status;
}

/* Where rows from `index` on begin; a file whose beginning cannot be read may hold it. */
static enum status find_first_file(struct reader *reader, uint64_t index, size_t *at,
                                   struct error *error)
{
    enum status status = reader_look(reader, error);
    *at = status == STATUS_OK ? reader->n_days : 0;
    for (bool found = false; status == STATUS_OK && !found && *at > 0;) {
        struct day_head head;
        status = reader_day_head(reader, --*at, &head, error);
        found = status == STATUS_OK && head.first_index <= index;
        if (status == STATUS_NOT_FOUND || status == STATUS_CORRUPT)
            status = STATUS_OK;
    }
    return status;
}

static void tell_damage(const struct reader *reader, size_t at, damage_visitor *damaged,
                        void *context, const struct error *error)
{
    char path[PATH_SIZE];
    if (day_path(path, reader->dir, reader->days[at]))
        damaged(context, path, error);
}

/* damaged: NULL: damage is an error. */
static enum status scan_files(struct reader *reader, size_t at, uint64_t index, row_visitor *each,
                              damage_visitor *damaged, void *context, struct error *error)
{
    enum status status = STATUS_OK;
    for (; status == STATUS_OK && at < reader->n_days; at++) {
        status = reader_open_day(reader, at, error);
        if (status == STATUS_OK)
            status = scan_file(reader, index, each, context, error);
        if (status == STATUS_CORRUPT && damaged) {
            tell_damage(reader, at, damaged, context, error);
            status = STATUS_OK;
        }
        if (status == STATUS_NOT_FOUND) /* a file that was made and never committed to */
            status = STATUS_OK;
    }
    return status == STATUS_END ? STATUS_OK : status;
}

static uint64_t not_deleted(const struct reader *reader, uint64_t index)
{
    const struct tier_day *deleted = tiers_last_deleted(reader->tiers);
    return deleted && index < deleted->tree_size ? deleted->tree_size : index;
}

enum status reader_scan(struct reader *reader, uint64_t index, row_visitor *each, void *context,
                        struct error *error)
{
    struct day_head head;
    size_t at;
    index = not_deleted(reader, index);
    enum status status = open_holder(reader, index, &at, &head, error);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    return status == STATUS_OK ? scan_files(reader, at, index, each, NULL, context, error) : status;
}

enum status reader_scan_past(struct reader *reader, uint64_t index, row_visitor *each,
                             damage_visitor *damaged, void *context, struct error *error)
{
    size_t at;
    index = not_deleted(reader, index);
    enum status status = find_first_file(reader, index, &at, error);
    return status == STATUS_OK ? scan_files(reader, at, index, each, damaged, context, error)
                               : status;
}

/* Moves what the row borrows from the statement into reader->texts, so that the statement can end:
 * one that stands on a row keeps the log from being emptied. */
static enum status lend_row(struct reader *reader, struct ledger_row *row, struct error *error)
{
    struct slice *const texts[] = {
        &row->event_id,          &row->entity, &row->input, &row->who, &row->what, &row->arguments,
        &reader->file->leaf_hash};
    size_t size = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        size += texts[i]->size;
    buffer_reset(&reader->texts);
    if (!buffer_reserve(&reader->texts, size + 1)) /* once, so that it does not move */
        return error_set(error, STATUS_MEMORY, "a ledger row is too large");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t at = reader->texts.size;
        buffer_append_slice(&reader->texts, *texts[i]);
        texts[i]->data = reader->texts.data + at;
    }
    return STATUS_OK;
}

static enum status single_row(struct reader *reader, uint64_t index, struct ledger_row *row,
                              struct error *error)
{
    for (size_t i = 0; i < N_KINDS; i++) {
        struct db_stmt *stmt;
        enum status status = day_reader_row_statement(reader->file, ALL_KINDS[i], &stmt, error);
        if (status != STATUS_OK)
            return status;
        db_bind_int(stmt, 1, (int64_t)index);
        status = db_step(stmt, error);
        bool found = status == STATUS_OK;
        if (found)
            status = day_reader_row(reader->file, ALL_KINDS[i], stmt, row, error);
        if (status == STATUS_OK)
            status = lend_row(reader, row, error);
        db_reset(stmt);
        if (found || status != STATUS_END)
            return status;
    }
    return error_set(error, STATUS_NOT_FOUND, "the ledger %s has no row %llu", reader->dir,
                     (unsigned long long)index);
}

enum status reader_row(struct reader *reader, uint64_t index, struct ledger_row *row,
                       struct error *error)
{
    struct day_head head;
    size_t at;
    enum status status = open_holder(reader, index, &at, &head, error);
    return status == STATUS_OK ? single_row(reader, index, row, error) : status;
}

enum status reader_find_event(struct reader *reader, struct slice event_id, struct ledger_row *row,
                              struct error *error)
{
    enum status status = reader_look(reader, error);
    for (size_t i = reader->n_days; status == STATUS_OK && i-- > 0;) {
        uint64_t indexes[MAX_SAME_EVENT];
        size_t n = 0;
        bool may = true;
        if (reader_sealed(reader, i))
            status = tiers_may_hold(reader->tiers, reader->days[i], event_id, &may, error);
        if (status == STATUS_OK && !may)
            continue;
        if (status == STATUS_OK)
            status = reader_open_day(reader, i, error);
        if (status == STATUS_OK)
            status = day_reader_find(reader->file, event_id, indexes, &n, error);
        if (status == STATUS_OK && n > 0)
            return single_row(reader, indexes[n - 1], row, error);
        if (status == STATUS_NOT_FOUND)
            status = STATUS_OK;
    }
    return status != STATUS_OK ? status
                               : error_set(error, STATUS_NOT_FOUND,
                                           "the ledger %s has no decision on event " SLICE_FORMAT,
                                           reader->dir, SLICE_ARGS(event_id));
}

enum status reader_leaf(struct reader *reader, uint64_t index, struct buffer *leaf,
                        uint8_t stored_hash[SHA256_SIZE], struct error *error)
{
    struct ledger_row row;
    enum status status = reader_row(reader, index, &row, error);
    if (status != STATUS_OK)
        return status;
    struct slice hash = reader->file->leaf_hash;
    if (hash.size != SHA256_SIZE)
        return error_set(error, STATUS_CORRUPT, "the hash of ledger row %llu is damaged",
                         (unsigned long long)index);
    memcpy(stored_hash, hash.data, SHA256_SIZE);
    return leaf_encode(&row, leaf) ? STATUS_OK
                                   : error_set(error, STATUS_MEMORY, "a leaf is too large");
}
