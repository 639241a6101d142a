/* One SQLite file. Rows of `message` stay for a while when they are delivered: their keys are what
 * keeps a transition from being told again. `pruned` counts those that have been deleted since. */
#include "alerts/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/db.h"
#include "engine/base/thread.h"

static const char *const migrations[] = {
    "CREATE TABLE state (rule TEXT PRIMARY KEY, phase INTEGER NOT NULL, since_us INTEGER NOT NULL,"
    " clear_us INTEGER NOT NULL, fired_us INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE message (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE,"
    " channel TEXT NOT NULL, body BLOB NOT NULL, made_us INTEGER NOT NULL,"
    " due_us INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,"
    " fate TEXT NOT NULL DEFAULT 'waiting' CHECK (fate IN ('waiting', 'sent', 'dead')),"
    " settled_us INTEGER, problem TEXT);"
    "CREATE INDEX message_due ON message (due_us) WHERE fate = 'waiting';",
    "CREATE TABLE pruned (sent INTEGER NOT NULL, dead INTEGER NOT NULL, retried INTEGER NOT NULL);"
    "INSERT INTO pruned VALUES (0, 0, 0);"
    "UPDATE message SET settled_us = made_us WHERE fate = 'dead';",
    "CREATE TABLE hold (rule TEXT PRIMARY KEY, silent_until_us INTEGER NOT NULL,"
    " fired_us INTEGER NOT NULL, by TEXT NOT NULL, untold INTEGER NOT NULL) WITHOUT ROWID;",
};

enum statement {
    GET_STATE,
    PUT_STATE,
    GET_HOLD,
    PUT_HOLD,
    PUT_MESSAGE,
    TAKE,
    NEXT_DUE,
    SENT,
    RETRY,
    BURY,
    COUNT,
    COUNT_PRUNED,
    PRUNE,
    STATEMENTS
};

static const char *const sql[STATEMENTS] = {
    [GET_STATE] = "SELECT phase, since_us, clear_us, fired_us FROM state WHERE rule = ?1",
    [PUT_STATE] = "INSERT INTO state VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (rule) DO UPDATE SET "
                  "phase = ?2, since_us = ?3, clear_us = ?4, fired_us = ?5",
    [GET_HOLD] = "SELECT silent_until_us, fired_us, by, untold FROM hold WHERE rule = ?1",
    [PUT_HOLD] = "INSERT INTO hold VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (rule) DO UPDATE SET "
                 "silent_until_us = ?2, fired_us = ?3, by = ?4, untold = ?5",
    [PUT_MESSAGE] = "INSERT INTO message (key, channel, body, made_us, due_us) "
                    "VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT (key) DO NOTHING",
    [TAKE] = "SELECT id, key, channel, body, made_us, attempts FROM message "
             "WHERE fate = 'waiting' AND (due_us <= ?1 "
             /* The clock was set back since, and it was not tried by that clock yet. */
             "OR (made_us > ?1 + 60000000 AND due_us >= made_us)) ORDER BY due_us, id LIMIT 1",
    [NEXT_DUE] = "SELECT min(due_us) FROM message WHERE fate = 'waiting'",
    [SENT] = "UPDATE message SET fate = 'sent', settled_us = ?2, problem = NULL WHERE id = ?1",
    [RETRY] = "UPDATE message SET attempts = attempts + 1, due_us = ?2, problem = ?3 "
              "WHERE id = ?1",
    [BURY] = "UPDATE message SET attempts = attempts + 1, fate = 'dead', settled_us = ?2, "
             "problem = ?3 WHERE id = ?1",
    [COUNT] = "SELECT ifnull(sum(fate = 'waiting'), 0), "
              "ifnull(sum(fate = 'sent'), 0) + (SELECT sent FROM pruned), "
              "ifnull(sum(fate = 'dead'), 0) + (SELECT dead FROM pruned), "
              "ifnull(sum(attempts - (fate = 'dead')), 0) + (SELECT retried FROM pruned), "
              "min(CASE fate WHEN 'waiting' THEN made_us END) FROM message",
    [COUNT_PRUNED] = "UPDATE pruned SET sent = sent + n_sent, dead = dead + n_dead, "
                     "retried = retried + n_retried FROM "
                     "(SELECT ifnull(sum(fate = 'sent'), 0) AS n_sent, "
                     "ifnull(sum(fate = 'dead'), 0) AS n_dead, "
                     "ifnull(sum(attempts - (fate = 'dead')), 0) AS n_retried "
                     "FROM message WHERE fate != 'waiting' AND settled_us < ?1)",
    [PRUNE] = "DELETE FROM message WHERE fate != 'waiting' AND settled_us < ?1",
};

