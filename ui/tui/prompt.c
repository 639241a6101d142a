/* The line at the bottom that a person types into: a view's name, a filter, a search, a file's
 * name, a share, a reason. One table says for each what it asks and what Enter does. One thread. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "engine/base/number.h"
#include "ui/tui/screen.h"

static void end_go(struct screen *screen, const char *text)
{
    if (*text)
        screen_go(screen, text);
}

static void end_filter(struct screen *screen, const char *text)
{
    struct grid *grid = screen_grid(screen);
    grid_set_filter(grid, text);
    if (grid->wrong[0])
        screen_say(screen, STYLE_TICKET, "all lines are shown: %s", grid->wrong);
}

static void end_search(struct screen *screen, const char *text)
{
    snprintf(screen->search, sizeof screen->search, "%s", text);
    screen->opened = false;
}

static void write_csv(struct screen *screen, const char *path, const struct buffer *csv,
                      const char *what)
{
    FILE *file = fopen(path, "wx");
    bool written = file && fwrite(csv->data, 1, csv->size, file) == csv->size;
    int failed = errno;
    if (file && fclose(file) != 0)
        written = false;
    if (written)
        screen_say(screen, STYLE_QUIET, "%s is in %.150s", what, path);
    else
        screen_say(screen, STYLE_TICKET, "%.150s: %s", path, strerror(failed));
}

static void give_csv(struct screen *screen, const char *path, const struct buffer *csv,
                     const char *what)
{
    if (*path) {
        write_csv(screen, path, csv, what);
        return;
    }
    buffer_reset(&screen->clipboard);
    buffer_append_slice(&screen->clipboard, buffer_slice(csv));
    screen_say(screen, STYLE_QUIET, "%s copied as CSV", what);
}

static void end_csv(struct screen *screen, const char *text)
{
    struct buffer csv;
    char what[VIEW_LINE_SIZE];
    if (screen->prompt.of_chart) {
        snprintf(what, sizeof what, "the chart \"%.100s\"", screen->chart);
        give_csv(screen, text, &screen->chart_csv, what);
        return;
    }
    size_t n = screen_grid(screen)->n_shown;
    snprintf(what, sizeof what, "the list (%zu %s)", n, number_noun(n, "row", "rows"));
    buffer_init(&csv, (size_t)64 << 20);
    grid_csv(screen_grid(screen), &csv);
    give_csv(screen, text, &csv, what);
    buffer_free(&csv);
}

static const struct {
    const char *label;
    void (*end)(struct screen *screen, const char *text);
} prompts[] = {
    [PROMPT_GO] = {":", end_go},
    [PROMPT_FILTER] = {"/", end_filter},
    [PROMPT_SEARCH] = {"find ", end_search},
    [PROMPT_CSV] = {"CSV of the list into a new file (empty: copy) ", end_csv},
    [PROMPT_SHARE] = {"the canary's share in % ", action_share},
    [PROMPT_REASON] = {"reason ", action_send},
};

const char *prompt_label(const struct screen *screen)
{
    if (screen->prompt.kind == PROMPT_CSV && screen->prompt.of_chart)
        return "CSV of the chart into a new file (empty: copy) ";
    return prompts[screen->prompt.kind].label;
}

void prompt_open(struct screen *screen, enum prompt_kind kind, const char *text)
{
    struct prompt *prompt = &screen->prompt;
    prompt->kind = kind;
    snprintf(prompt->text, sizeof prompt->text, "%s", text);
    snprintf(prompt->before, sizeof prompt->before, "%s", screen_grid(screen)->filter);
    if (kind != PROMPT_CSV)
        return;
    chart_csv_take(screen);
    prompt->of_chart = screen->chart_csv.size > 0 &&
                       (screen->page == VIEW_OWN || screen_grid(screen)->n_shown == 0);
}

/* ---- completion ---- */

static const char *const search_words[] = {
    "event_id=",        "entity=",          "from=",   "to=",        "decision=approve",
    "decision=review",  "decision=decline", "reason=", "min_score=", "max_score=",
    "variant=champion", "variant=canary",   "limit=",
};

