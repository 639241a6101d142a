/* `binnacle top`: the screen of another process, its snapshots fetched over HTTP. */
#ifndef BINNACLE_TUI_REMOTE_H
#define BINNACLE_TUI_REMOTE_H

#include <stdbool.h>

#include "engine/base/status.h"

struct remote_options {
    const char *url; /* where the page is: "http://127.0.0.1:8420" */
    bool once;       /* one screen as text on stdout, then the end */
    bool ascii;
    bool (*stopped)(void *context); /* true ends the screen; may be NULL; the calling thread */
    void *context;
};

/* Asks once a second on a thread of its own, so that keys work while the peer does not answer. With
 * `once`: STATUS_UNAVAILABLE when it cannot be reached, STATUS_DENIED when it refuses. */
MUST_USE enum status remote_run(const struct remote_options *options, struct error *error);

#endif
