/* One SQLite file. Rows of `message` stay for a while when they are delivered: to be looked up.
 * `pruned` counts those that have been deleted since. */
#include "alerts/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/db.h"

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
    WAITING,
    COUNT,
    COUNT_PRUNED,
    PRUNE,
    STATEMENTS
};

/* Of a message: the attempt after which it was given up is none. Where room was lacking there may
 * have been no attempt at all. */
#define RETRIES "max(attempts - (fate = 'dead'), 0)"

static const char *const sql[STATEMENTS] = {
    [GET_STATE] = "SELECT phase, since_us, clear_us, fired_us FROM state WHERE rule = ?1",
    [PUT_STATE] = "INSERT INTO state VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (rule) DO UPDATE SET "
                  "phase = ?2, since_us = ?3, clear_us = ?4, fired_us = ?5",
    [GET_HOLD] = "SELECT silent_until_us, fired_us, by, untold FROM hold WHERE rule = ?1",
    [PUT_HOLD] = "INSERT INTO hold VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (rule) DO UPDATE SET "
                 "silent_until_us = ?2, fired_us = ?3, by = ?4, untold = ?5",
    [PUT_MESSAGE] = "INSERT INTO message "
                    "(key, channel, body, made_us, due_us, attempts, fate, settled_us, problem) "
                    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, nullif(?8, 0), nullif(?9, '')) "
                    "ON CONFLICT (key) DO UPDATE SET due_us = ?5, attempts = ?6, fate = ?7, "
                    "settled_us = nullif(?8, 0), problem = nullif(?9, '')",
    [WAITING] = "SELECT key, channel, body, made_us, due_us, attempts FROM message "
                "WHERE fate = 'waiting' ORDER BY id",
    [COUNT] = "SELECT ifnull(sum(fate = 'sent'), 0) + (SELECT sent FROM pruned), "
              "ifnull(sum(fate = 'dead'), 0) + (SELECT dead FROM pruned), "
              "ifnull(sum(" RETRIES "), 0) + (SELECT retried FROM pruned) "
              "FROM message",
    [COUNT_PRUNED] = "UPDATE pruned SET sent = sent + n_sent, dead = dead + n_dead, "
                     "retried = retried + n_retried FROM "
                     "(SELECT ifnull(sum(fate = 'sent'), 0) AS n_sent, "
                     "ifnull(sum(fate = 'dead'), 0) AS n_dead, "
                     "ifnull(sum(" RETRIES "), 0) AS n_retried "
                     "FROM message WHERE fate != 'waiting' AND settled_us < ?1)",
    [PRUNE] = "DELETE FROM message WHERE fate != 'waiting' AND settled_us < ?1",
};

static const char *const fates[MESSAGE_FATES] = {
    [MESSAGE_WAITING] = "waiting", [MESSAGE_SENT] = "sent", [MESSAGE_DEAD] = "dead"};

struct store {
    struct db *db;
    struct db_stmt *statements[STATEMENTS];
};

static enum status prepare(struct store *store, struct error *error)
{
    enum status status =
        db_migrate(store->db, migrations, (int)(sizeof migrations / sizeof migrations[0]), error);
    for (int i = 0; i < STATEMENTS && status == STATUS_OK; i++)
        status = db_prepare(store->db, sql[i], &store->statements[i], error);
    return status;
}

enum status store_open(const char *path, struct store **store, struct error *error)
{
    *store = NULL;
    struct store *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = db_open(path, DB_WRITE, DB_SYNC_FULL, &made->db, error);
    if (status == STATUS_OK)
        status = prepare(made, error);
    if (status != STATUS_OK) {
        store_close(made);
        return status;
    }
    *store = made;
    return STATUS_OK;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    for (int i = 0; i < STATEMENTS; i++)
        db_finish(store->statements[i]);
    db_close(store->db);
    free(store);
}

/* ---- reading ---- */

static void copy_text(struct slice text, char *out, size_t size)
{
    snprintf(out, size, SLICE_FORMAT, SLICE_ARGS(text));
}

static enum status read_state(struct store *store, const char *rule, struct machine *machine,
                              struct error *error)
{
    struct db_stmt *stmt = store->statements[GET_STATE];
    *machine = (struct machine){0};
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
    return status == STATUS_END ? STATUS_OK : status;
}

static enum status read_hold(struct store *store, const char *rule, struct hold *hold,
                             struct error *error)
{
    struct db_stmt *stmt = store->statements[GET_HOLD];
    *hold = (struct hold){0};
    db_bind_text(stmt, 1, slice_of(rule));
    enum status status = db_step(stmt, error);
    if (status == STATUS_OK) {
        hold->silent_until_us = db_int(stmt, 0);
        hold->fired_us = db_int(stmt, 1);
        copy_text(db_text(stmt, 2), hold->by, sizeof hold->by);
        hold->untold = db_int(stmt, 3) != 0;
    }
    db_reset(stmt);
    return status == STATUS_END ? STATUS_OK : status;
}

