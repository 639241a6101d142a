/* Curses. In: the cells of a canvas. Out: keys. A table of looks for each number of colours that a
 * terminal may have; on grounds that are light the same meanings have darker colours. */
#include "ui/tui/terminal.h"

#include <ncurses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/encoding.h"
#include "ui/tui/rescue.h"
#include "ui/tui/screen.h"

#define ESCAPE_MS      25
#define CLIPBOARD_MOST 55500u /* bytes: in base64 what terminals take at least, 74 kB */
#define WHEEL_ROWS     3

struct terminal {
    SCREEN *screen;
    bool colours;
    struct buffer code; /* of the clipboard */
};

/* ---- colours: 256 as designed, the nearest of 8, or none ---- */

static const struct {
    short dark, light, few; /* -1: the terminal's own */
    attr_t plain;           /* where there is no such colour */
} looks[STYLE_COUNT] = {
    [STYLE_TEXT] = {-1, -1, -1, A_NORMAL},
    [STYLE_QUIET] = {245, 241, -1, A_DIM},
    [STYLE_RULE] = {238, 250, -1, A_DIM},
    [STYLE_PAGE] = {203, 124, COLOR_RED, A_BOLD},
    [STYLE_TICKET] = {214, 94, COLOR_YELLOW, A_BOLD},
    [STYLE_OK] = {79, 29, COLOR_GREEN, A_NORMAL},
    [STYLE_NODATA] = {244, 242, -1, A_DIM},
    [STYLE_CHAMPION] = {75, 25, COLOR_CYAN, A_NORMAL},
    [STYLE_CANARY] = {215, 130, COLOR_YELLOW, A_NORMAL},
    [STYLE_SHADOW] = {183, 97, COLOR_MAGENTA, A_NORMAL},
    [STYLE_HEAT] = {23, 152, COLOR_CYAN, A_DIM},
    [STYLE_HEAT + 1] = {30, 116, COLOR_CYAN, A_DIM},
    [STYLE_HEAT + 2] = {37, 73, COLOR_CYAN, A_NORMAL},
    [STYLE_HEAT + 3] = {44, 66, COLOR_CYAN, A_NORMAL},
    [STYLE_HEAT + 4] = {80, 30, COLOR_CYAN, A_BOLD},
    [STYLE_HEAT + 5] = {123, 23, COLOR_CYAN, A_BOLD},
};

/* Terminals that tell say "fg;bg"; 7 and 15 are light grounds. */
static bool is_light(enum tui_colours colours)
{
    const char *told = getenv("COLORFGBG"), *ground = told ? strrchr(told, ';') : NULL;
    if (colours != COLOURS_AUTO)
        return colours == COLOURS_LIGHT;
    return ground && (strcmp(ground, ";7") == 0 || strcmp(ground, ";15") == 0);
}

/* False: none. NO_COLOR by its convention counts when it is not empty. */
static bool start_colours(enum tui_colours colours)
{
    const char *none = getenv("NO_COLOR");
    if ((none && *none) || !has_colors() || start_color() == ERR || use_default_colors() == ERR ||
        COLORS < 8)
        return false;
    bool light = is_light(colours);
    for (int i = 0; i < STYLE_COUNT; i++)
        init_pair((short)(i + 1),
                  COLORS < 256 ? looks[i].few
                  : light      ? looks[i].light
                               : looks[i].dark,
                  -1);
    return true;
}

static attr_t attributes(int style, bool colours)
{
    int meaning = style & STYLE_MEANING;
    attr_t attributes = style & STYLE_BOLD ? A_BOLD : A_NORMAL;
    if (style & STYLE_REVERSE)
        attributes |= A_REVERSE;
    if (!colours || (COLORS < 256 && looks[meaning].few < 0))
        return attributes | looks[meaning].plain;
    return attributes | COLOR_PAIR(meaning + 1) |
           (COLORS < 256 && meaning >= STYLE_HEAT ? looks[meaning].plain : A_NORMAL);
}

void terminal_show(struct terminal *terminal, const struct canvas *canvas)
{
    char run[4096];
    erase();
    for (int row = 0; row < canvas->rows; row++) {
        for (int column = 0; column < canvas->columns;) {
            int style = canvas_cell(canvas, row, column)->style, start = column;
            size_t size = 0;
            while (column < canvas->columns && size + CELL_SIZE < sizeof run &&
                   canvas_cell(canvas, row, column)->style == style) {
                const char *text = canvas_cell(canvas, row, column++)->text;
                size_t length = strlen(text);
                memcpy(run + size, text, length);
                size += length;
            }
            run[size] = '\0';
            attrset((int)attributes(style, terminal->colours));
            mvaddstr(row, start, run);
        }
    }
    attrset(A_NORMAL);
    refresh();
}

