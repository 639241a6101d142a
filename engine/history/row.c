/* A section's counts are pairs of a distance and a count. As most counts are small, the two share
 * one number: (distance - 1) * 4 + min(count, 4) - 1, and what a count of 4 or more lacks is in a
 * column of its own. Packed: the format, the blocks (index, number of cells), the size of each
 * column, the columns; all numbers are varints. A head is labels, layout and the sizes of the
 * cell's parts of the other columns. */
#include "engine/history/row.h"

#include <stdlib.h>
#include <string.h>

#include "engine/observe/varint.h"

#define FORMAT     1 /* the first byte; 0x28 begins the Zstandard frame of an earlier release */
#define OLD_FORMAT 0x28
#define MAX_COLUMN ((size_t)64 << 20)
#define SECTIONS   4
#define HEADS      0
#define PAIRS(i)   (1 + 2 * (i))
#define MORE(i)    (2 + 2 * (i))
_Static_assert(MORE(SECTIONS - 1) + 1 == ROW_COLUMNS && SECTION_ALL == (1 << SECTIONS) - 1,
               "two columns for each section, whose bits are in order");

struct block {
    int index;
    uint64_t n_cells;
    size_t from[ROW_COLUMNS]; /* where it begins; it ends where the next one does */
};

struct row {
    struct buffer columns[ROW_COLUMNS];
    struct block blocks[ROW_BLOCKS];
    size_t n_blocks;
    unsigned sections;
    struct buffer before[ROW_COLUMNS]; /* while a block is put between others */
    struct buffer scratch;
};

struct row *row_create(void)
{
    struct row *row = calloc(1, sizeof *row);
    if (!row)
        return NULL;
    for (int i = 0; i < ROW_COLUMNS; i++) {
        buffer_init(&row->columns[i], MAX_COLUMN);
        buffer_init(&row->before[i], MAX_COLUMN);
    }
    buffer_init(&row->scratch, ROW_COLUMNS * MAX_COLUMN);
    row_clear(row);
    return row;
}

void row_destroy(struct row *row)
{
    if (!row)
        return;
    for (int i = 0; i < ROW_COLUMNS; i++) {
        buffer_free(&row->columns[i]);
        buffer_free(&row->before[i]);
    }
    buffer_free(&row->scratch);
    free(row);
}

void row_clear(struct row *row)
{
    for (int i = 0; i < ROW_COLUMNS; i++)
        buffer_reset(&row->columns[i]);
    row->n_blocks = 0;
    row->sections = SECTION_ALL;
}

/* ---- reading ---- */

size_t row_size(const struct row *row)
{
    return row->n_blocks;
}

int row_index(const struct row *row, size_t block)
{
    return row->blocks[block].index;
}

static size_t end_of(const struct row *row, size_t block, int column)
{
    return block + 1 < row->n_blocks ? row->blocks[block + 1].from[column]
                                     : row->columns[column].size;
}

struct row_cells row_block(const struct row *row, size_t block)
{
    struct row_cells cells = {.n = row->blocks[block].n_cells, .sections = row->sections};
    for (int i = 0; i < ROW_COLUMNS; i++) {
        size_t from = row->blocks[block].from[i];
        cells.columns[i] =
            slice_make(buffer_slice(&row->columns[i]).data + from, end_of(row, block, i) - from);
    }
    return cells;
}

size_t row_find(const struct row *row, int index)
{
    size_t block = 0;
    while (block < row->n_blocks && row->blocks[block].index != index)
        block++;
    return block;
}

static bool cut(struct slice *column, uint64_t size, struct slice *part)
{
    if (size > column->size)
        return false;
    *part = slice_make(column->data, size);
    *column = slice_make(column->data + size, column->size - size);
    return true;
}

static bool next_section(struct row_cells *cells, int section, struct packed_counts *counts)
{
    uint64_t pairs, more;
    *counts = (struct packed_counts){.split = true};
    if (!varint_take(&cells->columns[HEADS], &pairs) || !varint_take(&cells->columns[HEADS], &more))
        return false;
    return !(cells->sections & 1u << section) ||
           (cut(&cells->columns[PAIRS(section)], pairs, &counts->pairs) &&
            cut(&cells->columns[MORE(section)], more, &counts->more));
}

