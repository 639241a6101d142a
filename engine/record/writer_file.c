/* The day file that the writer writes: which one, how it is opened, what is checked, and when it is
 * left behind.
 *
 * After any error the file is closed without moving its log into it. An fsync() that failed has
 * saved nothing for certain, and the kernel may count pages as written that are not: the next
 * fsync() of the same file would succeed and mean nothing. So the log is written once more, byte
 * for byte, and that is synced: what can be read of it afterwards is on the disk. Then the file is
 * opened. It must stand where the writer stands, or one commit further, the one that had failed;
 * its last rows are hashed and must lead from a tree that the writer remembers to the file's root;
 * and what is in the log is moved into the file.
 *
 * A file that is found damaged twice, or that has lost rows, is not written to any more, and
 * nothing in it is touched: the writer knows the tree and the positions, and goes on in the next
 * day's file. What can be read in the old one still is. Writer thread only. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/record/files_priv.h"
#include "engine/record/reader.h"
#include "engine/record/writer_priv.h"

#define TAIL_ROWS 4096 /* at least so many of the last rows are checked */
#define MAX_LEFT  8    /* damaged files left without a commit in between: then it is not the file */

/* ---- at the start ---- */

/* A state that can be read although the file cannot be opened for writing. */
static enum status salvage_state(struct writer *writer, int64_t number, struct error *error)
{
    struct error ignored;
    struct day *day = NULL;
    enum status status = day_open_damaged(writer->ledger->dir, number, &day, &ignored);
    if (status == STATUS_OK)
        status = day_read_state(day, &writer->state, &ignored);
    if (status == STATUS_OK)
        status = day_read_positions(day, writer_load_place, writer->ledger, &ignored);
    day_abandon(day);
    if (status != STATUS_OK) {
        error_prefix(error, "the newest day file is damaged, and what the ledger goes on from with "
                            "it; put it back from a backup");
        return STATUS_CORRUPT;
    }
    writer->has_day = true;
    writer->day_number = number;
    writer->tried_day = number;
    writer->damaged = 1;
    return file_leave(writer, error) ? STATUS_OK : STATUS_CORRUPT;
}

static enum status take_up(struct writer *writer, int64_t number, struct error *error)
{
    char path[PATH_SIZE];
    if (!day_path(path, writer->ledger->dir, number))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", writer->ledger->dir);
    enum status status = db_write_log_again(path, error);
    if (status == STATUS_OK)
        status = day_open(writer->ledger->dir, number, &writer->day, error);
    if (status == STATUS_OK)
        status = day_read_state(writer->day, &writer->state, error);
    if (status == STATUS_OK)
        status = day_read_positions(writer->day, writer_load_place, writer->ledger, error);
    if (status == STATUS_OK) {
        writer->day_number = writer->tried_day = number;
        writer->has_day = true;
        return STATUS_OK;
    }
    day_abandon(writer->day);
    writer->day = NULL;
    return status == STATUS_CORRUPT ? salvage_state(writer, number, error) : status;
}

enum status file_find_last(struct writer *writer, struct error *error)
{
    int64_t *days = NULL;
    size_t n = 0;
    enum status status = day_list(writer->ledger->dir, &days, &n, error);
    writer->first_day = INT64_MIN;
    while (status == STATUS_OK && n > 0 && !writer->has_day) {
        status = take_up(writer, days[--n], error);
        if (status == STATUS_NOT_FOUND)
            status = STATUS_OK;
    }
    free(days);
    writer->tail_from = writer->tail_next = writer->state.tree;
    return status;
}

/* ---- opening and checking ---- */

int64_t file_next_day(const struct writer *writer)
{
    struct mark at = group_settle((struct mark){writer->head, writer->item});
    int64_t at_us = at.chunk->items[at.item].at_us;
    int64_t least = writer->has_day && writer->day_number > writer->first_day ? writer->day_number
                                                                              : writer->first_day;
    if (at_us == NO_TIME && least != INT64_MIN)
        return least;
    int64_t day = time_day(at_us == NO_TIME ? clock_now_us(writer->ledger->clock) : at_us);
    return day < least ? least : day;
}

void file_remember(struct writer *writer, bool new_file)
{
    if (new_file) {
        writer->tail_from = writer->tail_next = writer->state.tree;
    } else if (writer->state.tree.size - writer->tail_next.size >= TAIL_ROWS) {
        writer->tail_from = writer->tail_next;
        writer->tail_next = writer->state.tree;
    }
}

