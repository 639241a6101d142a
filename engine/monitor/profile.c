/* Profiles as JSON: {"binnacle_profile":1,"n":rows,"features":[{"name","type":"numeric","missing",
 * "whole","complete","mean","deviation","values":[...],"upto":[...]},{"name","type":"categorical",
 * "missing","categories":[["US",123],...]}]}; a model's has its "score" beside the features, and
 * "single":true where numbers are floats. One thread. */
#include "engine/monitor/profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json.h"
#include "engine/stats/samples.h"

#define BEGINNING "{\"binnacle_profile\":1,"

bool profile_begins(struct slice text)
{
    size_t size = sizeof BEGINNING - 1;
    return text.size >= size && memcmp(text.data, BEGINNING, size) == 0;
}

/* ---- writing ---- */

static size_t count_distinct(const struct column *column)
{
    size_t distinct = column->n_values > 0;
    for (size_t i = 1; i < column->n_values; i++)
        distinct += column->values[i] > column->values[i - 1];
    return distinct;
}

/* The last place of the k-th point: places at equal steps, each at the end of its run of equal
 * values. */
static size_t place_of(const struct column *column, size_t k, size_t n_points)
{
    size_t place = n_points == 0 ? k : (k * column->n_values - 1) / n_points;
    while (place + 1 < column->n_values && column->values[place + 1] == column->values[place])
        place++;
    return place;
}

static void write_value(struct json_writer *json, const struct column *column, size_t place)
{
    if (column->single)
        json_float(json, NULL, (float)column->values[place]);
    else
        json_number(json, NULL, column->values[place]);
}

static void write_points(struct json_writer *json, const struct column *column, size_t n_points,
                         bool upto)
{
    size_t n = column->n_values, last = n; /* n: none yet */
    size_t steps = n_points ? n_points : n;
    json_array(json, upto ? "upto" : "values");
    for (size_t k = 0; n > 0 && k <= steps; k++) {
        /* The smallest value is the first point. */
        size_t place =
            k == 0 ? place_of(column, 0, 0) : place_of(column, n_points ? k : k - 1, n_points);
        if (place == last || (k > 0 && column->values[place] == column->values[last]))
            continue;
        last = place;
        if (upto)
            json_number(json, NULL, column->upto ? column->upto[place] : (double)(place + 1));
        else
            write_value(json, column, place);
    }
    json_array_end(json);
}

static void write_numbers(struct json_writer *json, const struct column *column, size_t n_points)
{
    double mean, deviation;
    bool complete = column->upto ? column->complete : count_distinct(column) <= n_points;
    samples_moments(column->values, column->n_values, &mean, &deviation);
    if (column->single)
        json_bool(json, "single", true);
    json_bool(json, "whole", column->whole);
    json_bool(json, "complete", complete);
    json_number(json, "mean", column->upto ? column->mean : mean);
    json_number(json, "deviation", column->upto ? column->deviation : deviation);
    write_points(json, column, complete ? 0 : n_points, false);
    write_points(json, column, complete ? 0 : n_points, true);
}

static void write_categories(struct json_writer *json, const struct categories *categories)
{
    json_array(json, "categories");
    for (size_t i = 0; i < categories->n; i++) {
        json_array(json, NULL);
        json_string(json, NULL, categories->list[i].text);
        json_int(json, NULL, (int64_t)categories->list[i].count);
        json_array_end(json);
    }
    json_array_end(json);
}

static void begin(struct json_writer *json, size_t n_rows, struct buffer *out)
{
    json_begin(json, out);
    json_object(json, NULL);
    json_int(json, "binnacle_profile", 1);
    json_int(json, "n", (int64_t)n_rows);
    json_array(json, "features");
}

static void write_column(struct json_writer *json, const char *key, const struct column *column,
                         size_t n_points)
{
    json_object(json, key);
    json_text(json, "name", column->name);
    json_text(json, "type", column->text ? "categorical" : "numeric");
    json_int(json, "missing", (int64_t)column->n_missing);
    if (column->text)
        write_categories(json, &column->categories);
    else
        write_numbers(json, column, n_points);
    json_object_end(json);
}

enum status profile_write(const struct columns *columns, struct buffer *out, struct error *error)
{
    struct json_writer json;
    begin(&json, columns->n_rows, out);
    for (size_t i = 0; i < columns->n; i++) {
        const struct column *column = &columns->list[i];
        if (!column->there)
            continue;
        if (column->categories.n > PROFILE_CATEGORIES)
            return error_set(error, STATUS_FULL,
                             "%s: column \"%.100s\" has %zu categories; a profile holds %d: leave "
                             "it out (--features)",
                             columns->path, column->name, column->categories.n, PROFILE_CATEGORIES);
        write_column(&json, NULL, column, PROFILE_POINTS);
    }
    json_array_end(&json);
    if (columns->score)
        write_column(&json, "score", columns->score, PROFILE_POINTS);
    json_object_end(&json);
    return out->overflow ? error_set(error, STATUS_MEMORY, "out of memory for the profile")
                         : STATUS_OK;
}

