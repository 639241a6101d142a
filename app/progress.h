/* A progress bar on stderr for long work, only when stderr is a terminal. One thread. */
#ifndef BINNACLE_APP_PROGRESS_H
#define BINNACLE_APP_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what; /* "replay" */
    const char *unit; /* "events" */
    bool shown;       /* stderr is a terminal */
    int64_t started_ns;
    int64_t drawn_ns;
};

void progress_begin(struct progress *progress, const char *what, const char *unit);
/* `done_ratio` is 0..1, or negative when the end is not known; `count` is in units. Draws at most
 * ten times a second. */
void progress_update(struct progress *progress, double done_ratio, int64_t count);
/* Clears the line. */
void progress_end(struct progress *progress);

#endif
