/* Quarantined events: listing, counting, opening. What became of one (retried, resolved) is a mark
 * in the file of the day when that happened, so that old files never change; the latest counts. */
#include "engine/base/array.h"
#include "engine/record/reader_priv.h"

#include <stdlib.h>

#include "engine/base/json.h"
#include "engine/record/files_priv.h"
#include "engine/record/raw_priv.h"

/* Latest mark per quarantined event, ascending by id. */
struct marks {
    struct settled {
        uint64_t id;
        int status;
        uint64_t order;
    } * items;
    size_t n, capacity;
};

void quarantine_filter_init(struct quarantine_filter *filter)
{
    *filter = (struct quarantine_filter){
        .from_us = INT64_MIN, .to_us = INT64_MAX, .status = -1, .limit = -1};
}

static enum status add_mark(struct marks *marks, uint64_t id, int quarantine)
{
    struct settled *items = array_grow(marks->items, marks->n, &marks->capacity, sizeof *items);
    if (!items)
        return STATUS_MEMORY;
    marks->items = items;
    items[marks->n] = (struct settled){id, quarantine, marks->n};
    marks->n++;
    return STATUS_OK;
}

static int compare_marks(const void *a, const void *b)
{
    const struct settled *left = a, *right = b;
    if (left->id != right->id)
        return left->id < right->id ? -1 : 1;
    return (left->order > right->order) - (left->order < right->order);
}

static enum status load_marks(struct reader *reader, struct marks *marks, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < reader->n_days && status == STATUS_OK; i++) {
        struct db_stmt *select = NULL;
        const struct tier_day *sealed = reader_sealed(reader, i);
        if (sealed && sealed->marks == 0)
            continue;
        status = reader_open_day(reader, i, error);
        if (status == STATUS_NOT_FOUND) {
            status = STATUS_OK;
            continue;
        }
        if (status == STATUS_OK)
            status =
                db_prepare(reader->file->db, "SELECT id, status FROM quarantine_marks ORDER BY n",
                           &select, error);
        while (status == STATUS_OK && (status = db_step(select, error)) == STATUS_OK)
            if (add_mark(marks, (uint64_t)db_int(select, 0), (int)db_int(select, 1)) != STATUS_OK)
                status = error_set(error, STATUS_MEMORY, "out of memory for quarantine marks");
        db_finish(select);
        if (status == STATUS_END)
            status = STATUS_OK;
    }
    if (marks->n > 0)
        qsort(marks->items, marks->n, sizeof *marks->items, compare_marks);
    return status;
}

static enum quarantine_status status_of(const struct marks *marks, uint64_t id)
{
    size_t low = 0, high = marks->n; /* the first mark beyond id */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (marks->items[middle].id <= id)
            low = middle + 1;
        else
            high = middle;
    }
    bool marked = low > 0 && marks->items[low - 1].id == id;
    return marked ? (enum quarantine_status)marks->items[low - 1].status : QUARANTINE_OPEN;
}

/* Whether the violations, which this room wrote itself, have `"key":"value"`. */
static bool mentions(struct slice violations, const char *key, struct slice value)
{
    struct buffer wanted;
    bool found = true;
    if (value.size == 0)
        return true;
    buffer_init(&wanted, 4096);
    buffer_printf(&wanted, "\"%s\":\"" SLICE_FORMAT "\"", key, SLICE_ARGS(value));
    found = !wanted.overflow &&
            memmem(violations.data, violations.size, wanted.data, wanted.size) != NULL;
    buffer_free(&wanted);
    return found;
}

struct walk {
    struct reader *reader;
    const struct quarantine_filter *filter;
    struct marks marks;
    const uint8_t *key; /* NULL: bytes stay sealed */
    struct buffer raw;
    int64_t left; /* -1: no limit */
    bool stopped; /* by the visitor */
};

static enum status take_row(struct walk *walk, struct db_stmt *select, struct quarantine_row *row,
                            struct error *error)
{
    struct day_reader *file = walk->reader->file;
    *row = (struct quarantine_row){.id = (uint64_t)db_int(select, 0),
                                   .received_us = db_int(select, 1),
                                   .part = (int32_t)db_int(select, 3),
                                   .offset = db_int(select, 4),
                                   .violations = db_text(select, 7)};
    row->status = status_of(&walk->marks, row->id);
    enum status status = day_reader_name(file, db_int(select, 2), &row->source, error);
    if (status == STATUS_OK)
        status = day_reader_name(file, db_int(select, 5), &row->contract, error);
    if (status == STATUS_OK)
        status = day_reader_name(file, db_int(select, 6), &row->contract_version, error);
    return status;
}

static bool row_wanted(const struct walk *walk, const struct quarantine_row *row)
{
    const struct quarantine_filter *filter = walk->filter;
    if (filter->source.size > 0 &&
        (!slice_equal(filter->source, row->source) || filter->part != row->part ||
         row->offset < filter->first_offset || row->offset > filter->last_offset))
        return false;
    return (filter->status < 0 || filter->status == (int)row->status) &&
           mentions(row->violations, "reason", filter->reason) &&
           mentions(row->violations, "field", filter->field);
}

