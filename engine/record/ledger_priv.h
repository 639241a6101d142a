/* The ledger's inside: what submitters and the writer share. */
#ifndef BINNACLE_RECORD_LEDGER_PRIV_H
#define BINNACLE_RECORD_LEDGER_PRIV_H

#include <semaphore.h>
#include <stdatomic.h>

#include "engine/base/thread.h"
#include "engine/record/day_priv.h"
#include "engine/record/head_file.h"
#include "engine/record/ledger.h"

#define MAX_SOURCES            64
#define MAX_FEATURE_SETS_KNOWN 64
#define NO_TIME                INT64_MIN

/* One entry in the queue; its bytes lie in the chunk. */
struct item {
    enum entry_kind kind;
    int source; /* -1: none */
    int32_t part;
    int64_t offset;
    int64_t at_us;    /* NO_TIME: any day */
    size_t at, size;  /* bytes: a leaf, or a packed quarantine event */
    uint64_t ordinal; /* among the chunk's leaves or quarantine events; a mark's quarantine id */
    int mark;         /* enum quarantine_status */
    int feature_set;  /* index in ledger->features; decisions only */
    uint8_t hash[SHA256_SIZE]; /* of the leaf */
};

/* What one ledger_submit() brought. Reused. */
struct chunk {
    struct chunk *next;
    struct item *items;
    size_t n, capacity;
    size_t n_leaves, n_quarantined;
    bool ends_group;
    struct buffer bytes;
    uint64_t ticket, first_index, first_quarantine;
    int64_t queued_ns; /* monotonic */
};

/* A personal value met for the first time, on its way into subjects.db. */
struct pending_subject {
    struct pending_subject *next;
    int64_t at_us;
    char pseudonym[PSEUDONYM_SIZE];
    size_t size;
    char original[];
};

/* How far a source's part has come. `committed` is read under the ledger's lock. */
struct place {
    int source;
    int32_t part;
    int64_t committed; /* -1: nothing yet */
    int64_t reached;   /* in the group being written; writer only */
};

/* A thread that waits until `*reached` is at least `wanted`; lives on its stack. */
struct waiter {
    struct waiter *next;
    const uint64_t *reached;
    uint64_t wanted;
    bool done;         /* taken off the list: `posted` is or will be */
    bool failed;       /* the disk refuses */
    atomic_bool woken; /* the writer is through with it */
    sem_t posted;
};

struct known_features {
    const struct feature_schema *names;
    uint8_t digest[FEATURE_SET_SIZE];
};

struct writer;

#define LEDGER_MAGIC       0x1ed9e201u
#define ROOM_LOOK_AGAIN_MS 200 /* whoever waits for room sees by then that it has to stop */

struct ledger {
    unsigned magic;
    char *dir;
    const struct clock *clock;
    struct log *log;
    size_t queue_rows, queue_bytes, group_rows, most_subjects;
    int64_t group_ms, batch_ns, log_pages;
    bool (*interrupted)(void *context);
    void *context;
    int lock_fd;
    uint8_t quarantine_key[KEY_SIZE];
    struct head_post *const *head_posts;
    size_t n_head_posts;
    char identity[33];
    struct pseudonyms *pseudonyms;

    struct lock lock; /* everything below; never held during I/O */
    pthread_cond_t work, room, subjects_changed;
    struct waiter *waiters;
    atomic_int
        watch; /* an eventfd that the writer signals; -1: nobody watches. Not under the lock */
    struct chunk *head, *tail; /* not yet taken by the writer */
    struct chunk *spare;
    size_t n_spare;
    size_t rows, bytes; /* submitted and not yet committed */
    size_t reserved;    /* places that are promised */
    int64_t oldest_ns;  /* when the oldest of those rows was queued; 0: there are none */
    uint64_t next_index, next_quarantine, next_ticket;
    bool closing;
    bool flushing; /* somebody waits: do not wait for a fuller group */
    struct ledger_stats stats;
    int64_t stopped_ns; /* monotonic; while the health is not LEDGER_OK */
    _Atomic int64_t
        lock_began_ns; /* since when the writer waits for others' locks; 0: it does not */
    _Atomic int64_t lock_waited_us; /* in all, but for that */
    _Atomic int64_t group_began_ns; /* of the group being written; 0: none is */
    struct pending_subject *subjects, *subjects_tail;
    size_t n_subjects;
    const char *sources[MAX_SOURCES];
    int n_sources;
    struct place *places; /* grown by the writer */
    size_t n_places;

    struct known_features features[MAX_FEATURE_SETS_KNOWN];
    atomic_size_t n_features; /* those below are never changed again */

    struct lock subjects_lock; /* reveal and erase: a connection of their own */
    struct subjects *subjects_db;

    struct head_file *head_file; /* NULL: heads stay in the folder */
    struct writer *writer;
    struct thread *thread;
};

/* chunk.c: encoding in the caller's thread. */
void chunk_destroy(struct chunk *chunk);
void chunk_clear(struct chunk *chunk);
MUST_USE enum status chunk_add(struct chunk *chunk, struct ledger *ledger,
                               const struct ledger_entry *entry, struct error *error);
/* A packed quarantine event; slices borrow from `bytes`. */
MUST_USE enum status quarantine_unpack(struct slice bytes, struct day_quarantine *event);

/* ledger.c: whether the process wants those who wait for room to give up. */
bool ledger_is_interrupted(const struct ledger *ledger);

/* queue.c; the lock is held. */
void chunk_release(struct ledger *ledger, struct chunk *chunk);

/* health.c; the lock is held. */
void health_stopped(struct ledger *ledger, enum ledger_health health, const struct error *error);
void health_resumed(struct ledger *ledger);
/* Around asking SQLite for the right to write, which another process may hold. Writer only. */
void health_lock_wanted(struct ledger *ledger);
void health_lock_taken(struct ledger *ledger);
/* The group that began at group_began_ns is on the disk; `next` of the writer's list: NULL: none.
 */
void health_committed(struct ledger *ledger, const struct chunk *next);
/* Until what is queued now will be on the disk. */
int64_t health_wait_us(const struct ledger *ledger);

/* waiters.c. The lock is held: takes off the list who need not wait any longer, or, the disk
 * refusing, all. */
struct waiter *waiters_take(struct ledger *ledger);
/* Wakes them, and who watches; without the lock. */
void waiters_wake(struct ledger *ledger, struct waiter *taken);

/* writer.c */
MUST_USE enum status writer_create(struct ledger *ledger, struct writer **writer,
                                   struct error *error);
void writer_destroy(struct writer *writer);
void writer_run(void *ledger);
/* How long closing waits for a disk that refuses. */
#define CLOSE_PATIENCE_MS 5000

#endif
