/* subjects.db: per person a random key and the original value sealed under it.
 *
 * Table `subjects`: pseudonym (text, "p-..."), key (the person's key, AES-256-GCM under
 * keys/master.key), value (the original, AES-256-GCM under the person's key), created_us,
 * erased_us. The pseudonym is the authenticated context of both, so that ciphertexts cannot be
 * exchanged between people. Erasing sets key and value to NULL; secure_delete overwrites their
 * bytes in the file, and the log is emptied, so that nothing of them stays on the disk. One
 * thread at a time. */
#include "engine/record/subjects.h"

#include <stdlib.h>

#include "engine/base/db.h"
#include "engine/record/checkpointer.h"
#include "engine/record/files_priv.h"
#include "engine/record/pseudonym.h"

#define LOG_PAGES   4000 /* of 4 KiB, in the log before it is moved */
#define LONGEST_KEY 256  /* bytes, sealed: more than any that was written */

static const char *const STEPS[] = {
    "CREATE TABLE subjects("
    " pseudonym TEXT PRIMARY KEY NOT NULL,"
    " key BLOB,"
    " value BLOB,"
    " created_us INTEGER NOT NULL,"
    " erased_us INTEGER"
    ") WITHOUT ROWID;",
};

struct subjects {
    uint8_t master[KEY_SIZE];
    char path[PATH_SIZE];
    bool suspect; /* the disk refused something: to be opened anew */
    char added[PSEUDONYM_SIZE], last[PSEUDONYM_SIZE]; /* in the open transaction; committed */
    struct crypto_sealer *sealer;
    struct checkpointer *checkpointer;
    struct db *db;
    struct db_stmt *known, *insert, *select, *erase;
};

static enum status open_db(struct subjects *subjects, struct error *error)
{
    enum status status = db_write_log_again(subjects->path, error);
    if (status == STATUS_OK)
        status = db_open(subjects->path, DB_WRITE, DB_SYNC_FULL, &subjects->db, error);
    if (status == STATUS_OK)
        status = db_exec(subjects->db, "PRAGMA secure_delete = ON", error);
    if (status == STATUS_OK)
        db_keep_log(subjects->db);
    if (status == STATUS_OK)
        status = db_migrate(subjects->db, STEPS, sizeof STEPS / sizeof *STEPS, error);
    const struct {
        struct db_stmt **stmt;
        const char *sql;
    } statements[] = {
        {&subjects->known, "SELECT 1 FROM subjects WHERE pseudonym = ?1"},
        {&subjects->insert, "INSERT INTO subjects VALUES(?1, ?2, ?3, ?4, NULL)"},
        {&subjects->select, "SELECT key, value, erased_us FROM subjects WHERE pseudonym = ?1"},
        {&subjects->erase, "UPDATE subjects SET key = NULL, value = NULL, erased_us = ?2 "
                           "WHERE pseudonym = ?1 AND erased_us IS NULL"},
    };
    for (size_t i = 0; status == STATUS_OK && i < sizeof statements / sizeof *statements; i++)
        status = db_prepare(subjects->db, statements[i].sql, statements[i].stmt, error);
    return status;
}

enum status subjects_open(const char *dir, bool create, struct subjects **subjects,
                          struct error *error)
{
    struct subjects *opened = calloc(1, sizeof *opened);
    if (!opened)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = key_load(dir, "master.key", create, opened->master, error);
    opened->sealer = crypto_sealer_create();
    if (status == STATUS_OK && !opened->sealer)
        status = error_set(error, STATUS_MEMORY, "out of memory");
    if (status == STATUS_OK && !path_join(opened->path, dir, "subjects.db"))
        status = error_set(error, STATUS_INVALID, "%s: the path is too long", dir);
    if (status == STATUS_OK)
        status = checkpointer_create(LOG_PAGES, &opened->checkpointer, error);
    if (status == STATUS_OK)
        status = open_db(opened, error);
    if (status != STATUS_OK) {
        subjects_close(opened);
        return status;
    }
    *subjects = opened;
    return STATUS_OK;
}

