/* ledger verify: what leads from the rows to the signed heads, checked.
 *
 * Several threads read blocks of rows and hash them (verify_rows.c); this one takes the blocks in
 * order, adds the stored hashes to the tree and compares its root with that of every group and
 * every signed head. A row whose fields do not give its hash, and a hash that does not lead to the
 * root, are told apart by which of the two the root wants. After a row that is missing, the tree
 * cannot be followed to the end of the day; it goes on from what the file says of its end, which
 * only the heads can vouch for. */
#include "engine/record/verify_priv.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/record/files_priv.h"
#include "engine/record/reader_priv.h"

#define BLOCK_ROWS  2048
#define MAX_GROUP   ((uint64_t)1 << 24) /* more than any queue holds */
#define MAX_THREADS 8
#define EXTRA_BAD   64
#define MAX_REPAIRS 32 /* fields are named for the first rows only: it takes a while */

/* A group whose root did not fit: the next root tells whether it or the hashes are wrong. */
struct suspect {
    bool set;
    uint64_t commit, first, end;
};

struct walk {
    struct verify *verify;
    struct tree tree;
    bool lost;    /* the tree is not known */
    bool chained; /* ... and was so for the whole of the current file */
    struct suspect suspect;
    uint64_t missing_first, missing_end; /* rows not there, not told yet */
    uint64_t rows, next_commit;
    int repairs;
    int64_t headed_ms;
    const struct signed_head *outside; /* kept elsewhere, by tree_size */
    size_t n_outside, next_outside;
    struct carry carry; /* from the file before */
    struct day_check *day;
};

/* Threads and the blocks between them. */
struct crew {
    struct verify *verify;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct block *ring;
    size_t n_ring, head, tail; /* blocks [tail, head) are on their way */
    bool closed;
    struct thread *threads[MAX_THREADS + 1];
    int64_t *days;
    size_t n_days;
};

void verify_note(struct verify *verify, int64_t index, struct slice event_id, const char *format,
                 ...)
{
    struct verify_report *report = verify->report;
    char where[WHERE_SIZE];
    va_list list;
    va_start(list, format);
    vsnprintf(where, sizeof where, format, list);
    va_end(list);
    lock_take(&verify->lock);
    report->n_bad++;
    /* What rows have in common comes after them, and must not be crowded out. */
    if (report->n_kept < verify->options->max_bad + (index < 0 ? EXTRA_BAD : 0)) {
        struct verify_bad *bad = &report->bad[report->n_kept];
        *bad = (struct verify_bad){
            .index = index,
            .event_id = event_id.size > 0 ? strndup(event_id.data, event_id.size) : NULL,
            .where = strdup(where)};
        report->n_kept += bad->where != NULL;
    }
    lock_release(&verify->lock);
}

void verify_report_free(struct verify_report *report)
{
    for (size_t i = 0; i < report->n_kept; i++) {
        free(report->bad[i].event_id);
        free(report->bad[i].where);
    }
    free(report->bad);
    *report = (struct verify_report){0};
}

/* ---- rows that are not what they should be ---- */

static const char *const TABLE_NAMES[] = {
    [ROW_DECISION] = "decisions", [ROW_LABEL] = "labels", [ROW_ACTION] = "actions"};

/* The stored hash is right, so that what is recorded is not. */
static void name_field(struct walk *walk, const struct row_problem *problem,
                       const uint8_t stored[SHA256_SIZE], char *where, size_t size)
{
    struct day_reader *reader = &walk->day->reader;
    struct db_stmt *stmt = NULL;
    struct ledger_row row;
    struct error error;
    snprintf(where, size, "%s: one or more fields were changed", TABLE_NAMES[problem->kind]);
    if (walk->repairs >= MAX_REPAIRS)
        return;
    walk->repairs++;
    enum status status = day_reader_row_statement(reader, problem->kind, &stmt, &error);
    if (status != STATUS_OK)
        return;
    db_bind_int(stmt, 1, (int64_t)problem->index);
    if (db_step(stmt, &error) == STATUS_OK &&
        day_reader_row(reader, problem->kind, stmt, &row, &error) == STATUS_OK)
        repair_name_field(&row, reader, stored, where, size);
    db_reset(stmt);
}