struct tail {
    struct tree tree;
    struct buffer leaf;
    uint64_t end;
};

static enum status hash_row(void *context, const struct ledger_row *row, struct error *error)
{
    struct tail *tail = context;
    uint8_t hash[SHA256_SIZE];
    if (row->index >= tail->end)
        return STATUS_END;
    buffer_reset(&tail->leaf);
    if (row->index != tail->tree.size || !leaf_encode(row, &tail->leaf))
        return error_set(error, STATUS_CORRUPT, "row %" PRIu64 " is not there", tail->tree.size);
    if (tree_leaf_hash(buffer_slice(&tail->leaf), hash) != STATUS_OK ||
        tree_append(&tail->tree, hash) != STATUS_OK)
        return error_set(error, STATUS_MEMORY, "cannot hash the ledger's tree");
    return STATUS_OK;
}

/* The rows since the remembered tree give the root of `found`. */
static enum status check_tail(const struct writer *writer, const struct tree *found,
                              struct error *error)
{
    struct tail tail = {.tree = writer->tail_from, .end = found->size};
    struct reader *reader = NULL;
    uint8_t stated[SHA256_SIZE], given[SHA256_SIZE];
    if (tail.tree.size >= tail.end)
        return STATUS_OK;
    buffer_init(&tail.leaf, (size_t)1 << 24);
    enum status status = reader_open(writer->ledger->dir, &reader, error);
    if (status == STATUS_OK)
        status = reader_scan(reader, tail.tree.size, hash_row, &tail, error);
    reader_close(reader);
    buffer_free(&tail.leaf);
    if (status != STATUS_OK)
        return status;
    if (tree_root(&tail.tree, given) != STATUS_OK || tree_root(found, stated) != STATUS_OK)
        return error_set(error, STATUS_MEMORY, "cannot hash the ledger's tree");
    if (tail.tree.size != tail.end || memcmp(given, stated, SHA256_SIZE) != 0)
        return error_set(error, STATUS_CORRUPT,
                         "the last rows of the day file do not give its root");
    return STATUS_OK;
}

/* A file in which nothing was committed yet is nowhere but in its log. */
static enum status move_log(struct writer *writer, bool empty, struct error *error)
{
    struct db_log log = {0};
    enum status status = day_checkpoint(writer->day, &log, error);
    if (status == STATUS_OK && empty && log.moved < log.pages)
        status = error_set(error, STATUS_UNAVAILABLE, "the day file is being read");
    return status;
}

static void count_reopened(struct ledger *ledger)
{
    lock_take(&ledger->lock);
    ledger->stats.reopened++;
    lock_release(&ledger->lock);
}

static enum status check_suspect(struct writer *writer, const struct day_state *found, bool empty,
                                 struct error *error)
{
    enum status status = empty ? STATUS_OK : check_tail(writer, &found->tree, error);
    if (status == STATUS_OK)
        status = move_log(writer, empty, error);
    if (status != STATUS_OK)
        return status;
    writer->suspect = false;
    count_reopened(writer->ledger);
    log_write(writer->ledger->log, LOG_INFO, "record", "file_checked",
              "the day file was closed after an error, opened again and found whole");
    return STATUS_OK;
}

/* Where the file stands, against where the writer does. */
static enum status compare(struct writer *writer, int64_t number, const struct day_state *found,
                           bool empty, bool *done, struct error *error)
{
    bool expected = writer->has_day && writer->day_number == number;
    const struct attempt *attempt = &writer->attempt;
    *done = !empty && attempt->committing && attempt->day == number &&
            found->commits == attempt->state.commits;
    if (*done || (empty && !expected) || (expected && found->commits == writer->state.commits))
        return STATUS_OK;
    if (expected && found->commits < writer->state.commits) {
        writer->lost = writer->state.tree.size - found->tree.size;
        return error_set(error, STATUS_CORRUPT,
                         "%" PRIu64 " rows that were written are gone from the day file",
                         writer->lost);
    }
    return error_set(error, STATUS_CONFLICT,
                     "a ledger file was written by somebody else: stop that and restart");
}

