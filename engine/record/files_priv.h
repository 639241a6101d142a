/* Names of the ledger's files and keys. */
#ifndef BINNACLE_RECORD_FILES_PRIV_H
#define BINNACLE_RECORD_FILES_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/clock.h"
#include "engine/base/crypto.h"
#include "engine/base/status.h"

#define PATH_SIZE 4096

/* "dir/name"; false when it does not fit. */
bool path_join(char out[PATH_SIZE], const char *dir, const char *name);

/* The file of a day, as time_day() counts them. */
bool day_path(char out[PATH_SIZE], const char *dir, int64_t day);

/* The days that have a file, ascending; *days is the caller's to free. STATUS_NOT_FOUND: no such
 * folder. */
MUST_USE enum status day_list(const char *dir, int64_t **days, size_t *n, struct error *error);

/* Beside a day file that was found damaged: a text that says when and what. */
#define DAMAGED_SUFFIX ".damaged"

/* One process per folder: takes `dir/lock` until *fd is closed. STATUS_CONFLICT names the other. */
MUST_USE enum status folder_lock(const char *dir, int *fd, struct error *error);

/* keys/NAME of the ledger's folder. */
MUST_USE enum status key_load(const char *dir, const char *name, bool create, uint8_t key[KEY_SIZE],
                              struct error *error);
/* The key that quarantined bytes are sealed under: derived from keys/master.key. */
MUST_USE enum status key_quarantine(const char *dir, bool create, uint8_t key[KEY_SIZE],
                                    struct error *error);
/* Who a ledger is, to others: derived from keys/pseudonym.key, so that it is there from the first
 * moment and a backup that is put back is the same ledger. 32 hex digits. */
#define IDENTITY_SIZE 33
MUST_USE enum status key_identity(const uint8_t key[KEY_SIZE], char identity[IDENTITY_SIZE]);
#define QUARANTINE_CONTEXT "binnacle-quarantine-v1"

#endif
