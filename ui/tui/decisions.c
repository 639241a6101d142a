/* Decisions: found by id, entity, time, reason, decision or score; one of them in full: verdict,
 * exact reasons as a waterfall, rule, model, trace and proof. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "ui/tui/pages.h"

/* The search as typed ("decision=decline min_score=.5", or an event's id alone) as a query. */
static void put_query(const char *search, char *out, size_t size)
{
    size_t used = 0;
    bool named = strchr(search, '=') != NULL;
    out[0] = '\0';
    if (!named && *search)
        used = (size_t)snprintf(out, size, "&event_id=");
    bool between = named;
    for (; *search && used + 8 < size; search++) {
        unsigned char character = (unsigned char)*search;
        if (character == ' ') {
            between = named;
            continue;
        }
        if (between)
            out[used++] = '&';
        between = false;
        if (strchr("=_-.:~", character) ||
            (character < 0x80 && character > ' ' &&
             ((character | 32) >= 'a' && (character | 32) <= 'z')) ||
            (character >= '0' && character <= '9'))
            out[used++] = (char)character;
        else
            used += (size_t)snprintf(out + used, size - used, "%%%02X", character);
        out[used] = '\0';
    }
}

static struct feed_document read_decisions(struct screen *screen)
{
    char query[FEED_TARGET_SIZE - 60];
    put_query(screen->search, query, sizeof query);
    return read_document(screen, list_every(screen, 3000), "/api/v1/decisions?%s%s",
                         strstr(query, "limit=") ? "order=newest" : "order=newest&limit=200",
                         query);
}

static const struct json *list_of(const struct feed_document *document)
{
    return json_get(document->json, "decisions");
}

static int style_of_decision(const char *decision)
{
    return strcmp(decision, "decline") == 0  ? STYLE_PAGE
           : strcmp(decision, "review") == 0 ? STYLE_TICKET
                                             : STYLE_TEXT;
}

static const struct grid_column columns[] = {{"event", 27, false, 0},   {"decided", 13, false, 0},
                                             {"decision", 8, false, 0}, {"score", 6, true, 0},
                                             {"rule", 14, false, 70},   {"arm", 9, false, 82},
                                             {"row", 10, true, 100},    {"latency", 9, true, 112}};
#define N_COLUMNS ((int)(sizeof columns / sizeof *columns))

/* Those of the snapshot, while no search can be had. */
static void fill_recent(struct screen *screen, struct grid *grid)
{
    const struct view *view = &screen->view;
    for (int i = 0; i < view->n_recent; i++) {
        const struct view_recent *row = &view->recent[i];
        const char *decision = decision_name(row->decision);
        char at[WORD_SIZE], index[WORD_SIZE];
        grid_row(grid, ITEM_TAG(ITEM_RECENT, i));
        grid_text(grid, STYLE_TEXT, row->event_id);
        grid_number(grid, STYLE_QUIET, (double)row->at_us,
                    screen_time(screen, row->at_us, true, at));
        grid_text(grid, style_of_decision(decision), decision);
        grid_text(grid, STYLE_TEXT, row->score);
        grid_text(grid, STYLE_TEXT, row->rule);
        grid_text(grid, style_of_arm(row->variant), variant_name(row->variant));
        if (row->ledger_index != UINT64_MAX)
            grid_number(grid, STYLE_QUIET, (double)row->ledger_index,
                        words_count(row->ledger_index, index));
    }
}

static void add_decision(struct screen *screen, struct grid *grid, const struct json *item)
{
    const char *decision = json_word(item, "decision");
    const char *variant = json_word(json_get(item, "model"), "variant");
    double score = json_double(item, "score"), index = json_double(item, "ledger_index");
    char at[WORD_SIZE] = "", text[WORD_SIZE];
    int64_t time_us = 0;
    if (time_parse(slice_of(json_word(item, "decided_at")), &time_us))
        screen_time(screen, time_us, true, at);
    grid_text(grid, STYLE_TEXT, json_word(item, "event_id"));
    grid_number(grid, STYLE_QUIET, (double)time_us, at);
    grid_text(grid, style_of_decision(decision), decision);
    grid_number(grid, STYLE_TEXT, score, words_score(score, text));
    grid_text(grid, STYLE_TEXT, json_word(item, "rule"));
    grid_text(grid, strcmp(variant, "canary") == 0 ? STYLE_CANARY : STYLE_CHAMPION, variant);
    grid_number(grid, STYLE_QUIET, index, index >= 0 ? words_count((uint64_t)index, text) : "");
    grid_number(grid, STYLE_QUIET, json_double(item, "latency_us"),
                words_latency(json_double(item, "latency_us"), text));
}

