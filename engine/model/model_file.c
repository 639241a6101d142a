/* Reads an XGBoost model file into a forest.
 *
 * The format is XGBoost's own (doc/model.schema in its source; JSON since 1.0, UBJSON since 1.6): a
 * `learner` with parameters as strings, and per tree one array per property of a node. Every
 * level below has a table of the keys it knows. Where an unknown key could change the scores (the
 * booster and its trees) it is refused, elsewhere it is skipped. Keys come in any order, so most
 * checks wait for the end of their object: see model_check.c. */
#include "engine/model/model_file.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/base/number.h"
#include "engine/model/model_file_priv.h"

/* ---- columns ---- */

enum status column_reserve(struct column *column, size_t n, struct error *error)
{
    if (column->capacity - column->size >= n)
        return STATUS_OK;
    size_t capacity = column->capacity ? column->capacity * 2 : 64;
    while (capacity < column->size + n)
        capacity *= 2;
    void *data = realloc(column->data, capacity * column->item);
    if (!data)
        return error_set(error, STATUS_MEMORY, "out of memory for a model of this size");
    column->data = data;
    column->capacity = capacity;
    return STATUS_OK;
}

static void free_column(struct column *column)
{
    free(column->data);
    *column = (struct column){0};
}

/* ---- what every level uses ---- */

enum status model_wrong_kind(struct model_reader *reader, const char *wanted)
{
    return tokens_error(&reader->tokens, "%s was expected", wanted);
}

static enum status at(struct model_reader *reader, const char *part, enum status status)
{
    char joined[2 * sizeof reader->path];
    if (status == STATUS_OK)
        return status;
    const char *rest = reader->path;
    (void)snprintf(joined, sizeof joined, "%s%s%s", part, *rest && *rest != '[' ? "." : "", rest);
    memcpy(reader->path, joined, sizeof reader->path);
    reader->path[sizeof reader->path - 1] = 0;
    return status;
}

enum status model_at_item(struct model_reader *reader, size_t item, enum status status)
{
    char part[32];
    (void)snprintf(part, sizeof part, "[%zu]", item);
    return at(reader, part, status);
}

/* Reads an object; `strict` refuses keys that the table does not have. */
enum status model_read_object(struct model_reader *reader, const struct token *first,
                              const struct member *members, const char *what, bool strict)
{
    if (first->kind != TOKEN_OBJECT)
        return model_wrong_kind(reader, "an object");
    uint32_t seen = 0;
    for (;;) {
        struct token token;
        enum status status = tokens_next(&reader->tokens, &token);
        if (status || token.kind == TOKEN_OBJECT_END)
            return status;
        size_t i = 0;
        while (members[i].key && !slice_is(token.text, members[i].key))
            i++;
        if (!members[i].key && strict)
            return error_set(reader->error, STATUS_UNSUPPORTED,
                             "%s has \"" SLICE_FORMAT "\", which may change its scores and is not "
                             "known to this version of binnacle",
                             what, token.text.size > 64 ? 64 : (int)token.text.size,
                             token.text.data);
        if (members[i].key && seen & 1u << i)
            return tokens_error(&reader->tokens, "\"%s\" stands there twice", members[i].key);
        if (members[i].key)
            seen |= 1u << i;
        status = tokens_next(&reader->tokens, &token);
        if (!status)
            status = members[i].read ? members[i].read(reader, &token, &members[i])
                                     : tokens_skip(&reader->tokens, &token);
        if (status)
            return members[i].key ? at(reader, members[i].key, status) : status;
    }
}

/* A parameter: XGBoost writes them as strings. */
enum status model_read_integer(struct model_reader *reader, const struct token *first, int64_t *out)
{
    if (first->kind == TOKEN_NUMBER && first->is_integer) {
        *out = first->integer;
        return STATUS_OK;
    }
    if (first->kind != TOKEN_STRING || !integer_parse(first->text, out))
        return model_wrong_kind(reader, "an integer");
    return STATUS_OK;
}

