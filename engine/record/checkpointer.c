/* A thread with a connection of its own to the file being written: it moves the log into the
 * file while commits go on behind it. SQLite lets a checkpoint run beside a writer, but the log
 * begins anew only at a commit that finds all of it moved; under steady load that never comes by
 * itself, so the writer moves the last few pages. Once the thread had an error it does nothing more
 * until the writer has opened the file again. https://www.sqlite.org/wal.html#ckpt */
#include "engine/record/checkpointer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/thread.h"
#include "engine/record/files_priv.h"

enum checkpoint_advice {
    CHECKPOINT_NOTHING,
    CHECKPOINT_REST,
    CHECKPOINT_FAILED, /* told once */
};

#define REST     8 /* a rest is this part of `limit` at most */
#define TOO_LONG 4 /* times `limit` */

struct checkpointer {
    int64_t limit;
    struct thread *thread;
    struct db *db;    /* thread only */
    struct lock lock; /* everything below; never held during I/O */
    pthread_cond_t changed;
    char path[PATH_SIZE]; /* of the file that is written; empty: none */
    int64_t pages;        /* in its log, as of the last commit */
    int64_t begun;        /* when the last move began; 0: none since the log began */
    int64_t moved;        /* of them, by what the last move said */
    int64_t helped;       /* the writer is not asked again before there are so many */
    bool open, moving, leaving, closing, failed;
    struct error error; /* of the failed move */
};

static bool is_wanted(const struct checkpointer *own)
{
    return own->path[0] && !own->failed && own->pages >= own->limit &&
           own->pages - own->begun > own->limit / REST;
}

static enum status move(struct checkpointer *own, const char *path, struct db_log *log,
                        struct error *error)
{
    if (!own->db) {
        enum status status = db_open(path, DB_WRITE, DB_SYNC_FULL, &own->db, error);
        if (status != STATUS_OK)
            return status;
    }
    return db_checkpoint(own->db, log, error);
}

/* The lock is held, but not while the disk is busy. */
static void move_once(struct checkpointer *own)
{
    struct error error;
    struct db_log log = {0};
    char path[PATH_SIZE];
    memcpy(path, own->path, sizeof path);
    own->open = own->moving = true;
    own->begun = own->pages;
    lock_release(&own->lock);
    enum status status = move(own, path, &log, &error);
    lock_take(&own->lock);
    own->moving = false;
    if (status == STATUS_OK && strcmp(own->path, path) == 0 && log.pages >= own->begun) {
        own->moved = log.moved;
    } else if (status != STATUS_OK && status != STATUS_UNAVAILABLE) {
        own->failed = true;
        own->error = error;
        own->error.code = status;
    }
}

static void run(void *context)
{
    struct checkpointer *own = context;
    lock_take(&own->lock);
    while (!own->closing || own->leaving) {
        if (own->leaving) {
            /* The log stays: whoever writes the file moves or checks it. */
            db_abandon(own->db);
            own->db = NULL;
            own->open = own->leaving = false;
            pthread_cond_broadcast(&own->changed);
        } else if (is_wanted(own)) {
            move_once(own);
        } else {
            condition_wait(&own->changed, &own->lock, -1);
        }
    }
    db_abandon(own->db);
    lock_release(&own->lock);
}

enum status checkpointer_create(int64_t pages, struct checkpointer **checkpointer,
                                struct error *error)
{
    struct checkpointer *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->limit = pages;
    lock_init(&made->lock, "checkpointer");
    condition_init(&made->changed);
    enum status status = thread_start("checkpoint", run, made, &made->thread, error);
    if (status != STATUS_OK) {
        checkpointer_destroy(made);
        return status;
    }
    *checkpointer = made;
    return STATUS_OK;
}

void checkpointer_destroy(struct checkpointer *checkpointer)
{
    if (!checkpointer)
        return;
    lock_take(&checkpointer->lock);
    checkpointer->closing = true;
    pthread_cond_broadcast(&checkpointer->changed);
    lock_release(&checkpointer->lock);
    thread_join(checkpointer->thread);
    pthread_cond_destroy(&checkpointer->changed);
    lock_destroy(&checkpointer->lock);
    free(checkpointer);
}

static void begin_anew(struct checkpointer *own, const char *path)
{
    snprintf(own->path, sizeof own->path, "%s", path);
    own->begun = own->moved = own->helped = 0;
}

static enum checkpoint_advice note(struct checkpointer *checkpointer, const char *path,
                                   int64_t pages, struct error *error)
{
    struct checkpointer *own = checkpointer;
    enum checkpoint_advice advice = CHECKPOINT_NOTHING;
    lock_take(&own->lock);
    if (strcmp(own->path, path) != 0 || pages < own->pages)
        begin_anew(own, path);
    own->pages = pages;
    bool little = own->begun > 0 && pages - own->moved <= own->limit / REST;
    if (own->failed) {
        advice = CHECKPOINT_FAILED;
        *error = own->error;
    } else if (!own->moving && pages >= own->limit && pages >= own->helped &&
               (little || pages >= TOO_LONG * own->limit)) {
        advice = CHECKPOINT_REST;
        own->helped = pages + own->limit / REST + 1;
    } else if (is_wanted(own)) {
        pthread_cond_signal(&own->changed);
    }
    lock_release(&own->lock);
    return advice;
}

enum status checkpointer_tend(struct checkpointer *checkpointer, struct db *db, struct error *error)
{
    enum status status = STATUS_OK;
    switch (note(checkpointer, db_path(db), db_log_pages(db), error)) {
    case CHECKPOINT_REST:
        status = db_checkpoint(db, NULL, error);
        break;
    case CHECKPOINT_FAILED:
        status = error->code;
        break;
    case CHECKPOINT_NOTHING:
        break;
    }
    return status == STATUS_UNAVAILABLE ? STATUS_OK : status;
}

void checkpointer_leave(struct checkpointer *checkpointer)
{
    struct checkpointer *own = checkpointer;
    lock_take(&own->lock);
    own->leaving = own->open;
    own->pages = 0;
    begin_anew(own, "");
    while (own->leaving) {
        pthread_cond_broadcast(&own->changed);
        condition_wait(&own->changed, &own->lock, -1);
    }
    own->failed = false;
    lock_release(&own->lock);
}