void fill_decisions(struct screen *screen, struct grid *grid)
{
    struct feed_document document = read_decisions(screen);
    const struct json *list = list_of(&document);
    int index = 0;
    if (grid_is_of(grid, list ? document.version * 2 + screen->local_time : 0))
        return;
    grid_begin(grid, columns, N_COLUMNS);
    if (!list)
        fill_recent(screen, grid);
    for (const struct json *item = list ? json_first(list) : NULL; item;
         item = json_next(item), index++) {
        grid_row(grid, ITEM_TAG(ITEM_ROW, index));
        add_decision(screen, grid, item);
    }
    grid_end(grid);
}

void draw_decisions(struct pen *pen)
{
    struct feed_document document = read_decisions(pen->screen);
    bool search = pen->screen->search[0];
    draw_heading(pen, search ? "found" : "last decisions",
                 search ? "newest first; Esc ends the search" : "f finds by id, entity, time, ...");
    if (search || document.state == FEED_REFUSED)
        draw_absent(pen, &document, search ? "search" : "all decisions");
    draw_grid(pen, search ? "no decision matches" : "no event was decided yet");
}

/* ---- one in full ---- */

/* Contributions to the margin: those that raise the score to the right of the middle. */
static void draw_reason(struct pen *pen, const struct json *reason, double most)
{
    double contribution = json_double(reason, "contribution"), value = json_double(reason, "value");
    int name = pen->width >= 100 ? 36 : 26, row = pen->row++;
    int left = pen->left + 3 + name + 12, half = (pen->width - (left - pen->left) - 11) / 2;
    char text[64], number[64];
    canvas_put(pen->canvas, row, pen->left + 3, name, STYLE_TEXT, json_word(reason, "feature"));
    snprintf(number, sizeof number, "%.5g", value);
    canvas_right(pen->canvas, row, pen->left + 3 + name, 10,
                 isnan(value) ? STYLE_NODATA : STYLE_QUIET, isnan(value) ? "missing" : number);
    int wide = (int)lround(fabs(contribution) / most * half);
    for (int i = 0; i < wide; i++)
        canvas_put(pen->canvas, row, contribution < 0 ? left + half - 1 - i : left + half + 1 + i,
                   1, contribution < 0 ? STYLE_CHAMPION : STYLE_CANARY, "█");
    canvas_put(pen->canvas, row, left + half, 1, STYLE_RULE, "│");
    snprintf(text, sizeof text, "%+.3f", contribution);
    canvas_right(pen->canvas, row, pen->left + pen->width - 10, 8, STYLE_TEXT, text);
}

static void draw_waterfall(struct pen *pen, const struct json *reasons)
{
    double most = 0;
    int n = reasons ? (int)json_size(reasons) : 0, shown = 0;
    double rest = 0;
    for (int i = 0; i < n; i++)
        most = fmax(most, fabs(json_double(json_item(reasons, (size_t)i), "contribution")));
    draw_heading(pen, "reasons",
                 n ? "what each input moved the margin by; left: less risk" : "none");
    for (const struct json *reason = n ? json_first(reasons) : NULL; reason;
         reason = json_next(reason)) {
        if (pen_left(pen) > 3 || (pen_left(pen) > 2 && shown + 1 == n)) {
            draw_reason(pen, reason, most > 0 ? most : 1);
            shown++;
        } else {
            rest += json_double(reason, "contribution");
        }
    }
    if (shown < n && pen_left(pen) > 0)
        canvas_printf(pen->canvas, pen->row++, pen->left + 3, STYLE_QUIET,
                      "%d more, together %+.3f", n - shown, rest);
}

static void draw_members(struct pen *pen, const char *title, const struct json *object)
{
    char line[2000] = "";
    size_t size = 0;
    if (!object || json_size(object) == 0 || pen_left(pen) < 2)
        return;
    for (const struct json *item = json_first(object); item && size + 100 < sizeof line;
         item = json_next(item)) {
        char number[40];
        snprintf(number, sizeof number, "%.6g", json_as_number(item, NAN));
        size += (size_t)snprintf(line + size, sizeof line - size, "%s%.40s %.60s",
                                 size ? "   " : "", json_item_key(item),
                                 json_kind(item) == JSON_NUMBER ? number
                                 : json_kind(item) == JSON_NULL ? "missing"
                                                                : json_as_text(item, "?"));
        size = size < sizeof line ? size : sizeof line - 1;
    }
    draw_fact(pen, title, "%s", line);
}

