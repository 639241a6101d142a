/* Libraries of the system that few commands need, loaded when they are: those that do without start
 * sooner and take less memory. */
#ifndef BINNACLE_BASE_SHARED_LIBRARY_H
#define BINNACLE_BASE_SHARED_LIBRARY_H

#include <stddef.h>

#include "engine/base/status.h"

/* A function and where its address belongs in the caller's table of functions. */
struct shared_function {
    const char *name;
    size_t offset;
};

/* Loads `file` ("libx.so.1"), stays loaded until the process ends, and fills `table` with the
 * addresses of n functions, which may also be of libraries that `file` itself needs. Any thread;
 * a second time costs the look-ups only. STATUS_UNSUPPORTED: it is not installed, or has no such
 * function. */
MUST_USE enum status shared_library_load(const char *file, const struct shared_function *functions,
                                         size_t n, void *table, struct error *error);

#endif
