/* Reading a day file: columns back into rows, names and feature lists by their numbers, and the
 * event index. Layout in README.md. */
#include "engine/record/day_reader_priv.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/record/codec_priv.h"
#include "engine/record/day_priv.h"
#include "engine/record/tiers_priv.h"

#define OPEN_TRIES 3

static const struct {
    const char *table, *columns;
} KINDS[] = {
    [ROW_DECISION] = {"decisions",
                      "idx, event_id, entity, event_us, decided_us, source, part, offset, contract,"
                      " contract_version, input, feature_set, features, score, margin, decision,"
                      " rule, reasons, model, model_version, variant, shadows, trace_id,"
                      " latency_us, leaf_hash"},
    [ROW_LABEL] = {"labels",
                   "idx, event_id, label, observed_us, at_us, source, part, offset, leaf_hash"},
    [ROW_ACTION] = {"actions", "idx, at_us, who, what, arguments, source, part, offset, leaf_hash"},
};

void feature_lists_free(struct feature_list *lists)
{
    while (lists) {
        struct feature_list *next = lists->next;
        for (size_t i = 0; i < lists->schema.n_features; i++)
            free((void *)(uintptr_t)lists->names[i]);
        free(lists->names);
        free(lists);
        lists = next;
    }
}

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

static struct feature_list *list_create(size_t n_names)
{
    struct feature_list *list = calloc(1, sizeof *list);
    const char **names = calloc(n_names + 1, sizeof *names);
    if (!list || !names) {
        free(list);
        free(names);
        return NULL;
    }
    list->names = names;
    list->schema.names = names;
    return list;
}

/* NULL with *status set. */
static struct feature_list *parse_list(struct slice digest, struct slice text, enum status *status,
                                       struct error *error)
{
    struct json *json;
    *status = json_parse(text, &json, error);
    if (*status != STATUS_OK)
        return NULL;
    struct feature_list *list = list_create(json_size(json));
    for (const struct json *item = json_first(json); item && list; item = json_next(item)) {
        char *name = strdup(json_as_text(item, ""));
        if (name) {
            list->names[list->schema.n_features++] = name;
        } else {
            feature_lists_free(list);
            list = NULL;
        }
    }
    json_destroy(json);
    if (list)
        memcpy(list->digest, digest.data, FEATURE_SET_SIZE);
    else
        *status = error_set(error, STATUS_MEMORY, "out of memory for feature names");
    return list;
}

static enum status load_sets(struct day_reader *reader, struct error *error)
{
    struct db_stmt *select;
    enum status status =
        db_prepare(reader->db, "SELECT digest, names FROM feature_sets WHERE id > ?1 ORDER BY id",
                   &select, error);
    if (status != STATUS_OK)
        return status;
    db_bind_int(select, 1, (int64_t)reader->n_sets);
    while ((status = db_step(select, error)) == STATUS_OK) {
        struct slice digest = db_blob(select, 0);
        struct feature_list *list = *reader->lists;
        if (digest.size != FEATURE_SET_SIZE ||
            reader->n_sets == sizeof reader->sets / sizeof *reader->sets) {
            status = error_set(error, STATUS_CORRUPT, "a feature set of a ledger day is damaged");
            break;
        }
        while (list && memcmp(list->digest, digest.data, FEATURE_SET_SIZE) != 0)
            list = list->next;
        if (!list) {
            list = parse_list(digest, db_text(select, 1), &status, error);
            if (!list)
                break;
            list->next = *reader->lists;
            *reader->lists = list;
        }
        reader->sets[reader->n_sets++] = list;
    }
    db_finish(select);
    return status == STATUS_END ? STATUS_OK : status;
}

static enum status take_features(struct day_reader *reader, int64_t set, struct slice blob,
                                 struct ledger_row *row, struct error *error)
{
    if (set > (int64_t)reader->n_sets) {
        enum status status = load_sets(reader, error);
        if (status != STATUS_OK)
            return status;
    }
    if (set < 0 || set > (int64_t)reader->n_sets || blob.size > sizeof reader->storage->features ||
        blob.size % sizeof(float) != 0)
        return error_set(error, STATUS_CORRUPT, "the features of ledger row %llu are damaged",
                         (unsigned long long)row->index);
    if (blob.size > 0)
        memcpy(reader->storage->features, blob.data, blob.size);
    row->features = reader->storage->features;
    row->n_features = blob.size / sizeof(float);
    if (set > 0) {
        row->names = &reader->sets[set - 1]->schema;
        memcpy(row->feature_set, reader->sets[set - 1]->digest, FEATURE_SET_SIZE);
    }
    return STATUS_OK;
}

static enum status unpack_reasons(struct day_reader *reader, struct slice blob,
                                  struct ledger_row *row, struct error *error)
{
    struct cursor in = cursor_of(blob);
    int n = 0;
    while (in.at != in.end && !in.bad && n < MAX_FEATURES) {
        struct row_reason *reason = &reader->storage->reasons[n++];
        enum status status = day_reader_name(reader, get_u32(&in), &reason->code, error);
        if (status != STATUS_OK)
            return status;
        reason->feature = get_i32(&in);
        reason->value = get_float(&in);
        reason->contribution = get_float(&in);
    }
    row->reasons = reader->storage->reasons;
    row->n_reasons = n;
    return in.bad || in.at != in.end
               ? error_set(error, STATUS_CORRUPT, "the reasons of ledger row %llu are damaged",
                           (unsigned long long)row->index)
               : STATUS_OK;
}

