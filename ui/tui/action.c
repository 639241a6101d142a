/* What a person may change from here. Each is prepared from the picture: what will happen in words,
 * and the call that does it; then a reason is asked for, and Enter sends it. The service authorises
 * it, does it and writes it to the ledger. One thread. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json.h"
#include "engine/base/number.h"
#include "ui/tui/screen.h"

#define SILENCE_MINUTES 60
#define MOST_RETRIED    200
#define SAME_SHARE      1e-9

static void PRINTF_LIKE(2, 3) say_will(struct action *action, const char *format, ...)
{
    va_list list;
    if (action->n_will == ACTION_LINES)
        return;
    va_start(list, format);
    vsnprintf(action->will[action->n_will], sizeof action->will[0], format, list);
    va_end(list);
    words_plain(action->will[action->n_will++]);
}

/* False, with a message, when nothing may be changed from here. */
static bool begin(struct screen *screen, const char *method, const char *target)
{
    struct action *action = &screen->action;
    if (screen->readonly) {
        screen_say(screen, STYLE_TICKET,
                   "this screen is read-only: it was started with --readonly");
        return false;
    }
    if (screen->playing || !screen->feed) {
        screen_say(screen, STYLE_TICKET, "a recording cannot be changed");
        return false;
    }
    if (action->sent) {
        screen_say(screen, STYLE_TICKET, "the last order is still under way");
        return false;
    }
    memset(action, 0, sizeof *action);
    snprintf(action->method, sizeof action->method, "%s", method);
    snprintf(action->target, sizeof action->target, "%s", target);
    return true;
}

/* The body is an object without its end. */
static void ask(struct screen *screen, const struct buffer *body)
{
    struct action *action = &screen->action;
    if (body->overflow || body->size >= sizeof action->body) {
        screen_say(screen, STYLE_TICKET, "that is too much at once");
        return;
    }
    memcpy(action->body, body->data, body->size);
    action->body[body->size] = '\0';
    action->asked = true;
    prompt_open(screen, PROMPT_REASON, "");
}

/* ---- the split ---- */

static const struct view_arm *find_arm(const struct screen *screen, enum variant variant)
{
    for (int i = 0; i < screen->view.n_arms; i++)
        if (screen->view.arms[i].variant == variant)
            return &screen->view.arms[i];
    return NULL;
}

/* The canary that is selected on the traffic view, else the first; NULL: there is none. */
static const struct view_arm *find_canary(const struct screen *screen)
{
    int32_t tag = grid_tag(&screen->grids[VIEW_TRAFFIC]);
    const struct view_arm *selected =
        TAG_KIND(tag) == ITEM_ARM && TAG_INDEX(tag) < screen->view.n_arms
            ? &screen->view.arms[TAG_INDEX(tag)]
            : NULL;
    return screen->page == VIEW_TRAFFIC && selected && selected->variant == VARIANT_CANARY
               ? selected
               : find_arm(screen, VARIANT_CANARY);
}

/* The split as it shall be: `only` that canary, or with NULL every one, gets `percent`; the
 * champion what is left. */
struct change {
    const struct view_arm *only;
    double percent;
};

static double share_after(const struct change *change, const struct view_arm *arm)
{
    bool changed = arm->variant == VARIANT_CANARY && (!change->only || arm == change->only);
    return changed ? change->percent : arm->share_wanted * 100;
}

static double champion_after(const struct screen *screen, const struct change *change)
{
    double left = 100;
    for (int i = 0; i < screen->view.n_arms; i++)
        if (screen->view.arms[i].variant == VARIANT_CANARY)
            left -= share_after(change, &screen->view.arms[i]);
    return left;
}

static void put_split(const struct screen *screen, const struct change *change, struct buffer *out)
{
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    json_array(&json, "traffic");
    for (int i = 0; i < screen->view.n_arms; i++) {
        const struct view_arm *arm = &screen->view.arms[i];
        json_object(&json, NULL);
        json_text(&json, "variant", variant_name(arm->variant));
        json_text(&json, "model", arm->name);
        json_text(&json, "version", arm->version);
        json_number(&json, "share",
                    arm->variant == VARIANT_CHAMPION ? champion_after(screen, change)
                                                     : share_after(change, arm));
        json_object_end(&json);
    }
    json_array_end(&json);
}

