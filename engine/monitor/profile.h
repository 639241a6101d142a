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
#include "engine/observe/bins.h"
#include "engine/observe/value_points.h"

/* Values of one feature that are kept; deciles are among them. */
#define PROFILE_POINTS 2000
/* The same in a model's. */
#define PROFILE_MODEL_POINTS 500
/* The attribute of a model under which its profile travels. */
#define PROFILE_ATTRIBUTE "binnacle_profile"
/* Categories that are kept, the most frequent first; more are STATUS_FULL. */
#define PROFILE_CATEGORIES 100000

/* Appends the profile of all columns that were read, as one line of JSON. */
MUST_USE enum status profile_write(const struct columns *columns, struct buffer *out,
                                   struct error *error);
/* Rows that a model was trained on, and what it then gave them. */
struct profile_rows {
    const char *const *names;
    const float *rows; /* n * n_features; NaN: missing */
    const float *scores;
    size_t n, n_features;
};
/* Appends their profile, the scores' beside the features'. False: out of memory. */
bool profile_write_rows(const struct profile_rows *rows, struct buffer *out);
/* Reads one back as columns whose `upto` is set; `path` is for the error. STATUS_CORRUPT. */
MUST_USE enum status profile_read(struct slice text, const char *path, struct columns *columns,
                                  struct error *error);
/* Whether a text begins as a profile does. */
bool profile_begins(struct slice text);

/* A column of a profile as the live monitor counts it: as binning_make() cuts the numbers that the
 * profile was made of. n_bins from 2 to MAX_VALUE_BINS. */
void profile_binning(const struct column *column, int n_bins, struct binning *binning);
/* Its finite values, for methods that look at them. */
void profile_points(const struct column *column, struct value_points *points);

/* Reads the columns of a file that the reference has into the form in which they can be compared
 * with it, in memory that does not grow with the file: values are counted between the reference's
 * points. `values`: those of the reference are the points, as methods that look at values want
 * it; else its quantiles, as bins want it. Text in a column that is numeric in the reference is
 * counted as `n_odd`. */
MUST_USE enum status profile_stream(const struct columns *reference, struct columns *current,
                                    bool values, struct error *error);

#endif