/* Of the table's views the first, else the one of one's own that begins so. */
static void complete_view(struct screen *screen, const char *word, char *out, size_t size)
{
    char name[NAME_SIZE];
    size_t length = strlen(word);
    enum own_search own = own_find(screen, word, name); /* asked for while one still types */
    for (int i = 0; i < VIEW_COUNT; i++)
        if (strncasecmp(view_entries[i].id, word, length) == 0) {
            snprintf(out, size, "%s", view_entries[i].id + length);
            return;
        }
    if (own == OWN_BEGUN || own == OWN_SEVERAL)
        snprintf(out, size, "%s", name + length);
}

void prompt_complete(struct screen *screen, char *out, size_t size)
{
    const struct prompt *prompt = &screen->prompt;
    const char *word = strrchr(prompt->text, ' ');
    word = word ? word + 1 : prompt->text;
    size_t length = strlen(word);
    out[0] = '\0';
    if (prompt->kind == PROMPT_GO) {
        complete_view(screen, prompt->text, out, size);
        return;
    }
    if (prompt->kind != PROMPT_SEARCH || length == 0)
        return;
    for (size_t i = 0; i < sizeof search_words / sizeof *search_words; i++)
        if (strncmp(search_words[i], word, length) == 0) {
            snprintf(out, size, "%s", search_words[i] + length);
            return;
        }
}

/* ---- typing ---- */

static void erase_character(char *text)
{
    size_t size = strlen(text);
    while (size > 0 && ((unsigned char)text[size - 1] & 0xc0) == 0x80)
        size--;
    if (size > 0)
        size--;
    text[size] = '\0';
}

static void erase_word(char *text)
{
    size_t size = strlen(text);
    while (size > 0 && text[size - 1] == ' ')
        size--;
    while (size > 0 && text[size - 1] != ' ')
        size--;
    text[size] = '\0';
}

static void leave(struct screen *screen)
{
    struct prompt *prompt = &screen->prompt;
    if (prompt->kind == PROMPT_FILTER)
        grid_set_filter(screen_grid(screen), prompt->before);
    if (prompt->kind == PROMPT_REASON)
        screen_say(screen, STYLE_QUIET, "nothing was changed");
    screen->action.asked = false;
    prompt->kind = PROMPT_NONE;
}

static void enter(struct screen *screen)
{
    struct prompt *prompt = &screen->prompt;
    enum prompt_kind kind = prompt->kind;
    char text[sizeof prompt->text];
    memcpy(text, prompt->text, sizeof text);
    if (kind == PROMPT_REASON && !text[strspn(text, " ")]) {
        screen_say(screen, STYLE_TICKET, "a reason is needed: it is written to the ledger");
        return;
    }
    prompt->kind = PROMPT_NONE;
    prompts[kind].end(screen, text);
}

static void add(struct prompt *prompt, const char *more)
{
    size_t size = strlen(prompt->text);
    snprintf(prompt->text + size, sizeof prompt->text - size, "%s", more);
}

void prompt_handle(struct screen *screen, int key)
{
    struct prompt *prompt = &screen->prompt;
    char completion[64];
    switch (key) {
    case SCREEN_ESCAPE:
    case SCREEN_CTRL('c'):
    case SCREEN_CTRL('g'):
        leave(screen);
        return;
    case SCREEN_ENTER:
    case '\n':
        enter(screen);
        return;
    case SCREEN_BACKSPACE:
        if (!prompt->text[0] && prompt->kind != PROMPT_REASON) {
            leave(screen);
            return;
        }
        erase_character(prompt->text);
        break;
    case SCREEN_CTRL('w'):
        erase_word(prompt->text);
        break;
    case SCREEN_CTRL('u'):
        prompt->text[0] = '\0';
        break;
    case SCREEN_TAB:
        if (prompt->kind == PROMPT_CSV && screen->chart_csv.size > 0)
            prompt->of_chart = !prompt->of_chart;
        prompt_complete(screen, completion, sizeof completion);
        add(prompt, completion);
        break;
    default:
        if (key >= ' ' && key <= 0xff && key != 0x7f)
            add(prompt, (char[]){(char)key, '\0'});
        break;
    }
    if (prompt->kind == PROMPT_FILTER)
        grid_set_filter(screen_grid(screen), prompt->text);
}
