/* From a day to a file that SQLite can open. A live or sealed day is its own file; a compressed one
 * is unpacked into LEDGER/cache/, and stays there until the cache's bound needs its room: the copy
 * that was not asked for for longest goes first. What comes out of an archive goes the same way. A
 * copy is summed while it is written and gets its name only when it is what was sealed, so that a
 * name in the cache is a whole copy. Any thread and process. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/array.h"
#include "engine/base/encoding.h"
#include "engine/record/archive.h"

#define CACHE_FOLDER    "cache"
#define WAL_HEADER_BYTE 18 /* 1: rollback journal, 2: write-ahead log (SQLite file format, 1.3) */

bool tier_file(char out[PATH_SIZE], const char *dir, int64_t day, const char *ending)
{
    char text[TIME_TEXT_SIZE], name[TIME_TEXT_SIZE + 32];
    time_format(day * US_PER_DAY, text);
    snprintf(name, sizeof name, "%.10s%s", text, ending);
    return path_join(out, dir, name);
}

bool file_is_sealed(const char *path)
{
    unsigned char version = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool read = pread(fd, &version, 1, WAL_HEADER_BYTE) == 1;
    close(fd);
    return read && version == 1;
}

/* ---- room in the cache ---- */

struct copy {
    char name[64];
    int64_t bytes, used_us;
};

struct copies {
    struct copy *list;
    size_t n, capacity;
    int64_t bytes;
};

static int compare_copies(const void *a, const void *b)
{
    const struct copy *left = a, *right = b;
    return (left->used_us > right->used_us) - (left->used_us < right->used_us);
}

static bool add_copy(struct copies *copies, const char *name, const struct stat *about)
{
    struct copy *list = array_grow(copies->list, copies->n, &copies->capacity, sizeof *list);
    if (!list)
        return false;
    copies->list = list;
    struct copy *copy = &list[copies->n++];
    *copy =
        (struct copy){.bytes = about->st_size,
                      .used_us = about->st_mtim.tv_sec * US_PER_S + about->st_mtim.tv_nsec / 1000};
    snprintf(copy->name, sizeof copy->name, "%.63s", name);
    copies->bytes += about->st_size;
    return true;
}

/* `tidy`: what an interrupted unpacking left goes; only while the lock is held. */
static void list_copies(const char *folder, struct copies *copies, bool tidy)
{
    DIR *open = opendir(folder);
    struct stat about;
    char path[PATH_SIZE];
    for (struct dirent *entry; open && (entry = readdir(open));) {
        const char *ending = strrchr(entry->d_name, '.');
        if (!ending || strlen(entry->d_name) >= sizeof copies->list->name ||
            !path_join(path, folder, entry->d_name) || stat(path, &about) != 0)
            continue;
        if (tidy && strcmp(ending, ".part") == 0)
            unlink(path);
        else if (strcmp(ending, ".db") == 0 && !add_copy(copies, entry->d_name, &about))
            break;
    }
    if (open)
        closedir(open);
}

static void make_room(const char *folder, int64_t bytes, int64_t bound)
{
    struct copies copies = {0};
    char path[PATH_SIZE];
    list_copies(folder, &copies, true);
    if (copies.n > 0)
        qsort(copies.list, copies.n, sizeof *copies.list, compare_copies);
    for (size_t i = 0; i < copies.n && copies.bytes + bytes > bound; i++) {
        /* Whoever reads it has it open and reads on. */
        if (path_join(path, folder, copies.list[i].name) && unlink(path) == 0)
            copies.bytes -= copies.list[i].bytes;
    }
    free(copies.list);
}

void cache_forget(const char *dir, int64_t day)
{
    char folder[PATH_SIZE], path[PATH_SIZE], name[TIME_TEXT_SIZE];
    struct copies copies = {0};
    time_format(day * US_PER_DAY, name);
    if (path_join(folder, dir, CACHE_FOLDER))
        list_copies(folder, &copies, false);
    for (size_t i = 0; i < copies.n; i++)
        if (strncmp(copies.list[i].name, name, 10) == 0 &&
            path_join(path, folder, copies.list[i].name))
            unlink(path);
    free(copies.list);
}

/* ---- one copy ---- */

struct wanted {
    struct tiers *tiers;
    const struct tier_day *day;
    char name[11]; /* "2026-01-31" */
    char folder[PATH_SIZE], path[PATH_SIZE], part[PATH_SIZE];
};

static enum status name_copy(const char *dir, struct wanted *wanted, struct error *error)
{
    char text[TIME_TEXT_SIZE], sum[17], name[64];
    time_format(wanted->day->day * US_PER_DAY, text);
    snprintf(wanted->name, sizeof wanted->name, "%.10s", text);
    hex_encode(wanted->day->plain.sha256, 8, sum);
    snprintf(name, sizeof name, "%s-%s.db", wanted->name, sum);
    bool fits = path_join(wanted->folder, dir, CACHE_FOLDER) &&
                path_join(wanted->path, wanted->folder, name);
    snprintf(name, sizeof name, "%s-%s.part", wanted->name, sum);
    fits = fits && path_join(wanted->part, wanted->folder, name);
    return fits ? STATUS_OK : error_set(error, STATUS_INVALID, "%s: the path is too long", dir);
}

