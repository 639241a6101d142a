/* What is around every page: headline, key bar, what is typed, what is about to be changed, and the
 * pictures of a peer that is not there. */
#include <stdio.h>
#include <string.h>

#include "ui/tui/pages.h"

#define LEAST_COLUMNS  40
#define LEAST_ROWS     10
#define OTHERS_COLUMNS 56 /* of the headline, without service and split but with our name */
#define NAMED_COLUMNS  70 /* narrower, the views are only numbered in the key bar */
#define ROOMY_COLUMNS  118
#define LEAST_NOTE     10 /* columns beside what is typed; with fewer nothing is said in part */

static void draw_state(const struct screen *screen, struct canvas *canvas, int *column)
{
    const struct view_headline *headline = &screen->view.headline;
    char at[WORD_SIZE], waits[WORD_SIZE], text[4 * WORD_SIZE];
    bool stale = screen->remote && screen->peer.state >= PEER_STALE;
    bool then = screen->at_us && !screen->playing;
    bool still = stale || then || screen->paused;
    int style = still                                                     ? STYLE_TICKET
                : headline->stopped                                       ? STYLE_PAGE
                : headline->worst == HEALTH_NODATA || !screen->view.ready ? STYLE_NODATA
                                                                          : STYLE_OK;
    screen_time(screen, screen->view.time_us, true, at);
    if (screen->paused && !screen->playing)
        snprintf(text, sizeof text, "paused %s, %s %s   ", at, words_count(screen->waiting, waits),
                 screen->waiting == 1 ? "event waits" : "events wait");
    else
        snprintf(text, sizeof text, "%s %s   ",
                 stale             ? "stale"
                 : then            ? "then"
                 : screen->paused  ? "paused"
                 : screen->playing ? "recorded"
                                   : headline->clock_word,
                 at);
    *column += canvas_put(canvas, 0, *column, 2, style,
                          style == STYLE_OK     ? "● "
                          : style == STYLE_PAGE ? "▲ "
                                                : "○ ");
    bool loud = style == STYLE_TICKET || style == STYLE_PAGE;
    *column += canvas_printf(canvas, 0, *column, loud ? style : STYLE_TEXT, "%s", text);
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
    /* Where the split would lose its share, what is zero is said in one digit. */
    bool brief = canvas->columns - column - 28 < canvas_width(canvas, headline->split);
    column +=
        canvas_printf(canvas, 0, column, headline->n_pages ? STYLE_PAGE | STYLE_BOLD : STYLE_QUIET,
                      "▲ %s  ", brief && !headline->n_pages ? "0" : headline->pages);
    column += canvas_printf(canvas, 0, column,
                            headline->n_tickets ? STYLE_TICKET | STYLE_BOLD : STYLE_QUIET,
                            "◆ %s   ", brief && !headline->n_tickets ? "0" : headline->tickets);
    column += draw_broker(screen, canvas, column);
    int room = canvas->columns - column - 1;
    if (room > 8)
        canvas_right(canvas, 0, column, room, STYLE_TEXT, headline->split);
}

/* The views by number, then what the page's own keys do. */
static void draw_keys(const struct screen *screen, struct canvas *canvas)
{
    int row = canvas->rows - 1, column = 1;
    bool named = canvas->columns >= NAMED_COLUMNS;
    for (int i = 0; i < VIEW_COUNT; i++) {
        const struct view_entry *view = &view_entries[i];
        int style = (int)screen->page == i ? STYLE_REVERSE : STYLE_QUIET;
        if (i >= VIEW_HELP && canvas->columns < ROOMY_COLUMNS && (int)screen->page != i)
            continue; /* "?" says so */
        column +=
            canvas_printf(canvas, row, column, style, "%c%s", view->key, named ? view->title : "") +
            1;
    }
    static const char *const texts[] = {":go  /find  Z pause  ? help  q quit", ":go /find Z ? q",
                                        ":go /find ? q", ":go /find ?", "?"};
    int room = canvas->columns - column - 2;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (canvas_width(canvas, texts[i]) <= room) {
            canvas_right(canvas, row, column + 1, room, STYLE_QUIET, texts[i]);
            break;
        }
}

/* What can be pressed on this page and on no other, at the right end of the line over the bar: in
 * the bar itself there is no room for it on 80 columns. `from`: what stands in that line before. */
static void draw_page_keys(const struct screen *screen, struct canvas *canvas, int from)
{
    const struct page *page = &pages[screen->page];
    const char *keys = screen->opened && page->inside ? page->inside : page->keys;
    bool idle = screen->page == VIEW_NOW && screen->view.n_attention == 0;
    const char *acts = screen->readonly || idle || !page->acts ? "" : page->acts;
    char text[120];
    if (!keys || screen->keys_shown)
        return;
    snprintf(text, sizeof text, " %s%s%s ", acts, *acts ? "  " : "", keys);
    int width = canvas_width(canvas, text), left = canvas->columns - width - 2;
    if (left >= from)
        canvas_put(canvas, canvas->rows - 2, left, width, STYLE_TEXT, text);
}

