/* Cells of a stretch of time, found by their start, labels and layout. What was used once is kept
 * for the next use, so that a span that is emptied and filled again allocates nothing. One thread
 * at a time. */
#ifndef BINNACLE_HISTORY_SPAN_H
#define BINNACLE_HISTORY_SPAN_H

#include "engine/history/cell.h"

struct span;
struct span *span_create(size_t max_cells); /* NULL: out of memory */
void span_destroy(struct span *span);       /* NULL is ignored */
void span_clear(struct span *span);

/* The cell, made when it is new. NULL: it would be one too many, or out of memory. */
struct cell *span_cell(struct span *span, int64_t start_s, uint64_t labels,
                       const struct layout *layout);
size_t span_size(const struct span *span);
/* In the order in which they were made. */
struct cell *span_at(const struct span *span, size_t index);
/* What its cells hold back is counted. Before they are read otherwise than by span_copy(). */
void span_settle(struct span *span);
/* A copy of what is in it now; NULL: out of memory. */
struct span *span_copy(struct span *span);
/* Adds a cell's sections to the cell at another start and under other labels. False: no room. */
bool span_add(struct span *span, int64_t start_s, uint64_t labels, const struct cell *from,
              unsigned sections);

#endif