enum status file_open(struct writer *writer, int64_t number, bool *done, struct error *error)
{
    char path[PATH_SIZE];
    struct day_state found = {0};
    bool expected = writer->has_day && writer->day_number == number;
    *done = false;
    writer->tried_day = number;
    writer->lost = 0;
    if (!day_path(path, writer->ledger->dir, number))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", writer->ledger->dir);
    enum status status = STATUS_OK;
    if (expected && access(path, F_OK) != 0) {
        writer->lost = writer->state.tree.size - writer->state.first_index;
        return error_set(error, STATUS_CORRUPT, "%s was taken away while it was in use", path);
    }
    if (writer->suspect)
        status = db_write_log_again(path, error);
    if (status == STATUS_OK)
        status = day_open(writer->ledger->dir, number, &writer->day, error);
    if (status != STATUS_OK)
        return status;
    status = day_read_state(writer->day, &found, error);
    bool empty = status == STATUS_NOT_FOUND;
    if (status == STATUS_OK || empty)
        status = compare(writer, number, &found, empty, done, error);
    if (status == STATUS_OK && writer->suspect)
        status = check_suspect(writer, &found, empty, error);
    return status;
}

/* ---- closing ---- */

void file_seal(struct writer *writer)
{
    struct error error;
    bool head = signer_due_ms(writer) >= 0;
    checkpointer_leave(writer->checkpointer);
    enum status status = day_begin(writer->day, &error);
    if (status == STATUS_OK && head)
        status = signer_write(writer, &writer->state, false, &error);
    if (status == STATUS_OK)
        status = day_write_run(writer->day, true, &error);
    if (status == STATUS_OK)
        status = day_commit(writer->day, &error);
    if (status == STATUS_OK && head)
        signer_committed(writer);
    if (status == STATUS_OK)
        status = day_checkpoint(writer->day, NULL, &error);
    if (status != STATUS_OK) {
        log_write(writer->ledger->log, LOG_WARN, "record", "day_not_sealed",
                  "the last part of a day's event index is missing (%s); the rows are whole",
                  error.message);
        file_drop(writer);
        return;
    }
    day_close(writer->day);
    writer->day = NULL;
}

void file_move_log(struct writer *writer)
{
    struct error error;
    if (checkpointer_tend(writer->checkpointer, day_db(writer->day), &error) == STATUS_OK)
        return;
    log_write(writer->ledger->log, LOG_WARN, "record", "log_not_moved",
              "%s; what was committed is in the log, and the file is checked before the next rows",
              error.message);
    file_drop(writer);
}

void file_drop(struct writer *writer)
{
    checkpointer_leave(writer->checkpointer);
    day_abandon(writer->day);
    writer->day = NULL;
    writer->suspect = true;
}

/* So that it is known after a restart as well; who puts the file right takes it away. */
static void leave_note(struct log *log, const char *path, const struct error *error)
{
    char *name = NULL, when[TIME_TEXT_SIZE];
    FILE *note = asprintf(&name, "%s" DAMAGED_SUFFIX, path) < 0 ? NULL : fopen(name, "we");
    bool written =
        note && fprintf(note, "found damaged at %s: %s\n",
                        time_format((int64_t)time(NULL) * US_PER_S, when), error->message) > 0;
    if (note && fclose(note) != 0)
        written = false;
    if (!written)
        log_write(log, LOG_WARN, "record", "note_not_written",
                  "%s: no note could be left beside it", path);
    free(name);
}

void ledger_found_damaged(struct ledger *ledger, const char *path, uint64_t lost_rows,
                          const struct error *error)
{
    leave_note(ledger->log, path, error);
    lock_take(&ledger->lock);
    ledger->stats.damaged_files++;
    ledger->stats.lost_rows += lost_rows;
    snprintf(ledger->stats.damage, sizeof ledger->stats.damage, "%.120s: %.120s", path,
             error->message);
    lock_release(&ledger->lock);
}

bool file_leave(struct writer *writer, const struct error *error)
{
    struct ledger *ledger = writer->ledger;
    int64_t day = writer->tried_day;
    if (++writer->damaged < 2 || writer->left >= MAX_LEFT)
        return false;
    file_drop(writer);
    writer->first_day = day + 1;
    writer->suspect = false;
    writer->attempt.committing = false;
    writer->damaged = 0;
    writer->left++;
    char name[PATH_SIZE] = "";
    (void)day_path(name, ledger->dir, day);
    log_write(ledger->log, LOG_ERROR, "record", "day_file_damaged",
              "%s: %s; the ledger goes on in the next day's file and leaves this one as it is: "
              "`binnacle ledger verify` says which rows are lost, a backup brings them back",
              name, error->message);
    ledger_found_damaged(ledger, name, writer->lost, error);
    writer->lost = 0;
    return true;
}
