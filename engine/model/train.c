/* Trains with libxgboost: a matrix, parameters as text, round after round. Runs in a command or a
 * job, never on the path of events; only here the library may use several threads. The result is
 * the library's JSON, which is then read and loaded like any other model file. */
#include "engine/model/train.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/number.h"
#include "engine/model/forest.h"
#include "engine/model/xgboost_priv.h"

#define OPTION(type, member) CONFIG_##type, offsetof(struct train_options, member)

/* clang-format off */
/* The `train:` map of binnacle.yaml, one row a parameter. */
static const struct config_key TRAIN_KEYS[] = {
    {"objective", OPTION(STRING, objective), false, 0, 0,
     "binary:logistic (default), binary:logitraw, reg:logistic or reg:squarederror"},
    {"rounds", OPTION(INT, rounds), false, 1, 100000, "trees; default 100"},
    {"max_depth", OPTION(INT, max_depth), false, 1, 64, "levels of a tree; default 6"},
    {"eta", OPTION(NUMBER, eta), false, 1e-6, 1, "step of a round; default 0.3"},
    {"subsample", OPTION(NUMBER, subsample), false, 1e-6, 1, "share of rows a tree sees; default 1"},
    {"colsample", OPTION(NUMBER, colsample), false, 1e-6, 1,
     "share of features a tree sees; default 1"},
    {"min_child_weight", OPTION(NUMBER, min_child_weight), false, 0, 1e9,
     "least sum of hessians in a leaf; default 1"},
    {"lambda", OPTION(NUMBER, lambda), false, 0, 1e9, "L2 penalty of leaves; default 1"},
    {"alpha", OPTION(NUMBER, alpha), false, 0, 1e9, "L1 penalty of leaves; default 0"},
    {"gamma", OPTION(NUMBER, gamma), false, 0, 1e9, "least gain of a split; default 0"},
    {"scale_pos_weight", OPTION(NUMBER, scale_pos_weight), false, 1e-6, 1e9,
     "weight of positives; default 1"},
    {"max_bin", OPTION(INT, max_bin), false, 2, 65536, "histogram bins of a feature; default 256"},
    {"seed", OPTION(INT, seed), false, 0, 2147483647, "of sampling; default 0"},
    {"threads", OPTION(INT, threads), false, 0, 1024, "default 0: every processor"},
    {"early_stopping", OPTION(INT, early_stopping), false, 0, 100000,
     "rounds without a better validation before it stops; default 0: never"},
    {"validation", OPTION(NUMBER, validation), false, 0.01, 0.9,
     "share of the last rows that early stopping looks at; default 0.2"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};
/* clang-format on */

void train_defaults(struct train_options *options)
{
    *options = (struct train_options){
        .objective = objective_name(OBJECTIVE_BINARY_LOGISTIC),
        .rounds = 100,
        .max_depth = 6,
        .eta = 0.3,
        .subsample = 1,
        .colsample = 1,
        .min_child_weight = 1,
        .lambda = 1,
        .scale_pos_weight = 1,
        .max_bin = 256,
        .validation = 0.2,
    };
}

static bool is_objective(const char *word)
{
    for (int i = 0; i < OBJECTIVE_COUNT; i++)
        if (strcmp(word, objective_name((enum model_objective)i)) == 0)
            return true;
    return false;
}

enum status train_options_read(const struct yaml_node *map, struct train_options *options,
                               struct error *error)
{
    struct train_options read = *options;
    enum status status = map ? config_read(map, TRAIN_KEYS, &read, error) : STATUS_OK;
    if (status)
        return status;
    if (!is_objective(read.objective)) {
        const char *words[OBJECTIVE_COUNT];
        for (int i = 0; i < OBJECTIVE_COUNT; i++)
            words[i] = objective_name((enum model_objective)i);
        return yaml_error(yaml_get(map, "objective"), error, "there is no objective \"%.40s\"%s",
                          read.objective,
                          did_you_mean(nearest_word(read.objective, words, OBJECTIVE_COUNT)).text);
    }
    *options = read;
    return STATUS_OK;
}

/* ---- what is learnt from ---- */

static enum status check_label(const struct train_options *options, float label, size_t row,
                               struct error *error)
{
    bool classes = strcmp(options->objective, "reg:squarederror") != 0;
    bool fits = classes ? label == 0 || label == 1 : isfinite(label);
    if (fits)
        return STATUS_OK;
    return error_set(error, STATUS_INVALID, "row %zu has the label %g; %s wants %s", row + 1,
                     (double)label, options->objective, classes ? "0 or 1" : "a finite number");
}

static enum status check_set(const struct train_set *set, const struct train_options *options,
                             struct error *error)
{
    if (set->n_rows == 0 || set->n_features == 0)
        return error_set(error, STATUS_INVALID, "nothing to learn from: %zu rows of %zu features",
                         set->n_rows, set->n_features);
    bool differ = false;
    for (size_t i = 0; i < set->n_rows; i++) {
        enum status status = check_label(options, set->labels[i], i, error);
        if (status)
            return status;
        differ = differ || set->labels[i] != set->labels[0];
        for (size_t k = 0; k < set->n_features; k++)
            if (isinf(set->rows[i * set->n_features + k]))
                return error_set(error, STATUS_INVALID, "row %zu: %s is infinite", i + 1,
                                 set->feature_names[k]);
    }
    if (!differ)
        return error_set(error, STATUS_INVALID, "every row has the label %g: nothing to tell apart",
                         (double)set->labels[0]);
    return STATUS_OK;
}

/* ---- the library ---- */

struct trainer {
    struct xgboost xgboost;
    const struct train_set *set;
    const struct train_options *options;
    struct error *error;
    DMatrixHandle train, validation; /* validation NULL without early stopping */
    BoosterHandle booster;
    int64_t best_round;
    double best_metric;
    char threads[24];
};

static enum status failed(struct trainer *trainer, const char *what)
{
    return xgboost_failed(&trainer->xgboost, trainer->error, what);
}

static enum status make_matrix(struct trainer *trainer, size_t first, size_t n,
                               DMatrixHandle *matrix)
{
    char array[256], config[64];
    size_t width = trainer->set->n_features;
    snprintf(array, sizeof array,
             "{\"data\":[%zu,true],\"shape\":[%zu,%zu],\"typestr\":\"<f4\",\"version\":3}",
             (size_t)(uintptr_t)(trainer->set->rows + first * width), n, width);
    snprintf(config, sizeof config, "{\"missing\":NaN,\"nthread\":%s}", trainer->threads);
    if (trainer->xgboost.XGDMatrixCreateFromDense(array, config, matrix) ||
        trainer->xgboost.XGDMatrixSetFloatInfo(*matrix, "label", trainer->set->labels + first, n))
        return failed(trainer, "the training matrix");
    return STATUS_OK;
}

static enum status make_matrices(struct trainer *trainer)
{
    size_t n = trainer->set->n_rows, n_validation = 0;
    if (trainer->options->early_stopping > 0)
        n_validation = (size_t)((double)n * trainer->options->validation);
    if (n_validation == n)
        n_validation = n - 1;
    enum status status = make_matrix(trainer, 0, n - n_validation, &trainer->train);
    if (!status && n_validation)
        status = make_matrix(trainer, n - n_validation, n_validation, &trainer->validation);
    return status;
}

static enum status set_number(struct trainer *trainer, const char *name, double number)
{
    char text[NUMBER_TEXT_SIZE];
    number_format(number, text);
    return trainer->xgboost.XGBoosterSetParam(trainer->booster, name, text) ? failed(trainer, name)
                                                                            : STATUS_OK;
}

static enum status set_parameters(struct trainer *trainer)
{
    const struct train_options *options = trainer->options;
    const struct {
        const char *name;
        double number;
    } numbers[] = {
        {"max_depth", (double)options->max_depth},
        {"eta", options->eta},
        {"subsample", options->subsample},
        {"colsample_bytree", options->colsample},
        {"min_child_weight", options->min_child_weight},
        {"lambda", options->lambda},
        {"alpha", options->alpha},
        {"gamma", options->gamma},
        {"scale_pos_weight", options->scale_pos_weight},
        {"max_bin", (double)options->max_bin},
        {"seed", (double)options->seed},
    };
    /* clang-format off */
    const char *const texts[][2] = {
        {"verbosity", "0"},
        {"nthread", trainer->threads},
        {"booster", "gbtree"},
        {"tree_method", "hist"},
        {"objective", options->objective},
        {"eval_metric", strcmp(options->objective, "reg:squarederror") ? "logloss" : "rmse"},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (trainer->xgboost.XGBoosterSetParam(trainer->booster, texts[i][0], texts[i][1]))
            return failed(trainer, texts[i][0]);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        enum status status = set_number(trainer, numbers[i].name, numbers[i].number);
        if (status)
            return status;
    }
    return STATUS_OK;
}

/* The metric of the validation rows, or NaN without any. */
static enum status evaluate(struct trainer *trainer, int round, double *metric)
{
    *metric = (double)NAN;
    if (!trainer->validation)
        return STATUS_OK;
    DMatrixHandle matrices[] = {trainer->validation};
    const char *names[] = {"validation"}, *text;
    if (trainer->xgboost.XGBoosterEvalOneIter(trainer->booster, round, matrices, names, 1, &text))
        return failed(trainer, "validation");
    const char *colon = strrchr(text, ':');
    if (!colon || !number_parse(slice_of(colon + 1), metric))
        return error_set(trainer->error, STATUS_UNSUPPORTED, "libxgboost reports \"%.80s\"", text);
    return STATUS_OK;
}

static enum status run_rounds(struct trainer *trainer, const struct train_progress *progress)
{
    int64_t rounds = trainer->options->rounds;
    for (int64_t round = 0; round < rounds; round++) {
        double metric;
        if (trainer->xgboost.XGBoosterUpdateOneIter(trainer->booster, (int)round, trainer->train))
            return failed(trainer, "training");
        enum status status = evaluate(trainer, (int)round, &metric);
        if (status)
            return status;
        if (trainer->best_round < 0 || metric < trainer->best_metric || isnan(metric)) {
            trainer->best_round = round;
            trainer->best_metric = metric;
        }
        if (progress && !progress->step(progress->context, round + 1, rounds, metric))
            break;
        if (round - trainer->best_round >= trainer->options->early_stopping && trainer->validation)
            break;
    }
    return STATUS_OK;
}

/* After early stopping, the rounds up to the best are the model. */
static enum status cut_to_best(struct trainer *trainer)
{
    BoosterHandle cut;
    if (!trainer->validation)
        return STATUS_OK;
    if (trainer->xgboost.XGBoosterSlice(trainer->booster, 0, (int)trainer->best_round + 1, 1, &cut))
        return failed(trainer, "the best rounds");
    trainer->xgboost.XGBoosterFree(trainer->booster);
    trainer->booster = cut;
    return STATUS_OK;
}

#define ATTRIBUTE_BYTES ((size_t)64 << 20)

/* Appends the scores of a matrix; NULL: of none. */
static enum status predict(struct trainer *trainer, DMatrixHandle matrix, float *scores, size_t *n)
{
    static const char config[] = "{\"type\":0,\"training\":false,\"iteration_begin\":0,"
                                 "\"iteration_end\":0,\"strict_shape\":false}";
    const bst_ulong *shape;
    bst_ulong n_dimensions;
    const float *result;
    if (!matrix)
        return STATUS_OK;
    if (trainer->xgboost.XGBoosterPredictFromDMatrix(trainer->booster, matrix, config, &shape,
                                                     &n_dimensions, &result))
        return failed(trainer, "the scores of the training rows");
    if (n_dimensions != 1 || shape[0] > trainer->set->n_rows - *n)
        return error_set(trainer->error, STATUS_UNSUPPORTED,
                         "libxgboost gives another number of scores than there are rows");
    memcpy(scores + *n, result, shape[0] * sizeof *scores);
    *n += shape[0];
    return STATUS_OK;
}

static enum status set_written(struct trainer *trainer, const struct train_attribute *attribute)
{
    size_t n = 0;
    float *scores = calloc(trainer->set->n_rows, sizeof *scores);
    struct buffer text;
    buffer_init(&text, ATTRIBUTE_BYTES);
    enum status status = scores ? predict(trainer, trainer->train, scores, &n)
                                : error_set(trainer->error, STATUS_MEMORY, "out of memory");
    if (!status)
        status = predict(trainer, trainer->validation, scores, &n);
    bool written = !status && attribute->write(attribute->context, scores, n, &text);
    buffer_append_char(&text, '\0');
    if (!status && (!written || text.overflow))
        status = error_set(trainer->error, STATUS_MEMORY, "out of memory for the attribute %s",
                           attribute->key);
    if (!status && trainer->xgboost.XGBoosterSetAttr(trainer->booster, attribute->key, text.data))
        status = failed(trainer, "an attribute");
    buffer_free(&text);
    free(scores);
    return status;
}

static enum status set_attribute(struct trainer *trainer, const struct train_attribute *attribute)
{
    if (!attribute->value)
        return set_written(trainer, attribute);
    return trainer->xgboost.XGBoosterSetAttr(trainer->booster, attribute->key, attribute->value)
               ? failed(trainer, "an attribute")
               : STATUS_OK;
}

static enum status describe(struct trainer *trainer, const struct train_attribute *attributes,
                            size_t n_attributes)
{
    char best[24];
    if (trainer->validation) {
        snprintf(best, sizeof best, "%" PRId64, trainer->best_round);
        if (trainer->xgboost.XGBoosterSetAttr(trainer->booster, "best_iteration", best))
            return failed(trainer, "an attribute");
    }
    for (size_t i = 0; i < n_attributes; i++) {
        enum status status = set_attribute(trainer, &attributes[i]);
        if (status)
            return status;
    }
    const char **names = (const char **)(uintptr_t)trainer->set->feature_names; /* only read */
    if (trainer->xgboost.XGBoosterSetStrFeatureInfo(trainer->booster, "feature_name", names,
                                                    trainer->set->n_features))
        return failed(trainer, "feature names");
    return STATUS_OK;
}

static enum status save(struct trainer *trainer, struct buffer *model)
{
    bst_ulong size;
    const char *bytes;
    if (trainer->xgboost.XGBoosterSaveModelToBuffer(trainer->booster, "{\"format\":\"json\"}",
                                                    &size, &bytes))
        return failed(trainer, "saving");
    if (!buffer_append(model, bytes, size))
        return error_set(trainer->error, STATUS_FULL, "the model has %" PRIu64 " bytes",
                         (uint64_t)size);
    return STATUS_OK;
}

static void trainer_free(struct trainer *trainer)
{
    if (trainer->booster)
        trainer->xgboost.XGBoosterFree(trainer->booster);
    if (trainer->validation)
        trainer->xgboost.XGDMatrixFree(trainer->validation);
    if (trainer->train)
        trainer->xgboost.XGDMatrixFree(trainer->train);
}

enum status train_model(const struct train_set *set, const struct train_options *options,
                        const struct train_attribute *attributes, size_t n_attributes,
                        const struct train_progress *progress, struct buffer *model,
                        struct error *error)
{
    struct trainer trainer = {.set = set, .options = options, .error = error, .best_round = -1};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    snprintf(trainer.threads, sizeof trainer.threads, "%" PRId64,
             options->threads ? options->threads : (int64_t)(processors > 0 ? processors : 1));
    enum status status = check_set(set, options, error);
    if (!status)
        status = xgboost_load(&trainer.xgboost, error);
    if (!status)
        status = make_matrices(&trainer);
    if (!status &&
        trainer.xgboost.XGBoosterCreate((DMatrixHandle[]){trainer.train, trainer.validation},
                                        trainer.validation ? 2 : 1, &trainer.booster))
        status = failed(&trainer, "a booster");
    if (!status)
        status = set_parameters(&trainer);
    if (!status)
        status = run_rounds(&trainer, progress);
    if (!status)
        status = cut_to_best(&trainer);
    if (!status)
        status = describe(&trainer, attributes, n_attributes);
    if (!status)
        status = save(&trainer, model);
    trainer_free(&trainer);
    return status;
}
