/* One day file, written: the tables, the statements, what a commit carries on. Writer thread. */
#ifndef BINNACLE_RECORD_DAY_PRIV_H
#define BINNACLE_RECORD_DAY_PRIV_H

#include <stdint.h>

#include "engine/base/db.h"
#include "engine/record/head.h"
#include "engine/record/ledger.h"
#include "engine/record/row.h"
#include "engine/record/tree.h"

/* The file's format, step by step from version 1; DAY_VERSION of them. The step to SIGNED_VERSION
 * is done in the transaction of the first signature over what is not in leaves: a file of that
 * format without one had it taken away. */
#define DAY_VERSION    3
#define SIGNED_VERSION 3
extern const char *const DAY_STEPS[DAY_VERSION];

/* What the next commit starts from; kept in every file, so that the newest one is enough. */
struct day_state {
    uint64_t commits;     /* since the ledger began */
    uint64_t first_index; /* of this file */
    uint64_t next_quarantine;
    int64_t high_us;           /* latest row time so far */
    uint8_t rest[SHA256_SIZE]; /* of the last group, see rest_priv.h; zero: none yet */
    struct tree tree;
};

struct day;
MUST_USE enum status day_open(const char *dir, int64_t number, struct day **day,
                              struct error *error);
/* Only to read the state and positions of a file that cannot be written any more: they must have
 * their digest. STATUS_CORRUPT, STATUS_NOT_FOUND. */
MUST_USE enum status day_open_damaged(const char *dir, int64_t number, struct day **day,
                                      struct error *error);
void day_close(struct day *day); /* NULL is ignored */
/* After an error: rolls back, and closes without moving the log into the file. */
void day_abandon(struct day *day);
int64_t day_number(const struct day *day);
struct db *day_db(struct day *day);

MUST_USE enum status day_begin(struct day *day, struct error *error);
MUST_USE enum status day_commit(struct day *day, struct error *error);
/* As db_checkpoint(). */
MUST_USE enum status day_checkpoint(struct day *day, struct db_log *log, struct error *error);

/* STATUS_NOT_FOUND: nothing was ever committed to this file. */
MUST_USE enum status day_read_state(struct day *day, struct day_state *state, struct error *error);
MUST_USE enum status day_write_state(struct day *day, const struct day_state *state,
                                     struct error *error);

struct day_group {
    uint64_t commit;      /* its number */
    uint64_t first_index; /* of its leaves; tree_size after them */
    uint64_t tree_size;
    int64_t low_us, high_us; /* of its decisions; low > high: none */
    int64_t committed_us;
    uint8_t root[SHA256_SIZE];
};
/* Closes the group: what it wrote beside its leaves goes into state->rest. */
MUST_USE enum status day_insert_group(struct day *day, const struct day_group *group,
                                      struct day_state *state, struct error *error);

/* The row's texts stay as they are until day_flush_rows(), which comes before the commit: decisions
 * are inserted many at a time. */
MUST_USE enum status day_insert_row(struct day *day, const struct ledger_row *row,
                                    const uint8_t leaf_hash[SHA256_SIZE], struct error *error);
MUST_USE enum status day_flush_rows(struct day *day, struct error *error);
/* A whole subtree of at least NODE_LEVEL levels, by the number of such subtrees before it: proofs
 * start from these instead of from the leaves. */
#define NODE_LEVEL 10
MUST_USE enum status day_insert_node(struct day *day, int level, uint64_t position,
                                     const uint8_t hash[SHA256_SIZE], struct error *error);

MUST_USE enum status day_insert_head(struct day *day, const struct signed_head *head,
                                     const uint8_t public_key[PUBLIC_KEY_SIZE],
                                     struct error *error);
/* The columns of a head, and the head that such a statement stands on; false: malformed. */
#define HEAD_SQL "SELECT tree_size, timestamp_ms, root, key_id, signature FROM heads"
bool head_take(struct db_stmt *stmt, struct signed_head *head);
/* The newest head in this file. STATUS_NOT_FOUND. */
MUST_USE enum status day_newest_head(struct day *day, struct signed_head *head,
                                     struct error *error);

/* Feature names go in beside the first row that uses them. */
MUST_USE enum status day_insert_features(struct day *day, const uint8_t digest[FEATURE_SET_SIZE],
                                         const struct feature_schema *names, struct error *error);
bool day_has_features(struct day *day, const uint8_t digest[FEATURE_SET_SIZE]);

struct day_quarantine {
    uint64_t id;
    int64_t received_us;
    struct slice source;
    int32_t part;
    int64_t offset;
    struct slice contract, contract_version, violations, sealed;
};
MUST_USE enum status day_insert_quarantine(struct day *day, const struct day_quarantine *event,
                                           struct error *error);
MUST_USE enum status day_insert_mark(struct day *day, uint64_t id, enum quarantine_status status,
                                     int64_t at_us, struct error *error);

MUST_USE enum status day_write_position(struct day *day, struct slice source, int32_t part,
                                        int64_t offset, struct error *error);
typedef enum status position_visitor(void *context, struct slice source, int32_t part,
                                     int64_t offset);
MUST_USE enum status day_read_positions(struct day *day, position_visitor *each, void *context,
                                        struct error *error);

/* The index on event_id: sorted runs of EVENT_SMALL_RUN rows, replaced by one of EVENT_RUN when
 * enough have gathered, each cut into 64 buckets by the hash's top bits. A row's key is added
 * with day_insert_row(). Rows after the last run are found by looking through them. */
#define EVENT_RUN          16384
#define EVENT_SMALL_RUN    512
#define EVENT_BUCKET(hash) ((hash) >> 58)
struct event_key {
    uint64_t hash; /* hash64(event_id, seed 0) */
    uint64_t index;
};
/* As stored in a bucket: 8 bytes of hash, 8 of index. */
MUST_USE enum status day_write_run(struct day *day, bool all, struct error *error);

#endif
