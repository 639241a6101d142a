/* What is around every page: headline, key bar, help, and the pictures of a peer that is not there.
 */
#include <stdio.h>
#include <string.h>

#include "ui/tui/pages.h"

#define LEAST_COLUMNS  40
#define LEAST_ROWS     10
#define OTHERS_COLUMNS 56 /* of the headline, without service and split but with our name */
#define NAMED_COLUMNS  60 /* narrower, the pages are only numbered in the key bar */

static void draw_state(const struct screen *screen, struct canvas *canvas, int *column)
{
    const struct view_headline *headline = &screen->view.headline;
    char at[WORD_SIZE], text[3 * WORD_SIZE];
    int style = headline->worst == HEALTH_NODATA ? STYLE_NODATA : STYLE_OK;
    bool stale = screen->remote && screen->peer.state >= PEER_STALE;
    if (stale)
        style = STYLE_TICKET;
    *column += canvas_put(canvas, 0, *column, 2, style, style == STYLE_OK ? "● " : "○ ");
    snprintf(text, sizeof text, "%s %s   ",
             stale            ? "stale"
             : screen->paused ? "paused"
                              : headline->clock_word,
             screen_time(screen, screen->view.time_us, true, at));
    *column += canvas_printf(canvas, 0, *column, stale ? STYLE_TICKET : STYLE_TEXT, "%s", text);
}

/* Of a Kafka source; where there is no room it gives way only while all is well. */
static int draw_broker(const struct screen *screen, struct canvas *canvas, int column)
{
    const struct view_headline *headline = &screen->view.headline;
    int room = canvas->columns - column - 1, width = canvas_width(canvas, headline->broker);
    if (!headline->broker[0] || (width > room && !headline->broker_lost))
        return 0;
    return canvas_put(canvas, 0, column, room, headline->broker_lost ? STYLE_TICKET : STYLE_TEXT,
                      headline->broker) +
           3;
}

static void draw_headline(const struct screen *screen, struct canvas *canvas)
{
    const struct view_headline *headline = &screen->view.headline;
    int column = 1;
    int others = canvas_width(canvas, headline->service) + canvas_width(canvas, headline->split);
    if (canvas->columns >= OTHERS_COLUMNS + others)
        column += canvas_put(canvas, 0, column, 10, STYLE_QUIET, "binnacle  ");
    column += canvas_put(canvas, 0, column, 16, STYLE_BOLD, headline->service) + 2;
    if (!screen->loaded)
        return;
    draw_state(screen, canvas, &column);
    column +=
        canvas_printf(canvas, 0, column, headline->n_pages ? STYLE_PAGE | STYLE_BOLD : STYLE_QUIET,
                      "▲ %s  ", headline->pages);
    column += canvas_printf(canvas, 0, column,
                            headline->n_tickets ? STYLE_TICKET | STYLE_BOLD : STYLE_QUIET,
                            "◆ %s   ", headline->tickets);
    column += draw_broker(screen, canvas, column);
    int room = canvas->columns - column - 1;
    if (room > 8)
        canvas_right(canvas, 0, column, room, STYLE_TEXT, headline->split);
}

static void draw_keys(const struct screen *screen, struct canvas *canvas)
{
    static const char *const names[PAGE_COUNT] = {"Now", "Traffic", "Drift", "Quality"};
    int row = canvas->rows - 1, column = 1;
    for (int i = 0; i < PAGE_COUNT; i++) {
        bool here = (int)screen->page == i;
        int style = here ? STYLE_REVERSE : STYLE_QUIET;
        column += canvas->columns < NAMED_COLUMNS
                      ? canvas_printf(canvas, row, column, style, " %d ", i + 1)
                      : canvas_printf(canvas, row, column, style, " %d %s ", i + 1, names[i]);
    }
    const char *text = screen->paused          ? "p go on  ? help  q quit"
                       : canvas->columns >= 76 ? "Enter why  p pause  ? help  q quit"
                                               : "? help  q quit";
    canvas_right(canvas, row, column + 1, canvas->columns - column - 2,
                 screen->paused ? STYLE_TICKET : STYLE_QUIET, text);
}

