/* Records of comma-separated values. */
#ifndef BINNACLE_BASE_CSV_H
#define BINNACLE_BASE_CSV_H

#include "engine/base/buffer.h"
#include "engine/base/slice.h"

/* One line of CSV (RFC 4180 quoting, separator ',') split into cells. A cell that holds doubled
 * quotes is unescaped into `scratch`, which is reset first. Returns the number of cells, at most
 * max_cells are stored; -1 when a quote is left open, text follows a closing quote, or scratch is
 * full. An unquoted cell is taken as it stands, quotes within it included. Cells borrow from the
 * line or scratch. An empty line is one empty cell. */
int csv_split(struct slice line, struct slice *cells, int max_cells, struct buffer *scratch);

#endif
