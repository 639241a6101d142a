/* The ledger's writing side: what was decided, kept so that nothing is lost and nothing counts
 * twice. One per folder and process. Callers serialise and hash their rows themselves; one thread
 * commits them in groups, each group with the source positions that it covers. */
#ifndef BINNACLE_RECORD_LEDGER_H
#define BINNACLE_RECORD_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/clock.h"
#include "engine/base/crypto.h"
#include "engine/base/log.h"
#include "engine/base/status.h"
#include "engine/decide/outcome.h"
#include "engine/record/head_post.h"
#include "engine/record/pseudonym.h"
#include "engine/record/subjects.h"

struct ledger;

struct ledger_options {
    const char *dir;           /* made when missing */
    const struct clock *clock; /* dates the commits; rows bring their own times */
    struct log *log;           /* may be NULL */
    const char *heads_file;    /* signed heads are appended here, too; NULL: nowhere else */
    size_t queue_rows;         /* 0: 65536; the most rows that wait for the writer */
    size_t queue_bytes;        /* 0: 128 MiB */
    size_t most_subjects;      /* 0: 262144; the most personal values not met before that wait */
    size_t group_rows;         /* 0: 4096; the most rows in one transaction */
    int64_t group_ms;          /* how long the writer waits for a fuller group; 0: not at all.
                                  Either way a commit is on the disk before it is reported. */
    int64_t batch_us;          /* what ledger_settle() lets be lost at most; 0: nothing */
    int64_t log_pages;      /* 0: 1000; from so many pages of 16 KiB on the day file's log is moved
                               into it, beside the commits */
    size_t pseudonym_cache; /* 0: 65536 entries */
    struct head_post *const *head_posts; /* signed heads are sent there; borrowed until closed */
    size_t n_head_posts;
    /* Whether to stop: asked now and then by whoever waits for room, who then gets STATUS_END. Any
     * thread; NULL: never. */
    bool (*interrupted)(void *context);
    void *context;
};

/* Opens or makes the ledger in options->dir and starts its writer. Continues where the last commit
 * ended, after checking that its state is whole. STATUS_CONFLICT: another process has it (the
 * message says which); STATUS_UNSUPPORTED: written by a newer binnacle; STATUS_CORRUPT. */
MUST_USE enum status ledger_open(const struct ledger_options *options, struct ledger **ledger,
                                 struct error *error);
/* Drains the queue, commits, stops. When the disk refuses for longer than 5 s the rows that were
 * never reported durable are given up and the status says so. NULL is ignored. */
enum status ledger_close(struct ledger *ledger, struct error *error);

/* The number for position.source of a source by this name (copied); the same name gives the same
 * number. At most 64. STATUS_FULL. Any thread. */
MUST_USE enum status ledger_source(struct ledger *ledger, const char *name, int *source);
/* The highest committed offset of a source's part as of open or a later commit; -1: none yet. */
int64_t ledger_position(struct ledger *ledger, const char *source, int32_t part);

/* Makes a feature list known before outcomes carry it; it must live as long as the ledger. At most
 * 64 different ones. */
MUST_USE enum status ledger_use_features(struct ledger *ledger, const struct feature_schema *names,
                                         struct error *error);

enum entry_kind {
    ENTRY_DECISION,
    ENTRY_LABEL,
    ENTRY_ACTION,
    ENTRY_QUARANTINE,      /* not a leaf: personal data may be in it and it can be deleted */
    ENTRY_QUARANTINE_MARK, /* a quarantined event was retried or settled */
    ENTRY_POSITION,        /* nothing but the position: a duplicate, an empty line */
};

enum quarantine_status { QUARANTINE_OPEN, QUARANTINE_RETRIED, QUARANTINE_RESOLVED };
/* "open", "retried", "resolved". */
const char *quarantine_status_name(enum quarantine_status status);

/* Everything pointed to is only read during the call. */
struct ledger_entry {
    enum entry_kind kind;
    /* Label, action, mark, position: where it came from. Decisions and quarantine take
     * event->position. Entries of one source and part are submitted in the order of their
     * offsets: the position says that everything up to it is done. */
    struct position position;
    union {
        struct {
            struct outcome *outcome; /* ledger_index is set */
            struct slice event_id;   /* as recorded: */
            struct slice entity;     /* pseudonyms where personal */
            struct slice input;      /* event_json() with the replacements */
        } decision;
        struct {
            struct slice event_id;
            int label;
            int64_t observed_us, at_us;
        } label;
        struct {
            const char *who, *what;
            struct slice arguments; /* JSON object */
            int64_t at_us;
        } action;
        struct {
            const struct event *event; /* violations, received_us, schema, position */
            struct slice document;     /* decoder_document(): what can be submitted again */
        } quarantine;
        struct {
            uint64_t id;
            enum quarantine_status status;
            int64_t at_us;
        } mark;
    };
    uint64_t index; /* set: ledger_index of a leaf, quarantine_id of a quarantined event */
};

enum submit_flags {
    SUBMIT_REFUSE = 0,   /* a full queue: STATUS_FULL; a ledger that cannot write: STATUS_IO */
    SUBMIT_WAIT = 1,     /* wait for room, also while the disk refuses */
    SUBMIT_RESERVED = 2, /* into room that ledger_reserve() keeps; it never waits. A submission that
                            went well has used up as much of it as it has entries */
};

/* For whoever cannot wait and must know before it begins: keeps room for n entries until they are
 * submitted or given back with ledger_unreserve(). STATUS_IO: it cannot be written at present.
 * STATUS_FULL: the queue is full, or what waits in it will take longer than LEDGER_LONGEST_WAIT_US.
 * Any thread. */
