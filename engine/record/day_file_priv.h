/* The inside of a day file being written: shared by its tables (day.c, day_decisions.c) and its
 * event index (event_index.c). */
#ifndef BINNACLE_RECORD_DAY_FILE_PRIV_H
#define BINNACLE_RECORD_DAY_FILE_PRIV_H

#include "engine/base/db.h"
#include "engine/record/day_priv.h"
#include "engine/record/names_priv.h"

enum statement {
    INSERT_NAME,
    INSERT_FEATURES,
    INSERT_DECISIONS,
    INSERT_LABEL,
    INSERT_ACTION,
    INSERT_QUARANTINE,
    INSERT_MARK,
    INSERT_GROUP,
    INSERT_HEAD,
    INSERT_HEAD_KEY,
    INSERT_NODE,
    INSERT_RUN,
    DELETE_RUNS,
    DELETE_KEYS,
    INSERT_KEYS,
    WRITE_STATE,
    WRITE_POSITION,
    READ_POSITIONS,
    STATEMENTS
};

#define MAX_FEATURE_SETS  64
#define DECISION_ROWS     "waiting_decisions"
#define DECISION_COLUMNS  25
#define DECISIONS_AT_ONCE 64 /* rows that one statement inserts */

/* Columns of a decision whose bytes are packed when it is added. */
enum { PACKED_FEATURES, PACKED_REASONS, PACKED_SHADOWS, PACKED_TRACE, DECISION_PARTS };

/* Where in decision_bytes each of them begins; it ends where the next begins. */
struct decision_parts {
    size_t at[DECISION_PARTS + 1];
};

/* Columns of a decision that are names. */
enum {
    NAME_SOURCE,
    NAME_CONTRACT,
    NAME_CONTRACT_VERSION,
    NAME_RULE,
    NAME_MODEL,
    NAME_MODEL_VERSION,
    DECISION_NAMES
};

struct day {
    int64_t number;
    struct db *db;
    struct db_stmt *statements[STATEMENTS];
    struct names names;
    uint8_t feature_sets[MAX_FEATURE_SETS][FEATURE_SET_SIZE]; /* id - 1 */
    size_t n_feature_sets;
    struct event_key *keys; /* rows since the last full run */
    size_t small_keys;      /* of them, those in small runs already */
    size_t n_keys, keys_capacity;
    struct db_rows decisions; /* rows that wait to be inserted: values[] below */
    struct db_value values[DECISIONS_AT_ONCE * DECISION_COLUMNS];
    struct decision_parts parts[DECISIONS_AT_ONCE];
    struct buffer decision_bytes;
    uint32_t usual_names[DECISION_NAMES]; /* of the decision before; 0: none */
    struct buffer scratch, group_scratch;
    struct buffer new_quarantine, new_marks; /* of the open transaction, as in rest_priv.h */
    uint64_t n_marks;                        /* number of the last one */
    size_t committed_names;                  /* those after it are the open transaction's */
    size_t run_keys; /* keys that the open transaction has written as a full run */
};

/* day.c: the number of a name, which is written when it is new; 0 for none. */
MUST_USE enum status day_name_id(struct day *day, struct slice name, uint32_t *id,
                                 struct error *error);
int64_t day_feature_set_id(const struct day *day, const uint8_t digest[FEATURE_SET_SIZE]);

/* day_decisions.c */
MUST_USE enum status day_offer_decisions(struct day *day, struct error *error);
void day_forget_decisions(struct day *day);
MUST_USE enum status day_add_decision(struct day *day, const struct ledger_row *row,
                                      const uint8_t leaf_hash[SHA256_SIZE], struct error *error);

/* event_index.c */
MUST_USE enum status day_add_key(struct day *day, struct slice event_id, uint64_t index);
/* Keys of the rows after the last run. */
MUST_USE enum status day_load_keys(struct day *day, struct error *error);

/* day_proof.c */
MUST_USE enum status day_load_marks(struct day *day, struct error *error);
/* state->rest and everything that one transaction leaves in `state` and `positions`. */
MUST_USE enum status day_state_digest(struct day *day, const struct day_state *state,
                                      struct slice edges, const uint8_t root[SHA256_SIZE],
                                      uint8_t digest[SHA256_SIZE], struct error *error);

/* That `state` and the positions have the digest that stands in the file. STATUS_CORRUPT. */
MUST_USE enum status day_check_state(struct day *day, const struct day_state *state,
                                     struct error *error);

#endif
