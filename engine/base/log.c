/* Log lines: formatted into a bounded buffer on the stack's side and sent by one write, so that
 * lines of several threads never mix. A line that cannot be written is lost: logging must not
 * stop the service. A ring keeps the newest ones for the screens, under a lock that is held for a
 * copy only. Any thread. */
#include "engine/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/buffer.h"
#include "engine/base/clock.h"
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/thread.h"

#define MAX_MESSAGE 2048
#define MAX_LINE    16384

struct log {
    _Atomic int fd;
    enum log_level level;
    bool json;
    struct lock lock; /* of the two that follow */
    uint64_t written;
    struct log_line kept[LOG_KEPT];
};

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}

bool log_level_parse(const char *word, enum log_level *level)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (strcmp(word, level_names[i]) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

struct log *log_create(int fd, enum log_level level, bool json)
{
    struct log *log = calloc(1, sizeof *log);
    if (!log)
        return NULL;
    atomic_init(&log->fd, fd);
    log->level = level;
    log->json = json;
    lock_init(&log->lock, "log");
    return log;
}

void log_destroy(struct log *log)
{
    if (log)
        lock_destroy(&log->lock);
    free(log);
}

bool log_is_on(const struct log *log, enum log_level level)
{
    return log && level >= log->level;
}

void log_redirect(struct log *log, int fd)
{
    if (log)
        atomic_store(&log->fd, fd);
}

static void format_json(struct buffer *line, int64_t now_us, enum log_level level,
                        const char *component, const char *event, const char *message)
{
    struct json_writer writer;
    json_begin(&writer, line);
    json_object(&writer, NULL);
    json_time(&writer, "time", now_us);
    json_text(&writer, "level", level_names[level]);
    json_text(&writer, "component", component);
    json_text(&writer, "event", event);
    json_text(&writer, "msg", message);
    json_object_end(&writer);
}

static void format_text(struct buffer *line, int64_t now_us, enum log_level level,
                        const char *component, const char *event, const char *message)
{
    char time[TIME_TEXT_SIZE];
    buffer_printf(line, "%s %s %s %s msg=\"", time_format(now_us, time), level_names[level],
                  component, event);
    json_escape(slice_of(message), line);
    buffer_append_char(line, '"');
}

static void send_line(const struct log *log, int fd, int64_t now_us, enum log_level level,
                      const char *component, const char *event, const char *message)
{
    struct buffer line;
    buffer_init(&line, MAX_LINE); /* six times the message and its frame fit */
    (log->json ? format_json : format_text)(&line, now_us, level, component, event, message);
    buffer_append_char(&line, '\n');
    if (line.data)
        (void)!file_write_all(fd, line.data, line.size); /* there is nobody to tell */
    buffer_free(&line);
}

static void keep_line(struct log *log, int64_t now_us, enum log_level level, const char *component,
                      const char *event, const char *message)
{
    lock_take(&log->lock);
    struct log_line *line = &log->kept[log->written % LOG_KEPT];
    line->seq = ++log->written;
    line->time_us = now_us;
    line->level = level;
    snprintf(line->component, sizeof line->component, "%s", component);
    snprintf(line->event, sizeof line->event, "%s", event);
    snprintf(line->message, sizeof line->message, "%.*s", (int)sizeof line->message - 1, message);
    lock_release(&log->lock);
}

static bool passes(const struct log_line *line, const struct log_filter *filter)
{
    return line->level >= filter->level && line->time_us >= filter->from_us &&
           line->time_us < filter->to_us && line->seq > filter->after;
}

size_t log_lines(struct log *log, const struct log_filter *filter, struct log_line *lines,
                 size_t max, uint64_t *newest)
{
    size_t n = 0;
    lock_take(&log->lock);
    uint64_t end = log->written, first = end > LOG_KEPT ? end - LOG_KEPT : 0;
    for (uint64_t i = end; i > first && n < max; i--) {
        if (passes(&log->kept[(i - 1) % LOG_KEPT], filter))
            lines[n++] = log->kept[(i - 1) % LOG_KEPT];
    }
    lock_release(&log->lock);
    for (size_t i = 0; i < n / 2; i++) {
        struct log_line line = lines[i];
        lines[i] = lines[n - 1 - i];
        lines[n - 1 - i] = line;
    }
    if (newest)
        *newest = end;
    return n;
}

void log_write(struct log *log, enum log_level level, const char *component, const char *event,
               const char *format, ...)
{
    if (!log_is_on(log, level))
        return;
    int saved_errno = errno;
    char message[MAX_MESSAGE];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    int64_t now_us = wall_us();
    keep_line(log, now_us, level, component, event, message);
    int fd = atomic_load(&log->fd);
    if (fd >= 0)
        send_line(log, fd, now_us, level, component, event, message);
    errno = saved_errno;
}
