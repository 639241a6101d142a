/* The index on event_id in a day file.
 *
 * Random keys in one B-tree would rewrite a page per row. Instead keys gather in memory and are
 * written as sorted runs, each cut into buckets by the hash's top bits, so that finding an event
 * reads one short blob per run; rows after the last run are looked through. What is in memory can
 * be read back from the rows. Writer thread only. */
#include "engine/record/day_file_priv.h"

#include <stdlib.h>

#include "engine/base/hash.h"

enum status day_add_key(struct day *day, struct slice event_id, uint64_t index)
{
    if (day->n_keys == day->keys_capacity) {
        size_t capacity = day->keys_capacity ? 2 * day->keys_capacity : EVENT_RUN;
        struct event_key *keys = realloc(day->keys, capacity * sizeof *keys);
        if (!keys)
            return STATUS_MEMORY;
        day->keys = keys;
        day->keys_capacity = capacity;
    }
    day->keys[day->n_keys++] = (struct event_key){hash64(event_id.data, event_id.size, 0), index};
    return STATUS_OK;
}

enum status day_load_keys(struct day *day, struct error *error)
{
    struct db_stmt *select;
    enum status status =
        db_prepare(day->db,
                   "SELECT idx, event_id FROM decisions WHERE idx > "
                   "coalesce((SELECT max(last_index) FROM event_runs), -1) ORDER BY idx",
                   &select, error);
    if (status != STATUS_OK)
        return status;
    while ((status = db_step(select, error)) == STATUS_OK) {
        status = day_add_key(day, db_text(select, 1), (uint64_t)db_int(select, 0));
        if (status != STATUS_OK) {
            error_set(error, status, "out of memory for the event index");
            break;
        }
    }
    db_finish(select);
    return status == STATUS_END ? STATUS_OK : status;
}

static int compare_keys(const void *a, const void *b)
{
    const struct event_key *left = a, *right = b;
    if (left->hash != right->hash)
        return left->hash < right->hash ? -1 : 1;
    return (left->index > right->index) - (left->index < right->index);
}

static enum status insert_keys(struct day *day, uint64_t run, uint64_t bucket,
                               const struct event_key *keys, size_t n, struct error *error)
{
    struct db_stmt *insert = day->statements[INSERT_KEYS];
    db_bind_int(insert, 1, (int64_t)run);
    db_bind_int(insert, 2, (int64_t)bucket);
    db_bind_blob(insert, 3, slice_make(keys, n * sizeof *keys));
    return db_run(insert, error);
}

enum status day_write_run(struct day *day, bool all, struct error *error)
{
    size_t n = day->n_keys;
    if (n == 0 || (!all && n < EVENT_RUN))
        return STATUS_OK;
    struct event_key *sorted = malloc(n * sizeof *sorted);
    if (!sorted)
        return error_set(error, STATUS_MEMORY, "out of memory for the event index");
    memcpy(sorted, day->keys, n * sizeof *sorted);
    uint64_t first = sorted[0].index, last = sorted[n - 1].index;
    qsort(sorted, n, sizeof *sorted, compare_keys);
    struct db_stmt *insert = day->statements[INSERT_RUN];
    db_bind_int(insert, 1, (int64_t)first);
    db_bind_int(insert, 2, (int64_t)last);
    enum status status = db_run(insert, error);
    for (size_t from = 0, to; status == STATUS_OK && from < n; from = to) {
        uint64_t bucket = EVENT_BUCKET(sorted[from].hash);
        for (to = from + 1; to < n && EVENT_BUCKET(sorted[to].hash) == bucket;)
            to++;
        status = insert_keys(day, first, bucket, sorted + from, to - from, error);
    }
    free(sorted);
    day->run_keys = n;
    return status;
}