static void draw_prompt(struct screen *screen, struct canvas *canvas)
{
    int row = canvas->rows - 1, column = 1, room = canvas->columns - 2;
    const char *label = prompt_label(screen), *text = screen->prompt.text;
    char completion[64];
    column += canvas_put(canvas, row, column, room, STYLE_BOLD, label);
    /* The end of what is typed is what one looks at. */
    while (canvas_width(canvas, text) > canvas->columns - column - 2 && *text)
        text++;
    column += canvas_put(canvas, row, column, canvas->columns - column - 1, STYLE_TEXT, text);
    canvas_put(canvas, row, column, 1, STYLE_REVERSE, " ");
    prompt_complete(screen, completion, sizeof completion);
    canvas_put(canvas, row, column + (completion[0] ? 0 : 1), canvas->columns - column - 1,
               STYLE_QUIET, completion);
    const struct grid *grid = &screen->grids[screen->page];
    char note[200] = "";
    if (screen->prompt.kind == PROMPT_FILTER && grid->wrong[0])
        snprintf(note, sizeof note, "%s", grid->wrong);
    else if (screen->prompt.kind == PROMPT_FILTER)
        snprintf(note, sizeof note, "%zu of %zu", grid->n_shown, grid->n);
    else if (screen->prompt.kind == PROMPT_CSV && screen->chart_csv.size > 0)
        snprintf(note, sizeof note, "Tab: of %s %.150s",
                 screen->prompt.of_chart ? "the list instead of" : "the chart", screen->chart);
    else if (screen->prompt.kind == PROMPT_REASON)
        snprintf(note, sizeof note, "Enter does it, Esc leaves it");
    if (screen->message[0])
        snprintf(note, sizeof note, "%.190s", screen->message);
    int wide = canvas_width(canvas, note);
    int style = grid->wrong[0] || screen->message[0] ? STYLE_TICKET : STYLE_QUIET;
    bool fits = canvas->columns - wide - 1 > column + 4;
    int left = fits ? canvas->columns - wide - 1 : column + 4;
    if (fits || canvas->columns - left > LEAST_NOTE)
        canvas_put(canvas, row, left, canvas->columns - left - 1, style, note);
}

static void draw_bottom(struct screen *screen, struct canvas *canvas)
{
    const struct grid *grid = &screen->grids[screen->page];
    if (screen->prompt.kind != PROMPT_NONE)
        draw_prompt(screen, canvas);
    else if (screen->message[0])
        canvas_put(canvas, canvas->rows - 1, 1, canvas->columns - 2, screen->message_style,
                   screen->message);
    else
        draw_keys(screen, canvas);
    int used = 2;
    if (grid->filter[0] && screen->prompt.kind != PROMPT_FILTER)
        used +=
            canvas_printf(canvas, canvas->rows - 2, 2, grid->wrong[0] ? STYLE_TICKET : STYLE_BOLD,
                          " /%s  %zu of %zu ", grid->filter, grid->n_shown, grid->n);
    else if (screen->page == VIEW_DECISIONS && screen->search[0])
        used += canvas_printf(canvas, canvas->rows - 2, 2, STYLE_BOLD, " find %s ", screen->search);
    if (screen->prompt.kind == PROMPT_NONE)
        draw_page_keys(screen, canvas, used);
}

/* What is about to be changed, over the page's lower part. */
static void draw_action(const struct screen *screen, struct canvas *canvas)
{
    const struct action *action = &screen->action;
    int row = canvas->rows - 4 - action->n_will;
    if (!action->asked || row < 3)
        return;
    for (int i = row; i < canvas->rows - 2; i++)
        for (int column = 0; column < canvas->columns; column++)
            canvas_put(canvas, i, column, 1, STYLE_TEXT, " ");
    canvas_rule(canvas, row, 0, canvas->columns);
    canvas_put(canvas, row + 1, 1, canvas->columns - 2, STYLE_TICKET | STYLE_BOLD, action->title);
    for (int i = 0; i < action->n_will; i++)
        canvas_put(canvas, row + 2 + i, 3, canvas->columns - 4, STYLE_TEXT, action->will[i]);
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
               pen->screen->playing ? "○ this picture of the recording cannot be read"
                                    : "○ waiting for the first picture");
}

/* An old picture is drawn without colours: none of it is known to be so now. */
static void fade(struct canvas *canvas, int first, int bottom)
{
    for (int row = first; row < bottom; row++)
        for (int column = 0; column < canvas->columns; column++)
            canvas->cells[row * canvas->columns + column].style = STYLE_NODATA;
}

static void draw_body(struct screen *screen, struct pen *pen)
{
    const struct page *page = &pages[screen->page];
    struct grid *grid = screen_grid(screen);
    if (!screen->loaded && screen->page != VIEW_HELP) {
        draw_loading(pen);
        return;
    }
    screen_fit_range(screen);
    if (page->fill)
        page->fill(screen, grid); /* help has rows without a picture, too */
    if (screen->opened && page->open && grid->n_shown > 0)
        page->open(pen);
    else
        page->draw(pen);
}

/* Why the picture is not of now. */
static void draw_past(struct screen *screen, struct pen *pen)
{
    char at[WORD_SIZE], ago[WORD_SIZE];
    if (!screen->at_us || screen->playing)
        return;
    screen_time(screen, screen->at_us, true, at);
    words_duration(screen->live_us - screen->at_us, ago);
    canvas_printf(pen->canvas, pen->row++, pen->left + 1, STYLE_TICKET,
                  "◆ as of %s, %s ago%s   ] goes on, L is live", at, ago,
                  !screen->beyond    ? ""
                  : pen->width < 100 ? ": charts only"
                                     : ": charts only, figures are of the oldest picture");
    draw_rule(pen);
}

void screen_draw(struct screen *screen, struct canvas *canvas)
{
    canvas_clear(canvas);
    screen->body_rows = 0;
    screen->keys_shown = false;
    screen->columns = canvas->columns;
    screen->rows = canvas->rows;
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
    draw_past(screen, &pen);
    int first = pen.row;
    draw_body(screen, &pen);
    if ((old || screen->beyond) && screen->page != VIEW_HELP)
        fade(canvas, first, canvas->rows - 2);
    canvas_rule(canvas, canvas->rows - 2, 0, canvas->columns);
    draw_action(screen, canvas);
    draw_bottom(screen, canvas);
}
