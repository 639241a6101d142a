/* Results on stdout or into a file that appears only when it is whole. */
#ifndef BINNACLE_APP_OUTPUT_H
#define BINNACLE_APP_OUTPUT_H

#include <stdio.h>

#include "engine/base/slice.h"
#include "engine/base/status.h"

struct output {
    FILE *file;
    char *path;      /* NULL: stdout */
    char *temporary; /* beside the path; NULL: a device or pipe, which is written to directly */
};

/* "-" is stdout. */
MUST_USE enum status output_open(const char *path, struct output *output, struct error *error);
/* Flushes and puts the file in its place; the error says what the disk said. */
MUST_USE enum status output_commit(struct output *output, struct error *error);
/* Removes what is not committed. Safe after commit and on a zeroed struct. */
void output_discard(struct output *output);

/* `name` is for the error; "-" is stdout there, too. */
MUST_USE enum status output_write(FILE *file, const char *name, struct slice text,
                                  struct error *error);

#endif
