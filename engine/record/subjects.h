/* subjects.db: whom a pseudonym stands for. Per person a random key, wrapped under the master key,
 * and the original value sealed under the person's key. Deleting both erases the person; the
 * ledger's rows, which hold the pseudonym alone, stay provable. */
#ifndef BINNACLE_RECORD_SUBJECTS_H
#define BINNACLE_RECORD_SUBJECTS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/crypto.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"

/* The only connection that writes subjects.db: one thread at a time. After an error from the disk
 * the next call closes it, writes its log again (db_write_log_again()), opens it and looks for the
 * person that was added last, before it does anything else. */
struct subjects;

/* `dir` is the ledger's; keys/master.key in it is made when missing and `create` is true. */
MUST_USE enum status subjects_open(const char *dir, bool create, struct subjects **subjects,
                                   struct error *error);
void subjects_close(struct subjects *subjects); /* NULL is ignored */

/* Several additions in one transaction: begin, add..., commit (durable) or rollback. */
MUST_USE enum status subjects_begin(struct subjects *subjects, struct error *error);
MUST_USE enum status subjects_commit(struct subjects *subjects, struct error *error);
void subjects_rollback(struct subjects *subjects);
/* Adds the person if not known; one that was erased stays erased. */
MUST_USE enum status subjects_add(struct subjects *subjects, struct slice pseudonym,
                                  struct slice original, int64_t now_us, struct error *error);

/* Appends the original value. STATUS_NOT_FOUND: unknown or erased (the message says which). */
MUST_USE enum status subject_reveal(struct subjects *subjects, struct slice pseudonym,
                                    struct buffer *original, struct error *error);
/* Appends the original that a row of subjects.db holds, for who reads the file without adding to
 * it. STATUS_CORRUPT: key, value or pseudonym are not those that were written under this master
 * key; *opened, which may be NULL, says whether the key was. STATUS_FULL, STATUS_MEMORY: no room
 * for it. */
MUST_USE enum status subject_unseal(const uint8_t master[KEY_SIZE], struct slice pseudonym,
                                    struct slice key, struct slice value, struct buffer *original,
                                    bool *opened);
/* Overwrites key and original; leaves a mark of when. STATUS_NOT_FOUND. */
MUST_USE enum status subject_erase(struct subjects *subjects, struct slice pseudonym,
                                   int64_t now_us, struct error *error);

#endif
