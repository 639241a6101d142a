/* One day file, read: rows out of columns. Any process, only what is committed. One thread. */
#ifndef BINNACLE_RECORD_DAY_READER_PRIV_H
#define BINNACLE_RECORD_DAY_READER_PRIV_H

#include "engine/base/crypto.h"
#include "engine/base/db.h"
#include "engine/record/names_priv.h"
#include "engine/record/row.h"

/* Feature lists met so far, by digest; rows borrow their names from here. */
struct feature_list {
    struct feature_list *next;
    uint8_t digest[FEATURE_SET_SIZE];
    struct feature_schema schema;
    const char **names;
};
void feature_lists_free(struct feature_list *lists);

/* Statements that are used again and again on one file; prepared at first use. */
enum day_statement {
    DAY_HEAD,
    DAY_FIND_TAIL,
    DAY_FIND_RUNS,
    DAY_FIND_CHECK,
    DAY_ROW, /* + enum row_kind */
    DAY_STATEMENTS = DAY_ROW + ROW_ACTION + 1
};

struct day_reader {
    int64_t day;
    int version;   /* of the file's format, 1 to DAY_VERSION */
    uint64_t used; /* when last, in the reader's count of uses */
    uint64_t file; /* inode and change: sealing puts another file in its place */
    struct db_stmt *statements[DAY_STATEMENTS];
    struct db *db;
    struct names names;
    struct feature_list **lists;   /* the reader's */
    struct feature_list *sets[64]; /* by id - 1 */
    size_t n_sets;
    struct leaf_storage *storage; /* the reader's */
    struct slice leaf_hash;       /* stored with the row read last */
};

/* Whatever tier the day is in. STATUS_NOT_FOUND: nothing was ever committed to the file, or it was
 * deleted by policy; STATUS_UNAVAILABLE: it is in an archive that is away. */
MUST_USE enum status day_reader_open(const char *dir, int64_t day, struct feature_list **lists,
                                     struct leaf_storage *storage, struct day_reader *reader,
                                     struct error *error);
void day_reader_close(struct day_reader *reader);
/* Another file has taken the place of the one that is open. */
bool day_reader_stale(const struct day_reader *reader, const char *dir);

struct day_head {
    uint64_t first_index, tree_size;
    uint8_t root[SHA256_SIZE];
};
MUST_USE enum status day_reader_head(struct day_reader *reader, struct day_head *head,
                                     struct error *error);

/* day_rows.c: "SELECT <columns of kind> FROM <table> WHERE " + where. */
MUST_USE enum status day_reader_select(struct day_reader *reader, enum row_kind kind,
                                       const char *where, struct db_stmt **stmt,
                                       struct error *error);
/* The statement for one row of a kind by index (?1); stays the reader's, to be reset after use. */
MUST_USE enum status day_reader_row_statement(struct day_reader *reader, enum row_kind kind,
                                              struct db_stmt **stmt, struct error *error);
/* The row that such a statement stands on. */
MUST_USE enum status day_reader_row(struct day_reader *reader, enum row_kind kind,
                                    struct db_stmt *stmt, struct ledger_row *row,
                                    struct error *error);
/* Text of a name's number. */
MUST_USE enum status day_reader_name(struct day_reader *reader, int64_t id, struct slice *name,
                                     struct error *error);

#define MAX_SAME_EVENT 64 /* decisions on one event id in one day that are looked at */
/* Indexes of the decisions on an event, ascending, the newest MAX_SAME_EVENT of them. */
MUST_USE enum status day_reader_find(struct day_reader *reader, struct slice event_id,
                                     uint64_t indexes[MAX_SAME_EVENT], size_t *n,
                                     struct error *error);

#endif
