/* Keys: one table of bindings is what keys do, what the bar names and what the help lists. One
 * thread. */
#include <stdio.h>
#include <string.h>

#include "ui/tui/screen.h"

#define PAGE_STEP 10

static bool handle_quit(struct screen *screen, int key)
{
    (void)screen, (void)key;
    return false;
}

static bool handle_view(struct screen *screen, int key)
{
    for (int i = 0; i < VIEW_COUNT; i++)
        if (view_entries[i].key == key)
            screen_go(screen, view_entries[i].id);
    return true;
}

static bool handle_help(struct screen *screen, int key)
{
    (void)key;
    screen_go(screen, view_entries[screen->page == VIEW_HELP ? screen->before : VIEW_HELP].id);
    return true;
}

static bool handle_move(struct screen *screen, int key)
{
    static const struct {
        int key;
        long by;
    } steps[] = {
        {SCREEN_UP, -1},
        {'k', -1},
        {SCREEN_DOWN, 1},
        {'j', 1},
        {SCREEN_PAGE_UP, -PAGE_STEP},
        {SCREEN_CTRL('u'), -PAGE_STEP},
        {SCREEN_PAGE_DOWN, PAGE_STEP},
        {SCREEN_CTRL('d'), PAGE_STEP},
        {SCREEN_HOME, -(1L << 40)},
        {'g', -(1L << 40)},
        {SCREEN_END, 1L << 40},
        {'G', 1L << 40},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (steps[i].key == key)
            grid_move(screen_grid(screen), steps[i].by);
    return true;
}

/* Around the end, as a search goes. */
static bool handle_next(struct screen *screen, int key)
{
    struct grid *grid = screen_grid(screen);
    if (grid->n_shown > 0)
        grid->selected = (grid->selected + (key == 'n' ? 1 : grid->n_shown - 1)) % grid->n_shown;
    return true;
}

static bool handle_open(struct screen *screen, int key)
{
    (void)key;
    screen->opened = screen_grid(screen)->n_shown > 0;
    return true;
}

/* One step out: of the row, of the filter, of the past, of help. */
static bool handle_back(struct screen *screen, int key)
{
    (void)key;
    struct grid *grid = screen_grid(screen);
    if (screen->opened)
        screen->opened = false;
    else if (grid->filter[0])
        grid_set_filter(grid, "");
    else if (screen->page == VIEW_DECISIONS && screen->search[0])
        screen->search[0] = '\0';
    else if (screen->page == VIEW_HELP)
        screen_go(screen, view_entries[screen->before].id);
    return true;
}

static bool handle_pause(struct screen *screen, int key)
{
    (void)key;
    screen->paused = !screen->paused;
    return true;
}

static bool handle_step(struct screen *screen, int key)
{
    screen->step = key == '[' ? -1 : 1;
    return true;
}

static bool handle_live(struct screen *screen, int key)
{
    (void)key;
    screen->at_us = 0;
    screen->paused = screen->beyond = false;
    screen->step = 0;
    return true;
}

static bool handle_range(struct screen *screen, int key)
{
    screen_change_range(screen, key == '+' || key == '=' ? 1 : -1);
    screen_say(screen, STYLE_QUIET, "charts over %s", screen_range_word(screen));
    return true;
}

static bool handle_sort(struct screen *screen, int key)
{
    struct grid *grid = screen_grid(screen);
    if (key == 'o')
        grid_sort_next(grid);
    else
        grid_turn(grid);
    screen_say(screen, STYLE_QUIET, "%s%s%s", grid->sort < 0 ? "in the order they came" : "by ",
               grid->sort < 0 ? "" : grid->columns[grid->sort].title,
               grid->sort >= 0 && grid->descending ? ", largest first" : "");
    return true;
}

static bool handle_prompt(struct screen *screen, int key)
{
    struct grid *grid = screen_grid(screen);
    switch (key) {
    case ':':
        prompt_open(screen, PROMPT_GO, "");
        break;
    case '/':
        prompt_open(screen, PROMPT_FILTER, grid->filter);
        break;
    case 'y':
        prompt_open(screen, PROMPT_CSV, "");
        break;
    default:
        screen_go(screen, view_entries[VIEW_DECISIONS].id);
        prompt_open(screen, PROMPT_SEARCH, screen->search);
        break;
    }
    return true;
}

static bool handle_copy(struct screen *screen, int key)
{
    (void)key;
    struct grid *grid = screen_grid(screen);
    if (grid->n_shown == 0) {
        screen_say(screen, STYLE_QUIET, "there is nothing to copy here");
        return true;
    }
    buffer_reset(&screen->clipboard);
    buffer_append_text(&screen->clipboard, grid_cell_text(grid, grid->selected, 0));
    screen_say(screen, STYLE_QUIET, "copied %s", grid_cell_text(grid, grid->selected, 0));
    return true;
}

static bool handle_zone(struct screen *screen, int key)
{
    (void)key;
    screen->local_time = !screen->local_time;
    return true;
}

static bool handle_method(struct screen *screen, int key)
{
    (void)key;
    screen->method++;
    return true;
}

static bool handle_variant(struct screen *screen, int key)
{
    (void)key;
    screen->variant_canary = !screen->variant_canary;
    screen_say(screen, STYLE_QUIET, screen->variant_canary ? "by variant" : "all variants");
    return true;
}

static bool handle_panel(struct screen *screen, int key)
{
    (void)key;
    screen->panel++;
    return true;
}

static bool handle_action(struct screen *screen, int key)
{
    switch (key) {
    case 'x':
        action_roll_back(screen);
        break;
    case 't':
        prompt_open(screen, PROMPT_SHARE, "");
        break;
    case 'r':
        action_retry(screen);
        break;
    case 'a':
        action_acknowledge(screen);
        break;
    default:
        action_silence(screen);
        break;
    }
    return true;
}

static const struct screen_binding bindings[] = {
    {'1', 0, "0 … 9", "the views, as the last line numbers them", handle_view},
    {':', 0, ":", "go to a view by its name, also one of your own; Tab completes", handle_prompt},
    {'/', 0, "/", "show only lines that match; !word: those that do not", handle_prompt},
    {'?', 'h', "?, h", "this help, and back", handle_help},
    {SCREEN_ENTER, '\n', "Enter", "open the line", handle_open},
    {SCREEN_ESCAPE, 'b', "Esc, b", "back, one step: line, filter, search", handle_back},
    {SCREEN_DOWN, 'j', "j, down", "next line", handle_move},
    {SCREEN_UP, 'k', "k, up", "line before", handle_move},
    {SCREEN_HOME, 'g', "g, Home", "first line", handle_move},
    {SCREEN_END, 'G', "G, End", "last line", handle_move},
    {SCREEN_PAGE_DOWN, SCREEN_CTRL('d'), "ctrl-d, PgDn", "ten lines on", handle_move},
    {SCREEN_PAGE_UP, SCREEN_CTRL('u'), "ctrl-u, PgUp", "ten lines back", handle_move},
    {'n', 'N', "n, N", "next, previous match, around the end", handle_next},
    {'o', 'O', "o, O", "sort by the next column; turn the order around", handle_sort},
    {'f', 0, "f", "find decisions: decision=decline min_score=.5 ...", handle_prompt},
    {'Z', 'p', "Z, p", "pause the picture; says how much waits", handle_pause},
    {'[', ']', "[, ]", "back and forward through recorded history", handle_step},
    {'L', 0, "L", "live again", handle_live},
    {'+', '-', "+, -", "charts over a longer, a shorter time", handle_range},
    {SCREEN_TAB, 0, "Tab", "the next chart first", handle_panel},
    {'v', 0, "v", "by variant, or all together", handle_variant},
    {'m', 0, "m", "another drift method", handle_method},
    {'c', 0, "c", "copy the line's name (OSC 52)", handle_copy},
    {'y', 0, "y", "the list or, with Tab, the chart in front as CSV: a file, or copied",
     handle_prompt},
    {'u', 0, "u", "times in UTC or in this machine's zone", handle_zone},
    {'x', 0, "x", "roll the canary back", handle_action},
    {'t', 0, "t", "change the canary's share", handle_action},
    {'r', 0, "r", "retry the quarantined events listed", handle_action},
    {'a', 's', "a, s", "acknowledge the alert; silence it for an hour", handle_action},
    {'q', 'Q', "q", "quit", handle_quit},
};

const struct screen_binding *screen_bindings(int *n)
{
    *n = (int)(sizeof bindings / sizeof bindings[0]);
    return bindings;
}

bool screen_handle(struct screen *screen, int key)
{
    screen->message[0] = '\0';
    if (screen->prompt.kind != PROMPT_NONE) {
        prompt_handle(screen, key);
        return true;
    }
    if (key >= '0' && key <= '9')
        return handle_view(screen, key);
    for (size_t i = 0; i < sizeof bindings / sizeof bindings[0]; i++)
        if (key == bindings[i].key || (bindings[i].other && key == bindings[i].other))
            return bindings[i].handle(screen, key);
    if (key == '=' || key == '_')
        return handle_range(screen, key);
    return true;
}
