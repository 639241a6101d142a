/* Names of statuses and the one-line messages behind them. */
#include "engine/base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
    [STATUS_OK] = "ok",
    [STATUS_END] = "end",
    [STATUS_INVALID] = "invalid",
    [STATUS_NOT_FOUND] = "not_found",
    [STATUS_CONFLICT] = "conflict",
    [STATUS_FULL] = "full",
    [STATUS_UNAVAILABLE] = "unavailable",
    [STATUS_IO] = "io",
    [STATUS_CORRUPT] = "corrupt",
    [STATUS_UNSUPPORTED] = "unsupported",
    [STATUS_MEMORY] = "memory",
    [STATUS_DENIED] = "denied",
};

const char *status_name(enum status status)
{
    size_t index = (size_t)status;
    return index < sizeof names / sizeof names[0] ? names[index] : "unknown";
}

enum status error_set(struct error *error, enum status code, const char *format, ...)
{
    if (!error)
        return code;
    error->code = code;
    error->retriable = code == STATUS_UNAVAILABLE || code == STATUS_FULL;
    error->retry_after_s = 0;
    va_list args;
    va_start(args, format);
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    return code;
}

enum status error_prefix(struct error *error, const char *format, ...)
{
    if (!error)
        return STATUS_OK;
    char context[sizeof error->message - 2];
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
    char joined[2 * sizeof error->message];
    snprintf(joined, sizeof joined, "%s: %s", context, error->message);
    memcpy(error->message, joined, sizeof error->message);
    error->message[sizeof error->message - 1] = '\0';
    return error->code;
}
