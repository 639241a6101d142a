/* The state of the screen: which picture is shown, which view, which row. What keys do is in
 * keys.c. One thread. */
#include "ui/tui/screen.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "engine/base/clock.h"
#include "ui/tui/pages.h"

#define CLIPBOARD_BYTES ((size_t)8 << 20)

static const struct {
    int64_t seconds;
    const char *word;
} ranges[] = {
    {900, "15 min"}, {3600, "1 h"},   {21600, "6 h"},
    {86400, "24 h"}, {604800, "7 d"}, {2592000, "30 d"},
};
#define N_RANGES ((int)(sizeof ranges / sizeof *ranges))
#define QUARTER  0
#define ONE_HOUR 1

#define HALF_AN_HOUR_MS (1800 * 1000.0)

void screen_init(struct screen *screen)
{
    memset(screen, 0, sizeof *screen);
    screen->range = ONE_HOUR;
    buffer_init(&screen->clipboard, CLIPBOARD_BYTES);
    buffer_init(&screen->chart_csv, CLIPBOARD_BYTES);
    for (int i = 0; i < VIEW_COUNT; i++)
        grid_init(&screen->grids[i]);
}

void screen_free(struct screen *screen)
{
    buffer_free(&screen->clipboard);
    buffer_free(&screen->chart_csv);
    for (int i = 0; i < VIEW_COUNT; i++)
        grid_free(&screen->grids[i]);
}

void screen_say(struct screen *screen, int style, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(screen->message, sizeof screen->message, format, list);
    va_end(list);
    words_plain(screen->message);
    screen->message_style = style;
}

/* ---- pictures ---- */

/* Lists what can be selected on the view that is open. */
static void fill_list(struct screen *screen)
{
    if (screen->loaded && pages[screen->page].fill)
        pages[screen->page].fill(screen, screen_grid(screen));
}

void screen_show(struct screen *screen, const struct snapshot *snapshot)
{
    view_build(snapshot, &screen->view);
    screen->loaded = snapshot != NULL;
    feed_set_now(screen->feed, snapshot ? snapshot->time_us : 0);
    fill_list(screen);
}

void screen_update(struct screen *screen, const struct snapshot *snapshot)
{
    if (snapshot)
        screen->live_us = snapshot->time_us;
    if (!screen->loaded || !screen->paused) {
        screen->waiting_from = snapshot ? snapshot->seq : 0;
        screen->waiting_events = snapshot ? snapshot->events_total : 0;
        screen->waiting = 0;
    }
    if (screen->loaded && (screen->paused || screen->at_us)) {
        if (snapshot && snapshot->seq > screen->waiting_from)
            screen->waiting = snapshot->events_total - screen->waiting_events;
        return;
    }
    screen_show(screen, snapshot);
}

/* ---- rows ---- */

struct grid *screen_grid(struct screen *screen)
{
    return &screen->grids[screen->page];
}

bool screen_is_selected(const struct screen *screen, enum item_kind kind, int index)
{
    return grid_tag(&screen->grids[screen->page]) == ITEM_TAG(kind, index);
}

/* ---- times ---- */

char *screen_time(const struct screen *screen, int64_t time_us, bool seconds, char out[WORD_SIZE])
{
    struct tm local;
    time_t time_s = (time_t)(time_us / US_PER_S);
    if (!screen->local_time || time_us <= 0 || !localtime_r(&time_s, &local))
        return words_time(time_us, screen->view.event_time ? 0 : screen->view.time_us, seconds,
                          out);
    bool dated = screen->view.event_time || screen->view.time_us - time_us > US_PER_DAY / 2;
    strftime(out, WORD_SIZE,
             dated     ? "%Y-%m-%d %H:%M:%S %Z"
             : seconds ? "%H:%M:%S %Z"
                       : "%H:%M %Z",
             &local);
    return out;
}

/* The history has something from before the last half hour. */
static bool is_half_an_hour_old(const struct json *history)
{
    double to_ms = NAN;
    const struct json *points = json_get(json_first(json_get(history, "series")), "points");
    for (const struct json *point = json_first(points); point; point = json_next(point))
        to_ms = json_as_number(json_first(point), NAN);
    for (const struct json *point = json_first(points); point; point = json_next(point))
        if (isfinite(json_as_number(json_item(point, 1), NAN)))
            return json_as_number(json_first(point), NAN) < to_ms - HALF_AN_HOUR_MS;
    return false;
}

