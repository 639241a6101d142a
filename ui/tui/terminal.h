/* The terminal itself, through curses: colours, keys, size, the clipboard, and giving it back. One
 * terminal per process, one thread. */
#ifndef BINNACLE_TUI_TERMINAL_H
#define BINNACLE_TUI_TERMINAL_H

#include "ui/tui/canvas.h"
#include "ui/tui/tui.h"

struct terminal;
/* STATUS_UNSUPPORTED for a terminal that is not known or cannot place text. */
MUST_USE enum status terminal_open(const struct tui_options *options, struct terminal **terminal,
                                   struct error *error);
void terminal_close(struct terminal *terminal); /* as it was; NULL is ignored */
void terminal_size(const struct terminal *terminal, int *columns, int *rows);
void terminal_show(struct terminal *terminal, const struct canvas *canvas);

/* The next event that waits; false: none does. */
struct terminal_event {
    enum { TERMINAL_KEY, TERMINAL_CLICK, TERMINAL_WHEEL } kind;
    int key;         /* a character, or enum screen_key */
    int row, column; /* of a click */
    int rows;        /* of the wheel */
};
bool terminal_next(struct terminal *terminal, struct terminal_event *event);
/* Hands text to the terminal's clipboard (OSC 52). False when it is more than terminals take. */
bool terminal_copy(struct terminal *terminal, struct slice text);

#endif
