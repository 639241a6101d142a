/* Rows of a day file: what each kind of row selects, and its columns back into a row, with names
 * and feature lists by their numbers. Layout in README.md. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/json.h"
#include "engine/record/codec_priv.h"
#include "engine/record/day_reader_priv.h"

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
