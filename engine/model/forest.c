/* What a forest owns, and the words for its objectives. */
#include "engine/model/forest.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    bool logistic;
} objectives[OBJECTIVE_COUNT] = {
    [OBJECTIVE_BINARY_LOGISTIC] = {"binary:logistic", true},
    [OBJECTIVE_BINARY_LOGITRAW] = {"binary:logitraw", false},
    [OBJECTIVE_REG_LOGISTIC] = {"reg:logistic", true},
    [OBJECTIVE_REG_SQUAREDERROR] = {"reg:squarederror", false},
};

const char *objective_name(enum model_objective objective)
{
    return (unsigned)objective < OBJECTIVE_COUNT ? objectives[objective].name : "unknown";
}

bool objective_is_logistic(enum model_objective objective)
{
    return (unsigned)objective < OBJECTIVE_COUNT && objectives[objective].logistic;
}

static void free_texts(char **texts, size_t n)
{
    for (size_t i = 0; texts && i < n; i++)
        free(texts[i]);
    free(texts);
}

void forest_destroy(struct forest *forest)
{
    if (!forest)
        return;
    free_texts(forest->feature_names, forest->n_features);
    free_texts(forest->feature_types, forest->n_features);
    free_texts(forest->attribute_keys, forest->n_attributes);
    free_texts(forest->attribute_values, forest->n_attributes);
    void *const arrays[] = {
        forest->trees,      forest->left,         forest->right,          forest->feature,
        forest->threshold,  forest->default_left, forest->categorical,    forest->cover,
        forest->gain,       forest->base_weight,  forest->category_first, forest->category_count,
        forest->categories, forest->tree_weights,
    };
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        free(arrays[i]);
    free(forest);
}

const char *forest_attribute(const struct forest *forest, const char *key)
{
    for (size_t i = 0; i < forest->n_attributes; i++)
        if (strcmp(forest->attribute_keys[i], key) == 0)
            return forest->attribute_values[i];
    return NULL;
}
