/* A list of cells and an index over it: open addressing, half full at most. Cells that were cleared
 * wait behind the list's end with their memory. */
#include "engine/history/span.h"

#include <stdlib.h>
#include <string.h>

#include "engine/observe/bin_stage.h"

#define FIRST_CELLS 64

struct span {
    size_t n, n_kept, capacity, max; /* cells in use; made; pointers; most */
    struct cell **cells;
    uint32_t *index; /* place + 1; 0: free. index_size of them, a power of two */
    size_t index_size;
};

struct span *span_create(size_t max_cells)
{
    struct span *span = calloc(1, sizeof *span);
    if (span)
        span->max = max_cells;
    return span;
}

void span_destroy(struct span *span)
{
    if (!span)
        return;
    for (size_t i = 0; i < span->n_kept; i++) {
        cell_free(span->cells[i]);
        free(span->cells[i]);
    }
    free(span->cells);
    free(span->index);
    free(span);
}

void span_clear(struct span *span)
{
    span->n = 0;
    if (span->index)
        memset(span->index, 0, span->index_size * sizeof *span->index);
}

/* Fibonacci hashing: starts are multiples of a minute or an hour, labels are few small bytes. */
static size_t slot_of(const struct span *span, int64_t start_s, uint64_t labels)
{
    uint64_t key = (labels ^ (uint64_t)start_s << 24) * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(key >> 32) & (span->index_size - 1);
}

static bool is_cell(const struct cell *cell, int64_t start_s, uint64_t labels,
                    const struct layout *layout)
{
    return cell->start_s == start_s && cell->labels == labels && cell->layout == layout;
}

/* Where the cell is entered in the index, or the free place for it. */
static uint32_t *find(const struct span *span, int64_t start_s, uint64_t labels,
                      const struct layout *layout)
{
    size_t slot = slot_of(span, start_s, labels);
    while (span->index[slot] &&
           !is_cell(span->cells[span->index[slot] - 1], start_s, labels, layout))
        slot = (slot + 1) & (span->index_size - 1);
    return &span->index[slot];
}

static bool grow(struct span *span)
{
    size_t capacity = span->capacity ? span->capacity * 2 : FIRST_CELLS;
    struct cell **cells = reallocarray(span->cells, capacity, sizeof(struct cell *));
    if (!cells)
        return false;
    span->cells = cells;
    uint32_t *index = calloc(capacity * 2, sizeof *index);
    if (!index)
        return false;
    free(span->index);
    span->index = index;
    span->index_size = capacity * 2;
    span->capacity = capacity;
    for (size_t i = 0; i < span->n; i++) {
        const struct cell *cell = cells[i];
        *find(span, cell->start_s, cell->labels, cell->layout) = (uint32_t)i + 1;
    }
    return true;
}

/* Distributions are kept where they still fit. */
static void renew(struct cell *cell, int64_t start_s, uint64_t labels, const struct layout *layout)
{
    cell_clear_latency(cell);
    struct cell kept = *cell;
    if (kept.layout && kept.layout->n_columns != layout->n_columns)
        cell_free_bins(&kept);
    *cell = (struct cell){.start_s = start_s,
                          .labels = labels,
                          .layout = layout,
                          .latency = kept.latency,
                          .bins = kept.bins,
                          .stage = kept.stage};
    if (cell->bins)
        memset(cell->bins, 0, (size_t)layout->n_columns * MAX_BINS * sizeof *cell->bins);
    if (cell->stage)
        memset(cell->stage, 0, bin_stage_size(layout->n_columns));
}

static struct cell *add_cell(struct span *span, uint32_t *place, int64_t start_s, uint64_t labels,
                             const struct layout *layout)
{
    if (span->n == span->n_kept) {
        span->cells[span->n] = calloc(1, sizeof **span->cells);
        if (!span->cells[span->n])
            return NULL;
        span->n_kept++;
    }
    struct cell *cell = span->cells[span->n++];
    renew(cell, start_s, labels, layout);
    *place = (uint32_t)span->n;
    return cell;
}

struct cell *span_cell(struct span *span, int64_t start_s, uint64_t labels,
                       const struct layout *layout)
{
    if (span->n == span->capacity && !grow(span))
        return NULL;
    uint32_t *place = find(span, start_s, labels, layout);
    if (*place)
        return span->cells[*place - 1];
    return span->n < span->max ? add_cell(span, place, start_s, labels, layout) : NULL;
}

size_t span_size(const struct span *span)
{
    return span->n;
}

struct cell *span_at(const struct span *span, size_t index)
{
    return span->cells[index];
}

bool span_add(struct span *span, int64_t start_s, uint64_t labels, const struct cell *from,
              unsigned sections)
{
    struct cell *into = span_cell(span, start_s, labels, from->layout);
    return into && cell_add(into, from, sections);
}

void span_settle(struct span *span)
{
    for (size_t i = 0; i < span->n; i++)
        cell_settle(span->cells[i]);
}

struct span *span_copy(struct span *span)
{
    struct span *copy = span_create(span->max);
    span_settle(span);
    for (size_t i = 0; copy && i < span->n; i++) {
        const struct cell *cell = span->cells[i];
        if (!span_add(copy, cell->start_s, cell->labels, cell, SECTION_ALL)) {
            span_destroy(copy);
            copy = NULL;
        }
    }
    return copy;
}
