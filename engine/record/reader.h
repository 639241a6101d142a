/* The ledger's reading side: sees only what is committed, never waits for the writer and may run in
 * another process. A reader belongs to one thread at a time; make as many as needed. */
#ifndef BINNACLE_RECORD_READER_H
#define BINNACLE_RECORD_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/crypto.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"
#include "engine/record/head.h"
#include "engine/record/ledger.h"
#include "engine/record/row.h"

struct reader;

/* STATUS_NOT_FOUND: no such folder, or one with neither days nor keys. With keys alone it is an
 * empty ledger. */
MUST_USE enum status reader_open(const char *dir, struct reader **reader, struct error *error);
void reader_close(struct reader *reader); /* NULL is ignored */

/* Committed leaves and the tree's root over them. */
MUST_USE enum status reader_head(struct reader *reader, uint64_t *tree_size,
                                 uint8_t root[SHA256_SIZE], struct error *error);

/* The root when the tree had `tree_size` leaves, at the end of a group. STATUS_NOT_FOUND: no group
 * ended there. */
MUST_USE enum status reader_root_at(struct reader *reader, uint64_t tree_size,
                                    uint8_t root[SHA256_SIZE], struct error *error);

/* The newest signed head, and the public key that was written down beside it. STATUS_NOT_FOUND: no
 * rows, or all of them by a binnacle that signed nothing yet. */
MUST_USE enum status reader_signed_head(struct reader *reader, struct signed_head *head,
                                        uint8_t public_key[PUBLIC_KEY_SIZE], struct error *error);

/* Rows that are gone by policy; false: none. As of the last look. */
struct deleted_rows {
    uint64_t n;         /* rows [0, n) */
    int64_t until_us;   /* the end of their last day */
    int64_t deleted_us; /* when that day was deleted */
};
bool reader_deleted(const struct reader *reader, struct deleted_rows *rows);

/* Rows from `index` on, ascending, across day files; those that are gone by policy are passed over.
 * Anything but STATUS_OK from `each` ends the scan and is returned (STATUS_END: returned as
 * STATUS_OK). The row is borrowed for the call. */
typedef enum status row_visitor(void *context, const struct ledger_row *row, struct error *error);
MUST_USE enum status reader_scan(struct reader *reader, uint64_t index, row_visitor *each,
                                 void *context, struct error *error);

/* The same past what is damaged: a file that cannot be read to its end is told of, and the next one
 * is gone on with. */
typedef void damage_visitor(void *context, const char *path, const struct error *error);
MUST_USE enum status reader_scan_past(struct reader *reader, uint64_t index, row_visitor *each,
                                      damage_visitor *damaged, void *context, struct error *error);

/* The first row after the last day that is archived or deleted: what can be read without a store.
 * 0 when all are here. */
MUST_USE enum status reader_first_here(struct reader *reader, uint64_t *index, struct error *error);

/* Event time of the first decision that is there, without unpacking or fetching a day for it. Days
 * that are damaged are passed over. STATUS_NOT_FOUND: there is none. */
MUST_USE enum status reader_first_event(struct reader *reader, int64_t *event_us,
                                        struct error *error);

/* One row; borrowed until the next call. STATUS_NOT_FOUND. */
MUST_USE enum status reader_row(struct reader *reader, uint64_t index, struct ledger_row *row,
                                struct error *error);
/* The newest decision on an event. Borrowed until the next call. STATUS_NOT_FOUND. */
MUST_USE enum status reader_find_event(struct reader *reader, struct slice event_id,
                                       struct ledger_row *row, struct error *error);
/* The canonical bytes of one leaf, appended, and the hash that was stored with it. */
MUST_USE enum status reader_leaf(struct reader *reader, uint64_t index, struct buffer *leaf,
                                 uint8_t stored_hash[SHA256_SIZE], struct error *error);

/* What `binnacle query` asks for. Empty slices and the values of query_filter_init(): any. */
struct query_filter {
    int64_t from_us, to_us;                /* decided_at in [from, to) */
    struct slice event_id, entity, reason; /* reason: one of the row's codes */
    int decision;                          /* enum decision, -1: any */
    int variant;                           /* enum variant, -1: any */
    double min_score, max_score;           /* inclusive; NaN: any */
    int64_t limit;                         /* rows at most; -1: no limit */
    int64_t cursor; /* ledger_index of the last row already seen; -1: from the start */
    bool newest_first;
};
void query_filter_init(struct query_filter *filter);

struct query;
/* The filter's slices must live as long as the query; so must the reader, which does nothing else
 * meanwhile. */
MUST_USE enum status query_open(struct reader *reader, const struct query_filter *filter,
                                struct query **query, struct error *error);
/* The next decision, ascending by index, or descending with newest_first; borrowed until the next
 * call. STATUS_END. */
MUST_USE enum status query_next(struct query *query, struct ledger_row *row, struct error *error);
void query_close(struct query *query);

struct quarantine_filter {
    int64_t from_us, to_us; /* received in [from, to) */
    uint64_t id;            /* 0: any */
    uint64_t before;        /* only smaller ids; 0: any */
    bool newest_first;      /* descending by id */
    struct slice reason, field;
    int status;          /* enum quarantine_status, -1: any */
    struct slice source; /* with part and offsets (inclusive); empty: any */
    int32_t part;
    int64_t first_offset, last_offset;
    int64_t limit; /* -1: no limit */
};
void quarantine_filter_init(struct quarantine_filter *filter);

struct quarantine_row {
    uint64_t id; /* from 1 */
    int64_t received_us;
    struct slice source;
    int32_t part;
    int64_t offset;
    struct slice contract, contract_version;
    struct slice violations; /* JSON: [{"field":...,"reason":...,"check":...}] */
    enum quarantine_status status;
    struct slice raw; /* only when asked for: the bytes as they came, personal data included */
    bool raw_deleted; /* by policy: there are none any more */
};
typedef enum status quarantine_visitor(void *context, const struct quarantine_row *row,
                                       struct error *error);
/* Ascending by id unless newest_first. `with_raw` decrypts and needs read access to
 * keys/master.key. */
MUST_USE enum status quarantine_scan(struct reader *reader, const struct quarantine_filter *filter,
                                     bool with_raw, quarantine_visitor *each, void *context,
                                     struct error *error);
/* One object for `binnacle quarantine list`; with the raw text when the row has it. */
void quarantine_json(const struct quarantine_row *row, struct buffer *out);

#endif
