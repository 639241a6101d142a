/* A disk for tests that keeps apart what was synced and what was only written. SQLite comes to it
 * through a VFS (vfs.c), the program's own calls through the linker's --wrap (calls.c). Everything
 * that happens to files below one folder is put down in order; the power can then fail, afterwards
 * and as often as wanted, at any moment of it: disk_image() makes the folder as it would be found.
 *
 * What counts as safe is what POSIX promises: bytes of a file after fsync() of the file, names
 * after fsync() of their folder. What was not synced is lost, kept, or written in part, sector by
 * sector, as the kind of crash and its seed say. Names are lost from the newest back, as a journal
 * loses them. fsync() itself costs nothing, elsewhere too. A failed fsync() forgets what it should
 * have saved: the next one succeeds and saves what was written since, no more.
 *
 * One disk per program. Calls come from any thread; begin, end and image from one. */
#ifndef BINNACLE_TESTS_DISK_H
#define BINNACLE_TESTS_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes the VFS SQLite's default. Once, first in main(). */
void disk_register(void);

/* From now on everything below `root` is watched; what is there counts as synced. */
void disk_watch(const char *root);
/* Forgets it all; faults too. */
void disk_end(void);

/* How many operations there were: a moment at which the power can fail. */
size_t disk_moment(void);

enum disk_crash {
    CRASH_LOST,  /* nothing that was not synced is there */
    CRASH_KEPT,  /* all of it is: what a kill -9 leaves */
    CRASH_MIXED, /* each write lost, kept or torn, by the seed */
};
/* Makes the folder `into`, as found after the power failed at `moment`. */
void disk_image(size_t moment, enum disk_crash crash, uint64_t seed, const char *into);

enum disk_syncing {
    SYNCING_WORKS,
    SYNCING_OFF,  /* every connection of SQLite runs with PRAGMA synchronous=OFF */
    SYNCING_LIES, /* a disk that says yes and does nothing */
};
void disk_set_syncing(enum disk_syncing syncing);

enum disk_call { CALL_OPEN, CALL_READ, CALL_WRITE, CALL_SYNC, CALL_SYNC_FOLDER };

/* A fault to come: after `after` more calls of this kind on files whose names end in `name`, the
 * next `times` fail with `error`. */
struct disk_fault {
    enum disk_call call;
    const char *name;
    unsigned after, times;
    int error;    /* an errno */
    bool partial; /* a write: half of it is written first */
    bool evicted; /* a sync: the file shows from then on what the disk has, not what was written */
};
/* One at a time: a later one replaces it; NULL: none. */
void disk_fail(const struct disk_fault *fault);
/* Syncs of files whose names end in `name` do not return before this is called with NULL. */
void disk_hold_syncs(const char *name);
/* How many wait for that. */
unsigned disk_held(void);

/* How many calls have failed by the present fault. */
unsigned disk_failed(void);

#endif
