/* The inside of ledger verify: rows read by several threads (verify_rows.c), one day file's other
 * tables (verify_day.c, verify_rest.c, verify_derived.c), and which field it is (verify_repair.c).
 * verify_walk_priv.h leads through them. */
#ifndef BINNACLE_RECORD_VERIFY_PRIV_H
#define BINNACLE_RECORD_VERIFY_PRIV_H

#include <pthread.h>

#include "engine/base/thread.h"
#include "engine/record/day_priv.h"
#include "engine/record/day_reader_priv.h"
#include "engine/record/rest_head_priv.h"
#include "engine/record/tiers.h"
#include "engine/record/tree.h"
#include "engine/record/verify.h"

#define FILE_NAME_SIZE 16 /* "2018-08-08.db" */
#define WHERE_SIZE     400

struct verify {
    const struct verify_options *options;
    struct verify_report *report; /* findings: under `lock` */
    struct lock lock;
    uint8_t public_key[PUBLIC_KEY_SIZE];
    bool has_key;
    const struct tiers *tiers; /* for the thread that verifies */
};

/* Adds a finding; `event_id` may be empty. Any thread. */
void verify_note(struct verify *verify, int64_t index, struct slice event_id, const char *format,
                 ...) PRINTF_LIKE(4, 5);
/* ... that is not about one row. */
#define NOTE(check, ...) verify_note((check)->verify, -1, (struct slice){0}, __VA_ARGS__)

/* ---- verify_rows.c: rows of a range, read and hashed ---- */

struct row_mark {
    uint8_t hash[SHA256_SIZE]; /* as stored; as computed where what is stored is no hash */
    int64_t at_us;
    uint64_t key; /* hash64 of a decision's event id */
    uint8_t kind; /* 0: there is no such row */
};

/* A row that is not what it should be. */
struct row_problem {
    uint64_t index;
    bool unequal; /* what is recorded does not give the stored hash, but `computed` */
    uint8_t computed[SHA256_SIZE];
    enum row_kind kind;
    char event_id[64];
    char where[160]; /* what is known already; empty: not yet */
};

struct head_mark {
    struct signed_head head;
    bool valid;
};

/* A group as its row in `commits` has it. */
struct group_row {
    struct day_group group;
    bool counted; /* the next three are known */
    uint64_t names, next_quarantine, marks;
    bool has_rest;
    uint8_t rest[SHA256_SIZE];
    bool gap; /* not a group: rows that none of them claims */
};

/* Whole groups next to each other: [first, end) of one file. */
struct block {
    int64_t day;
    uint64_t first, end;
    bool opens; /* the first of its file */
    struct group_row *groups;
    size_t n_groups, groups_capacity;
    struct row_mark *rows; /* end - first */
    size_t rows_capacity;
    struct row_problem *problems; /* ascending by index once read */
    size_t n_problems, problems_capacity;
    uint64_t n_dropped; /* problems beyond what is kept */
    struct head_mark *heads;
    size_t n_heads, heads_capacity;
    char failure[256]; /* the file could not be read to the end */
    enum { BLOCK_FREE, BLOCK_WAITS, BLOCK_READING, BLOCK_DONE } state;
};

/* One thread's connection and memory. */
struct row_reader {
    struct verify *verify;
    struct day_reader reader;
    struct feature_list *lists;
    struct leaf_storage *storage;
    struct buffer leaf;
    struct db_stmt *ranges[ROW_ACTION + 1], *heads;
};
MUST_USE bool row_reader_init(struct row_reader *rows, struct verify *verify);
void row_reader_free(struct row_reader *rows);
/* Fills rows, problems and heads. Never fails: what cannot be read is in `failure`. */
void row_reader_run(struct row_reader *rows, struct block *block);
void block_free(struct block *block);

/* ---- verify_repair.c ---- */

/* Which field was changed, when one byte or one of few values gives the stored hash again: its name
 * in `where`, else what kind of row it is. */
