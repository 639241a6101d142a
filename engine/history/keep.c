/* The thread that writes. It takes all epochs that wait, and adds their cells to the rows they
 * belong to, in order of time and in one transaction, so that a row is read and written once
 * however many epochs there are. What could not be committed waits and is tried again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/history/history_priv.h"

#define RETRY_MS 1000
#define PRUNE_US US_PER_HOUR

/* ---- rows ---- */

static enum status no_memory(struct error *error)
{
    return error_set(error, STATUS_MEMORY, "out of memory for the history");
}

/* The cells under which key a row of single labels, or of none, adds them. */
static bool add_single(struct span *into, const struct cell *cell, int64_t start_s,
                       const struct labels *labels)
{
    struct shadow_keys shadow = labels_shadow(labels);
    bool whole = true;
    for (int i = 0; i < labels_count(labels) && whole; i++) {
        uint64_t label = cell->labels & label_mask(i);
        unsigned sections = sections_for(&shadow, cell->labels, label_mask(i), SECTION_ALL);
        whole = !label || span_add(into, start_s, label, cell, sections);
    }
    return whole;
}

/* The cells of a span as one block of a row, in place of those that it had. */
static bool put_span(struct row *row, int index, enum shelf shelf, const struct span *span)
{
    struct buffer cells;
    buffer_init(&cells, (size_t)64 << 20);
    for (size_t i = 0; i < span_size(span); i++)
        cell_encode(span_at(span, i), shelf_shapes[shelf].sections, &cells);
    bool whole = !cells.overflow && row_put(row, index, buffer_slice(&cells), SECTION_ALL);
    buffer_free(&cells);
    return whole;
}

static enum status write_span(struct history_store *history, enum shelf shelf, int64_t start_s,
                              const struct span *span, struct error *error)
{
    row_clear(history->row);
    return put_span(history->row, 0, shelf, span)
               ? disk_write_row(history->disk, shelf, start_s, history->row, error)
               : no_memory(error);
}

/* Adds a block of a row to a span; none: nothing. */
static enum status read_block(struct history_store *history, const struct row *row, int index,
                              int64_t start_s, struct span *span, struct error *error)
{
    size_t block = row_find(row, index);
    return block == row_size(row) ? STATUS_OK
                                  : disk_unpack(history->disk, &history->layouts,
                                                row_block(row, block), start_s, span, error);
}

static enum status read_span(struct history_store *history, enum shelf shelf, int64_t start_s,
                             struct span *span, struct error *error)
{
    enum status status = disk_read_row(history->disk, shelf, start_s, history->row, error);
    return status == STATUS_OK ? read_block(history, history->row, 0, start_s, span, error)
                               : status;
}

static enum status write_minutes(struct history_store *history, struct error *error)
{
    enum status status = STATUS_OK;
    for (int i = 0; i < MINUTE_SHELVES && history->minutes_s != NOT_KNOWN; i++) {
        if (status == STATUS_OK)
            status = disk_write_row(history->disk, (enum shelf)i, history->minutes_s,
                                    history->minutes[i], error);
    }
    return status;
}

/* Turns to the rows that the minute is in: those before are written, these read. */
static enum status turn_minutes(struct history_store *history, int64_t minute_s,
                                struct error *error)
{
    int64_t wanted_s = floor_to(minute_s, shelf_shapes[SHELF_MINUTE].row_s);
    if (wanted_s == history->minutes_s)
        return STATUS_OK;
    enum status status = write_minutes(history, error);
    history->minutes_s = wanted_s;
    for (int i = 0; i < MINUTE_SHELVES && status == STATUS_OK; i++)
        status = disk_read_row(history->disk, (enum shelf)i, wanted_s, history->minutes[i], error);
    return status;
}

/* Adds cells of one minute to its two rows. */
static enum status add_to_minute(struct history_store *history, struct cell *const *cells, size_t n,
                                 struct error *error)
{
    struct span *span = history->minute;
    struct shadow_keys shadow = labels_shadow(history->labels);
    int64_t start_s = cells[0]->start_s;
    enum status status = turn_minutes(history, start_s, error);
    int index = (int)((start_s - history->minutes_s) / MINUTE_S);
    for (int shelf = 0; shelf < MINUTE_SHELVES && status == STATUS_OK; shelf++) {
        struct row *row = history->minutes[shelf];
        span_clear(span);
        status = read_block(history, row, index, start_s, span, error);
        for (size_t i = 0; i < n && status == STATUS_OK; i++) {
            uint64_t labels = shelf == SHELF_MINUTE ? 0 : cells[i]->labels;
            unsigned sections =
                sections_for(&shadow, cells[i]->labels, labels, shelf_shapes[shelf].sections);
            if (!span_add(span, start_s, labels, cells[i], sections))
                status = no_memory(error);
        }
        if (status == STATUS_OK && !put_span(row, index, (enum shelf)shelf, span))
            status = no_memory(error);
    }
    return status;
}

static enum status write_slice(struct history_store *history, struct error *error)
{
    return history->slice_s == NOT_KNOWN
               ? STATUS_OK
               : write_span(history, SHELF_SLICE_LABELS, history->slice_s, history->slice, error);
}

