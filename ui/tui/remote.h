/* `binnacle top`: the screen of another process, its pictures fetched over HTTP, or of a
 * recording. */
#ifndef BINNACLE_TUI_REMOTE_H
#define BINNACLE_TUI_REMOTE_H

#include <stdbool.h>

#include "engine/base/status.h"
#include "ui/tui/tui.h"

struct remote_options {
    const char *url;                /* where the page is: "http://127.0.0.1:8420" */
    const char *token_file;         /* who asks; NULL: nobody in particular */
    const char *record;             /* a file for what was seen; NULL: none */
    const char *play;               /* a recording to show instead; NULL: none */
    bool once;                      /* one screen as text on stdout, then the end */
    struct tui_options screen;      /* how it looks, and the view to begin with */
    bool (*stopped)(void *context); /* true ends the screen; may be NULL; the calling thread */
    void *context;
};

/* A thread of its own asks, so that keys work while the peer does not answer. With `once`:
 * STATUS_UNAVAILABLE when it cannot be reached, STATUS_DENIED when it refuses. */
MUST_USE enum status remote_run(const struct remote_options *options, struct error *error);

#endif