enum status model_read_count(struct model_reader *reader, const struct token *first, int64_t *out)
{
    enum status status = model_read_integer(reader, first, out);
    return !status && *out < 0 ? model_wrong_kind(reader, "an integer from 0 up") : status;
}

/* ---- the document ---- */

static enum status read_version(struct model_reader *reader, const struct token *first,
                                const struct member *member)
{
    (void)member;
    if (first->kind != TOKEN_ARRAY)
        return model_wrong_kind(reader, "an array of numbers");
    char *text = reader->forest->trained_by;
    size_t used = 0, size = sizeof reader->forest->trained_by;
    for (;;) {
        struct token token;
        enum status status = tokens_next(&reader->tokens, &token);
        if (status || token.kind == TOKEN_ARRAY_END)
            return status;
        if (!token.is_integer || token.integer < 0 || token.integer > 9999)
            return model_wrong_kind(reader, "a version number");
        if (used < size)
            used += (size_t)snprintf(text + used, size - used, "%s%lld", used ? "." : "",
                                     (long long)token.integer);
    }
}

static enum status read_document(struct model_reader *reader)
{
    static const struct member members[] = {
        {.key = "learner", .read = model_read_learner},
        {.key = "version", .read = read_version},
        {.key = NULL},
    };
    struct token token;
    enum status status = tokens_next(&reader->tokens, &token);
    if (!status)
        status = model_read_object(reader, &token, members, "the file", false);
    if (!status)
        status = tokens_next(&reader->tokens, &token); /* that nothing follows */
    return status;
}

/* ---- handing over ---- */

static void *take(struct column *column)
{
    void *data = column->data;
    column->data = NULL;
    return data;
}

static void fill_forest(struct model_reader *reader)
{
    struct forest *forest = reader->forest;
    struct column *columns = reader->columns;
    forest->n_nodes = columns[COLUMN_LEFT].size;
    forest->left = take(&columns[COLUMN_LEFT]);
    forest->right = take(&columns[COLUMN_RIGHT]);
    forest->feature = take(&columns[COLUMN_FEATURE]);
    forest->threshold = take(&columns[COLUMN_THRESHOLD]);
    forest->default_left = take(&columns[COLUMN_DEFAULT_LEFT]);
    forest->categorical = take(&columns[COLUMN_CATEGORICAL]);
    forest->cover = take(&columns[COLUMN_COVER]);
    forest->gain = take(&columns[COLUMN_GAIN]);
    forest->base_weight = take(&columns[COLUMN_BASE_WEIGHT]);
    forest->category_first = take(&columns[COLUMN_CATEGORY_FIRST]);
    forest->category_count = take(&columns[COLUMN_CATEGORY_COUNT]);
    forest->n_categories = columns[COLUMN_CATEGORIES].size;
    forest->categories = take(&columns[COLUMN_CATEGORIES]);
    forest->n_trees = reader->trees.size;
    forest->trees = take(&reader->trees);
    forest->trees_per_round = (size_t)reader->trees_per_round;
    if (reader->weights.size)
        forest->tree_weights = take(&reader->weights);
    if (reader->names.size)
        forest->feature_names = take(&reader->names);
    if (reader->types.size)
        forest->feature_types = take(&reader->types);
    forest->n_attributes = reader->attribute_values.size;
    forest->attribute_keys = take(&reader->attribute_keys);
    forest->attribute_values = take(&reader->attribute_values);
    const char *best = forest_attribute(forest, "best_iteration");
    int64_t round;
    forest->best_iteration = -1;
    if (best && integer_parse(slice_of(best), &round) && round >= 0 &&
        (uint64_t)round < forest->n_trees / forest->trees_per_round)
        forest->best_iteration = round;
}

static void free_texts(struct column *column)
{
    for (size_t i = 0; column->data && i < column->size; i++)
        free(((char **)column->data)[i]);
    free_column(column);
}

