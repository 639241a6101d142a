/* The screen's loop: takes pictures in, draws, obeys. In: snapshots of a board or of a recording,
 * documents of a feed, keys. Out: the cells of a canvas. The caller's thread only; its locale is
 * set for as long as the screen is up, the process's is left alone. */
#include "ui/tui/tui.h"

#include <ctype.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "ui/tui/screen.h"
#include "ui/tui/terminal.h"

#define TICK_NS    INT64_C(1000000000)
#define AWAIT_MS   3000
#define MAX_SILENT 50 /* times in a row that input is announced and none is there: it is gone */

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

struct loop {
    const struct tui_options *options;
    struct screen *screen;
    struct terminal *terminal;
    struct canvas canvas;
    struct tape tape;
    bool ascii;
    int silent;
    int playing;       /* picture of the recording */
    uint64_t recorded; /* seq of the last own picture that was */
};

/* ---- pictures ---- */

static void show_recorded(struct loop *loop, int index)
{
    struct screen *screen = loop->screen;
    struct error error;
    int n = player_pictures(loop->options->player);
    index = index < 0 ? 0 : index >= n ? n - 1 : index;
    if (screen->loaded && index == loop->playing)
        return; /* its end: nothing is read again */
    struct snapshot *snapshot = snapshot_create();
    loop->playing = index;
    if (!snapshot)
        return;
    if (player_picture(loop->options->player, loop->playing, snapshot, &error) == STATUS_OK) {
        feed_expire(screen->feed);
        screen_show(screen, snapshot);
        screen->at_us = snapshot->time_us;
    } else {
        screen_say(screen, STYLE_TICKET, "%s", error.message);
    }
    snapshot_release(snapshot);
}

/* One picture of the tape back or forward; before its oldest, charts go on alone. */
static void step_back(struct loop *loop, int step)
{
    struct screen *screen = loop->screen;
    struct tape *tape = &loop->tape;
    if (tape->n == 0)
        return;
    int64_t at_us = screen->at_us ? screen->at_us : tape->pictures[tape->n - 1]->time_us;
    int64_t jump_us = screen_range_s(screen) * US_PER_S / 12;
    int found = tape_find(tape, at_us);
    screen->beyond = false;
    if (found + step >= 0 && found >= 0) {
        found += step;
        if (found >= tape->n - 1 && step > 0) {
            screen->at_us = 0;
            found = tape->n - 1;
        } else {
            screen->at_us = tape->pictures[found]->time_us;
        }
    } else {
        screen->at_us = at_us + step * jump_us;
        found = tape_find(tape, screen->at_us);
        screen->beyond = found < 0;
        if (found >= 0)
            screen->at_us = tape->pictures[found]->time_us;
    }
    screen_show(screen, tape->pictures[found < 0 ? 0 : found]);
}

static void take_step(struct loop *loop)
{
    int step = loop->screen->step;
    loop->screen->step = 0;
    if (!step)
        return;
    if (loop->options->player) {
        loop->screen->paused = true;
        show_recorded(loop, loop->playing + step);
    } else {
        step_back(loop, step);
    }
}

static void record_own(struct loop *loop, const struct snapshot *snapshot)
{
    if (!loop->options->recorder || loop->options->peer || !snapshot ||
        snapshot->seq == loop->recorded)
        return;
    loop->recorded = snapshot->seq;
    recorder_note_snapshot(loop->options->recorder, snapshot);
}

/* False: the screen ends. */
static bool sample_board(struct loop *loop)
{
    const struct tui_options *options = loop->options;
    if (options->tick && !options->tick(options->context))
        return false;
    if (options->player) {
        if (!loop->screen->paused)
            show_recorded(loop, loop->screen->loaded ? loop->playing + 1 : 0);
        return true;
    }
    const struct snapshot *snapshot = snapshot_acquire(options->board);
    tape_add(&loop->tape, options->board);
    screen_update(loop->screen, snapshot);
    record_own(loop, snapshot);
    if (snapshot)
        snapshot_release(snapshot);
    loop->screen->remote = options->peer != NULL;
    if (options->peer)
        options->peer(options->context, &loop->screen->peer);
    return true;
}

static void note_arrival(void *context, const struct feed_arrival *arrival)
{
    struct loop *loop = context;
    recorder_note(loop->options->recorder, arrival);
}

/* Documents that came; of another process the picture is one of them. */
static void sample_feed(struct loop *loop)
{
    if (feed_collect(loop->options->feed, note_arrival, loop))
        action_settle(loop->screen);
}

/* ---- drawing and keys ---- */

/* The console of Linux and terminals of old have blocks and no braille. */
static bool wants_blocks(const struct tui_options *options)
{
    const char *name = getenv("TERM");
    bool old = name && (strcmp(name, "linux") == 0 ||
                        (strncmp(name, "vt", 2) == 0 && isdigit((unsigned char)name[2])));
    return options->charts == CHARTS_BLOCKS || (options->charts == CHARTS_AUTO && old);
}