static void tell_problem(struct walk *walk, const struct block *block,
                         const struct row_problem *problem, bool hash_is_wrong)
{
    char where[WHERE_SIZE / 2];
    if (problem->where[0] != '\0')
        snprintf(where, sizeof where, "%s", problem->where);
    else if (hash_is_wrong)
        snprintf(where, sizeof where, "%s.leaf_hash was changed", TABLE_NAMES[problem->kind]);
    else
        name_field(walk, problem, block->rows[problem->index - block->first].hash, where,
                   sizeof where);
    verify_note(walk->verify, (int64_t)problem->index, slice_of(problem->event_id), "%s %s",
                walk->day->name, where);
}

static void flush_missing(struct walk *walk)
{
    uint64_t first = walk->missing_first, last = walk->missing_end - 1;
    if (walk->missing_end == walk->missing_first)
        return;
    if (first == last)
        verify_note(walk->verify, (int64_t)first, (struct slice){0},
                    "%s row %" PRIu64 " is missing", walk->day->name, first);
    else
        verify_note(walk->verify, (int64_t)first, (struct slice){0},
                    "%s rows %" PRIu64 " to %" PRIu64 " are missing", walk->day->name, first, last);
    walk->missing_first = walk->missing_end = 0;
}

static void note_missing(struct walk *walk, uint64_t index)
{
    if (walk->missing_end != index)
        flush_missing(walk);
    if (walk->missing_end == walk->missing_first)
        walk->missing_first = index;
    walk->missing_end = index + 1;
    walk->lost = true;
    walk->chained = false;
}

/* ---- the tree ---- */

/* Problems of the group: those in [first, end). */
static size_t problems_from(const struct block *block, uint64_t index)
{
    size_t i = 0;
    while (i < block->n_problems && block->problems[i].index < index)
        i++;
    return i;
}

/* Adds the group's leaves: hashes as stored, or as computed where they differ. */
static bool add_leaves(struct walk *walk, const struct block *block, const struct day_group *group,
                       bool computed, bool nodes, struct tree *tree)
{
    size_t problem = problems_from(block, group->first_index);
    for (uint64_t i = group->first_index; i < group->tree_size; i++) {
        const uint8_t *hash = block->rows[i - block->first].hash;
        while (problem < block->n_problems && block->problems[problem].index < i)
            problem++;
        if (computed && problem < block->n_problems && block->problems[problem].index == i &&
            block->problems[problem].unequal)
            hash = block->problems[problem].computed;
        if (tree_append(tree, hash) != STATUS_OK)
            return false;
        int level = __builtin_ctzll(tree->size);
        if (nodes && level >= NODE_LEVEL)
            day_check_node(walk->day, level, (tree->size >> level) - 1, tree->edge[level]);
    }
    return true;
}

static bool has_root(const struct tree *tree, const uint8_t root[SHA256_SIZE])
{
    uint8_t found[SHA256_SIZE];
    return tree_root(tree, found) == STATUS_OK && memcmp(found, root, SHA256_SIZE) == 0;
}

static void tell_suspect(struct walk *walk, bool root_was_wrong)
{
    const struct suspect *suspect = &walk->suspect;
    if (!suspect->set)
        return;
    if (root_was_wrong)
        verify_note(walk->verify, -1, (struct slice){0},
                    "%s commits.root, id %" PRIu64 ", was changed", walk->day->name,
                    suspect->commit);
    else
        verify_note(
            walk->verify, (int64_t)suspect->first, (struct slice){0},
            "%s rows %" PRIu64 " to %" PRIu64
            " do not lead to the root of their group: rows were exchanged, or a row and its "
            "hash were changed together",
            walk->day->name, suspect->first, suspect->end - 1);
    walk->suspect.set = false;
    if (!root_was_wrong) {
        walk->lost = true;
        walk->chained = false;
    }
}

