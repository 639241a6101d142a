/* What a day file holds beside rows and heads: groups' digests over quarantine, marks and names;
 * nodes of the tree; the event index; feature lists; positions and state. The thread that verifies,
 * except file_check(). */
#include "engine/record/verify_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/record/codec_priv.h"
#include "engine/record/files_priv.h"
#include "engine/record/rest_priv.h"

#define NOTE(check, ...) verify_note((check)->verify, -1, (struct slice){0}, __VA_ARGS__)

/* ---- opening ---- */

static enum status load_state(struct day_check *check, struct error *error)
{
    struct db_stmt *select;
    bool rested = check->reader.version >= 2;
    enum status status = db_prepare(
        check->reader.db,
        rested ? "SELECT commits, first_index, next_quarantine, high_us, tree_size, edge,"
                 " root, rest, digest FROM state"
               : "SELECT commits, first_index, next_quarantine, high_us, tree_size, edge,"
                 " root FROM state",
        &select, error);
    if (status != STATUS_OK)
        return status;
    status = db_step(select, error);
    if (status == STATUS_OK) {
        struct slice root = db_blob(select, 6);
        struct day_state *state = &check->state;
        check->has_state = true;
        state->commits = (uint64_t)db_int(select, 0);
        state->first_index = (uint64_t)db_int(select, 1);
        state->next_quarantine = (uint64_t)db_int(select, 2);
        state->high_us = db_int(select, 3);
        buffer_append_slice(&check->state_bytes, db_blob(select, 5));
        check->edges = buffer_slice(&check->state_bytes);
        if (!tree_load(&state->tree, (uint64_t)db_int(select, 4), check->edges))
            state->tree = (struct tree){.size = (uint64_t)db_int(select, 4)};
        if (root.size == SHA256_SIZE)
            memcpy(check->stored_root, root.data, SHA256_SIZE);
        struct slice rest = rested ? db_blob(select, 7) : (struct slice){0};
        struct slice digest = rested ? db_blob(select, 8) : (struct slice){0};
        if (rest.size == SHA256_SIZE)
            memcpy(state->rest, rest.data, SHA256_SIZE);
        check->has_digest = rested && !db_is_null(select, 8);
        if (digest.size == SHA256_SIZE)
            memcpy(check->stored_digest, digest.data, SHA256_SIZE);
    }
    db_finish(select);
    return status == STATUS_END ? STATUS_OK : status;
}

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

static enum status prepare(struct day_check *check, struct error *error)
{
    struct db *db = check->reader.db;
    bool kept = check->reader.version >= 2;
    enum status status = db_prepare(
        db,
        kept ? "SELECT id, received_us, source, part, offset, contract, contract_version,"
               " violations, sealed, digest FROM quarantine WHERE id >= ?1 AND id < ?2 ORDER BY id"
             : "SELECT id, received_us, source, part, offset, contract, contract_version,"
               " violations, sealed, NULL FROM quarantine WHERE id >= ?1 AND id < ?2 ORDER BY id",
        &check->quarantine, error);
    if (status == STATUS_OK)
        status = db_prepare(db,
                            "SELECT n, id, status, at_us FROM quarantine_marks"
                            " WHERE n > ?1 AND n <= ?2 ORDER BY n",
                            &check->marks, error);
    if (status == STATUS_OK && kept)
        status = db_prepare(db, "SELECT hash FROM nodes WHERE level = ?1 AND position = ?2",
                            &check->node, error);
    return status;
}

static void init_buffers(struct day_check *check)
{
    buffer_init(&check->state_bytes, 2 * (size_t)TREE_EDGES_SIZE);
    buffer_init(&check->scratch, (size_t)256 << 20);
    buffer_init(&check->new_names, (size_t)64 << 20);
    buffer_init(&check->stored_digests, (size_t)64 << 20);
    buffer_init(&check->computed_digests, (size_t)64 << 20);
    buffer_init(&check->new_marks, (size_t)64 << 20);
}

