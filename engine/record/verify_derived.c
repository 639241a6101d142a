/* What a day file holds so that its rows are found and proved quickly, computed again: the event
 * index, nodes of the tree, feature lists. The thread that verifies. */
#include "engine/record/verify_priv.h"

#include <inttypes.h>
#include <stdlib.h>

#include "engine/base/hash.h"
#include "engine/base/json.h"

/* The sum over a run's keys does not depend on their order. */
static uint64_t key_sum(uint64_t hash, uint64_t index)
{
    struct event_key key = {hash, index};
    return hash64(&key, sizeof key, 1);
}

static enum status load_runs(struct day_check *check, struct error *error)
{
    struct db_stmt *select;
    enum status status =
        db_prepare(check->reader.db, "SELECT run, last_index, small FROM event_runs ORDER BY run",
                   &select, error);
    if (status != STATUS_OK)
        return status;
    while ((status = db_step(select, error)) == STATUS_OK) {
        struct run_check run = {.first = (uint64_t)db_int(select, 0),
                                .last = (uint64_t)db_int(select, 1)};
        struct run_check *runs = realloc(check->runs, (check->n_runs + 1) * sizeof *runs);
        if (!runs) {
            status = error_set(error, STATUS_MEMORY, "out of memory");
            break;
        }
        check->runs = runs;
        bool follows = check->n_runs == 0 || runs[check->n_runs - 1].last < run.first;
        if (!follows || run.last < run.first || db_type(select, 2) != DB_INT ||
            db_int(select, 2) < 0 || db_int(select, 2) > 1)
            NOTE(check, "%s event_runs, run %" PRIu64 ": run, last_index or small was changed",
                 check->name, run.first);
        runs[check->n_runs++] = run;
    }
    db_finish(select);
    return status == STATUS_END ? STATUS_OK : status;
}

static struct run_check *run_named(struct day_check *check, uint64_t first)
{
    size_t low = 0, high = check->n_runs;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (check->runs[middle].first < first)
            low = middle + 1;
        else
            high = middle;
    }
    return low < check->n_runs && check->runs[low].first == first ? &check->runs[low] : NULL;
}

static bool add_keys(struct run_check *run, uint64_t bucket, struct slice keys)
{
    bool good = keys.size % sizeof(struct event_key) == 0;
    for (size_t at = 0; at + sizeof(struct event_key) <= keys.size;
         at += sizeof(struct event_key)) {
        struct event_key key;
        memcpy(&key, keys.data + at, sizeof key);
        good = good && EVENT_BUCKET(key.hash) == bucket;
        run->expected += key_sum(key.hash, key.index);
        run->highest = key.index > run->highest ? key.index : run->highest;
    }
    return good;
}

static enum status load_keys(struct day_check *check, struct error *error)
{
    struct db_stmt *select;
    enum status status =
        db_prepare(check->reader.db,
                   "SELECT run, bucket, keys FROM event_keys ORDER BY run, bucket", &select, error);
    if (status != STATUS_OK)
        return status;
    while ((status = db_step(select, error)) == STATUS_OK) {
        struct run_check *run = run_named(check, (uint64_t)db_int(select, 0));
        if (!run || !add_keys(run, (uint64_t)db_int(select, 1), db_blob(select, 2)))
            NOTE(check, "%s event_runs or event_keys, run %lld bucket %lld: %s", check->name,
                 (long long)db_int(select, 0), (long long)db_int(select, 1),
                 run ? "bucket or keys were changed" : "there is no such run");
    }
    db_finish(select);
    return status == STATUS_END ? STATUS_OK : status;
}

/* A list is named by its digest, and its text is what binnacle would write. */
static bool list_good(struct slice digest, struct slice text)
{
    struct json *json = NULL;
    struct error error;
    struct buffer again, all;
    struct json_writer writer;
    uint8_t hash[SHA256_SIZE];
    if (json_parse(text, &json, &error) != STATUS_OK)
        return false;
    buffer_init(&again, (size_t)1 << 22);
    buffer_init(&all, (size_t)1 << 22);
    json_begin(&writer, &again);
    json_array(&writer, NULL);
    for (const struct json *item = json_first(json); item; item = json_next(item)) {
        const char *name = json_as_text(item, "");
        json_text(&writer, NULL, name);
        buffer_append(&all, name, strlen(name) + 1);
    }
    json_array_end(&writer);
    bool good = slice_equal(buffer_slice(&again), text) && digest.size == FEATURE_SET_SIZE &&
                crypto_sha256(buffer_slice(&all), (struct slice){0}, (struct slice){0}, hash) ==
                    STATUS_OK &&
                memcmp(hash, digest.data, FEATURE_SET_SIZE) == 0;
    json_destroy(json);
    buffer_free(&again);
    buffer_free(&all);
    return good;
}

static enum status check_lists(struct day_check *check, struct error *error)
{
    struct db_stmt *select;
    int64_t due = 1;
    enum status status = db_prepare(
        check->reader.db, "SELECT id, digest, names FROM feature_sets ORDER BY id", &select, error);
    if (status != STATUS_OK)
        return status;
    for (; (status = db_step(select, error)) == STATUS_OK; due++)
        if (db_int(select, 0) != due || !list_good(db_blob(select, 1), db_text(select, 2)))
            NOTE(check, "%s feature_sets, id %lld: id, digest or names were changed", check->name,
                 (long long)db_int(select, 0));
    db_finish(select);
    return status == STATUS_END ? STATUS_OK : status;
}

void derived_check_node(struct day_check *check, int level, uint64_t position,
                        const uint8_t hash[SHA256_SIZE])
{
    struct error error;
    if (!check->node)
        return;
    db_bind_int(check->node, 1, level);
    db_bind_int(check->node, 2, (int64_t)position);
    bool found = db_step(check->node, &error) == STATUS_OK;
    if (!found || !slice_equal(db_blob(check->node, 0), slice_make(hash, SHA256_SIZE)))
        NOTE(check, "%s nodes, level %d position %" PRIu64 ": %s", check->name, level, position,
             found ? "hash was changed" : "is missing");
    check->n_nodes += found;
    db_reset(check->node);
}

void derived_check_key(struct day_check *check, uint64_t index, const struct row_mark *row,
                       bool wrong)
{
    while (check->run < check->n_runs && check->runs[check->run].last < index)
        check->run++;
    if (check->run == check->n_runs || index < check->runs[check->run].first)
        return;
    struct run_check *run = &check->runs[check->run];
    run->tainted = run->tainted || wrong;
    if (row->kind == ROW_DECISION)
        run->found += key_sum(row->key, index);
}

void derived_check_end(struct day_check *check)
{
    for (size_t i = 0; i < check->n_runs; i++) {
        const struct run_check *run = &check->runs[i];
        if (!run->tainted && (run->found != run->expected || run->highest != run->last))
            NOTE(check,
                 "%s event_runs.last_index or event_keys.keys, run %" PRIu64
                 ": not those of its rows",
                 check->name, run->first);
    }
}

enum status derived_check_load(struct day_check *check, struct error *error)
{
    enum status status = check_lists(check, error);
    if (status == STATUS_OK)
        status = load_runs(check, error);
    if (status == STATUS_OK)
        status = load_keys(check, error);
    return status;
}
