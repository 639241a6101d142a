/* Inside the disk for tests: the list of what happened, and who puts it there. */
#ifndef BINNACLE_TESTS_DISK_PRIV_H
#define BINNACLE_TESTS_DISK_PRIV_H

#include <pthread.h>

#include "tests/unit/disk/disk.h"

#define NO_FILE   (-1) /* not below the root, or nothing is watched */
#define DIRECTORY (-2)

enum operation_kind {
    OP_WRITE,
    OP_TRUNCATE,
    OP_SYNC,
    OP_SYNC_FAILED,
    OP_NAME,
    OP_UNNAME,
    OP_RENAME,
    OP_SYNC_FOLDER
};

struct operation {
    enum operation_kind kind;
    int file;
    bool lost;   /* a failed sync: what it should have saved is gone for certain */
    int64_t at;  /* of a write; the size after a truncation */
    size_t size; /* of `bytes` */
    unsigned char *bytes;
    char *name, *to; /* below the root; "" is the root */
};

/* A name and what it stands for. */
struct name {
    char *name;
    int file; /* or DIRECTORY */
};

struct content {
    unsigned char *bytes;
    size_t size;
};

struct disk {
    pthread_mutex_t mutex; /* everything below */
    char *root;            /* NULL: nothing is watched */
    enum disk_syncing syncing;
    struct operation *operations;
    size_t n_operations;
    struct name *base, *names; /* as it began, and now */
    size_t n_base, n_names;
    struct content *contents; /* of the first files, as it began */
    int n_contents, n_files;
    struct disk_fault fault;
    unsigned failed;
    const char *hold; /* syncs of these wait; NULL: none */
    unsigned held;
    pthread_cond_t let_go;
};

struct disk *disk_get(void);
/* For the calls below. */
void disk_lock(void);
void disk_unlock(void);

/* The name below the root, or NULL. */
const char *disk_name(const char *path);
/* The file of a name now, DIRECTORY, or NO_FILE. */
int disk_find(const char *name);
/* The error that this call is to have; 0: none. */
int disk_fault_of(enum disk_call call, const char *name);

/* Waits while syncs of this file are held. */
void disk_wait_held(const char *name);

int disk_put_new(const char *name, int file); /* file: NO_FILE for a new one; gives its number */
void disk_put_write(int file, const void *bytes, size_t size, int64_t at);
void disk_put_truncate(int file, int64_t size);
void disk_put_sync(int file);
/* Puts down a sync that failed; if the fault says so the file at `path` shows what is left. */
void disk_put_failed_sync(int file, const char *path);
void disk_put_unname(const char *name);
void disk_put_rename(const char *name, const char *to);
void disk_put_sync_folder(const char *name);
/* The folder in which `name` lies; of "a" it is "". */
void disk_folder_of(const char *name, char *out, size_t size);

/* image.c: one file as the disk has it, if everything unsynced is lost. */
struct content disk_content(int file);

/* calls.c: a file made or written over, unseen by the disk. */
void disk_write_file(const char *path, struct content content);

#endif
