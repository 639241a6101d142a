/* From sealed to compressed.
 *   1. the file is packed into YYYY-MM-DD.db.zst.new, which is synced; what was read for it must be
 *      what was sealed, else the file was damaged since and stays;
 *   2. that is unpacked again, into nothing, and must give the same SHA-256;
 *   3. it gets its name, then its row in tiers.db;
 *   4. the sealed file is removed.
 * Killed before 3 is done, all is done again; after it, the next pass does 4. */
#include "engine/record/keeper_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/folder.h"

#define NEW_ENDING ".db.zst.new"

static enum status check_read(const struct tier_day *sealed, const char *path,
                              const struct file_sum *plain, struct error *error)
{
    return memcmp(plain->sha256, sealed->plain.sha256, SHA256_SIZE) == 0
               ? STATUS_OK
               : error_set(error, STATUS_CORRUPT,
                           "%s: its SHA-256 is not that of the sealed file: it was changed since, "
                           "and is left as it is; put it back from a backup",
                           path);
}

static enum status pack(const char *path, const char *made, struct tier_day *sealed,
                        struct error *error)
{
    struct file_sum plain, again, packed;
    unlink(made);
    enum status status = file_pack(path, made, &plain, &sealed->packed, error);
    if (status == STATUS_OK)
        status = check_read(sealed, path, &plain, error);
    if (status == STATUS_OK)
        status = file_unpack(made, NULL, plain.bytes, &again, &packed, error);
    if (status == STATUS_OK && (memcmp(&again, &plain, sizeof again) != 0 ||
                                memcmp(&packed, &sealed->packed, sizeof packed) != 0))
        status = error_set(error, STATUS_CORRUPT,
                           "%s: what was compressed does not come out again as it was: memory or "
                           "disk is damaged",
                           made);
    if (status == STATUS_OK && chmod(made, 0444) != 0)
        status = error_set(error, STATUS_IO, "%s: %s", made, strerror(errno));
    if (status != STATUS_OK)
        unlink(made);
    return status;
}

enum status compress_tidy(struct tiers *tiers, int64_t day, struct error *error)
{
    char path[PATH_SIZE], packed[PATH_SIZE];
    if (!day_path(path, tiers_dir(tiers), day) ||
        !tier_file(packed, tiers_dir(tiers), day, PACKED_ENDING))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", tiers_dir(tiers));
    /* Only beside the file that takes its place. */
    if (access(path, F_OK) != 0 || access(packed, F_OK) != 0 || !file_is_sealed(path))
        return STATUS_OK;
    return unlink(path) == 0 ? folder_sync_of(path, error)
                             : error_set(error, STATUS_IO, "%s: %s", path, strerror(errno));
}

enum status compress_day(struct tiers *tiers, int64_t day, struct error *error)
{
    char path[PATH_SIZE], made[PATH_SIZE], packed[PATH_SIZE];
    const char *dir = tiers_dir(tiers);
    struct tier_day sealed = *tiers_find(tiers, day);
    if (!day_path(path, dir, day) || !tier_file(made, dir, day, NEW_ENDING) ||
        !tier_file(packed, dir, day, PACKED_ENDING))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", dir);
    enum status status = pack(path, made, &sealed, error);
    if (status == STATUS_OK && rename(made, packed) != 0)
        status = error_set(error, STATUS_IO, "%s: %s", packed, strerror(errno));
    if (status == STATUS_OK)
        status = folder_sync_of(packed, error);
    sealed.tier = TIER_COMPRESSED;
    if (status == STATUS_OK)
        status = tiers_put(tiers, &sealed, NULL, error);
    return status == STATUS_OK ? compress_tidy(tiers, day, error) : status;
}