/* Follows the tree through a group whose rows are all there. *hash_is_wrong: of rows that do not
 * fit their hash, the hash is what was changed. */
static void follow_group(struct walk *walk, const struct block *block, const struct group_row *row,
                         bool *hash_is_wrong)
{
    const struct day_group *group = &row->group;
    struct tree tree = walk->tree;
    bool nodes = row->has_rest && !walk->suspect.set;
    *hash_is_wrong = false;
    if (walk->lost || !add_leaves(walk, block, group, false, nodes, &tree))
        return;
    bool good = row->gap || has_root(&tree, group->root);
    if (!good && !walk->suspect.set) {
        struct tree other = walk->tree;
        if (add_leaves(walk, block, group, true, false, &other) && has_root(&other, group->root)) {
            tree = other;
            good = *hash_is_wrong = true;
        }
    }
    if (walk->suspect.set && !row->gap)
        tell_suspect(walk, good);
    if (walk->lost)
        return;
    if (!good)
        walk->suspect = (struct suspect){true, group->commit, group->first_index, group->tree_size};
    walk->tree = tree;
}

/* Whether a head over as many rows fits what is there. */
static void follow_head(struct walk *walk, const struct head_mark *mark)
{
    const struct signed_head *head = &mark->head;
    const char *file = walk->day->name;
    bool known = !walk->lost && !walk->suspect.set && walk->tree.size == head->tree_size;
    bool root = known && has_root(&walk->tree, head->root);
    walk->verify->report->n_heads++;
    if (!mark->valid)
        verify_note(walk->verify, -1, (struct slice){0},
                    "%s heads, tree_size %" PRIu64 ": %s does not fit the signature", file,
                    head->tree_size, known && !root ? "root" : "the head");
    else if (known && !root)
        verify_note(walk->verify, -1, (struct slice){0},
                    "%s heads, tree_size %" PRIu64
                    ": the signed root is not that of the rows: rows were changed since",
                    file, head->tree_size);
    else if (head->timestamp_ms < walk->headed_ms)
        verify_note(walk->verify, -1, (struct slice){0},
                    "%s heads.timestamp_ms, tree_size %" PRIu64 ": older than the head before it",
                    file, head->tree_size);
    if (mark->valid && head->timestamp_ms > walk->headed_ms)
        walk->headed_ms = head->timestamp_ms;
}

/* Heads that were kept elsewhere, over no more rows than there are up to here. */
static void follow_outside(struct walk *walk, uint64_t end)
{
    for (; walk->next_outside < walk->n_outside; walk->next_outside++) {
        const struct signed_head *head = &walk->outside[walk->next_outside];
        if (head->tree_size > end)
            return;
        bool known = !walk->lost && walk->tree.size == end && head->tree_size == end;
        if (known && has_root(&walk->tree, head->root))
            continue;
        verify_note(walk->verify, -1, (struct slice){0},
                    known ? "the head kept elsewhere over %" PRIu64 " rows has another root: rows "
                            "below were changed since"
                    : walk->lost
                        ? "the head kept elsewhere over %" PRIu64 " rows cannot be confirmed: what "
                          "leads up to it is not whole"
                        : "the head kept elsewhere over %" PRIu64 " rows: the ledger was never "
                          "committed with so many",
                    head->tree_size);
    }
}

/* The times of the group's decisions, as its row has them. */
static void check_times(struct walk *walk, const struct block *block, const struct day_group *group)
{
    int64_t low_us = INT64_MAX, high_us = INT64_MIN;
    for (uint64_t i = group->first_index; i < group->tree_size; i++) {
        const struct row_mark *mark = &block->rows[i - block->first];
        if (mark->kind != ROW_DECISION)
            continue;
        low_us = mark->at_us < low_us ? mark->at_us : low_us;
        high_us = mark->at_us > high_us ? mark->at_us : high_us;
    }
    if (low_us != group->low_us || high_us != group->high_us)
        verify_note(walk->verify, -1, (struct slice){0},
                    "%s commits.%s, id %" PRIu64 ", is not what its rows say", walk->day->name,
                    low_us != group->low_us ? "low_us" : "high_us", group->commit);
}

