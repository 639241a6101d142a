/* A running binnacle, asked and told over its API: what commands with --url share. */
#ifndef BINNACLE_APP_REMOTE_H
#define BINNACLE_APP_REMOTE_H

#include <stdbool.h>

#include "engine/base/buffer.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"

#define REMOTE_REPLY_BYTES (4u << 20)

/* One call; `authorization` is a whole header line or NULL. *code is what was answered, whatever it
 * is; only what got no answer is an error. */
MUST_USE enum status remote_call(const char *url, const char *method, const char *path,
                                 const char *authorization, struct slice body, int *code,
                                 struct buffer *reply, struct error *error);
/* A GET that must be answered with 200; else the error carries the answer's detail. */
MUST_USE enum status remote_get(const char *url, const char *path, struct buffer *reply,
                                struct error *error);
/* An answer that is no 200 as an error, with its detail. */
enum status remote_refusal(const char *url, const char *path, int code, struct slice reply,
                           struct error *error);

#endif