static void reader_free(struct model_reader *reader)
{
    for (int i = 0; i < COLUMNS; i++)
        free_column(&reader->columns[i]);
    free_column(&reader->trees);
    free_column(&reader->weights);
    free_column(&reader->rounds);
    free_column(&reader->scratch);
    free_texts(&reader->names);
    free_texts(&reader->types);
    free_texts(&reader->attribute_keys);
    free_texts(&reader->attribute_values);
    tokens_free(&reader->tokens);
    forest_destroy(reader->forest);
}

static void reader_init(struct model_reader *reader, struct error *error)
{
    *reader = (struct model_reader){.error = error, .num_trees = -1, .trees_per_round = 1};
    for (int i = 0; i < COLUMNS; i++)
        reader->columns[i].item = sizeof(int32_t);
    reader->columns[COLUMN_DEFAULT_LEFT].item = sizeof(uint8_t);
    reader->columns[COLUMN_CATEGORICAL].item = sizeof(uint8_t);
    reader->trees.item = sizeof(struct forest_tree);
    reader->weights.item = sizeof(float);
    reader->scratch.item = reader->rounds.item = sizeof(int32_t);
    reader->names.item = reader->types.item = sizeof(char *);
    reader->attribute_keys.item = reader->attribute_values.item = sizeof(char *);
}

/* 1002 for "1.2.1"; INT_MAX when the file does not say. */
static int version_of(const struct forest *forest)
{
    char *after;
    long major = strtol(forest->trained_by, &after, 10);
    long minor = *after == '.' ? strtol(after + 1, &after, 10) : 0;
    return forest->trained_by[0] ? (int)(major * 1000 + minor) : INT_MAX;
}

/* base_score as the version that wrote it understands it. Until XGBoost 1.2 binary:logitraw kept it
 * as a probability, since then as a margin. Since 3.2 the logistic objectives bring it within 1e-6
 * of 0 and 1, and so take even those: the intercept of labels that are all alike. */
static void adapt_base_score(struct forest *forest)
{
    static const float least = 1e-6f;
    int version = version_of(forest);
    float *score = &forest->base_score;
    if (forest->objective == OBJECTIVE_BINARY_LOGITRAW && version <= 1002)
        *score = -logf(1.0f / *score - 1.0f);
    if (!objective_is_logistic(forest->objective) || version < 3002 || version == INT_MAX)
        return;
    if (*score >= 0 && *score < least)
        *score = least;
    if (*score <= 1 && *score > 1.0f - least)
        *score = 1.0f - least;
}

enum status forest_read(struct slice bytes, struct forest **forest, struct error *error)
{
    struct error unused;
    struct model_reader *reader = malloc(sizeof *reader);
    if (!reader)
        return error_set(error, STATUS_MEMORY, "out of memory");
    error = error ? error : &unused;
    reader_init(reader, error);
    reader->forest = calloc(1, sizeof *reader->forest);
    enum status status = reader->forest ? tokens_init(&reader->tokens, bytes, error)
                                        : error_set(error, STATUS_MEMORY, "out of memory");
    if (!status) {
        status = read_document(reader);
        if (status && reader->path[0])
            error_prefix(error, "%s", reader->path);
    }
    if (!status) {
        adapt_base_score(reader->forest);
        status = model_check_all(reader);
    }
    if (!status) {
        fill_forest(reader);
        *forest = reader->forest;
        reader->forest = NULL;
    }
    reader_free(reader);
    free(reader);
    return status;
}

enum status forest_read_file(const char *path, struct forest **forest, struct error *error)
{
    struct buffer bytes;
    buffer_init(&bytes, MODEL_FILE_MAX_BYTES);
    enum status status = file_read_whole(path, &bytes, error);
    if (!status) {
        status = forest_read(buffer_slice(&bytes), forest, error);
        if (status)
            error_prefix(error, "%s", path);
    }
    buffer_free(&bytes);
    return status;
}
