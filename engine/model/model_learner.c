/* The `learner` of a model file: its parameters, objective, names and attributes; the booster is
 * read in model_trees.c. */
#include <string.h>

#include "engine/base/number.h"
#include "engine/model/model_file_priv.h"

#define MAX_ATTRIBUTES 1024

static enum status add_text(struct model_reader *reader, struct column *column, struct slice text)
{
    enum status status = column_reserve(column, 1, reader->error);
    if (status)
        return status;
    char *copy = strndup(text.size ? text.data : "", text.size);
    if (!copy)
        return error_set(reader->error, STATUS_MEMORY, "out of memory");
    ((char **)column->data)[column->size++] = copy;
    return STATUS_OK;
}

static enum status read_texts(struct model_reader *reader, const struct token *first,
                              struct column *column)
{
    if (first->kind != TOKEN_ARRAY)
        return model_wrong_kind(reader, "an array of strings");
    for (;;) {
        struct token token;
        enum status status = tokens_next(&reader->tokens, &token);
        if (status || token.kind == TOKEN_ARRAY_END)
            return status;
        if (token.kind != TOKEN_STRING)
            return model_at_item(reader, column->size, model_wrong_kind(reader, "a string"));
        if (column->size == MODEL_MAX_FEATURES)
            return tokens_error(&reader->tokens, "more than %d names", MODEL_MAX_FEATURES);
        status = add_text(reader, column, token.text);
        if (status)
            return status;
    }
}

static enum status read_base_score(struct model_reader *reader, const struct token *first,
                                   const struct member *member);

static enum status several_base_scores(struct model_reader *reader)
{
    return error_set(reader->error, STATUS_UNSUPPORTED,
                     "base_score has several numbers: only models with one output can be scored");
}

/* An array of one number, or of its text. */
static enum status read_base_score_array(struct model_reader *reader, const struct member *member)
{
    struct token token;
    enum status status = tokens_next(&reader->tokens, &token);
    if (!status && token.kind != TOKEN_NUMBER && token.kind != TOKEN_STRING)
        return model_wrong_kind(reader, "a number as base_score");
    if (!status)
        status = read_base_score(reader, &token, member);
    if (!status)
        status = tokens_next(&reader->tokens, &token);
    return status || token.kind == TOKEN_ARRAY_END ? status : several_base_scores(reader);
}

/* "0.5", "5E-1", or since XGBoost 3.1 a list of one, "[5E-1]". */
static enum status read_base_score(struct model_reader *reader, const struct token *first,
                                   const struct member *member)
{
    reader->has_base_score = true;
    if (first->kind == TOKEN_NUMBER) {
        reader->forest->base_score = first->real;
        return STATUS_OK;
    }
    if (first->kind == TOKEN_ARRAY)
        return read_base_score_array(reader, member);
    if (first->kind != TOKEN_STRING)
        return model_wrong_kind(reader, "a number as base_score");
    struct slice text = slice_trim(first->text);
    if (text.size >= 2 && text.data[0] == '[' && text.data[text.size - 1] == ']')
        text = slice_trim(slice_make(text.data + 1, text.size - 2));
    if (text.size && memchr(text.data, ',', text.size))
        return several_base_scores(reader);
    if (!float_parse(text, &reader->forest->base_score))
        return model_wrong_kind(reader, "a number as base_score");
    return STATUS_OK;
}

static enum status read_num_feature(struct model_reader *reader, const struct token *first,
                                    const struct member *member)
{
    (void)member;
    int64_t n;
    enum status status = model_read_integer(reader, first, &n);
    if (status)
        return status;
    if (n < 1 || n > MODEL_MAX_FEATURES)
        return tokens_error(&reader->tokens, "num_feature is %lld, not 1 to %d", (long long)n,
                            MODEL_MAX_FEATURES);
    reader->forest->n_features = (size_t)n;
    return STATUS_OK;
}

