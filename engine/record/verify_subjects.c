/* subjects.db: every person's key and original must still be what was sealed under the master key,
 * with the pseudonym as its context. In: the file and keys/master.key; without that key (a backup
 * that leaves keys out) there is only SQLite's own check. One pass, on the thread that checks
 * files. When a person was added is not sealed, so a change of `created_us` is not seen. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/db.h"
#include "engine/record/files_priv.h"
#include "engine/record/subjects.h"
#include "engine/record/verify_priv.h"

#define LONGEST_ORIGINAL (16 << 20) /* bytes: far beyond any field of an event */

/* The columns of the row that are not as they were written are in *changed; NULL: none. */
static enum status check_row(const uint8_t master[KEY_SIZE], struct db_stmt *row,
                             struct buffer *original, const char **changed, struct error *error)
{
    bool erased = db_type(row, 3) != DB_NULL;
    bool empty = db_type(row, 1) == DB_NULL && db_type(row, 2) == DB_NULL;
    struct slice value = db_blob(row, 2);
    bool opened;
    *changed = erased != empty ? "key, value or erased_us" : NULL;
    if (erased || *changed)
        return STATUS_OK;
    if (value.size > LONGEST_ORIGINAL) {
        *changed = "value";
        return STATUS_OK;
    }
    buffer_reset(original);
    enum status status =
        subject_unseal(master, db_text(row, 0), db_blob(row, 1), value, original, &opened);
    if (original->data)
        explicit_bzero(original->data, original->size);
    if (status == STATUS_CORRUPT)
        *changed = opened ? "value" : "pseudonym or key";
    else if (status != STATUS_OK)
        return error_set(error, status, "what is sealed could not be opened: out of memory");
    return STATUS_OK;
}

static enum status check_rows(struct verify *verify, const uint8_t master[KEY_SIZE], struct db *db,
                              struct buffer *original, struct error *error)
{
    struct db_stmt *row = NULL;
    enum status status = db_prepare(
        db, "SELECT pseudonym, key, value, erased_us FROM subjects ORDER BY 1", &row, error);
    while (status == STATUS_OK && (status = db_step(row, error)) == STATUS_OK) {
        const char *changed;
        status = check_row(master, row, original, &changed, error);
        if (changed)
            verify_note(verify, -1, (struct slice){0},
                        "subjects.db subjects, " SLICE_FORMAT ": %s was changed",
                        SLICE_ARGS(db_text(row, 0)), changed);
    }
    db_finish(row);
    return status == STATUS_END ? STATUS_OK : status;
}

/* Without the key, or for an auditor who may not read it, nothing is said of what it seals; one
 * that cannot be used is said: with it gone, nobody is known any more. */
static bool load_master(struct verify *verify, uint8_t master[KEY_SIZE])
{
    struct error error = {.message = ""};
    char path[PATH_SIZE];
    if (path_join(path, verify->options->dir, "keys/master.key") && access(path, R_OK) != 0)
        return false;
    enum status status = key_load(verify->options->dir, "master.key", false, master, &error);
    if (status != STATUS_OK)
        verify_note(verify, -1, (struct slice){0},
                    "subjects.db: what is sealed in it was not checked: %s", error.message);
    return status == STATUS_OK;
}

void subjects_check(struct verify *verify, const char *path)
{
    uint8_t master[KEY_SIZE];
    struct buffer original;
    struct db *db = NULL;
    struct error error = {.message = ""};
    struct stat about;
    if (stat(path, &about) != 0 || !load_master(verify, master))
        return;
    buffer_init(&original, LONGEST_ORIGINAL);
    enum status status = db_open(path, DB_READ, DB_SYNC_FULL, &db, &error);
    if (status == STATUS_OK)
        status = check_rows(verify, master, db, &original, &error);
    if (status != STATUS_OK)
        verify_note(verify, -1, (struct slice){0}, "subjects.db cannot be read: %s", error.message);
    db_close(db);
    buffer_free(&original);
    explicit_bzero(master, sizeof master);
}
