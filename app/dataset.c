/* Grows arrays of rows, trains on them, and measures a model on others. One thread. */
#include "app/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "app/output.h"
#include "engine/base/clock.h"
#include "engine/feature/scaling.h"
#include "engine/model/reference.h"
#include "engine/model/scorer.h"
#include "engine/monitor/profile.h"
#include "engine/stats/classify.h"
#include "engine/stats/top_k.h"

#define MODEL_BYTES     (512u << 20)
#define ATTRIBUTE_BYTES (64u << 20)

void dataset_init(struct dataset *dataset, const struct feature_schema *schema)
{
    *dataset = (struct dataset){.schema = schema};
}

void dataset_free(struct dataset *dataset)
{
    free(dataset->rows);
    free(dataset->labels);
    free(dataset->times_us);
    free(dataset->entities);
    *dataset = (struct dataset){.schema = dataset->schema};
}

/* Each array is replaced as soon as it has grown, so a failure half-way loses nothing. */
static bool grow(struct dataset *dataset)
{
    size_t capacity = dataset->capacity ? 2 * dataset->capacity : 4096;
    size_t width = dataset->schema->n_features;
    float *rows = reallocarray(dataset->rows, capacity * width, sizeof *rows);
    if (rows)
        dataset->rows = rows;
    float *labels = reallocarray(dataset->labels, capacity, sizeof *labels);
    if (labels)
        dataset->labels = labels;
    int64_t *times_us = reallocarray(dataset->times_us, capacity, sizeof *times_us);
    if (times_us)
        dataset->times_us = times_us;
    uint64_t *entities = reallocarray(dataset->entities, capacity, sizeof *entities);
    if (entities)
        dataset->entities = entities;
    if (!rows || !labels || !times_us || !entities)
        return false;
    dataset->capacity = capacity;
    return true;
}

enum status dataset_add(struct dataset *dataset, const float *features, int label, int64_t time_us,
                        uint64_t entity, struct error *error)
{
    if (dataset->n == dataset->capacity && !grow(dataset))
        return error_set(error, STATUS_MEMORY, "out of memory for %zu rows", dataset->n);
    size_t width = dataset->schema->n_features, at = dataset->n++;
    memcpy(dataset->rows + at * width, features, width * sizeof *features);
    dataset->labels[at] = (float)label;
    dataset->times_us[at] = time_us;
    dataset->entities[at] = entity;
    return STATUS_OK;
}

/* What the model needs to know of its training, as texts in its file. */
struct attributes {
    struct buffer scaling, reference;
    struct train_attribute list[3];
    size_t n;
};

/* The first rows' windows hold too little to say what values usually are. */
static size_t n_skipped(const struct dataset *dataset)
{
    return dataset->n_warming < dataset->n ? dataset->n_warming : 0;
}

static bool write_profile(void *context, const float *scores, size_t n, struct buffer *text)
{
    const struct dataset *dataset = context;
    size_t width = dataset->schema->n_features, skipped = n_skipped(dataset);
    struct profile_rows rows = {.names = dataset->schema->names,
                                .rows = dataset->rows + skipped * width,
                                .scores = scores + skipped,
                                .n = n - skipped,
                                .n_features = width};
    return profile_write_rows(&rows, text);
}

static void keep_attribute(struct attributes *attributes, const char *key, struct buffer *text)
{
    if (text->size > 0)
        attributes->list[attributes->n++] =
            (struct train_attribute){.key = key, .value = text->data};
}

