/* The tree that leads from the rows to the signed heads, followed.
 *
 * The stored hash of every row is added to the tree, and its root compared with that of every group
 * and every signed head. A row whose fields do not give its hash, and a hash that does not lead to
 * the root, are told apart by which of the two the root wants. After a row that is missing, the
 * tree cannot be followed to the end of the day; it goes on from what the file says of its end,
 * which only the heads can vouch for. The thread that verifies. */
#include "engine/record/verify_walk_priv.h"

#include <inttypes.h>
#include <stdio.h>

#define MAX_REPAIRS 32 /* fields are named for the first rows only: it takes a while */

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
            derived_check_node(walk->day, level, (tree->size >> level) - 1, tree->edge[level]);
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
        derived_check_key(day, i, mark, wrong || mark->kind == 0);
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
    rest_check_group(day, row);
}

void walk_block(struct walk *walk, const struct block *block)
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

/* ---- where a file begins and ends ---- */

uint64_t walk_begin_day(struct walk *walk)
{
    const struct day_state *state = &walk->day->state;
    uint64_t due = walk->tree.size;
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
void walk_end_day(struct walk *walk, uint64_t next)
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