void terminal_size(const struct terminal *terminal, int *columns, int *rows)
{
    (void)terminal;
    getmaxyx(stdscr, *rows, *columns);
}

/* ---- keys ---- */

static int translate(int key)
{
    static const struct {
        int curses, screen;
    } keys[] = {
        {KEY_UP, SCREEN_UP},       {KEY_DOWN, SCREEN_DOWN},     {KEY_LEFT, SCREEN_LEFT},
        {KEY_RIGHT, SCREEN_RIGHT}, {KEY_PPAGE, SCREEN_PAGE_UP}, {KEY_NPAGE, SCREEN_PAGE_DOWN},
        {KEY_HOME, SCREEN_HOME},   {KEY_END, SCREEN_END},       {KEY_ENTER, SCREEN_ENTER},
        {'\r', SCREEN_ENTER},      {27, SCREEN_ESCAPE},         {KEY_BACKSPACE, SCREEN_BACKSPACE},
        {0x7f, SCREEN_BACKSPACE},  {'\b', SCREEN_BACKSPACE},    {'\t', SCREEN_TAB},
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (keys[i].curses == key)
            return keys[i].screen;
    return key < 0x100 ? key : -1; /* other keys of curses mean nothing here */
}

static bool read_mouse(struct terminal_event *event)
{
    MEVENT mouse;
    if (getmouse(&mouse) != OK)
        return false;
    *event = (struct terminal_event){
        .kind = TERMINAL_CLICK, .row = mouse.y, .column = mouse.x, .key = -1};
    if (mouse.bstate & (BUTTON4_PRESSED | BUTTON5_PRESSED)) {
        event->kind = TERMINAL_WHEEL;
        event->rows = mouse.bstate & BUTTON4_PRESSED ? -WHEEL_ROWS : WHEEL_ROWS;
    }
    return true;
}

bool terminal_next(struct terminal *terminal, struct terminal_event *event)
{
    (void)terminal;
    int key = getch();
    if (key == ERR)
        return false;
    if (key == KEY_MOUSE && read_mouse(event))
        return true;
    *event = (struct terminal_event){.kind = TERMINAL_KEY, .key = translate(key)};
    return true;
}

/* ---- the clipboard ---- */

bool terminal_copy(struct terminal *terminal, struct slice text)
{
    if (text.size > CLIPBOARD_MOST)
        return false;
    buffer_reset(&terminal->code);
    buffer_append_text(&terminal->code, "\033]52;c;");
    base64_encode(text, &terminal->code);
    buffer_append_text(&terminal->code, "\a");
    fflush(stdout);
    struct slice code = buffer_slice(&terminal->code);
    return fwrite(code.data, 1, code.size, stdout) == code.size && fflush(stdout) == 0;
}

/* ---- opening and closing ---- */

enum status terminal_open(const struct tui_options *options, struct terminal **terminal,
                          struct error *error)
{
    const char *name = getenv("TERM");
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return error_set(error, STATUS_UNSUPPORTED,
                         "%s is no terminal: --once prints one screen as text",
                         isatty(STDIN_FILENO) ? "standard output" : "standard input");
    struct terminal *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "no memory for the screen");
    buffer_init(&made->code, 1u << 20);
    rescue_arm();
    made->screen = newterm(NULL, stdout, stdin);
    /* Without placing the cursor (TERM=dumb) there is nothing to draw with. */
    if (made->screen && !tigetstr("cup")) {
        endwin();
        delscreen(made->screen);
        made->screen = NULL;
    }
    if (!made->screen) {
        rescue_disarm();
        free(made);
        return error_set(error, STATUS_UNSUPPORTED,
                         "the terminal '%.40s' is not known here, or cannot place text: set TERM, "
                         "or use --once",
                         name ? name : "");
    }
    cbreak();
    noecho();
    nonl();
    curs_set(0);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(ESCAPE_MS);
    if (options->mouse) {
        mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
        mouseinterval(0);
    }
    made->colours = start_colours(options->colours);
    *terminal = made;
    return STATUS_OK;
}

void terminal_close(struct terminal *terminal)
{
    if (!terminal)
        return;
    erase();
    refresh();
    endwin();
    rescue_disarm();
    delscreen(terminal->screen);
    buffer_free(&terminal->code);
    free(terminal);
}
