/* The terminal itself, through curses: colours, keys, size, and giving it back. In: snapshots of a
 * board, keys. Out: the cells of a canvas. The caller's thread only; its locale is set for as long
 * as the screen is up, the process's is left alone. */
#include "ui/tui/tui.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "ui/tui/screen.h"

#define TICK_NS    INT64_C(1000000000)
#define MAX_SILENT 50 /* times in a row that input is announced and none is there: it is gone */
#define ESCAPE_MS  25

/* The screen's thread has the user's characters; everything else stays in the C locale. */
struct text_locale {
    locale_t mine, before;
    bool utf8;
};

static void locale_enter(struct text_locale *locale)
{
    locale->before = (locale_t)0;
    locale->mine = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    if (locale->mine)
        locale->before = uselocale(locale->mine);
    locale->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static void locale_leave(struct text_locale *locale)
{
    if (!locale->mine)
        return;
    uselocale(locale->before);
    freelocale(locale->mine);
}

/* ---- colours: 256 as designed, the nearest of 8, or none ---- */

static const struct {
    short many, few; /* -1: the terminal's own */
    attr_t plain;    /* where there is no such colour */
} looks[STYLE_COUNT] = {
    [STYLE_TEXT] = {-1, -1, A_NORMAL},
    [STYLE_QUIET] = {245, -1, A_DIM},
    [STYLE_RULE] = {238, -1, A_DIM},
    [STYLE_PAGE] = {203, COLOR_RED, A_BOLD},
    [STYLE_TICKET] = {214, COLOR_YELLOW, A_BOLD},
    [STYLE_OK] = {79, COLOR_GREEN, A_NORMAL},
    [STYLE_NODATA] = {244, -1, A_DIM},
    [STYLE_CHAMPION] = {75, COLOR_CYAN, A_NORMAL},
    [STYLE_CANARY] = {215, COLOR_YELLOW, A_NORMAL},
    [STYLE_SHADOW] = {183, COLOR_MAGENTA, A_NORMAL},
};

static void start_colours(void)
{
    if (getenv("NO_COLOR") || !has_colors() || start_color() == ERR ||
        use_default_colors() == ERR || COLORS < 8)
        return;
    for (int i = 0; i < STYLE_COUNT; i++)
        init_pair((short)(i + 1), COLORS >= 256 ? looks[i].many : looks[i].few, -1);
}

static attr_t attributes(int style, bool colours)
{
    int meaning = style & STYLE_MEANING;
    attr_t attributes = style & STYLE_BOLD ? A_BOLD : A_NORMAL;
    if (style & STYLE_REVERSE)
        attributes |= A_REVERSE;
    if (!colours || (COLORS < 256 && looks[meaning].few < 0))
        return attributes | looks[meaning].plain;
    return attributes | COLOR_PAIR(meaning + 1);
}

static void show(const struct canvas *canvas, bool colours)
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
            attrset((int)attributes(style, colours));
            mvaddstr(row, start, run);
        }
    }
    attrset(A_NORMAL);
    refresh();
}

/* ---- keys ---- */

static int translate(int key)
{
    static const struct {
        int curses, screen;
    } keys[] = {
        {KEY_UP, SCREEN_UP},           {KEY_DOWN, SCREEN_DOWN}, {KEY_PPAGE, SCREEN_PAGE_UP},
        {KEY_NPAGE, SCREEN_PAGE_DOWN}, {KEY_HOME, SCREEN_HOME}, {KEY_END, SCREEN_END},
        {KEY_ENTER, SCREEN_ENTER},     {'\r', SCREEN_ENTER},    {27, SCREEN_ESCAPE},
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (keys[i].curses == key)
            return keys[i].screen;
    return key;
}

struct loop {
    const struct tui_options *options;
    struct screen *screen;
    struct canvas canvas;
    bool colours, ascii;
    int silent;
};

/* False: the screen ends. */
static bool sample_board(struct loop *loop)
{
    const struct tui_options *options = loop->options;
    if (options->tick && !options->tick(options->context))
        return false;
    const struct snapshot *snapshot = snapshot_acquire(options->board);
    screen_update(loop->screen, snapshot);
    if (snapshot)
        snapshot_release(snapshot);
    loop->screen->remote = options->peer != NULL;
    if (options->peer)
        options->peer(options->context, &loop->screen->peer);
    return true;
}

static bool draw_loop(struct loop *loop)
{
    int rows, columns;
    getmaxyx(stdscr, rows, columns);
    if (rows != loop->canvas.rows || columns != loop->canvas.columns) {
        canvas_free(&loop->canvas);
        if (!canvas_init(&loop->canvas, columns, rows, loop->ascii))
            return false;
    }
    screen_draw(loop->screen, &loop->canvas);
    show(&loop->canvas, loop->colours);
    return true;
}

/* Waits for keys for so long and obeys them; false when the screen ends. */
static bool handle_keys(struct loop *loop, int wait_ms)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    int ready = poll(&input, 1, wait_ms);
    if (ready > 0 && (input.revents & (POLLHUP | POLLERR | POLLNVAL)))
        return false;
    bool any = false;
    for (int key = getch(); key != ERR; key = getch()) {
        any = true;
        if (!screen_handle(loop->screen, translate(key)))
            return false;
    }
    loop->silent = ready > 0 && !any ? loop->silent + 1 : 0;
    return loop->silent < MAX_SILENT;
}

