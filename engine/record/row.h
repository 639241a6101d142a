/* One row of the ledger: what is written, hashed and read back. */
#ifndef BINNACLE_RECORD_ROW_H
#define BINNACLE_RECORD_ROW_H

#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"
#include "engine/decide/outcome.h"
#include "engine/feature/vector.h"

/* The kinds of row that are leaves of the hash tree and share one sequence of indexes. The
 * numbers are part of the leaf bytes. */
enum row_kind { ROW_DECISION = 1, ROW_LABEL = 2, ROW_ACTION = 3 };

#define FEATURE_SET_SIZE 16 /* of the digest that names an ordered list of features */

struct row_reason {
    struct slice code;
    int feature; /* index in the row's feature set */
    float value; /* as served; NaN: missing */
    float contribution;
};

struct row_shadow {
    struct slice model, version;
    float score;
};

/* Slices and pointers are borrowed: from the caller when writing, from the reader (until its next
 * row) when reading. Fields of another kind are zero. */
struct ledger_row {
    enum row_kind kind;
    uint64_t index;      /* the leaf's; place in the tree, so not part of the leaf */
    int64_t at_us;       /* decided, or received: on the engine's clock */
    struct slice source; /* name; empty: none */
    int32_t part;
    int64_t offset;

    struct slice event_id; /* decision, label */

    struct slice entity; /* decision from here: pseudonym where the field is personal */
    int64_t event_us;
    struct slice contract, contract_version;
    struct slice input; /* canonical JSON of the event, personal fields pseudonymised */
    uint8_t feature_set[FEATURE_SET_SIZE];
    const float *features;
    size_t n_features;
    float score, margin;
    enum decision decision;
    struct slice rule;
    const struct row_reason *reasons;
    int n_reasons;
    struct slice model, model_version;
    enum variant variant;
    const struct row_shadow *shadows;
    int n_shadows;
    uint8_t trace_id[16];
    int64_t latency_us;

    int label; /* label: 0 or 1 */
    int64_t observed_us;

    struct slice who, what, arguments; /* action; arguments is JSON */

    /* Reading only: names of `features`, as long as the reader lives; NULL without features. */
    const struct feature_schema *names;
};

/* Digest of an ordered feature list: the first 16 bytes of SHA-256 over each name followed by a
 * zero byte. */
MUST_USE enum status feature_set_digest(const struct feature_schema *names,
                                        uint8_t digest[FEATURE_SET_SIZE]);

/* Appends the canonical bytes of the row's leaf, version 1: see README.md. Everything recorded is
 * in them, nothing that depends on when or in which group it was committed. */
bool leaf_encode(const struct ledger_row *row, struct buffer *out);

/* Where leaf_decode() puts what the row points to. */
struct leaf_storage {
    float features[MAX_FEATURES];
    struct row_reason reasons[MAX_FEATURES];
    struct row_shadow shadows[MAX_SHADOWS];
};
/* The reverse; slices borrow from `leaf`. STATUS_CORRUPT when these are not whole leaf bytes. */
MUST_USE enum status leaf_decode(struct slice leaf, struct leaf_storage *storage,
                                 struct ledger_row *row);

/* Writes the answer of POST /v1/score as one JSON object; `max_reasons` < 0: all of them.
 * `duplicate` is what the answer says of itself. */
void row_answer_json(const struct ledger_row *row, bool duplicate, int max_reasons,
                     struct buffer *out);
/* The line of `binnacle query`: the answer plus event_ts, decided_at, features and input. */
void row_query_json(const struct ledger_row *row, struct buffer *out);

#endif