/* Scales the rows as the views ask (into *scaled, the caller's) and writes down how. */
static enum status prepare_rows(const struct dataset *dataset, const struct feature_views *views,
                                struct attributes *attributes, float **scaled, struct error *error)
{
    size_t width = dataset->schema->n_features;
    struct feature_scaling *scaling = NULL;
    *scaled = NULL;
    size_t skipped = n_skipped(dataset);
    if (!reference_write(dataset->rows + skipped * width, dataset->n - skipped, width,
                         &attributes->reference))
        return error_set(error, STATUS_MEMORY, "out of memory for the model's reference");
    keep_attribute(attributes, REFERENCE_ATTRIBUTE, &attributes->reference);
    attributes->list[attributes->n++] = (struct train_attribute){
        .key = PROFILE_ATTRIBUTE, .write = write_profile, .context = (void *)(uintptr_t)dataset};
    enum status status = feature_scaling_fit(views, dataset->rows, dataset->n, &scaling, error);
    if (status != STATUS_OK || !scaling)
        return status;
    *scaled = reallocarray(NULL, dataset->n * width, sizeof **scaled);
    if (*scaled) {
        feature_scaling_apply(scaling, width, dataset->rows, dataset->n, *scaled);
        feature_scaling_json(scaling, &attributes->scaling);
        keep_attribute(attributes, SCALING_ATTRIBUTE, &attributes->scaling);
    } else {
        status = error_set(error, STATUS_MEMORY, "out of memory for %zu rows", dataset->n);
    }
    feature_scaling_destroy(scaling);
    return status;
}

static enum status write_model(const char *path, const struct buffer *model, struct error *error)
{
    struct output output = {0};
    enum status status = output_open(path, &output, error);
    if (status == STATUS_OK)
        status = output_write(output.file, path, buffer_slice(model), error);
    if (status == STATUS_OK)
        status = output_commit(&output, error);
    output_discard(&output);
    return status;
}

enum status dataset_train(const struct dataset *dataset, const struct feature_views *views,
                          const struct train_options *options, const char *path,
                          struct error *error)
{
    struct attributes attributes = {.n = 0};
    struct buffer model;
    float *scaled = NULL;
    buffer_init(&model, MODEL_BYTES);
    buffer_init(&attributes.scaling, ATTRIBUTE_BYTES);
    buffer_init(&attributes.reference, ATTRIBUTE_BYTES);
    enum status status = prepare_rows(dataset, views, &attributes, &scaled, error);
    struct train_set set = {
        .rows = scaled ? scaled : dataset->rows,
        .labels = dataset->labels,
        .n_rows = dataset->n,
        .n_features = dataset->schema->n_features,
        .feature_names = dataset->schema->names,
    };
    if (status == STATUS_OK)
        status = train_model(&set, options, attributes.list, attributes.n, NULL, &model, error);
    if (status == STATUS_OK)
        status = write_model(path, &model, error);
    free(scaled);
    buffer_free(&attributes.reference);
    buffer_free(&attributes.scaling);
    buffer_free(&model);
    return status;
}

/* ---- testing ---- */

/* When an entity's first positive of the period that counts became an event. */
struct compromise {
    uint64_t entity;
    int64_t time_us;
};

static int by_entity_then_time(const void *a, const void *b)
{
    const struct compromise *left = a, *right = b;
    if (left->entity != right->entity)
        return left->entity < right->entity ? -1 : 1;
    return (left->time_us > right->time_us) - (left->time_us < right->time_us);
}

static size_t add_compromised(const struct dataset *dataset, struct compromise *out, size_t n)
{
    for (size_t i = 0; i < dataset->n; i++) {
        if (dataset->labels[i] > 0)
            out[n++] = (struct compromise){dataset->entities[i], dataset->times_us[i]};
    }
    return n;
}

static const struct compromise *first_of(const struct compromise *sorted, size_t n, uint64_t entity)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle].entity < entity)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && sorted[low].entity == entity ? &sorted[low] : NULL;
}

static bool is_known(const struct compromise *sorted, size_t n, const struct dataset *test,
                     size_t row, int64_t delay_us)
{
    const struct compromise *first = first_of(sorted, n, test->entities[row]);
    return first && first->time_us < time_day(test->times_us[row]) * US_PER_DAY - delay_us;
}

struct test_rows {
    float *scores;
    struct classify_row *judged;
    struct top_k_event *cards;
    size_t n;
};

