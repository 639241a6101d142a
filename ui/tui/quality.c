/* Data quality: what comes in, how good the model is, what was recorded, and the quarantine:
 * reasons, and the events themselves with a retry. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/number.h"
#include "ui/tui/pages.h"

#define QUARANTINE "/api/v1/quarantine?limit=200"

static struct feed_document read_quarantine(struct screen *screen)
{
    return read_document(screen, list_every(screen, 5000), QUARANTINE);
}

static const struct json *list_of(const struct feed_document *document)
{
    return json_get(document->json, "quarantine");
}

/* Reasons of the snapshot, where events themselves cannot be had. */
static void fill_reasons(struct screen *screen, struct grid *grid)
{
    static const struct grid_column columns[] = {
        {"reason", 26, false, 0}, {"share", 10, true, 0}, {"events", 12, true, 0}};
    const struct view *view = &screen->view;
    (void)grid_is_of(grid, 0);
    grid_begin(grid, columns, 3);
    for (int i = 0; i < view->n_quarantine; i++) {
        const struct view_quarantine *row = &view->quarantine[i];
        grid_row(grid, ITEM_TAG(ITEM_QUARANTINE, i));
        grid_text(grid, STYLE_TEXT, row->reason);
        grid_text(grid, STYLE_TEXT, row->share);
        grid_number(grid, STYLE_QUIET, (double)row->count, row->n);
    }
    grid_end(grid);
}

static void first_reason(const struct json *event, const char **field, const char **reason)
{
    const struct json *errors = json_get(event, "errors");
    const struct json *first = errors ? json_first(errors) : NULL;
    *field = json_word(first, "field");
    *reason = json_word(first, "reason");
}

void fill_quality(struct screen *screen, struct grid *grid)
{
    static const struct grid_column columns[] = {{"id", 8, true, 0},
                                                 {"time", 13, false, 0},
                                                 {"state", 9, false, 90},
                                                 {"field", 16, false, 0},
                                                 {"reason", 28, false, 0}};
    struct feed_document document = read_quarantine(screen);
    const struct json *list = list_of(&document);
    int index = 0;
    if (!list) {
        fill_reasons(screen, grid);
        return;
    }
    if (grid_is_of(grid, document.version * 2 + screen->local_time))
        return;
    grid_begin(grid, columns, 5);
    for (const struct json *event = json_first(list); event; event = json_next(event), index++) {
        const char *field, *reason;
        char id[WORD_SIZE], at[WORD_SIZE];
        first_reason(event, &field, &reason);
        snprintf(id, sizeof id, "%.0f", json_double(event, "quarantine_id"));
        grid_row(grid, ITEM_TAG(ITEM_ROW, index));
        grid_number(grid, STYLE_QUIET, json_double(event, "quarantine_id"), id);
        grid_text(grid, STYLE_QUIET, json_moment(screen, event, "received_at", at));
        grid_text(grid, STYLE_QUIET, json_word(event, "status"));
        grid_text(grid, STYLE_TEXT, field);
        grid_text(grid, STYLE_TEXT, reason);
    }
    grid_end(grid);
}

static void draw_events(struct pen *pen)
{
    const struct view *view = &pen->screen->view;
    draw_heading(pen, "events", "since the start");
    draw_fact(pen, "taken", "%s   accepted %s", view->events, view->accepted);
    draw_fact(pen, "not taken", "%s %s, %s %s", view->duplicates, "seen before", view->errors,
              "without a decision");
    draw_fact(pen, "source", "%s, up %s",
              view->headline.broker[0] ? view->headline.broker : view->headline.source,
              view->headline.uptime);
    draw_fact(pen, "windows", "%s entities, %s", view->entities, view->feature_memory);
}

static void draw_ledger(struct pen *pen)
{
    const struct view *view = &pen->screen->view;
    draw_heading(pen, "ledger", view->root[0] ? "" : "no row yet");
    draw_fact(pen, "rows", "%s   queue %s", view->tree_size, view->queue);
    if (view->root[0])
        draw_fact(pen, "root", "%.*s", pen->width >= 86 ? 64 : 56, view->root);
    draw_fact(pen, "answers", "%s", view->durability);
    if (view->stops[0])
        draw_fact(pen, "stopped", "%s", view->stops);
}

/* What was taken, and what became of it. */
static void draw_record(struct pen *pen)
{
    draw_events(pen);
    draw_ledger(pen);
}

void draw_quality(struct pen *pen)
{
    static const struct panel panels[] = {
        {draw_fields}, {draw_performance}, {draw_usual}, {draw_record}};
    struct grid *grid = screen_grid(pen->screen);
    int rows = pen_left(pen), list = rows * 2 / 5 > 8 ? rows * 2 / 5 : 8;
    if (grid->n_shown + 3 < (size_t)list)
        list = (int)grid->n_shown + 3;
    struct pen top = pen_part(pen, 0, pen->width, rows - list);
    draw_panels(&top, panels, sizeof panels / sizeof *panels);
    pen->row = top.bottom;
    draw_rule(pen);
    char note[4 * WORD_SIZE];
    snprintf(note, sizeof note, "%s of all events, n %s%s", pen->screen->view.quarantined,
             pen->screen->view.quarantined_n,
             TAG_KIND(grid_tag(grid)) == ITEM_ROW ? "; r submits those listed again" : "");
    draw_heading(pen, "quarantine", pen->screen->view.n_quarantine ? note : "");
    draw_grid(pen, "nothing broke the contract");
}

void open_quality(struct pen *pen)
{
    int32_t tag = grid_tag(screen_grid(pen->screen));
    const struct view *view = &pen->screen->view;
    if (TAG_KIND(tag) == ITEM_QUARANTINE && TAG_INDEX(tag) < view->n_quarantine) {
        const struct view_quarantine *row = &view->quarantine[TAG_INDEX(tag)];
        draw_heading(pen, row->reason, "why events were not scored");
        draw_fact(pen, "now", "%s %s, %s of %s since the start", row->n,
                  number_noun(row->count, "event", "events"), row->share, view->events);
        draw_fact(pen, "do", "binnacle quarantine list --reason %s", row->reason);
        return;
    }
    struct feed_document document = read_quarantine(pen->screen);
    const struct json *event = json_item(list_of(&document), (size_t)TAG_INDEX(tag));
    char at[WORD_SIZE], id[WORD_SIZE];
    snprintf(id, sizeof id, "%.0f", json_double(event, "quarantine_id"));
    draw_heading(pen, "quarantined event", id);
    const char *source = json_word(event, "source");
    draw_fact(pen, "came", "%s%s%s, %s", json_moment(pen->screen, event, "received_at", at),
              source[0] ? " by " : "", source, json_word(event, "status"));
    const struct json *errors = json_get(event, "errors");
    for (const struct json *error = errors ? json_first(errors) : NULL; error;
         error = json_next(error))
        draw_fact(pen, json_word(error, "field"), "%s", json_word(error, "reason"));
    draw_fact(pen, "do", "r submits it again; binnacle quarantine export takes it out as it came");
}
