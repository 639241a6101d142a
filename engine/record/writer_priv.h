/* The writer's inside: its list of chunks and the group being written. Writer thread only. */
#ifndef BINNACLE_RECORD_WRITER_PRIV_H
#define BINNACLE_RECORD_WRITER_PRIV_H

#include "engine/record/checkpointer.h"
#include "engine/record/ledger_priv.h"

/* A place in the writer's list of chunks. */
struct mark {
    struct chunk *chunk; /* NULL: at the end */
    size_t item;
};

/* The group being written: what is true once it is committed. */
struct attempt {
    struct mark end;
    struct day_state state;
    struct day_group group;
    int64_t day;
    size_t rows, bytes; /* entries and their bytes */
    uint64_t ticket;    /* the last one complete, 0: none */
    bool committing;    /* it got as far as COMMIT */
    bool headed;        /* a signed head is in it */
};

/* Signed heads: the newest, and one on its way into the file. */
struct signer {
    struct head_key key;
    struct clock *wall; /* heads are dated by the machine, in a replay too */
    struct signed_head newest, drafted;
    bool known;                             /* there is a newest one */
    bool drafted_head;                      /* else only the rest is signed anew */
    uint64_t rest_commits, drafted_commits; /* groups up to which the rest is signed */
    int64_t posted_day;                     /* of the newest */
    int64_t signed_ns;                      /* when a head was signed or tried last */
};

struct writer {
    struct ledger *ledger;
    struct chunk *head, *tail; /* taken from the queue, committed up to `item` of the first */
    size_t item;
    struct day *day;
    struct checkpointer *checkpointer;
    int64_t day_number; /* of the last commit */
    bool has_day;       /* there was a commit */
    struct day_state state;
    bool suspect;      /* the disk refused something: the file is checked before it is used */
    int64_t first_day; /* files of days before this one are not written to any more */
    int damaged;       /* times in a row that the file was found damaged */
    int64_t tried_day; /* the file opened last, or tried */
    uint64_t lost;     /* rows known to be gone from it */
    int left;          /* damaged files left since the last commit */
    struct tree tail_from, tail_next; /* of some time ago: the last rows are checked from here */
    struct attempt attempt;
    struct pending_subject *subjects;
    size_t n_subjects;
    struct leaf_storage *storage;
    int64_t retry_ms; /* 0: the last group went well */
    size_t last_rows; /* in the last group, when it was done, and how long that took */
    int64_t done_ns, took_ns;
    struct signer signer;
};

/* A source position of the file, as day_read_positions() finds it. */
enum status writer_load_place(void *context, struct slice source, int32_t part, int64_t offset);
/* writer_file.c: which file, opening it, checking it, leaving it. */
/* Opens the newest day file that something was committed to and takes over where it stands. */
MUST_USE enum status file_find_last(struct writer *writer, struct error *error);
/* The day whose file the next entry goes into. */
int64_t file_next_day(const struct writer *writer);
/* Opens the file of `number` and checks that it stands where this writer thinks it does. *done: a
 * commit that had failed is in it after all. STATUS_CORRUPT: it is damaged. */
MUST_USE enum status file_open(struct writer *writer, int64_t number, bool *done,
                               struct error *error);
/* After a commit: its log is moved into it when it has become long. */
void file_move_log(struct writer *writer);
/* Before writer->state moves on to what was committed. */
void file_remember(struct writer *writer, bool new_file);
/* The old day gets its last head and the rest of its event index, and is closed. */
void file_seal(struct writer *writer);
/* After an error: closes it so that it is checked before it is used again. */
void file_drop(struct writer *writer);
/* It was found damaged again: true when the writer goes on in the next day's. */
bool file_leave(struct writer *writer, const struct error *error);

/* group.c: the entries of one transaction. */
/* The same place, or the start of the next chunk when this one is at its end. */
struct mark group_settle(struct mark at);
/* Writes entries from the first uncommitted one on, up to the group's bound or the day's end. */
MUST_USE enum status group_write_items(struct writer *writer, struct error *error);
/* Writes how far the sources have come; `all`: also where that has not changed. */
MUST_USE enum status group_write_positions(struct writer *writer, bool all, struct error *error);
/* head_signer.c: a head at most once a second while the tree grows, and at the end of a day. */
/* Loads the key; a ledger without any head yet gets one. */
MUST_USE enum status signer_start(struct writer *writer, struct error *error);
/* How long until the tree as committed should be signed; 0: now; -1: it is signed. */
int64_t signer_due_ms(const struct writer *writer);
/* Whether a group should be signed; the first of a file always is. */
bool signer_wanted(const struct writer *writer, bool new_file);
/* Writes a head over the tree into the open transaction, if it has none or the file is new, and the
 * signature over what is not in leaves. `state` is written already. */
MUST_USE enum status signer_write(struct writer *writer, const struct day_state *state,
                                  bool new_file, struct error *error);
/* That transaction is committed. */
void signer_committed(struct writer *writer);
/* A head over the committed tree, in a transaction of its own; when that fails the file is closed
 * and the next rows bring it. */
void signer_sign_alone(struct writer *writer);
/* A new row in the table of places; the ledger's lock is held. */
MUST_USE enum status place_add(struct ledger *ledger, int source, int32_t part, int64_t committed);

#endif