void repair_name_field(const struct ledger_row *row, const struct day_reader *reader,
                       const uint8_t stored[SHA256_SIZE], char *where, size_t size);

/* ---- verify_day.c: what else one file holds ---- */

/* A sorted run of the event index. */
struct run_check {
    uint64_t first, last;
    uint64_t highest;         /* index among its keys */
    uint64_t expected, found; /* sums over its keys; over the rows */
    bool tainted;             /* a row in it is known to be wrong */
};

/* What goes on from one file to the next. */
struct carry {
    bool rested; /* `rest` is known */
    uint8_t rest[SHA256_SIZE];
    bool quarantined; /* `next_quarantine` is known */
    uint64_t next_quarantine;
    int64_t high_us;
    bool timed; /* `high_us` is that of every row so far */
};

struct day_check {
    struct verify *verify;
    struct day_reader reader; /* in a read transaction */
    struct feature_list *lists;
    struct leaf_storage *storage;
    char name[FILE_NAME_SIZE];
    struct db_stmt *node, *quarantine, *marks;
    struct run_check *runs;
    size_t n_runs, run;
    struct day_state state; /* as stored; its tree is empty when the edge does not fit the size */
    bool has_state;
    struct slice edges; /* in `state_bytes` */
    uint8_t stored_root[SHA256_SIZE], stored_digest[SHA256_SIZE];
    bool has_digest;
    struct buffer state_bytes;
    /* Where the file's tables stood after the group before. */
    bool counted;
    uint64_t names, n_marks;
    uint64_t first_index, last_commit;
    size_t n_groups;
    uint64_t n_nodes; /* looked up */
    struct rest_head signed_rest;
    bool has_signed_rest;
    bool signed_rest_met; /* its group was */
    struct carry carry;
    struct buffer scratch, new_names, stored_digests, computed_digests, new_marks;
};
/* STATUS_NOT_FOUND: nothing was ever committed to the file. Anything else that is wrong: the error
 * says what. */
MUST_USE enum status day_check_open(struct verify *verify, int64_t day, const struct carry *carry,
                                    struct day_check *check, struct error *error);
void day_check_close(struct day_check *check);
/* After the last group. `tree` NULL: it could not be followed. `chained`: it could from the file's
 * first row on. */
void day_check_end(struct day_check *check, const struct tree *tree, bool chained);
/* Days' files as a whole, in whatever tier: their SHA-256 where they were sealed, SQLite's own
 * check. Any thread. */
void day_files_check(struct verify *verify, const int64_t *days, size_t n_days);
/* SQLite's own check of a file of the folder. Any thread. */
void file_check(struct verify *verify, const char *name, const char *path);

/* ---- verify_subjects.c ---- */

/* What is sealed in subjects.db, at `path`, where the folder has the key to it; a key that
 * cannot be used is a finding. Any thread. */
void subjects_check(struct verify *verify, const char *path);

/* ---- verify_rest.c: digests over what is not in leaves ---- */

/* Quarantined events, marks and names of a group, and its digest. */
void rest_check_group(struct day_check *check, const struct group_row *row);
/* The signature over the digests. */
MUST_USE enum status rest_check_load(struct day_check *check, struct error *error);
/* After the last group, whose state and positions are those that were signed. */
void rest_check_end(struct day_check *check);

/* ---- verify_derived.c: what is there to be quick, computed again ---- */

/* Checks feature lists; keeps the sums of the event index. */
MUST_USE enum status derived_check_load(struct day_check *check, struct error *error);
/* The node that the tree has made whole. */
void derived_check_node(struct day_check *check, int level, uint64_t position,
                        const uint8_t hash[SHA256_SIZE]);
/* A row in index order, for the event index. */
void derived_check_key(struct day_check *check, uint64_t index, const struct row_mark *row,
                       bool wrong);
/* The event index after the file's last row. */
void derived_check_end(struct day_check *check);

#endif