static enum status open_raw(struct walk *walk, struct slice sealed, struct quarantine_row *row,
                            struct error *error)
{
    row->raw_deleted = raw_is_gone(sealed);
    if (!walk->key || row->raw_deleted)
        return STATUS_OK;
    buffer_reset(&walk->raw);
    enum status status = crypto_open(walk->key, sealed, slice_of(QUARANTINE_CONTEXT), &walk->raw);
    row->raw = buffer_slice(&walk->raw);
    return status == STATUS_OK
               ? status
               : error_set(
                     error, status,
                     "quarantined event %llu cannot be opened; was keys/master.key exchanged?",
                     (unsigned long long)row->id);
}

static enum status walk_file(struct walk *walk, quarantine_visitor *each, void *context,
                             struct error *error)
{
    const struct quarantine_filter *filter = walk->filter;
    struct db_stmt *select;
    enum status status =
        db_prepare(walk->reader->file->db,
                   "SELECT id, received_us, source, part, offset, contract, contract_version,"
                   " violations, sealed FROM quarantine WHERE received_us >= ?1 AND"
                   " received_us < ?2 AND (?3 = 0 OR id = ?3) AND (?4 = 0 OR id < ?4)"
                   " ORDER BY CASE WHEN ?5 THEN -id ELSE id END",
                   &select, error);
    if (status != STATUS_OK)
        return status;
    db_bind_int(select, 1, filter->from_us);
    db_bind_int(select, 2, filter->to_us);
    db_bind_int(select, 3, (int64_t)filter->id);
    db_bind_int(select, 4, (int64_t)filter->before);
    db_bind_int(select, 5, filter->newest_first);
    while (walk->left != 0 && !walk->stopped && (status = db_step(select, error)) == STATUS_OK) {
        struct quarantine_row row;
        status = take_row(walk, select, &row, error);
        if (status == STATUS_OK && !row_wanted(walk, &row))
            continue;
        if (status == STATUS_OK)
            status = open_raw(walk, db_blob(select, 8), &row, error);
        if (status != STATUS_OK)
            break;
        status = each(context, &row, error);
        walk->stopped = status == STATUS_END;
        if (status != STATUS_OK)
            break;
        if (walk->left > 0)
            walk->left--;
    }
    db_finish(select);
    return status == STATUS_END ? STATUS_OK : status;
}

static enum status walk_files(struct walk *walk, quarantine_visitor *each, void *context,
                              struct error *error)
{
    struct reader *reader = walk->reader;
    enum status status = STATUS_OK;
    for (size_t n = 0; n < reader->n_days && walk->left != 0 && !walk->stopped; n++) {
        size_t i = walk->filter->newest_first ? reader->n_days - 1 - n : n;
        if (walk->filter->from_us != INT64_MIN && reader->days[i] < time_day(walk->filter->from_us))
            continue;
        const struct tier_day *sealed = reader_sealed(reader, i);
        if (sealed && sealed->quarantined == 0)
            continue;
        status = reader_open_day(reader, i, error);
        if (status == STATUS_OK)
            status = walk_file(walk, each, context, error);
        if (status == STATUS_NOT_FOUND) /* a file that was made and never committed to */
            status = STATUS_OK;
        if (status != STATUS_OK)
            break;
    }
    return status;
}

enum status quarantine_scan(struct reader *reader, const struct quarantine_filter *filter,
                            bool with_raw, quarantine_visitor *each, void *context,
                            struct error *error)
{
    uint8_t key[KEY_SIZE];
    struct walk walk = {.reader = reader, .filter = filter, .left = filter->limit};
    buffer_init(&walk.raw, (size_t)256 << 20);
    enum status status = reader_look(reader, error);
    if (status == STATUS_OK && with_raw) {
        status = key_quarantine(reader->dir, false, key, error);
        walk.key = key;
    }
    if (status == STATUS_OK)
        status = load_marks(reader, &walk.marks, error);
    if (status == STATUS_OK)
        status = walk_files(&walk, each, context, error);
    explicit_bzero(key, sizeof key);
    if (walk.raw.data)
        explicit_bzero(walk.raw.data, walk.raw.capacity);
    buffer_free(&walk.raw);
    free(walk.marks.items);
    return status;
}

void quarantine_json(const struct quarantine_row *row, struct buffer *out)
{
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    json_int(&json, "quarantine_id", (int64_t)row->id);
    json_time(&json, "received_at", row->received_us);
    json_text(&json, "status", quarantine_status_name(row->status));
    json_recorded(&json, "errors", row->violations);
    json_string(&json, "contract", row->contract);
    json_string(&json, "contract_version", row->contract_version);
    if (row->source.size > 0) {
        json_string(&json, "source", row->source);
        json_int(&json, "part", row->part);
        json_int(&json, "offset", row->offset);
    }
    if (row->raw_deleted)
        json_bool(&json, "raw_deleted", true);
    if (row->raw.data)
        json_string(&json, "raw", row->raw);
    json_object_end(&json);
}
