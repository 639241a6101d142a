/* The terminal screen, drawn from snapshots and documents: in-process for `run`, over HTTP or of a
 * recording for `top`. */
#ifndef BINNACLE_TUI_TUI_H
#define BINNACLE_TUI_TUI_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/observe/snapshot.h"
#include "ui/tui/feed.h"
#include "ui/tui/tape.h"

/* How a binnacle that is watched from elsewhere answers. */
enum peer_state { PEER_LOADING, PEER_LIVE, PEER_STALE, PEER_REFUSED, PEER_AWAY };
struct tui_peer {
    enum peer_state state;
    int64_t since_us; /* wall clock, UTC */
    int64_t now_us;
    char url[200];
    char why[240]; /* what went wrong, when something did */
};

/* Of what lines are drawn; CHARTS_AUTO: of braille where the terminal is known to show it. */
enum tui_charts { CHARTS_AUTO, CHARTS_BRAILLE, CHARTS_BLOCKS };
enum tui_colours { COLOURS_AUTO, COLOURS_DARK, COLOURS_LIGHT };

struct tui_options {
    struct snapshot_board *board; /* where the newest picture is */
    struct feed *feed;            /* where documents are; NULL: none */
    struct recorder *recorder;    /* what was seen goes there; NULL: nowhere */
    struct player *player;        /* pictures of a recording, one after the other; NULL: live */
    /* Called about once a second on the screen's thread, before drawing; false ends the screen. */
    bool (*tick)(void *context);
    /* NULL when the pictures are of this very process. The screen's thread. */
    void (*peer)(void *context, struct tui_peer *peer);
    void *context;
    bool ascii; /* draw without characters beyond ASCII */
    enum tui_charts charts;
    bool mouse;         /* clicks and the wheel are the screen's, not the terminal's */
    bool readonly;      /* nothing can be changed from here */
    const char *screen; /* the view to begin with, by name; NULL: the first */
    enum tui_colours colours;
};

/* Takes the terminal over until `q`, or until tick() says so, and gives it back as it was, also
 * after a failure or a crash. The calling thread; one screen per process. */
MUST_USE enum status tui_run(const struct tui_options *options, struct error *error);

/* One screen of `columns` x `rows` as UTF-8 text on stdout, for `top --once` and tests. */
MUST_USE enum status tui_print(const struct tui_options *options, int columns, int rows,
                               struct error *error);

#endif