enum status store_read(struct store *store, const char *rule, struct machine *machine,
                       struct hold *hold, struct error *error)
{
    enum status status = read_state(store, rule, machine, error);
    return status == STATUS_OK ? read_hold(store, rule, hold, error) : status;
}

static enum status load_message(struct db_stmt *stmt, struct outbox *outbox, struct error *error)
{
    struct outbox_message message = {.fate = MESSAGE_WAITING};
    copy_text(db_text(stmt, 0), message.key, sizeof message.key);
    copy_text(db_text(stmt, 1), message.channel, sizeof message.channel);
    message.made_us = db_int(stmt, 3);
    message.due_us = db_int(stmt, 4);
    message.attempts = (int)db_int(stmt, 5);
    struct error problem;
    enum status status = outbox_copy_body(db_blob(stmt, 2), &message.body, &problem);
    if (status == STATUS_OK)
        status = outbox_load(outbox, &message, &problem);
    buffer_free(&message.body);
    return status == STATUS_OK ? status
                               : error_set(error, status, "alerts.db: message %s: %s", message.key,
                                           problem.message);
}

static enum status load_counts(struct store *store, struct outbox *outbox, struct error *error)
{
    struct db_stmt *stmt = store->statements[COUNT];
    enum status status = db_step(stmt, error);
    if (status == STATUS_OK) {
        const struct outbox_status counts = {.sent = (uint64_t)db_int(stmt, 0),
                                             .dead = (uint64_t)db_int(stmt, 1),
                                             .retried = (uint64_t)db_int(stmt, 2)};
        outbox_load_counts(outbox, &counts);
    }
    db_reset(stmt);
    return status;
}

enum status store_load(struct store *store, struct outbox *outbox, struct error *error)
{
    struct db_stmt *stmt = store->statements[WAITING];
    enum status status = load_counts(store, outbox, error);
    while (status == STATUS_OK && (status = db_step(stmt, error)) == STATUS_OK)
        status = load_message(stmt, outbox, error);
    db_reset(stmt);
    return status == STATUS_END ? STATUS_OK : status;
}

/* ---- writing ---- */

static enum status put_rule(struct store *store, const struct store_rule *rule, struct error *error)
{
    struct db_stmt *stmt = store->statements[PUT_STATE];
    db_bind_text(stmt, 1, slice_of(rule->name));
    db_bind_int(stmt, 2, rule->machine.phase);
    db_bind_int(stmt, 3, rule->machine.since_us);
    db_bind_int(stmt, 4, rule->machine.clear_us);
    db_bind_int(stmt, 5, rule->machine.fired_us);
    enum status status = db_run(stmt, error);
    if (status != STATUS_OK)
        return status;
    stmt = store->statements[PUT_HOLD];
    db_bind_text(stmt, 1, slice_of(rule->name));
    db_bind_int(stmt, 2, rule->hold.silent_until_us);
    db_bind_int(stmt, 3, rule->hold.fired_us);
    db_bind_text(stmt, 4, slice_of(rule->hold.by));
    db_bind_int(stmt, 5, rule->hold.untold);
    return db_run(stmt, error);
}

static enum status put_message(struct store *store, const struct outbox_message *message,
                               struct error *error)
{
    struct db_stmt *stmt = store->statements[PUT_MESSAGE];
    db_bind_text(stmt, 1, slice_of(message->key));
    db_bind_text(stmt, 2, slice_of(message->channel));
    db_bind_blob(stmt, 3, buffer_slice(&message->body));
    db_bind_int(stmt, 4, message->made_us);
    db_bind_int(stmt, 5, message->due_us);
    db_bind_int(stmt, 6, message->attempts);
    db_bind_text(stmt, 7, slice_of(fates[message->fate]));
    db_bind_int(stmt, 8, message->settled_us);
    db_bind_text(stmt, 9, slice_of(message->problem));
    return db_run(stmt, error);
}

static enum status end(struct store *store, enum status so_far, struct error *error)
{
    enum status status = so_far == STATUS_OK ? db_commit(store->db, error) : so_far;
    if (status != STATUS_OK)
        db_rollback(store->db);
    return status;
}

enum status store_write(struct store *store, const struct store_changes *changes,
                        struct error *error)
{
    enum status status = db_begin(store->db, error);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < changes->n_rules && status == STATUS_OK; i++)
        status = put_rule(store, &changes->rules[i], error);
    for (size_t i = 0; i < changes->n_messages && status == STATUS_OK; i++)
        status = put_message(store, &changes->messages[i], error);
    return end(store, status, error);
}

enum status store_prune(struct store *store, int64_t now_us, struct error *error)
{
    static const enum statement steps[] = {COUNT_PRUNED, PRUNE};
    enum status status = db_begin(store->db, error);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < sizeof steps / sizeof *steps && status == STATUS_OK; i++) {
        struct db_stmt *stmt = store->statements[steps[i]];
        db_bind_int(stmt, 1, now_us - STORE_KEPT_US);
        status = db_run(stmt, error);
    }
    return end(store, status, error);
}
