/* Structured log lines on stderr: `2026-01-02T03:04:05Z warn record disk_full path=/x msg="..."`.
 * Any thread. A level that is off costs one comparison and formats nothing. */
#ifndef BINNACLE_BASE_LOG_H
#define BINNACLE_BASE_LOG_H

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
/* Sends lines elsewhere for as long as a screen owns the terminal; fd -1 drops them. */
void log_redirect(struct log *log, int fd);

#endif