static bool draw_loop(struct loop *loop)
{
    int rows, columns;
    terminal_size(loop->terminal, &columns, &rows);
    if (rows != loop->canvas.rows || columns != loop->canvas.columns) {
        canvas_free(&loop->canvas);
        if (!canvas_init(&loop->canvas, columns, rows, loop->ascii))
            return false;
        loop->canvas.blocks = wants_blocks(loop->options);
    }
    screen_draw(loop->screen, &loop->canvas);
    terminal_show(loop->terminal, &loop->canvas);
    struct buffer *clipboard = &loop->screen->clipboard;
    if (clipboard->size > 0 && !terminal_copy(loop->terminal, buffer_slice(clipboard)))
        screen_say(loop->screen, STYLE_TICKET, "too much for a clipboard: y writes a file");
    buffer_reset(clipboard);
    return true;
}

static bool obey(struct loop *loop, const struct terminal_event *event)
{
    if (event->kind == TERMINAL_CLICK)
        screen_click(loop->screen, event->row, event->column);
    else if (event->kind == TERMINAL_WHEEL)
        screen_wheel(loop->screen, event->rows);
    else
        return screen_handle(loop->screen, event->key);
    return true;
}

/* Waits for keys and documents for so long and obeys them; false when the screen ends. */
static bool handle_input(struct loop *loop, int wait_ms)
{
    struct pollfd inputs[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                               {.fd = feed_fd(loop->options->feed), .events = POLLIN}};
    int ready = poll(inputs, 2, wait_ms);
    bool typed = ready > 0 && inputs[0].revents;
    if (typed && (inputs[0].revents & (POLLHUP | POLLERR | POLLNVAL)))
        return false;
    bool any = false;
    struct terminal_event event;
    while (terminal_next(loop->terminal, &event)) {
        any = true;
        if (!obey(loop, &event))
            return false;
    }
    if (ready > 0 && inputs[1].revents) {
        sample_feed(loop);
        if (!loop->screen->loaded && !sample_board(loop)) /* the first picture waits for no tick */
            return false;
    }
    take_step(loop);
    loop->silent = typed && !any ? loop->silent + 1 : 0;
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
        if (!handle_input(loop, left_ns > 0 ? (int)(left_ns / 1000000) + 1 : 0))
            return STATUS_OK;
    }
}

/* ---- beginning and end ---- */

/* Whether a word that is no view of the table is one of one's own is better known before the
 * terminal is taken over. */
static void await_views(struct loop *loop, const char *word)
{
    struct pollfd arrived = {.fd = feed_fd(loop->options->feed), .events = POLLIN};
    if (arrived.fd < 0 || view_find(word) >= 0)
        return;
    while (own_is_asked(loop->screen) && poll(&arrived, 1, AWAIT_MS) > 0)
        sample_feed(loop);
}

static enum status go_first(struct screen *screen, const char *word, struct error *error)
{
    char names[200] = "";
    size_t size = 0;
    if (screen_go(screen, word))
        return STATUS_OK;
    for (int i = 0; i < VIEW_COUNT; i++)
        size += (size_t)snprintf(names + size, sizeof names - size, "%s, ", view_entries[i].id);
    return error_set(error, STATUS_INVALID, "%s: --screen takes %sor one of your own by its name",
                     screen->message, names);
}

static enum status open_loop(struct loop *loop, const struct tui_options *options, bool utf8,
                             struct error *error)
{
    *loop = (struct loop){.options = options, .ascii = options->ascii || !utf8};
    loop->screen = malloc(sizeof *loop->screen);
    if (!loop->screen)
        return error_set(error, STATUS_MEMORY, "no memory for the screen");
    screen_init(loop->screen);
    loop->screen->feed = options->feed;
    loop->screen->readonly = options->readonly;
    loop->screen->playing = options->player != NULL;
    if (options->player && player_is_cut(options->player))
        screen_say(loop->screen, STYLE_TICKET,
                   "the recording ends within a line, which is left out");
    if (options->screen) {
        await_views(loop, options->screen);
        return go_first(loop->screen, options->screen, error);
    }
    return STATUS_OK;
}

static void close_loop(struct loop *loop)
{
    canvas_free(&loop->canvas);
    tape_free(&loop->tape);
    if (loop->screen)
        screen_free(loop->screen);
    free(loop->screen);
}

enum status tui_run(const struct tui_options *options, struct error *error)
{
    struct text_locale locale;
    struct loop loop;
    locale_enter(&locale);
    enum status status = open_loop(&loop, options, locale.utf8, error);
    if (status == STATUS_OK)
        status = terminal_open(options, &loop.terminal, error);
    if (status == STATUS_OK)
        status = run_loop(&loop, error);
    terminal_close(loop.terminal);
    close_loop(&loop);
    locale_leave(&locale);
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
    struct loop loop;
    locale_enter(&locale);
    enum status status = open_loop(&loop, options, locale.utf8, error);
    if (status == STATUS_OK && !canvas_init(&loop.canvas, columns, rows, loop.ascii))
        status = error_set(error, STATUS_MEMORY, "no memory for the screen");
    loop.canvas.blocks = wants_blocks(options);
    /* Of a recording the last picture. */
    if (status == STATUS_OK && options->player) {
        show_recorded(&loop, player_pictures(options->player) - 1);
        if (!loop.screen->loaded)
            status = error_set(error, STATUS_INVALID, "the recording's last picture: %s",
                               loop.screen->message);
    }
    if (status == STATUS_OK && (options->player || sample_board(&loop))) {
        screen_draw(loop.screen, &loop.canvas);
        feed_each(options->feed, note_arrival, &loop);
        status = print_canvas(&loop.canvas, error);
    }
    close_loop(&loop);
    locale_leave(&locale);
    return status;
}
