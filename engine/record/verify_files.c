/* The cheap part of ledger verify, which looks at no row: whether every day file opens, is as long
 * as it says, and begins where the one before ended. One thread. */
#include "engine/record/verify.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/record/reader_priv.h"
#include "engine/record/tiers_priv.h"

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

/* A compressed day is there and as long as it says; it is not unpacked for this, and an archived
 * one not fetched. */
static enum status check_packed(struct reader *reader, const struct tier_day *packed,
                                struct error *error)
{
    char path[PATH_SIZE];
    struct stat about;
    if (packed->tier != TIER_COMPRESSED)
        return STATUS_OK;
    if (!tier_file(path, reader->dir, packed->day, PACKED_ENDING))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", reader->dir);
    int64_t bytes = stat(path, &about) == 0 ? (int64_t)about.st_size : 0;
    return bytes == packed->packed.bytes
               ? STATUS_OK
               : error_set(error, STATUS_CORRUPT,
                           "%s has %lld bytes of %lld; put it back from a backup", path,
                           (long long)bytes, (long long)packed->packed.bytes);
}

static enum status check_day(struct reader *reader, size_t i, const char *path,
                             struct day_head *head, struct error *error)
{
    const struct tier_day *sealed = reader_sealed(reader, i);
    enum status status;
    if (sealed && sealed->tier > TIER_SEALED) {
        status = reader_day_head(reader, i, head, error);
        return status == STATUS_OK ? check_packed(reader, sealed, error) : status;
    }
    status = reader_open_day(reader, i, error);
    if (status == STATUS_OK)
        status = day_reader_head(reader->file, head, error);
    return status == STATUS_OK ? check_length(reader, path, error) : status;
}

/* The note that whoever found it damaged has left beside it. */
static enum status check_note(const char *path, struct error *error)
{
    char name[PATH_SIZE + sizeof DAMAGED_SUFFIX], text[256] = "";
    snprintf(name, sizeof name, "%s" DAMAGED_SUFFIX, path);
    FILE *note = fopen(name, "re");
    if (!note)
        return STATUS_OK;
    size_t size = fread(text, 1, sizeof text - 1, note);
    fclose(note);
    text[size] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return error_set(error, STATUS_CORRUPT,
                     "%.150s was %s; `binnacle ledger verify` names the rows; put it back from a "
                     "backup and remove %.150s",
                     path, text, name);
}

/* *next: the row that the file must begin with; then the one after its last. */
static enum status check_file(struct reader *reader, size_t i, uint64_t *next, struct error *error)
{
    char path[PATH_SIZE];
    struct day_head head;
    if (!day_path(path, reader->dir, reader->days[i]))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", reader->dir);
    enum status status = check_note(path, error);
    if (status == STATUS_OK)
        status = check_day(reader, i, path, &head, error);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status == STATUS_OK && head.first_index != *next)
        status =
            error_set(error, STATUS_CORRUPT,
                      "%s begins with row %" PRIu64 ", due is row %" PRIu64
                      ": a day file is missing or was changed; `binnacle ledger verify` says more",
                      path, head.first_index, *next);
    if (status == STATUS_OK)
        *next = head.tree_size;
    return status;
}

bool ledger_in_use(const char *dir, char process[32])
{
    char path[PATH_SIZE];
    int fd = path_join(path, dir, "lock") ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    bool used = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0;
    ssize_t size = used ? pread(fd, process, 31, 0) : 0;
    process[size > 0 ? size : 0] = '\0';
    process[strcspn(process, "\n")] = '\0';
    if (fd >= 0)
        close(fd);
    return used;
}

enum status ledger_check_files(const char *dir, struct error *error)
{
    struct reader *reader = NULL;
    uint64_t next = 0;
    enum status status = reader_open(dir, &reader, error);
    if (status != STATUS_OK)
        return status;
    const struct tier_day *deleted = tiers_last_deleted(reader->tiers);
    if (deleted)
        next = deleted->tree_size;
    for (size_t i = 0; i < reader->n_days && status == STATUS_OK; i++)
        status = check_file(reader, i, &next, error);
    reader_close(reader);
    return status;
}