enum status day_check_open(struct verify *verify, int64_t day, const struct carry *carry,
                           struct day_check *check, struct error *error)
{
    char path[PATH_SIZE];
    *check = (struct day_check){.verify = verify, .carry = *carry};
    if (day_path(path, ".", day))
        snprintf(check->name, sizeof check->name, "%.15s", path + 2);
    init_buffers(check);
    check->storage = malloc(sizeof *check->storage);
    if (!check->storage)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = day_reader_open(verify->options->dir, day, &check->lists, check->storage,
                                         &check->reader, error);
    if (status == STATUS_OK)
        status = db_exec(check->reader.db, "BEGIN", error);
    if (status == STATUS_OK)
        status = load_state(check, error);
    if (status == STATUS_OK)
        status = names_load(&check->reader.names, check->reader.db, error);
    if (status == STATUS_OK)
        status = check_lists(check, error);
    if (status == STATUS_OK)
        status = load_runs(check, error);
    if (status == STATUS_OK)
        status = load_keys(check, error);
    if (status == STATUS_OK)
        status = prepare(check, error);
    check->counted = check->reader.version >= 2;
    return status;
}

void day_check_close(struct day_check *check)
{
    db_finish(check->node);
    db_finish(check->quarantine);
    db_finish(check->marks);
    if (check->reader.db)
        db_rollback(check->reader.db);
    day_reader_close(&check->reader);
    feature_lists_free(check->lists);
    free(check->storage);
    free(check->runs);
    buffer_free(&check->state_bytes);
    buffer_free(&check->scratch);
    buffer_free(&check->new_names);
    buffer_free(&check->stored_digests);
    buffer_free(&check->computed_digests);
    buffer_free(&check->new_marks);
}

/* ---- groups ---- */

static bool take_event(struct day_check *check, struct day_quarantine *event)
{
    struct db_stmt *select = check->quarantine;
    struct error error;
    int64_t part = db_int(select, 3);
    *event = (struct day_quarantine){.id = (uint64_t)db_int(select, 0),
                                     .received_us = db_int(select, 1),
                                     .part = (int32_t)part,
                                     .offset = db_int(select, 4),
                                     .violations = db_text(select, 7),
                                     .sealed = db_blob(select, 8)};
    bool typed = db_type(select, 7) == DB_TEXT && db_type(select, 8) == DB_BLOB;
    for (int i = 0; i < 7; i++)
        typed = typed && db_type(select, i) == DB_INT;
    return typed && part >= INT32_MIN && part <= INT32_MAX &&
           day_reader_name(&check->reader, db_int(select, 2), &event->source, &error) ==
               STATUS_OK &&
           day_reader_name(&check->reader, db_int(select, 5), &event->contract, &error) ==
               STATUS_OK &&
           day_reader_name(&check->reader, db_int(select, 6), &event->contract_version, &error) ==
               STATUS_OK;
}

/* Digests of the group's quarantined events, as stored and as computed. `*unequal`: the first event
 * whose digests differ. */
static void take_events(struct day_check *check, uint64_t next, uint64_t *unequal)
{
    uint64_t due = check->carry.next_quarantine;
    struct error error = {.message = ""};
    enum status status;
    buffer_reset(&check->stored_digests);
    buffer_reset(&check->computed_digests);
    if (next <= due)
        return;
    db_bind_int(check->quarantine, 1, (int64_t)due);
    db_bind_int(check->quarantine, 2, (int64_t)next);
    while ((status = db_step(check->quarantine, &error)) == STATUS_OK) {
        struct day_quarantine event;
        uint8_t computed[SHA256_SIZE] = {0};
        struct slice stored = db_blob(check->quarantine, 9);
        if (take_event(check, &event) &&
            quarantine_digest(&event, &check->scratch, computed) != STATUS_OK)
            memset(computed, 0, sizeof computed);
        if (event.id > due)
            NOTE(check, "%s quarantine row %" PRIu64 " is missing", check->name, due);
        if (*unequal == 0 && check->reader.version >= 2 &&
            !slice_equal(stored, slice_make(computed, sizeof computed)))
            *unequal = event.id;
        buffer_append_slice(&check->stored_digests, stored);
        buffer_append(&check->computed_digests, computed, sizeof computed);
        due = event.id + 1;
    }
    db_reset(check->quarantine);
    if (status != STATUS_END)
        NOTE(check, "%s quarantine cannot be read: %s", check->name, error.message);
    else if (due < next)
        NOTE(check, "%s quarantine row %" PRIu64 " is missing", check->name, due);
}