/* False: nothing would be another than it is. */
static bool say_canaries(const struct screen *screen, const struct change *change,
                         struct action *action)
{
    bool any = false;
    for (int i = 0; i < screen->view.n_arms; i++) {
        const struct view_arm *arm = &screen->view.arms[i];
        double after = share_after(change, arm);
        char now[WORD_SIZE], then[WORD_SIZE];
        if (arm->variant != VARIANT_CANARY || fabs(after / 100 - arm->share_wanted) < SAME_SHARE)
            continue;
        any = true;
        if (action->n_will < ACTION_LINES - 2) /* with room for the champion and the ledger */
            say_will(action, "canary %.60s goes from %s to %s of the traffic, within a second",
                     arm->model, words_percent(arm->share_wanted, now),
                     words_percent(after / 100, then));
    }
    return any;
}

static void change_split(struct screen *screen, const struct change *change, const char *title)
{
    struct action *action = &screen->action;
    const struct view_arm *champion = find_arm(screen, VARIANT_CHAMPION);
    char then[WORD_SIZE], rest[WORD_SIZE];
    struct buffer body;
    if (!champion || !find_arm(screen, VARIANT_CANARY)) {
        screen_say(screen, STYLE_TICKET, "there is no canary to change the share of");
        return;
    }
    words_percent(change->percent / 100, then);
    if (champion_after(screen, change) < 0) {
        screen_say(screen, STYLE_TICKET, "that and the other canaries are more than 100 %%");
        return;
    }
    if (!begin(screen, "PUT", "/api/v1/traffic"))
        return;
    snprintf(action->title, sizeof action->title, "%s", title);
    if (!say_canaries(screen, change, action)) {
        screen_say(screen, STYLE_QUIET, "the canary is at %s already", then);
        return;
    }
    say_will(action, "champion %.60s gets %s; decisions already made stay as they are",
             champion->model, words_percent(champion_after(screen, change) / 100, rest));
    say_will(action, "the ledger gets a row with your name and the reason");
    snprintf(action->done, sizeof action->done, "the canary is at %s", then);
    buffer_init(&body, sizeof action->body);
    put_split(screen, change, &body);
    ask(screen, &body);
    buffer_free(&body);
}

void action_roll_back(struct screen *screen)
{
    const struct change change = {NULL, 0};
    change_split(screen, &change, "Roll the canary back");
}

void action_share(struct screen *screen, const char *text)
{
    struct change change = {find_canary(screen), 0};
    size_t size = strcspn(text, " %");
    if (!number_parse(slice_make(text, size), &change.percent) ||
        !(change.percent >= 0 && change.percent <= 100))
        screen_say(screen, STYLE_TICKET, "'%.40s' is no share from 0 to 100", text);
    else
        change_split(screen, &change, "Change the shares");
}

/* ---- quarantine ---- */

/* The ids that stand in the first column of the list. */
void action_retry(struct screen *screen)
{
    struct action *action = &screen->action;
    const struct grid *grid = &screen->grids[VIEW_QUALITY];
    struct buffer body;
    struct json_writer json;
    int n = 0;
    if (!begin(screen, "POST", "/api/v1/quarantine/retry"))
        return;
    buffer_init(&body, sizeof action->body);
    json_begin(&json, &body);
    json_object(&json, NULL);
    json_array(&json, "ids");
    for (size_t i = 0; i < grid->n_shown && n < MOST_RETRIED; i++) {
        int64_t id;
        if (TAG_KIND(grid->tags[grid->shown[i]]) != ITEM_ROW ||
            (screen->opened && i != grid->selected) ||
            !integer_parse(slice_of(grid_cell_text(grid, i, 0)), &id))
            continue;
        json_int(&json, NULL, id);
        n++;
    }
    json_array_end(&json);
    if (n == 0) {
        screen_say(screen, STYLE_TICKET, "no quarantined event is listed: 5 lists them");
    } else {
        snprintf(action->title, sizeof action->title, "Retry %d quarantined %s", n,
                 number_noun((uint64_t)n, "event", "events"));
        say_will(action, "%s through today's contract again, as %s came",
                 number_noun((uint64_t)n, "it goes", "they go"),
                 number_noun((uint64_t)n, "it", "they"));
        say_will(action, "what passes is decided and recorded; the rest stays in quarantine");
        say_will(action, "the ledger gets a row with your name and the reason");
        snprintf(action->done, sizeof action->done, "%d %s submitted again", n,
                 number_noun((uint64_t)n, "event was", "events were"));
        ask(screen, &body);
    }
    buffer_free(&body);
}