static bool look_at_rows(struct walk *walk, const struct block *block,
                         const struct day_group *group)
{
    struct day_check *day = walk->day;
    bool whole = true;
    size_t problem = problems_from(block, group->first_index);
    for (uint64_t i = group->first_index; i < group->tree_size; i++) {
        const struct row_mark *mark = &block->rows[i - block->first];
        while (problem < block->n_problems && block->problems[problem].index < i)
            problem++;
        bool wrong = problem < block->n_problems && block->problems[problem].index == i;
        if (mark->kind == 0) {
            whole = false;
            if (block->failure[0] == '\0')
                note_missing(walk, i);
        } else if (mark->at_us > day->carry.high_us) {
            day->carry.high_us = mark->at_us;
        }
        day_check_key(day, i, mark, wrong || mark->kind == 0);
    }
    return whole;
}

static void take_group(struct walk *walk, const struct block *block, const struct group_row *row)
{
    const struct day_group *group = &row->group;
    struct day_check *day = walk->day;
    bool hash_is_wrong = false;
    bool whole = look_at_rows(walk, block, group);
    if (!whole) {
        walk->lost = true;
        walk->chained = false;
        walk->suspect.set = false;
        day->carry.timed = false;
    }
    follow_group(walk, block, row, &hash_is_wrong);
    follow_outside(walk, group->tree_size);
    size_t first = problems_from(block, group->first_index), i = first;
    for (; i < block->n_problems && block->problems[i].index < group->tree_size; i++)
        tell_problem(walk, block, &block->problems[i], hash_is_wrong);
    if (row->gap)
        return;
    if (whole && i == first)
        check_times(walk, block, group);
    day_check_group(day, row);
}

static void take_block(struct walk *walk, const struct block *block)
{
    size_t head = 0;
    if (block->failure[0] != '\0') {
        verify_note(walk->verify, (int64_t)block->first, (struct slice){0},
                    "%s rows %" PRIu64 " to %" PRIu64 " cannot be read: %s", walk->day->name,
                    block->first, block->end - 1, block->failure);
        walk->lost = true;
        walk->chained = false;
    }
    for (size_t i = 0; i < block->n_groups; i++) {
        take_group(walk, block, &block->groups[i]);
        uint64_t end = block->groups[i].group.tree_size;
        for (; head < block->n_heads && block->heads[head].head.tree_size <= end; head++) {
            if (block->heads[head].head.tree_size == end ||
                (block->opens && block->heads[head].head.tree_size == block->first))
                follow_head(walk, &block->heads[head]);
            else
                verify_note(walk->verify, -1, (struct slice){0},
                            "%s heads.tree_size, %" PRIu64 ": no group ends there", walk->day->name,
                            block->heads[head].head.tree_size);
        }
    }
    if (block->n_dropped > 0) {
        lock_take(&walk->verify->lock);
        walk->verify->report->n_bad += block->n_dropped;
        lock_release(&walk->verify->lock);
    }
    walk->rows += block->end - block->first;
    if (walk->verify->options->progress)
        walk->verify->options->progress(walk->verify->options->context, walk->rows);
}

/* ---- the crew ---- */

static void crew_run(void *context)
{
    struct crew *crew = context;
    struct row_reader rows;
    bool usable = row_reader_init(&rows, crew->verify);
    pthread_mutex_lock(&crew->mutex);
    for (;;) {
        struct block *block = NULL;
        for (size_t i = crew->tail; i < crew->head && !block; i++)
            if (crew->ring[i % crew->n_ring].state == BLOCK_WAITS)
                block = &crew->ring[i % crew->n_ring];
        if (!block && crew->closed)
            break;
        if (!block) {
            pthread_cond_wait(&crew->changed, &crew->mutex);
            continue;
        }
        block->state = BLOCK_READING;
        pthread_mutex_unlock(&crew->mutex);
        if (usable)
            row_reader_run(&rows, block);
        else
            snprintf(block->failure, sizeof block->failure, "out of memory");
        pthread_mutex_lock(&crew->mutex);
        block->state = BLOCK_DONE;
        pthread_cond_broadcast(&crew->changed);
    }
    pthread_mutex_unlock(&crew->mutex);
    row_reader_free(&rows);
}

