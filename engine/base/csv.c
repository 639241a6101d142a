/* Cells of a CSV record: RFC 4180, section 2, for records of one line. Any thread. */
#include "engine/base/csv.h"

/* `text` begins behind the opening quote. Finds the closing one; *escapes tells whether quotes
 * are doubled within. Returns the cell's size, or SIZE_MAX when it is left open. */
static size_t quoted_size(struct slice text, bool *escapes)
{
    *escapes = false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != '"')
            continue;
        if (i + 1 == text.size || text.data[i + 1] != '"')
            return i;
        *escapes = true;
        i++;
    }
    return (size_t)-1;
}

static bool unescape(struct slice *cell, struct buffer *scratch)
{
    char *out = buffer_reserve(scratch, cell->size);
    if (!out)
        return false;
    size_t size = 0;
    for (size_t i = 0; i < cell->size; i++) {
        out[size++] = cell->data[i];
        i += cell->data[i] == '"'; /* its double */
    }
    scratch->size += size;
    *cell = slice_make(out, size);
    return true;
}

/* Takes one cell from the front of *rest; *more when a comma followed. */
static bool take_cell(struct slice *rest, struct slice *cell, struct buffer *scratch, bool *more)
{
    size_t used;
    if (rest->size > 0 && rest->data[0] == '"') {
        bool escapes;
        struct slice inside = slice_make(rest->data + 1, rest->size - 1);
        size_t size = quoted_size(inside, &escapes);
        if (size == (size_t)-1)
            return false;
        *cell = slice_make(inside.data, size);
        if (escapes && !unescape(cell, scratch))
            return false;
        used = size + 2;
    } else {
        const char *comma = rest->size > 0 ? memchr(rest->data, ',', rest->size) : NULL;
        used = comma ? (size_t)(comma - rest->data) : rest->size;
        *cell = slice_make(rest->data, used);
    }
    *more = used < rest->size;
    if (*more && rest->data[used] != ',')
        return false;
    used += *more;
    *rest = slice_make(rest->data ? rest->data + used : NULL, rest->size - used);
    return true;
}

int csv_split(struct slice line, struct slice *cells, int max_cells, struct buffer *scratch)
{
    buffer_reset(scratch);
    /* Cells point into scratch, so it must not move while the line is split. */
    bool quotes = line.size > 0 && memchr(line.data, '"', line.size);
    if (quotes && !buffer_reserve(scratch, line.size))
        return -1;
    int n_cells = 0;
    bool more = true;
    while (more) {
        struct slice cell;
        if (!take_cell(&line, &cell, scratch, &more))
            return -1;
        if (n_cells < max_cells)
            cells[n_cells] = cell;
        n_cells++;
    }
    return n_cells;
}
