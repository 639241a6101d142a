/* Signed heads out of the ledger's folder: one JSON line each into a file, which belongs where
 * nobody who can write the ledger can write, such as a share that only takes additions. */
#ifndef BINNACLE_RECORD_HEAD_FILE_H
#define BINNACLE_RECORD_HEAD_FILE_H

#include "engine/base/log.h"
#include "engine/record/head.h"

struct head_file;

/* Opens the file for appending, made when missing, and starts a thread that writes to it. `log` may
 * be NULL. STATUS_IO names the path. */
MUST_USE enum status head_file_open(const char *path, struct log *log, struct head_file **file,
                                    struct error *error);
/* Never waits for the file. While it does not take any, the newest 16 are kept: each head speaks
 * for all rows before it. Any thread. NULL file: nothing. */
void head_file_add(struct head_file *file, const struct signed_head *head);
/* How many wait, how many may, and how many were given up for newer ones. Any thread. NULL file:
 * zeros. */
void head_file_queue(struct head_file *file, size_t *waiting, size_t *capacity, uint64_t *dropped);
/* Writes what waits, tries once more what could not be written, and ends the thread. NULL is
 * ignored. */
void head_file_close(struct head_file *file);

#endif
