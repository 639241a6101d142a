/* The list of changes in SQLite, with the newest of them in memory. One lock around both; it may be
 * held during a write to the disk, so nothing on the way of an event comes here. */
#include "engine/record/changes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/db.h"
#include "engine/base/thread.h"
#include "engine/base/utf8.h"

#define HELD         256 /* in memory */
#define PRUNE_EVERY  256
#define LABELS_EVERY (600 * US_PER_S)
#define DIGEST_SHOWN 12 /* hex digits */

static const char *const steps[] = {
    "CREATE TABLE changes(id INTEGER PRIMARY KEY AUTOINCREMENT, at_us INTEGER NOT NULL,"
    " kind TEXT NOT NULL, what TEXT NOT NULL, who TEXT NOT NULL, reason TEXT NOT NULL);"
    "CREATE INDEX changes_at ON changes(at_us);"
    "CREATE TABLE parts(name TEXT PRIMARY KEY, digest TEXT NOT NULL) WITHOUT ROWID;",
};

static const char *const kind_names[CHANGE_KINDS] = {
    [CHANGE_START] = "start", [CHANGE_STOP] = "stop",         [CHANGE_SPLIT] = "split",
    [CHANGE_RULES] = "rules", [CHANGE_CONTRACT] = "contract", [CHANGE_FEATURES] = "features",
    [CHANGE_MODEL] = "model", [CHANGE_CONFIG] = "config",     [CHANGE_ALERT] = "alert",
    [CHANGE_LABEL] = "label",
};

enum { ADD, READ, PRUNE, GET_PART, PUT_PART, STATEMENTS };
static const char *const sql[STATEMENTS] = {
    [ADD] = "INSERT INTO changes(at_us, kind, what, who, reason) VALUES(?1, ?2, ?3, ?4, ?5)",
    [READ] = "SELECT at_us, kind, what, who, reason FROM changes WHERE at_us >= ?1 AND at_us < ?2"
             " ORDER BY at_us DESC, id DESC LIMIT ?3",
    [PRUNE] = "DELETE FROM changes WHERE id <= (SELECT max(id) FROM changes) - ?1",
    [GET_PART] = "SELECT digest FROM parts WHERE name = ?1",
    [PUT_PART] = "INSERT INTO parts(name, digest) VALUES(?1, ?2)"
                 " ON CONFLICT(name) DO UPDATE SET digest = excluded.digest",
};

struct changes {
    struct lock lock;
    struct log *log;
    struct db *db;
    struct db_stmt *statements[STATEMENTS];
    bool failing; /* the file could not be written last time: said once */
    uint64_t added;
    struct change held[HELD]; /* ring; the newest is at (n_held - 1) modulo the size */
    uint64_t n_held;
    uint64_t labels, positives; /* not listed yet */
    int64_t labels_listed_us;
};

const char *change_kind_name(enum change_kind kind)
{
    return kind_names[kind];
}

static enum change_kind kind_of(struct slice name)
{
    for (int i = 0; i < CHANGE_KINDS; i++) {
        if (slice_equal(name, slice_of(kind_names[i])))
            return (enum change_kind)i;
    }
    return CHANGE_CONFIG;
}

static enum status open_file(struct changes *changes, const char *path, struct error *error)
{
    enum status status =
        db_open(path ? path : ":memory:", DB_WRITE, DB_SYNC_NORMAL, &changes->db, error);
    if (status == STATUS_OK)
        status = db_migrate(changes->db, steps, (int)(sizeof steps / sizeof *steps), error);
    for (int i = 0; i < STATEMENTS && status == STATUS_OK; i++)
        status = db_prepare(changes->db, sql[i], &changes->statements[i], error);
    return status;
}

static void close_file(struct changes *changes)
{
    for (int i = 0; i < STATEMENTS; i++)
        db_finish(changes->statements[i]);
    db_close(changes->db);
    memset(changes->statements, 0, sizeof changes->statements);
    changes->db = NULL;
}