static void take_marks(struct day_check *check, uint64_t last)
{
    struct error error;
    buffer_reset(&check->new_marks);
    if (last <= check->n_marks)
        return;
    db_bind_int(check->marks, 1, (int64_t)check->n_marks);
    db_bind_int(check->marks, 2, (int64_t)last);
    while (db_step(check->marks, &error) == STATUS_OK) {
        for (int i = 1; i <= 3; i++)
            put_i64(&check->new_marks, db_int(check->marks, i));
        if (db_int(check->marks, 3) > check->carry.high_us)
            check->carry.high_us = db_int(check->marks, 3);
    }
    db_reset(check->marks);
}

static void take_times(struct day_check *check, uint64_t from, uint64_t to)
{
    struct error error;
    if (to <= from)
        return;
    db_bind_int(check->quarantine, 1, (int64_t)from);
    db_bind_int(check->quarantine, 2, (int64_t)to);
    while (db_step(check->quarantine, &error) == STATUS_OK)
        if (db_int(check->quarantine, 1) > check->carry.high_us)
            check->carry.high_us = db_int(check->quarantine, 1);
    db_reset(check->quarantine);
}

static bool rest_fits(struct day_check *check, const struct group_row *row,
                      const struct buffer *events)
{
    uint8_t rest[SHA256_SIZE];
    struct rest_group group = {.group = &row->group,
                               .names = row->names,
                               .next_quarantine = row->next_quarantine,
                               .marks = row->marks,
                               .new_names = buffer_slice(&check->new_names),
                               .new_quarantine = buffer_slice(events),
                               .new_marks = buffer_slice(&check->new_marks)};
    memcpy(rest, check->carry.rest, SHA256_SIZE);
    return rest_add(rest, &group, &check->scratch) == STATUS_OK &&
           memcmp(rest, row->rest, SHA256_SIZE) == 0;
}

static void check_rest(struct day_check *check, const struct group_row *row, uint64_t unequal)
{
    if (rest_fits(check, row, &check->stored_digests)) {
        if (unequal > 0)
            NOTE(check, "%s quarantine row %" PRIu64 ": a field was changed", check->name, unequal);
        return;
    }
    if (unequal > 0 && rest_fits(check, row, &check->computed_digests)) {
        NOTE(check, "%s quarantine.digest of row %" PRIu64 " was changed", check->name, unequal);
        return;
    }
    NOTE(check,
         "%s commits, id %" PRIu64
         ": committed_us, names, next_quarantine, marks or rest was changed, or a row that the "
         "group brought to names, quarantine or quarantine_marks",
         check->name, row->group.commit);
}

void day_check_group(struct day_check *check, const struct group_row *row)
{
    uint64_t unequal = 0, quarantine_before = check->carry.next_quarantine;
    if (check->n_groups++ == 0)
        check->first_index = row->group.first_index;
    check->last_commit = row->group.commit;
    if (!row->has_rest)
        check->carry.timed = false;
    if (!row->counted) {
        check->counted = false;
        return;
    }
    if (row->has_rest && check->counted && check->carry.quarantined) {
        buffer_reset(&check->new_names);
        for (uint64_t id = check->names + 1; id <= row->names && id <= check->reader.names.n; id++)
            put_text(&check->new_names, names_text(&check->reader.names, (int64_t)id));
        take_events(check, row->next_quarantine, &unequal);
        take_marks(check, row->marks);
        check_rest(check, row, unequal);
    }
    take_times(check, quarantine_before, row->next_quarantine);
    check->counted = true;
    check->names = row->names;
    check->n_marks = row->marks;
    check->carry.next_quarantine = row->next_quarantine;
    check->carry.quarantined = true;
    check->carry.rested = row->has_rest;
    memcpy(check->carry.rest, row->rest, SHA256_SIZE);
}