/* The rules in their order, those that did not fire and the one that did. */
static void draw_rules(struct pen *pen, const struct json *rules)
{
    if (!rules || json_kind(rules) != JSON_ARRAY || pen_left(pen) < 4)
        return;
    draw_heading(pen, "rules", "in their order");
    for (const struct json *rule = json_first(rules); rule && pen_left(pen) > 2;
         rule = json_next(rule)) {
        bool fired = strcmp(json_word(rule, "state"), "fired") == 0;
        const char *when = json_as_text(json_get(rule, "when"), "otherwise");
        int left = pen->left, row = pen->row++, style = fired ? STYLE_BOLD : STYLE_QUIET;
        canvas_put(pen->canvas, row, left + 1, 1, style, fired ? "●" : "·");
        canvas_put(pen->canvas, row, left + 3, 18, style, json_word(rule, "name"));
        canvas_put(pen->canvas, row, left + 22, pen->width - 34, style, when);
        canvas_right(pen->canvas, row, left + pen->width - 12, 10, style,
                     json_word(rule, "decision"));
    }
}

static void draw_verdict(struct pen *pen, const struct json *decision, const struct json *proof)
{
    const struct json *model = json_get(decision, "model");
    const char *verdict = json_word(decision, "decision");
    double index = json_double(decision, "ledger_index"), label = json_double(decision, "label");
    char score[WORD_SIZE], latency[WORD_SIZE], row[WORD_SIZE], tree[WORD_SIZE], at[WORD_SIZE];
    char text[VIEW_LINE_SIZE];
    snprintf(text, sizeof text, "%s by rule %s, score %s", verdict, json_word(decision, "rule"),
             words_score(json_double(decision, "score"), score));
    words_plain(text);
    canvas_put(pen->canvas, pen->row++, pen->left + 1, pen->width - 2,
               style_of_decision(verdict) | STYLE_BOLD, text);
    draw_fact(pen, "decided", "%s by %s %s, %s, in %s%s",
              json_moment(pen->screen, decision, "decided_at", at), json_word(model, "name"),
              json_word(model, "version"), json_word(model, "variant"),
              words_latency(json_double(decision, "latency_us"), latency),
              isnan(label) ? ""
              : label > 0  ? "; it was fraud"
                           : "; it was no fraud");
    draw_fact(pen, "trace", "%s", json_word(decision, "trace_id"));
    if (!(index >= 0))
        draw_fact(pen, "proof", "not recorded");
    else if (json_word(proof, "leaf_hash")[0])
        draw_fact(pen, "proof", "row %s is under the root of %s rows; leaf %.16s…",
                  words_count((uint64_t)index, row),
                  words_count((uint64_t)json_double(proof, "tree_size"), tree),
                  json_word(proof, "leaf_hash"));
    else
        draw_fact(pen, "proof", "row %s of the ledger", words_count((uint64_t)index, row));
}

/* The margin that the score is made of: the bias and what the inputs moved it by. */
static void draw_bias(struct pen *pen, const struct json *record)
{
    double bias = json_double(record, "bias"),
           margin = json_double(json_get(record, "row"), "margin");
    if (!isnan(bias) && !isnan(margin) && pen_left(pen) > 0)
        canvas_printf(pen->canvas, pen->row++, pen->left + 3, STYLE_QUIET,
                      "from %+.3f, which no input moves, to a margin of %+.3f", bias, margin);
}

void open_decisions(struct pen *pen)
{
    struct grid *grid = screen_grid(pen->screen);
    int32_t tag = grid_tag(grid);
    char id[400], query[FEED_TARGET_SIZE - 60];
    snprintf(id, sizeof id, "event_id=%.300s", grid_cell_text(grid, grid->selected, 0));
    put_query(id, query, sizeof query);
    struct feed_document found = read_decisions(pen->screen);
    struct feed_document document =
        read_document(pen->screen, 60000, "/api/v1/decision/record?%s", query + 1);
    const struct json *row = json_get(document.json, "row");
    if (!row && TAG_KIND(tag) == ITEM_ROW)
        row = json_item(list_of(&found), (size_t)TAG_INDEX(tag));
    draw_heading(pen, grid_cell_text(grid, grid->selected, 0), json_word(row, "entity"));
    if (row)
        draw_verdict(pen, row, json_get(document.json, "proof"));
    draw_members(pen, "input", json_get(row, "input"));
    draw_rule(pen);
    if (draw_absent(pen, &document, "reasons and proof"))
        return;
    int bottom = pen->bottom;
    const struct json *rules = json_get(document.json, "rules");
    int n = rules ? (int)json_size(rules) + 3 : 0; /* with room for the reasons */
    pen->bottom -= n < pen_left(pen) / 2 ? n : pen_left(pen) > 12 ? pen_left(pen) / 3 : 0;
    if (json_word(document.json, "reasons_problem")[0])
        draw_fact(pen, "reasons", "%s", json_word(document.json, "reasons_problem"));
    else
        draw_waterfall(pen, json_get(document.json, "reasons"));
    draw_bias(pen, document.json);
    pen->bottom = bottom;
    if (pen_left(pen) > 3) {
        draw_rule(pen);
        draw_rules(pen, rules);
    }
}
