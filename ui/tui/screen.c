/* Choices and keys: one table of bindings is what keys do, what the bar names and what the help
 * lists. One thread. */
#include "ui/tui/screen.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engine/base/clock.h"

#define PAGE_STEP 10

void screen_update(struct screen *screen, const struct snapshot *snapshot)
{
    if (screen->paused && screen->loaded)
        return;
    view_build(snapshot, &screen->view);
    screen->loaded = snapshot != NULL;
}

static int add_items(struct item *items, int n, enum item_kind kind, int count)
{
    for (int i = 0; i < count && n < MAX_ITEMS; i++)
        items[n++] = (struct item){kind, i};
    return n;
}

int screen_items(const struct screen *screen, struct item items[MAX_ITEMS])
{
    const struct view *view = &screen->view;
    int n = 0;
    switch (screen->page) {
    case PAGE_NOW:
        n = add_items(items, n, ITEM_ATTENTION, view->n_attention);
        n = add_items(items, n, ITEM_OBJECTIVE, view->n_objectives);
        break;
    case PAGE_TRAFFIC:
        n = add_items(items, n, ITEM_ARM, view->n_arms);
        n = add_items(items, n, ITEM_DECISION, DECISION_COUNT);
        n = add_items(items, n, ITEM_RECENT, view->n_recent);
        break;
    case PAGE_DRIFT:
        n = add_items(items, n, ITEM_SCORE_DRIFT, view->score_drift.feature[0] ? 1 : 0);
        n = add_items(items, n, ITEM_DRIFT, view->n_drift);
        break;
    case PAGE_QUALITY:
        n = add_items(items, n, ITEM_QUARANTINE, view->n_quarantine);
        break;
    case PAGE_COUNT:
        break;
    }
    return n;
}

static int selected_item(const struct screen *screen, struct item items[MAX_ITEMS], int *n)
{
    *n = screen_items(screen, items);
    int selected = screen->selected[screen->page];
    return selected >= *n ? *n - 1 : selected;
}

bool screen_is_selected(const struct screen *screen, enum item_kind kind, int index)
{
    struct item items[MAX_ITEMS];
    int n, selected = selected_item(screen, items, &n);
    return selected >= 0 && items[selected].kind == kind && items[selected].index == index;
}

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

/* ---- keys ---- */

static bool handle_quit(struct screen *screen, int key)
{
    (void)screen, (void)key;
    return false;
}

static bool handle_help(struct screen *screen, int key)
{
    (void)key;
    screen->help = !screen->help;
    return true;
}

static bool handle_page(struct screen *screen, int key)
{
    screen->page = (enum page)(key - '1');
    screen->evidence = screen->help = false;
    return true;
}

static bool handle_move(struct screen *screen, int key)
{
    struct item items[MAX_ITEMS];
    int n, selected = selected_item(screen, items, &n);
    switch (key) {
    case SCREEN_UP:
    case 'k':
        selected--;
        break;
    case SCREEN_DOWN:
    case 'j':
        selected++;
        break;
    case SCREEN_PAGE_UP:
        selected -= PAGE_STEP;
        break;
    case SCREEN_PAGE_DOWN:
        selected += PAGE_STEP;
        break;
    case SCREEN_HOME:
    case 'g':
        selected = 0;
        break;
    default:
        selected = n - 1;
        break;
    }
    selected = selected >= n ? n - 1 : selected;
    screen->selected[screen->page] = selected < 0 ? 0 : selected;
    return true;
}

static bool handle_open(struct screen *screen, int key)
{
    (void)key;
    struct item items[MAX_ITEMS];
    screen->evidence = !screen->help && screen_items(screen, items) > 0;
    screen->help = false;
    return true;
}

static bool handle_back(struct screen *screen, int key)
{
    (void)key;
    screen->evidence = screen->help = false;
    return true;
}

static bool handle_pause(struct screen *screen, int key)
{
    (void)key;
    screen->paused = !screen->paused;
    return true;
}

static bool handle_zone(struct screen *screen, int key)
{
    (void)key;
    screen->local_time = !screen->local_time;
    return true;
}

static const struct screen_binding bindings[] = {
    {'1', 0, "1", "now: what hurts, objectives, rates", handle_page},
    {'2', 0, "2", "traffic: arms, decisions, the last events", handle_page},
    {'3', 0, "3", "drift: inputs against their reference", handle_page},
    {'4', 0, "4", "quality: quarantine, ledger, queue", handle_page},
    {SCREEN_DOWN, 'j', "j, down", "next line", handle_move},
    {SCREEN_UP, 'k', "k, up", "line before", handle_move},
    {SCREEN_PAGE_UP, SCREEN_PAGE_DOWN, "PgUp, PgDn", "ten lines", handle_move},
    {SCREEN_HOME, 'g', "g, Home", "first line", handle_move},
    {SCREEN_END, 'G', "G, End", "last line", handle_move},
    {SCREEN_ENTER, '\n', "Enter", "evidence: n, window, limit, method", handle_open},
    {SCREEN_ESCAPE, 'b', "Esc, b", "back", handle_back},
    {'p', 'Z', "p, Z", "pause the picture; nothing else stops", handle_pause},
    {'u', 0, "u", "times in UTC or in this machine's zone", handle_zone},
    {'?', 'h', "?, h", "this help", handle_help},
    {'q', 'Q', "q", "quit", handle_quit},
};

const struct screen_binding *screen_bindings(int *n)
{
    *n = (int)(sizeof bindings / sizeof bindings[0]);
    return bindings;
}

bool screen_handle(struct screen *screen, int key)
{
    for (size_t i = 0; i < sizeof bindings / sizeof bindings[0]; i++)
        if (key == bindings[i].key || (bindings[i].other && key == bindings[i].other))
            return bindings[i].handle(screen, key);
    return true;
}