static void keep_unknown(const struct compromise *known, size_t n_known, const struct dataset *test,
                         int64_t delay_us, struct test_rows *rows)
{
    for (size_t i = 0; i < test->n; i++) {
        if (is_known(known, n_known, test, i, delay_us))
            continue;
        size_t at = rows->n++;
        rows->scores[at] = rows->scores[i];
        double score = (double)rows->scores[at];
        bool fraud = test->labels[i] > 0;
        rows->judged[at] = (struct classify_row){.score = score, .amount = 1, .positive = fraud};
        rows->cards[at] = (struct top_k_event){.entity = test->entities[i],
                                               .day = time_day(test->times_us[i]),
                                               .score = score,
                                               .positive = fraud};
    }
}

static enum status measure(struct test_rows *rows, size_t top, struct test_result *result,
                           struct error *error)
{
    struct classify_options options = classify_defaults();
    struct classify_result figures;
    struct top_k cards;
    enum status status = classify(rows->judged, rows->n, &options, &figures, error);
    if (status == STATUS_OK)
        status = top_k_precision(rows->cards, rows->n, top, &cards, error);
    if (status != STATUS_OK)
        return status;
    result->n = figures.n;
    result->n_positives = figures.positives;
    result->auc = figures.figures[CLASSIFY_AUC].value;
    result->average_precision = figures.figures[CLASSIFY_AVERAGE_PRECISION].value;
    result->card_precision = cards.precision;
    return STATUS_OK;
}

/* As live: scaled the way the model's file says. */
static enum status score_rows(struct model *model, const struct scorer *scorer,
                              struct scorer_scratch *scratch, const struct dataset *test,
                              float *scores, struct error *error)
{
    size_t width = test->schema->n_features;
    struct feature_scaling *scaling = NULL;
    float *scaled = NULL;
    enum status status = feature_scaling_read(
        test->schema, slice_of(model_attribute(model, SCALING_ATTRIBUTE)), &scaling, error);
    if (status == STATUS_OK && scaling) {
        scaled = reallocarray(NULL, test->n * width + 1, sizeof *scaled);
        if (scaled)
            feature_scaling_apply(scaling, width, test->rows, test->n, scaled);
        else
            status = error_set(error, STATUS_MEMORY, "out of memory for %zu rows", test->n);
    }
    if (status == STATUS_OK)
        status = scorer_score(scorer, scratch, scaled ? scaled : test->rows, test->n, NULL, scores,
                              error);
    free(scaled);
    feature_scaling_destroy(scaling);
    return status;
}

enum status dataset_test(const struct dataset *train, const struct dataset *between,
                         const struct dataset *test, int64_t delay_us, size_t top,
                         struct model *model, struct test_result *result, struct error *error)
{
    *result = (struct test_result){0};
    size_t most = train->n + between->n + test->n;
    struct compromise *known = calloc(most + 1, sizeof *known);
    struct test_rows rows = {
        .scores = calloc(test->n + 1, sizeof *rows.scores),
        .judged = calloc(test->n + 1, sizeof *rows.judged),
        .cards = calloc(test->n + 1, sizeof *rows.cards),
    };
    struct scorer *scorer = NULL;
    struct scorer_scratch *scratch = NULL;
    enum status status = STATUS_MEMORY;
    if (!known || !rows.scores || !rows.judged || !rows.cards) {
        error_set(error, status, "out of memory for %zu rows", most);
        goto out;
    }
    size_t n_known = add_compromised(train, known, 0);
    n_known = add_compromised(between, known, n_known);
    n_known = add_compromised(test, known, n_known);
    qsort(known, n_known, sizeof *known, by_entity_then_time);
    status = scorer_create(model, test->schema, &scorer, error);
    if (status == STATUS_OK)
        status = scorer_scratch_create(test->n + 1, MAX_FEATURES, &scratch, error);
    if (status == STATUS_OK)
        status = score_rows(model, scorer, scratch, test, rows.scores, error);
    if (status == STATUS_OK) {
        keep_unknown(known, n_known, test, delay_us, &rows);
        status = measure(&rows, top, result, error);
    }
out:
    scorer_scratch_destroy(scratch);
    scorer_destroy(scorer);
    free(rows.cards);
    free(rows.judged);
    free(rows.scores);
    free(known);
    return status;
}