/* SQLite's own check of every file, beside the reading of rows. */
static void crew_check_files(void *context)
{
    struct crew *crew = context;
    for (size_t i = 0; i < crew->n_days; i++) {
        char path[PATH_SIZE];
        if (day_path(path, ".", crew->days[i]))
            file_check(crew->verify, path + 2);
    }
    file_check(crew->verify, "subjects.db");
}

static int thread_count(const struct verify_options *options)
{
    long cores = options->threads > 0 ? options->threads : sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > MAX_THREADS ? MAX_THREADS : (int)cores;
}

static enum status crew_start(struct crew *crew, struct error *error)
{
    int n = thread_count(crew->verify->options);
    crew->n_ring = (size_t)n * 3 + 2;
    crew->ring = calloc(crew->n_ring, sizeof *crew->ring);
    if (!crew->ring)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status =
        thread_start("verify-files", crew_check_files, crew, &crew->threads[MAX_THREADS], error);
    for (int i = 0; i < n && status == STATUS_OK; i++)
        status = thread_start("verify", crew_run, crew, &crew->threads[i], error);
    return status;
}

static void crew_stop(struct crew *crew)
{
    pthread_mutex_lock(&crew->mutex);
    crew->closed = true;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->mutex);
    for (int i = 0; i <= MAX_THREADS; i++)
        thread_join(crew->threads[i]);
    for (size_t i = 0; crew->ring && i < crew->n_ring; i++)
        block_free(&crew->ring[i]);
    free(crew->ring);
}

/* Takes the oldest block when it is done. */
static void crew_take(struct crew *crew, struct walk *walk)
{
    struct block *block = &crew->ring[crew->tail % crew->n_ring];
    pthread_mutex_lock(&crew->mutex);
    while (block->state != BLOCK_DONE)
        pthread_cond_wait(&crew->changed, &crew->mutex);
    pthread_mutex_unlock(&crew->mutex);
    take_block(walk, block);
    pthread_mutex_lock(&crew->mutex);
    block->state = BLOCK_FREE;
    crew->tail++;
    pthread_mutex_unlock(&crew->mutex);
}

static void crew_drain(struct crew *crew, struct walk *walk)
{
    while (crew->tail < crew->head)
        crew_take(crew, walk);
}

/* The next block to fill; its memory is kept from the last use. */
static struct block *crew_next(struct crew *crew, struct walk *walk)
{
    if (crew->head - crew->tail == crew->n_ring)
        crew_take(crew, walk);
    struct block *block = &crew->ring[crew->head % crew->n_ring];
    block->n_groups = 0;
    return block;
}

static bool crew_push(struct crew *crew, struct block *block)
{
    size_t n = (size_t)(block->end - block->first);
    if (n > block->rows_capacity) {
        struct row_mark *rows = realloc(block->rows, n * sizeof *rows);
        if (!rows)
            return false;
        block->rows = rows;
        block->rows_capacity = n;
    }
    pthread_mutex_lock(&crew->mutex);
    block->state = BLOCK_WAITS;
    crew->head++;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->mutex);
    return true;
}

/* ---- one day ---- */

static bool take_commit(struct day_check *day, struct db_stmt *select, struct group_row *row)
{
    struct slice root = db_blob(select, 6);
    *row = (struct group_row){.group = {.commit = (uint64_t)db_int(select, 0),
                                        .first_index = (uint64_t)db_int(select, 1),
                                        .tree_size = (uint64_t)db_int(select, 2),
                                        .low_us = INT64_MAX,
                                        .high_us = INT64_MIN,
                                        .committed_us = db_int(select, 5)}};
    if (!db_is_null(select, 3) || !db_is_null(select, 4)) {
        row->group.low_us = db_int(select, 3);
        row->group.high_us = db_int(select, 4);
    }
    if (root.size == SHA256_SIZE)
        memcpy(row->group.root, root.data, SHA256_SIZE);
    if (day->reader.version >= 2 && !db_is_null(select, 7)) {
        struct slice rest = db_blob(select, 10);
        row->counted = true;
        row->names = (uint64_t)db_int(select, 7);
        row->next_quarantine = (uint64_t)db_int(select, 8);
        row->marks = (uint64_t)db_int(select, 9);
        row->has_rest = rest.size == SHA256_SIZE;
        if (row->has_rest)
            memcpy(row->rest, rest.data, SHA256_SIZE);
    }
    return root.size == SHA256_SIZE;
}