static enum status read_one_output(struct model_reader *reader, const struct token *first,
                                   const struct member *member)
{
    int64_t n;
    enum status status = model_read_integer(reader, first, &n);
    if (!status && n > 1)
        return error_set(reader->error, STATUS_UNSUPPORTED,
                         "%s is %lld: only binary classifiers and regressions with one output can "
                         "be scored",
                         member->key, (long long)n);
    return status;
}

static enum status read_learner_param(struct model_reader *reader, const struct token *first,
                                      const struct member *member)
{
    (void)member;
    static const struct member members[] = {
        {.key = "base_score", .read = read_base_score},
        {.key = "num_feature", .read = read_num_feature},
        {.key = "num_class", .read = read_one_output},
        {.key = "num_target", .read = read_one_output},
        {.key = NULL},
    };
    return model_read_object(reader, first, members, "learner_model_param", false);
}

static enum status read_objective_name(struct model_reader *reader, const struct token *first,
                                       const struct member *member)
{
    (void)member;
    if (first->kind != TOKEN_STRING)
        return model_wrong_kind(reader, "the objective's name");
    for (int i = 0; i < OBJECTIVE_COUNT; i++)
        if (slice_is(first->text, objective_name((enum model_objective)i))) {
            reader->forest->objective = (enum model_objective)i;
            reader->has_objective = true;
            return STATUS_OK;
        }
    return error_set(
        reader->error, STATUS_UNSUPPORTED,
        "its objective is \"%.*s\": binary:logistic, binary:logitraw, reg:logistic and "
        "reg:squarederror can be scored",
        first->text.size > 64 ? 64 : (int)first->text.size, first->text.data);
}

static enum status read_objective(struct model_reader *reader, const struct token *first,
                                  const struct member *member)
{
    (void)member;
    static const struct member members[] = {
        {.key = "name", .read = read_objective_name},
        {.key = NULL},
    };
    return model_read_object(reader, first, members, "objective", false);
}

static enum status read_names(struct model_reader *reader, const struct token *first,
                              const struct member *member)
{
    (void)member;
    return read_texts(reader, first, &reader->names);
}

static enum status read_types(struct model_reader *reader, const struct token *first,
                              const struct member *member)
{
    (void)member;
    return read_texts(reader, first, &reader->types);
}

static bool has_attribute(const struct model_reader *reader, struct slice key)
{
    char *const *keys = reader->attribute_keys.data;
    for (size_t i = 0; i < reader->attribute_keys.size; i++)
        if (slice_is(key, keys[i]))
            return true;
    return false;
}

static enum status read_attributes(struct model_reader *reader, const struct token *first,
                                   const struct member *member)
{
    (void)member;
    if (first->kind != TOKEN_OBJECT)
        return model_wrong_kind(reader, "an object");
    for (;;) {
        struct token token;
        enum status status = tokens_next(&reader->tokens, &token);
        if (status || token.kind == TOKEN_OBJECT_END)
            return status;
        if (reader->attribute_keys.size == MAX_ATTRIBUTES)
            return tokens_error(&reader->tokens, "more than %d attributes", MAX_ATTRIBUTES);
        if (has_attribute(reader, token.text))
            return tokens_error(&reader->tokens, "\"" SLICE_FORMAT "\" stands there twice",
                                token.text.size > 64 ? 64 : (int)token.text.size, token.text.data);
        status = add_text(reader, &reader->attribute_keys, token.text);
        if (!status)
            status = tokens_next(&reader->tokens, &token);
        if (status)
            return status;
        if (token.kind != TOKEN_STRING)
            return model_wrong_kind(reader, "a string");
        status = add_text(reader, &reader->attribute_values, token.text);
        if (status)
            return status;
    }
}

enum status model_read_learner(struct model_reader *reader, const struct token *first,
                               const struct member *member)
{
    (void)member;
    static const struct member members[] = {
        {.key = "attributes", .read = read_attributes},
        {.key = "feature_names", .read = read_names},
        {.key = "feature_types", .read = read_types},
        {.key = "gradient_booster", .read = model_read_booster},
        {.key = "learner_model_param", .read = read_learner_param},
        {.key = "objective", .read = read_objective},
        {.key = NULL},
    };
    return model_read_object(reader, first, members, "learner", false);
}
