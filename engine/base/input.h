/* Files read line by line: plain, .gz (by name) or "-" for standard input. */
#ifndef BINNACLE_BASE_INPUT_H
#define BINNACLE_BASE_INPUT_H

#include <stdint.h>

#include "engine/base/csv.h"
#include "engine/base/number.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"

struct input;

/* `max_line` bounds one line's bytes. The error names the path and the system's reason. */
MUST_USE enum status input_open(const char *path, size_t max_line, struct input **input,
                                struct error *error);
/* The same, of a file that errors call `name`: of one that was put aside, say. */
MUST_USE enum status input_open_as(const char *path, const char *name, size_t max_line,
                                   struct input **input, struct error *error);
void input_close(struct input *input);
/* The next line without its LF or CRLF, valid until the next call. STATUS_END at the end;
 * STATUS_CORRUPT for a broken .gz. A line over `max_line` gives STATUS_FULL with its first
 * bytes in *line and the rest skipped, so that the caller can quarantine it and go on. A UTF-8
 * byte order mark at the start is skipped. */
MUST_USE enum status input_line(struct input *input, struct slice *line, struct error *error);
/* The next bytes whatever they are, up to `size`; *got is 0 at the end only. For readers that find
 * lines themselves: nothing is counted or skipped. */
MUST_USE enum status input_read(struct input *input, void *into, size_t size, size_t *got,
                                struct error *error);
/* Skips n lines as fast as they can be read. */
MUST_USE enum status input_skip(struct input *input, int64_t n_lines, struct error *error);
int64_t input_line_number(const struct input *input); /* of the last line read, from 1 */
/* Bytes of the (compressed) file consumed and its size, for progress bars; size 0 if unknown. */
int64_t input_position(const struct input *input);
int64_t input_size(const struct input *input);

#endif