struct outbox {
    struct lock lock;
    struct db *db;
    struct db_stmt *statements[STATEMENTS];
};

static enum status prepare(struct outbox *outbox, struct error *error)
{
    enum status status =
        db_migrate(outbox->db, migrations, (int)(sizeof migrations / sizeof migrations[0]), error);
    for (int i = 0; i < STATEMENTS && status == STATUS_OK; i++)
        status = db_prepare(outbox->db, sql[i], &outbox->statements[i], error);
    return status;
}

enum status outbox_open(const char *path, struct outbox **outbox, struct error *error)
{
    *outbox = NULL;
    struct outbox *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    lock_init(&made->lock, "alerts.outbox");
    enum status status =
        db_open(path ? path : ":memory:", DB_WRITE, DB_SYNC_FULL, &made->db, error);
    if (status == STATUS_OK)
        status = prepare(made, error);
    if (status != STATUS_OK) {
        outbox_close(made);
        return status;
    }
    *outbox = made;
    return STATUS_OK;
}

void outbox_close(struct outbox *outbox)
{
    if (!outbox)
        return;
    for (int i = 0; i < STATEMENTS; i++)
        db_finish(outbox->statements[i]);
    db_close(outbox->db);
    lock_destroy(&outbox->lock);
    free(outbox);
}

enum status outbox_state(struct outbox *outbox, const char *rule, struct machine *machine,
                         struct error *error)
{
    *machine = (struct machine){0};
    struct db_stmt *stmt = outbox->statements[GET_STATE];
    lock_take(&outbox->lock);
    db_bind_text(stmt, 1, slice_of(rule));
    enum status status = db_step(stmt, error);
    if (status == STATUS_OK) {
        int64_t phase = db_int(stmt, 0);
        machine->phase = phase >= 0 && phase < PHASES ? (enum machine_phase)phase : PHASE_INACTIVE;
        machine->since_us = db_int(stmt, 1);
        machine->clear_us = db_int(stmt, 2);
        machine->fired_us = db_int(stmt, 3);
    }
    db_reset(stmt);
    lock_release(&outbox->lock);
    return status == STATUS_END ? STATUS_OK : status;
}

static void copy_text(struct slice text, char *out, size_t size)
{
    snprintf(out, size, SLICE_FORMAT, SLICE_ARGS(text));
}

enum status outbox_hold(struct outbox *outbox, const char *rule, struct hold *hold,
                        struct error *error)
{
    *hold = (struct hold){0};
    struct db_stmt *stmt = outbox->statements[GET_HOLD];
    lock_take(&outbox->lock);
    db_bind_text(stmt, 1, slice_of(rule));
    enum status status = db_step(stmt, error);
    if (status == STATUS_OK) {
        hold->silent_until_us = db_int(stmt, 0);
        hold->fired_us = db_int(stmt, 1);
        copy_text(db_text(stmt, 2), hold->by, sizeof hold->by);
        hold->untold = db_int(stmt, 3) != 0;
    }
    db_reset(stmt);
    lock_release(&outbox->lock);
    return status == STATUS_END ? STATUS_OK : status;
}

/* ---- a transaction: the lock is held from begin to commit ---- */

enum status outbox_begin(struct outbox *outbox, struct error *error)
{
    lock_take(&outbox->lock);
    enum status status = db_begin(outbox->db, error);
    if (status != STATUS_OK)
        lock_release(&outbox->lock);
    return status;
}

enum status outbox_put_state(struct outbox *outbox, const char *rule, const struct machine *machine,
                             struct error *error)
{
    struct db_stmt *stmt = outbox->statements[PUT_STATE];
    lock_assert_held(&outbox->lock);
    db_bind_text(stmt, 1, slice_of(rule));
    db_bind_int(stmt, 2, machine->phase);
    db_bind_int(stmt, 3, machine->since_us);
    db_bind_int(stmt, 4, machine->clear_us);
    db_bind_int(stmt, 5, machine->fired_us);
    return db_run(stmt, error);
}

enum status outbox_put_hold(struct outbox *outbox, const char *rule, const struct hold *hold,
                            struct error *error)
{
    struct db_stmt *stmt = outbox->statements[PUT_HOLD];
    lock_assert_held(&outbox->lock);
    db_bind_text(stmt, 1, slice_of(rule));
    db_bind_int(stmt, 2, hold->silent_until_us);
    db_bind_int(stmt, 3, hold->fired_us);
    db_bind_text(stmt, 4, slice_of(hold->by));
    db_bind_int(stmt, 5, hold->untold);
    return db_run(stmt, error);
}