enum status changes_open(const char *path, struct log *log, struct changes **changes,
                         struct error *error)
{
    *changes = NULL;
    struct changes *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    lock_init(&made->lock, "changes");
    made->log = log;
    made->labels_listed_us = INT64_MIN;
    enum status status = open_file(made, path, error);
    if (path && status != STATUS_OK && status != STATUS_MEMORY) {
        log_write(log, LOG_WARN, "changes", "not_opened",
                  "the list of changes is kept in memory only until the next start: %s; move the "
                  "file away",
                  error->message);
        close_file(made);
        status = open_file(made, NULL, error);
    }
    if (status != STATUS_OK) {
        changes_close(made);
        return status;
    }
    *changes = made;
    return STATUS_OK;
}

void changes_close(struct changes *changes)
{
    if (!changes)
        return;
    close_file(changes);
    lock_destroy(&changes->lock);
    free(changes);
}

static enum status write_change(struct changes *changes, const struct change *change,
                                struct error *error)
{
    struct db_stmt *add = changes->statements[ADD];
    db_bind_int(add, 1, change->at_us);
    db_bind_text(add, 2, slice_of(kind_names[change->kind]));
    db_bind_text(add, 3, slice_of(change->what));
    db_bind_text(add, 4, slice_of(change->who));
    db_bind_text(add, 5, slice_of(change->reason));
    enum status status = db_run(add, error);
    if (status == STATUS_OK && ++changes->added % PRUNE_EVERY == 0) {
        db_bind_int(changes->statements[PRUNE], 1, CHANGES_KEPT);
        status = db_run(changes->statements[PRUNE], error);
    }
    return status;
}

/* The lock is held. */
static void add(struct changes *changes, const struct change *change)
{
    struct error error;
    changes->held[changes->n_held++ % HELD] = *change;
    enum status status = write_change(changes, change, &error);
    if (status != STATUS_OK && !changes->failing && changes->log)
        log_write(changes->log, LOG_WARN, "changes", "not_written",
                  "the list of changes is kept in memory only: %s", error.message);
    changes->failing = status != STATUS_OK;
}

void changes_add(struct changes *changes, const struct change *change)
{
    if (!changes)
        return;
    lock_take(&changes->lock);
    add(changes, change);
    lock_release(&changes->lock);
}

/* "" when it was not known. */
static void known_content(struct changes *changes, const char *name, char out[CHANGE_WORDS])
{
    struct error error;
    struct db_stmt *get = changes->statements[GET_PART];
    out[0] = '\0';
    db_bind_text(get, 1, slice_of(name));
    if (db_step(get, &error) == STATUS_OK)
        snprintf(out, CHANGE_WORDS, SLICE_FORMAT, SLICE_ARGS(db_text(get, 0)));
    db_reset(get);
}

/* How much of the beginning both have in common, in whole parts: what lies between commas. */
static size_t same_parts(const char *now, const char *before)
{
    size_t same = 0;
    for (size_t i = 1; now[i - 1] && now[i - 1] == before[i - 1]; i++)
        if (i > 1 && now[i - 2] == ',' && now[i - 1] == ' ')
            same = i;
    return same;
}

/* Both where there is room for them, else the beginning of what differs, with what is left out
 * marked. */
static void describe_words(const struct change_part *part, const char *known, char *out,
                           size_t size)
{
    int n = snprintf(out, size, "%s: %s, before %s", part->name, part->words, known);
    if (n >= 0 && (size_t)n < size)
        return;
    size_t same = same_parts(part->words, known);
    const char *now = part->words + same, *before = known + same, *left_out = same > 0 ? "..." : "";
    size_t room = (size - strlen(part->name) - sizeof ": ......, before ......") / 2;
    snprintf(out, size, "%s: %s%.*s%s, before %s%.*s%s", part->name, left_out,
             (int)utf8_fitting(slice_of(now), room), now, strlen(now) > room ? "..." : "", left_out,
             (int)utf8_fitting(slice_of(before), room), before, strlen(before) > room ? "..." : "");
}

static void describe(const struct change_part *part, const char *known, char *out, size_t size)
{
    if (part->digest)
        snprintf(out, size, "%s: SHA-256 %.*s, before %.*s", part->name, DIGEST_SHOWN, part->digest,
                 DIGEST_SHOWN, known);
    else
        describe_words(part, known, out, size);
}

