/* What was changed, by whom and when: starts and stops, splits, files of the configuration, models,
 * alerts, labels. A list for people and for explanations; the proof of what an operator did is the
 * ledger's own row. Bounded, and kept across restarts beside the ledger.
 *
 * Any thread. A file that cannot be written or is damaged costs nobody anything: the newest changes
 * are held in memory, too, and are what is read then. */
#ifndef BINNACLE_RECORD_CHANGES_H
#define BINNACLE_RECORD_CHANGES_H

#include <stdint.h>

#include "engine/base/log.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"

enum change_kind {
    CHANGE_START,
    CHANGE_STOP,
    CHANGE_SPLIT,
    CHANGE_RULES,
    CHANGE_CONTRACT,
    CHANGE_FEATURES,
    CHANGE_MODEL,
    CHANGE_CONFIG,
    CHANGE_ALERT,
    CHANGE_LABEL,
    CHANGE_KINDS
};
/* "start", "stop", "split", ... */
const char *change_kind_name(enum change_kind kind);

#define CHANGES_NAME "changes.db"
#define CHANGES_KEPT 20000 /* the oldest go beyond that */

struct change {
    int64_t at_us; /* the service's clock */
    enum change_kind kind;
    char what[240];
    char who[64]; /* "" where nobody did it */
    char reason[160];
};

struct changes;
/* `path`: the file, made when missing; NULL: memory only. One that cannot be opened is left as it
 * is, and said to the log: only STATUS_MEMORY fails. */
MUST_USE enum status changes_open(const char *path, struct log *log, struct changes **changes,
                                  struct error *error);
void changes_close(struct changes *changes); /* NULL is ignored */

/* Never fails for the caller: see above. NULL is ignored. */
void changes_add(struct changes *changes, const struct change *change);

/* A part of the configuration as it is now: "rules.yaml" with the hex digest of its content, or
 * "champion" in words. A part that was known otherwise is a change of this kind, described with
 * both, or where that is too long, with what differs. A part seen for the first time is none. */
#define CHANGE_WORDS 1280 /* a whole split; what is longer would be compared in part only */
struct change_part {
    enum change_kind kind;
    const char *name;
    const char *digest; /* NULL: it is told in words */
    const char *words;  /* shorter than CHANGE_WORDS */
    const char *reason; /* why it is as it is now; NULL: nobody said */
};
void changes_compare(struct changes *changes, int64_t now_us, const char *who,
                     const struct change_part *part);

/* The newest `most` of [from_us, to_us), oldest first. The array is the caller's to free. */
MUST_USE enum status changes_read(struct changes *changes, int64_t from_us, int64_t to_us,
                                  size_t most, struct change **list, size_t *n,
                                  struct error *error);

/* Posted labels arrive one by one and are listed together: counted here, listed when a time has
 * passed since the last such entry. */
void changes_labels(struct changes *changes, int64_t now_us, uint64_t n, uint64_t positives);

#endif
