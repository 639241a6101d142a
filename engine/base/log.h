/* Structured log lines on stderr: `2026-01-02T03:04:05Z warn record disk_full path=/x msg="..."`.
 * Any thread. A level that is off costs one comparison and formats nothing. */
#ifndef BINNACLE_BASE_LOG_H
#define BINNACLE_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log;

/* Lines go to file descriptor `fd`, which stays the caller's; `json` gives one object a line. */
struct log *log_create(int fd, enum log_level level, bool json);
void log_destroy(struct log *log);
bool log_is_on(const struct log *log, enum log_level level);

/* `component` is a room ("record"), `event` a stable snake_case name, the message says what
 * happened and what the operator can do. `log` may be NULL: nothing is written. */
void log_write(struct log *log, enum log_level level, const char *component, const char *event,
               const char *format, ...) PRINTF_LIKE(5, 6);
/* "debug", "info", "warn", "error". */
const char *log_level_name(enum log_level level);
/* False when it is none of these. */
bool log_level_parse(const char *word, enum log_level *level);

/* Sends lines elsewhere for as long as a screen owns the terminal; fd -1 drops them. */
void log_redirect(struct log *log, int fd);

/* The newest lines are kept in memory for those who look: at most LOG_KEPT, the oldest go first. */
#define LOG_KEPT 1024
struct log_line {
    uint64_t seq; /* from 1; a gap is lines that were written since and are gone */
    int64_t time_us;
    enum log_level level;
    char component[16], event[48];
    char message[480]; /* a longer one is cut */
};
struct log_filter {
    enum log_level level;   /* and worse */
    int64_t from_us, to_us; /* [from, to) */
    uint64_t after;         /* only lines with a larger seq */
};
/* Copies the newest `max` lines that pass the filter, oldest first; returns how many. *newest (may
 * be NULL) gets the seq of the newest line of all. Any thread. */
size_t log_lines(struct log *log, const struct log_filter *filter, struct log_line *lines,
                 size_t max, uint64_t *newest);

#endif
