/* How a function says that it could not do what was asked, and what a person reads about it. */
#ifndef BINNACLE_BASE_STATUS_H
#define BINNACLE_BASE_STATUS_H

#include <stdbool.h>

#define MUST_USE               __attribute__((warn_unused_result))
#define PRINTF_LIKE(at, first) __attribute__((format(printf, at, first)))

enum status {
    STATUS_OK = 0,
    STATUS_END,     /* nothing more to read; not a failure */
    STATUS_INVALID, /* what was given is wrong: usage, configuration, input */
    STATUS_NOT_FOUND,
    STATUS_CONFLICT,    /* it contradicts what is already there */
    STATUS_FULL,        /* a stated bound was reached; the caller may try later */
    STATUS_UNAVAILABLE, /* the other side is not there; may be tried again */
    STATUS_IO,
    STATUS_CORRUPT,     /* stored data is not what was written */
    STATUS_UNSUPPORTED, /* understood, but cannot be done by this build or library */
    STATUS_MEMORY,
    STATUS_DENIED,
};

/* For the operator's eyes: what, where, and what to do about it, on one line. */
struct error {
    enum status code;
    bool retriable;
    int retry_after_s; /* when to try again; 0: nothing is known of that */
    char message[512];
};

/* The short lower-case name of a status, for logs ("invalid", "not_found"). Never NULL. */
const char *status_name(enum status status);

/* Fills *error (which may be NULL) and returns code, so that callers can
 * `return error_set(error, STATUS_INVALID, "...")`. A message that does not fit is cut. */
enum status error_set(struct error *error, enum status code, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Puts "context: " before the message already in *error (NULL is ignored); returns its code. */
enum status error_prefix(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
