/* The ledger's folder: YYYY-MM-DD.db per day, subjects.db, keys/ and lock. */
#include "engine/record/files_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "engine/base/array.h"
#include "engine/base/folder.h"
#include "engine/base/order.h"

bool path_join(char out[PATH_SIZE], const char *dir, const char *name)
{
    int size = snprintf(out, PATH_SIZE, "%s/%s", dir, name);
    return size > 0 && size < PATH_SIZE;
}

bool day_path(char out[PATH_SIZE], const char *dir, int64_t day)
{
    char text[TIME_TEXT_SIZE], name[TIME_TEXT_SIZE];
    time_format(day * US_PER_DAY, text);
    snprintf(name, sizeof name, "%.10s.db", text);
    return path_join(out, dir, name);
}

static bool day_from_name(const char *name, int64_t *day)
{
    if (strlen(name) != strlen("YYYY-MM-DD.db") || strcmp(name + 10, ".db") != 0)
        return false;
    int64_t time_us;
    if (!time_parse(slice_make(name, 10), &time_us))
        return false;
    *day = time_day(time_us);
    return true;
}

enum status day_list(const char *dir, int64_t **days, size_t *n, struct error *error)
{
    DIR *folder = opendir(dir);
    if (!folder)
        return error_set(error, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO,
                         "ledger folder %s: %s", dir, strerror(errno));
    enum status status = STATUS_OK;
    int64_t *list = NULL;
    size_t used = 0, capacity = 0;
    for (struct dirent *entry; status == STATUS_OK && (entry = readdir(folder));) {
        int64_t day;
        if (!day_from_name(entry->d_name, &day))
            continue;
        int64_t *larger = array_grow(list, used, &capacity, sizeof *list);
        if (!larger) {
            status = error_set(error, STATUS_MEMORY, "out of memory listing %s", dir);
            break;
        }
        list = larger;
        list[used++] = day;
    }
    closedir(folder);
    if (status != STATUS_OK) {
        free(list);
        return status;
    }
    if (used > 0)
        qsort(list, used, sizeof *list, order_int64);
    *days = list;
    *n = used;
    return STATUS_OK;
}

enum status folder_lock(const char *dir, int *fd, struct error *error)
{
    char path[PATH_SIZE], pid[32] = "";
    if (!path_join(path, dir, "lock"))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", dir);
    int opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (opened < 0 && errno == ENOTDIR)
        return error_set(error, STATUS_INVALID, "%s: this is a file; a ledger is a folder", dir);
    if (opened < 0)
        return error_set(error, STATUS_IO, "%s: %s", path, strerror(errno));
    if (flock(opened, LOCK_EX | LOCK_NB) != 0) {
        ssize_t size = pread(opened, pid, sizeof pid - 1, 0);
        pid[size > 0 ? strcspn(pid, "\n") : 0] = '\0';
        close(opened);
        return error_set(error, STATUS_CONFLICT,
                         "ledger %s is in use by process %s: stop it or give another --ledger", dir,
                         *pid ? pid : "(unknown)");
    }
    int size = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(opened, 0) != 0 || pwrite(opened, pid, (size_t)size, 0) != size) {
        /* The lock itself holds; only the number in the other's message would be missing. */
        errno = 0;
    }
    *fd = opened;
    return STATUS_OK;
}

static enum status keys_folder(const char *dir, struct error *error)
{
    char path[PATH_SIZE];
    if (!path_join(path, dir, "keys"))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", dir);
    return folder_make(path, 0700, error);
}

enum status key_load(const char *dir, const char *name, bool create, uint8_t key[KEY_SIZE],
                     struct error *error)
{
    char path[PATH_SIZE], relative[64];
    snprintf(relative, sizeof relative, "keys/%s", name);
    if (!path_join(path, dir, relative))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", dir);
    enum status status = create ? keys_folder(dir, error) : STATUS_OK;
    if (status == STATUS_OK)
        status = crypto_key_file(path, create, key, error);
    if (status == STATUS_NOT_FOUND)
        error_set(error, status,
                  "%s is missing: the ledger was written with this key; put it back from a backup",
                  path);
    return status;
}

enum status key_quarantine(const char *dir, bool create, uint8_t key[KEY_SIZE], struct error *error)
{
    uint8_t master[KEY_SIZE];
    enum status status = key_load(dir, "master.key", create, master, error);
    if (status == STATUS_OK) {
        status = crypto_hmac_sha256(master, slice_of(QUARANTINE_CONTEXT), key);
        if (status != STATUS_OK)
            error_set(error, status, "cannot derive the quarantine key");
    }
    explicit_bzero(master, sizeof master);
    return status;
}

enum status key_identity(const uint8_t key[KEY_SIZE], char identity[IDENTITY_SIZE])
{
    uint8_t digest[SHA256_SIZE];
    enum status status = crypto_hmac_sha256(key, slice_of("binnacle-ledger-identity-v1"), digest);
    hex_encode(digest, (IDENTITY_SIZE - 1) / 2, identity);
    return status;
}