static void finish_statements(struct subjects *subjects)
{
    struct db_stmt **const statements[] = {&subjects->known, &subjects->insert, &subjects->select,
                                           &subjects->erase};
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        db_finish(*statements[i]);
        *statements[i] = NULL;
    }
}

void subjects_close(struct subjects *subjects)
{
    if (!subjects)
        return;
    finish_statements(subjects);
    checkpointer_destroy(subjects->checkpointer);
    crypto_sealer_destroy(subjects->sealer);
    if (subjects->suspect)
        db_abandon(subjects->db);
    else
        db_close(subjects->db);
    explicit_bzero(subjects->master, KEY_SIZE);
    free(subjects);
}

static enum status note_result(struct subjects *subjects, enum status status)
{
    if (status == STATUS_IO || status == STATUS_CORRUPT)
        subjects->suspect = true;
    return status;
}

/* The person that was committed last is known. */
static enum status check_last(struct subjects *subjects, struct error *error)
{
    if (!*subjects->last)
        return STATUS_OK;
    db_bind_text(subjects->known, 1, slice_of(subjects->last));
    enum status status = db_step(subjects->known, error);
    db_reset(subjects->known);
    return status == STATUS_END
               ? error_set(error, STATUS_CORRUPT, "%s: people that were written are gone from it",
                           subjects->path)
               : status;
}

/* Usable, or opened anew after an error. */
static enum status make_ready(struct subjects *subjects, struct error *error)
{
    if (!subjects->suspect && subjects->db)
        return STATUS_OK;
    finish_statements(subjects);
    checkpointer_leave(subjects->checkpointer);
    db_abandon(subjects->db);
    subjects->db = NULL;
    enum status status = open_db(subjects, error);
    if (status == STATUS_OK)
        status = check_last(subjects, error);
    if (status == STATUS_OK)
        status = db_checkpoint(subjects->db, NULL, error);
    subjects->suspect = status != STATUS_OK;
    return status;
}

enum status subjects_begin(struct subjects *subjects, struct error *error)
{
    enum status status = make_ready(subjects, error);
    *subjects->added = '\0';
    return status == STATUS_OK ? note_result(subjects, db_begin(subjects->db, error)) : status;
}

enum status subjects_commit(struct subjects *subjects, struct error *error)
{
    struct error later;
    enum status status = note_result(subjects, db_commit(subjects->db, error));
    if (status != STATUS_OK)
        return status;
    if (*subjects->added)
        memcpy(subjects->last, subjects->added, sizeof subjects->last);
    /* They are in the log; before the next ones the file is checked. */
    if (checkpointer_tend(subjects->checkpointer, subjects->db, &later) != STATUS_OK)
        subjects->suspect = true;
    return STATUS_OK;
}

void subjects_rollback(struct subjects *subjects)
{
    if (subjects->db)
        db_rollback(subjects->db);
}

static enum status seal_subject(const struct subjects *subjects, struct slice pseudonym,
                                struct slice original, struct buffer *key, struct buffer *value)
{
    struct crypto_sealer *sealer = subjects->sealer;
    uint8_t own[KEY_SIZE];
    enum status status = crypto_sealer_random(sealer, own, sizeof own);
    if (status == STATUS_OK)
        status = crypto_sealer_seal(sealer, subjects->master, slice_make(own, sizeof own),
                                    pseudonym, key);
    if (status == STATUS_OK)
        status = crypto_sealer_seal(sealer, own, original, pseudonym, value);
    explicit_bzero(own, sizeof own);
    return status;
}

