/* Between the reader of model files and the checks of what was read. */
#ifndef BINNACLE_MODEL_MODEL_FILE_PRIV_H
#define BINNACLE_MODEL_MODEL_FILE_PRIV_H

#include "engine/model/model_file.h"
#include "engine/model/tokens.h"

/* A growing array of items of one size. */
struct column {
    void *data;
    size_t size; /* items */
    size_t capacity;
    size_t item; /* bytes */
};

/* A tree's arrays in the file. Those up to COLUMN_NODES hold a value per node of all trees so far;
 * the ones after it are of the tree being read only. */
enum column_id {
    COLUMN_LEFT,
    COLUMN_RIGHT,
    COLUMN_FEATURE,
    COLUMN_THRESHOLD,
    COLUMN_DEFAULT_LEFT,
    COLUMN_CATEGORICAL,
    COLUMN_COVER,
    COLUMN_GAIN,
    COLUMN_BASE_WEIGHT,
    COLUMN_CATEGORY_FIRST, /* computed, not in the file */
    COLUMN_CATEGORY_COUNT, /* likewise */
    COLUMN_NODES,
    COLUMN_PARENTS = COLUMN_NODES,
    COLUMN_CATEGORY_NODES,
    COLUMN_CATEGORY_SEGMENTS,
    COLUMN_CATEGORY_SIZES,
    COLUMN_CATEGORIES, /* of all trees */
    COLUMNS
};

struct model_reader {
    struct tokens tokens;
    struct error *error;
    struct forest *forest; /* its arrays are filled from the columns at the end */
    struct column columns[COLUMNS];
    struct column trees;        /* struct forest_tree */
    struct column weights;      /* float */
    struct column rounds;       /* int32_t: each one's first tree, and the end */
    struct column names, types; /* char * */
    struct column attribute_keys, attribute_values; /* char * */
    struct column scratch;                          /* for the checks */
    size_t first_node;                              /* of the tree being read */
    size_t first_category;
    int64_t num_nodes; /* -1: not stated */
    int64_t num_trees; /* -1: not stated */
    int64_t trees_per_round;
    size_t n_tree_info;
    bool has_objective, has_base_score, has_booster, has_trees, has_tree_info;
    char path[160]; /* of what was wrong, "learner.objective.name" */
};

/* How an item of an array stands in its column. */
enum item_kind { ITEM_INT, ITEM_FLAG, ITEM_REAL };

/* A key of an object and what reads its value. */
struct member {
    const char *key;
    enum status (*read)(struct model_reader *reader, const struct token *first,
                        const struct member *member); /* NULL: skipped */
    enum column_id column;                            /* for arrays */
    enum item_kind kind;
};

/* "byte N: WANTED was expected". */
enum status model_wrong_kind(struct model_reader *reader, const char *wanted);
/* Reads the object that begins with `first` by a table of its keys, which ends with a NULL key.
 * `strict` refuses keys that the table does not have; `what` is the object's name for that error.
 */
enum status model_read_object(struct model_reader *reader, const struct token *first,
                              const struct member *members, const char *what, bool strict);
/* Puts an item of an array before the path of what was wrong; returns the status. */
enum status model_at_item(struct model_reader *reader, size_t item, enum status status);
/* An integer, which XGBoost writes as a string. */
enum status model_read_integer(struct model_reader *reader, const struct token *first,
                               int64_t *out);
/* The same, and not negative. */
enum status model_read_count(struct model_reader *reader, const struct token *first, int64_t *out);
enum status model_read_learner(struct model_reader *reader, const struct token *first,
                               const struct member *member);
enum status model_read_booster(struct model_reader *reader, const struct token *first,
                               const struct member *member);

/* STATUS_OK with room for n more items, or STATUS_MEMORY. */
enum status column_reserve(struct column *column, size_t n, struct error *error);

/* Checks the tree that begins at reader->first_node, drops deleted nodes, and adds it to the
 * trees. */
enum status model_check_tree(struct model_reader *reader);
/* What can be said only when the whole file was read. */
enum status model_check_all(struct model_reader *reader);

#endif