/* False: no memory. */
static bool add_group(struct block *block, const struct group_row *row)
{
    if (block->n_groups == block->groups_capacity) {
        size_t capacity = block->groups_capacity ? 2 * block->groups_capacity : 16;
        struct group_row *groups = realloc(block->groups, capacity * sizeof *groups);
        if (!groups)
            return false;
        block->groups = groups;
        block->groups_capacity = capacity;
    }
    if (block->n_groups == 0)
        block->first = row->group.first_index;
    block->groups[block->n_groups++] = *row;
    block->end = row->group.tree_size;
    return true;
}

struct day_walk {
    struct crew *crew;
    struct walk *walk;
    struct block *block;
    uint64_t next; /* index that the next group should start with */
    bool opens, memory;
};

static void push_groups(struct day_walk *day)
{
    if (!day->block || day->block->n_groups == 0)
        return;
    day->block->day = day->walk->day->reader.day;
    day->block->opens = day->opens;
    day->opens = false;
    if (!crew_push(day->crew, day->block))
        day->memory = false;
    day->block = NULL;
}

static void queue_group(struct day_walk *day, const struct group_row *row)
{
    if (!day->block)
        day->block = crew_next(day->crew, day->walk);
    if (!add_group(day->block, row))
        day->memory = false;
    day->next = row->group.tree_size;
    if (day->block->end - day->block->first >= BLOCK_ROWS || day->block->n_groups >= BLOCK_ROWS)
        push_groups(day);
}

/* A group as it is read: what is wrong with its place is told, and rows that no group claims are
 * put in between. */
static void place_group(struct day_walk *day, const struct group_row *row, bool whole)
{
    struct walk *walk = day->walk;
    const struct day_group *group = &row->group;
    const char *file = walk->day->name;
    if (!whole)
        verify_note(walk->verify, -1, (struct slice){0},
                    "%s commits.root, id %" PRIu64 ": not a hash", file, group->commit);
    if (walk->next_commit != 0 && group->commit != walk->next_commit)
        verify_note(walk->verify, -1, (struct slice){0},
                    "%s commits.id: %" PRIu64 " follows where %" PRIu64 " is due", file,
                    group->commit, walk->next_commit);
    walk->next_commit = group->commit + 1;
    bool sane = group->first_index <= group->tree_size &&
                group->tree_size - group->first_index <= MAX_GROUP &&
                group->first_index >= day->next && group->first_index - day->next <= MAX_GROUP;
    if (!sane || group->first_index != day->next)
        verify_note(walk->verify, -1, (struct slice){0},
                    "%s commits.first_index or tree_size, id %" PRIu64 ": rows %" PRIu64
                    " to %" PRIu64 " follow where row %" PRIu64 " is due",
                    file, group->commit, group->first_index, group->tree_size, day->next);
    if (!sane)
        return;
    if (group->first_index > day->next) {
        struct group_row gap = {
            .group = {.first_index = day->next, .tree_size = group->first_index}, .gap = true};
        queue_group(day, &gap);
    }
    queue_group(day, row);
}

