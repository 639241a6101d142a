/* The writer's inside: its list of chunks and the group being written. Writer thread only. */
#ifndef BINNACLE_RECORD_WRITER_PRIV_H
#define BINNACLE_RECORD_WRITER_PRIV_H

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
    int64_t day_number; /* of the last commit */
    bool has_day;       /* there was a commit */
    struct day_state state;
    struct attempt attempt;
    struct pending_subject *subjects;
    size_t n_subjects;
    struct subjects *subjects_db;
    struct leaf_storage *storage;
    int64_t retry_ms; /* 0: the last group went well */
    struct signer signer;
};

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