/* The hour's cells by all labels hold everything: those by fewer are their sums. */
static enum status write_hour(struct history_store *history, struct error *error)
{
    struct span *span = history->minute;
    struct span *hour = history->hour;
    struct shadow_keys shadow = labels_shadow(history->labels);
    int64_t start_s = history->hour_s;
    if (start_s == NOT_KNOWN)
        return STATUS_OK;
    enum status status = write_span(history, SHELF_HOUR_LABELS, start_s, hour, error);
    for (int shelf = SHELF_HOUR; shelf <= SHELF_HOUR_LABEL && status == STATUS_OK; shelf++) {
        span_clear(span);
        for (size_t i = 0; i < span_size(hour) && status == STATUS_OK; i++) {
            const struct cell *cell = span_at(hour, i);
            bool added = shelf == SHELF_HOUR
                             ? span_add(span, start_s, 0, cell,
                                        sections_for(&shadow, cell->labels, 0, SECTION_ALL))
                             : add_single(span, cell, start_s, history->labels);
            status = added ? STATUS_OK : no_memory(error);
        }
        if (status == STATUS_OK)
            status = write_span(history, (enum shelf)shelf, start_s, span, error);
    }
    return status;
}

/* Turns to the slice or hour that `time_s` is in: the one before is written, this one read. */
static enum status turn(struct history_store *history, enum shelf shelf, int64_t time_s,
                        int64_t *start_s, struct span *span, struct error *error)
{
    int64_t wanted_s = floor_to(time_s, shelf_shapes[shelf].width_s);
    if (wanted_s == *start_s)
        return STATUS_OK;
    enum status status =
        shelf == SHELF_SLICE_LABELS ? write_slice(history, error) : write_hour(history, error);
    if (status != STATUS_OK)
        return status;
    span_clear(span);
    *start_s = wanted_s;
    return read_span(history, shelf, wanted_s, span, error);
}

static enum status add_minute(struct history_store *history, struct cell *const *cells, size_t n,
                              struct error *error)
{
    int64_t start_s = cells[0]->start_s;
    enum status status = add_to_minute(history, cells, n, error);
    if (status == STATUS_OK)
        status =
            turn(history, SHELF_SLICE_LABELS, start_s, &history->slice_s, history->slice, error);
    if (status == STATUS_OK)
        status = turn(history, SHELF_HOUR_LABELS, start_s, &history->hour_s, history->hour, error);
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        if (!span_add(history->slice, history->slice_s, cells[i]->labels, cells[i],
                      shelf_shapes[SHELF_SLICE_LABELS].sections) ||
            !span_add(history->hour, history->hour_s, cells[i]->labels, cells[i], SECTION_ALL))
            status = no_memory(error);
    }
    return status;
}

/* ---- transactions ---- */

static enum status write_meaning(struct history_store *history, struct error *error)
{
    enum status status = STATUS_OK;
    const struct labels *labels = history->labels;
    int n_layouts = atomic_load(&history->layouts.n);
    for (int i = history->n_layouts_stored; i < n_layouts && status == STATUS_OK; i++)
        status = disk_put_layout(history->disk, history->layouts.list[i], error);
    for (int i = 0; i < labels_count(labels) && status == STATUS_OK; i++) {
        if (i >= history->n_labels_stored)
            status = disk_put_label(history->disk, i, labels_name(labels, i), error);
        int n_values = labels_values(labels, i);
        int code = history->n_values_stored[i] ? history->n_values_stored[i] : LABEL_FIRST;
        for (; code < n_values && status == STATUS_OK; code++)
            status = disk_put_value(history->disk, i, code, labels_value(labels, i, code), error);
        history->n_values_writing[i] = n_values;
    }
    history->n_layouts_writing = n_layouts;
    return status;
}

static void note_meaning(struct history_store *history)
{
    history->n_layouts_stored = history->n_layouts_writing;
    history->n_labels_stored = labels_count(history->labels);
    memcpy(history->n_values_stored, history->n_values_writing, sizeof history->n_values_stored);
}

static int by_start(const void *a, const void *b)
{
    const struct cell *x = *(struct cell *const *)a, *y = *(struct cell *const *)b;
    return (x->start_s > y->start_s) - (x->start_s < y->start_s);
}

/* The cells of all epochs, by their start; the caller frees the list. NULL: out of memory. */
static struct cell **collect(struct epoch *const *epochs, size_t n_epochs, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < n_epochs; i++)
        *n += span_size(epochs[i]->span);
    struct cell **cells = calloc(*n + 1, sizeof(struct cell *));
    size_t place = 0;
    for (size_t i = 0; cells && i < n_epochs; i++) {
        for (size_t k = 0; k < span_size(epochs[i]->span); k++)
            cells[place++] = span_at(epochs[i]->span, k);
    }
    if (cells)
        qsort(cells, *n, sizeof(struct cell *), by_start);
    return cells;
}