/* ---- alerts ---- */

/* The alert behind the selected item of attention, else the first that fires; NULL: none. */
static const char *find_alert(const struct screen *screen)
{
    const struct view *view = &screen->view;
    int32_t tag = grid_tag(&screen->grids[VIEW_NOW]);
    if (screen->page == VIEW_NOW && TAG_KIND(tag) == ITEM_ATTENTION &&
        TAG_INDEX(tag) < view->n_attention && view->attention[TAG_INDEX(tag)].alert[0])
        return view->attention[TAG_INDEX(tag)].alert;
    for (int i = 0; i < view->n_attention; i++)
        if (view->attention[i].alert[0])
            return view->attention[i].alert;
    return NULL;
}

static void ask_alert(struct screen *screen, const char *target, bool silence)
{
    struct action *action = &screen->action;
    const char *alert = find_alert(screen);
    struct buffer body;
    struct json_writer json;
    if (!alert) {
        screen_say(screen, STYLE_QUIET, "no alert fires");
        return;
    }
    if (!begin(screen, "POST", target))
        return;
    snprintf(action->title, sizeof action->title, "%s %.80s", silence ? "Silence" : "Acknowledge",
             alert);
    if (silence)
        say_will(action, "it is judged and shown, but nobody is told of it for %d minutes",
                 SILENCE_MINUTES);
    else
        say_will(action,
                 "everybody sees that you have it; it is not told again until it gets worse");
    say_will(action, "the ledger gets a row with your name and the reason");
    snprintf(action->done, sizeof action->done, "%.80s is %s", alert,
             silence ? "silent for an hour" : "yours");
    buffer_init(&body, sizeof action->body);
    json_begin(&json, &body);
    json_object(&json, NULL);
    json_text(&json, "alert", alert);
    if (silence)
        json_int(&json, "minutes", SILENCE_MINUTES);
    ask(screen, &body);
    buffer_free(&body);
}

void action_acknowledge(struct screen *screen)
{
    ask_alert(screen, "/api/v1/alerts/acknowledge", false);
}

void action_silence(struct screen *screen)
{
    ask_alert(screen, "/api/v1/alerts/silence", true);
}

/* ---- sending ---- */

void action_send(struct screen *screen, const char *reason)
{
    struct action *action = &screen->action;
    struct buffer body;
    if (!action->asked)
        return;
    action->asked = false;
    buffer_init(&body, 16384);
    buffer_append_text(&body, action->body);
    buffer_append_text(&body, ",\"reason\":\"");
    json_escape(slice_of(reason), &body);
    buffer_append_text(&body, "\"}");
    feed_order(screen->feed, action->method, action->target, buffer_slice(&body));
    buffer_free(&body);
    action->sent = true;
    screen_say(screen, STYLE_QUIET, "ordered: %s", action->title);
}

void action_settle(struct screen *screen)
{
    char why[200];
    enum feed_order_state state = feed_order_end(screen->feed, why, sizeof why);
    if (!screen->action.sent || state < FEED_DONE)
        return;
    screen->action.sent = false;
    if (state == FEED_DONE) {
        screen_say(screen, STYLE_OK, "done: %s", screen->action.done);
        feed_expire(screen->feed);
    } else {
        screen_say(screen, STYLE_PAGE, "not done: %s", why);
    }
}
