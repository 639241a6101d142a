/* Put before every file that the analyzer reads: tells it what it cannot see across files, that
 * error_set returns the status it was given and is never given STATUS_OK. */
#include "engine/base/status.h"

static inline enum status analyzer_failed(enum status status)
{
    if (status == STATUS_OK)
        __builtin_unreachable();
    return status;
}

#define error_set(error, status, ...)                                                              \
    ((void)error_set(error, status, __VA_ARGS__), analyzer_failed(status))