static enum status run_loop(struct loop *loop, struct error *error)
{
    int64_t due_ns = monotonic_ns();
    for (;;) {
        int64_t left_ns = due_ns - monotonic_ns();
        if (left_ns <= 0) {
            if (!sample_board(loop))
                return STATUS_OK;
            due_ns =
                monotonic_ns() - left_ns > TICK_NS ? monotonic_ns() + TICK_NS : due_ns + TICK_NS;
            left_ns = due_ns - monotonic_ns();
        }
        if (!draw_loop(loop))
            return error_set(error, STATUS_MEMORY, "no memory for the screen");
        if (!handle_keys(loop, left_ns > 0 ? (int)(left_ns / 1000000) + 1 : 0))
            return STATUS_OK;
    }
}

static enum status run_terminal(struct loop *loop, struct error *error)
{
    SCREEN *terminal = newterm(NULL, stdout, stdin);
    if (!terminal) {
        const char *name = getenv("TERM");
        return error_set(error, STATUS_UNSUPPORTED,
                         "the terminal '%.40s' is not known here: set TERM, or use --once",
                         name ? name : "");
    }
    cbreak();
    noecho();
    nonl();
    curs_set(0);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(ESCAPE_MS);
    start_colours();
    loop->colours = !getenv("NO_COLOR") && has_colors() && COLORS >= 8;
    enum status status = run_loop(loop, error);
    erase();
    refresh();
    endwin();
    delscreen(terminal);
    return status;
}

enum status tui_run(const struct tui_options *options, struct error *error)
{
    struct text_locale locale;
    struct screen *screen = calloc(1, sizeof *screen);
    if (!screen)
        return error_set(error, STATUS_MEMORY, "no memory for the screen");
    locale_enter(&locale);
    struct loop loop = {
        .options = options,
        .screen = screen,
        .ascii = options->ascii || !locale.utf8,
    };
    enum status status = run_terminal(&loop, error);
    canvas_free(&loop.canvas);
    locale_leave(&locale);
    free(screen);
    return status;
}

static enum status print_canvas(const struct canvas *canvas, struct error *error)
{
    struct buffer text;
    buffer_init(&text, SIZE_MAX);
    canvas_text(canvas, &text);
    bool written = !text.overflow && fwrite(text.data, 1, text.size, stdout) == text.size &&
                   fflush(stdout) == 0;
    buffer_free(&text);
    return written
               ? STATUS_OK
               : error_set(error, STATUS_IO, "the screen cannot be written: %s", strerror(errno));
}

enum status tui_print(const struct tui_options *options, int columns, int rows, struct error *error)
{
    struct text_locale locale;
    struct loop loop = {.options = options};
    enum status status = STATUS_OK;
    locale_enter(&locale);
    loop.screen = calloc(1, sizeof *loop.screen);
    if (!loop.screen || !canvas_init(&loop.canvas, columns, rows, options->ascii || !locale.utf8))
        status = error_set(error, STATUS_MEMORY, "no memory for the screen");
    else if (sample_board(&loop)) {
        screen_draw(loop.screen, &loop.canvas);
        status = print_canvas(&loop.canvas, error);
    }
    canvas_free(&loop.canvas);
    free(loop.screen);
    locale_leave(&locale);
    return status;
}