static bool next_cell(struct row_cells *cells, struct packed_cell *packed)
{
    uint64_t layout;
    struct slice *heads = &cells->columns[HEADS];
    if (!varint_take(heads, &packed->labels) || !varint_take(heads, &layout) || layout > INT32_MAX)
        return false;
    packed->layout = (int)layout;
    cells->n--;
    return next_section(cells, 0, &packed->scalars) && next_section(cells, 1, &packed->scores) &&
           next_section(cells, 2, &packed->latency) && next_section(cells, 3, &packed->bins);
}

static bool is_over(const struct row_cells *cells)
{
    for (int i = 0; i < ROW_COLUMNS; i++) {
        if (cells->columns[i].size > 0)
            return false;
    }
    return true;
}

/* Behind the last cell nothing is left. */
bool row_next(struct row_cells *cells, struct packed_cell *packed)
{
    return next_cell(cells, packed) && (cells->n > 0 || is_over(cells));
}

/* ---- putting ---- */

static struct block *begin_block(struct row *row, int index)
{
    struct block *block = &row->blocks[row->n_blocks++];
    *block = (struct block){.index = index};
    for (int i = 0; i < ROW_COLUMNS; i++)
        block->from[i] = row->columns[i].size;
    return block;
}

static bool put_counts(struct slice plain, struct buffer *pairs, struct buffer *more)
{
    uint64_t distance, count;
    while (plain.size > 0) {
        if (!varint_take(&plain, &distance) || !varint_take(&plain, &count) || distance == 0 ||
            distance > UINT32_MAX || count == 0)
            return false;
        varint_put(pairs, (distance - 1) * 4 + (count < 4 ? count : 4) - 1);
        if (count >= 4)
            varint_put(more, count - 4);
    }
    return true;
}

static bool put_section(struct row *row, int section, const struct packed_counts *counts,
                        unsigned sections)
{
    struct buffer *pairs = &row->columns[PAIRS(section)], *more = &row->columns[MORE(section)];
    size_t pairs_from = pairs->size, more_from = more->size;
    if (sections & 1u << section && !put_counts(counts->pairs, pairs, more))
        return false;
    varint_put(&row->columns[HEADS], pairs->size - pairs_from);
    varint_put(&row->columns[HEADS], more->size - more_from);
    return true;
}

static bool put_cell(struct row *row, const struct packed_cell *packed, unsigned sections)
{
    varint_put(&row->columns[HEADS], packed->labels);
    varint_put(&row->columns[HEADS], (uint64_t)packed->layout);
    return put_section(row, 0, &packed->scalars, sections) &&
           put_section(row, 1, &packed->scores, sections) &&
           put_section(row, 2, &packed->latency, sections) &&
           put_section(row, 3, &packed->bins, sections);
}

static bool append(struct row *row, int index, struct slice cells, unsigned sections)
{
    struct block *block = begin_block(row, index);
    while (cells.size > 0) {
        struct packed_cell packed;
        if (!cell_next(&cells, &packed) || !put_cell(row, &packed, sections))
            return false;
        block->n_cells++;
    }
    for (int i = 0; i < ROW_COLUMNS; i++) {
        if (row->columns[i].overflow)
            return false;
    }
    return true;
}

/* A block of `before`, whose table of blocks is given, to the row's end. */
static bool append_again(struct row *row, const struct block *blocks, size_t n, size_t block)
{
    bool whole = true;
    struct block *made = begin_block(row, blocks[block].index);
    made->n_cells = blocks[block].n_cells;
    for (int i = 0; i < ROW_COLUMNS; i++) {
        size_t from = blocks[block].from[i];
        size_t to = block + 1 < n ? blocks[block + 1].from[i] : row->before[i].size;
        whole =
            buffer_append_slice(&row->columns[i],
                                slice_make(buffer_slice(&row->before[i]).data + from, to - from)) &&
            whole;
    }
    return whole;
}

