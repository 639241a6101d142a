/* One day's file along its groups: they are read in order, what is wrong with their places is told,
 * and their rows go to the threads in blocks. The thread that verifies. */
#include "engine/base/array.h"
#include "engine/record/verify_walk_priv.h"

#include <inttypes.h>
#include <stdlib.h>

#define BLOCK_ROWS 2048
#define MAX_GROUP  ((uint64_t)1 << 24) /* more than any queue holds */

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
    struct group_row *groups =
        array_grow(block->groups, block->n_groups, &block->groups_capacity, sizeof *groups);
    if (!groups)
        return false;
    block->groups = groups;
    if (block->n_groups == 0)
        block->first = row->group.first_index;
    groups[block->n_groups++] = *row;
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
        day->block = crew_next(day->crew);
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

static enum status read_day(struct crew *crew, struct walk *walk, struct error *error)
{
    struct day_walk at = {.crew = crew, .walk = walk, .opens = true, .memory = true};
    walk->chained = !walk->lost;
    at.next = walk_begin_day(walk);
    enum status status = read_commits(&at, error);
    crew_drain(crew);
    walk_end_day(walk, at.next);
    return status;
}

enum status verify_day(struct crew *crew, struct walk *walk, int64_t number, struct error *error)
{
    struct verify *verify = walk->verify;
    struct day_check day;
    struct error problem = {.message = ""};
    walk->day = &day;
    enum status status = day_check_open(verify, number, &walk->carry, &day, &problem);
    if (status == STATUS_OK) {
        status = read_day(crew, walk, &problem);
        verify->report->n_days++;
    }
    bool stopped = status == STATUS_MEMORY || status == STATUS_UNAVAILABLE;
    if (status != STATUS_OK && status != STATUS_NOT_FOUND && !stopped) {
        verify_note(verify, -1, (struct slice){0}, "%s cannot be read: %s", day.name,
                    problem.message);
        walk->lost = true;
    }
    day_check_close(&day);
    walk->day = NULL;
    if (stopped)
        *error = problem;
    return stopped ? status : STATUS_OK;
}
