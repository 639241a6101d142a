/* What everybody who calls libcurl begins with: http.c and object_store.c. Any thread. */
#ifndef BINNACLE_BASE_HTTP_PRIV_H
#define BINNACLE_BASE_HTTP_PRIV_H

#include <stdbool.h>

#include "engine/base/http.h"

#define ORIGIN_SIZE 300

/* Before any handle is made. */
void http_library_init(void);
/* The URL's "scheme://host:port", and whether that is this machine. STATUS_INVALID: not a URL of
 * http or https. */
MUST_USE enum status http_origin(const char *url, char origin[ORIGIN_SIZE], bool *loopback,
                                 struct error *error);

#endif