void changes_compare(struct changes *changes, int64_t now_us, const char *who,
                     const struct change_part *part)
{
    const char *content = part->digest ? part->digest : part->words;
    char known[CHANGE_WORDS];
    struct error error;
    if (!changes)
        return;
    lock_take(&changes->lock);
    known_content(changes, part->name, known);
    if (strcmp(known, content) != 0) {
        struct db_stmt *put = changes->statements[PUT_PART];
        struct change change = {.at_us = now_us, .kind = part->kind};
        describe(part, known, change.what, sizeof change.what);
        snprintf(change.who, sizeof change.who, "%s", who);
        snprintf(change.reason, sizeof change.reason, "%s", part->reason ? part->reason : "");
        if (known[0])
            add(changes, &change);
        db_bind_text(put, 1, slice_of(part->name));
        db_bind_text(put, 2, slice_of(content));
        if (db_run(put, &error) != STATUS_OK)
            changes->failing = true;
    }
    lock_release(&changes->lock);
}

/* ---- reading ---- */

static void copy_text(char *out, size_t size, struct slice text)
{
    snprintf(out, size, SLICE_FORMAT, SLICE_ARGS(text));
}

static enum status read_file(struct changes *changes, int64_t from_us, int64_t to_us, size_t most,
                             struct change *list, size_t *n, struct error *error)
{
    struct db_stmt *read = changes->statements[READ];
    enum status status;
    *n = 0;
    db_bind_int(read, 1, from_us);
    db_bind_int(read, 2, to_us);
    db_bind_int(read, 3, (int64_t)most);
    while ((status = db_step(read, error)) == STATUS_OK && *n < most) {
        struct change *change = &list[(*n)++];
        change->at_us = db_int(read, 0);
        change->kind = kind_of(db_text(read, 1));
        copy_text(change->what, sizeof change->what, db_text(read, 2));
        copy_text(change->who, sizeof change->who, db_text(read, 3));
        copy_text(change->reason, sizeof change->reason, db_text(read, 4));
    }
    db_reset(read);
    return status == STATUS_END ? STATUS_OK : status;
}

static void read_held(const struct changes *changes, int64_t from_us, int64_t to_us, size_t most,
                      struct change *list, size_t *n)
{
    uint64_t oldest = changes->n_held > HELD ? changes->n_held - HELD : 0;
    *n = 0;
    for (uint64_t i = changes->n_held; i > oldest && *n < most; i--) {
        const struct change *change = &changes->held[(i - 1) % HELD];
        if (change->at_us >= from_us && change->at_us < to_us)
            list[(*n)++] = *change;
    }
}

enum status changes_read(struct changes *changes, int64_t from_us, int64_t to_us, size_t most,
                         struct change **list, size_t *n, struct error *error)
{
    *n = 0;
    *list = calloc(most ? most : 1, sizeof **list);
    if (!*list)
        return error_set(error, STATUS_MEMORY, "out of memory");
    lock_take(&changes->lock);
    if (changes->failing || read_file(changes, from_us, to_us, most, *list, n, error) != STATUS_OK)
        read_held(changes, from_us, to_us, most, *list, n);
    lock_release(&changes->lock);
    for (size_t i = 0; i < *n / 2; i++) { /* newest first, until here */
        struct change other = (*list)[i];
        (*list)[i] = (*list)[*n - 1 - i];
        (*list)[*n - 1 - i] = other;
    }
    return STATUS_OK;
}

void changes_labels(struct changes *changes, int64_t now_us, uint64_t n, uint64_t positives)
{
    if (!changes)
        return;
    lock_take(&changes->lock);
    changes->labels += n;
    changes->positives += positives;
    bool due = changes->labels_listed_us == INT64_MIN ||
               now_us - changes->labels_listed_us >= LABELS_EVERY;
    if (due && changes->labels > 0) {
        struct change change = {.at_us = now_us, .kind = CHANGE_LABEL};
        snprintf(change.what, sizeof change.what, "%llu %s posted, %llu positive",
                 (unsigned long long)changes->labels, changes->labels == 1 ? "label" : "labels",
                 (unsigned long long)changes->positives);
        add(changes, &change);
        changes->labels = changes->positives = 0;
        changes->labels_listed_us = now_us;
    }
    lock_release(&changes->lock);
}
