/* Fitted scaling. In: training rows or the JSON that travels with a model. Out: rows of which each
 * number is (x - center) / scale. Fitting sorts a copy of one feature at a time; quantiles are
 * linear between order statistics (Hyndman and Fan 1996, type 7). Immutable afterwards. */
#include "engine/feature/scaling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json.h"
#include "engine/base/order.h"
#include "engine/feature/views_priv.h"

#define SCALING_VERSION 1

struct part {
    size_t feature;
    enum scaling_method method;
    double center, scale;
};

struct feature_scaling {
    const struct feature_schema *schema;
    size_t n;
    struct part parts[];
};

static const char *const method_names[] = {
    [SCALING_NONE] = "none",
    [SCALING_STANDARD] = "standard",
    [SCALING_MIN_MAX] = "min_max",
    [SCALING_ROBUST] = "robust",
};

/* "none", "standard", "min_max", "robust". */
static const char *method_name(enum scaling_method method)
{
    return method_names[method];
}

static struct feature_scaling *create(const struct feature_schema *schema, struct error *error)
{
    struct feature_scaling *scaling =
        calloc(1, sizeof *scaling + schema->n_features * sizeof scaling->parts[0]);
    if (!scaling)
        (void)error_set(error, STATUS_MEMORY, "out of memory for scaling");
    else
        scaling->schema = schema;
    return scaling;
}

static double quantile(const double *sorted, size_t n, double share)
{
    double at = share * (double)(n - 1);
    size_t low = (size_t)at;
    if (low + 1 >= n)
        return sorted[n - 1];
    return sorted[low] + (at - (double)low) * (sorted[low + 1] - sorted[low]);
}

static void standard(const double *numbers, size_t n, struct part *part)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++) /* Welford 1962: no cancellation */
    {
        double delta = numbers[i] - mean;
        mean += delta / (double)(i + 1);
        squares += delta * (numbers[i] - mean);
    }
    part->center = mean;
    part->scale = sqrt(squares / (double)n);
}

static void fit(double *numbers, size_t n, struct part *part)
{
    part->center = 0;
    part->scale = 1;
    if (n == 0)
        return;
    qsort(numbers, n, sizeof *numbers, order_doubles);
    if (part->method == SCALING_STANDARD) {
        standard(numbers, n, part);
    } else if (part->method == SCALING_MIN_MAX) {
        part->center = numbers[0];
        part->scale = numbers[n - 1] - numbers[0];
    } else {
        part->center = quantile(numbers, n, 0.5);
        part->scale = quantile(numbers, n, 0.75) - quantile(numbers, n, 0.25);
    }
    if (!(part->scale > 0))
        part->scale = 1;
}

enum status feature_scaling_fit(const struct feature_views *views, const float *rows, size_t n_rows,
                                struct feature_scaling **out, struct error *error)
{
    const struct feature_schema *schema = &views->features;
    *out = NULL;
    if (!views->scaled)
        return STATUS_OK;
    struct feature_scaling *scaling = create(schema, error);
    double *numbers = malloc((n_rows + 1) * sizeof *numbers);
    if (!scaling || !numbers) {
        free(numbers);
        feature_scaling_destroy(scaling);
        return error_set(error, STATUS_MEMORY, "out of memory for scaling");
    }
    for (size_t i = 0; i < schema->n_features; i++) {
        if (views->scales[i] == SCALING_NONE)
            continue;
        size_t n = 0;
        for (size_t row = 0; row < n_rows; row++)
            if (!isnan(rows[row * schema->n_features + i]))
                numbers[n++] = (double)rows[row * schema->n_features + i];
        struct part *part = &scaling->parts[scaling->n++];
        *part = (struct part){.feature = i, .method = views->scales[i]};
        fit(numbers, n, part);
    }
    free(numbers);
    *out = scaling;
    return STATUS_OK;
}

void feature_scaling_destroy(struct feature_scaling *scaling)
{
    free(scaling);
}

static enum status read_part(const struct feature_schema *schema, const struct json *json,
                             struct feature_scaling *scaling, struct error *error)
{
    struct part part = {.center = json_as_number(json_get(json, "center"), NAN),
                        .scale = json_as_number(json_get(json, "scale"), NAN)};
    const char *name = json_as_text(json_get(json, "name"), "");
    const char *method = json_as_text(json_get(json, "method"), "");
    while (part.method <= SCALING_ROBUST && strcmp(method, method_names[part.method]) != 0)
        part.method++;
    if (part.method > SCALING_ROBUST || !isfinite(part.center) || !isfinite(part.scale) ||
        !(part.scale > 0))
        return error_set(error, STATUS_CORRUPT, "the model's scaling of \"%.100s\" is not whole",
                         name);
    while (part.feature < schema->n_features && strcmp(schema->names[part.feature], name) != 0)
        part.feature++;
    if (part.feature == schema->n_features)
        return error_set(error, STATUS_CONFLICT,
                         "the model scales a feature \"%.100s\" that the views do not have", name);
    for (size_t i = 0; i < scaling->n; i++)
        if (scaling->parts[i].feature == part.feature)
            return error_set(error, STATUS_CORRUPT, "the model scales \"%.100s\" twice", name);
    scaling->parts[scaling->n++] = part;
    return STATUS_OK;
}

enum status feature_scaling_read(const struct feature_schema *schema, struct slice text,
                                 struct feature_scaling **out, struct error *error)
{
    struct json *json;
    *out = NULL;
    if (slice_trim(text).size == 0)
        return STATUS_OK;
    enum status status = json_parse(text, &json, error);
    if (status != STATUS_OK)
        return error_prefix(error, "the model's scaling");
    struct feature_scaling *scaling = create(schema, error);
    if (!scaling) {
        json_destroy(json);
        return STATUS_MEMORY;
    }
    if ((int)json_as_number(json_get(json, "version"), 0) != SCALING_VERSION)
        status = error_set(error, STATUS_UNSUPPORTED,
                           "the model's scaling is of a version this binnacle does not know");
    const struct json *item = json_first(json_get(json, "features"));
    for (; status == STATUS_OK && item; item = json_next(item))
        status = read_part(schema, item, scaling, error);
    json_destroy(json);
    if (status == STATUS_OK)
        *out = scaling;
    else
        feature_scaling_destroy(scaling);
    return status;
}

void feature_scaling_apply(const struct feature_scaling *scaling, size_t n_features,
                           const float *in, size_t n_rows, float *out)
{
    if (in != out)
        memcpy(out, in, n_rows * n_features * sizeof *out);
    for (size_t i = 0; scaling && i < scaling->n; i++) {
        const struct part *part = &scaling->parts[i];
        for (size_t row = 0; row < n_rows; row++) {
            float *number = &out[row * n_features + part->feature];
            *number = (float)(((double)*number - part->center) / part->scale);
        }
    }
}

void feature_scaling_json(const struct feature_scaling *scaling, struct buffer *out)
{
    struct json_writer writer;
    json_begin(&writer, out);
    json_object(&writer, NULL);
    json_int(&writer, "version", SCALING_VERSION);
    json_array(&writer, "features");
    for (size_t i = 0; i < scaling->n; i++) {
        const struct part *part = &scaling->parts[i];
        json_object(&writer, NULL);
        json_text(&writer, "name", scaling->schema->names[part->feature]);
        json_text(&writer, "method", method_name(part->method));
        json_number(&writer, "center", part->center);
        json_number(&writer, "scale", part->scale);
        json_object_end(&writer);
    }
    json_array_end(&writer);
    json_object_end(&writer);
}
