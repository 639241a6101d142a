/* What the person at the screen chose (page, selection, pause), and what a key does about it. Draws
 * on a canvas only: no terminal here. */
#ifndef BINNACLE_TUI_SCREEN_H
#define BINNACLE_TUI_SCREEN_H

#include "ui/tui/canvas.h"
#include "ui/tui/tui.h"
#include "ui/view/view.h"

enum page { PAGE_NOW, PAGE_TRAFFIC, PAGE_DRIFT, PAGE_QUALITY, PAGE_COUNT };

/* Keys that have no character of their own. */
enum screen_key {
    SCREEN_UP = 0x110000,
    SCREEN_DOWN,
    SCREEN_PAGE_UP,
    SCREEN_PAGE_DOWN,
    SCREEN_HOME,
    SCREEN_END,
    SCREEN_ENTER,
    SCREEN_ESCAPE,
};

/* What a line that can be selected shows. */
enum item_kind {
    ITEM_ATTENTION,
    ITEM_OBJECTIVE,
    ITEM_ARM,
    ITEM_DECISION,
    ITEM_RECENT,
    ITEM_DRIFT,
    ITEM_SCORE_DRIFT,
    ITEM_QUARANTINE,
};
struct item {
    enum item_kind kind;
    int index;
};
#define MAX_ITEMS 160

struct screen {
    struct view view;
    struct tui_peer peer;
    bool remote; /* peer is meant */
    bool loaded; /* a snapshot came */
    bool paused, local_time, help, evidence;
    enum page page;
    int selected[PAGE_COUNT];
};

/* Takes the newest picture, unless paused. */
void screen_update(struct screen *screen, const struct snapshot *snapshot);
/* Clears the canvas and draws all of the screen. */
void screen_draw(const struct screen *screen, struct canvas *canvas);
/* False: end the screen. A key that means nothing is passed over. */
bool screen_handle(struct screen *screen, int key);

/* The lines of the page that can be selected, top to bottom; returns how many. */
int screen_items(const struct screen *screen, struct item items[MAX_ITEMS]);
bool screen_is_selected(const struct screen *screen, enum item_kind kind, int index);

/* A moment as words_time(), or on the machine's own clock when that was chosen. */
char *screen_time(const struct screen *screen, int64_t time_us, bool seconds, char out[WORD_SIZE]);

/* The key table, for the bar and the help. */
struct screen_binding {
    int key, other; /* other: 0 when there is one key only */
    const char *shown, *does;
    bool (*handle)(struct screen *screen, int key);
};
const struct screen_binding *screen_bindings(int *n);

#endif