void screen_fit_range(struct screen *screen)
{
    char query[120];
    if (screen->range_chosen || screen->at_us)
        return;
    screen_past_query(screen, ranges[ONE_HOUR].seconds, 300, query, sizeof query);
    struct feed_document document =
        read_document(screen, 30000, "/api/v1/history?series=events&%s", query);
    screen->range = !document.json || is_half_an_hour_old(document.json) ? ONE_HOUR : QUARTER;
}

void screen_change_range(struct screen *screen, int by)
{
    int range = screen->range + by;
    screen->range = range < 0 ? 0 : range >= N_RANGES ? N_RANGES - 1 : range;
    screen->range_chosen = true;
}

int64_t screen_range_s(const struct screen *screen)
{
    return ranges[screen->range].seconds;
}

const char *screen_range_word(const struct screen *screen)
{
    return ranges[screen->range].word;
}

/* Steps that people count in. */
static int64_t nice_step(int64_t seconds)
{
    static const int64_t steps[] = {1,   5,    10,   15,   30,    60,    120,   300,  600,
                                    900, 1800, 3600, 7200, 14400, 21600, 43200, 86400};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (steps[i] >= seconds)
            return steps[i];
    return 86400;
}

void screen_past_query(const struct screen *screen, int64_t range_s, int64_t step_s, char *out,
                       size_t size)
{
    if (screen->at_us)
        snprintf(out, size, "from=%lld&to=%lld&step=%lld",
                 (long long)(screen->at_us / 1000 - range_s * 1000),
                 (long long)(screen->at_us / 1000), (long long)step_s);
    else
        snprintf(out, size, "from={now-%lld}&to={now}&step=%lld", (long long)range_s,
                 (long long)step_s);
}

void screen_range_query(const struct screen *screen, int points, char *out, size_t size)
{
    int64_t range = screen_range_s(screen);
    screen_past_query(screen, range, nice_step(range / (points > 0 ? points : 1)), out, size);
}

/* ---- views ---- */

/* As view_find(), with the views of one's own: theirs is the name that follows those of the table,
 * and the beginning that no other has. */
static int find_view(struct screen *screen, const char *word, char own[NAME_SIZE])
{
    int found = view_find(word);
    char name[NAME_SIZE];
    own[0] = '\0';
    if (found >= 0 && strcasecmp(view_entries[found].id, word) == 0)
        return found;
    enum own_search search = own_find(screen, word, name);
    if (search == OWN_SEVERAL || (search == OWN_BEGUN && found != -1))
        return -2;
    if (search == OWN_NONE || (search == OWN_UNKNOWN && found != -1))
        return found;
    snprintf(own, NAME_SIZE, "%s", name);
    return VIEW_OWN;
}

bool screen_go(struct screen *screen, const char *word)
{
    char own[NAME_SIZE];
    int found = find_view(screen, word, own);
    if (found < 0) {
        screen_say(screen, STYLE_TICKET,
                   found == -2 ? "'%s' begins several views" : "there is no view '%s'", word);
        return false;
    }
    screen->before = found == VIEW_HELP && screen->page != VIEW_HELP ? screen->page : VIEW_NOW;
    screen->page = (enum view_id)found;
    snprintf(screen->own, sizeof screen->own, "%s", own);
    screen->opened = false;
    screen->panel = 0;
    fill_list(screen);
    return true;
}

void screen_click(struct screen *screen, int row, int column)
{
    struct grid *grid = screen_grid(screen);
    (void)column;
    if (row < screen->body_row || row >= screen->body_row + screen->body_rows)
        return;
    size_t index = screen->body_top + (size_t)(row - screen->body_row);
    if (index < grid->n_shown) {
        screen->opened = screen->opened || index == grid->selected;
        grid->selected = index;
    }
}

void screen_wheel(struct screen *screen, int rows)
{
    grid_move(screen_grid(screen), rows);
}