static enum status unpack(struct wanted *wanted, const char *packed, struct error *error)
{
    struct file_sum plain, sum;
    unlink(wanted->part);
    enum status status =
        file_unpack(packed, wanted->part, wanted->day->plain.bytes, &plain, &sum, error);
    if (status != STATUS_OK)
        return status;
    if (plain.bytes != wanted->day->plain.bytes ||
        memcmp(plain.sha256, wanted->day->plain.sha256, SHA256_SIZE) != 0)
        status = error_set(error, STATUS_CORRUPT,
                           "%s: its content is not what was sealed: its SHA-256 is another; put it "
                           "back from a backup",
                           packed);
    else if (chmod(wanted->part, 0400) != 0 || rename(wanted->part, wanted->path) != 0)
        status = error_set(error, STATUS_IO, "%s: %s", wanted->path, strerror(errno));
    if (status != STATUS_OK)
        unlink(wanted->part);
    return status;
}

/* Fetches it beside the copy that is made of it, for as long as that takes. */
static enum status fetch_and_unpack(struct wanted *wanted, struct error *error)
{
    char fetched[PATH_SIZE], name[64];
    snprintf(name, sizeof name, "%s.fetched.part", wanted->name);
    if (!path_join(fetched, wanted->folder, name))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", wanted->folder);
    enum status status = archive_fetch(wanted->tiers, wanted->day, fetched, error);
    if (status == STATUS_OK)
        status = unpack(wanted, fetched, error);
    unlink(fetched);
    return status;
}

static enum status make_copy(const char *dir, struct wanted *wanted, struct error *error)
{
    char packed[PATH_SIZE];
    int64_t bound;
    enum status status = tiers_get(wanted->tiers, "cache_bytes", CACHE_BYTES, &bound, error);
    if (status != STATUS_OK)
        return status;
    make_room(wanted->folder, wanted->day->plain.bytes, bound);
    if (!tier_file(packed, dir, wanted->day->day, PACKED_ENDING))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", dir);
    if (wanted->day->tier == TIER_ARCHIVED && access(packed, R_OK) != 0)
        return fetch_and_unpack(wanted, error);
    status = unpack(wanted, packed, error);
    if (status == STATUS_NOT_FOUND)
        return error_set(error, STATUS_IO,
                         "%s is missing: the ledger's rows of that day are there; put it back from "
                         "a backup",
                         packed);
    return status;
}

/* One at a time, over all threads and processes: whoever waited finds the copy made. */
static enum status find_copy(const char *dir, struct wanted *wanted, struct error *error)
{
    char path[PATH_SIZE];
    if (utimensat(AT_FDCWD, wanted->path, NULL, 0) == 0)
        return STATUS_OK;
    if ((mkdir(wanted->folder, 0700) != 0 && errno != EEXIST) ||
        !path_join(path, wanted->folder, "lock"))
        return error_set(error, STATUS_IO, "%s: %s", wanted->folder, strerror(errno));
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        int problem = errno;
        if (fd >= 0)
            close(fd);
        return error_set(error, STATUS_IO, "%s: %s", path, strerror(problem));
    }
    enum status status = STATUS_OK;
    if (access(wanted->path, R_OK) != 0)
        status = make_copy(dir, wanted, error);
    close(fd);
    return status;
}

/* A day without a live or sealed file. */
static enum status packed_path(const char *dir, int64_t day, char path[PATH_SIZE],
                               struct error *error)
{
    struct wanted wanted = {0};
    enum status status = tiers_open(dir, false, &wanted.tiers, error);
    if (status != STATUS_OK)
        return status;
    wanted.day = tiers_find(wanted.tiers, day);
    if (!wanted.day || wanted.day->tier == TIER_DELETED)
        status = error_set(error, STATUS_NOT_FOUND, "%s: no such day", path);
    else if (wanted.day->tier == TIER_SEALED)
        status = error_set(error, STATUS_IO, "%s is missing: put it back from a backup", path);
    if (status == STATUS_OK)
        status = name_copy(dir, &wanted, error);
    if (status == STATUS_OK)
        status = find_copy(dir, &wanted, error);
    if (status == STATUS_OK)
        memcpy(path, wanted.path, PATH_SIZE);
    tiers_close(wanted.tiers);
    return status;
}

enum status tier_path(const char *dir, int64_t day, char path[PATH_SIZE], struct error *error)
{
    if (!day_path(path, dir, day))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", dir);
    return access(path, F_OK) == 0 ? STATUS_OK : packed_path(dir, day, path, error);
}
