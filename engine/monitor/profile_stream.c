/* A file counted against the points of a reference. A value falls on a point or between two;
 * between them count and sum are kept. Where the points are all values that the reference has, what
 * lies between two stands at its mean there; where they are some of them, nothing is known of the
 * reference between two either, and both stand at the upper one. So Kolmogorov-Smirnov is exact at
 * the points, and bins, whose edges are points, are exact. One thread. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/table.h"
#include "engine/monitor/profile.h"
#include "engine/stats/cuts.h"

#define N_QUANTILES 10
#define FEW_POINTS  16
#define BUCKETS     4096
#define PENDING     8192

struct stream {
    struct column *column; /* of the current file; NULL: not wanted */
    const struct column *reference;
    double *points;
    size_t n_points;
    bool coarse;
    double *counts, *sums; /* 2 n_points + 1: below the first, on it, above it ...; sums from the
                              place's base */
    uint32_t *buckets;     /* of many points: the first that is not below the bucket's values */
    double scale;          /* buckets a unit */
    double sum, squares;   /* of finite values, about `origin`, the reference's mean */
    double origin, n_finite;
    double
        *pending; /* numbers read and not yet counted: a column's tables then stay in the cache */
    size_t n_pending;
};

/* ---- points ---- */

static void keep_point(struct stream *stream, double value)
{
    if (stream->n_points == 0 || value > stream->points[stream->n_points - 1])
        stream->points[stream->n_points++] = value;
}

/* The smallest finite value, the cuts, the largest. */
static void take_quantiles(struct stream *stream)
{
    const struct column *of = stream->reference;
    double edges[N_QUANTILES];
    struct column finite = column_finite(of);
    size_t n_edges = column_quantiles(&finite, N_QUANTILES, edges);
    if (finite.n_values == 0)
        return;
    keep_point(stream, finite.values[0]);
    for (size_t i = 0; i < n_edges; i++)
        keep_point(stream, edges[i]);
    keep_point(stream, finite.values[finite.n_values - 1]);
    stream->coarse = false;
}

static void fill_buckets(struct stream *stream)
{
    size_t n = stream->n_points;
    double low = stream->points[0], high = stream->points[n - 1];
    stream->scale = (BUCKETS - 1) / (high - low);
    if (!isfinite(stream->scale) || !(stream->scale > 0)) {
        free(stream->buckets);
        stream->buckets = NULL;
        return;
    }
    size_t point = 0;
    for (uint32_t bucket = 0; bucket <= BUCKETS; bucket++) {
        while (point < n && (uint32_t)((stream->points[point] - low) * stream->scale) < bucket)
            point++;
        stream->buckets[bucket] = (uint32_t)point;
    }
}

static bool take_points(struct stream *stream, bool values)
{
    const struct column *of = stream->reference;
    size_t n = values ? of->n_values : N_QUANTILES + 2;
    stream->points = calloc(n + 1, sizeof *stream->points);
    stream->counts = calloc(2 * n + 3, sizeof *stream->counts);
    stream->sums = calloc(2 * n + 3, sizeof *stream->sums);
    stream->buckets = calloc(BUCKETS + 1, sizeof *stream->buckets);
    stream->pending = calloc(PENDING, sizeof *stream->pending);
    if (!stream->pending || !stream->points || !stream->counts || !stream->sums || !stream->buckets)
        return false;
    stream->coarse = of->upto && !of->complete;
    if (!values)
        take_quantiles(stream);
    for (size_t i = 0; values && i < of->n_values; i++)
        keep_point(stream, of->values[i]);
    struct column finite = column_finite(of);
    double deviation;
    column_moments(&finite, &stream->origin, &deviation);
    if (!isfinite(stream->origin))
        stream->origin = 0;
    if (stream->n_points > FEW_POINTS) {
        fill_buckets(stream);
    } else {
        free(stream->buckets);
        stream->buckets = NULL;
    }
    return true;
}

