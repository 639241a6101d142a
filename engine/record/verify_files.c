/* The cheap part of ledger verify, which looks at no row: whether every day file opens, is as long
 * as it says, and begins where the one before ended. One thread. */
#include "engine/record/verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "engine/record/files_priv.h"
#include "engine/record/reader_priv.h"

/* Bytes that the file's own header asks for; what still lies in its log comes on top later. */
static enum status check_length(struct reader *reader, const char *path, struct error *error)
{
    struct db_stmt *select;
    struct stat about;
    int64_t wanted = 0;
    char log[PATH_SIZE + 8];
    snprintf(log, sizeof log, "%s-wal", path);
    if (stat(log, &about) == 0 && about.st_size > 0)
        return STATUS_OK;
    enum status status =
        db_prepare(reader->file->db,
                   "SELECT p.page_count * s.page_size FROM pragma_page_count p, pragma_page_size s",
                   &select, error);
    if (status != STATUS_OK)
        return status;
    status = db_step(select, error);
    if (status == STATUS_OK)
        wanted = db_int(select, 0);
    db_finish(select);
    if (status == STATUS_OK && stat(path, &about) == 0 && about.st_size < wanted)
        status = error_set(error, STATUS_CORRUPT,
                           "%s was cut: it has %lld bytes of %lld; put it back from a backup", path,
                           (long long)about.st_size, (long long)wanted);
    return status;
}

/* *next: the row that the file must begin with; then the one after its last. */
static enum status check_file(struct reader *reader, size_t i, uint64_t *next, struct error *error)
{
    char path[PATH_SIZE];
    struct day_head head;
    if (!day_path(path, reader->dir, reader->days[i]))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", reader->dir);
    enum status status = reader_open_day(reader, i, error);
    if (status == STATUS_OK)
        status = day_reader_head(reader->file, &head, error);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status == STATUS_OK)
        status = check_length(reader, path, error);
    if (status == STATUS_OK && head.first_index != *next)
        status =
            error_set(error, STATUS_CORRUPT,
                      "%s begins with row %" PRIu64 ", due is row %" PRIu64
                      ": a day file is missing or was changed; `binnacle ledger verify` says more",
                      path, head.first_index, *next);
    *next = head.tree_size;
    return status;
}

enum status ledger_check_files(const char *dir, struct error *error)
{
    struct reader *reader = NULL;
    uint64_t next = 0;
    enum status status = reader_open(dir, &reader, error);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < reader->n_days && status == STATUS_OK; i++)
        status = check_file(reader, i, &next, error);
    reader_close(reader);
    return status;
}