void day_check_node(struct day_check *check, int level, uint64_t position,
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

void day_check_key(struct day_check *check, uint64_t index, const struct row_mark *row, bool wrong)
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

/* ---- the end of a file ---- */

static void check_runs(struct day_check *check)
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

static int64_t count(struct day_check *check, const char *sql, int64_t parameter)
{
    struct db_stmt *select;
    struct error error;
    int64_t number = 0;
    if (db_prepare(check->reader.db, sql, &select, &error) != STATUS_OK)
        return 0;
    db_bind_int(select, 1, parameter);
    if (db_step(select, &error) == STATUS_OK)
        number = db_int(select, 0);
    db_finish(select);
    return number;
}

/* Rows that no group accounts for. */
static void check_strays(struct day_check *check, uint64_t end)
{
    static const struct {
        const char *sql, *what;
    } strays[] = {
        {"SELECT count(*) FROM decisions WHERE idx >= ?1", "decisions.idx"},
        {"SELECT count(*) FROM labels WHERE idx >= ?1", "labels.idx"},
        {"SELECT count(*) FROM actions WHERE idx >= ?1", "actions.idx"},
    };
    static const char *const below[] = {"SELECT count(*) FROM decisions WHERE idx < ?1",
                                        "SELECT count(*) FROM labels WHERE idx < ?1",
                                        "SELECT count(*) FROM actions WHERE idx < ?1"};
    for (size_t i = 0; i < sizeof strays / sizeof *strays; i++) {
        int64_t n = count(check, strays[i].sql, (int64_t)end) +
                    count(check, below[i], (int64_t)check->first_index);
        if (n > 0)
            NOTE(check, "%s %s: %lld rows belong to no group", check->name, strays[i].what,
                 (long long)n);
    }
    if (check->reader.version >= 2 &&
        count(check, "SELECT count(*) FROM heads WHERE tree_size > ?1", (int64_t)end) +
                count(check, "SELECT count(*) FROM heads WHERE tree_size < ?1",
                      (int64_t)check->first_index) >
            0)
        NOTE(check, "%s heads.tree_size: a head over rows that are not in this file", check->name);
    if (!check->counted || !check->carry.quarantined)
        return;
    if (count(check, "SELECT count(*) FROM quarantine WHERE id >= ?1",
              (int64_t)check->carry.next_quarantine) > 0)
        NOTE(check, "%s quarantine.id: rows that belong to no group", check->name);
    if (count(check, "SELECT count(*) FROM quarantine_marks WHERE n > ?1 OR n < 1",
              (int64_t)check->n_marks) > 0)
        NOTE(check, "%s quarantine_marks.n: rows that belong to no group", check->name);
    if (check->reader.names.n != check->names)
        NOTE(check, "%s names: %zu, the groups know of %" PRIu64, check->name,
             check->reader.names.n, check->names);
}

static void check_keys(struct day_check *check)
{
    struct db_stmt *select;
    struct error error;
    if (db_prepare(check->reader.db,
                   "SELECT key_id, public_key FROM head_keys UNION"
                   " SELECT key_id, NULL FROM heads WHERE key_id NOT IN"
                   " (SELECT key_id FROM head_keys)",
                   &select, &error) != STATUS_OK)
        return;
    while (db_step(select, &error) == STATUS_OK) {
        char key_id[KEY_ID_SIZE] = "";
        struct slice key = db_blob(select, 1);
        bool good = key.size == PUBLIC_KEY_SIZE &&
                    head_key_id((const uint8_t *)key.data, key_id) == STATUS_OK &&
                    slice_equal(db_text(select, 0), slice_of(key_id));
        if (!good)
            NOTE(check, "%s head_keys, %.*s: key_id or public_key was changed", check->name,
                 (int)db_text(select, 0).size, db_text(select, 0).data);
        else if (check->verify->has_key &&
                 memcmp(key.data, check->verify->public_key, PUBLIC_KEY_SIZE) != 0)
            NOTE(check, "%s head_keys, %s: heads are signed with another key than the ledger's",
                 check->name, key_id);
    }
    db_finish(select);
}

static bool positions_fit(struct day_check *check)
{
    struct db_stmt *select;
    struct error error;
    struct buffer positions;
    uint8_t digest[SHA256_SIZE];
    if (db_prepare(check->reader.db,
                   "SELECT source, part, offset FROM positions ORDER BY source, part", &select,
                   &error) != STATUS_OK)
        return false;
    buffer_init(&positions, (size_t)64 << 20);
    while (db_step(select, &error) == STATUS_OK) {
        put_text(&positions, db_text(select, 0));
        put_i64(&positions, db_int(select, 1));
        put_i64(&positions, db_int(select, 2));
    }
    db_finish(select);
    bool fit = rest_state(&check->state, check->edges, check->stored_root, buffer_slice(&positions),
                          &check->scratch, digest) == STATUS_OK &&
               memcmp(digest, check->stored_digest, SHA256_SIZE) == 0;
    buffer_free(&positions);
    return fit;
}

static void check_state(struct day_check *check, const struct tree *tree, bool chained)
{
    const struct day_state *state = &check->state;
    uint8_t edges[TREE_EDGES_SIZE], root[SHA256_SIZE] = {0};
    size_t size = tree ? tree_save(tree, edges) : 0;
    bool rooted = tree && tree_root(tree, root) == STATUS_OK;
    const struct {
        const char *name;
        bool wrong;
    } fields[] = {
        {"commits", state->commits != check->last_commit},
        {"first_index", check->n_groups > 0 && state->first_index != check->first_index},
        {"next_quarantine", check->counted && check->carry.quarantined &&
                                state->next_quarantine != check->carry.next_quarantine},
        {"high_us",
         chained && check->counted && check->carry.timed && state->high_us != check->carry.high_us},
        {"tree_size", rooted && state->tree.size != tree->size},
        {"edge", rooted && !slice_equal(check->edges, slice_make(edges, size))},
        {"root", rooted && memcmp(check->stored_root, root, SHA256_SIZE) != 0},
        {"rest", check->carry.rested && memcmp(state->rest, check->carry.rest, SHA256_SIZE) != 0},
    };
    bool any = false;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (fields[i].wrong)
            NOTE(check, "%s state.%s was changed", check->name, fields[i].name);
        any = any || fields[i].wrong;
    }
    if (!any && check->has_digest && !positions_fit(check))
        NOTE(check, "%s positions, or state.digest, was changed", check->name);
}

