/* Files read line by line: plain, .gz (by name) or "-" for standard input. */
#ifndef BINNACLE_BASE_INPUT_H
#define BINNACLE_BASE_INPUT_H

#include <stdint.h>

#include "engine/base/slice.h"
#include "engine/base/status.h"

struct input;

/* `max_line` bounds one line's bytes. The error names the path and the system's reason. */
MUST_USE enum status input_open(const char *path, size_t max_line, struct input **input,
                                struct error *error);
void input_close(struct input *input);
/* The next line without its LF or CRLF, valid until the next call. STATUS_END at the end;
 * STATUS_CORRUPT for a broken .gz. A line over `max_line` gives STATUS_FULL with its first
 * bytes in *line and the rest skipped, so that the caller can quarantine it and go on. A UTF-8
 * byte order mark at the start is skipped. */
MUST_USE enum status input_line(struct input *input, struct slice *line, struct error *error);
/* Skips n lines as fast as they can be read. */
MUST_USE enum status input_skip(struct input *input, int64_t n_lines, struct error *error);
int64_t input_line_number(const struct input *input); /* of the last line read, from 1 */
/* Bytes of the (compressed) file consumed and its size, for progress bars; size 0 if unknown. */
int64_t input_position(const struct input *input);
int64_t input_size(const struct input *input);

/* One line of CSV (RFC 4180 quoting, separator ',') split into cells. Quoted cells are unescaped in
 * place into `scratch`. Returns the number of cells, at most max_cells are stored; -1 when a quote is
 * left open. Cells borrow from the line or scratch. */
struct buffer;
int csv_split(struct slice line, struct slice *cells, int max_cells, struct buffer *scratch);

/* A double from text as strtod in the C locale gives it (correctly rounded), the whole slice or
 * nothing. Accepts "nan", "inf"; refuses hex, empty and surrounding space. */
bool number_parse(struct slice text, double *out);
/* The same, rounded once to float. */
bool float_parse(struct slice text, float *out);

#endif