/* How many points are below the value. */
static size_t find_point(const struct stream *stream, double value)
{
    size_t low = 0, high = stream->n_points;
    const double *points = stream->points;
    if (!stream->buckets && high <= FEW_POINTS) {
        size_t below = 0;
        for (size_t i = 0; i < high; i++)
            below += points[i] < value;
        return below;
    }
    if (stream->buckets && value > points[0] && value <= points[high - 1]) {
        uint32_t bucket = (uint32_t)((value - points[0]) * stream->scale);
        low = stream->buckets[bucket];
        high = stream->buckets[bucket + 1];
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (points[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- counting ---- */

/* What sums of a place are taken from: a point beside it, so that they keep their digits. */
static double base_of(const struct stream *stream, size_t below)
{
    double base = stream->points[below ? below - 1 : 0];
    if (isfinite(base))
        return base;
    return below < stream->n_points && isfinite(stream->points[below]) ? stream->points[below] : 0;
}

static void count_number(struct stream *stream, double value)
{
    size_t below = find_point(stream, value);
    bool on = below < stream->n_points && stream->points[below] == value;
    stream->counts[2 * below + on]++;
    if (!isfinite(value))
        return;
    double distance = value - stream->origin;
    if (!on)
        stream->sums[2 * below] += value - base_of(stream, below);
    stream->sum += distance;
    stream->squares += distance * distance;
    stream->n_finite++;
}

static void count_pending(struct stream *stream)
{
    bool single = stream->reference->single;
    for (size_t i = 0; i < stream->n_pending; i++) {
        double value = stream->pending[i];
        if (isnan(value))
            stream->column->n_missing++;
        else
            count_number(stream, single ? (double)(float)value : value);
    }
    stream->n_pending = 0;
}

static void read_numbers(struct stream *stream, const struct table *table, size_t place, size_t n)
{
    for (size_t first = 0; first < n;) {
        if (stream->n_pending == PENDING)
            count_pending(stream);
        size_t room = PENDING - stream->n_pending, wanted = n - first < room ? n - first : room;
        size_t done =
            table_doubles(table, place, first, wanted, stream->pending + stream->n_pending);
        stream->n_pending += done;
        first += done;
        if (done < wanted) {
            stream->column->n_odd++;
            first++;
        }
    }
}

static bool count_texts(struct stream *stream, const struct table *table, size_t place, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct slice cell = table_cell(table, i, place);
        if (table_is_missing(cell))
            stream->column->n_missing++;
        else if (categories_add(&stream->column->categories, cell, 1))
            return false;
    }
    return true;
}

/* ---- what was counted, as a column ---- */

/* The value of the numbers in a place: the point's; between two, their mean or the upper point;
 * beyond all, infinite when they are. Rounding must not move it out of its place. */
static double stands_for(const struct stream *stream, size_t place)
{
    size_t point = place / 2, n = stream->n_points;
    double low = point > 0 ? stream->points[point - 1] : -INFINITY;
    double high = point < n ? stream->points[point] : INFINITY;
    if (place % 2 || (stream->coarse && point > 0 && point < n))
        return high;
    double mean = base_of(stream, point) + stream->sums[place] / stream->counts[place];
    if (n > 0 && point == n && mean == low && stream->sums[place] == 0)
        return INFINITY;
    if (n > 0 && point == 0 && mean == high && stream->sums[place] == 0)
        return -INFINITY;
    return fmin(fmax(mean, nextafter(low, INFINITY)), nextafter(high, -INFINITY));
}

static bool finish_numbers(struct stream *stream)
{
    struct column *column = stream->column;
    count_pending(stream);
    size_t n = 2 * stream->n_points + 1;
    column->values = calloc(n + 1, sizeof *column->values);
    column->upto = calloc(n + 1, sizeof *column->upto);
    if (!column->values || !column->upto)
        return false;
    double upto = 0;
    for (size_t i = 0; i < n; i++) {
        if (stream->counts[i] == 0)
            continue;
        double value = stands_for(stream, i);
        upto += stream->counts[i];
        bool again = column->n_values > 0 && column->values[column->n_values - 1] == value;
        column->n_values += !again;
        column->values[column->n_values - 1] = value;
        column->upto[column->n_values - 1] = upto;
    }
    double mean = stream->sum / stream->n_finite;
    column->mean = stream->origin + mean;
    column->deviation = isinf(stream->squares)
                            ? INFINITY
                            : sqrt(fmax(0, stream->squares / stream->n_finite - mean * mean));
    return true;
}

static bool finish(struct stream *streams, struct columns *columns)
{
    bool done = true;
    for (size_t i = 0; i < columns->n; i++) {
        struct stream *stream = &streams[i];
        columns->list[i].n_rows = columns->n_rows;
        if (!stream->column)
            continue;
        if (stream->column->text)
            categories_sort(&stream->column->categories);
        else
            done = finish_numbers(stream) && done;
    }
    return done;
}

static bool begin(struct stream *streams, const struct columns *reference, struct columns *current,
                  bool values)
{
    for (size_t i = 0; i < current->n; i++) {
        struct column *column = &current->list[i];
        const struct column *of = columns_find(reference, column->name);
        column->there = of && of->there && columns_find(current, column->name) == column;
        if (!column->there)
            continue;
        streams[i] = (struct stream){.column = column, .reference = of};
        column->text = of->text;
        if (!of->text && !take_points(&streams[i], values))
            return false;
    }
    return true;
}

static enum status count_all(struct stream *streams, struct columns *columns, struct error *error)
{
    struct table *table;
    size_t n_rows;
    enum status status = columns_table(columns, &table, error);
    while (!status && !(status = table_next(table, &n_rows, error))) {
        bool room = true;
        for (size_t i = 0; room && i < columns->n; i++) {
            if (streams[i].column && streams[i].column->text)
                room = count_texts(&streams[i], table, i, n_rows);
            else if (streams[i].column)
                read_numbers(&streams[i], table, i, n_rows);
        }
        columns->n_rows += n_rows;
        if (!room)
            status = error_set(error, STATUS_MEMORY, "%s: out of memory", columns->path);
    }
    table_close(table);
    return status == STATUS_END ? STATUS_OK : status;
}

enum status profile_stream(const struct columns *reference, struct columns *current, bool values,
                           struct error *error)
{
    struct stream *streams = calloc(current->n + 1, sizeof *streams);
    bool room = streams && begin(streams, reference, current, values);
    enum status status = room ? count_all(streams, current, error) : STATUS_OK;
    if (room && !status)
        room = finish(streams, current);
    for (size_t i = 0; streams && i < current->n; i++) {
        free(streams[i].points);
        free(streams[i].pending);
        free(streams[i].counts);
        free(streams[i].sums);
        free(streams[i].buckets);
    }
    free(streams);
    return room ? status : error_set(error, STATUS_MEMORY, "%s: out of memory", current->path);
}