static void draw_help(struct pen *pen)
{
    int n;
    const struct screen_binding *bindings = screen_bindings(&n);
    draw_heading(pen, "keys", "Esc closes this");
    for (int i = 0; i < n && pen_left(pen) > 0; i++, pen->row++) {
        canvas_put(pen->canvas, pen->row, pen->left + 3, 12, STYLE_BOLD, bindings[i].shown);
        canvas_put(pen->canvas, pen->row, pen->left + 16, pen->width - 17, STYLE_TEXT,
                   bindings[i].does);
    }
    if (pen_left(pen) > 1)
        pen->row++;
    static const enum health marks[] = {HEALTH_PAGE, HEALTH_TICKET, HEALTH_OK, HEALTH_NODATA};
    for (int i = 0, column = pen->left + 3; i < 4 && pen_left(pen) > 0; i++)
        column += canvas_printf(pen->canvas, pen->row, column, style_of(marks[i]), "%s %s   ",
                                words_mark(marks[i]), words_health(marks[i]));
}

/* What a peer's answers mean to the person at the screen. */
static const char *peer_word(enum peer_state state)
{
    static const char *const words[] = {
        [PEER_LOADING] = "waiting for the first picture of",
        [PEER_LIVE] = "",
        [PEER_STALE] = "the picture stands still at",
        [PEER_REFUSED] = "refused by",
        [PEER_AWAY] = "no answer from",
    };
    return words[state];
}

static void draw_peer(struct pen *pen)
{
    const struct tui_peer *peer = &pen->screen->peer;
    if (pen_left(pen) <= 0)
        return;
    char at[WORD_SIZE], ago[WORD_SIZE];
    words_time(peer->since_us, peer->now_us, true, at);
    words_duration(peer->now_us - peer->since_us, ago);
    bool bad = peer->state >= PEER_STALE;
    int column = pen->left + 1;
    column += canvas_put(pen->canvas, pen->row, column, 2, bad ? STYLE_TICKET : STYLE_NODATA,
                         bad ? "◆ " : "○ ");
    canvas_printf(pen->canvas, pen->row++, column, bad ? STYLE_TICKET | STYLE_BOLD : STYLE_TEXT,
                  "%s %s since %s, %s", peer_word(peer->state), peer->url, at, ago);
    if (peer->why[0] && pen_left(pen) > 0)
        canvas_put(pen->canvas, pen->row++, pen->left + 3, pen->width - 4, STYLE_QUIET, peer->why);
}

static void draw_loading(struct pen *pen)
{
    if (pen->screen->remote) {
        draw_peer(pen);
        return;
    }
    canvas_put(pen->canvas, pen->row, pen->left + 1, pen->width - 2, STYLE_NODATA,
               "○ waiting for the first picture");
}

/* An old picture is drawn without colours: none of it is known to be so now. */
static void fade(struct canvas *canvas, int first, int bottom)
{
    for (int row = first; row < bottom; row++)
        for (int column = 0; column < canvas->columns; column++)
            canvas->cells[row * canvas->columns + column].style = STYLE_NODATA;
}

static void draw_body(const struct screen *screen, struct pen *pen)
{
    static void (*const pages[PAGE_COUNT])(struct pen *) = {draw_now, draw_traffic, draw_drift,
                                                            draw_quality};
    if (screen->help)
        draw_help(pen);
    else if (!screen->loaded)
        draw_loading(pen);
    else if (screen->evidence)
        draw_evidence(pen);
    else
        pages[screen->page](pen);
}

void screen_draw(const struct screen *screen, struct canvas *canvas)
{
    canvas_clear(canvas);
    if (canvas->columns < LEAST_COLUMNS || canvas->rows < LEAST_ROWS) {
        canvas_printf(canvas, 0, 0, STYLE_TEXT, "needs %d x %d", LEAST_COLUMNS, LEAST_ROWS);
        return;
    }
    struct pen pen = {canvas, screen, 2, 0, canvas->columns, canvas->rows - 2};
    draw_headline(screen, canvas);
    canvas_rule(canvas, 1, 0, canvas->columns);
    bool old = screen->remote && screen->loaded && screen->peer.state >= PEER_STALE;
    if (old) {
        draw_peer(&pen);
        draw_rule(&pen);
    }
    int first = pen.row;
    draw_body(screen, &pen);
    if (old && !screen->help)
        fade(canvas, first, canvas->rows - 2);
    canvas_rule(canvas, canvas->rows - 2, 0, canvas->columns);
    draw_keys(screen, canvas);
}