static enum status unpack_shadows(struct day_reader *reader, struct slice blob,
                                  struct ledger_row *row, struct error *error)
{
    struct cursor in = cursor_of(blob);
    int n = 0;
    while (in.at != in.end && !in.bad && n < MAX_SHADOWS) {
        struct row_shadow *shadow = &reader->storage->shadows[n++];
        enum status status = day_reader_name(reader, get_u32(&in), &shadow->model, error);
        if (status == STATUS_OK)
            status = day_reader_name(reader, get_u32(&in), &shadow->version, error);
        if (status != STATUS_OK)
            return status;
        shadow->score = get_float(&in);
    }
    row->shadows = reader->storage->shadows;
    row->n_shadows = n;
    return in.bad || in.at != in.end
               ? error_set(error, STATUS_CORRUPT, "the shadows of ledger row %llu are damaged",
                           (unsigned long long)row->index)
               : STATUS_OK;
}

static enum status take_decision_names(struct day_reader *reader, struct db_stmt *stmt,
                                       struct ledger_row *row, struct error *error)
{
    const struct {
        int column;
        struct slice *name;
    } names[] = {
        {5, &row->source}, {8, &row->contract}, {9, &row->contract_version},
        {16, &row->rule},  {18, &row->model},   {19, &row->model_version},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        enum status status =
            day_reader_name(reader, db_int(stmt, names[i].column), names[i].name, error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status take_decision(struct day_reader *reader, struct db_stmt *stmt,
                                 struct ledger_row *row, struct error *error)
{
    row->event_id = db_text(stmt, 1);
    row->entity = db_text(stmt, 2);
    row->event_us = db_int(stmt, 3);
    row->at_us = db_int(stmt, 4);
    row->part = (int32_t)db_int(stmt, 6);
    row->offset = db_int(stmt, 7);
    row->input = db_text(stmt, 10);
    row->score = (float)db_double(stmt, 13);
    row->margin = (float)db_double(stmt, 14);
    row->decision = (enum decision)db_int(stmt, 15);
    row->variant = (enum variant)db_int(stmt, 20);
    struct slice trace = db_blob(stmt, 22);
    if (trace.size == sizeof row->trace_id)
        memcpy(row->trace_id, trace.data, sizeof row->trace_id);
    row->latency_us = db_int(stmt, 23);
    reader->leaf_hash = db_blob(stmt, 24);
    enum status status = take_decision_names(reader, stmt, row, error);
    if (status == STATUS_OK)
        status = take_features(reader, db_int(stmt, 11), db_blob(stmt, 12), row, error);
    if (status == STATUS_OK)
        status = unpack_reasons(reader, db_blob(stmt, 17), row, error);
    if (status == STATUS_OK)
        status = unpack_shadows(reader, db_blob(stmt, 21), row, error);
    return status;
}

static enum status take_label(struct day_reader *reader, struct db_stmt *stmt,
                              struct ledger_row *row, struct error *error)
{
    row->event_id = db_text(stmt, 1);
    row->label = (int)db_int(stmt, 2);
    row->observed_us = db_int(stmt, 3);
    row->at_us = db_int(stmt, 4);
    row->part = (int32_t)db_int(stmt, 6);
    row->offset = db_int(stmt, 7);
    reader->leaf_hash = db_blob(stmt, 8);
    return day_reader_name(reader, db_int(stmt, 5), &row->source, error);
}

static enum status take_action(struct day_reader *reader, struct db_stmt *stmt,
                               struct ledger_row *row, struct error *error)
{
    row->at_us = db_int(stmt, 1);
    row->who = db_text(stmt, 2);
    row->what = db_text(stmt, 3);
    row->arguments = db_text(stmt, 4);
    row->part = (int32_t)db_int(stmt, 6);
    row->offset = db_int(stmt, 7);
    reader->leaf_hash = db_blob(stmt, 8);
    return day_reader_name(reader, db_int(stmt, 5), &row->source, error);
}

enum status day_reader_select(struct day_reader *reader, enum row_kind kind, const char *where,
                              struct db_stmt **stmt, struct error *error)
{
    struct buffer sql;
    buffer_init(&sql, (size_t)16 << 10);
    buffer_printf(&sql, "SELECT %s FROM %s WHERE %s", KINDS[kind].columns, KINDS[kind].table,
                  where);
    enum status status = sql.overflow ? error_set(error, STATUS_MEMORY, "out of memory")
                                      : db_prepare(reader->db, sql.data, stmt, error);
    buffer_free(&sql);
    return status;
}

enum status day_reader_row(struct day_reader *reader, enum row_kind kind, struct db_stmt *stmt,
                           struct ledger_row *row, struct error *error)
{
    memset(row, 0, sizeof *row);
    row->kind = kind;
    row->index = (uint64_t)db_int(stmt, 0);
    switch (kind) {
    case ROW_DECISION:
        return take_decision(reader, stmt, row, error);
    case ROW_LABEL:
        return take_label(reader, stmt, row, error);
    case ROW_ACTION:
        return take_action(reader, stmt, row, error);
    }
    return error_set(error, STATUS_INVALID, "a row of no known kind");
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