static enum status add_cells(struct history_store *history, struct cell **cells, size_t n,
                             struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0, end; i < n && status == STATUS_OK; i = end) {
        for (end = i + 1; end < n && cells[end]->start_s == cells[i]->start_s;)
            end++;
        status = add_minute(history, cells + i, end - i, error);
    }
    if (status == STATUS_OK)
        status = write_minutes(history, error);
    if (status == STATUS_OK)
        status = write_slice(history, error);
    return status == STATUS_OK ? write_hour(history, error) : status;
}

static enum status prune(struct history_store *history, int64_t now_us, struct error *error)
{
    enum status status = STATUS_OK;
    for (int shelf = 0; shelf < SHELVES && status == STATUS_OK; shelf++) {
        int64_t keep_us = shelf_shapes[shelf].width_s == 3600 ? history->options.hours_us
                                                              : history->options.minutes_us;
        status = disk_prune(history->disk, (enum shelf)shelf, (now_us - keep_us) / US_PER_S, error);
    }
    history->pruned_us = now_us;
    return status;
}

static enum status write_all(struct history_store *history, struct epoch *const *epochs, size_t n,
                             struct error *error)
{
    size_t n_cells;
    const struct epoch *last = epochs[n - 1];
    struct cell **cells = collect(epochs, n, &n_cells);
    enum status status = cells ? write_meaning(history, error) : no_memory(error);
    if (status == STATUS_OK)
        status = add_cells(history, cells, n_cells, error);
    lock_take(&history->lock);
    struct run run = history->run;
    bool running = history->running;
    lock_release(&history->lock);
    if (run.to_us > last->upto_us)
        run.to_us = last->upto_us;
    if (status == STATUS_OK && running && run.to_us > run.from_us)
        status = disk_put_run(history->disk, &run, error);
    if (status == STATUS_OK)
        status = disk_put_state(history->disk, last->upto_us, last->seq, error);
    if (status == STATUS_OK && last->upto_us - history->pruned_us >= PRUNE_US)
        status = prune(history, last->upto_us, error);
    free(cells);
    return status;
}

/* In one transaction. */
static enum status write_epochs(struct history_store *history, struct epoch *const *epochs,
                                size_t n, struct error *error)
{
    enum status status = disk_begin(history->disk, true, error);
    if (status == STATUS_OK) {
        status = write_all(history, epochs, n, error);
        if (status == STATUS_OK)
            status = disk_commit(history->disk, error);
        if (status != STATUS_OK)
            disk_rollback(history->disk);
    }
    if (status == STATUS_OK) {
        note_meaning(history);
        return STATUS_OK;
    }
    /* What is in memory may be ahead of the disk: it is read again. */
    history->minutes_s = history->slice_s = history->hour_s = NOT_KNOWN;
    span_clear(history->slice);
    span_clear(history->hour);
    return status;
}

/* ---- the thread ---- */

/* Takes the first n off the list and frees them; one's memory is kept for the next epoch. */
static void drop_written(struct history_store *history, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct epoch *epoch = history->first;
        history->first = epoch->next;
        if (!history->first)
            history->last = NULL;
        history->n_waiting--;
        if (!history->spare && atomic_load(&epoch->users) == 1) {
            span_clear(epoch->span);
            history->spare = epoch->span;
            epoch->span = NULL;
        }
        epoch_release(epoch);
    }
    pthread_cond_broadcast(&history->changed);
}

static void note_problem(struct history_store *history, const struct error *error)
{
    if (history->stats.problem[0] == '\0')
        log_write(history->options.log, LOG_WARN, "history", "not_written",
                  "%s; deciding goes on, and the history is written when that works again",
                  error->message);
    snprintf(history->stats.problem, sizeof history->stats.problem, "%.199s", error->message);
}

/* The oldest ones that wait. */
static size_t waiting(const struct history_store *history, struct epoch *epochs[MAX_WAITING])
{
    size_t n = 0;
    for (struct epoch *epoch = history->first; epoch && n < MAX_WAITING; epoch = epoch->next)
        epochs[n++] = epoch;
    return n;
}

/* Tries to write what waits. False: the disk did not take it. The lock is held but while writing.
 */
static bool write_waiting(struct history_store *history)
{
    struct epoch *epochs[MAX_WAITING];
    struct error error;
    size_t n = waiting(history, epochs);
    history->writing = true;
    lock_release(&history->lock);
    enum status status = write_epochs(history, epochs, n, &error);
    lock_take(&history->lock);
    history->writing = false;
    if (status == STATUS_OK) {
        drop_written(history, n);
        history->stats.problem[0] = '\0';
        return true;
    }
    note_problem(history, &error);
    pthread_cond_broadcast(&history->changed);
    return false;
}

void history_keep(void *context)
{
    struct history_store *history = context;
    lock_take(&history->lock);
    while (!history->stopping || history->first) {
        if (!history->first)
            (void)condition_wait(&history->changed, &history->lock, -1);
        else if (!write_waiting(history)) {
            if (history->stopping)
                break;
            (void)condition_wait(&history->changed, &history->lock, RETRY_MS);
        }
    }
    lock_release(&history->lock);
}
