/* W3C Trace Context: the `traceparent` header that ties one request together across services. */
#ifndef BINNACLE_BASE_TRACE_H
#define BINNACLE_BASE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/slice.h"
#include "engine/base/status.h"

#define TRACE_TEXT_SIZE 56 /* "00-" 32 "-" 16 "-" 2 and the zero */

struct trace {
    uint8_t id[16];  /* of the whole request, across services */
    uint8_t span[8]; /* of our part of it */
    uint8_t flags;   /* bit 0: sampled */
    bool adopted;    /* the caller brought the id */
};

/* Reads a traceparent header as the recommendation of 2021-11-23 says, versions above 00 by their
 * first four fields. False for anything else: upper case, zero ids, version ff, wrong lengths. */
bool trace_parse(struct slice header, struct trace *trace);
/* Goes on with the caller's trace under a new span, or, when `header` is NULL or none, starts one
 * (sampled). Fails only when the system gives no random bytes. Any thread. */
MUST_USE enum status trace_begin(const char *header, struct trace *trace);
/* The header for what we send. Returns out. */
char *trace_format(const struct trace *trace, char out[TRACE_TEXT_SIZE]);

#endif
