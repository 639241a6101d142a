/* A row of history.db: the cells of some spans of time, called blocks (the minutes of half an hour,
 * or one slice or hour), as columns: what is alike lies together, and each column is compressed
 * alone. Neither a reader of latencies unpacks bins, nor do the small counts of one section spoil
 * the codes of another. One thread at a time. */
#ifndef BINNACLE_HISTORY_ROW_H
#define BINNACLE_HISTORY_ROW_H

#include "engine/base/packed_bytes.h"
#include "engine/history/cell.h"

#define ROW_BLOCKS  30 /* at most */
#define ROW_COLUMNS 9  /* the heads of cells, and of each section its pairs and what they lack */

/* Cells still to be read, of one block. Good until the row changes. */
struct row_cells {
    struct slice columns[ROW_COLUMNS];
    uint64_t n;
    unsigned sections; /* others are not there, and come out empty */
};
/* The next one; false: it is damaged. Only while n > 0. */
MUST_USE bool row_next(struct row_cells *cells, struct packed_cell *packed);

struct row;
struct row *row_create(void);      /* NULL: out of memory */
void row_destroy(struct row *row); /* NULL is ignored */
void row_clear(struct row *row);

size_t row_size(const struct row *row); /* how many blocks, in order of their index */
int row_index(const struct row *row, size_t block);
struct row_cells row_block(const struct row *row, size_t block);
/* The block of that index; row_size(): none. */
size_t row_find(const struct row *row, int index);

/* Makes the block `index`, below ROW_BLOCKS, hold the named sections of cells that cell_encode()
 * wrote. False: they are damaged, or out of memory; the row is to be cleared then. */
MUST_USE bool row_put(struct row *row, int index, struct slice cells, unsigned sections);

/* Appends the row to *out. False: out of memory. */
MUST_USE bool row_pack(struct row *row, struct packer *packer, struct buffer *out);
/* Reads the named sections. Rows of earlier releases, cells of one block after another, are read
 * as their only block. False: damaged, or out of memory; the row is to be cleared then. */
MUST_USE bool row_unpack(struct row *row, struct packer *packer, struct slice packed,
                         unsigned sections);

#endif
