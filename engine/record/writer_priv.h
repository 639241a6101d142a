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
};

/* group.c: the entries of one transaction. */
/* The same place, or the start of the next chunk when this one is at its end. */
struct mark group_settle(struct mark at);
/* Writes entries from the first uncommitted one on, up to the group's bound or the day's end. */
MUST_USE enum status group_write_items(struct writer *writer, struct error *error);
/* Writes how far the sources have come; `all`: also where that has not changed. */
MUST_USE enum status group_write_positions(struct writer *writer, bool all, struct error *error);
/* A new row in the table of places; the ledger's lock is held. */
MUST_USE enum status place_add(struct ledger *ledger, int source, int32_t part, int64_t committed);

#endif
