/* A reference kept in a file: of each feature how many values lie up to each of at most 2,000 of
 * them, and its categories. What is compared with it need not be in memory. */
#ifndef BINNACLE_MONITOR_PROFILE_H
#define BINNACLE_MONITOR_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/buffer.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"
#include "engine/monitor/columns.h"

/* Values of one feature that are kept; deciles are among them. */
#define PROFILE_POINTS 2000
/* Categories that are kept, the most frequent first; more are STATUS_FULL. */
#define PROFILE_CATEGORIES 100000

/* Appends the profile of all columns that were read, as one line of JSON. */
MUST_USE enum status profile_write(const struct columns *columns, struct buffer *out,
                                   struct error *error);
/* Reads one back as columns whose `upto` is set; `path` is for the error. STATUS_CORRUPT. */
MUST_USE enum status profile_read(struct slice text, const char *path, struct columns *columns,
                                  struct error *error);
/* Whether a text begins as a profile does. */
bool profile_begins(struct slice text);

/* Reads the columns of a file that the reference has into the form in which they can be compared
 * with it, in memory that does not grow with the file: values are counted between the reference's
 * points. `values`: those of the reference are the points, as methods that look at values want
 * it; else its quantiles, as bins want it. Text in a column that is numeric in the reference is
 * counted as `n_odd`. */
MUST_USE enum status profile_stream(const struct columns *reference, struct columns *current,
                                    bool values, struct error *error);

#endif
