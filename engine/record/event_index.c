/* The index on event_id in a day file.
 *
 * Random keys in one B-tree would rewrite a page per row. Instead keys are written as sorted runs,
 * each cut into buckets by the hash's top bits, so that finding an event reads one short blob per
 * run. Small runs keep the number of rows in no run low; their keys stay in memory, and when there
 * are enough of them one full run takes the place of all. What is in memory can be read back from
 * the rows. Writer thread only. */
#include "engine/base/array.h"
#include "engine/record/day_file_priv.h"

#include <stdlib.h>

#include "engine/base/hash.h"

enum status day_add_key(struct day *day, struct slice event_id, uint64_t index)
{
    struct event_key *keys = array_grow(day->keys, day->n_keys, &day->keys_capacity, sizeof *keys);
    if (!keys)
        return STATUS_MEMORY;
    day->keys = keys;
    keys[day->n_keys++] = (struct event_key){hash64(event_id.data, event_id.size, 0), index};
    return STATUS_OK;
}

enum status day_load_keys(struct day *day, struct error *error)
{
    struct db_stmt *select;
    enum status status =
        db_prepare(day->db,
                   "SELECT idx, event_id,"
                   " idx <= coalesce((SELECT max(last_index) FROM event_runs), -1)"
                   " FROM decisions WHERE idx > "
                   "coalesce((SELECT max(last_index) FROM event_runs WHERE small = 0), -1)"
                   " ORDER BY idx",
                   &select, error);
    if (status != STATUS_OK)
        return status;
    while ((status = db_step(select, error)) == STATUS_OK) {
        status = day_add_key(day, db_text(select, 1), (uint64_t)db_int(select, 0));
        if (status != STATUS_OK) {
            error_set(error, status, "out of memory for the event index");
            break;
        }
        if (db_int(select, 2))
            day->small_keys = day->n_keys;
    }
    db_finish(select);
    return status == STATUS_END ? STATUS_OK : status;
}

static bool is_before(struct event_key left, struct event_key right)
{
    return left.hash != right.hash ? left.hash < right.hash : left.index < right.index;
}

/* Where a hash would stand among n if they were spread evenly, which they are about. */
static size_t place_of(uint64_t hash, size_t n)
{
    return (size_t)((hash >> 32) * n >> 32);
}

/* Sorts n < 2^32 keys into `sorted`: each is counted into the place that its hash would have, then
 * insertion puts the few that share a place in order: linear time for hashes (E. J. Isaac and R. C.
 * Singleton, "Sorting by Address Calculation", Journal of the ACM 3, 1956). `ends` has n + 1
 * zeros. */
static void sort_keys(const struct event_key *keys, size_t n, uint32_t *ends,
                      struct event_key *sorted)
{
    for (size_t i = 0; i < n; i++)
        ends[place_of(keys[i].hash, n) + 1]++;
    for (size_t i = 0; i < n; i++)
        ends[i + 1] += ends[i];
    for (size_t i = 0; i < n; i++)
        sorted[ends[place_of(keys[i].hash, n)]++] = keys[i];
    for (size_t i = 1; i < n; i++) {
        struct event_key key = sorted[i];
        size_t at = i;
        for (; at > 0 && is_before(key, sorted[at - 1]); at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = key;
    }
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

static enum status write_run(struct day *day, const struct event_key *keys, size_t n, bool small,
                             struct error *error)
{
    struct event_key *sorted = malloc(n * sizeof *sorted);
    uint32_t *ends = calloc(n + 1, sizeof *ends);
    if (!sorted || !ends) {
        free(sorted);
        free(ends);
        return error_set(error, STATUS_MEMORY, "out of memory for the event index");
    }
    sort_keys(keys, n, ends, sorted);
    free(ends);
    struct db_stmt *insert = day->statements[INSERT_RUN];
    db_bind_int(insert, 1, (int64_t)keys[0].index);
    db_bind_int(insert, 2, (int64_t)keys[n - 1].index);
    db_bind_int(insert, 3, small);
    enum status status = db_run(insert, error);
    for (size_t from = 0, to; status == STATUS_OK && from < n; from = to) {
        uint64_t bucket = EVENT_BUCKET(sorted[from].hash);
        for (to = from + 1; to < n && EVENT_BUCKET(sorted[to].hash) == bucket;)
            to++;
        status = insert_keys(day, keys[0].index, bucket, sorted + from, to - from, error);
    }
    free(sorted);
    return status;
}

static enum status delete_from(struct day *day, enum statement which, uint64_t run,
                               struct error *error)
{
    db_bind_int(day->statements[which], 1, (int64_t)run);
    return db_run(day->statements[which], error);
}

enum status day_write_run(struct day *day, bool all, struct error *error)
{
    size_t n = day->n_keys;
    if (n >= EVENT_RUN || (all && n > 0)) {
        enum status status = delete_from(day, DELETE_RUNS, day->keys[0].index, error);
        if (status == STATUS_OK)
            status = delete_from(day, DELETE_KEYS, day->keys[0].index, error);
        if (status == STATUS_OK)
            status = write_run(day, day->keys, n, false, error);
        day->run_keys = n;
        return status;
    }
    if (n - day->small_keys < EVENT_SMALL_RUN)
        return STATUS_OK;
    const struct event_key *keys = day->keys + day->small_keys;
    size_t n_small = n - day->small_keys;
    day->small_keys = n;
    return write_run(day, keys, n_small, true, error);
}