/* Puts a block where it belongs among those that are there, in place of the one of its index. */
static bool put_between(struct row *row, int index, struct slice cells, unsigned sections)
{
    struct block blocks[ROW_BLOCKS];
    size_t n = row->n_blocks, block = 0;
    bool whole = true;
    memcpy(blocks, row->blocks, sizeof blocks);
    for (int i = 0; i < ROW_COLUMNS; i++) {
        struct buffer swapped = row->before[i];
        row->before[i] = row->columns[i];
        row->columns[i] = swapped;
        buffer_reset(&row->columns[i]);
    }
    row->n_blocks = 0;
    for (; whole && block < n && blocks[block].index < index; block++)
        whole = append_again(row, blocks, n, block);
    whole = whole && append(row, index, cells, sections);
    block += block < n && blocks[block].index == index;
    for (; whole && block < n; block++)
        whole = append_again(row, blocks, n, block);
    return whole;
}

bool row_put(struct row *row, int index, struct slice cells, unsigned sections)
{
    if (row->n_blocks > 0 && row->blocks[row->n_blocks - 1].index >= index)
        return put_between(row, index, cells, sections);
    return append(row, index, cells, sections);
}

/* ---- packing ---- */

bool row_pack(struct row *row, struct packer *packer, struct buffer *out)
{
    size_t before = 0;
    buffer_reset(&row->scratch);
    varint_put(out, FORMAT);
    varint_put(out, row->n_blocks);
    for (size_t i = 0; i < row->n_blocks; i++) {
        varint_put(out, (uint64_t)row->blocks[i].index);
        varint_put(out, row->blocks[i].n_cells);
    }
    for (int i = 0; i < ROW_COLUMNS; i++) {
        if (row->columns[i].size > 0 &&
            !packer_pack(packer, buffer_slice(&row->columns[i]), &row->scratch))
            return false;
        varint_put(out, row->scratch.size - before);
        before = row->scratch.size;
    }
    return buffer_append_slice(out, buffer_slice(&row->scratch)) && !out->overflow;
}

static bool take_blocks(struct row *row, struct slice *packed)
{
    uint64_t n, index;
    if (!varint_take(packed, &n) || n > ROW_BLOCKS)
        return false;
    for (; row->n_blocks < n; row->n_blocks++) {
        struct block *block = &row->blocks[row->n_blocks];
        if (!varint_take(packed, &index) || !varint_take(packed, &block->n_cells) ||
            index >= ROW_BLOCKS || (row->n_blocks > 0 && (int)index <= block[-1].index))
            return false;
        block->index = (int)index;
        memset(block->from, 0, sizeof block->from);
    }
    return true;
}

static bool take_columns(struct row *row, struct packer *packer, struct slice packed)
{
    uint64_t sizes[ROW_COLUMNS];
    for (int i = 0; i < ROW_COLUMNS; i++) {
        if (!varint_take(&packed, &sizes[i]))
            return false;
    }
    for (int i = 0; i < ROW_COLUMNS; i++) {
        struct slice column;
        bool wanted = i == HEADS || row->sections & 1u << (i - 1) / 2;
        if (!cut(&packed, sizes[i], &column) ||
            (wanted && column.size > 0 && !packer_unpack(packer, column, &row->columns[i])))
            return false;
    }
    return packed.size == 0;
}

/* Where blocks begin is not stored: the heads tell how long their cells are. */
static bool find_blocks(struct row *row)
{
    struct row_cells rest = {.sections = row->sections};
    struct packed_cell packed;
    if (row->n_blocks == 1 && row->blocks[0].n_cells > 0)
        return true; /* row_next() sees whether it is whole */
    for (int i = 0; i < ROW_COLUMNS; i++)
        rest.columns[i] = buffer_slice(&row->columns[i]);
    for (size_t block = 0; block < row->n_blocks; block++) {
        for (int i = 0; i < ROW_COLUMNS; i++)
            row->blocks[block].from[i] = row->columns[i].size - rest.columns[i].size;
        rest.n = row->blocks[block].n_cells;
        while (rest.n > 0) {
            if (!next_cell(&rest, &packed))
                return false;
        }
    }
    return is_over(&rest);
}

bool row_unpack(struct row *row, struct packer *packer, struct slice packed, unsigned sections)
{
    row_clear(row);
    row->sections = sections;
    if (packed.size > 0 && packed.data[0] == OLD_FORMAT)
        return packer_unpack(packer, packed, &row->scratch) &&
               append(row, 0, buffer_slice(&row->scratch), sections);
    uint64_t format;
    return varint_take(&packed, &format) && format == FORMAT && take_blocks(row, &packed) &&
           take_columns(row, packer, packed) && find_blocks(row);
}