void day_check_end(struct day_check *check, const struct tree *tree, bool chained)
{
    uint64_t end = tree ? tree->size : check->state.tree.size;
    if (!check->has_state && check->n_groups == 0)
        return;
    check_runs(check);
    check_strays(check, end);
    if (!check->has_state)
        NOTE(check, "%s state is missing", check->name);
    else
        check_state(check, tree, chained);
    /* Groups of the format before say nothing of quarantine: the file's own word is taken. */
    if (check->has_state && !check->carry.timed && check->state.high_us > check->carry.high_us)
        check->carry.high_us = check->state.high_us;
    check->carry.timed = true;
    if (check->reader.version < 2) {
        check->carry.next_quarantine = check->state.next_quarantine;
        return;
    }
    check_keys(check);
    if (chained &&
        count(check, "SELECT count(*) FROM nodes WHERE ?1 = ?1", 0) != (int64_t)check->n_nodes)
        NOTE(check, "%s nodes: rows that are not nodes of the tree", check->name);
}

/* ---- SQLite's own check ---- */

void file_check(struct verify *verify, const char *name)
{
    char path[PATH_SIZE];
    struct db *db = NULL;
    struct db_stmt *select = NULL;
    struct error error = {.message = ""};
    struct stat about;
    if (!path_join(path, verify->options->dir, name) || stat(path, &about) != 0)
        return;
    enum status status = db_open(path, DB_READ, DB_SYNC_FULL, &db, &error);
    if (status == STATUS_OK)
        status = db_prepare(db, "PRAGMA integrity_check(10)", &select, &error);
    while (status == STATUS_OK && (status = db_step(select, &error)) == STATUS_OK)
        if (!slice_equal(db_text(select, 0), slice_of("ok")))
            verify_note(verify, -1, (struct slice){0}, "%s SQLite's own check: " SLICE_FORMAT, name,
                        SLICE_ARGS(db_text(select, 0)));
    if (status != STATUS_END && status != STATUS_OK)
        verify_note(verify, -1, (struct slice){0}, "%s SQLite's own check: %s", name,
                    error.message);
    db_finish(select);
    db_close(db);
}