static bool write_floats(struct json_writer *json, const char *key, const char *name,
                         const float *values, size_t n, size_t stride)
{
    struct column column;
    bool room = columns_from_floats(&column, name, values, n, stride);
    if (room)
        write_column(json, key, &column, PROFILE_MODEL_POINTS);
    column_clear(&column);
    return room;
}

bool profile_write_rows(const struct profile_rows *rows, struct buffer *out)
{
    struct json_writer json;
    bool room = true;
    begin(&json, rows->n, out);
    for (size_t i = 0; room && i < rows->n_features; i++)
        room = write_floats(&json, NULL, rows->names[i], rows->rows + i, rows->n, rows->n_features);
    json_array_end(&json);
    room = room && write_floats(&json, "score", "score", rows->scores, rows->n, 1);
    json_object_end(&json);
    return room && !out->overflow;
}

/* ---- reading ---- */

/* Infinities are null in JSON; they are the first or last of the ascending values. */
static double read_value(const struct json *item, size_t place)
{
    return json_as_number(item, place == 0 ? -INFINITY : INFINITY);
}

static double read_point(const struct json *item, size_t place, bool single)
{
    double value = read_value(item, place);
    return single ? (double)(float)value : value;
}

static bool read_points(const struct json *from, struct column *column)
{
    const struct json *values = json_get(from, "values"), *upto = json_get(from, "upto");
    size_t n = json_size(values);
    if (n != json_size(upto))
        return false;
    column->values = calloc(n + 1, sizeof *column->values);
    column->upto = calloc(n + 1, sizeof *column->upto);
    if (!column->values || !column->upto)
        return false;
    const struct json *value = json_first(values), *count = json_first(upto);
    for (size_t i = 0; value && count; value = json_next(value), count = json_next(count), i++) {
        column->values[i] = read_point(value, i, column->single);
        column->upto[i] = json_as_number(count, -1);
        if (i > 0 &&
            !(column->values[i] > column->values[i - 1] && column->upto[i] >= column->upto[i - 1]))
            return false;
        column->n_values++;
    }
    return n == 0 || column->upto[0] > 0;
}

static bool read_categories(const struct json *from, struct column *column)
{
    const struct json *list = json_get(from, "categories");
    for (const struct json *item = json_first(list); item; item = json_next(item)) {
        const char *text = json_as_text(json_item(item, 0), NULL);
        double count = json_as_number(json_item(item, 1), -1);
        if (!text || !(count >= 0) ||
            categories_add(&column->categories, slice_of(text), (uint64_t)count))
            return false;
    }
    categories_sort(&column->categories);
    return true;
}

static bool read_column(const struct json *from, struct column *column)
{
    const char *name = json_as_text(json_get(from, "name"), NULL);
    const char *type = json_as_text(json_get(from, "type"), "");
    double missing = json_as_number(json_get(from, "missing"), -1);
    column->name = name ? strdup(name) : NULL;
    column->there = true;
    column->text = strcmp(type, "categorical") == 0;
    column->whole = json_as_bool(json_get(from, "whole"), false);
    column->single = json_as_bool(json_get(from, "single"), false);
    column->complete = json_as_bool(json_get(from, "complete"), false);
    column->mean = json_as_number(json_get(from, "mean"), NAN);
    column->deviation = json_as_number(json_get(from, "deviation"), NAN);
    if (!column->name || !(missing >= 0))
        return false;
    column->n_missing = (size_t)missing;
    return column->text ? read_categories(from, column) : read_points(from, column);
}

static bool read_score(const struct json *from, struct columns *columns)
{
    const struct json *score = json_get(from, "score");
    if (!score)
        return true;
    columns->score = calloc(1, sizeof *columns->score);
    if (!columns->score)
        return false;
    columns->score->n_rows = columns->n_rows;
    return read_column(score, columns->score);
}

static bool read_columns(const struct json *from, struct columns *columns)
{
    const struct json *features = json_get(from, "features");
    double n_rows = json_as_number(json_get(from, "n"), -1);
    columns->list = calloc(json_size(features) + 1, sizeof *columns->list);
    if (!columns->list || !columns->path || !(n_rows >= 0))
        return false;
    columns->n_rows = (size_t)n_rows;
    for (const struct json *item = json_first(features); item; item = json_next(item)) {
        struct column *column = &columns->list[columns->n++];
        column->n_rows = columns->n_rows;
        if (!read_column(item, column))
            return false;
    }
    return read_score(from, columns);
}

enum status profile_read(struct slice text, const char *path, struct columns *columns,
                         struct error *error)
{
    struct json *json = NULL;
    *columns = (struct columns){.spool = -1};
    if (json_parse(text, &json, error))
        return error_prefix(error, "%s", path);
    columns->path = strdup(path);
    bool good = read_columns(json, columns);
    json_destroy(json);
    return good ? STATUS_OK : error_set(error, STATUS_CORRUPT, "%s: not a whole profile", path);
}