enum status outbox_put(struct outbox *outbox, const char *key, const char *channel,
                       struct slice body, int64_t now_us, struct error *error)
{
    struct db_stmt *stmt = outbox->statements[PUT_MESSAGE];
    lock_assert_held(&outbox->lock);
    db_bind_text(stmt, 1, slice_of(key));
    db_bind_text(stmt, 2, slice_of(channel));
    db_bind_blob(stmt, 3, body);
    db_bind_int(stmt, 4, now_us);
    return db_run(stmt, error);
}

enum status outbox_commit(struct outbox *outbox, enum status so_far, struct error *error)
{
    enum status status = so_far;
    if (status == STATUS_OK)
        status = db_commit(outbox->db, error);
    if (status != STATUS_OK)
        db_rollback(outbox->db);
    lock_release(&outbox->lock);
    return status;
}

/* ---- delivery ---- */

static enum status next_due(struct outbox *outbox, int64_t *next_us, struct error *error)
{
    struct db_stmt *stmt = outbox->statements[NEXT_DUE];
    enum status status = db_step(stmt, error);
    *next_us = status == STATUS_OK && !db_is_null(stmt, 0) ? db_int(stmt, 0) : INT64_MAX;
    db_reset(stmt);
    return status == STATUS_OK ? STATUS_END : status;
}

enum status outbox_take(struct outbox *outbox, int64_t now_us, struct outbox_message *message,
                        int64_t *next_us, struct error *error)
{
    struct db_stmt *stmt = outbox->statements[TAKE];
    lock_take(&outbox->lock);
    db_bind_int(stmt, 1, now_us);
    enum status status = db_step(stmt, error);
    if (status == STATUS_OK) {
        message->id = db_int(stmt, 0);
        copy_text(db_text(stmt, 1), message->key, sizeof message->key);
        copy_text(db_text(stmt, 2), message->channel, sizeof message->channel);
        buffer_reset(&message->body);
        buffer_append_slice(&message->body, db_blob(stmt, 3));
        message->made_us = db_int(stmt, 4);
        message->attempts = (int)db_int(stmt, 5);
    }
    db_reset(stmt);
    if (status == STATUS_END)
        status = next_due(outbox, next_us, error);
    lock_release(&outbox->lock);
    return status;
}

enum status outbox_sent(struct outbox *outbox, int64_t id, int64_t now_us, struct error *error)
{
    struct db_stmt *stmt = outbox->statements[SENT];
    lock_take(&outbox->lock);
    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, now_us);
    enum status status = db_run(stmt, error);
    lock_release(&outbox->lock);
    return status;
}

enum status outbox_retry(struct outbox *outbox, int64_t id, int64_t due_us, const char *problem,
                         struct error *error)
{
    struct db_stmt *stmt = outbox->statements[RETRY];
    lock_take(&outbox->lock);
    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, due_us);
    db_bind_text(stmt, 3, slice_of(problem));
    enum status status = db_run(stmt, error);
    lock_release(&outbox->lock);
    return status;
}

enum status outbox_bury(struct outbox *outbox, int64_t id, int64_t now_us, const char *problem,
                        struct error *error)
{
    struct db_stmt *stmt = outbox->statements[BURY];
    lock_take(&outbox->lock);
    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, now_us);
    db_bind_text(stmt, 3, slice_of(problem));
    enum status status = db_run(stmt, error);
    lock_release(&outbox->lock);
    return status;
}

enum status outbox_prune(struct outbox *outbox, int64_t now_us, struct error *error)
{
    static const enum statement steps[] = {COUNT_PRUNED, PRUNE};
    enum status status = outbox_begin(outbox, error);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < sizeof steps / sizeof *steps && status == STATUS_OK; i++) {
        struct db_stmt *stmt = outbox->statements[steps[i]];
        db_bind_int(stmt, 1, now_us - OUTBOX_KEPT_US);
        status = db_run(stmt, error);
    }
    return outbox_commit(outbox, status, error);
}

void outbox_count(struct outbox *outbox, struct outbox_status *status)
{
    struct db_stmt *stmt = outbox->statements[COUNT];
    struct error error;
    lock_take(&outbox->lock);
    if (db_step(stmt, &error) == STATUS_OK) {
        status->waiting = (uint64_t)db_int(stmt, 0);
        status->sent = (uint64_t)db_int(stmt, 1);
        status->dead = (uint64_t)db_int(stmt, 2);
        status->retried = (uint64_t)db_int(stmt, 3);
        status->oldest_us = db_int(stmt, 4);
    }
    db_reset(stmt);
    lock_release(&outbox->lock);
}