#define LEDGER_LONGEST_WAIT_US INT64_C(2000000)
MUST_USE enum status ledger_reserve(struct ledger *ledger, size_t n, struct error *error);
void ledger_unreserve(struct ledger *ledger, size_t n);

/* Puts n entries into the queue, all or none, next to each other. Decisions, labels and actions
 * get consecutive indexes. *ticket (may be NULL) can be waited for. STATUS_INVALID: an entry is not
 * well formed (unknown features, source or sizes) or n is more than the queue holds; STATUS_END:
 * closing. Position-only and mark entries wait like others. Any thread. */
MUST_USE enum status ledger_submit(struct ledger *ledger, struct ledger_entry *entries, size_t n,
                                   unsigned flags, uint64_t *ticket, struct error *error);
/* Until the ticket's entries are on the disk. timeout_ms < 0: no limit. STATUS_UNAVAILABLE: not in
 * time; STATUS_IO: the disk refuses at present. In both cases the entries stay queued and may yet
 * be committed. */
MUST_USE enum status ledger_wait(struct ledger *ledger, uint64_t ticket, int64_t timeout_ms,
                                 struct error *error);
/* Until the ticket's entries may be reported as recorded: on the disk, or with options.batch_us, as
 * long as nothing in the queue is older than that and the disk takes it, at once. Fails as above.
 */
MUST_USE enum status ledger_settle(struct ledger *ledger, uint64_t ticket, int64_t timeout_ms,
                                   struct error *error);
/* The same as ledger_wait() until the leaf at `index` is on the disk: for an answer that repeats
 * another's. */
MUST_USE enum status ledger_wait_index(struct ledger *ledger, uint64_t index, int64_t timeout_ms,
                                       struct error *error);
/* For one who has other things to do than to wait: an eventfd that becomes readable after each
 * commit and after each failure to commit; ledger_stats() then says how far `durable` is and
 * whether the disk refuses. The ledger's, and valid as long as it; one reader. */
MUST_USE enum status ledger_watch(struct ledger *ledger, int *fd, struct error *error);
/* What was submitted so far, `*tree_size` leaves of it, will end with a group of its own, so that
 * there will be a root over just these; its ticket can be waited for. Any thread. */
void ledger_fence(struct ledger *ledger, uint64_t *tree_size, uint64_t *ticket);
/* Waits until everything submitted so far is on the disk. */
MUST_USE enum status ledger_flush(struct ledger *ledger, int64_t timeout_ms, struct error *error);

enum ledger_health {
    LEDGER_OK,
    LEDGER_RETRYING, /* the disk refuses; rows wait and are tried again */
    LEDGER_FAILED,   /* somebody has to put something right; it is tried again now and then */
};

struct ledger_stats {
    uint64_t tree_size; /* committed leaves */
    uint8_t root[SHA256_SIZE];
    uint64_t next_index; /* of the next leaf submitted */
    uint64_t durable;    /* last ticket on the disk */
    int64_t high_us; /* latest time of a committed row, where a replay's clock goes on; INT64_MIN:
                        none */
    size_t queue_rows, queue_capacity;
    size_t subjects_waiting, subjects_capacity; /* personal values met for the first time */
    uint64_t subjects_full; /* since start: entries refused, and waits, for want of room there */
    size_t heads_waiting, heads_capacity; /* for the file elsewhere; 0: there is none */
    uint64_t heads_dropped;               /* since start: newer ones took their place */
    uint64_t refused;                     /* entries turned away since start */
    uint64_t commits, rows;               /* since start */
    uint64_t errors;                      /* failed commits since start */
    uint64_t reopened;      /* times since start that a file was closed, checked and opened again
                               after an error */
    uint64_t damaged_files; /* day files found damaged since start and left behind */
    uint64_t lost_rows;     /* rows once committed and known to be gone from them */
    char damage[256];       /* the last of them and what is wrong with it; empty: none */
    enum ledger_health health;
    char problem[256];  /* why, when not LEDGER_OK */
    uint64_t stops;     /* how often since start it could not be written */
    int64_t stopped_us; /* since when, on the clock of the options; 0: it is written */
    int64_t last_stop_us, last_resume_us; /* of the last time that is over; 0: none since start */
    int64_t current_stop_us;              /* how long it has not been written now; 0: it is */
    int64_t not_written_us;               /* in all since start, up to this moment */
    int64_t commit_us;      /* how long a group takes now, smoothed; 0: none was committed yet */
    int64_t lock_waited_us; /* since start the writer waited for locks of other processes */
    int64_t wait_us; /* until what is queued now will be on the disk, as far as can be told */
};
/* Any thread. */
void ledger_stats(struct ledger *ledger, struct ledger_stats *stats);

/* Somebody who reads has found the file at `path` damaged, and knows of so many rows that are gone
 * with it: counted, shown, and noted beside the file. Any thread. */
void ledger_found_damaged(struct ledger *ledger, const char *path, uint64_t lost_rows,
                          const struct error *error);

/* 32 hex digits that name this ledger and tell nothing about its keys: the same for its backups,
 * another one for every other ledger. Lives as long as the ledger. */
const char *ledger_identity(const struct ledger *ledger);

/* What turns personal values into pseudonyms for this ledger. Originals met for the first time are
 * in subjects.db before any row that mentions them. Lives as long as the ledger. */
struct pseudonyms *ledger_pseudonyms(struct ledger *ledger);
/* As subject_reveal() and subject_erase(), and seen by the writer at once. Any thread. */
MUST_USE enum status ledger_reveal(struct ledger *ledger, struct slice pseudonym,
                                   struct buffer *original, struct error *error);
MUST_USE enum status ledger_erase(struct ledger *ledger, struct slice pseudonym,
                                  struct error *error);

#endif
