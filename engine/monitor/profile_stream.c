/* A file counted against a reference while it is read: numbers against its points, texts by what
 * they are. One thread. */
#include <stdlib.h>

#include "engine/base/table.h"
#include "engine/monitor/point_counts.h"
#include "engine/monitor/profile.h"

#define PENDING 2048

struct stream {
    struct column *column; /* of the current file; NULL: not wanted */
    struct point_counts *counts;
    double
        *pending; /* numbers read and not yet counted: a column's tables then stay in the cache */
    size_t n_pending;
};

static void count_pending(struct stream *stream)
{
    stream->column->n_missing +=
        point_counts_add(stream->counts, stream->pending, stream->n_pending);
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
        if (!stream->counts)
            continue;
        count_pending(stream);
        done = point_counts_finish(stream->counts, stream->column) && done;
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
        streams[i] = (struct stream){.column = column};
        column->text = of->text;
        if (of->text)
            continue;
        streams[i].pending = calloc(PENDING, sizeof *streams[i].pending);
        streams[i].counts = point_counts_create(of, values);
        if (!streams[i].pending || !streams[i].counts)
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
        free(streams[i].pending);
        point_counts_destroy(streams[i].counts);
    }
    free(streams);
    return room ? status : error_set(error, STATUS_MEMORY, "%s: out of memory", current->path);
}
