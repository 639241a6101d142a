/* State that a start can do without: a file that is whole or not there, and known by checksums.
 * Meant for the machine that wrote it; whoever cannot use it makes the state another way. */
#ifndef BINNACLE_BASE_STATE_FILE_H
#define BINNACLE_BASE_STATE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/status.h"

/* One thread at a time. */
struct state_file;

/* What the file holds; readers refuse every other. */
struct state_file_kind {
    char name[8]; /* not terminated where it has eight characters */
    uint32_t version;
};

/* ---- writing: create, put, then commit or abandon ---- */

/* Writes aside, to `path`.new with mode 0600. */
MUST_USE enum status state_file_create(const char *path, const struct state_file_kind *kind,
                                       struct state_file **file, struct error *error);
MUST_USE enum status state_file_put(struct state_file *file, const void *data, size_t size,
                                    struct error *error);
/* Syncs, takes the place of what was at `path`, syncs the folder. Frees the file either way; after
 * an error the old one is still in its place. */
MUST_USE enum status state_file_commit(struct state_file *file, struct error *error);
/* The two halves of it, for a file that a forked process fills from the memory that it was given.
 * There, once all was put: written out and synced. Takes no memory, frees nothing. */
MUST_USE enum status state_file_finish(struct state_file *file, struct error *error);
/* Then, in the process that created it: takes its place. Frees the file either way. */
MUST_USE enum status state_file_install(struct state_file *file, struct error *error);
int state_file_number(const struct state_file *file); /* its file descriptor */
void state_file_abandon(struct state_file *file);     /* NULL is ignored */

/* ---- reading: open, get, end, close ---- */

/* STATUS_NOT_FOUND: there is none. STATUS_UNSUPPORTED: of a newer version. STATUS_CORRUPT, also of
 * every later call: damaged, or not of this kind. */
MUST_USE enum status state_file_open(const char *path, const struct state_file_kind *kind,
                                     struct state_file **file, struct error *error);
/* Exactly `size` bytes. They are checked in pieces of up to 256 KiB, each before any of it is
 * given out. */
MUST_USE enum status state_file_get(struct state_file *file, void *data, size_t size,
                                    struct error *error);
/* Nothing is left, and nothing is missing. */
MUST_USE enum status state_file_end(struct state_file *file, struct error *error);
const char *state_file_path(const struct state_file *file);
/* STATUS_CORRUPT with the file's name: what was read makes no sense. */
enum status state_file_damaged(const struct state_file *file, struct error *error);
void state_file_close(struct state_file *file); /* NULL is ignored */

/* ---- files of one piece ---- */

/* A buffer that has overflowed is STATUS_MEMORY, and writes nothing. */
MUST_USE enum status state_file_write(const char *path, const struct state_file_kind *kind,
                                      const struct buffer *content, struct error *error);
/* Appends what state_file_write() was given; fails as opening and reading do. */
MUST_USE enum status state_file_read(const char *path, const struct state_file_kind *kind,
                                     struct buffer *content, struct error *error);

#endif