static enum status read_commits(struct day_walk *day, struct error *error)
{
    struct day_check *check = day->walk->day;
    struct db_stmt *select;
    enum status status =
        db_prepare(check->reader.db,
                   check->reader.version >= 2
                       ? "SELECT id, first_index, tree_size, low_us, high_us, committed_us, root,"
                         " names, next_quarantine, marks, rest FROM commits ORDER BY id"
                       : "SELECT id, first_index, tree_size, low_us, high_us, committed_us, root"
                         " FROM commits ORDER BY id",
                   &select, error);
    if (status != STATUS_OK)
        return status;
    while ((status = db_step(select, error)) == STATUS_OK && day->memory) {
        struct group_row row;
        bool whole = take_commit(check, select, &row);
        place_group(day, &row, whole);
    }
    db_finish(select);
    push_groups(day);
    if (!day->memory)
        return error_set(error, STATUS_MEMORY, "out of memory");
    return status == STATUS_END ? STATUS_OK : status;
}

/* The file's first row must be the one that is due. */
static uint64_t check_start(struct walk *walk, bool first_file)
{
    const struct day_state *state = &walk->day->state;
    uint64_t due = first_file ? 0 : walk->tree.size;
    if (!walk->day->has_state || state->first_index == due)
        return due;
    verify_note(walk->verify, (int64_t)due, (struct slice){0},
                state->first_index > due ? "%s begins with row %" PRIu64 ", due is row %" PRIu64
                                           ": a day file or its last rows are missing"
                                         : "%s state.first_index is %" PRIu64
                                           ", due is row %" PRIu64,
                walk->day->name, state->first_index, due);
    if (state->first_index < due)
        return due;
    walk->lost = true;
    walk->next_commit = 0;
    return state->first_index;
}

/* What the file says of its end takes the place of a tree that could not be followed. */
static void end_day(struct walk *walk, uint64_t next)
{
    struct day_check *day = walk->day;
    flush_missing(walk);
    if (walk->suspect.set)
        tell_suspect(walk, day->has_state && has_root(&walk->tree, day->stored_root));
    day_check_end(day, walk->lost ? NULL : &walk->tree, walk->chained);
    walk->carry = day->carry;
    if (!walk->lost)
        return;
    bool sound = day->has_state && day->state.tree.size == next &&
                 has_root(&day->state.tree, day->stored_root);
    walk->tree = sound ? day->state.tree : (struct tree){.size = next};
    walk->lost = !sound;
}

static enum status read_day(struct crew *crew, struct walk *walk, bool first_file,
                            struct error *error)
{
    struct day_walk at = {.crew = crew, .walk = walk, .opens = true, .memory = true};
    walk->chained = !walk->lost;
    at.next = check_start(walk, first_file);
    enum status status = read_commits(&at, error);
    crew_drain(crew, walk);
    end_day(walk, at.next);
    return status;
}

static enum status check_day(struct crew *crew, struct walk *walk, int64_t number, bool *first_file,
                             struct error *error)
{
    struct verify *verify = walk->verify;
    struct day_check day;
    struct error problem = {.message = ""};
    walk->day = &day;
    enum status status = day_check_open(verify, number, &walk->carry, &day, &problem);
    if (status == STATUS_OK) {
        status = read_day(crew, walk, *first_file, &problem);
        *first_file = false;
        verify->report->n_days++;
    }
    if (status != STATUS_OK && status != STATUS_NOT_FOUND && status != STATUS_MEMORY) {
        verify_note(verify, -1, (struct slice){0}, "%s cannot be read: %s", day.name,
                    problem.message);
        walk->lost = true;
    }
    day_check_close(&day);
    walk->day = NULL;
    if (status == STATUS_MEMORY)
        *error = problem;
    return status == STATUS_MEMORY ? status : STATUS_OK;
}

/* ---- the whole ---- */

/* The key that heads must be signed with. */
static void find_key(struct verify *verify, struct reader *reader)
{
    const struct verify_options *options = verify->options;
    struct head_key own;
    struct signed_head head;
    struct error error;
    verify->has_key = true;
    if (options->public_key) {
        memcpy(verify->public_key, options->public_key, PUBLIC_KEY_SIZE);
        return;
    }
    if (head_key_load(options->dir, false, &own, &error) == STATUS_OK)
        memcpy(verify->public_key, own.public_key, PUBLIC_KEY_SIZE);
    else if (reader_signed_head(reader, &head, verify->public_key, &error) != STATUS_OK)
        verify->has_key = false;
    explicit_bzero(&own, sizeof own);
}