enum status subjects_add(struct subjects *subjects, struct slice pseudonym, struct slice original,
                         int64_t now_us, struct error *error)
{
    db_bind_text(subjects->known, 1, pseudonym);
    enum status status = db_step(subjects->known, error);
    db_reset(subjects->known);
    if (status != STATUS_END)
        return note_result(subjects, status);
    struct buffer key, value;
    buffer_init(&key, 256);
    buffer_init(&value, original.size + 256);
    status = seal_subject(subjects, pseudonym, original, &key, &value);
    if (status != STATUS_OK) {
        error_set(error, status, "cannot seal a personal value");
    } else {
        db_bind_text(subjects->insert, 1, pseudonym);
        db_bind_blob(subjects->insert, 2, buffer_slice(&key));
        db_bind_blob(subjects->insert, 3, buffer_slice(&value));
        db_bind_int(subjects->insert, 4, now_us);
        status = db_run(subjects->insert, error);
        if (status == STATUS_OK && pseudonym.size < sizeof subjects->added) {
            memcpy(subjects->added, pseudonym.data, pseudonym.size);
            subjects->added[pseudonym.size] = '\0';
        }
    }
    note_result(subjects, status);
    buffer_free(&key);
    buffer_free(&value);
    return status;
}

enum status subject_unseal(const uint8_t master[KEY_SIZE], struct slice pseudonym, struct slice key,
                           struct slice value, struct buffer *original, bool *opened)
{
    struct buffer own;
    buffer_init(&own, LONGEST_KEY);
    enum status status =
        key.size > LONGEST_KEY ? STATUS_CORRUPT : crypto_open(master, key, pseudonym, &own);
    if (status == STATUS_OK && own.size != KEY_SIZE)
        status = STATUS_CORRUPT;
    if (opened)
        *opened = status == STATUS_OK;
    if (status == STATUS_OK)
        status = crypto_open((const uint8_t *)own.data, value, pseudonym, original);
    if (own.data)
        explicit_bzero(own.data, own.size);
    buffer_free(&own);
    return status;
}

enum status subject_reveal(struct subjects *subjects, struct slice pseudonym,
                           struct buffer *original, struct error *error)
{
    enum status status = make_ready(subjects, error);
    if (status != STATUS_OK)
        return status;
    struct db_stmt *select = subjects->select;
    db_bind_text(select, 1, pseudonym);
    status = note_result(subjects, db_step(select, error));
    if (status == STATUS_END) {
        status = error_set(error, STATUS_NOT_FOUND, "no person is known by " SLICE_FORMAT,
                           SLICE_ARGS(pseudonym));
    } else if (status == STATUS_OK && !db_is_null(select, 2)) {
        char when[TIME_TEXT_SIZE];
        status = error_set(error, STATUS_NOT_FOUND, SLICE_FORMAT " was erased at %s",
                           SLICE_ARGS(pseudonym), time_format(db_int(select, 2), when));
    } else if (status == STATUS_OK) {
        status = subject_unseal(subjects->master, pseudonym, db_blob(select, 0), db_blob(select, 1),
                                original, NULL);
        if (status != STATUS_OK)
            error_set(error, status,
                      SLICE_FORMAT ": its sealed value cannot be opened; was keys/master.key "
                                   "exchanged?",
                      SLICE_ARGS(pseudonym));
    }
    db_reset(select);
    return status;
}

enum status subject_erase(struct subjects *subjects, struct slice pseudonym, int64_t now_us,
                          struct error *error)
{
    enum status status = make_ready(subjects, error);
    if (status != STATUS_OK)
        return status;
    db_bind_text(subjects->erase, 1, pseudonym);
    db_bind_int(subjects->erase, 2, now_us);
    status = note_result(subjects, db_run(subjects->erase, error));
    if (status != STATUS_OK)
        return status;
    if (db_changes(subjects->db) == 0)
        return error_set(error, STATUS_NOT_FOUND,
                         "no person is known by " SLICE_FORMAT ", or it was erased before",
                         SLICE_ARGS(pseudonym));
    checkpointer_leave(subjects->checkpointer); /* which would be in the way */
    /* Without this the old pages would stay in the write-ahead log for a while. */
    return note_result(subjects, db_exec(subjects->db, "PRAGMA wal_checkpoint(TRUNCATE)", error));
}
