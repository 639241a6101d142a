/* The look at the folder that the ledger lies in: what an answer stands for, whether the file
 * system keeps what it was told to keep, who may write there and who does. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "app/doctor.h"
#include "engine/record/verify.h"

/* The numbers are the kernel's: linux/magic.h, and those of the network ones. */
static const struct {
    unsigned long type;
    const char *name, *danger;
} doubtful[] = {
    {0x01021994, "tmpfs", "it lies in memory: when the machine stops everything is gone"},
    {0x858458f6, "ramfs", "it lies in memory: when the machine stops everything is gone"},
    {0x6969, "NFS", "its locks and syncs are those of another machine: use a local disk"},
    {0xff534d42, "CIFS", "its locks and syncs are those of another machine: use a local disk"},
    {0xfe534d42, "SMB", "its locks and syncs are those of another machine: use a local disk"},
};

static void look_at_durability(struct diagnosis *diagnosis)
{
    const struct config *config = doctor_config(diagnosis);
    if (!config || !config->ledger.dir)
        return;
    if (strcmp(config->ledger.durability, "batch") == 0)
        doctor_say(diagnosis, FINE, "durability",
                   "batch: answers do not wait for the disk, and a crash may lose %lld ms of them",
                   (long long)config->ledger.batch_us / 1000);
    else
        doctor_say(diagnosis, FINE, "durability",
                   "commit: an answer is given when its row is on the disk");
}

static void look_at_file_system(struct diagnosis *diagnosis, const char *folder)
{
    struct statfs about;
    if (statfs(folder, &about) != 0)
        return;
    for (size_t i = 0; i < sizeof doubtful / sizeof doubtful[0]; i++) {
        if ((unsigned long)about.f_type == doubtful[i].type)
            doctor_say(diagnosis, UNSAFE, "ledger", "%s is on %s: %s", folder, doubtful[i].name,
                       doubtful[i].danger);
    }
    if (about.f_bavail == 0 || (about.f_files > 0 && about.f_ffree == 0))
        doctor_say(diagnosis, WRONG, "ledger",
                   "%s is on a file system without room%s: make room, delete nothing of the ledger",
                   folder, about.f_bavail == 0 ? "" : " for more files");
}

/* Files that somebody else owns: the service may be shut out of its own ledger by them. */
static void look_at_owners(struct diagnosis *diagnosis, const char *folder,
                           const struct stat *about)
{
    DIR *files = opendir(folder);
    char first[256] = "";
    int n = 0;
    if (!files)
        return;
    for (struct dirent *entry; (entry = readdir(files));) {
        struct stat file;
        if (fstatat(dirfd(files), entry->d_name, &file, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(file.st_mode) || file.st_uid == about->st_uid)
            continue;
        if (n++ == 0)
            snprintf(first, sizeof first, "%s", entry->d_name);
    }
    closedir(files);
    if (n > 0)
        doctor_say(diagnosis, UNSAFE, "ledger",
                   "%d of the files in %s belong to another user than the folder does, %s for one: "
                   "the service may not be able to write them; chown them",
                   n, folder, first);
}

static void look_at_rights(struct diagnosis *diagnosis, const char *folder)
{
    struct stat about;
    if (stat(folder, &about) != 0)
        return;
    if (access(folder, W_OK | X_OK) != 0)
        doctor_say(diagnosis, WRONG, "ledger", "%s cannot be written by this user: %s", folder,
                   strerror(errno));
    else if (about.st_uid != geteuid())
        doctor_say(
            diagnosis, UNSAFE, "ledger",
            "%s belongs to user %u, this is user %u: what this one writes there, the service "
            "may not be able to",
            folder, (unsigned)about.st_uid, (unsigned)geteuid());
    if (about.st_mode & (S_IWGRP | S_IWOTH))
        doctor_say(diagnosis, UNSAFE, "ledger",
                   "%s can be written by others: chmod go-w keeps the record to its service",
                   folder);
    look_at_owners(diagnosis, folder, &about);
}

void doctor_folder(struct diagnosis *diagnosis)
{
    const struct config *config = doctor_config(diagnosis);
    const char *given = cli_text(doctor_args(diagnosis), "ledger");
    char *folder = given                          ? strdup(given)
                   : config && config->ledger.dir ? config_path(config, config->ledger.dir)
                                                  : NULL;
    struct stat about;
    char process[32];
    look_at_durability(diagnosis);
    if (folder && stat(folder, &about) == 0) {
        look_at_file_system(diagnosis, folder);
        look_at_rights(diagnosis, folder);
        if (ledger_in_use(folder, process))
            doctor_say(diagnosis, FINE, "ledger", "in use by process %s", process);
    }
    free(folder);
}