static int compare_heads(const void *a, const void *b)
{
    const struct signed_head *left = a, *right = b;
    return (left->tree_size > right->tree_size) - (left->tree_size < right->tree_size);
}

/* Those that were signed with the ledger's key, in the order of their sizes. */
static enum status take_outside(struct verify *verify, struct walk *walk,
                                struct signed_head **sorted, struct error *error)
{
    const struct verify_options *options = verify->options;
    *sorted = calloc(options->n_heads + 1, sizeof **sorted);
    if (!*sorted)
        return error_set(error, STATUS_MEMORY, "out of memory");
    for (size_t i = 0; i < options->n_heads; i++) {
        const struct signed_head *head = &options->heads[i];
        if (verify->has_key && head_check(head, verify->public_key) == STATUS_OK)
            (*sorted)[walk->n_outside++] = *head;
        else
            verify_note(verify, -1, (struct slice){0},
                        "the head kept elsewhere over %" PRIu64
                        " rows, key %s, does not fit the ledger's key: the head was changed, or it "
                        "is another ledger's",
                        head->tree_size, head->key_id);
    }
    qsort(*sorted, walk->n_outside, sizeof **sorted, compare_heads);
    walk->outside = *sorted;
    return STATUS_OK;
}

static void end_walk(struct verify *verify, struct walk *walk)
{
    struct verify_report *report = verify->report;
    for (; walk->next_outside < walk->n_outside; walk->next_outside++)
        verify_note(verify, -1, (struct slice){0},
                    "the head kept elsewhere is over %" PRIu64 " rows, the ledger has %" PRIu64
                    ": rows were taken out, or an older copy was put back",
                    walk->outside[walk->next_outside].tree_size, walk->tree.size);
    report->n_rows = walk->rows;
    report->tree_size = walk->tree.size;
    if (tree_root(&walk->tree, report->root) != STATUS_OK)
        memset(report->root, 0, SHA256_SIZE);
}

static enum status verify_days(struct verify *verify, struct reader *reader, struct walk *walk,
                               struct error *error)
{
    struct crew crew = {.verify = verify, .days = reader->days, .n_days = reader->n_days};
    bool first_file = true;
    pthread_mutex_init(&crew.mutex, NULL);
    pthread_cond_init(&crew.changed, NULL);
    enum status status = crew_start(&crew, error);
    for (size_t i = 0; i < reader->n_days && status == STATUS_OK; i++)
        status = check_day(&crew, walk, reader->days[i], &first_file, error);
    crew_stop(&crew);
    pthread_mutex_destroy(&crew.mutex);
    pthread_cond_destroy(&crew.changed);
    return status;
}

enum status ledger_verify(const struct verify_options *options, struct verify_report *report,
                          struct error *error)
{
    struct verify verify = {.options = options, .report = report};
    struct walk walk = {.verify = &verify,
                        .carry = {.rested = true,
                                  .quarantined = true,
                                  .next_quarantine = 1,
                                  .high_us = INT64_MIN,
                                  .timed = true}};
    struct reader *reader = NULL;
    struct signed_head *sorted = NULL;
    *report = (struct verify_report){0};
    enum status status = reader_open(options->dir, &reader, error);
    if (status != STATUS_OK)
        return status;
    lock_init(&verify.lock, "verify");
    report->bad = calloc(options->max_bad + EXTRA_BAD, sizeof *report->bad);
    if (!report->bad)
        status = error_set(error, STATUS_MEMORY, "out of memory");
    if (status == STATUS_OK) {
        find_key(&verify, reader);
        status = take_outside(&verify, &walk, &sorted, error);
    }
    if (status == STATUS_OK)
        status = verify_days(&verify, reader, &walk, error);
    if (status == STATUS_OK)
        end_walk(&verify, &walk);
    report->ok = status == STATUS_OK && report->n_bad == 0;
    reader_close(reader);
    free(sorted);
    lock_destroy(&verify.lock);
    return status;
}
